//! The end of every run that changes something: prepare the state, commit the sink, finalise the state.
//!
//! The state's changes become durable but revocable (prepare) while the sink takes the rows in its open transaction; only
//! when both are done does the sink commit, with the ledger's row. From then on the epoch is done, whatever happens to the
//! process: the next start finalises a prepared epoch that the ledger has, and rolls back one that it has not.

use std::{sync::Arc, time::Instant};

use vardelta_schemas::{
    TableSchema,
    ledger::{
        DropRow, EpochId, EpochRecord, Event, LookupChanges, RecordCounts, Snapshot, TableCounts, WithdrawnMember,
    },
};

use crate::{
    clock,
    contract::{
        erasure::{Erasure, Removed},
        sink::{Access, Sink, SinkError, SinkErrorKind},
    },
    epoch::{
        ahead::Sent,
        batches::show,
        context::Context,
        drops,
        dry::Dry,
        gaps,
        history::EpochFacts,
        identity,
        open::{self, Opened},
        plane::{Plane, Preparation},
        transaction::{Standing, Transaction, is_passing},
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
    plan::{Plan, TableIndex, content::Definitions},
    report::{Action, DropReport, RunReport},
};

/// What becomes of the ledger.
pub(crate) struct Outcome {
    /// Drops added, replaced or read again.
    pub upserted: Vec<(Action, DropRow)>,
    /// Drops taken back.
    pub withdrawn: Vec<DropRow>,
    /// Whether the sink's tables are rebuilt.
    pub replace_tables: bool,
    /// What a run over no drop is recorded as.
    pub without_drop: Option<Action>,
    /// Whether the state's list of drops is rebuilt from the ledger's.
    pub lists_all_drops: bool,
    /// What the pipeline computes.
    pub definitions: Definitions,
    /// What the sink's transaction has already.
    pub written: Sent,
    /// The members of drops that are taken back.
    pub withdrawn_members: Vec<WithdrawnMember>,
    /// The members that may come in again.
    pub readmitted_members: Vec<WithdrawnMember>,
    /// The look-up stages that got answers for keys of earlier epochs.
    pub completed: Vec<String>,
    /// Whether everything after the tables was recomputed.
    pub computed_anew: bool,
    /// The drops that are forgotten: those withdrawn, and others of their names.
    pub erasure: Option<Arc<Erasure>>,
}

impl Outcome {
    /// An outcome in which nothing happened to any drop.
    pub fn new(definitions: Definitions) -> Outcome {
        Outcome {
            upserted: Vec::new(),
            withdrawn: Vec::new(),
            withdrawn_members: Vec::new(),
            readmitted_members: Vec::new(),
            replace_tables: false,
            without_drop: None,
            lists_all_drops: false,
            definitions,
            written: Sent::default(),
            completed: Vec::new(),
            computed_anew: false,
            erasure: None,
        }
    }

    /// What the epoch changes about the drops that stand.
    fn drop_changes(&self) -> drops::Changes {
        let withdrawn = self.withdrawn.iter().map(|drop| (drop.drop_id, None));
        withdrawn.chain(self.upserted.iter().map(|(_, drop)| (drop.drop_id, Some(drop.identity)))).collect()
    }

    /// The names of the drops that the epoch is about. What is forgotten is not named.
    fn drop_names(&self) -> Vec<String> {
        match &self.erasure {
            Some(erasure) => erasure.drops.iter().map(|drop| erasure.proven(drop).1).collect(),
            None => {
                let upserted = self.upserted.iter().map(|(_, drop)| drop.name.clone());
                let withdrawn = self.withdrawn.iter().map(|drop| drop.name.clone());
                upserted.chain(withdrawn).chain(self.completed.iter().map(|stage| lookup_drop(stage))).collect()
            }
        }
    }
}

/// What an epoch is said to be about that brought answers to keys of earlier epochs.
pub(crate) fn lookup_drop(stage: &str) -> String {
    format!("lookup:{stage}")
}

/// The tables of a run that changed nothing.
pub(crate) fn untouched(plan: &Plan, ledger: &Snapshot) -> Vec<TableCounts> {
    plan.tables()
        .iter()
        .map(|table| TableCounts {
            name: table.name.clone(),
            unchanged: rows_before(ledger, &table.name),
            ..TableCounts::default()
        })
        .collect()
}

pub(crate) fn rows_before(ledger: &Snapshot, table: &str) -> u64 {
    let counts = ledger.tables.iter().find(|counts| counts.name == table);
    counts.map_or(0, |counts| counts.inserted + counts.updated + counts.unchanged)
}

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

fn count_unchanged(counts: &mut [TableCounts], ledger: &Snapshot, replaced: bool) {
    for table in counts.iter_mut().filter(|_| !replaced) {
        table.unchanged = rows_before(ledger, &table.name).saturating_sub(table.updated + table.deleted);
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
    // The state is prepared on its own thread while the sink takes the rows, however often that takes.
    let (prepared, applied) = std::thread::scope(|scope| {
        if !is_open && let Err(error) = writing.transaction.begin(sink.as_mut()) {
            return (Ok(()), Err(error.into()));
        }
        let prepare = || plane.prepare(id, &preparation);
        // A row that is taken out changes the state, so that is prepared when the sink has taken the rest.
        if sink.quarantines() {
            let applied = writing.write_quarantining(sink.as_mut(), counts);
            let prepared = if applied.is_ok() { prepare() } else { Ok(()) };
            return (prepared, applied);
        }
        let prepare = scope.spawn(prepare);
        let applied = writing.write(sink.as_mut(), counts);
        let prepared = prepare
            .join()
            .unwrap_or_else(|payload| Err(RunError::panic("the thread that prepares the state", payload.as_ref())));
        (prepared, applied)
    });
    failpoint::hit("commit:applied");
    recount(run, outcome);
    // Of a migration, what it has added before.
    let standing = run.abort.written();
    let mut written = prepared.and(applied.map_err(RunError::from)).and_then(|()| run.abort.check());
    loop {
        if let Err(error) = written {
            // A connection that is gone has given the transaction up by itself.
            let _ = sink.rollback();
            plane.settle(ledger.id())?;
            return Err(error);
        }
        count_unchanged(counts, ledger, outcome.replace_tables);
        failpoint::hit("commit:before-sink");
        let record = record(run, id, outcome, counts, &committed_at)?;
        // Until the ledger is known to have the epoch, or not to have it, nobody can say whether it is committed.
        run.abort.note_written(Written::Unknown(run.epoch));
        let started = Instant::now();
        let committed = match failpoint::fails("sink-commit:fails") {
            true => Err(given_up(sink.as_mut())),
            false => sink.commit(&record),
        };
        run.totals.committed(plan.sink, started.elapsed());
        let Err(error) = committed else { break };
        if !is_passing(&error) {
            after_failed_commit(context, plane, (&record, ledger.id()), standing, error)?;
            break;
        }
        match writing.transaction.after_passing_error(sink.as_mut(), error, Some(&record)) {
            Ok(Standing::Committed) => break,
            // The rows went with the transaction; the state's part stays prepared.
            Ok(Standing::NotCommitted) => {
                run.abort.note_written(standing);
                written = writing.write_again(sink.as_mut(), counts).map_err(RunError::from);
            }
            Ok(Standing::GivenUp(error)) => {
                run.abort.note_written(standing);
                written = Err(error.into());
            }
            // The state stays prepared, and the next start asks the ledger again.
            Err(error) => return Err(error.into()),
        }
    }
    run.abort.note_written(Written::Committed(run.epoch));
    failpoint::hit("commit:after-sink");
    plane.settle(id)?;
    let (retries, removed) = (writing.transaction.retries, writing.removed);
    let mut notices = writing.notices();
    notices.extend(open::trigger_notices(plan, &triggers));
    settle(plan, sink.as_mut(), &mut notices);
    // The epoch is committed: that nothing can be said of it is no failure.
    notices.extend(gaps::notices(plan, sink.as_mut(), ledger).unwrap_or_default());
    notices.append(&mut sink.take_notices());
    Ok(Committed { removed, retries, notices })
}

/// Lets the sink do what waits for the commit. A failure is no failure of the run.
pub(crate) fn settle(plan: &Plan, sink: &mut dyn Sink, notices: &mut Vec<String>) {
    if let Err(error) = sink.settle(&plan.pipeline.name, &plan.kept_tables()) {
        notices.push(format!("the epoch is committed, but the next run must settle its tables: {error}"));
    }
}

/// What a database says that takes no commit, and has given the transaction up: a full disk, or an administrator.
fn given_up(sink: &mut dyn Sink) -> SinkError {
    let _ = sink.rollback();
    SinkError::new(SinkErrorKind::Unavailable, "the database did not take the commit (fail point sink-commit:fails)")
}

/// The commit of `record` on top of the epoch `before` failed, or its acknowledgement was lost: the ledger says which.
/// `standing` is what was written without it.
fn after_failed_commit(
    context: Context<'_>,
    plane: &dyn Plane,
    (record, before): (&EpochRecord, EpochId),
    standing: Written,
    error: SinkError,
) -> Result<(), RunError> {
    let plan = context.plan;
    failpoint::hit("sink-commit:failed");
    let ledger = plan.sink().connect(Access::Read).and_then(|mut sink| sink.ledger(&plan.pipeline.name));
    match ledger {
        Ok(ledger) if ledger.id() == record.id() => Ok(()),
        // Behind the one that was asked: an older copy of the database, or none, is in its place.
        Ok(ledger) if ledger.epoch < before.number => Err(error.into()),
        Ok(ledger) => {
            context.abort.note_written(standing);
            plane.settle(ledger.id())?;
            Err(error.into())
        }
        // The state stays prepared; the next start asks the ledger again.
        Err(_) => Err(error.into()),
    }
}

/// What became of looked-up keys.
fn lookup_changes(run: &RunContext, replaces_all: bool) -> LookupChanges {
    let mut changes = LookupChanges { replaces_all, ..LookupChanges::default() };
    for (_, desk) in run.lookups.all() {
        let (put, gone) = desk.facts();
        changes.put.extend(put);
        changes.gone.extend(gone.into_iter().map(|key| (desk.stage().to_owned(), key)));
    }
    changes
}

fn record(
    run: &RunContext,
    id: EpochId,
    outcome: &Outcome,
    counts: &[TableCounts],
    committed_at: &str,
) -> Result<EpochRecord, RunError> {
    let EpochId { number: epoch, identity: Some(identity), pipeline: Some(pipeline_identity) } = id else {
        return Err(RunError::internal(format!("epoch {} was given no identity", id.number)));
    };
    let plan = &run.plan;
    let notes = run.notes.locked();
    let event = |drop: &DropRow, action: Action, counts: RecordCounts| Event {
        epoch,
        committed_at: committed_at.to_owned(),
        drop_id: Some(drop.drop_id),
        source: drop.source.clone(),
        name: drop.name.clone(),
        action: action.as_str().to_owned(),
        counts,
    };
    let of_drop = |(action, drop): &(Action, DropRow)| match action {
        // No record of it was read.
        Action::SampleWithdrawn => event(drop, *action, RecordCounts::default()),
        _ => event(drop, *action, drop.counts),
    };
    let mut events: Vec<Event> = outcome.upserted.iter().map(of_drop).collect();
    match &outcome.erasure {
        Some(erasure) => events.extend(erasure.drops.iter().map(|drop| {
            let (action, name) = erasure.pending(drop);
            Event {
                epoch,
                committed_at: committed_at.to_owned(),
                drop_id: Some(drop.drop_id),
                source: drop.source.clone(),
                name,
                action: action.to_owned(),
                counts: RecordCounts::default(),
            }
        })),
        None => {
            events.extend(outcome.withdrawn.iter().map(|drop| event(drop, Action::Withdrawn, RecordCounts::default())));
        }
    }
    events.extend(outcome.completed.iter().map(|stage| Event {
        epoch,
        committed_at: committed_at.to_owned(),
        drop_id: None,
        source: stage.clone(),
        name: lookup_drop(stage),
        action: Action::Completed.as_str().to_owned(),
        counts: RecordCounts::default(),
    }));
    events.extend(outcome.without_drop.map(|action| Event {
        epoch,
        committed_at: committed_at.to_owned(),
        drop_id: None,
        source: String::new(),
        name: String::new(),
        action: action.as_str().to_owned(),
        counts: RecordCounts::default(),
    }));
    Ok(EpochRecord {
        pipeline: plan.pipeline.name.clone(),
        epoch,
        identity,
        pipeline_identity,
        committed_at: committed_at.to_owned(),
        definition: outcome.definitions.to_json(),
        upserted_drops: outcome.upserted.iter().map(|(_, drop)| drop.clone()).collect(),
        withdrawn_drops: outcome.withdrawn.iter().map(|drop| drop.drop_id).collect(),
        withdrawn_members: outcome.withdrawn_members.clone(),
        readmitted_members: outcome.readmitted_members.clone(),
        events,
        tables: counts.iter().map(|counts| gaps::with_history(plan, counts)).collect(),
        warnings: notes.warnings.rows(plan, &run.loads),
        lookups: lookup_changes(run, outcome.replace_tables || outcome.computed_anew),
    })
}
