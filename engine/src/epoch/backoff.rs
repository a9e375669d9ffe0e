//! Waiting before a transaction is run again: longer each time, and never as long as another loader that met the same
//! moment.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use crate::abort::Abort;

/// The first wait is up to this long, the next up to twice as long, …
const FIRST: Duration = Duration::from_millis(50);
/// … up to this.
const LONGEST: Duration = Duration::from_secs(5);
/// How often the wait looks whether the run was ended.
const LOOK: Duration = Duration::from_millis(20);

/// Waits before the given attempt (1 for the first that is run again); false when the run was ended meanwhile.
pub(crate) fn wait(attempt: u64, abort: &Abort) -> bool {
    let until = Instant::now() + delay(attempt, RandomState::new().hash_one(attempt));
    while Instant::now() < until {
        if abort.is_raised() {
            return false;
        }
        std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
    }
    !abort.is_raised()
}

/// Between half of the attempt's longest wait and all of it, as the random number says.
fn delay(attempt: u64, random: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32 << attempt.saturating_sub(1).min(16));
    let longest = doubled.min(LONGEST);
    let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
    longest / 2 + (longest / 2).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_differ() {
        for (attempt, longest_ms) in [(1, 50), (2, 100), (3, 200), (7, 3200), (8, 5000), (1000, 5000)] {
            let longest = Duration::from_millis(longest_ms);
            assert_eq!(delay(attempt, 0), longest / 2);
            assert!(delay(attempt, u64::MAX) <= longest && delay(attempt, u64::MAX) > longest * 9 / 10);
        }
        assert_ne!(delay(3, 1 << 60), delay(3, 1 << 62));
    }

    #[test]
    fn a_run_that_is_ended_does_not_wait() {
        let abort = Abort::default();
        abort.raise(crate::error::RunError::interrupted());
        let start = Instant::now();
        assert!(!wait(8, &abort));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
