//! Planning a join: the columns are looked up and typed, the output's key is derived, and each side gets what it is to keep.

use std::{collections::BTreeSet, ops::Range};

use vardelta_schemas::{Column, ColumnType, Schema};

use super::{How, JoinSide, JoinSpec, columns::Pair};
use crate::{
    contract::{options::Spanned, stage::PlannedInput},
    diagnostics::Diagnostics,
    relational::join_stage::JoinOptions,
    suggest::nearest,
};

/// One side of a join that is being planned.
#[derive(Clone, Copy)]
struct Input<'a> {
    name: &'a str,
    schema: &'a Schema,
    key: &'a [usize],
    is_table: bool,
}

/// Plans the joins of a stage, left to right: the last one, which holds the ones before it. `None` after reporting what is
/// wrong.
pub(crate) fn plan_joins(
    inputs: &[PlannedInput<'_>],
    options: &JoinOptions,
    diagnostics: &mut Diagnostics,
) -> Option<JoinSpec> {
    let (first, others) = inputs.split_first()?;
    let further = others.len();
    let on = options.on.pairs(further, diagnostics);
    let how = options.how.each("how", further, diagnostics);
    let prefix = options.prefix.each("prefix", further, diagnostics);
    let keys: Vec<Option<&[usize]>> = inputs.iter().map(|input| keyed(input, diagnostics)).collect();
    let (on, how, prefix) = (on?, how?, prefix?);
    let mut planned: Vec<JoinSpec> = Vec::new();
    for (at, other) in others.iter().enumerate() {
        let left = match planned.last() {
            None => Input { name: first.name, schema: first.schema, key: keys[0]?, is_table: first.is_table },
            Some(before) => {
                let Some(key) = &before.key else {
                    diagnostics
                        .error(
                            inputs[at].span.clone(),
                            format!("`{}` is not unique by its `on` columns", inputs[at].name),
                        )
                        .label("the rows so far have no key")
                        .hint(NOT_UNIQUE_ADVICE);
                    return None;
                };
                Input { name: "the joins before", schema: &before.schema, key, is_table: false }
            }
        };
        let right = Input { name: other.name, schema: other.schema, key: keys[at + 1]?, is_table: other.is_table };
        let spec = plan_join(left, right, how[at], &on[at], prefix[at].as_ref(), &other.span, diagnostics)?;
        planned.push(spec);
    }
    let mut last = planned.pop()?;
    last.earlier = planned;
    Some(last)
}

/// What to do where a left join's right side may have several rows for a left row.
pub(crate) const NOT_UNIQUE_ADVICE: &str = "A left row without a partner would have NULL in its key: aggregate the right side to one \
     row per `on` columns, or use how = \"inner\". An `aggregate` may read the rows as they are.";

/// The key of an input, which it must have.
fn keyed<'a>(input: &PlannedInput<'a>, diagnostics: &mut Diagnostics) -> Option<&'a [usize]> {
    if input.key.is_none() {
        diagnostics
            .error(input.span.clone(), format!("`{}` has no key, so its rows cannot be joined", input.name))
            .label("not keyed")
            .hint("Put a `table` (or an `aggregate`) between, keep the key's columns in the `select` stages after it, and give a `union` a `tag`.");
    }
    input.key
}

fn plan_join(
    left: Input<'_>,
    right: Input<'_>,
    how: How,
    on: &[Pair],
    prefix: Option<&Spanned<String>>,
    right_span: &Range<usize>,
    diagnostics: &mut Diagnostics,
) -> Option<JoinSpec> {
    let pairs: Vec<Option<(usize, usize)>> = on.iter().map(|pair| resolve(pair, left, right, diagnostics)).collect();
    let pairs: Vec<(usize, usize)> = pairs.into_iter().collect::<Option<_>>()?;
    let (mut seen_left, mut seen_right) = (BTreeSet::new(), BTreeSet::new());
    for ((a, b), (l, r)) in on.iter().zip(&pairs) {
        for (name, is_new) in [(a, seen_left.insert(*l)), (b, seen_right.insert(*r))] {
            if !is_new {
                diagnostics
                    .error(name.span.clone(), format!("`on` names `{}` twice", name.value))
                    .hint("Name each column once on each side.");
                return None;
            }
        }
    }
    let (pairs, is_shared) = order(pairs, left, right);
    let on_left: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    let on_right: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();

    let left_width = left.schema.columns().len();
    let kept: Vec<usize> = (0..right.schema.columns().len()).filter(|column| !on_right.contains(column)).collect();
    let mut columns = left.schema.columns().to_vec();
    for column in &kept {
        columns.push(right_column(&right.schema.columns()[*column], how, prefix));
    }
    check_names(&columns, left_width, right, prefix, right_span, diagnostics)?;

    let right_own: Vec<usize> = right.key.iter().copied().filter(|column| !on_right.contains(column)).collect();
    let mut identity = left.key.to_vec();
    let place = |column: &usize| kept.iter().position(|kept| kept == column).map(|at| left_width + at);
    identity.extend(right_own.iter().filter_map(place));
    let is_keyed = how == How::Inner || right_own.is_empty();
    let left_value = (0..left_width).filter(|column| !left.key.contains(column)).collect();
    let right_value = kept.iter().copied().filter(|column| !right_own.contains(column)).collect();
    Some(JoinSpec {
        how,
        schema: Schema::new(columns),
        key: is_keyed.then(|| identity.clone()),
        identity,
        left: JoinSide {
            own_key: if is_shared[0] { Vec::new() } else { left.key.to_vec() },
            on: on_left,
            value: left_value,
            is_shared: is_shared[0],
        },
        right: JoinSide { on: on_right, own_key: right_own, value: right_value, is_shared: is_shared[1] },
        earlier: Vec::new(),
    })
}

