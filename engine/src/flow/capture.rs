//! The changes of the sink's tables on one worker: sorted, folded to one change per key, and kept in runs of a bounded size.

use std::sync::Arc;

use crate::{
    changes::RunBuilder,
    error::{RunError, RunErrorKind},
    flow::RunContext,
    plan::TableIndex,
    rows::RowBatch,
};

/// Bytes of rows in one run. So much is held per table and worker, whatever a chunk changes.
const RUN_BYTES: usize = 8 << 20;

/// What one worker captures of one chunk.
pub(crate) struct Capture {
    run: Arc<RunContext>,
    chunk: u64,
    tables: Vec<Captured>,
}

/// Changes of one table.
#[derive(Default)]
struct Captured {
    batches: Vec<RowBatch>,
    bytes: usize,
}

impl Capture {
    /// Nothing yet of this chunk.
    pub fn new(run: &Arc<RunContext>, chunk: u64) -> Capture {
        let tables = run.plan.tables().iter().map(|_| Captured::default()).collect();
        Capture { run: Arc::clone(run), chunk, tables }
    }

    /// Adds changes of a table.
    ///
    /// # Errors
    /// As [`Capture::finish`].
    pub fn add(&mut self, table: TableIndex, rows: RowBatch) -> Result<(), RunError> {
        let captured = &mut self.tables[table.place()];
        captured.bytes += rows.bytes();
        captured.batches.push(rows);
        if captured.bytes >= RUN_BYTES { self.cut(table) } else { Ok(()) }
    }

    /// Keeps what is left.
    ///
    /// # Errors
    /// When the changes cannot be kept, or a key has two rows.
    pub fn finish(&mut self) -> Result<(), RunError> {
        TableIndex::all(self.tables.len()).try_for_each(|table| self.cut(table))
    }

    /// Several runs may have parts of what happens to a key: they are summed where they are merged.
    fn cut(&mut self, table: TableIndex) -> Result<(), RunError> {
        let captured = std::mem::take(&mut self.tables[table.place()]);
        let built = RunBuilder::fold(&captured.batches).map_err(|key| two_rows(&self.run, table, &key))?;
        self.run.changes.push(table, self.chunk, built).map_err(|error| {
            RunError::new(RunErrorKind::Sink, format!("the changes cannot be kept beside the state: {error}"))
                .with_hint("Make room on that disk, or point `state_dir` elsewhere.")
        })
    }
}

fn two_rows(run: &RunContext, table: TableIndex, key: &[u8]) -> RunError {
    let stage = run.plan.stage_of(table);
    let key = run.layout(stage).map(|layout| layout.describe_key(key)).unwrap_or_default();
    RunError::internal(format!("stage `{}` yielded two rows for {key}", run.plan.stages[stage].name))
}
