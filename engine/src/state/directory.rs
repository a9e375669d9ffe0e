//! The state directory: its lock, its manifests, and the steps from one epoch to the next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vardelta_schemas::ledger::EpochId;

use super::catalog::Catalog;
use super::error::{StateError, StateErrorKind};
use super::file::{DataFile, lock, serial_of};
use super::manifest::{Manifest, Unreadable};
use super::session::Session;
use super::statistics::SpaceStatistics;
use crate::failpoint;

pub(super) const LOCK: &str = "LOCK";
pub(super) const MANIFEST: &str = "MANIFEST";
const PREPARED: &str = "PREPARED";
const TEMPORARY: &str = "PREPARED.tmp";

/// An open state directory. While it lives, or a session or reader of it, no other process can write the state.
#[derive(Debug)]
pub struct State {
    pub(super) directory: Arc<Directory>,
    pub(super) finalised: Snapshot,
    prepared: Option<Snapshot>,
    /// Why MANIFEST cannot be read, where PREPARED could: finalising heals it.
    unreadable: Option<StateError>,
    /// Counts the changes of `finalised`, so that sessions of before are known.
    generation: u64,
}

/// The state of one epoch.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    id: EpochId,
    metadata: BTreeMap<String, String>,
    credit_bytes: u64,
    pub(super) catalog: Catalog,
}

/// What sessions need of a state.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    writable: bool,
    /// Where the files of sessions go whose epoch is never prepared.
    aside: Option<PathBuf>,
    lock: Option<File>,
    next_serial: AtomicU64,
}

impl State {
    /// Opens a state to read and write it; makes the directory and an empty state where there is none. An epoch that was
    /// prepared and not finalised is kept: [`State::prepared_epoch`] tells, and the sink's ledger decides.
    ///
    /// # Errors
    /// [`StateErrorKind::Locked`] when another process, or another `State`, has it open.
    /// [`StateErrorKind::Version`] when another vardelta wrote it in a format this one does not know.
    /// [`StateErrorKind::Corrupt`] when a file is missing, too short, or not what was written.
    pub fn open(directory: &Path) -> Result<State, StateError> {
        let state = State::load(Directory::lock_exclusively(directory)?)?;
        state.delete_unused();
        Ok(state)
    }

    /// Opens a state without looking at what it holds, as an empty one of epoch 0: for making a damaged one anew. What
    /// lies there is deleted when the first epoch is finalised, not before.
    ///
    /// # Errors
    /// [`StateErrorKind::Locked`] when another process, or another `State`, has it open.
    pub fn open_anew(directory: &Path) -> Result<State, StateError> {
        let directory = Arc::new(Directory::lock_exclusively(directory)?);
        Ok(State { directory, finalised: Snapshot::default(), prepared: None, unreadable: None, generation: 0 })
    }

    /// Opens a state to read it; nothing in its directory is changed, and what sessions write goes into the directory `aside`,
    /// if there is one. Several may do so at once, but not while it is written.
    /// [`State::finalize`] and [`State::roll_back`] only decide which epoch is read.
    ///
    /// # Errors
    /// As [`State::open`]; also when there is no state.
    pub fn open_read(directory: &Path, aside: Option<&Path>) -> Result<State, StateError> {
        if !State::exists(directory) {
            let message = format!("there is no state in {}", directory.display());
            return Err(StateError::new(StateErrorKind::Io, message)
                .with_hint("Run the pipeline first, or say where the state is with `state_dir`."));
        }
        let mut directory = Directory::lock_shared(directory)?;
        directory.aside = aside.map(Path::to_owned);
        State::load(directory)
    }

    /// Whether the directory holds a state of some epoch.
    pub fn exists(directory: &Path) -> bool {
        directory.join(MANIFEST).exists() || directory.join(PREPARED).exists()
    }

    /// The finalised epoch, 0 when the state is new.
    pub fn epoch(&self) -> u64 {
        self.finalised.id.number
    }

    /// The finalised epoch with its identity.
    pub fn id(&self) -> EpochId {
        self.finalised.id
    }

    /// The epoch that is prepared and not yet finalised.
    pub fn prepared(&self) -> Option<EpochId> {
        self.prepared.as_ref().map(|prepared| prepared.id)
    }

