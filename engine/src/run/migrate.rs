//! `migrate`: the tables are brought to a changed definition, column by column, and only rows that differ are written.
//!
//! First the sink expands its tables, so that loads of either definition find their columns. Then the state is recomputed
//! as by a rebuild, and what it says is compared with the rows that are there. Of the difference, rows that only get values in
//! new columns are written first ([`filling`](crate::epoch::filling)), batch by batch; the rest is committed as one epoch. A
//! migration that was cut short is asked for again: what was expanded stays expanded, what was filled stays filled, and the
//! epoch is there or is not.

use std::{collections::BTreeSet, time::Instant};

use arrow_array::RecordBatch;
use vardelta_schemas::{
    TableSchema,
    history::{HISTORY_PREFIXES, history_name},
    ledger::{DropRow, Epoch, Snapshot},
};

use crate::{
    changes::RunBuilder,
    contract::{
        migration::{Migration, Rename, Scope, Step},
        sink::{Access, Sink, SinkError, SinkErrorKind},
    },
    epoch::{
        commit,
        context::Context,
        filling::fill,
        fills,
        open::{self, Opened},
        outcome::Outcome,
        reject_share::check_reject_share,
        unchanged::rows_before,
    },
    error::{RunError, RunErrorKind, Written},
    failpoint,
    flow::{RunContext, lookup::forget_orphans},
    locks::Locked as _,
    plan::{
        Plan, TableIndex, changed_stages,
        content::{Definitions, Wanted},
        definition_changes, key_changes,
    },
    report::{
        Action, DropReport, RunReport,
        migration::{Backfill, ComparedTable, MigrationReport, Origin},
    },
    rows::{RowBatch, lax_layout, lax_table},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries::load,
        lookups,
        rebuild::{candidates, clear_tables, clear_views, send_state, tables_are_the_same},
    },
};

/// Rows of one batch by default: large enough that a commit costs little, small enough that it holds few locks.
const BATCH_ROWS: u64 = 10_000;
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
    /// Rows of one batch, where new columns are filled before the epoch; 0 for the default, 10,000.
    pub batch_rows: u64,
}

/// Brings tables and state to the definition as it is now, or says what that takes.
///
/// # Errors
/// When a table can only be rebuilt, when a file that must be read again is gone, or for sink or state trouble. What was
/// added to the tables by then stays, and is of no account to anybody.
pub fn migrate(context: Context<'_>, options: &MigrateOptions) -> Result<MigrationReport, RunError> {
    context.told(bring_to_definition(context, options))
}

