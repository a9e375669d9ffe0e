//! The time, and waiting for it: in tests both are given.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A clock in microseconds since 1970.
pub(super) trait Clock: Debug + Send + Sync {
    /// Now.
    fn now_us(&self) -> u64;

    /// Waits until then, or until `stop`.
    fn wait_until(&self, then_us: u64, stop: &AtomicBool);
}

/// The machine's clock as of the start and then a steady one: setting the machine's clock ends no deadline.
#[derive(Debug)]
pub(super) struct MachineClock {
    start_us: u64,
    started: Instant,
}

/// How long a wait does not look at `stop`.
const PIECE: Duration = Duration::from_millis(50);

impl MachineClock {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "answers grow old, and hosts have rates: no row shows it")]
    pub fn start() -> MachineClock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        MachineClock { start_us: micros(since), started: Instant::now() }
    }
}

impl Clock for MachineClock {
    fn now_us(&self) -> u64 {
        self.start_us.saturating_add(micros(self.started.elapsed()))
    }

    fn wait_until(&self, then_us: u64, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let left = Duration::from_micros(then_us.saturating_sub(self.now_us()));
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(PIECE));
        }
    }
}

/// A length of time in microseconds.
pub(super) fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// A time in seconds since 1970.
pub(super) fn seconds(time_us: u64) -> i64 {
    i64::try_from(time_us / 1_000_000).unwrap_or(i64::MAX)
}