/// The columns of a pair, which must have the same type.
fn resolve(pair: &Pair, left: Input<'_>, right: Input<'_>, diagnostics: &mut Diagnostics) -> Option<(usize, usize)> {
    let (a, b) = (find(&pair.0, left, diagnostics), find(&pair.1, right, diagnostics));
    let (a, b) = (a?, b?);
    let (ours, theirs) = (&left.schema.columns()[a], &right.schema.columns()[b]);
    let refused = |of: &ColumnType| matches!(of, ColumnType::Float64 | ColumnType::List(_));
    for (name, column) in [(&pair.0, ours), (&pair.1, theirs)] {
        if refused(&column.column_type) {
            diagnostics
                .error(name.span.clone(), format!("`{}` is a {}", column.name, column.column_type))
                .label("nothing to compare rows by")
                .hint(match column.column_type {
                    ColumnType::Float64 => format!(
                        "Equal numbers may differ in the last bit: write `CAST({} AS DECIMAL(18,6))` in a `select` on both sides.",
                        column.name
                    ),
                    _ => "Make a row of each item with `explode` first.".to_owned(),
                });
            return None;
        }
    }
    if ours.column_type != theirs.column_type {
        diagnostics
            .error(
                pair.1.span.clone(),
                format!(
                    "`{}` of `{}` is {}, but `{}` of `{}` is {}",
                    ours.name, left.name, ours.column_type, theirs.name, right.name, theirs.column_type
                ),
            )
            .label("not the same type")
            .hint(format!(
                "Make them alike in a `select` stage: `CAST({} AS {})`.",
                theirs.name,
                sql_type(&ours.column_type)
            ));
        return None;
    }
    Some((a, b))
}

/// How a type is written in CAST.
fn sql_type(of: &ColumnType) -> String {
    match of {
        ColumnType::Bool => "BOOLEAN".into(),
        ColumnType::Int64 => "BIGINT".into(),
        ColumnType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        ColumnType::Date => "DATE".into(),
        _ => "VARCHAR".into(),
    }
}

fn find(name: &Spanned<String>, input: Input<'_>, diagnostics: &mut Diagnostics) -> Option<usize> {
    let found = input.schema.index_of(&name.value);
    if found.is_none() {
        let names = || input.schema.columns().iter().map(|column| column.name.as_str());
        let problem = diagnostics.error(name.span.clone(), format!("`{}` has no column `{}`", input.name, name.value));
        problem.label("unknown column");
        match nearest(&name.value, names()) {
            Some(near) => problem.hint(format!("Did you mean `{near}`?")),
            None => problem.hint(format!("Its columns are: {}.", names().collect::<Vec<_>>().join(", "))),
        };
    }
    found
}

/// Puts the pairs in the order in which they are encoded, and says which sides' own tables hold their rows by it. A table
/// does where the columns are its key in its key's order. The right side comes first: its rows are looked up.
fn order(pairs: Vec<(usize, usize)>, left: Input<'_>, right: Input<'_>) -> (Vec<(usize, usize)>, [bool; 2]) {
    let by = |input: Input<'_>, side: fn(&(usize, usize)) -> usize| -> Option<Vec<(usize, usize)>> {
        let pair = |column: &usize| pairs.iter().find(|pair| side(pair) == *column).copied();
        (input.is_table && input.key.len() == pairs.len()).then(|| input.key.iter().map(pair).collect())?
    };
    let ordered = by(right, |pair| pair.1).or_else(|| by(left, |pair| pair.0)).unwrap_or_else(|| pairs.clone());
    let is_shared = |input: Input<'_>, side: fn(&(usize, usize)) -> usize| {
        input.is_table && ordered.iter().map(side).eq(input.key.iter().copied())
    };
    let shared = [is_shared(left, |pair| pair.0), is_shared(right, |pair| pair.1)];
    (ordered, shared)
}

/// A column of the right side as the output has it.
fn right_column(column: &Column, how: How, prefix: Option<&Spanned<String>>) -> Column {
    let prefix = prefix.map(|prefix| prefix.value.as_str()).unwrap_or_default();
    Column { name: format!("{prefix}{}", column.name), nullable: column.nullable || how == How::Left, ..column.clone() }
}

/// Refuses columns of equal names.
fn check_names(
    columns: &[Column],
    left_width: usize,
    right: Input<'_>,
    prefix: Option<&Spanned<String>>,
    right_span: &Range<usize>,
    diagnostics: &mut Diagnostics,
) -> Option<()> {
    if let Some(prefix) = prefix
        && !prefix.value.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    {
        diagnostics
            .error(prefix.span.clone(), format!("`{}` is no beginning of a column name", prefix.value))
            .hint("Use ASCII letters, digits and `_`, as in \"clinvar_\".");
        return None;
    }
    let (ours, theirs) = columns.split_at(left_width);
    let Some(twice) = theirs.iter().find(|theirs| ours.iter().any(|ours| ours.name == theirs.name)) else {
        return Some(());
    };
    let span = prefix.map_or_else(|| right_span.clone(), |prefix| prefix.span.clone());
    diagnostics
        .error(span, format!("both sides have a column `{}`", twice.name))
        .label(format!("also a column of `{}`", right.name))
        .hint(match prefix {
            None => format!(
                "Set `prefix`, e.g. prefix = \"{}_\": it goes before every column of the right side.",
                right.name
            ),
            Some(_) => "Choose another prefix, or rename the column with a `select` stage.".to_owned(),
        });
    None
}
