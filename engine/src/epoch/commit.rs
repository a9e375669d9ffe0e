//! The end of every run that changes something: prepare the state, commit the sink, finalise the state.
//!
//! The state's changes become durable but revocable (prepare) while the sink takes the rows in its open transaction; only
//! when both are done does the sink commit, with the ledger's row. From then on the epoch is done, whatever happens to the
//! process: the next start finalises a prepared epoch that the ledger has, and rolls back one that it has not.

use vardelta_schemas::{
    TableSchema,
    ledger::{EpochId, TableCounts},
};

use crate::{
    clock,
    contract::{erasure::Removed, sink::Sink},
    epoch::{
        batches::show,
        context::Context,
        decision::Decision,
        dry::Dry,
        gaps,
        history::EpochFacts,
        identity,
        open::{self, Opened},
        outcome::Outcome,
        plane::{Plane, Preparation},
        transaction::Transaction,
        unchanged::count_unchanged,
        write::Writing,
    },
    error::{RunError, Written},
    event::RunEvent,
    failpoint,
    flow::{
        RunContext,
        meter::{Figures, figures},
    },
    locks::Locked as _,
    plan::{Plan, TableIndex},
    report::{Action, DropReport, RunReport},
};

/// Commits, or for a dry run only shows, what a run computed, and completes its report. Yields what an erasure took out of
/// histories, rejects and ledger.
pub(crate) fn conclude(
    context: Context<'_>,
    opened: &mut Opened,
    plane: &dyn Plane,
    mut outcome: Outcome,
    report: &mut RunReport,
) -> Result<Removed, RunError> {
    let run = plane.run();
    outcome.definitions.check_unchanged()?;
    tell_rejects(context, run, report);
    for warning in run.notes.locked().warnings.rows(&run.plan, &run.loads) {
        context.tell(report, RunEvent::Warned(warning));
    }
    let tables = context.plan.tables();
    let mut counts: Vec<TableCounts> =
        tables.iter().map(|table| TableCounts { name: table.name.clone(), ..TableCounts::default() }).collect();
    let mut removed = Removed::default();
    if report.dry_run {
        let notices =
            Dry { context, plane, run, tables: &tables, opened, replace_tables: outcome.replace_tables }.judge()?;
        tell_rejects(context, run, report);
        recount(run, &mut outcome);
        tell_drops_again(context, &outcome, report);
        notices.into_iter().for_each(|notice| context.tell(report, RunEvent::Notice(notice)));
        for (at, (table, counts)) in TableIndex::all(tables.len()).zip(tables.iter().zip(&mut counts)) {
            if context.observer.wants_changes() {
                show(context, plane, at, table, counts)?;
            } else {
                plane.count(at, counts)?;
            }
        }
        count_unchanged(&mut counts, &opened.ledger, outcome.replace_tables);
    } else {
        let committed = commit(context, opened, plane, &mut outcome, &tables, &mut counts)?;
        // Some records became rejects while they were written.
        tell_rejects(context, run, report);
        tell_drops_again(context, &outcome, report);
        let rows_ahead = TableIndex::all(tables.len()).map(|at| run.changes.sent_rows(at)).sum();
        let times = figures(context.plan, run).commit;
        let (epoch, retries) = (run.epoch, committed.retries);
        context.tell(report, RunEvent::Committed { epoch, retries, rows_ahead, times });
        committed.notices.into_iter().for_each(|notice| context.tell(report, RunEvent::Notice(notice)));
        removed = committed.removed;
    }
    tell_figures(context, run, report, &counts);
    let not_kept = run.notes.locked().not_kept();
    if not_kept > 0 {
        let notice = format!("{not_kept} rejects are counted but not kept with their text");
        context.tell(report, RunEvent::Notice(notice));
    }
    Ok(removed)
}

/// Tells what stages, readers and workers did, and what became of the tables.
fn tell_figures(context: Context<'_>, run: &RunContext, report: &mut RunReport, counts: &[TableCounts]) {
    let Figures { mut stages, readers, workers, .. } = figures(context.plan, run);
    if report.committed {
        let rows: u64 = counts.iter().map(TableCounts::changed_rows).sum();
        let sink = &mut stages[context.plan.sink.place()];
        (sink.rows_in, sink.rows_out) = (rows, rows);
    }
    stages.into_iter().for_each(|stage| context.tell(report, RunEvent::Stage(stage)));
    readers.into_iter().for_each(|reader| context.tell(report, RunEvent::Reader(reader)));
    workers.into_iter().for_each(|worker| context.tell(report, RunEvent::Worker(worker)));
    counts.iter().for_each(|table| context.tell(report, RunEvent::Table(table.clone())));
    if let Some(trace) = run.totals.trace(&run.plan) {
        context.observer.trace(&trace);
    }
}

/// Tells the rejects so far, as far as they have not been reported.
fn tell_rejects(context: Context<'_>, run: &RunContext, report: &mut RunReport) {
    let counts = run.notes.locked().reject_counts.clone();
    for (reason, count) in counts {
        if report.rejects.get(&reason) != Some(&count) {
            context.tell(report, RunEvent::Rejected { reason, count });
        }
    }
}

