//! A data file: bytes are appended by any thread, then read by offset, never overwritten.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use super::block::{self, Pointer};
use super::error::StateError;
use super::traffic;
use crate::{failpoint, locks::Locked as _};

const MAGIC: &[u8; 8] = b"VDDATA1\n";

/// Bytes before the first block: the magic and the file's serial number, so that a file under another's name is noticed.
const HEADER_BYTES: usize = 16;

/// The name of the data file with this serial number.
pub(super) fn file_name(serial: u64) -> String {
    format!("data-{serial:010}.seg")
}

/// The serial number in the name of a data file.
pub(super) fn serial_of(name: &str) -> Option<u64> {
    name.strip_prefix("data-")?.strip_suffix(".seg")?.parse().ok()
}

/// Locks, also after a panic elsewhere: what these mutexes guard is never left half-changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.locked()
}

/// One data file. A file that nobody promised to keep is deleted when the last section in it is forgotten.
#[derive(Debug)]
pub(super) struct DataFile {
    path: PathBuf,
    serial: u64,
    handle: OnceLock<File>,
    end: Mutex<u64>,
    kept: AtomicBool,
}

impl DataFile {
    /// Makes a new file.
    pub(super) fn create(directory: &Path, serial: u64) -> Result<DataFile, StateError> {
        let path = directory.join(file_name(serial));
        let handle = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| StateError::io("create", &path, &error))?;
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(MAGIC);
        header[8..].copy_from_slice(&serial.to_le_bytes());
        let end = Mutex::new(HEADER_BYTES as u64);
        let file = DataFile { path, serial, handle: OnceLock::from(handle), end, kept: AtomicBool::new(false) };
        file.write_at(&header, 0)?;
        Ok(file)
    }

    /// A file that a manifest refers to, `length` bytes long; opened when first read.
    pub(super) fn existing(directory: &Path, serial: u64, length: u64) -> DataFile {
        DataFile {
            path: directory.join(file_name(serial)),
            serial,
            handle: OnceLock::new(),
            end: Mutex::new(length),
            kept: AtomicBool::new(true),
        }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number in its name.
    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// Bytes that belong to it.
    pub(super) fn length(&self) -> u64 {
        *lock(&self.end)
    }

    /// From now on it stays when it is forgotten: a manifest refers to it.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Checks that the file exists with its length.
    pub(super) fn check(&self) -> Result<(), StateError> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.len() >= self.length() => Ok(()),
            Ok(metadata) => Err(StateError::corrupt(
                &self.path,
                &format!("the file has {} bytes and should have {}", metadata.len(), self.length()),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StateError::corrupt(&self.path, "the file is missing"))
            }
            Err(error) => Err(StateError::io("look at", &self.path, &error)),
        }
    }

    /// Opens the file if it is not open; then it can be read even when it is deleted meanwhile.
    pub(super) fn open(&self) -> Result<&File, StateError> {
        if let Some(handle) = self.handle.get() {
            return Ok(handle);
        }
        self.check()?;
        let handle = File::open(&self.path).map_err(|error| StateError::io("open", &self.path, &error))?;
        let mut header = [0; HEADER_BYTES];
        handle.read_exact_at(&mut header, 0).map_err(|error| self.read_error(&error))?;
        if &header[..8] != MAGIC || header[8..] != self.serial.to_le_bytes() {
            return Err(StateError::corrupt(&self.path, "the file is not the data file its name says"));
        }
        Ok(self.handle.get_or_init(|| handle))
    }

    /// Appends `bytes`; returns where they start. Only the reservation is exclusive, the writing is not.
    pub(super) fn append(&self, bytes: &[u8]) -> Result<u64, StateError> {
        let offset = {
            let mut end = lock(&self.end);
            let offset = *end;
            *end += bytes.len() as u64;
            offset
        };
        self.write_at(bytes, offset)?;
        Ok(offset)
    }

    /// Appends `bytes` after `complete` has added to them what depends on where they will start. Nobody else can
    /// reserve meanwhile, so `complete` should be quick.
    pub(super) fn append_with<T>(
        &self,
        bytes: &mut Vec<u8>,
        complete: impl FnOnce(u64, &mut Vec<u8>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let (offset, result) = {
            let mut end = lock(&self.end);
            let offset = *end;
            let result = complete(offset, bytes)?;
            *end += bytes.len() as u64;
            (offset, result)
        };
        self.write_at(bytes, offset)?;
        Ok(result)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StateError> {
        let written = if failpoint::fails("state:write") {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            self.open()?.write_all_at(bytes, offset)
        };
        traffic::written(bytes.len());
        written.map_err(|error| StateError::io("write", &self.path, &error))
    }

    /// Waits until the content is on the disk.
    pub(super) fn sync(&self) -> Result<(), StateError> {
        let synced = if failpoint::fails("state:sync") {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            self.open()?.sync_data()
        };
        synced.map_err(|error| StateError::io("write out", &self.path, &error))
    }

    /// Reads a block and checks it.
    pub(super) fn read_block(&self, pointer: Pointer, bytes: &mut Vec<u8>) -> Result<(), StateError> {
        bytes.resize(pointer.length as usize, 0);
        self.open()?.read_exact_at(bytes, pointer.offset).map_err(|error| self.read_error(&error))?;
        traffic::read(bytes.len());
        if block::verify(bytes) { Ok(()) } else { Err(self.damaged(pointer.offset)) }
    }

    /// Reads a few bytes.
    pub(super) fn read_exact(&self, bytes: &mut [u8], offset: u64) -> Result<(), StateError> {
        traffic::read(bytes.len());
        self.open()?.read_exact_at(bytes, offset).map_err(|error| self.read_error(&error))
    }

    /// What was read at this offset is not what was written.
    pub(super) fn damaged(&self, offset: u64) -> StateError {
        StateError::corrupt(&self.path, &format!("the block at byte {offset} is not what was written"))
    }

    fn read_error(&self, error: &io::Error) -> StateError {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            StateError::corrupt(&self.path, "the file is shorter than it was")
        } else {
            StateError::io("read", &self.path, error)
        }
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            // Best effort: what stays is deleted when the state is opened next.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
