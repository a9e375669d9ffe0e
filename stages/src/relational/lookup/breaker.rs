//! The circuit breaker of a host: one that fails time after time is left alone for a while, then asked once to see.

/// So many failed requests in a row open it.
const FAILURES: u32 = 5;
/// How long it is open the first time, and at the most.
const FIRST_US: u64 = 30_000_000;
const LONGEST_US: u64 = 600_000_000;

/// A breaker; closed at first.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Failed requests in a row.
    failures: u32,
    /// Until when nothing is sent, in microseconds since 1970; 0 while it is closed.
    open_until_us: u64,
    /// For how long it was opened last.
    opened_for_us: u64,
    /// Whether the one request that sees whether the host is back is on its way.
    probing: bool,
}

impl Breaker {
    /// Whether a request may be sent; if not, when one may. Each that may is followed by one of the others.
    pub fn may_pass(&mut self, now_us: u64) -> Result<(), u64> {
        if self.open_until_us == 0 {
            return Ok(());
        }
        if now_us < self.open_until_us {
            return Err(self.open_until_us);
        }
        if self.probing {
            return Err(now_us.saturating_add(self.opened_for_us));
        }
        self.probing = true;
        Ok(())
    }

    /// The request that may pass was not sent after all.
    pub fn was_not_asked(&mut self) {
        self.probing = false;
    }

    /// Until when nothing is sent, in microseconds since 1970; 0 while it is closed.
    pub fn open_until_us(&self) -> u64 {
        self.open_until_us
    }

    /// The host answered.
    pub fn succeeded(&mut self) {
        *self = Breaker::default();
    }

    /// The host did not answer.
    pub fn failed(&mut self, now_us: u64) {
        self.failures += 1;
        if self.probing || (self.open_until_us == 0 && self.failures >= FAILURES) {
            self.probing = false;
            self.opened_for_us = (self.opened_for_us * 2).clamp(FIRST_US, LONGEST_US);
            self.open_until_us = now_us.saturating_add(self.opened_for_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_fails_is_left_alone_then_probed_once() {
        let (mut breaker, mut now) = (Breaker::default(), 1_000_000);
        for _ in 0..FAILURES {
            assert_eq!(breaker.may_pass(now), Ok(()));
            breaker.failed(now);
        }
        assert_eq!(breaker.may_pass(now), Err(now + FIRST_US));
        now += FIRST_US;
        assert_eq!(breaker.may_pass(now), Ok(()), "one probe");
        assert!(breaker.may_pass(now).is_err(), "and only one");
        breaker.failed(now);
        assert_eq!(breaker.may_pass(now), Err(now + 2 * FIRST_US), "longer each time");
        for _ in 0..20 {
            now = breaker.open_until_us;
            assert_eq!(breaker.may_pass(now), Ok(()));
            breaker.failed(now);
        }
        assert_eq!(breaker.open_until_us - now, LONGEST_US);
        now = breaker.open_until_us;
        assert_eq!(breaker.may_pass(now), Ok(()));
        breaker.was_not_asked();
        assert_eq!(breaker.may_pass(now), Ok(()), "a probe that was not sent is none");
        breaker.succeeded();
        assert_eq!(breaker.may_pass(now), Ok(()));
        assert_eq!(breaker.may_pass(now), Ok(()));
    }

    #[test]
    fn failures_count_in_a_row() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            (1..FAILURES).for_each(|_| breaker.failed(5));
            breaker.succeeded();
        }
        assert_eq!(breaker.may_pass(5), Ok(()));
    }
}
