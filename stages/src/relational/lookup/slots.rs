//! When the next request to a host may be sent, kept in a small file that threads and processes lock in turn.
//!
//! A request reserves the next free time and then waits for it: nobody waits with the lock held, and there is never a burst.
//! Where the file cannot be locked (some network file systems), the times hold for this process alone.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

use vardelta_engine::locks::Locked as _;

/// A time further away than this was not meant: the machine's clock was set, or the file is damaged.
const FURTHEST_US: u64 = 25 * 3_600_000_000;

/// The slots of a host.
#[derive(Debug)]
pub(super) struct Slots {
    path: PathBuf,
    /// What this process knows.
    own: Mutex<Times>,
}

/// Times in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    /// The next free one.
    next_us: u64,
    /// The host wants no request before this.
    paused_us: u64,
}

impl Slots {
    /// The slots of a host in a folder.
    pub fn new(folder: &Path, host: &str) -> Slots {
        let name: String = host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect();
        Slots { path: folder.join(format!("{name}.slots")), own: Mutex::default() }
    }

    /// The next free time, which is then taken for a period. `Err` with it where it lies after the deadline; then it stays
    /// free.
    pub fn reserve(&self, now_us: u64, period_us: u64, deadline_us: u64) -> Result<u64, u64> {
        self.change(now_us, |times| {
            let slot_us = now_us.max(times.next_us).max(times.paused_us);
            if slot_us > deadline_us {
                return Err(slot_us);
            }
            times.next_us = slot_us.saturating_add(period_us);
            Ok(slot_us)
        })
    }

    /// Until when the host wants no request.
    pub fn paused_until(&self, now_us: u64) -> u64 {
        self.change(now_us, |times| times.paused_us)
    }

    /// No request until then.
    pub fn pause(&self, now_us: u64, until_us: u64) {
        self.change(now_us, |times| times.paused_us = times.paused_us.max(until_us));
    }

    fn change<T>(&self, now_us: u64, change: impl FnOnce(&mut Times) -> T) -> T {
        let mut guard = self.own.locked();
        let own = &mut *guard;
        let mut file = self.lock().ok();
        if let Some(Ok(shared)) = file.as_mut().map(Times::read) {
            *own = shared;
        }
        let furthest_us = now_us.saturating_add(FURTHEST_US);
        for time in [&mut own.next_us, &mut own.paused_us] {
            if *time > furthest_us {
                *time = 0;
            }
        }
        let before = *own;
        let changed = change(own);
        if *own != before
            && let Some(file) = &mut file
        {
            // What cannot be written still holds for this process.
            let _ = own.write(file);
        }
        changed
    }

    /// The file, locked until it is closed.
    fn lock(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path)?;
        file.lock()?;
        Ok(file)
    }
}

impl Times {
    fn read(file: &mut File) -> io::Result<Times> {
        let mut bytes = Vec::new();
        file.take(64).read_to_end(&mut bytes)?;
        let number =
            |at: usize| bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes);
        Ok(Times { next_us: number(0), paused_us: number(8) })
    }

    fn write(self, file: &mut File) -> io::Result<()> {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[self.next_us.to_le_bytes(), self.paused_us.to_le_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000_000;

    #[test]
    fn times_are_taken_one_by_one_and_shared() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (Slots::new(folder.path(), "h:80"), Slots::new(folder.path(), "h:80"));
        assert_eq!(one.reserve(NOW, 100, u64::MAX), Ok(NOW));
        assert_eq!(other.reserve(NOW, 100, u64::MAX), Ok(NOW + 100), "the other process knows of it");
        assert_eq!(one.reserve(NOW + 50, 100, u64::MAX), Ok(NOW + 200));
        assert_eq!(one.reserve(NOW + 50, 100, NOW + 299), Err(NOW + 300));
        assert_eq!(other.reserve(NOW + 50, 100, NOW + 300), Ok(NOW + 300), "what was too late for one stayed free");
        assert_eq!(one.reserve(NOW + 5_000, 100, u64::MAX), Ok(NOW + 5_000), "nothing is saved up: no burst");
        other.pause(NOW, NOW + 9_000);
        assert_eq!(one.paused_until(NOW), NOW + 9_000);
        assert_eq!(one.reserve(NOW + 5_100, 100, u64::MAX), Ok(NOW + 9_000));
        let elsewhere = Slots::new(folder.path(), "h2:80");
        assert_eq!(elsewhere.reserve(NOW, 100, u64::MAX), Ok(NOW), "another host");
    }

    #[test]
    fn a_damaged_file_holds_nothing_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let slots = Slots::new(folder.path(), "h");
        std::fs::write(folder.path().join("h.slots"), [255; 16]).expect("written");
        assert_eq!(slots.reserve(NOW, 100, u64::MAX), Ok(NOW));
        std::fs::write(folder.path().join("h.slots"), "x").expect("written");
        assert_eq!(slots.reserve(NOW, 100, u64::MAX), Ok(NOW));
        let nowhere = Slots::new(&folder.path().join("missing"), "h");
        assert_eq!(nowhere.reserve(NOW, 100, u64::MAX), Ok(NOW));
        assert_eq!(nowhere.reserve(NOW, 100, u64::MAX), Ok(NOW + 100), "without a file, for this process");
    }
}
