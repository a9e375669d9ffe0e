//! `verify`: every view is recomputed from the base tables' rows in the sink and compared with what the sink holds; the
//! base tables are compared with the state.

mod history;
mod lookups;

use std::{io, sync::Arc};

use arrow_array::RecordBatch;
use serde::Serialize;
use vardelta_schemas::TableSchema;

use crate::{
    changes::{Change, ChangeLog, NetChanges, RunBuilder},
    contract::{
        sink::{Access, SinkError, SinkErrorKind},
        stage::Planned,
    },
    epoch::{
        context::Context,
        drops::{self, Disagreement},
        open::{self, Opened},
    },
    error::{RunError, RunErrorKind},
    flow::{RunContext, feed::Item, lookup::copy_answers},
    plan::{Plan, content::Wanted},
    relational::Relational,
    rows::{RowBatch, RowLayout},
    run::{
        RunOptions,
        compute::{self, Work},
        rebuild::{REPLAY_ROWS, send_table, standing_rows},
    },
    state::{Session, State},
};

use self::history::{Compared, Known};

/// Differences told in full; beyond this number they are only counted.
const DIFFERENCES_TOLD: usize = 100;
/// Rows in one sorted run of a table that is read back.
const RUN_ROWS: usize = 100_000;

/// What `verify` found.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The epoch that was verified.
    pub epoch: u64,
    /// Rows compared, by table.
    pub tables: Vec<VerifiedTable>,
    /// The differing rows, the first 100.
    pub differences: Vec<Difference>,
    /// How many rows differ.
    pub difference_count: u64,
    /// Things worth saying.
    pub notices: Vec<String>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// One table's result.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedTable {
    /// The table.
    pub name: String,
    /// What it was compared with.
    pub against: &'static str,
    /// Rows that the sink holds.
    pub rows: u64,
    /// Rows that differ.
    pub differences: u64,
}

/// A row that is not what it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The key, in words.
    pub key: String,
    /// The row as it should be; `None` where there should be none.
    pub expected: Option<String>,
    /// The row in the sink; `None` where there is none.
    pub found: Option<String>,
}

/// Recomputes and compares. A mismatch is a result, not an error; the caller maps it to exit code 7.
///
/// # Errors
/// For sink or state trouble.
pub fn verify(context: Context<'_>, options: &RunOptions) -> Result<VerifyReport, RunError> {
    let plan = context.plan;
    let mut opened = open::open(plan, Access::Read)?;
    open::check_epochs(plan, &opened)?;
    open::check_definition(plan, &opened.ledger, Wanted::BehindTables)?;
    verify_opened(context, options, &mut opened, &mut |_, _| Ok(()))
}

/// Looks at the state, and at the same views recomputed.
pub(crate) type Look<'a> = dyn FnMut(&Arc<Session>, &Arc<Session>) -> Result<(), RunError> + 'a;

/// As [`verify`], on what is open and agrees; `look` is shown both states.
pub(crate) fn verify_opened(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
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
    if opened.ledger.epoch == 0 {
        return Ok(report);
    }

    // The views are recomputed into a state of their own that is thrown away.
    let scratch = opened.aside(plan)?;
    let scratch_state = State::open(scratch.path())?;
    let mut read_back = Vec::new();
    let found = ChangeLog::new(tables.len(), scratch.path().to_path_buf());
    let layouts = layouts(plan)?;
    for (at, table) in tables.iter().enumerate() {
        read_back.push(read_table(opened.sink.as_mut(), table, &layouts[at], &found, at)?);
    }
    let state_session = opened.state.begin()?;
    let work = Work {
        session: scratch_state.begin()?,
        epoch: 1,
        workers: options.workers_of(plan),
        loads: Vec::new(),
        retractions: Vec::new(),
        spill_dir: scratch.path().to_path_buf(),
    };
    // Nobody is asked: what was answered is as much given as the rows of the tables.
    copy_answers(plan, &state_session, &work.session)?;
    let rows = |run: &RunContext, send: &mut dyn FnMut(Item) -> bool| {
        for (at, stage) in run.plan.stages.iter().enumerate() {
            if !matches!(stage.planned, Planned::Relational(Relational::Table(_))) {
                continue;
            }
            let listening = match inputs.iter().position(|input| *input == at) {
                Some(table) => send_found(&found, table, at, send)?,
                // A base table that the sink does not keep is taken from the state.
                None => send_table(run, at, &state_session, send)?,
            };
            if !listening {
                break;
            }
        }
        Ok(())
    };
    let run = compute::replay(context, work, Box::new(rows))?;

    let expected_tables = ChangeLog::new(tables.len(), scratch.path().to_path_buf());
    for (at, table) in tables.iter().enumerate() {
        let base = matches!(plan.stages[inputs[at]].planned, Planned::Relational(Relational::Table(_)));
        let (expected, against) = if base {
            let mut runs = Runs::new(&expected_tables, at);
            standing_rows(&run, inputs[at], &state_session, &mut |key, value| runs.add(key, value).is_ok())?;
            runs.finish().map_err(|error| unavailable(&error))?;
            (&expected_tables, "the state")
        } else {
            (&run.changes, "a recomputation from the base tables")
        };
        let before = report.difference_count;
        compare(table, &layouts[at], expected, &found, at, &mut report)?;
        let differences = report.difference_count - before;
        report.tables.push(VerifiedTable { name: table.name.clone(), against, rows: read_back[at], differences });
    }
    compare_drops(opened, &mut report)?;
    lookups::compare(plan, opened.sink.as_mut(), &state_session, &mut report)?;
    let known = Known::read(opened.sink.as_mut(), &plan.pipeline.name)?;
    for (at, of_table) in plan.histories().iter().enumerate() {
        let Some(of_table) = of_table else { continue };
        let rows = ChangeLog::new(1, scratch.path().to_path_buf());
        let compared = Compared { table: &tables[at], at, history: of_table };
        history::compare(opened.sink.as_mut(), &known, &compared, &rows, &found, &mut report)?;
    }
    report.notices = open::trigger_notices(plan, &opened.sink.triggers()?);
    look(&state_session, &run.session)?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Compares the drops that the state says stand with those of the ledger.
fn compare_drops(opened: &Opened, report: &mut VerifyReport) -> Result<(), RunError> {
    let disagreements = drops::disagreements(&opened.state, &opened.ledger)?;
    let (rows, differences) = (opened.ledger.drops.len() as u64, disagreements.len() as u64);
    for Disagreement { drop, state, ledger } in disagreements {
        report.differ("vardelta_drops", || (drop, state, ledger));
    }
    report.tables.push(VerifiedTable { name: "vardelta_drops".into(), against: "the state", rows, differences });
    Ok(())
}

impl VerifyReport {
    /// Counts a difference, and keeps it if there are not too many: the key, what is expected and what was found.
    pub(super) fn differ(
        &mut self,
        table: &str,
        difference: impl FnOnce() -> (String, Option<String>, Option<String>),
    ) {
        self.difference_count += 1;
        if self.differences.len() < DIFFERENCES_TOLD {
            let (key, expected, found) = difference();
            self.differences.push(Difference { table: table.to_owned(), key, expected, found });
        }
    }
}

pub(super) fn unavailable(error: &dyn std::fmt::Display) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("rows cannot be kept for comparison: {error}"))
        .with_hint("Make room in the state directory, or in TMPDIR where that may not be written to.")
}

