//! Taking turns: of all that ask the same, threads and processes, one asks at a time, and the others then find its answers.
//!
//! A turn is a locked file. Whoever is killed gives it back, and nobody waits for it beyond a deadline: asking twice is better than
//! not at all.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use super::clock::Clock;

/// Between two looks at a file that somebody has locked.
const LOOK_US: u64 = 20_000;

/// Where turns are taken.
#[derive(Debug)]
pub(super) struct Turns {
    path: PathBuf,
}

impl Turns {
    /// The turns of those with this fingerprint who share a folder.
    pub fn new(folder: &std::path::Path, fingerprint: &str) -> Turns {
        Turns { path: folder.join(format!("{}.turn", &fingerprint[..fingerprint.len().min(32)])) }
    }

    /// Waits for a turn, which lasts as long as what is returned; `None` where there is none to be had in time.
    pub fn take(&self, clock: &dyn Clock, deadline_us: u64, stop: &AtomicBool) -> Option<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path).ok()?;
        loop {
            match file.try_lock() {
                Ok(()) => return Some(file),
                Err(TryLockError::Error(_)) => return None,
                Err(TryLockError::WouldBlock) => {}
            }
            if clock.now_us() >= deadline_us || stop.load(Ordering::Relaxed) {
                return None;
            }
            clock.wait_until(clock.now_us().saturating_add(LOOK_US), stop);
        }
    }
}
