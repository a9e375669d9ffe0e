//! What an epoch asks of those who compute it and keep its state, wherever they are.
//!
//! The verbs and the commit are written over [`Plane`] alone. Whoever is behind it keeps shards of the state and runs dataflows
//! over them; here these are the threads of this process ([`LocalPlane`]).

use std::sync::{Arc, Mutex};

use vardelta_schemas::{
    TableSchema,
    ledger::{EpochId, Snapshot, TableCounts},
};

use crate::{
    changes::{AddedRows, NetChanges},
    epoch::{drops, fills},
    error::RunError,
    flow::{RunContext, RunParts, workers::Workers},
    locks::Locked as _,
    plan::TableIndex,
    state::State,
};

/// A state that is written while its changes are read.
pub(crate) type SharedState = Arc<Mutex<State>>;

/// Which of a table's changes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// All of them.
    All,
    /// Those that the sink's open transaction does not have.
    Unsent,
}

/// What becomes of the state with an epoch.
pub(crate) struct Preparation<'a> {
    /// The tables that the sink keeps.
    pub tables: &'a [TableSchema],
    /// What is in the ledger before the epoch.
    pub standing: &'a Snapshot,
    /// What the epoch changes about the drops that stand.
    pub drops: &'a drops::Changes,
    /// Whether the list of drops is rebuilt from the ledger's.
    pub lists_all_drops: bool,
    /// Whether nothing of what is gone may be left in a file that counts.
    pub erases: bool,
}

/// Those who compute one epoch. Methods take turns in a run's order, but for [`Plane::prepare`], which goes on while
/// changes are read.
pub(crate) trait Plane: Send + Sync {
    /// What is known of the run where it is led from.
    fn run(&self) -> &Arc<RunContext>;

    /// Computes the next chunk: one dataflow over what the feed holds for it, and one step of every retraction.
    ///
    /// # Errors
    /// Whatever ended the run.
    fn chunk(&self, number: u64) -> Result<(), RunError>;

    /// No chunk follows for a while: nobody needs to wait for one.
    fn rest(&self);

    /// The net changes of a table, in key order, any number of times.
    ///
    /// # Errors
    /// When the changes cannot be read back.
    fn net(&self, table: TableIndex, what: What) -> Result<NetChanges, RunError>;

    /// The rows that one chunk has added to a table, in key order.
    ///
    /// # Errors
    /// When the changes cannot be read back.
    fn added(&self, table: TableIndex, chunk: u64) -> Result<AddedRows, RunError>;

    /// Counts the net changes of a table.
    ///
    /// # Errors
    /// When the changes cannot be read back.
    fn count(&self, table: TableIndex, counts: &mut TableCounts) -> Result<(), RunError>;

    /// Makes the state's part of the epoch durable, and revocable.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn prepare(&self, epoch: EpochId, preparation: &Preparation<'_>) -> Result<(), RunError>;

    /// The decision: a prepared epoch is finalised if the ledger has it, itself and not one of the same number; rolled back if
    /// it has not. A ledger that is behind the epoch on which it was prepared cannot tell: an older copy of the database, or
    /// none at all, is in the place of the one that was asked to commit, and the epoch waits for that.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn settle(&self, ledger: EpochId) -> Result<(), RunError>;
}

/// The threads of this process, and the state in its directory.
pub(crate) struct LocalPlane {
    run: Arc<RunContext>,
    state: SharedState,
    workers: Mutex<Option<Workers>>,
}

impl LocalPlane {
    /// Begins a run on top of a state. No thread starts before there is a chunk.
    ///
    /// # Errors
    /// When what the run keeps aside cannot be made.
    pub fn begin(state: SharedState, parts: RunParts) -> Result<LocalPlane, RunError> {
        Ok(LocalPlane { run: Arc::new(RunContext::new(parts)?), state, workers: Mutex::default() })
    }
}

impl Plane for LocalPlane {
    fn run(&self) -> &Arc<RunContext> {
        &self.run
    }

    fn chunk(&self, number: u64) -> Result<(), RunError> {
        let mut workers = self.workers.locked();
        let workers = match &mut *workers {
            Some(workers) => workers,
            none => none.insert(Workers::start(&self.run)?),
        };
        workers.run_chunk(number)
    }

    fn rest(&self) {
        *self.workers.locked() = None;
    }

    fn net(&self, table: TableIndex, what: What) -> Result<NetChanges, RunError> {
        let changes = &self.run.changes;
        Ok(match what {
            What::All => changes.net(table)?,
            What::Unsent => changes.unsent(table)?,
        })
    }

    fn added(&self, table: TableIndex, chunk: u64) -> Result<AddedRows, RunError> {
        Ok(self.run.changes.added(table, chunk)?)
    }

    fn count(&self, table: TableIndex, counts: &mut TableCounts) -> Result<(), RunError> {
        Ok(self.net(table, What::All)?.count(counts)?)
    }

    fn prepare(&self, epoch: EpochId, preparation: &Preparation<'_>) -> Result<(), RunError> {
        let Preparation { tables, standing, drops, lists_all_drops, erases } = preparation;
        let (mut state, session) = (self.state.locked(), &self.run.session);
        let mut metadata = state.metadata().clone();
        fills::note_columns(tables, &mut metadata);
        if *lists_all_drops {
            drops::forget(session, &mut metadata);
        }
        drops::note(session, standing, drops, &mut metadata)?;
        if *erases {
            session.rewrite()?
        } else {
            session.compact()?
        }
        Ok(state.prepare(Arc::clone(session), epoch, metadata)?)
    }

    fn settle(&self, ledger: EpochId) -> Result<(), RunError> {
        settle(&mut self.state.locked(), ledger)
    }
}

/// As [`Plane::settle`], of a state that no run is begun on.
pub(crate) fn settle(state: &mut State, ledger: EpochId) -> Result<(), RunError> {
    match state.prepared() {
        Some(prepared) if prepared == ledger => state.finalize()?,
        Some(_) if ledger.number < state.epoch() => {}
        Some(_) => state.roll_back()?,
        None => {}
    }
    Ok(())
}
