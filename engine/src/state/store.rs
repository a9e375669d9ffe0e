//! An open state: the steps from one epoch to the next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use vardelta_schemas::ledger::{Epoch, EpochId};

use super::catalog::Catalog;
use super::directory::{Directory, MANIFEST, PREPARED, TEMPORARY};
use super::error::{StateError, StateErrorKind};
use super::file::{DataFile, lock};
use super::manifest::{Manifest, Unreadable};
use super::session::Session;
use super::statistics::SpaceStatistics;
use crate::failpoint;

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

impl State {
    /// Opens a state to read and write it; makes the directory and an empty state where there is none. An epoch that was
    /// prepared and not finalised is kept: [`State::prepared`] says so, and the sink's ledger decides.
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

    /// Opens a state without looking at what it holds, as an empty one of epoch 0: for rebuilding a damaged one. What
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

    /// Whether the directory holds a state of an epoch that was committed.
    pub fn has_epoch(directory: &Path) -> bool {
        directory.join(MANIFEST).exists()
    }

    /// The finalised epoch, 0 when the state is new.
    pub fn epoch(&self) -> Epoch {
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
            progress.catalog.forget_writing();
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
            // A damaged state that was being rebuilt: if the ledger has the epoch, the damage is past.
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
            .with_hint("Use the vardelta that wrote it, or run `vardelta rebuild` to make the state from scratch."),
        })?;
        let catalog = Catalog::of(&manifest, &directory.path, open);
        let Manifest { id, credit_bytes, metadata, .. } = manifest;
        Ok(Some(Snapshot { id, metadata, credit_bytes, catalog }))
    }

    fn check_files(&self) -> Result<(), StateError> {
        self.catalog.files().iter().try_for_each(|(file, _)| file.check())
    }
}
