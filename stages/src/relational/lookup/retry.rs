//! When to try again: what a service says, or a random time that doubles.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first longest wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait of all.
const LONGEST: Duration = Duration::from_secs(30);
/// No service is believed that wants to be left alone for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long `Retry-After` says to wait: seconds, whole or with a fraction, or a date. `None` where it says neither.
pub(super) fn retry_after(text: &str, now_us: u64) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(LONGEST_PAUSE.as_secs_f64())));
    }
    let then = httpdate::parse_http_date(text).ok()?;
    let now = UNIX_EPOCH + Duration::from_micros(now_us);
    Some(then.duration_since(now).unwrap_or_default().min(LONGEST_PAUSE))
}

/// How long to wait before try number `tried` + 1: full jitter, a random part of a time that doubles with every try.
/// `random` is between 0 and 1.
pub(super) fn backoff(tried: u32, random: f64) -> Duration {
    let longest = FIRST.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(LONGEST);
    longest.mul_f64(random.clamp(0.0, 1.0))
}

/// A number between 0 and 1 that differs between threads, processes and moments.
#[expect(clippy::disallowed_methods, reason = "what asks again must not do so in step with others: no row shows it")]
pub(super) fn random() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let seed = format!("{now} {} {:?}", std::process::id(), std::thread::current().id());
    fraction(xxhash_rust::xxh3::xxh3_64(seed.as_bytes()))
}

/// A hash as a number between 0 and 1.
pub(super) fn fraction(hash: u64) -> f64 {
    hash as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now_us = 784_111_777_000_000;
        let ms = Duration::from_millis;
        for (text, wait) in [
            ("3", Some(ms(3_000))),
            (" 0.25 ", Some(ms(250))),
            ("0", Some(ms(0))),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(ms(3_000))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(ms(0))),
            ("1e300", Some(LONGEST_PAUSE)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now_us), wait, "{text}");
        }
    }

    #[test]
    fn waits_double_up_to_half_a_minute() {
        assert_eq!(backoff(1, 1.0), FIRST);
        assert_eq!(backoff(2, 1.0), 2 * FIRST);
        assert_eq!(backoff(2, 0.5), FIRST);
        assert_eq!(backoff(40, 1.0), LONGEST);
        assert_eq!(backoff(3, 0.0), Duration::ZERO);
    }
}
