//! Batches of changes on their way to a sink: merged and decoded on a thread of their own, while the sink takes those before.

use std::time::{Duration, Instant};

use crossbeam_channel::{SendTimeoutError, bounded};
use vardelta_schemas::{TableSchema, ledger::TableCounts};

use crate::{
    changes::NetChanges,
    contract::sink::{ChangeBatch, Sink, SinkError, SinkErrorKind},
    epoch::{
        context::Context,
        fills::part_by_fill,
        plane::{Plane, What},
        transaction::Failure,
    },
    error::{RunError, RunErrorKind},
    failpoint,
    flow::{RunContext, feed::PATIENCE},
    plan::{Plan, TableIndex},
    rows::{RowLayout, lax_layout, lax_table},
};

/// Batches between the thread that makes them and the sink.
const BATCHES_WAITING: usize = 4;

/// A merge of a table's changes that yields batches.
pub(crate) struct Merge<'a> {
    table: TableSchema,
    net: NetChanges,
    planned: &'a RowLayout,
    /// How rows that were there before are decoded, where there are any.
    lax: Option<RowLayout>,
    /// Columns of which changes that only fill them are left out.
    left_out: Vec<usize>,
    counts: &'a mut TableCounts,
}

impl<'a> Merge<'a> {
    /// The merge of changes of the table at `at`, counted.
    pub(crate) fn new(
        plan: &Plan,
        run: &'a RunContext,
        at: TableIndex,
        net: NetChanges,
        counts: &'a mut TableCounts,
    ) -> Result<Merge<'a>, RunError> {
        let table = plan.tables().swap_remove(at.place());
        let lax = if run.changes.has_standing() { Some(lax_layout(&lax_table(&table))?) } else { None };
        let left_out = if run.changes.leaves_out_fills() { run.changes.new_columns(at) } else { Vec::new() };
        Ok(Merge { table, net, planned: run.layout(plan.stage_of(at))?, lax, left_out, counts })
    }

    /// The next batch; `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<ChangeBatch>, SinkError> {
        let batch = self.net.next_batch(self.lax.as_ref().unwrap_or(self.planned), self.counts)?;
        batch.map(|batch| part_by_fill(&self.table, &self.left_out, batch, true)).transpose()
    }
}

/// Lets `take` have batches as they come from `make`, which is called on another thread.
pub(crate) fn made_aside(
    run: &RunContext,
    mut make: impl FnMut() -> Result<Option<ChangeBatch>, SinkError> + Send,
    take: impl FnOnce(&mut dyn Iterator<Item = ChangeBatch>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let (sender, receiver) = bounded::<ChangeBatch>(BATCHES_WAITING);
    std::thread::scope(|scope| {
        let making = scope.spawn(move || -> Result<(), RunError> {
            while let Some(mut batch) = make()? {
                loop {
                    run.abort.check()?;
                    match sender.send_timeout(batch, PATIENCE) {
                        Ok(()) => break,
                        Err(SendTimeoutError::Timeout(back)) => batch = back,
                        // Nobody listens any more: the taker failed, and says why.
                        Err(SendTimeoutError::Disconnected(_)) => return Ok(()),
                    }
                }
            }
            Ok(())
        });
        let taken = take(&mut receiver.iter());
        drop(receiver);
        let made = making
            .join()
            .unwrap_or_else(|payload| Err(RunError::panic("the thread that merges changes", payload.as_ref())));
        run.abort.check()?;
        made.and(taken)
    })
}

/// Lets the sink apply to a table what `each` makes of the batches from `make`.
pub(crate) fn apply(
    run: &RunContext,
    sink: &mut dyn Sink,
    table: &TableSchema,
    make: impl FnMut() -> Result<Option<ChangeBatch>, SinkError> + Send,
    each: &mut dyn FnMut(ChangeBatch) -> Result<ChangeBatch, SinkError>,
) -> Result<(), Failure> {
    let mut failed = None;
    let applied = made_aside(run, make, |batches| {
        let batches = batches.map(|batch| match run.abort.is_raised() {
            true => Err(SinkError::new(SinkErrorKind::Unavailable, "the run was ended")),
            false => each(batch),
        });
        let mut batches = Timed::new(run, batches);
        let applied = sink.apply(table, run.epoch, &mut batches);
        batches.end();
        applied.map_err(|error| {
            let message = error.message.clone();
            failed = Some(error);
            RunError::new(RunErrorKind::Sink, message)
        })
    });
    // What the sink says keeps its sort, which decides whether to try again.
    match (applied, failed) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(error)) if !run.abort.is_raised() => Err(error.into()),
        (Err(error), _) => Err(Failure::Run(error)),
    }
}

/// Batches on their way into the sink: between two of them it works, while it asks for the next one it waits.
struct Timed<'a, I> {
    batches: I,
    run: &'a RunContext,
    /// Since when the sink works.
    working: Instant,
    /// Work that belongs to the last batch, which is not done before the sink asks for another or ends.
    worked: Duration,
    has_batch: bool,
}

impl<'a, I> Timed<'a, I> {
    fn new(run: &'a RunContext, batches: I) -> Timed<'a, I> {
        Timed { batches, run, working: Instant::now(), worked: Duration::ZERO, has_batch: false }
    }

    /// The sink is done.
    fn end(mut self) {
        self.worked += self.working.elapsed();
        self.run.totals.sink(self.run.plan.sink, self.worked, self.has_batch);
    }
}

impl<T, I: Iterator<Item = T>> Iterator for Timed<'_, I> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let asked = Instant::now();
        self.worked += asked - self.working;
        let batch = self.batches.next();
        self.run.totals.sink_waited(self.run.plan.sink, asked.elapsed());
        if batch.is_some() {
            if self.has_batch {
                self.run.totals.sink(self.run.plan.sink, std::mem::take(&mut self.worked), true);
            }
            self.has_batch = true;
        }
        self.working = Instant::now();
        if batch.is_some() {
            failpoint::slow("stage", &self.run.plan.stages[self.run.plan.sink].name);
        }
        batch
    }
}

/// Shows the observer what is to be written to a table.
pub(crate) fn show(
    context: Context<'_>,
    plane: &dyn Plane,
    at: TableIndex,
    table: &TableSchema,
    counts: &mut TableCounts,
) -> Result<(), RunError> {
    let (run, net) = (plane.run(), plane.net(at, What::All)?);
    let mut merge = Merge::new(context.plan, run, at, net, counts)?;
    made_aside(
        run,
        || merge.next_batch(),
        |batches| {
            batches.for_each(|batch| context.observer.changes(table, &batch));
            Ok(())
        },
    )
}
