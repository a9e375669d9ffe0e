//! Changing the tables of a file, column by column, in transactions of their own. SQLite adds and renames columns by
//! writing down the definition; what it has no statement for, it does by copying the table.

mod unique;

use std::path::Path;

use rusqlite::Connection;
use vardelta_engine::{
    contract::{
        migration::{Algorithm, Migration, Phase, Scope, Step},
        sink::{SinkError, SinkErrorKind},
    },
    failpoint,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect,
        marks::{DELETED_AT, Marks, create_live, delete_marked, drop_view, live_name},
        migration::{self as sql, Change, TableChanges},
        sqlite as sqlite_sql,
        sqlite::planned_form,
        table::{TableStatements, drop_table},
    },
};

use crate::sinks::{
    shared::marks::{OnDelete, is_live_view, keep_lax, taken_column},
    sqlite::{
        constraints::{self, Kept},
        error::explain,
        layout::{self, Layout},
        ledger::{self as records, lax},
        marks,
    },
};

/// What is to be done with one table.
struct Work<'a> {
    table: &'a TableSchema,
    changes: TableChanges,
    /// The columns in which it stays laxer than the pipeline.
    lax: Vec<String>,
    /// What it has to do with marked rows, as it stands.
    marks: Marks,
    /// What is to become of its rows that go.
    on_delete: OnDelete,
}

/// Finds or does what is asked for.
pub(super) fn migrate(
    path: &Path,
    connection: &Connection,
    (on_delete, kept): (OnDelete, &Kept),
    migration: &Migration<'_>,
    scope: Scope,
) -> Result<Vec<Step>, SinkError> {
    let failed = explain(path, "change the tables of");
    let Migration { pipeline, expected, .. } = *migration;
    let expected_epoch = expected.number;
    let layout = Layout { path, connection, pipeline, expected_epoch, on_delete, kept };
    if scope == Scope::Plan {
        return steps(&layout, migration, scope);
    }
    let [rename_alone, rename_all] = sql::SQLITE_RENAME_ALONE;
    connection.execute_batch(rename_alone).map_err(failed)?;
    connection.execute_batch(sqlite_sql::BEGIN_WRITE).map_err(failed)?;
    let done = records::prepare(path, connection, pipeline, &expected)
        .and_then(|()| steps(&layout, migration, scope))
        .and_then(|steps| connection.execute_batch(sqlite_sql::COMMIT).map_err(failed).map(|()| steps));
    if done.is_err() && !connection.is_autocommit() {
        // The first error says what happened.
        let _ = connection.execute_batch(sqlite_sql::ROLLBACK);
    }
    connection.execute_batch(rename_all).map_err(failed)?;
    done
}