    /// The engine's own notes, as of the finalised epoch.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.finalised.metadata
    }

    /// How much each space holds, as of the finalised epoch.
    pub fn statistics(&self) -> Vec<SpaceStatistics> {
        SpaceStatistics::of(&self.finalised.catalog)
    }

    /// Begins a session on the finalised epoch. A session that only reads need not be prepared.
    ///
    /// # Errors
    /// While a prepared epoch waits to be finalised or rolled back.
    pub fn begin(&self) -> Result<Arc<Session>, StateError> {
        if let Some(prepared) = &self.prepared {
            return Err(StateError::misuse(&format!("epoch {} is prepared and not yet decided", prepared.id.number)));
        }
        let Snapshot { credit_bytes, catalog, .. } = self.finalised.clone();
        Ok(Arc::new(Session::new(Arc::clone(&self.directory), self.generation, catalog, credit_bytes)))
    }

    /// Makes what the session wrote durable as the epoch `id`, but revocable: it counts after [`State::finalize`].
    ///
    /// # Errors
    /// When the disk is full or broken; the session is gone then, and the state is as it was before it.
    /// Also when the session began before the last decision, or the epoch is smaller than the finalised one.
    pub fn prepare(
        &mut self,
        session: Arc<Session>,
        id: EpochId,
        metadata: BTreeMap<String, String>,
    ) -> Result<(), StateError> {
        let epoch = id.number;
        self.directory.check_writable()?;
        if !Arc::ptr_eq(&session.directory, &self.directory) || session.generation != self.generation {
            return Err(StateError::misuse("the session began on another epoch"));
        }
        if self.prepared.is_some() || epoch < self.finalised.id.number {
            let now = self.prepared().unwrap_or(self.finalised.id).number;
            return Err(StateError::misuse(&format!("epoch {epoch} cannot be prepared after epoch {now}")));
        }
        let snapshot = {
            let mut progress = lock(&session.progress);
            progress.check_open()?;
            progress.sealed = true;
            let (catalog, credit_bytes) = (progress.catalog.clone(), progress.credit_bytes);
            Snapshot { id, metadata, credit_bytes, catalog }
        };
        failpoint::hit("state:before-prepare");
        let finalised_files: HashSet<u64> =
            self.finalised.catalog.files().iter().map(|(file, _)| file.serial()).collect();
        let new_files = || {
            let files = snapshot.catalog.files().into_iter().map(|(file, _)| file);
            files.filter(|file| !finalised_files.contains(&file.serial())).collect::<Vec<_>>()
        };
        for file in new_files() {
            file.sync()?;
            file.check()?;
        }
        failpoint::hit("state:data-synced");
        self.directory.write_prepared(&snapshot.manifest())?;
        new_files().iter().for_each(|file| file.keep());
        failpoint::hit("state:prepared");
        self.prepared = Some(snapshot);
        Ok(())
    }

    /// The prepared epoch becomes the epoch. What no epoch refers to any more is deleted.
    ///
    /// # Errors
    /// When no epoch is prepared, its files are not all there, or the directory cannot be changed.
    pub fn finalize(&mut self) -> Result<(), StateError> {
        let Some(prepared) = &self.prepared else { return Err(StateError::misuse("no epoch is prepared")) };
        prepared.check_files()?;
        failpoint::hit("state:before-finalize");
        if self.directory.writable {
            // Not synced, on purpose. If the machine loses its power and the rename with it, PREPARED is found again, and
            // the sink's ledger, which has the epoch by now, decides again as it did now. The files deleted below may be
            // lost to MANIFEST then; so it is not asked for its files while PREPARED is there.
            let (from, to) = (self.directory.path.join(PREPARED), self.directory.path.join(MANIFEST));
            let renamed = match failpoint::fails("state:rename") {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => fs::rename(&from, &to),
            };
            renamed.map_err(|error| StateError::io("rename", &from, &error))?;
        }
        failpoint::hit("state:finalized");
        if let Some(prepared) = self.prepared.take() {
            self.finalised = prepared;
            self.unreadable = None;
            self.generation += 1;
        }
        self.delete_unused();
        failpoint::hit("state:deleted");
        Ok(())
    }

    /// Forgets the prepared epoch, if there is one, and deletes what it wrote.
    ///
    /// # Errors
    /// When the directory cannot be changed, or the files of the finalised epoch are not all there.
    pub fn roll_back(&mut self) -> Result<(), StateError> {
        if self.prepared.is_none() {
            return Ok(());
        }
        if let Some(error) = &self.unreadable {
            return Err(error.clone());
        }
        self.finalised.check_files()?;
        if self.directory.writable {
            let path = self.directory.path.join(PREPARED);
            fs::remove_file(&path).map_err(|error| StateError::io("delete", &path, &error))?;
            // Synced before its files are deleted: PREPARED never names a file that is gone.
            self.directory.sync()?;
        }
        self.prepared = None;
        self.generation += 1;
        self.delete_unused();
        Ok(())
    }

    /// Loads the manifests of a locked directory.
    fn load(directory: Directory) -> Result<State, StateError> {
        let mut open = HashMap::new();
        let prepared = Snapshot::load(&directory, PREPARED, &mut open)?;
        let (finalised, unreadable) = match Snapshot::load(&directory, MANIFEST, &mut open) {
            Ok(finalised) => (finalised.unwrap_or_default(), None),
            // A damaged state that was being made anew: if the ledger has the epoch, the damage is past.
            Err(error) if prepared.is_some() => (Snapshot::default(), Some(error)),
            Err(error) => return Err(error),
        };
        if prepared.is_none() {
            finalised.check_files()?;
        }
        Ok(State { directory: Arc::new(directory), finalised, prepared, unreadable, generation: 0 })
    }

    /// Deletes data files that no manifest refers to. Best effort: what stays is deleted the next time.
    fn delete_unused(&self) {
        // What an unreadable manifest refers to is not known.
        if !self.directory.writable || self.unreadable.is_some() {
            return;
        }
        let used: HashSet<u64> = [Some(&self.finalised), self.prepared.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|snapshot| snapshot.catalog.files())
            .map(|(file, _)| file.serial())
            .collect();
        for serial in self.directory.serials().unwrap_or_default() {
            if !used.contains(&serial) {
                let _ = fs::remove_file(self.directory.path.join(super::file::file_name(serial)));
            }
        }
        let _ = fs::remove_file(self.directory.path.join(TEMPORARY));
    }
}

