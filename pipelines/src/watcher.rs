//! What the command line watches of a run: how far it is, and which rows change.

use std::{io, sync::Arc};

use vardelta_engine::{
    contract::sink::ChangeBatch, event::RunEvent, observer::Observer, report::Progress, trace::Trace,
};
use vardelta_schemas::{
    TableSchema,
    ledger::{Epoch, RejectRow},
};

use crate::{
    changes::{ChangeCollector, Form},
    changes_file::ChangesFile,
    operate::telling::Telling,
    progress::Live,
    rejects_file::RejectsFile,
    trace_file::TraceFile,
};

/// Who hears of every event of a run.
pub type Listener = Arc<dyn Fn(&RunEvent) + Send + Sync>;

/// Shows progress and keeps row changes.
pub struct Watcher {
    /// Shows how far it is; `None` where nobody looks.
    pub progress: Option<Live>,
    /// Who else hears of it.
    pub telling: Telling,
    /// Who hears of events while the run is under way; `None` for nobody.
    pub listener: Option<Listener>,
    /// The changes.
    pub changes: ChangeCollector,
    /// Where every changed row is written; `None` where nobody asked.
    pub all_changes: Option<ChangesFile>,
    /// Where every reject is written; `None` where nobody asked.
    pub rejects: Option<RejectsFile>,
    /// Where it is written what the threads do when; `None` where nobody asked.
    pub trace: Option<TraceFile>,
}

impl Watcher {
    /// Shows progress, if there is any, and keeps no rows.
    pub fn without_rows(progress: Option<Live>) -> Watcher {
        Watcher {
            progress,
            telling: Telling::default(),
            listener: None,
            changes: ChangeCollector::new(Form::Text, Some(0)),
            all_changes: None,
            rejects: None,
            trace: None,
        }
    }
}

impl Observer for Watcher {
    fn event(&self, event: &RunEvent) {
        self.telling.event(event);
        if let Some(listener) = &self.listener {
            listener(event);
        }
        if let Some(live) = &self.progress {
            live.event(event);
        }
        if let Some(file) = &self.trace {
            file.event(event);
        }
    }

    fn wants_trace(&self) -> bool {
        self.trace.is_some()
    }

    fn trace(&self, trace: &Trace) {
        if let Some(file) = &self.trace {
            file.take(trace);
        }
    }

    fn progress(&self, progress: &Progress) {
        if let Some(live) = &self.progress {
            live.show(progress);
        }
    }

    fn wants_rejects(&self) -> bool {
        self.rejects.is_some()
    }

    fn reject(&self, epoch: Epoch, reject: &RejectRow) -> io::Result<()> {
        self.rejects.as_ref().map_or(Ok(()), |file| file.write(epoch, reject))
    }

    fn wants_changes(&self) -> bool {
        self.all_changes.is_some() || self.changes.limit() != Some(0)
    }

    fn changes_limit(&self) -> Option<u64> {
        if self.all_changes.is_some() { None } else { self.changes.limit() }
    }

    fn many_changes(&self, table: &TableSchema, count: u64) {
        self.changes.count(table, count);
    }

    fn changes(&self, table: &TableSchema, changes: &ChangeBatch) {
        if let Some(file) = &self.all_changes {
            file.take(table, changes);
        }
        self.changes.take(table, changes);
    }
}