fn steps(layout: &Layout<'_>, migration: &Migration<'_>, scope: Scope) -> Result<Vec<Step>, SinkError> {
    let mut steps = Vec::new();
    let mut works = Vec::new();
    for table in migration.kept() {
        // A history's rows never go.
        let on_delete = if migration.is_history(&table.name) { OnDelete::Delete } else { layout.on_delete };
        let planned = on_delete.marks();
        if layout.has_own(&table.name)? {
            let refused = |why: String| refuse(layout.path, &table.name, &why);
            if let Some(why) = layout.constraint_difference(table)? {
                return Err(refused(why));
            }
            let (renames, form) = (migration.renames_of(&table.name), layout.form(&table.name)?);
            if let Some(why) = taken_column(&form, planned, layout.owns_live(&table.name)?) {
                return Err(refused(why));
            }
            let mut changes = TableChanges::between(&form, &planned_form(table, planned), &renames).map_err(refused)?;
            let lax = keep_lax(&mut changes, planned);
            let marks = marks::found(layout.path, layout.connection, on_delete, table)?;
            works.push(Work { table, changes, lax, marks, on_delete });
        } else if scope != Scope::Contract && !migration.is_history(&table.name) {
            let constraints = constraints::of(&layout.kept.constraints, table);
            let create = TableStatements::constrained(table, planned, &constraints).create;
            // The epoch's transaction makes it.
            steps.extend(
                (scope == Scope::Plan).then(|| Step { makes_table: true, ..step(table, Phase::Expand, create) }),
            );
        }
    }
    for work in &works {
        // SQLite changes no table that a view could not be read from then.
        let view = layout.live_statement(&work.table.name)?;
        let added = if scope == Scope::Plan { Vec::new() } else { layout.drop_live(&work.table.name)? };
        if scope != Scope::Contract {
            expand(layout, work, scope, &mut steps)?;
        }
        if scope != Scope::Expand {
            contract(layout, work, scope, &mut steps)?;
        }
        make_view(layout, work, scope, view.as_deref(), &mut steps)?;
        if layout.live_statement(&work.table.name)?.is_some() {
            layout::restore(layout.path, layout.connection, &added)?;
        }
    }
    if scope != Scope::Expand {
        let owned = layout.owned()?;
        let is_kept = |name: &String| {
            let is_planned_view =
                |table: &TableSchema| layout.on_delete == OnDelete::Mark && live_name(&table.name) == *name;
            migration.kept().any(|table| table.name.eq_ignore_ascii_case(name))
                || migration.tables.iter().any(is_planned_view)
        };
        for name in owned.iter().filter(|name| !is_kept(name)).cloned() {
            let statement = match is_live_view(&name, &owned, migration.tables) {
                true => drop_view(Dialect::Sqlite, &name),
                false => drop_table(Dialect::Sqlite, &name),
            };
            if scope == Scope::Contract {
                layout.drop_owned(&name, &owned)?;
            }
            let (phase, algorithm) = (Phase::Contract, Algorithm::Instant);
            steps.push(Step { table: name, phase, statement, algorithm, makes_table: false });
        }
    }
    Ok(steps)
}

fn step(table: &TableSchema, phase: Phase, statement: String) -> Step {
    Step { table: table.name.clone(), phase, statement, algorithm: Algorithm::Instant, makes_table: false }
}

/// Makes the view of a table's live rows, which stays as long as there may be marked ones. `before` is how it was made.
fn make_view(
    layout: &Layout<'_>,
    work: &Work<'_>,
    scope: Scope,
    before: Option<&str>,
    steps: &mut Vec<Step>,
) -> Result<(), SinkError> {
    let is_planned = work.on_delete == OnDelete::Mark;
    if !is_planned && (scope != Scope::Expand || work.marks == Marks::None) {
        return Ok(());
    }
    let statement = create_live(Dialect::Sqlite, work.table);
    match scope {
        Scope::Plan => layout.check_live_name(&work.table.name)?,
        Scope::Expand | Scope::Contract => layout.make_live(work.table)?,
    }
    if is_planned && before != Some(statement.as_str()) {
        steps.push(step(work.table, Phase::Expand, statement));
    }
    Ok(())
}

fn expand(layout: &Layout<'_>, work: &Work<'_>, scope: Scope, steps: &mut Vec<Step>) -> Result<(), SinkError> {
    let (table, changes) = (work.table, &work.changes);
    if work.marks == Marks::LeftOver {
        let known = lax(layout.connection, &table.name).map_err(explain(layout.path, "read the ledger of"))?;
        if !known.contains(&DELETED_AT.into()) {
            steps.push(step(table, Phase::Expand, sql::insert_lax(Dialect::Sqlite, &table.name, DELETED_AT)));
        }
    }
    let of = |table| constraints::of(&layout.kept.constraints, table);
    unique::drop_others(layout, table, scope, steps)?;
    for change in &changes.expand {
        if let Some(statement) = sql::sqlite_alter(&table.name, change) {
            run(layout, scope, &[&statement])?;
            steps.push(step(table, Phase::Expand, statement));
        }
    }
    if changes.expand.iter().any(|change| matches!(change, Change::AllowNull(_))) {
        let statements = sql::sqlite_copy(&table.name, &changes.expanded, &key(table), &of(table));
        copy(layout, scope, table, statements, Phase::Expand, steps)?;
    }
    unique::add_missing(layout, (table, work.marks), scope, steps)?;
    if scope == Scope::Expand {
        remember(layout, &table.name, &changes.lax)?;
    }
    Ok(())
}