impl Snapshot {
    fn manifest(&self) -> Manifest {
        let Snapshot { id, metadata, credit_bytes, catalog } = self;
        let mut manifest =
            Manifest { id: *id, credit_bytes: *credit_bytes, metadata: metadata.clone(), ..Manifest::default() };
        catalog.describe(&mut manifest);
        manifest
    }

    fn load(
        directory: &Directory,
        name: &str,
        open: &mut HashMap<u64, Arc<DataFile>>,
    ) -> Result<Option<Snapshot>, StateError> {
        let path = directory.path.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::io("read", &path, &error)),
        };
        let manifest = Manifest::decode(&bytes).map_err(|unreadable| match unreadable {
            Unreadable::Damaged => StateError::corrupt(&path, "the manifest is not what was written"),
            Unreadable::Format(format) => StateError::new(
                StateErrorKind::Version,
                format!("the state in {} has format {format}, which this vardelta does not know", path.display()),
            )
            .with_hint("Use the vardelta that wrote it, or run `vardelta rebuild` to make the state anew."),
        })?;
        let catalog = Catalog::of(&manifest, &directory.path, open);
        let Manifest { id, credit_bytes, metadata, .. } = manifest;
        Ok(Some(Snapshot { id, metadata, credit_bytes, catalog }))
    }

    fn check_files(&self) -> Result<(), StateError> {
        self.catalog.files().iter().try_for_each(|(file, _)| file.check())
    }
}

impl Directory {
    fn lock_exclusively(path: &Path) -> Result<Directory, StateError> {
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

    fn lock_shared(path: &Path) -> Result<Directory, StateError> {
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
    fn serials(&self) -> io::Result<Vec<u64>> {
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
    fn write_prepared(&self, manifest: &Manifest) -> Result<(), StateError> {
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
    fn sync(&self) -> Result<(), StateError> {
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
