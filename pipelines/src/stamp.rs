//! Which file it is, and how it was when it was looked at.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::Duration,
};

/// What a file system says of a file: another answer later means that it was changed or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    /// The stamp of a file.
    pub fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// The stamp of what lies at a path; `None` where nothing does.
    pub fn at(path: &Path) -> Option<Stamp> {
        fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
    }

    /// As the ledger keeps it. Devices are not reported: their numbers are others after a restart of the machine.
    pub fn text(&self) -> String {
        let Stamp { bytes, modified, changed, inode } = self;
        format!("{bytes} {}.{:09} {}.{:09} {inode}", modified.0, modified.1, changed.0, changed.1)
    }

    /// How long the file has been as it is by its own times, which may be another machine's; nothing where they lie ahead.
    pub fn age(&self, now_s: u64) -> Duration {
        let last = self.modified.0.max(self.changed.0);
        let last = u64::try_from(last).unwrap_or(0);
        Duration::from_secs(now_s.saturating_sub(last))
    }

    /// Whether this file was written no later than that one.
    pub fn is_not_newer_than(&self, other: &Stamp) -> bool {
        self.modified <= other.modified
    }
}
