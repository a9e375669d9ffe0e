//! A session: one epoch's changes while they are made. Threads share it; nothing of it counts before `State::prepare`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::catalog::Catalog;
use super::directory::Directory;
use super::error::StateError;
use super::file::{DataFile, lock};
use super::reader::Reader;
use super::remembered::{Room, Written};
use super::section::{EXTENT_BYTES, Section};
use super::snapshot::Snapshot;
use super::statistics::SpaceStatistics;
use crate::failpoint;

/// A data file takes no further section when it has this many bytes; so it can be given back before the session ends.
pub(super) const FILE_BYTES: u64 = 256 << 20;

/// While the file for new runs has fewer bytes than this, merged runs go there too: one file less to wait for.
const SHARED_BYTES: u64 = 32 << 20;

/// What writers collected bytes in is kept for so many of them.
const EXTENTS_MAX: usize = 8;

/// One epoch's changes while they are made. Dropping it unprepared deletes what it wrote.
#[derive(Debug)]
pub struct Session {
    pub(super) directory: Arc<Directory>,
    /// Which state it was begun on; a state that moved on takes no session of before.
    pub(super) generation: u64,
    pub(super) progress: Mutex<Progress>,
    /// In a large session new runs and merged ones go into different files: the ones soon die, the others stay.
    fresh: Mutex<Option<Arc<DataFile>>>,
    merged: Mutex<Option<Arc<DataFile>>>,
    bytes_written: AtomicU64,
    room: Room,
    /// What writers collect bytes in, while no writer has them: they are as large as they need to be already.
    extents: Mutex<Vec<Vec<u8>>>,
}

/// What changes in a session.
#[derive(Debug)]
pub(super) struct Progress {
    /// What the session sees.
    pub(super) catalog: Catalog,
    /// Bytes of new runs since the last compaction.
    pub(super) fresh_bytes: u64,
    /// Bytes of merging that were allowed and not yet used.
    pub(super) credit_bytes: u64,
    /// Set when the session was prepared: then it changes no more.
    pub(super) sealed: bool,
}

impl Session {
    pub(super) fn new(directory: Arc<Directory>, generation: u64, catalog: Catalog, credit_bytes: u64) -> Session {
        Session {
            directory,
            generation,
            progress: Mutex::new(Progress { catalog, fresh_bytes: 0, credit_bytes, sealed: false }),
            fresh: Mutex::new(None),
            merged: Mutex::new(None),
            bytes_written: AtomicU64::new(0),
            room: Room::default(),
            extents: Mutex::default(),
        }
    }

    /// What the session sees now: what operators read that write, or let others write, at the same time.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let catalog = lock(&self.progress).catalog.clone();
        Arc::new(Snapshot::new(Arc::clone(&self.directory), catalog))
    }

    /// A reader of the shard as this session sees it now: the finalised epoch and every run finished so far. For a space that
    /// nobody writes meanwhile; otherwise see [`Session::snapshot`].
    ///
    /// # Errors
    /// When a data file cannot be opened, or is not the one it should be.
    pub fn reader(self: &Arc<Self>, space: &str, shard: u32) -> Result<Reader, StateError> {
        // Cloned first: opening files is no work to do under the lock.
        let runs = lock(&self.progress).catalog.runs(space, shard).to_vec();
        Reader::new(space, &runs)
    }

    /// From now on this session sees the space as empty; what it held is deleted when the epoch is finalised.
    pub fn clear_space(&self, space: &str) {
        lock(&self.progress).catalog.remove(space);
    }

    /// As [`Session::clear_space`] for every space: the session starts from nothing.
    pub fn clear(&self) {
        lock(&self.progress).catalog.clear();
    }

    /// Bytes written to disk in this session, merging included.
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written.load(Ordering::Relaxed)
    }

    /// How much each space holds, as this session sees it.
    pub fn statistics(&self) -> Vec<SpaceStatistics> {
        SpaceStatistics::of(&lock(&self.progress).catalog)
    }

    /// The file for new runs.
    pub(super) fn fresh_file(&self) -> Result<Arc<DataFile>, StateError> {
        self.current_file(&self.fresh)
    }

    /// The file for merged runs.
    pub(super) fn merged_file(&self) -> Result<Arc<DataFile>, StateError> {
        if lock(&self.merged).is_none()
            && let Some(file) = &*lock(&self.fresh)
            && file.length() < SHARED_BYTES
        {
            return Ok(Arc::clone(file));
        }
        self.current_file(&self.merged)
    }

    /// Something to collect bytes in, empty.
    pub(super) fn extent(&self) -> Vec<u8> {
        lock(&self.extents).pop().unwrap_or_default()
    }

    /// Keeps what bytes were collected in for the next writer.
    pub(super) fn give_back(&self, mut extent: Vec<u8>) {
        let mut extents = lock(&self.extents);
        if extents.len() < EXTENTS_MAX && extent.capacity() <= 2 * EXTENT_BYTES {
            extent.clear();
            extents.push(extent);
        }
    }

    /// What is written from now on goes into new files.
    pub(super) fn begin_files(&self) {
        *lock(&self.fresh) = None;
        *lock(&self.merged) = None;
    }

    fn current_file(&self, slot: &Mutex<Option<Arc<DataFile>>>) -> Result<Arc<DataFile>, StateError> {
        let mut slot = lock(slot);
        if let Some(file) = &*slot
            && file.length() < FILE_BYTES
        {
            return Ok(Arc::clone(file));
        }
        Ok(Arc::clone(slot.insert(Arc::new(self.directory.create_file()?))))
    }

    /// Makes a section the newest run of its shard.
    pub(super) fn install(
        &self,
        space: &str,
        shard: u32,
        mut section: Section,
        written: Written,
    ) -> Result<(), StateError> {
        section.remembered = self.room.remember(written);
        {
            let mut progress = lock(&self.progress);
            progress.check_open()?;
            self.count_bytes(section.bytes);
            progress.fresh_bytes += section.bytes;
            progress.catalog.runs_mut(space, shard).push(Arc::new(section));
        }
        failpoint::hit("state:run-written");
        Ok(())
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.bytes_written.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Progress {
    /// Refuses changes to a session that was prepared.
    pub(super) fn check_open(&self) -> Result<(), StateError> {
        if self.sealed { Err(StateError::misuse("the session was prepared already")) } else { Ok(()) }
    }
}
