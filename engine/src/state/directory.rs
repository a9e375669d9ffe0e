//! The state directory: its lock, and what is written into it so that it is there wholly or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{StateError, StateErrorKind};
use super::file::{DataFile, serial_of};
use super::manifest::Manifest;
use crate::failpoint;

pub(super) const LOCK: &str = "LOCK";
pub(super) const MANIFEST: &str = "MANIFEST";
pub(super) const PREPARED: &str = "PREPARED";
pub(super) const TEMPORARY: &str = "PREPARED.tmp";

/// What sessions need of a state.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    pub(super) writable: bool,
    /// Where the files of sessions go whose epoch is never prepared.
    pub(super) aside: Option<PathBuf>,
    lock: Option<File>,
    next_serial: AtomicU64,
}

impl Directory {
    pub(super) fn lock_exclusively(path: &Path) -> Result<Directory, StateError> {
        create_durably(path).map_err(|error| StateError::io("create", path, &error))?;
        let lock_path = path.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| StateError::io("open", &lock_path, &error))?;
        check_lock(path, file.try_lock())?;
        Directory::new(path, true, Some(file))
    }

    pub(super) fn lock_shared(path: &Path) -> Result<Directory, StateError> {
        // Without a lock file nobody writes: a writer makes one first.
        let file = File::open(path.join(LOCK)).ok();
        if let Some(file) = &file {
            check_lock(path, file.try_lock_shared())?;
        }
        Directory::new(path, false, file)
    }

    fn new(path: &Path, writable: bool, lock: Option<File>) -> Result<Directory, StateError> {
        let mut directory =
            Directory { path: path.to_owned(), writable, aside: None, lock, next_serial: AtomicU64::new(1) };
        let serials = directory.serials().map_err(|error| StateError::io("list", path, &error))?;
        // Also past the files nobody refers to, so that a name never means two contents.
        directory.next_serial = AtomicU64::new(serials.into_iter().max().map_or(1, |serial| serial + 1));
        Ok(directory)
    }

    /// The serial numbers of the data files that are there.
    pub(super) fn serials(&self) -> io::Result<Vec<u64>> {
        let mut serials = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            serials.extend(entry?.file_name().to_str().and_then(serial_of));
        }
        Ok(serials)
    }

    /// Refuses to write where the state was opened to be read.
    pub(super) fn check_writable(&self) -> Result<(), StateError> {
        if self.writable { Ok(()) } else { Err(StateError::misuse("it was opened to be read only")) }
    }

    /// Refuses new data files where the state was opened to be read and no other place for them was named.
    pub(super) fn check_takes_files(&self) -> Result<(), StateError> {
        if self.aside.is_some() { Ok(()) } else { self.check_writable() }
    }

    /// A new data file.
    pub(super) fn create_file(&self) -> Result<DataFile, StateError> {
        self.check_takes_files()?;
        let path = self.aside.as_ref().unwrap_or(&self.path);
        DataFile::create(path, self.next_serial.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes PREPARED so that it is there wholly or not at all; when this returns without error, durably.
    pub(super) fn write_prepared(&self, manifest: &Manifest) -> Result<(), StateError> {
        let (temporary, prepared) = (self.path.join(TEMPORARY), self.path.join(PREPARED));
        let written = write_durably(&temporary, &manifest.encode()).and_then(|()| fs::rename(&temporary, &prepared));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(StateError::io("write", &temporary, &error));
        }
        self.sync().inspect_err(|_| {
            // If even that fails, the next start finds it and rolls it back, for the sink has not committed the epoch.
            let _ = fs::remove_file(&prepared);
        })
    }

    /// Waits until what was created, renamed and deleted in the directory is on the disk.
    pub(super) fn sync(&self) -> Result<(), StateError> {
        let synced = if failpoint::fails("state:sync-directory") {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            File::open(&self.path).and_then(|directory| directory.sync_all())
        };
        synced.map_err(|error| StateError::io("write out", &self.path, &error))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Not left to the closing of the file: a process that another thread is just starting has a copy of its handle
        // for a moment, which would keep the lock.
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

/// Creates a directory, and waits until its entry in its parent is on the disk.
fn create_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    create_durably(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(parent)?.sync_all(),
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if failpoint::fails("state:manifest") {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn check_lock(path: &Path, locked: Result<(), TryLockError>) -> Result<(), StateError> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StateError::new(
            StateErrorKind::Locked,
            format!("the state in {} is in use by another run", path.display()),
        )
        .with_hint("Wait until that run has ended, and run again.")),
        Err(TryLockError::Error(error)) => Err(StateError::io("lock", path, &error)),
    }
}