fn contract(layout: &Layout<'_>, work: &Work<'_>, scope: Scope, steps: &mut Vec<Step>) -> Result<(), SinkError> {
    let (table, changes) = (work.table, &work.changes);
    let of = |table| constraints::of(&layout.kept.constraints, table);
    if scope == Scope::Contract && !changes.expand.is_empty() {
        return Err(refuse(layout.path, &table.name, "it is not expanded yet"));
    }
    if work.marks == Marks::LeftOver && changes.contract.contains(&Change::DropColumn(DELETED_AT.into())) {
        let statement = delete_marked(Dialect::Sqlite, &table.name);
        run(layout, scope, &[&statement])?;
        steps.push(Step { algorithm: Algorithm::Inplace, ..step(table, Phase::Contract, statement) });
    }
    if changes.contract.iter().any(|change| matches!(change, Change::ForbidNull(_))) {
        let columns = planned_form(table, work.on_delete.marks()).columns;
        let statements = sql::sqlite_copy(&table.name, &columns, &key(table), &of(table));
        copy(layout, scope, table, statements, Phase::Contract, steps)?;
    } else {
        for change in &changes.contract {
            if let Some(statement) = sql::sqlite_alter(&table.name, change) {
                run(layout, scope, &[&statement])?;
                // SQLite writes every row again without the column.
                steps.push(Step { algorithm: Algorithm::Copy, ..step(table, Phase::Contract, statement) });
            }
        }
    }
    if scope == Scope::Contract {
        remember(layout, &table.name, &work.lax)?;
    }
    Ok(())
}

/// Copies a table, and puts back what users had added to it.
fn copy(
    layout: &Layout<'_>,
    scope: Scope,
    table: &TableSchema,
    statements: Vec<String>,
    phase: Phase,
    steps: &mut Vec<Step>,
) -> Result<(), SinkError> {
    let added = layout.added_to(&table.name).map_err(explain(layout.path, "read the tables of"))?;
    let list: Vec<&str> = statements.iter().map(String::as_str).collect();
    run(layout, scope, &list)?;
    if scope != Scope::Plan {
        layout::restore(layout.path, layout.connection, &added)?;
    }
    steps.push(Step { algorithm: Algorithm::Copy, ..step(table, phase, statements.join(";\n")) });
    Ok(())
}

fn key(table: &TableSchema) -> Vec<&str> {
    table.key.iter().map(|index| table.schema.columns()[*index].name.as_str()).collect()
}

/// Runs statements, unless they are only planned.
fn run(layout: &Layout<'_>, scope: Scope, statements: &[&str]) -> Result<(), SinkError> {
    for statement in statements.iter().filter(|_| scope != Scope::Plan) {
        layout.connection.execute_batch(statement).map_err(explain(layout.path, "change the tables of"))?;
        failpoint::hit("migrate:step");
    }
    Ok(())
}

/// Writes down in which columns a table is laxer than its pipeline.
fn remember(layout: &Layout<'_>, table: &str, lax: &[String]) -> Result<(), SinkError> {
    let write = || {
        layout.connection.execute(sql::DELETE_LAX, [table])?;
        lax.iter().try_for_each(|column| layout.connection.execute(sql::INSERT_LAX, [table, column]).map(|_| ()))
    };
    write().map_err(explain(layout.path, "write to the ledger of"))
}

fn refuse(path: &Path, table: &str, why: &str) -> SinkError {
    let message =
        format!("table `{table}` in {} cannot be changed into what the pipeline declares: {why}", path.display());
    SinkError::new(SinkErrorKind::Layout, message).with_hint("Run `vardelta rebuild` to make the table from scratch.")
}
