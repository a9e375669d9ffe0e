//! CHECK constraints: planned, found in a table, and the rows that they refuse.
//!
//! There are no FOREIGN KEYs: SQLite keeps them only on connections that ask for it, so that what a table promises would
//! hold for vardelta's own rows alone, and it does not say which of them a row violates.

use rusqlite::{Connection, Error, ErrorCode, ffi};
use vardelta_engine::{
    contract::{sink::Offender, stage::PlannedInput},
    diagnostics::Diagnostics,
};
use vardelta_schemas::{
    ColumnType, TableSchema,
    sql::{
        Dialect,
        constraint::{Constraint, Rule},
        sqlite::constraint_name,
        unique::Unique,
    },
    value_text::DOUBLE_DECIMAL_DIGITS,
};

use crate::sinks::{
    shared::{
        constraints::{Checks, PlannedConstraint, plan_checks},
        unique::PlannedUnique,
        values::ColumnReader,
    },
    sqlite::bind::bind,
};

/// What the database is to keep true of a pipeline's tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) constraints: Vec<PlannedConstraint>,
    pub(super) unique: Vec<PlannedUnique>,
}

/// The checks with their tables. What is wrong with them is reported, and so is what SQLite would judge in another way.
pub(super) fn plan(
    checks: &Checks,
    inputs: &[PlannedInput<'_>],
    diagnostics: &mut Diagnostics,
) -> Vec<PlannedConstraint> {
    let planned = plan_checks(checks, inputs, diagnostics);
    for (table, conditions) in &checks.0 {
        let Some(input) = inputs.iter().find(|input| input.name == table.value) else { continue };
        for text in conditions {
            let said =
                |planned: &&PlannedConstraint| planned.table == input.name && planned.constraint.said == text.value;
            let Some(Rule::Check(condition)) = planned.iter().find(said).map(|planned| &planned.constraint.rule) else {
                continue;
            };
            let wide = condition.columns().into_iter().find(|name| is_wide(input, name));
            if let Some(name) = wide {
                diagnostics
                    .error(
                        text.span.clone(),
                        format!("SQLite keeps `{name}` as text, which it does not compare as a number"),
                    )
                    .label("cannot be checked")
                    .hint(format!("Give the column at most {DOUBLE_DECIMAL_DIGITS} digits with a CAST in a `select`."));
            }
        }
    }
    planned
}

fn is_wide(input: &PlannedInput<'_>, name: &str) -> bool {
    let column_type = input.schema.column(name).map(|column| &column.column_type);
    matches!(column_type, Some(ColumnType::Decimal { precision, .. }) if *precision > DOUBLE_DECIMAL_DIGITS)
}

/// The constraints of a table.
pub(super) fn of<'a>(planned: &'a [PlannedConstraint], table: &TableSchema) -> Vec<&'a Constraint> {
    planned.iter().filter(|planned| planned.table == table.name).map(|planned| &planned.constraint).collect()
}

/// What becomes of the rows of one table that SQLite does not take.
pub(super) struct Refusals<'a> {
    pub(super) constraints: Vec<&'a Constraint>,
    pub(super) unique: Vec<Unique>,
    /// Without it the first one ends the run.
    pub(super) offenders: Option<&'a mut Vec<Offender>>,
}

impl Refusals<'_> {
    /// SQLite's words, and those of the pipeline file for the constraint that they name.
    pub(super) fn words(&self, error: &Error) -> String {
        let words = error.to_string();
        let named = |constraint: &&&Constraint| words.ends_with(&constraint_name(constraint));
        match self.constraints.iter().find(named) {
            Some(constraint) => format!("constraint `{}`: {words}", constraint.said),
            None => words,
        }
    }
}

/// The unique index that a row violates, if that is what the error says. SQLite names the columns: `t.a, t.b`.
pub(super) fn violated<'a>(error: &Error, table: &TableSchema, unique: &'a [Unique]) -> Option<&'a Unique> {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let words = error.to_string();
    let named = |index: &&Unique| {
        let columns: Vec<String> = index.columns.iter().map(|column| format!("{}.{column}", table.name)).collect();
        words.ends_with(&format!(": {}", columns.join(", ")))
    };
    unique.iter().find(named).filter(|_| extended == Some(ffi::SQLITE_CONSTRAINT_UNIQUE))
}

/// The key, as texts, of the row that has a row's values in the columns of a unique index.
pub(super) fn holder(
    connection: &Connection,
    table: &TableSchema,
    index: &Unique,
    columns: &[ColumnReader<'_>],
    row: usize,
) -> Option<Vec<Option<String>>> {
    let mut statement = connection.prepare(&index.holder(Dialect::Sqlite, table, &table.name)).ok()?;
    let mut scratch = String::new();
    for (at, name) in (1..).zip(&index.columns) {
        bind(&columns[table.schema.index_of(name)?], &mut statement, at, row, &mut scratch).ok()?;
    }
    let mut rows = statement.raw_query();
    let found = rows.next().ok()??;
    (0..table.key.len()).map(|at| found.get::<_, Option<String>>(at).ok()).collect()
}

/// Whether an error is about the row that a statement writes. The statement has then changed nothing.
pub(super) fn is_about_a_row(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    )
}
