//! What stages share: naming columns and finding an input's when they plan, reading them when they run.

use arrow_array::{Array, Int64Array, ListArray, RecordBatch, StringArray};
use vardelta_engine::{
    contract::{options::Spanned, stage::PlannedInput},
    diagnostics::Diagnostics,
    suggest::{listed, nearest},
};
use vardelta_schemas::{Column, ColumnType};

/// The place of the column `name` in an input, if it is there with this type; reports what is wrong otherwise. `hint`
/// says what to do when the column is missing or of another type.
pub(crate) fn require(
    input: &PlannedInput<'_>,
    name: &str,
    column_type: &ColumnType,
    hint: &str,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let Some(at) = input.schema.index_of(name) else {
        diagnostics
            .error(input.span.clone(), format!("`{}` has no column `{name}`", input.name))
            .label(format!("`{name}` is missing"))
            .hint(hint);
        return None;
    };
    let found = &input.schema.columns()[at].column_type;
    if found != column_type {
        diagnostics
            .error(input.span.clone(), format!("column `{name}` of `{}` is {found}, not {column_type}", input.name))
            .hint(hint);
        return None;
    }
    Some(at)
}

/// Like [`require`], for a column that must not be NULL in any row.
pub(crate) fn require_not_null(
    input: &PlannedInput<'_>,
    name: &str,
    column_type: &ColumnType,
    hint: &str,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let at = require(input, name, column_type, hint, diagnostics)?;
    if input.schema.columns()[at].nullable {
        diagnostics
            .error(input.span.clone(), format!("column `{name}` of `{}` may be NULL", input.name))
            .hint(format!("Put a filter with `{name} IS NOT NULL` before this stage."));
        return None;
    }
    Some(at)
}

/// "Did you mean", or else the names there are.
pub(crate) fn suggestion(name: &str, columns: &[Column]) -> String {
    match nearest(name, columns.iter().map(|column| column.name.as_str())) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            format!("Its columns are: {}.", listed(columns.iter().map(|column| column.name.as_str())))
        }
    }
}

/// Whether the input already has one of these columns, which the stage is about to add; reports it if so.
pub(crate) fn refuse_existing(
    input: &PlannedInput<'_>,
    added: &[&str],
    stage: &str,
    diagnostics: &mut Diagnostics,
) -> Option<()> {
    let existing: Vec<&str> = added.iter().copied().filter(|name| input.schema.index_of(name).is_some()).collect();
    for name in &existing {
        diagnostics
            .error(input.span.clone(), format!("`{}` already has the column `{name}` that {stage} adds", input.name))
            .hint(format!("Use {stage} once, or rename the column with a select before it."));
    }
    existing.is_empty().then_some(())
}

/// Whether a name can be a column in every dialect without surprises.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reports names that are no identifiers or that differ in case alone (SQLite and MySQL ignore the case of columns).
pub(crate) fn check_names(names: &[Spanned<String>], diagnostics: &mut Diagnostics) -> bool {
    let problems_before = diagnostics.len();
    for (at, name) in names.iter().enumerate() {
        if !is_identifier(&name.value) {
            diagnostics
                .error(name.span.clone(), format!("`{}` cannot be the name of a column", name.value))
                .hint("A name is made of the letters A to Z, digits and `_`, and does not begin with a digit.");
        }
        if let Some(other) = names[..at].iter().find(|other| other.value.eq_ignore_ascii_case(&name.value)) {
            diagnostics
                .error(name.span.clone(), format!("`{}` and `{}` differ in case alone", other.value, name.value))
                .hint("Databases ignore the case of column names: choose another name.");
        }
    }
    diagnostics.len() == problems_before
}

/// A text column of a batch that is laid out as the plan says.
pub(crate) fn text(batch: &RecordBatch, column: usize) -> &StringArray {
    batch.column(column).as_any().downcast_ref().expect("the plan found a text column here")
}

/// A list column of a batch that is laid out as the plan says.
pub(crate) fn list(batch: &RecordBatch, column: usize) -> &ListArray {
    batch.column(column).as_any().downcast_ref().expect("the plan found a list column here")
}

/// A whole-number column of a batch that is laid out as the plan says.
pub(crate) fn int64(batch: &RecordBatch, column: usize) -> &Int64Array {
    batch.column(column).as_any().downcast_ref().expect("the plan found a whole-number column here")
}
