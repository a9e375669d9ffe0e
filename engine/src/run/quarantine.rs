//! Rows that the sink's database does not take, taken out of the run, where the sink is told to go on without them.

use vardelta_schemas::ledger::TableCounts;

use crate::{
    error::{RunError, RunErrorKind},
    flow::{Mode, correct::beyond_this_run, run_chunk},
    relational::Relational,
    run::{
        commit::show,
        execute,
        transaction::{Failure, Transaction},
        write::Writing,
    },
    sink::{Offender, Sink},
    stage::Planned,
};

/// How often rows are taken out and the rest is written again. Another drop's row may come to stand in place of one that was
/// taken out, and be refused in its turn.
const ROUNDS_MAX: u64 = 10;
/// The number of the first correcting chunk: behind all that read files.
const FIRST_CHUNK: u64 = 1 << 62;

impl Writing<'_> {
    /// Writes rows and rejects into the transaction that is open; rows that the database does not take become rejects.
    pub(super) fn write_quarantining(
        &mut self,
        sink: &mut dyn Sink,
        counts: &mut [TableCounts],
    ) -> Result<(), Failure> {
        // The observer is shown what is written in the end.
        self.observed.fill(u64::MAX);
        for round in 0..ROUNDS_MAX {
            self.write(sink, counts)?;
            let offenders = std::mem::take(&mut self.offenders);
            if offenders.is_empty() {
                return self.show();
            }
            sink.rollback()?;
            self.correct(FIRST_CHUNK + round, &offenders).map_err(Failure::Run)?;
            self.transaction.begin(sink)?;
        }
        let message = format!(
            "after {ROUNDS_MAX} rounds of taking rows out the database still refuses rows that came to stand in their place; \
             nothing was written"
        );
        let hint = "Load the drops one by one, or correct the rows that the constraint refuses.";
        Err(Failure::Run(RunError::new(RunErrorKind::Sink, message).with_hint(hint)))
    }

    fn correct(&self, chunk: u64, offenders: &[Offender]) -> Result<(), RunError> {
        let Transaction { context, run, tables, .. } = self.transaction;
        let plan = context.plan;
        let (mut views, mut asked) = (Vec::new(), false);
        for offender in offenders {
            let Some(at) = tables.iter().position(|table| table.name == offender.table) else {
                // A history's row goes when the row goes that it tells of.
                let message = format!("table `{}` does not take a row: {}", offender.table, offender.message);
                views.push(RunError::new(RunErrorKind::Sink, format!("{message}; nothing was written")));
                continue;
            };
            let stage = plan.stages[plan.sink].inputs[at];
            let encoded = run.layout(stage)?.encode(&offender.row).map_err(RunError::internal)?;
            let (key, value) = (encoded.key(0), encoded.value(0));
            let is_table = matches!(plan.stages[stage].planned, Planned::Relational(Relational::Table(_)));
            if is_table && run.mode == Mode::Load {
                run.corrections.ask(stage, key.into(), value.into(), offender.message.clone());
                asked = true;
            } else {
                views.push(beyond_this_run(run, stage, key, &offender.message));
            }
        }
        // A view's row may come from a table's row that goes now; the next round tells.
        if let Some(error) = views.into_iter().next().filter(|_| !asked) {
            return Err(error);
        }
        run_chunk(run, chunk)?;
        for reject in run.note_quarantined()? {
            context.observer.reject(run.epoch, &reject).map_err(|error| {
                let message = format!("the list of rejects cannot be written: {error}; nothing was written");
                RunError::new(RunErrorKind::Sink, message)
            })?;
        }
        execute::check_reject_share(plan, run)
    }

    fn show(&self) -> Result<(), Failure> {
        let Transaction { context, run, tables, .. } = self.transaction;
        if context.observer.wants_changes() {
            for (at, table) in tables.iter().enumerate() {
                show(context, run, at, table, &mut TableCounts::default())?;
            }
        }
        Ok(())
    }
}