fn layouts(plan: &Plan) -> Result<Vec<RowLayout>, RunError> {
    let tables = plan.tables();
    let layout = |table: &TableSchema| RowLayout::new(&table.schema, Some(&table.key)).map_err(RunError::internal);
    tables.iter().map(layout).collect()
}

/// Collects rows in sorted runs.
pub(super) struct Runs<'a> {
    log: &'a ChangeLog,
    table: usize,
    rows: RowBatch,
}

impl<'a> Runs<'a> {
    pub(super) fn new(log: &'a ChangeLog, table: usize) -> Runs<'a> {
        Runs { log, table, rows: RowBatch::default() }
    }

    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.rows.push(key, value, 1);
        if self.rows.len() >= RUN_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let twice = |_| io::Error::new(io::ErrorKind::InvalidData, "a key comes twice");
        let run = RunBuilder::fold(&self.rows).map_err(twice)?;
        self.rows.clear();
        self.log.push(self.table, 0, run)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

fn read_table(
    sink: &mut dyn crate::contract::sink::Sink,
    table: &TableSchema,
    layout: &RowLayout,
    log: &ChangeLog,
    at: usize,
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

fn send_found(
    found: &ChangeLog,
    table: usize,
    stage: usize,
    send: &mut dyn FnMut(Item) -> bool,
) -> Result<bool, RunError> {
    let mut net = found.net(table).map_err(|error| unavailable(&error))?;
    loop {
        let mut rows = RowBatch::default();
        while rows.len() < REPLAY_ROWS {
            match net.next().map_err(|error| unavailable(&error))? {
                Some(Change { key, new: Some(value), .. }) => rows.push(&key, &value, 1),
                Some(_) => {}
                None => break,
            }
        }
        if rows.is_empty() {
            return Ok(true);
        }
        if !send(Item::Rows { table: stage, rows }) {
            return Ok(false);
        }
    }
}

fn compare(
    table: &TableSchema,
    layout: &RowLayout,
    expected: &ChangeLog,
    found: &ChangeLog,
    at: usize,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let next = |net: &mut NetChanges| net.next().map_err(|error| unavailable(&error));
    let (mut expected, mut found) =
        (expected.net(at).map_err(|error| unavailable(&error))?, found.net(at).map_err(|error| unavailable(&error))?);
    let (mut left, mut right) = (next(&mut expected)?, next(&mut found)?);
    while left.is_some() || right.is_some() {
        let order = match (&left, &right) {
            (Some(left), Some(right)) => left.key.cmp(&right.key),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        let (mut want, mut have) = (None, None);
        if order.is_le() {
            want = left.take();
            left = next(&mut expected)?;
        }
        if order.is_ge() {
            have = right.take();
            right = next(&mut found)?;
        }
        if want.as_ref().map(|change| &change.new) == have.as_ref().map(|change| &change.new) {
            continue;
        }
        report.differ(&table.name, || {
            let key = want.as_ref().or(have.as_ref()).map(|change| layout.describe_key(&change.key));
            let shown =
                |change: Option<Change>| change.and_then(|row| layout.describe_row(&row.key, row.new.as_deref()?));
            (key.unwrap_or_default(), shown(want), shown(have))
        });
    }
    Ok(())
}
