//! How far a run is, in one line.

use std::time::Duration;

use vardelta_engine::{display::grouped, edge::escape};

use super::figures::Figures;

/// The line.
pub fn line(figures: &Figures) -> String {
    let phase = figures.phase();
    let mut text = format!("{phase}, {}", clock(figures.elapsed()));
    if let Some(filling) = &figures.progress.filling {
        let table = escape::line(&filling.table);
        return text + &format!(": {table}, {} of {} rows", grouped(filling.rows), grouped(filling.of));
    }
    if figures.progress.files.is_empty() {
        return text;
    }
    let read = format!("{} %, ", percent(figures.position_bytes(), figures.bytes()));
    let read = if figures.is_reading() { read } else { String::new() };
    text += &format!(": {read}{} records", grouped(figures.records()));
    if phase == "loading" {
        text += &format!(", {}/s", grouped(figures.records_per_s() as u64));
        text += &figures.left().map(|left| format!(", {} left to read", clock(left))).unwrap_or_default();
    }
    let rejected: u64 = figures.progress.rejects.values().sum();
    let adapted: u64 = figures.progress.warnings.values().sum();
    text + &format!(", {} rejected, {} adapted", grouped(rejected), grouped(adapted))
}

/// Whole per cents; 100 only where nothing is left.
pub fn percent(done: u64, all: u64) -> u64 {
    if all == 0 { 100 } else { (u128::from(done.min(all)) * 100 / u128::from(all)) as u64 }
}

/// A time as `1:02` or `3:04:05`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::figures::tests::figures;

    #[test]
    fn a_line_says_how_far_it_is() {
        let said = "loading, 0:02: 20 %, 1,000 records, 500/s, 0:08 left to read, 3 rejected, 1,200 adapted";
        assert_eq!(line(&figures()), said);
        assert_eq!(
            (clock(Duration::from_secs(3_661)), percent(999, 1_000), percent(0, 0)),
            ("1:01:01".into(), 99, 100)
        );
    }
}
