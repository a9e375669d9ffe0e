//! `migrate`: the tables are brought to a changed definition, column by column, and only rows that differ are written.
//!
//! First the sink expands its tables, so that loads of either definition find their columns. Then the state is computed anew
//! as by a rebuild, what it says is compared with the rows that stand, and the difference is committed as one epoch. A
//! migration that was cut short is asked for again: what was expanded stays expanded, and the epoch is there or is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use arrow_array::RecordBatch;
use serde::Serialize;
use vardelta_schemas::{
    TableSchema,
    ledger::{DropRow, Snapshot},
};

use crate::{
    changes::RunBuilder,
    error::{RunError, RunErrorKind},
    failpoint,
    flow::RunContext,
    migration::{Migration, Rename, Scope, Step},
    plan::{
        Plan, changed_stages,
        content::{Definitions, Wanted},
        definition_changes, key_changes,
    },
    report::{Action, DropReport, RunReport},
    rows::Row,
    run::{
        Context, RunOptions,
        commit::{self, Outcome},
        execute::{self, Work},
        load::{load, spill_dir},
        open::{self, Opened},
        rebuild::{candidates, clear_tables, clear_views, send_state, tables_are_the_same},
    },
    sink::{Access, Sink, SinkError, SinkErrorKind},
};

/// Rows of one sorted run.
const RUN_ROWS: usize = 100_000;

/// What `migrate` is asked to do.
#[derive(Clone, Debug, Default)]
pub struct MigrateOptions {
    /// Worker threads, instead of the pipeline's.
    pub workers: Option<usize>,
    /// Only say what would be done.
    pub plan: bool,
    /// Also take away what nothing needs any more.
    pub contract: bool,
    /// Columns that keep their values under another name.
    pub renames: Vec<Rename>,
}

/// What a migration is, or was.
#[derive(Clone, Debug, Serialize)]
pub struct MigrationReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The epoch the sink is at now.
    pub epoch: u64,
    /// Whether definition and tables are what they should be.
    pub nothing_to_do: bool,
    /// Whether anything was done.
    pub executed: bool,
    /// What changed about the definition, a line for each stage.
    pub changes: Vec<String>,
    /// The steps of the tables: all that there are, or those that were done.
    pub steps: Vec<Step>,
    /// What happens to the rows.
    pub backfill: Backfill,
    /// What the epoch did, once there is one.
    pub run: Option<RunReport>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// What happens to the rows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Backfill {
    /// Where the values come from.
    pub from: Origin,
    /// The stages that are computed anew.
    pub stages: Vec<String>,
    /// The files that are read again.
    pub files: Vec<String>,
    /// The tables, with the rows that stand and are compared. Only rows that differ are written.
    pub tables: Vec<ComparedTable>,
}

/// Where the values of a backfill come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nowhere: no row changes.
    #[default]
    Nothing,
    /// From the state.
    State,
    /// From the drops' files.
    Files,
}

/// A table whose rows are compared.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedTable {
    /// The table.
    pub name: String,
    /// Its rows, as of the last epoch.
    pub rows: u64,
}

