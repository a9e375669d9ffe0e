//! Unique indexes that come and go. They come when the table has its new columns, and before these are filled: what a column
//! is filled with is then held to them like any other value.

use vardelta_engine::contract::{
    migration::{Algorithm, Phase, Scope, Step},
    sink::SinkError,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect,
        marks::Marks,
        unique::{Unique, drop_sqlite},
    },
};

use super::{Layout, run, step};
use crate::sinks::{
    shared::unique::{check_no_marks, duplicates_error, of, undeclared},
    sqlite::error::explain,
};

/// Drops the unique indexes that vardelta made and that the pipeline no longer declares.
pub(super) fn drop_others(
    layout: &Layout<'_>,
    table: &TableSchema,
    scope: Scope,
    steps: &mut Vec<Step>,
) -> Result<(), SinkError> {
    let planned = of(&layout.kept.unique, table);
    for name in undeclared(&layout.unique_indexes(&table.name)?, &planned) {
        let statement = drop_sqlite(name);
        run(layout, scope, &[&statement])?;
        steps.push(step(table, Phase::Expand, statement));
    }
    Ok(())
}

/// Builds the unique indexes that are missing.
///
/// # Errors
/// When rows share their values: which, by example.
pub(super) fn add_missing(
    layout: &Layout<'_>,
    (table, marks): (&TableSchema, Marks),
    scope: Scope,
    steps: &mut Vec<Step>,
) -> Result<(), SinkError> {
    let found = layout.unique_indexes(&table.name)?;
    for unique in of(&layout.kept.unique, table).iter().filter(|unique| !found.contains(&unique.name)) {
        check_no_marks(&table.name, &layout.path.display().to_string(), marks)?;
        check_values(layout, table, unique)?;
        let statement = unique.create(Dialect::Sqlite, &table.name);
        run(layout, scope, &[&statement])?;
        steps.push(Step { algorithm: Algorithm::Inplace, ..step(table, Phase::Expand, statement) });
    }
    Ok(())
}

fn check_values(layout: &Layout<'_>, table: &TableSchema, unique: &Unique) -> Result<(), SinkError> {
    // A plan has not added columns that are new; nothing is in them.
    let form = layout.form(&table.name)?;
    if unique.columns.iter().any(|column| !form.columns.iter().any(|found| found.name == *column)) {
        return Ok(());
    }
    let read = || {
        let mut statement = layout.connection.prepare(&unique.duplicates(Dialect::Sqlite, table, &table.name))?;
        let texts = statement.column_count();
        let rows = statement.query_map([], |row| (0..texts).map(|at| row.get::<_, Option<String>>(at)).collect())?;
        rows.collect::<rusqlite::Result<Vec<Vec<Option<String>>>>>()
    };
    let rows = read().map_err(explain(layout.path, "look for rows that share values in"))?;
    match rows.is_empty() {
        true => Ok(()),
        false => Err(duplicates_error(table, unique, &layout.path.display().to_string(), &rows)),
    }
}
