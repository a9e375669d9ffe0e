//! Values as pages show them. What they yield is put into HTML by maud, which escapes it.

use vardelta_engine::{
    display::grouped,
    edge::{escape, secret},
    error::RunError,
};

/// A text of a file, a database or a pipeline: without secrets, with control characters as `\u{1b}`; of a long one the
/// beginning and its length.
pub fn text(value: &str) -> String {
    let hidden = secret::hide(value);
    escape::line(&escape::cut(&hidden)).into_owned()
}

/// A longer text whole, such as a message or the text of a rejected record.
pub fn whole(value: &str) -> String {
    escape::line(&secret::hide(value)).into_owned()
}

/// An error and what to do about it.
pub fn error(error: &RunError) -> String {
    let advice = error.advice().map(|advice| format!(" {advice}")).unwrap_or_default();
    format!("{error}.{advice}")
}

/// A count with its thousands apart.
pub fn number(value: u64) -> String {
    grouped(value)
}

/// A count and what is counted: `1 drop`, `2 drops`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A duration of so many seconds.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.2} s"),
        s if s < 7_200.0 => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{:.0} h {:.0} min", (s / 3_600.0).floor(), (s % 3_600.0) / 60.0),
    }
}

/// How old something is.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", grouped(seconds / 86_400)),
    }
}

/// Bytes with a unit of powers of 1,000.
pub fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e3 => format!("{bytes} B"),
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

/// A part of a whole in percent; nothing where there is no whole.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.2} %", 100.0 * part as f64 / whole as f64) }
}

/// A time of the ledger as people read it: `2026-01-31 23:59:59 UTC`.
pub fn time(rfc3339: &str) -> String {
    let plain = rfc3339.strip_suffix('Z').and_then(|text| text.split_once('T'));
    plain.map_or_else(|| text(rfc3339), |(date, time)| format!("{} {} UTC", text(date), text(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_who_reads_it() {
        assert_eq!(text("a\u{1b}[2J\u{202e}\n"), "a\\u{1b}[2J\\u{202e}\\n");
        assert!(text(&"x".repeat(500)).ends_with("(500 characters)"));
    }

    #[test]
    fn durations_and_sizes_have_units() {
        let shown = [0.000_4, 0.25, 12.345, 130.0, 7_260.0].map(seconds);
        assert_eq!(shown, ["400 µs", "250 ms", "12.35 s", "2 min 10 s", "2 h 1 min"]);
        assert_eq!([5, 600, 10_000, 900_000].map(age), ["5 s", "10 min", "2 h", "10 days"]);
        assert_eq!([5, 1_500, 2_500_000, 3_000_000_000].map(bytes), ["5 B", "1.5 kB", "2.5 MB", "3.0 GB"]);
        assert_eq!((share(1, 3), share(0, 0)), ("33.33 %".into(), String::new()));
        assert_eq!(time("2026-01-31T23:59:59Z"), "2026-01-31 23:59:59 UTC");
        assert_eq!(time("odd\u{1b}"), "odd\\u{1b}");
    }
}