/// Brings tables and state to the definition as it is now, or says what that takes.
///
/// # Errors
/// When a table can only be made anew, when a file that must be read again is gone, or for sink or state trouble. What was
/// added to the tables by then stays, and is of no account to anybody.
pub fn migrate(context: Context<'_>, options: &MigrateOptions) -> Result<MigrationReport, RunError> {
    let started = Instant::now();
    let plan = context.plan;
    let mut opened = open_loaded(plan, options)?;
    let definitions = Definitions::of(plan, &opened.ledger.definition, Wanted::All)?;
    let changes = definition_changes(&opened.ledger.definition, &definitions);
    let tables = plan.tables();
    check_renames(&tables, &options.renames)?;
    if let Some(why) = key_changes(plan, &opened.ledger.definition, &definitions, &options.renames) {
        return Err(RunError::new(RunErrorKind::Sink, why)
            .with_hint("Rows cannot keep their places: run `vardelta rebuild`, which makes the tables anew."));
    }
    let changed = changed_stages(&opened.ledger.definition, &definitions);
    let history: Vec<TableSchema> = plan.histories().into_iter().flatten().collect();
    let migration = Migration {
        pipeline: &plan.pipeline.name,
        expected_epoch: opened.ledger.epoch,
        tables: &tables,
        history: &history,
        renames: &options.renames,
    };
    let mut steps = opened.sink.migrate(&migration, Scope::Plan)?;
    if !options.plan && !options.contract {
        steps.retain(|step| step.phase == crate::migration::Phase::Expand);
    }
    let backfill = backfill(plan, &opened.ledger, &changed, &tables, &steps);
    let mut report = MigrationReport {
        pipeline: plan.pipeline.name.clone(),
        epoch: opened.ledger.epoch,
        nothing_to_do: changes.is_empty() && steps.is_empty(),
        executed: false,
        changes,
        steps,
        backfill,
        run: None,
        seconds: 0.0,
    };
    if !report.nothing_to_do && !options.plan {
        // Missing files are found before anything is altered.
        let run = RunOptions { workers: options.workers, ..RunOptions::default() };
        let files = match report.backfill.from {
            Origin::Files => candidates(context, &run, &opened)?,
            Origin::State | Origin::Nothing => Vec::new(),
        };
        let made: BTreeSet<String> =
            report.steps.iter().filter(|step| step.makes_table).map(|step| step.table.clone()).collect();
        report.steps = opened.sink.migrate(&migration, Scope::Expand)?;
        failpoint::hit("migrate:expanded");
        if !report.changes.is_empty() {
            let run = fill(context, &run, &mut opened, definitions, &report.backfill, files, &made)?;
            report.epoch = run.epoch;
            report.run = Some(run);
        }
        failpoint::hit("migrate:filled");
        if options.contract {
            let migration = Migration { expected_epoch: report.epoch, ..migration };
            report.steps.extend(opened.sink.migrate(&migration, Scope::Contract)?);
        }
        report.executed = true;
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Opens state and sink, which must hold something already.
fn open_loaded(plan: &Plan, options: &MigrateOptions) -> Result<Opened, RunError> {
    let mut opened = open::open(plan, Access::Read)?;
    if opened.ledger.epoch == 0 {
        return Err(RunError::new(
            RunErrorKind::Usage,
            format!("{} holds nothing of `{}` yet", plan.sink().location(), plan.pipeline.name),
        )
        .with_hint("There is nothing to migrate: use `vardelta run`."));
    }
    if options.plan {
        // To say how a server would do a step, it is asked on an empty table.
        opened.sink = plan.sink().connect(Access::Write)?;
    } else {
        // The lock is given back with the state.
        drop(opened);
        opened = open::open(plan, Access::Write)?;
    }
    open::check_epochs(plan, &opened)?;
    Ok(opened)
}

fn check_renames(tables: &[TableSchema], renames: &[Rename]) -> Result<(), RunError> {
    for Rename { table, from, to } in renames {
        let Some(schema) = tables.iter().find(|planned| planned.name == *table) else {
            return Err(RunError::new(
                RunErrorKind::Usage,
                format!("`{table}.{from}={to}` names no table of the pipeline"),
            ));
        };
        if schema.schema.column(from).is_some() {
            return Err(RunError::new(
                RunErrorKind::Usage,
                format!("table `{table}` has a column `{from}` in the pipeline too, so it cannot become `{to}`"),
            ));
        }
    }
    Ok(())
}

fn backfill(
    plan: &Plan,
    ledger: &Snapshot,
    changed: &BTreeSet<String>,
    tables: &[TableSchema],
    steps: &[Step],
) -> Backfill {
    if changed.is_empty() {
        return Backfill::default();
    }
    let from_state = tables_are_the_same(plan, changed);
    let is_made = |table: &str| steps.iter().any(|step| step.makes_table && step.table == table);
    let compared = tables.iter().filter(|table| !is_made(&table.name));
    // From the state everything behind the tables is computed anew; from the files, everything.
    let stages = plan.stages.iter().enumerate().filter(|(at, stage)| {
        *at != plan.sink && (!from_state || (!stage.before_tables && !super::rebuild::is_table(&stage.planned)))
    });
    Backfill {
        from: if from_state { Origin::State } else { Origin::Files },
        stages: stages.map(|(_, stage)| stage.name.clone()).collect(),
        files: if from_state { Vec::new() } else { ledger.drops.iter().map(|drop| drop.path.clone()).collect() },
        tables: compared
            .map(|table| ComparedTable { name: table.name.clone(), rows: commit::rows_before(ledger, &table.name) })
            .collect(),
    }
}

/// Computes the new definition and commits what differs from the rows that stand.
fn fill(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    definitions: Definitions,
    backfill: &Backfill,
    files: Vec<(DropRow, super::deliveries::Candidate)>,
    made: &BTreeSet<String>,
) -> Result<RunReport, RunError> {
    let started = Instant::now();
    let plan = context.plan;
    let workers = options.workers.unwrap_or(plan.pipeline.workers).max(1);
    let (session, epoch) = (opened.state.begin()?, opened.ledger.epoch + 1);
    let mut work = Work {
        session,
        epoch,
        workers,
        loads: Vec::new(),
        retractions: Vec::new(),
        spill_dir: spill_dir(context, false),
    };
    clear_views(plan, &opened.ledger, &work.session);
    let mut outcome = Outcome::new(definitions);
    let mut drops = Vec::new();
    let run = if backfill.from == Origin::Files {
        clear_tables(plan, &work.session);
        work.loads = files.iter().map(|(drop, candidate)| load(candidate, drop.drop_id)).collect();
        let run = execute::load(context, work)?;
        execute::check_reject_share(plan, &run)?;
        for ((old, candidate), load) in files.iter().zip(&run.loads) {
            let counts = load.records.counts();
            drops.push(DropReport::new(&old.name, &old.source, Action::Migrated, "read again", counts));
            let drop = DropRow {
                bytes_digest: candidate.bytes_digest.clone(),
                content_digest: load.content_digest(),
                loaded_epoch: epoch,
                counts,
                ..old.clone()
            };
            outcome.upserted.push((Action::Migrated, drop));
        }
        run
    } else {
        execute::replay(context, work, Box::new(|run, send| send_state(run, send)))?
    };
    if outcome.upserted.is_empty() {
        outcome.without_drop = Some(Action::Migrated);
    }
    for (at, table) in plan.tables().iter().enumerate() {
        if !made.contains(&table.name) {
            read_standing(opened.sink.as_mut(), table, &run, at)?;
        }
    }
    failpoint::hit("migrate:compared");
    let mut report = RunReport {
        pipeline: plan.pipeline.name.clone(),
        epoch: opened.ledger.epoch,
        committed: false,
        dry_run: false,
        drops,
        tables: Vec::new(),
        rejects: BTreeMap::new(),
        warnings: BTreeMap::new(),
        notices: Vec::new(),
        stages: Vec::new(),
        retries: 0,
        workers,
        seconds: 0.0,
    };
    commit::conclude(context, opened, &run, outcome, &mut report)?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Reads the rows of a table as they stand. A column that was just added is NULL in all of them, whatever the plan says.
fn read_standing(sink: &mut dyn Sink, table: &TableSchema, run: &RunContext, at: usize) -> Result<(), RunError> {
    let lax = commit::lax_table(table);
    let layout = commit::lax_layout(&lax)?;
    let fail = |error: &dyn std::fmt::Display| {
        SinkError::new(SinkErrorKind::Unavailable, format!("table `{}` cannot be compared: {error}", table.name))
    };
    let mut rows: Vec<(Row, Row, isize)> = Vec::new();
    let flush = |rows: &mut Vec<(Row, Row, isize)>| -> Result<(), SinkError> {
        let folded = RunBuilder::fold(std::mem::take(rows)).map_err(|_| fail(&"a key comes twice"))?;
        run.changes.push_standing(at, folded).map_err(|error| fail(&error))
    };
    sink.scan(&lax, &mut |batch: RecordBatch| {
        let encoded = layout.encode(&batch).map_err(|error| fail(&error))?;
        for row in 0..batch.num_rows() {
            rows.push((encoded.key(row).into(), encoded.value(row).into(), -1));
        }
        if rows.len() >= RUN_ROWS { flush(&mut rows) } else { Ok(()) }
    })?;
    flush(&mut rows)?;
    Ok(())
}
