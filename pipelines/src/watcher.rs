//! What the command line watches of a run: how far it is, and which rows change.

use vardelta_engine::{
    report::{Observer, Progress},
    sink::ChangeBatch,
};
use vardelta_schemas::TableSchema;

use crate::{changes::ChangeCollector, progress::ProgressLines};

/// Shows progress and keeps row changes.
pub struct Watcher {
    /// Lines on the terminal; `None` where there is none.
    pub progress: Option<ProgressLines>,
    /// The changes.
    pub changes: ChangeCollector,
}

impl Observer for Watcher {
    fn progress(&self, progress: &Progress) {
        if let Some(lines) = &self.progress {
            lines.show(progress);
        }
    }

    fn wants_changes(&self) -> bool {
        self.changes.shows_any()
    }

    fn changes(&self, table: &TableSchema, changes: &ChangeBatch) {
        self.changes.take(table, changes);
    }
}
