//! What a stage must be so that a sink can keep it as a table.

use std::collections::BTreeMap;

use vardelta_schemas::TableSchema;

use crate::{
    contract::stage::Planned,
    diagnostics::Diagnostics,
    plan::{StageIndex, Stages, outline::Outline},
};

/// Checks every table that could be planned (`inputs` has a place per reference); reports all that is wrong. True when
/// nothing was.
pub(super) fn check(
    outline: &Outline<'_>,
    inputs: &[Option<StageIndex>],
    stages: &Stages,
    problems: &mut Diagnostics,
) -> bool {
    let before = problems.len();
    // Databases do not tell `Variants` from `variants`.
    let mut tables: BTreeMap<String, &str> = BTreeMap::new();
    for (reference, input) in outline.references.iter().zip(inputs) {
        let span = || reference.span.clone();
        if let Some(other) = tables.insert(reference.name.to_lowercase(), reference.name)
            && other != reference.name
        {
            problems
                .error(span(), format!("the tables `{other}` and `{}` differ by case only", reference.name))
                .hint("A database takes them for the same table: rename one stage.");
        }
        let Some(input) = input else { continue };
        let stage = &stages[*input];
        if stage.key.is_none() {
            problems
                .error(span(), format!("stage `{}` has no key, so no table can be kept of it", stage.name))
                .label("not keyed")
                .hint(key_advice(stages, *input));
        }
        let mut columns: BTreeMap<String, &str> = BTreeMap::new();
        for column in stage.schema.columns() {
            let (name, owner) = (column.name.as_str(), &stage.name);
            if let Some(other) = columns.insert(name.to_lowercase(), name) {
                problems
                    .error(span(), format!("the columns `{other}` and `{name}` of `{owner}` differ by case only"))
                    .hint("A database takes them for the same column: rename one with a `select` stage.");
            }
            if name.eq_ignore_ascii_case(TableSchema::CHANGED_EPOCH) {
                problems
                    .error(span(), format!("`{owner}` has a column `{name}`, which every sink table gets anyway"))
                    .hint("It says which epoch last changed the row: rename yours with a `select` stage.");
            }
            if !column.column_type.is_scalar() {
                problems
                    .error(span(), format!("column `{name}` of `{owner}` is a {}", column.column_type))
                    .label("a table keeps no lists")
                    .hint(LIST_ADVICE);
            }
        }
    }
    problems.len() == before
}

/// What to do with a list column.
pub(crate) const LIST_ADVICE: &str = "Make it one value per row with `normalize` (per allele) or `explode`, one text with list_join(list, ',') in a `select`, \
     or leave it out there.";

/// Why a stage has no key, and what to do.
fn key_advice(stages: &Stages, at: StageIndex) -> String {
    let stage = &stages[at];
    if stage.before_tables {
        return format!("Put a `table` stage after `{}`: type = \"table\", key = [\"…\"].", stage.name);
    }
    let Some(input) = stage.inputs.first().map(|input| &stages[*input]) else {
        return "Put a `table` stage between.".into();
    };
    if let Some(advice) = stage.relation().and_then(|relation| relation.key_advice()) {
        return advice.into();
    }
    match (&stage.planned, &input.key) {
        (Planned::Transform(transform), Some(key)) => {
            let lost = key.iter().filter(|column| transform.passes_through(**column).is_none());
            let names: Vec<String> = lost.map(|column| format!("`{}`", input.schema.columns()[*column].name)).collect();
            format!(
                "The key of `{}` does not come through: keep {} unchanged, one row for one.",
                input.name,
                if names.is_empty() { "its columns".into() } else { names.join(", ") }
            )
        }
        _ => key_advice(stages, stage.inputs[0]),
    }
}