fn bring_to_definition(context: Context<'_>, options: &MigrateOptions) -> Result<MigrationReport, RunError> {
    let started = Instant::now();
    let plan = context.plan;
    let mut opened = open_loaded(plan, options)?;
    let definitions = Definitions::of(plan, &opened.ledger.definition, Wanted::All)?;
    let changes = definition_changes(&opened.ledger.definition, &definitions)?;
    let tables = plan.tables();
    check_renames(&tables, &options.renames)?;
    if let Some(why) = key_changes(plan, &opened.ledger.definition, &definitions, &options.renames)? {
        return Err(RunError::new(RunErrorKind::Sink, why)
            .with_hint("Rows cannot keep their places: run `vardelta rebuild`, which makes the tables from scratch."));
    }
    let changed = changed_stages(&opened.ledger.definition, &definitions)?;
    let histories: Vec<TableSchema> = plan.histories().into_iter().flatten().collect();
    let renames = with_histories(&tables, &histories, &options.renames);
    let migration = Migration {
        pipeline: &plan.pipeline.name,
        expected: opened.ledger.id(),
        tables: &tables,
        histories: &histories,
        renames: &renames,
    };
    let mut steps = opened.sink.migrate(&migration, Scope::Plan)?;
    if !options.plan && !options.contract {
        steps.retain(|step| step.phase == crate::contract::migration::Phase::Expand);
    }
    let new_columns = fills::new_columns(&tables, opened.state.locked().metadata(), &options.renames)?;
    let mut backfill = planned_backfill(plan, &opened.ledger, &changed, &tables, &steps);
    backfill.batch_rows = if options.batch_rows == 0 { BATCH_ROWS } else { options.batch_rows };
    backfill.plan_batches(&tables, &new_columns, opened.sink.quarantines());
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
            Origin::Files => candidates(context, &run, &opened, None)?,
            Origin::State | Origin::Nothing => Vec::new(),
        };
        let made: BTreeSet<String> =
            report.steps.iter().filter(|step| step.makes_table).map(|step| step.table.clone()).collect();
        if opened.sink.keeps_steps() && !report.steps.is_empty() {
            context.abort.note_written(Written::Expanded);
        }
        report.steps = opened.sink.migrate(&migration, Scope::Expand)?;
        context.abort.note_written(Written::Expanded);
        failpoint::hit("migrate:expanded");
        if !report.changes.is_empty() {
            let anew = Anew { definitions, files, made, new_columns };
            let run = compute(context, &run, &mut opened, &mut report.backfill, anew)?;
            report.epoch = run.epoch;
            report.run = Some(run);
        }
        failpoint::hit("migrate:filled");
        if options.contract {
            let migration = Migration { expected: opened.sink.ledger(&plan.pipeline.name)?.id(), ..migration };
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
    if opened.ledger.epoch == Epoch::NONE {
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
    open::check_agreement(plan, &opened)?;
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

fn planned_backfill(
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
    // From the state everything after the tables is recomputed; from the files, everything.
    let stages = plan
        .stages
        .indexed()
        .filter(|(at, stage)| *at != plan.sink && (!from_state || (!stage.before_tables && !stage.is_table())));
    Backfill {
        from: if from_state { Origin::State } else { Origin::Files },
        stages: stages.map(|(_, stage)| stage.name.clone()).collect(),
        files: if from_state { Vec::new() } else { ledger.drops.iter().map(|drop| drop.path.clone()).collect() },
        tables: compared
            .map(|table| ComparedTable {
                name: table.name.clone(),
                rows: rows_before(ledger, &table.name),
                ..ComparedTable::default()
            })
            .collect(),
        batch_rows: 0,
    }
}

impl Backfill {
    /// Says in how many batches new columns are filled. Where rows can be quarantined there are none: what is taken out
    /// may change other rows, so all of them wait for the epoch.
    fn plan_batches(&mut self, tables: &[TableSchema], new_columns: &[Vec<usize>], quarantines: bool) {
        for compared in &mut self.tables {
            let Some(at) = tables.iter().position(|table| table.name == compared.name) else { continue };
            let name = |column: &usize| tables[at].schema.columns()[*column].name.clone();
            compared.new_columns = new_columns[at].iter().map(name).collect();
            if !compared.new_columns.is_empty() && !quarantines {
                compared.batches_max = compared.rows.div_ceil(self.batch_rows);
            }
        }
    }
}

/// The renames of the tables, and those that follow from them for the histories.
fn with_histories(tables: &[TableSchema], histories: &[TableSchema], renames: &[Rename]) -> Vec<Rename> {
    let mut all = renames.to_vec();
    for rename in renames {
        let history = history_name(&rename.table);
        if !histories.iter().any(|kept| kept.name == history) {
            continue;
        }
        let Some(table) = tables.iter().find(|table| table.name == rename.table) else { continue };
        let is_of_key = table.schema.index_of(&rename.to).is_some_and(|column| table.key.contains(&column));
        let prefixes: &[&str] = if is_of_key { &[""] } else { &HISTORY_PREFIXES };
        let named = |prefix: &&str| Rename {
            table: history.clone(),
            from: format!("{prefix}{}", rename.from),
            to: format!("{prefix}{}", rename.to),
        };
        all.extend(prefixes.iter().map(named));
    }
    all
}

/// What a migration recomputes.
struct Anew {
    definitions: Definitions,
    /// The files that are read again, if any are.
    files: Vec<(DropRow, super::deliveries::Candidate)>,
    /// The tables that the epoch makes.
    made: BTreeSet<String>,
    /// For each table the columns that the standing definition does not have.
    new_columns: Vec<Vec<usize>>,
}

/// Computes the new definition and commits what differs from the rows that stand.
fn compute(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    backfill: &mut Backfill,
    anew: Anew,
) -> Result<RunReport, RunError> {
    let Anew { definitions, files, made, new_columns } = anew;
    let started = Instant::now();
    let plan = context.plan;
    let workers = options.workers_of(plan);
    let epoch = opened.ledger.epoch.next();
    let mut work = Work::on(&opened.state, epoch, workers, opened.spill_dir(plan))?;
    clear_views(plan, &work.session);
    let mut outcome = Outcome { computed_anew: true, ..Outcome::new(definitions) };
    let mut drops = Vec::new();
    let plane = if backfill.from == Origin::Files {
        clear_tables(plan, &work.session);
        work.loads =
            files.iter().map(|(drop, candidate)| load(plan, &opened.ledger, candidate, drop.drop_id)).collect();
        let plane = compute::load(context, work)?;
        let run = plane.run();
        forget_orphans(plan, &run.session)?;
        check_reject_share(plan, run)?;
        for ((old, _), load) in files.iter().zip(&run.loads) {
            let counts = load.records.counts();
            drops.push(DropReport::new(&old.name, &old.source, Action::Migrated, "read again", counts));
            let drop = DropRow {
                bytes_digest: load.bytes_digest()?.to_owned(),
                content_digest: load.content_digest(),
                loaded_epoch: epoch,
                counts,
                ..old.clone()
            };
            outcome.upserted.push((Action::Migrated, drop));
        }
        plane
    } else {
        compute::replay(context, work, Box::new(|run, send| send_state(run, send)))?
    };
    let run = plane.run();
    if outcome.upserted.is_empty() {
        outcome.without_drop = Some(Action::Migrated);
    }
    for (at, table) in TableIndex::all(plan.tables().len()).zip(&plan.tables()) {
        if !made.contains(&table.name) {
            read_standing(opened.sink.as_mut(), table, run, at)?;
        }
    }
    failpoint::hit("migrate:compared");
    run.changes.set_new_columns(new_columns);
    if !opened.sink.quarantines() {
        outcome.definitions.check_unchanged()?;
        fill(context, opened, plane.as_ref(), backfill)?;
    }
    failpoint::hit("migrate:batches");
    let mut report = RunReport { drops, ..RunReport::new(&plan.pipeline.name, opened.ledger.epoch, workers) };
    lookups::tell(context, &run.session, Some(run), &mut report)?;
    commit::conclude(context, opened, plane.as_ref(), outcome, &mut report)?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Reads the rows of a table as they stand. A column that was just added is NULL in all of them, whatever the plan says.
fn read_standing(sink: &mut dyn Sink, table: &TableSchema, run: &RunContext, at: TableIndex) -> Result<(), RunError> {
    let lax = lax_table(table);
    let layout = lax_layout(&lax)?;
    let fail = |error: &dyn std::fmt::Display| {
        SinkError::new(SinkErrorKind::Unavailable, format!("table `{}` cannot be compared: {error}", table.name))
    };
    let mut rows = RowBatch::default();
    let flush = |rows: &mut RowBatch| -> Result<(), SinkError> {
        let folded = RunBuilder::fold(std::slice::from_ref(rows)).map_err(|_| fail(&"a key comes twice"))?;
        rows.clear();
        run.changes.push_standing(at, folded).map_err(|error| fail(&error))
    };
    sink.scan(&lax, &mut |batch: RecordBatch| {
        let encoded = layout.encode(&batch).map_err(|error| fail(&error))?;
        for row in 0..batch.num_rows() {
            rows.push(encoded.key(row), encoded.value(row), -1);
        }
        if rows.len() >= RUN_ROWS { flush(&mut rows) } else { Ok(()) }
    })?;
    flush(&mut rows)?;
    Ok(())
}
