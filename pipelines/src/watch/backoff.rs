//! How long to wait before something is tried again.

use std::time::Duration;

/// A wait that doubles up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

/// Of a file that cannot be loaded: it is most likely to be replaced, and then tried at once.
pub const OF_FILES: Backoff = Backoff { first: Duration::from_secs(30), longest: Duration::from_secs(3_600) };
/// Of a database that is away, or another run's lock.
pub const OF_TROUBLE: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

impl Backoff {
    /// The wait after so many tries in vain, of which there was one at least.
    pub fn after(self, attempts: u64) -> Duration {
        let doubled = u32::try_from(attempts.saturating_sub(1).min(20)).unwrap_or(20);
        self.first.saturating_mul(1_u32 << doubled).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        for (attempts, seconds) in [(0, 30), (1, 30), (2, 60), (3, 120), (7, 1_920), (8, 3_600), (u64::MAX, 3_600)] {
            assert_eq!(OF_FILES.after(attempts), Duration::from_secs(seconds), "{attempts}");
        }
    }
}
