//! What is shared by everything that asks the same host: the rate, the pauses that it asked for, and the circuit breaker.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use vardelta_engine::locks::Locked as _;

use super::{
    breaker::Breaker,
    clock::{Clock, micros},
    slots::Slots,
};

/// A host, as this process knows it.
#[derive(Debug)]
pub(super) struct Host {
    name: String,
    /// Between two requests, in microseconds: the longest that a stage wants.
    period_us: AtomicU64,
    slots: Slots,
    breaker: Mutex<Breaker>,
}

/// Hosts by the folder of their slots and by name.
type Hosts = HashMap<(PathBuf, String), Arc<Host>>;

/// The hosts that this process has asked.
static HOSTS: LazyLock<Mutex<Hosts>> = LazyLock::new(Mutex::default);

/// Why nothing may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// The next request would be sent after the deadline; the time is when it could be.
    Late(u64),
    /// The breaker is open until then.
    Open(u64),
    /// The run was ended.
    Stopped,
}

/// Requests are spaced a little wider than the rate says: what comes at the server is what counts, and ways differ.
const MARGIN: f64 = 1.03;

impl Host {
    /// The host of this name, whose slots lie in a folder that all processes share. The slowest rate that was wanted holds.
    pub fn shared(folder: &Path, name: &str, rate_per_s: f64) -> Arc<Host> {
        let mut hosts = HOSTS.locked();
        let host =
            hosts.entry((folder.to_owned(), name.to_owned())).or_insert_with(|| Arc::new(Host::new(folder, name)));
        let period = Duration::from_secs_f64((MARGIN / rate_per_s).min(1e6));
        host.period_us.fetch_max(micros(period), Ordering::Relaxed);
        Arc::clone(host)
    }

    /// Until when a host of this name is left alone because it failed time after time, in microseconds since 1970; `None` where it
    /// may be asked, or never was.
    pub fn held_until_us(name: &str, now_us: u64) -> Option<u64> {
        let hosts = HOSTS.locked();
        let until = hosts.values().filter(|host| host.name == name).map(|host| host.breaker().open_until_us());
        until.filter(|until_us| *until_us > now_us).max()
    }

    fn new(folder: &Path, name: &str) -> Host {
        Host {
            name: name.to_owned(),
            period_us: AtomicU64::new(0),
            slots: Slots::new(folder, name),
            breaker: Mutex::default(),
        }
    }

    /// Its name, and its port where that is not the usual one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until a request may be sent, which it then must be.
    pub fn enter(&self, clock: &dyn Clock, deadline_us: u64, stop: &AtomicBool) -> Result<(), Held> {
        self.breaker().may_pass(clock.now_us()).map_err(Held::Open)?;
        let entered = self.wait_for_slot(clock, deadline_us, stop);
        if entered.is_err() {
            self.breaker().was_not_asked();
        }
        entered
    }

    fn wait_for_slot(&self, clock: &dyn Clock, deadline_us: u64, stop: &AtomicBool) -> Result<(), Held> {
        loop {
            let period_us = self.period_us.load(Ordering::Relaxed);
            let slot_us = self.slots.reserve(clock.now_us(), period_us, deadline_us).map_err(Held::Late)?;
            clock.wait_until(slot_us, stop);
            if stop.load(Ordering::Relaxed) {
                return Err(Held::Stopped);
            }
            // Meanwhile somebody may have been told to wait.
            if self.slots.paused_until(clock.now_us()) <= clock.now_us() {
                return Ok(());
            }
        }
    }

    /// Sends nothing to it for so long, from no process.
    pub fn pause(&self, clock: &dyn Clock, length: Duration) {
        self.slots.pause(clock.now_us(), clock.now_us().saturating_add(micros(length)));
    }

    /// It answered.
    pub fn succeeded(&self) {
        self.breaker().succeeded();
    }

    /// It did not answer, or not what it should.
    pub fn failed(&self, clock: &dyn Clock) {
        self.breaker().failed(clock.now_us());
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.locked()
    }
}
