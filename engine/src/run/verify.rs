//! `verify`: every view is computed a second time and compared with what the sink holds; the base tables are compared with the
//! state, the ledger's drops as well, and histories with the ledger and their tables.
//!
//! A view is computed by the database where it can be said in its SQL ([`sql`]), and else by the pipeline's own operators
//! ([`replay`]); by both where a second opinion is asked for.

mod compare;
mod events;
mod history;
mod lookups;
mod replay;
mod report;
mod sql;

use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use vardelta_schemas::{
    TableSchema,
    ledger::{Accounts, Epoch, Event},
};

use self::{
    compare::{ReadFrom, Rows, Runs, Strictness, compare, unavailable},
    events::Untold,
    history::{Compared, Known},
};
use crate::{
    changes::ChangeLog,
    contract::sink::{Access, Sink, SinkError, SinkErrorKind},
    epoch::{
        context::Context,
        drops::{self, Disagreement},
        open::{self, Opened},
    },
    error::RunError,
    locks::Locked as _,
    plan::{Plan, TableIndex, content::Wanted},
    rows::RowLayout,
    run::{RunOptions, rebuild::standing_rows},
    state::{Session, State},
};

pub use self::report::{Difference, Means, VerifiedTable, VerifyReport};

/// In which ways views are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ways {
    /// By the database, where it can be said in SQL.
    sql: bool,
    /// By replay, also where the database did it.
    replay: bool,
}

impl Ways {
    /// By replay alone.
    pub(crate) const REPLAY: Ways = Ways { sql: false, replay: true };
}

/// Recomputes and compares. A mismatch is a result, not an error; the caller maps it to exit code 7.
///
/// # Errors
/// For sink or state trouble.
pub fn verify(context: Context<'_>, options: &RunOptions) -> Result<VerifyReport, RunError> {
    let plan = context.plan;
    let mut opened = open::open(plan, Access::Read)?;
    open::check_epochs(plan, &opened)?;
    open::check_definition(plan, &opened.ledger, Wanted::AfterTables)?;
    let ways = Ways { sql: true, replay: options.replay };
    verify_opened(context, options, &mut opened, ways, &mut |_, _| Ok(()))
}

/// Looks at the state, and at the same views recomputed.
pub(crate) type Look<'a> = dyn FnMut(&Arc<Session>, &Arc<Session>) -> Result<(), RunError> + 'a;

