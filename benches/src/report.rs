//! Figures as Markdown tables.

use std::fmt;

pub use vardelta_engine::display::grouped;

use crate::sizes::Sizes;

/// Figures that belong together.
pub struct Section {
    title: String,
    rows: Vec<Row>,
}

/// One figure.
pub struct Row {
    what: String,
    figure: String,
    ratio: String,
    aim: String,
}

impl Section {
    /// No figures yet.
    pub fn new(title: impl Into<String>) -> Section {
        Section { title: title.into(), rows: Vec::new() }
    }

    /// Adds a figure, and says on standard error that it is there: measuring takes minutes.
    pub fn add(&mut self, row: Row) {
        eprintln!("{}", row.to_string().trim_matches(['|', ' ']));
        self.rows.push(row);
    }
}

impl Row {
    /// A figure.
    pub fn new(what: impl Into<String>, figure: impl Into<String>) -> Row {
        Row { what: what.into(), figure: figure.into(), ratio: String::new(), aim: String::new() }
    }

    /// How it relates to another figure.
    pub fn ratio(mut self, ratio: f64, to: &str) -> Row {
        let digits = if ratio >= 10.0 { 0 } else { 2 };
        self.ratio =
            if ratio < 0.1 { format!("1/{:.0} {to}", 1.0 / ratio) } else { format!("{ratio:.digits$} x {to}") };
        self
    }

    /// What it ought to be, and whether it is.
    pub fn aim(mut self, aim: &str, met: bool) -> Row {
        self.aim = format!("{aim}: {}", if met { "yes" } else { "NO" });
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { what, figure, ratio, aim } = self;
        write!(f, "| {what} | {figure} | {ratio} | {aim} |")
    }
}

const HEAD: &str = "| what | figure | ratio | aim, met |\n|---|---|---|---|";

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n\n{HEAD}", self.title)?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

/// All figures in one table.
pub fn one_table(sections: &[Section]) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        text += &format!("\n| **{}** | | | |", section.title);
        section.rows.iter().for_each(|row| text += &format!("\n{row}"));
    }
    text
}

/// What the figures are of.
pub fn conditions(sizes: &Sizes) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) { "debug build: the figures mean nothing" } else { "release build" };
    let small = if sizes.small { "; small sizes: the figures mean nothing" } else { "" };
    format!(
        "{cores} cores; {build}{small}; files in the system's cache; medians of several runs where a drop is small."
    )
}

/// The median of these; of an even number the upper one.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A throughput.
pub fn per_second(count: u64, seconds: f64) -> String {
    format!("{} /s ({} s)", grouped((count as f64 / seconds) as u64), decimals(seconds))
}

/// Seconds, or any number, with three significant digits.
pub fn decimals(value: f64) -> String {
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}

/// Bytes as mebibytes.
pub fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes >> 20))
}

#[cfg(test)]
mod tests {
    use super::{Row, decimals, grouped, median};

    #[test]
    fn figures_are_readable() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"],
            [0, 999, 1_000, 12_345_678].map(grouped).each_ref().map(String::as_str)
        );
        assert_eq!(
            ["123", "12.3", "1.23", "0.123"],
            [123.4, 12.34, 1.234, 0.1234].map(decimals).each_ref().map(String::as_str)
        );
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        let row = Row::new("delta", "0.2 s").ratio(0.02, "the first load").aim("at most 1/20", true);
        assert_eq!(row.to_string(), "| delta | 0.2 s | 1/50 the first load | at most 1/20: yes |");
        assert_eq!(Row::new("a", "b").ratio(1.234, "c").to_string(), "| a | b | 1.23 x c |  |");
    }
}