/// Tells the drops as they are counted now.
fn tell_drops_again(context: Context<'_>, outcome: &Outcome, report: &mut RunReport) {
    // Of a drop that lost a sample no record was read.
    let is_read = |drop: &DropReport| drop.action != Action::SampleWithdrawn;
    for drop in report.drops.iter().filter(|drop| is_read(drop)).cloned().collect::<Vec<_>>() {
        let mut upserted = outcome.upserted.iter().map(|(_, upserted)| upserted);
        if let Some(row) = upserted.find(|row| row.name == drop.name && row.source == drop.source) {
            let now = DropReport::new(&row.name, &row.source, drop.action, &drop.reason, row.counts);
            context.tell(report, RunEvent::Drop(now));
        }
    }
}

/// Puts the records' counts into the outcome and the report once more: some became rejects while they were written.
fn recount(run: &RunContext, outcome: &mut Outcome) {
    for (_, drop) in &mut outcome.upserted {
        if let Some(load) = run.loads.iter().find(|load| load.drop_id == drop.drop_id) {
            drop.counts = load.records.counts();
        }
    }
}

/// What a commit has to say beside its counts.
#[derive(Default)]
struct Committed {
    removed: Removed,
    retries: u64,
    notices: Vec<String>,
}

fn commit(
    context: Context<'_>,
    opened: &mut Opened,
    plane: &dyn Plane,
    outcome: &mut Outcome,
    tables: &[TableSchema],
    counts: &mut [TableCounts],
) -> Result<Committed, RunError> {
    let (plan, run) = (context.plan, plane.run());
    let Opened { sink, ledger, .. } = opened;
    let sink = sink.as_mut();
    let pipeline_identity = ledger.pipeline_identity.map_or_else(identity::random, Ok)?;
    let id = EpochId { number: run.epoch, identity: Some(identity::random()?), pipeline: Some(pipeline_identity) };
    let triggers = sink.triggers()?;
    failpoint::hit("commit:begin");
    let is_open = outcome.written.is_open;
    let committed_at = if is_open { outcome.written.committed_at.clone() } else { clock::now() };
    let mut writing = Writing {
        transaction: Transaction {
            context,
            plane,
            run,
            replace_tables: outcome.replace_tables,
            tables,
            histories: plan.histories(),
            ledger,
            committed_at: committed_at.clone(),
            retries: outcome.written.retries,
        },
        facts: EpochFacts::new(run.epoch, outcome.drop_names().iter().map(String::as_str), &committed_at),
        observed: vec![0; tables.len()],
        offenders: Vec::new(),
        earlier: Default::default(),
        erasure: outcome.erasure.clone(),
        removed: Removed::default(),
    };
    let changes = outcome.drop_changes();
    let preparation = Preparation {
        tables,
        standing: ledger,
        drops: &changes,
        lists_all_drops: outcome.lists_all_drops,
        erases: outcome.erasure.is_some(),
    };
    let written = write_and_prepare(&mut writing, sink, counts, is_open, &|| plane.prepare(id, &preparation));
    failpoint::hit("commit:applied");
    recount(run, outcome);
    let written = written.and_then(|()| run.abort.check());
    Decision { context, plane, ledger, outcome, id, committed_at: &committed_at }.reach(
        &mut writing,
        sink,
        counts,
        written,
    )?;
    run.abort.note_written(Written::Committed(run.epoch));
    failpoint::hit("commit:after-sink");
    plane.settle(id)?;
    let (retries, removed) = (writing.transaction.retries, writing.removed);
    let mut notices = writing.notices();
    notices.extend(open::trigger_notices(plan, &triggers));
    settle(plan, sink, &mut notices);
    // The epoch is committed: that nothing can be said of it is no failure.
    notices.extend(gaps::notices(plan, sink, ledger).unwrap_or_default());
    notices.append(&mut sink.take_notices());
    Ok(Committed { removed, retries, notices })
}

/// Writes the rows into the sink's transaction, which is begun unless it is open, while the state is prepared on a thread of
/// its own, however often the writing takes.
fn write_and_prepare(
    writing: &mut Writing<'_>,
    sink: &mut dyn Sink,
    counts: &mut [TableCounts],
    is_open: bool,
    prepare: &(dyn Fn() -> Result<(), RunError> + Sync),
) -> Result<(), RunError> {
    if !is_open {
        writing.transaction.begin(sink)?;
    }
    // A row that is taken out changes the state, so that is prepared when the sink has taken the rest.
    if sink.quarantines() {
        writing.write_quarantining(sink, counts)?;
        return prepare();
    }
    std::thread::scope(|scope| {
        let preparing = scope.spawn(prepare);
        let applied = writing.write(sink, counts);
        let prepared = preparing
            .join()
            .unwrap_or_else(|payload| Err(RunError::panic("the thread that prepares the state", payload.as_ref())));
        prepared.and(applied.map_err(RunError::from))
    })
}

/// Lets the sink do what waits for the commit. A failure is no failure of the run.
pub(crate) fn settle(plan: &Plan, sink: &mut dyn Sink, notices: &mut Vec<String>) {
    if let Err(error) = sink.settle(&plan.pipeline.name, &plan.kept_tables()) {
        notices.push(format!("the epoch is committed, but the next run must settle its tables: {error}"));
    }
}