/// As [`verify`], on what is open and agrees; `look` is shown both states where views are replayed.
pub(crate) fn verify_opened(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    ways: Ways,
    look: &mut Look<'_>,
) -> Result<VerifyReport, RunError> {
    let started = std::time::Instant::now();
    let plan = context.plan;
    let (tables, inputs) = (plan.tables(), &plan.stages[plan.sink].inputs);
    let mut report = VerifyReport {
        pipeline: plan.pipeline.name.clone(),
        epoch: opened.ledger.epoch,
        tables: Vec::new(),
        differences: Vec::new(),
        difference_count: 0,
        notices: Vec::new(),
        seconds: 0.0,
    };
    if opened.ledger.epoch == Epoch::NONE {
        return Ok(report);
    }
    let scratch = opened.aside(plan)?;
    let spill_dir = scratch.path().to_path_buf();
    let found = ChangeLog::new(tables.len(), spill_dir.clone());
    let layouts = layouts(plan)?;
    let mut read_back = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        read_back.push(read_table(opened.sink.as_mut(), table, &layouts[at], &found, TableIndex::new(at))?);
    }
    let found_rows = |at: usize| Rows { from: ReadFrom::Kept(&found), at: TableIndex::new(at), layout: &layouts[at] };
    let state_session = opened.state.locked().begin()?;

    // Of each table: why it is yet to be compared with a replay.
    let mut to_replay: Vec<Option<Option<String>>> = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        context.abort.check()?;
        to_replay.push(if plan.stages[inputs[at]].is_table() {
            let log = ChangeLog::new(1, spill_dir.clone());
            let mut runs = Runs::new(&log, TableIndex::new(0));
            let mut kept = Ok(());
            standing_rows(plan, inputs[at], &state_session, &mut |key, value| {
                kept = runs.add(key, value);
                kept.is_ok()
            })?;
            kept.map_err(|error| unavailable(&error))?;
            runs.finish().map_err(|error| unavailable(&error))?;
            let verified =
                VerifiedTable { rows: read_back[at], ..VerifiedTable::new(&table.name, Means::State, "the state") };
            let expected = Rows { from: ReadFrom::Kept(&log), at: TableIndex::new(0), layout: &layouts[at] };
            compare_exactly(verified, expected, found_rows(at), &mut report)?;
            None
        } else if ways.sql {
            let view = sql::View { stage: inputs[at], table, found: found_rows(at), rows: read_back[at] };
            match sql::check(plan, opened.sink.as_mut(), &view, &spill_dir, &mut report)? {
                Ok(()) => ways.replay.then_some(None),
                Err(why) => Some(Some(why)),
            }
        } else {
            Some(None)
        });
    }
    if ways == Ways::REPLAY || to_replay.iter().any(Option::is_some) {
        // The views are recomputed into a state of their own that is thrown away.
        let scratch_state = Arc::new(Mutex::new(State::open(scratch.path())?));
        let workers = options.workers_of(plan);
        let plane = replay::replayed(context, workers, &scratch_state, spill_dir.clone(), &found, &state_session)?;
        for (at, table) in tables.iter().enumerate() {
            let Some(not_sql) = to_replay[at].take() else { continue };
            let against = "a recomputation from the base tables";
            let verified = VerifiedTable {
                rows: read_back[at],
                not_sql,
                ..VerifiedTable::new(&table.name, Means::Replay, against)
            };
            let expected =
                Rows { from: ReadFrom::Computed(plane.as_ref()), at: TableIndex::new(at), layout: &layouts[at] };
            compare_exactly(verified, expected, found_rows(at), &mut report)?;
        }
        look(&state_session, &plane.run().session)?;
    }
    let events = opened.sink.history(&plan.pipeline.name)?;
    let accounts = opened.sink.accounts(&plan.pipeline.name)?;
    compare_drops(opened, &events, &accounts, &mut report)?;
    lookups::compare(plan, opened.sink.as_mut(), &state_session, &mut report)?;
    let known = Known::of(&events, accounts);
    for (at, of_table) in plan.histories().iter().enumerate() {
        let Some(of_table) = of_table else { continue };
        let rows = ChangeLog::new(1, spill_dir.clone());
        let compared = Compared { table: &tables[at], at: TableIndex::new(at), history: of_table };
        history::compare(opened.sink.as_mut(), &known, &compared, &rows, &found, &mut report)?;
    }
    report.notices.extend(open::trigger_notices(plan, &opened.sink.triggers()?));
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Compares rows that must be the same to the last bit.
fn compare_exactly(
    verified: VerifiedTable,
    expected: Rows<'_>,
    found: Rows<'_>,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let before = report.difference_count;
    compare(&verified.name, expected, found, Strictness::Exact, report)?;
    let differences = report.difference_count - before;
    report.tables.push(VerifiedTable { differences, ..verified });
    Ok(())
}

/// Compares the drops that the state says stand with those of the ledger, and the ledger's drops and epochs with its events.
fn compare_drops(
    opened: &Opened,
    events: &[Event],
    accounts: &Accounts,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let before = report.difference_count;
    for Disagreement { drop, state, ledger } in drops::disagreements(&opened.state.locked(), &opened.ledger)? {
        report.differ("vardelta_drops", || (drop, state, ledger));
    }
    for Untold { key, expected, found } in events::untold(&opened.ledger, events, accounts) {
        report.differ("vardelta_drops", || (key, Some(expected), found));
    }
    let (rows, differences) = (opened.ledger.drops.len() as u64, report.difference_count - before);
    let verified = VerifiedTable::new("vardelta_drops", Means::State, "the state and the ledger's events");
    report.tables.push(VerifiedTable { rows, differences, ..verified });
    Ok(())
}

fn layouts(plan: &Plan) -> Result<Vec<RowLayout>, RunError> {
    let tables = plan.tables();
    let layout = |table: &TableSchema| RowLayout::new(&table.schema, Some(&table.key)).map_err(RunError::internal);
    tables.iter().map(layout).collect()
}

fn read_table(
    sink: &mut dyn Sink,
    table: &TableSchema,
    layout: &RowLayout,
    log: &ChangeLog,
    at: TableIndex,
) -> Result<u64, RunError> {
    let mut runs = Runs::new(log, at);
    let mut count = 0;
    let fail = |error: &dyn std::fmt::Display| {
        SinkError::new(SinkErrorKind::Unavailable, format!("table `{}` cannot be compared: {error}", table.name))
    };
    sink.scan(table, &mut |batch: RecordBatch| {
        let rows = layout.encode(&batch).map_err(|error| fail(&error))?;
        count += batch.num_rows() as u64;
        for row in 0..batch.num_rows() {
            runs.add(rows.key(row), rows.value(row)).map_err(|error| fail(&error))?;
        }
        Ok(())
    })?;
    runs.finish().map_err(|error| unavailable(&error))?;
    Ok(count)
}
