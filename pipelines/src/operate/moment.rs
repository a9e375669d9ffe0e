//! The time of what is told beside a run: lines of a log, alerts, lineage. None of it reaches a table.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vardelta_engine::clock::utc;

/// The time since 1970-01-01, UTC.
#[expect(clippy::disallowed_methods, reason = "what is told has the time")]
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The UTC time, RFC 3339, to the millisecond.
pub fn now() -> String {
    rfc3339(since_1970())
}

/// A time since 1970-01-01 as RFC 3339, to the millisecond.
pub fn rfc3339(since: Duration) -> String {
    format!("{}.{:03}Z", utc(since.as_secs()).trim_end_matches('Z'), since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rfc3339;

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
