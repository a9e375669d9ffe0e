//! What the command line watches of a run: how far it is, and which rows change.

use std::io;

use vardelta_engine::{
    contract::sink::ChangeBatch,
    report::{Observer, Progress},
};
use vardelta_schemas::{TableSchema, ledger::RejectRow};

use crate::{changes::ChangeCollector, progress::ProgressLines, rejects_file::RejectsFile};

/// Shows progress and keeps row changes.
pub struct Watcher {
    /// Lines on the terminal; `None` where there is none.
    pub progress: Option<ProgressLines>,
    /// The changes.
    pub changes: ChangeCollector,
    /// Where every reject is written; `None` where nobody asked.
    pub rejects: Option<RejectsFile>,
}

impl Observer for Watcher {
    fn progress(&self, progress: &Progress) {
        if let Some(lines) = &self.progress {
            lines.show(progress);
        }
    }

    fn wants_rejects(&self) -> bool {
        self.rejects.is_some()
    }

    fn reject(&self, epoch: u64, reject: &RejectRow) -> io::Result<()> {
        self.rejects.as_ref().map_or(Ok(()), |file| file.write(epoch, reject))
    }

    fn wants_changes(&self) -> bool {
        self.changes.limit() != Some(0)
    }

    fn changes_limit(&self) -> Option<u64> {
        self.changes.limit()
    }

    fn many_changes(&self, table: &TableSchema, count: u64) {
        self.changes.count(table, count);
    }

    fn changes(&self, table: &TableSchema, changes: &ChangeBatch) {
        self.changes.take(table, changes);
    }
}
