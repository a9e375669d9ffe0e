//! Who watches a run: what the engine says to its caller while it works.

use std::io;

use vardelta_schemas::{
    TableSchema,
    ledger::{Epoch, RejectRow},
};

use crate::{contract::sink::ChangeBatch, event::RunEvent, report::Progress, trace::Trace};

/// Watches a run.
pub trait Observer: Send + Sync {
    /// Called with everything that happens, in order, possibly from several threads.
    fn event(&self, event: &RunEvent) {
        let _ = event;
    }

    /// Called several times a second.
    fn progress(&self, progress: &Progress) {
        let _ = progress;
    }

    /// Whether [`Observer::changes`] is to be called: a dry run that nobody watches need not decode what it would write.
    fn wants_changes(&self) -> bool {
        true
    }

    /// How many changes a table may have for [`Observer::changes`] to be called with them; `None` for any number. Where it is
    /// a number, rows may go to the sink before the run's net changes are known.
    fn changes_limit(&self) -> Option<u64> {
        if self.wants_changes() { None } else { Some(0) }
    }

    /// Called with the number of a table's net changes instead of with the changes, or after some of them, where that is
    /// over [`Observer::changes_limit`].
    fn many_changes(&self, table: &TableSchema, count: u64) {
        let _ = (table, count);
    }

    /// Whether [`Observer::reject`] is to be called; a run keeps the text of every reject only then.
    fn wants_rejects(&self) -> bool {
        false
    }

    /// Called with every reject, in the order of drops, lines and stages, before the run is judged by them and before
    /// anything is written: also where the share of rejects ends the run, and in a dry run. `epoch` is the one the run
    /// makes if it commits.
    ///
    /// # Errors
    /// When the list cannot be written; the run ends.
    fn reject(&self, epoch: Epoch, reject: &RejectRow) -> io::Result<()> {
        let _ = (epoch, reject);
        Ok(())
    }

    /// Whether [`Observer::trace`] is to be called; a run keeps what its threads do only then.
    fn wants_trace(&self) -> bool {
        false
    }

    /// Called once after a run that came to its end, with what its threads did when.
    fn trace(&self, trace: &Trace) {
        let _ = trace;
    }

    /// Called with the net row changes of every table, in key order; in a dry run they are not written. See
    /// [`Observer::many_changes`].
    fn changes(&self, table: &TableSchema, changes: &ChangeBatch) {
        let _ = (table, changes);
    }
}

/// Watches nothing.
pub struct Unobserved;

impl Observer for Unobserved {
    fn wants_changes(&self) -> bool {
        false
    }
}
