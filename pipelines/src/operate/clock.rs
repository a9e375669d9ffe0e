//! The time as people's clocks have it: for what is reported, never for what is computed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vardelta_engine::clock::utc;

/// The time since 1970-01-01, UTC.
#[expect(clippy::disallowed_methods, reason = "when something happened or is tried again is reported; no row shows it")]
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970, now.
pub fn now_s() -> u64 {
    since_1970().as_secs()
}

/// The UTC time, RFC 3339, to the millisecond.
pub fn now() -> String {
    rfc3339(since_1970())
}

/// A time since 1970-01-01 as RFC 3339, to the millisecond.
pub fn rfc3339(since: Duration) -> String {
    format!("{}.{:03}Z", utc(since.as_secs()).trim_end_matches('Z'), since.subsec_millis())
}

/// Seconds since 1970 of `2026-01-31T23:59:59Z`; `None` for what is no such text.
pub fn seconds_of(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, separator: char| -> Option<Vec<i64>> {
        text.split(separator).map(|part| part.split('.').next()?.parse().ok()).collect()
    };
    let ([year, month, day], [hour, minute, second]) =
        (<[i64; 3]>::try_from(numbers(date, '-')?).ok()?, <[i64; 3]>::try_from(numbers(time, ':')?).ok()?);
    // A civil date to days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days * 86_400 + hour * 3_600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_ledger_are_read() {
        assert_eq!(seconds_of("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds_of("2000-02-29T00:00:00Z"), Some(951_782_400));
        assert_eq!(seconds_of("2099-12-31T23:59:59Z"), Some(4_102_444_799));
        for text in ["", "2000-02-29", "2000-02-29T00:00:00", "x-y-zT1:2:3Z"] {
            assert_eq!(seconds_of(text), None);
        }
    }

    #[test]
    fn times_are_written_as_the_calendar_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_709_164_800, "2024-02-29T00:00:00.007Z"),
            (4_102_444_799, "2099-12-31T23:59:59.007Z"),
        ] {
            assert_eq!(rfc3339(Duration::new(seconds, 7_000_000)), text);
        }
    }
}
