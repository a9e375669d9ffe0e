//! `table`: drops become a keyed collection.

use std::{collections::BTreeSet, ops::Range};

use vardelta_schemas::{Column, ColumnType, Schema};

use crate::options;
use crate::{
    contract::{
        options::Spanned,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    plan::sink_tables::LIST_ADVICE,
    relational::{Conflict, Relational, TableSpec},
    suggest::{listed, nearest},
};

options! {
    /// Options of `table`.
    pub struct TableOptions {
        /// The key columns, in key order: at least one, none of which may be NULL. Rows with equal keys are the same row.
        "key" => key: Spanned<Vec<Spanned<String>>>,
        /// Which drop's row wins when several drops assert a key: the one that comes last (`latest_drop`) or first
        /// (`first_drop`) in ledger order, or the one with the greatest value in the column `conflict_by` (`greatest`).
        "conflict" => conflict: Spanned<Conflict> = Spanned { value: Conflict::LatestDrop, span: 0..0 }, "\"latest_drop\"",
        /// With `conflict = "greatest"` the column that decides, such as the release of an annotation, so that an older
        /// release that is loaded later does not win. Numbers and dates by their value, texts by their bytes; NULL is less
        /// than any value; of equal values the row of the drop that comes last in ledger order wins.
        "conflict_by" => conflict_by: Option<Spanned<String>> = None, "none",
    }
}

/// The stage type `table`.
pub struct TableStage;

/// For the registry.
pub static TABLE: TableStage = TableStage;

impl StageType for TableStage {
    fn name(&self) -> &'static str {
        "table"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("table_stage/manual.md"),
            example: include_str!("table_stage/example.toml"),
            options: TableOptions::DOCS,
        }
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let input = request.inputs.first()?;
        let (schema, before) = (input.schema, diagnostics.len());
        check_columns(schema, &input.span, diagnostics);
        let options = TableOptions::read(request.options, diagnostics)?;
        let key = read_key(&options.key, schema, diagnostics)?;
        let conflict_by = read_conflict_by(&options, &key, schema, diagnostics);
        if diagnostics.len() > before {
            return None;
        }
        let schema = schema.clone();
        Some(Planned::Relational(Relational::Table(TableSpec {
            schema,
            key,
            conflict: options.conflict.value,
            conflict_by,
        })))
    }
}

/// A table keeps scalars only.
fn check_columns(schema: &Schema, span: &Range<usize>, diagnostics: &mut Diagnostics) {
    for column in schema.columns().iter().filter(|column| !column.column_type.is_scalar()) {
        diagnostics
            .error(span.clone(), format!("column `{}` is a {}", column.name, column.column_type))
            .label("a table keeps no lists")
            .hint(LIST_ADVICE);
    }
}

/// The key columns' places; `None` after reporting what is wrong with them.
fn read_key(key: &Spanned<Vec<Spanned<String>>>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<Vec<usize>> {
    if key.value.is_empty() {
        diagnostics
            .error(key.span.clone(), "the key is empty")
            .hint("Name the columns whose values tell one row from every other.");
        return None;
    }
    let mut seen = BTreeSet::new();
    let columns: Vec<Option<usize>> = key
        .value
        .iter()
        .map(|name| {
            let at = find_column(name, schema, diagnostics)?;
            if !seen.insert(at) {
                diagnostics
                    .error(name.span.clone(), format!("the key names `{}` twice", name.value))
                    .hint("Name each column once.");
                return None;
            }
            check_key_column(name, &schema.columns()[at], diagnostics).then_some(at)
        })
        .collect();
    columns.into_iter().collect()
}

/// The place of the column that decides; reports what is wrong with it.
fn read_conflict_by(
    options: &TableOptions,
    key: &[usize],
    schema: &Schema,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let name = match (options.conflict.value, &options.conflict_by) {
        (Conflict::Greatest, Some(name)) => name,
        (Conflict::Greatest, None) => {
            diagnostics
                .error(options.conflict.span.clone(), "`conflict = \"greatest\"` needs `conflict_by`")
                .hint("Add `conflict_by = \"…\"`: the column whose greatest value decides.");
            return None;
        }
        (_, Some(name)) => {
            diagnostics
                .error(name.span.clone(), "`conflict_by` is there without `conflict = \"greatest\"`")
                .hint("Write both, or neither.");
            return None;
        }
        (_, None) => return None,
    };
    let at = find_column(name, schema, diagnostics)?;
    if key.contains(&at) {
        diagnostics
            .error(name.span.clone(), format!("`{}` is part of the key, so it decides nothing", name.value))
            .hint("Rows with equal keys have the same value there: name a column that is not in the key.");
    } else if schema.columns()[at].column_type == ColumnType::Float64 {
        diagnostics.error(name.span.clone(), format!("the column `{}` is a float64", name.value)).hint(format!(
            "Equal numbers may differ in the last bit: write `CAST({} AS DECIMAL(18,6))` in a `select`.",
            name.value
        ));
    }
    Some(at)
}

fn find_column(name: &Spanned<String>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<usize> {
    let found = schema.index_of(&name.value);
    if found.is_none() {
        let names = || schema.columns().iter().map(|column| column.name.as_str());
        let problem = diagnostics.error(name.span.clone(), format!("there is no column `{}`", name.value));
        problem.label("unknown column");
        match nearest(&name.value, names()) {
            Some(near) => problem.hint(format!("Did you mean `{near}`?")),
            None => problem.hint(format!("The columns are: {}.", listed(names()))),
        };
    }
    found
}

fn check_key_column(name: &Spanned<String>, column: &Column, diagnostics: &mut Diagnostics) -> bool {
    let shown = &column.name;
    match column.column_type {
        ColumnType::Float64 => {
            diagnostics
                .error(name.span.clone(), format!("the key column `{shown}` is a float64"))
                .label("floats are no keys")
                .hint(format!(
                    "Equal numbers may differ in the last bit: write `CAST({shown} AS DECIMAL(18,6))` in a `select`."
                ));
            false
        }
        // Reported with the other columns of the table.
        ColumnType::List(_) => false,
        _ if column.nullable => {
            diagnostics
                .error(name.span.clone(), format!("the key column `{shown}` may be NULL"))
                .label("a key is never NULL")
                .hint(format!(
                    "Keep the rows that have one with a `filter` stage, `{shown} IS NOT NULL`, or fill it in with \
                     `COALESCE({shown}, …)` in a `select`."
                ));
            false
        }
        ColumnType::Bool | ColumnType::Int64 | ColumnType::Decimal { .. } | ColumnType::Text | ColumnType::Date => true,
    }
}
