//! `union`: all rows of all inputs.

use std::ops::RangeInclusive;

use vardelta_schemas::{Column, ColumnType, Schema};

use crate::options;
use crate::{
    contract::{
        options::Spanned,
        stage::{Kind, PlanRequest, Planned, PlannedInput, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    relational::{Relational, UnionSpec},
};

options! {
    /// Options of `union`.
    pub struct UnionOptions {
        /// A column that says from which input a row comes: its name. It comes first and holds the input stage's name; after
        /// tables it leads the key.
        "tag" => tag: Option<Spanned<String>> = None, "none",
    }
}

/// The stage type `union`.
pub struct UnionStage;

/// For the registry.
pub static UNION: UnionStage = UnionStage;

impl StageType for UnionStage {
    fn name(&self) -> &'static str {
        "union"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("union_stage/manual.md"),
            example: include_str!("union_stage/example.toml"),
            options: UnionOptions::DOCS,
        }
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let before = diagnostics.len();
        let tag = UnionOptions::read(request.options, diagnostics)?.tag;
        let (first, others) = request.inputs.split_first()?;
        let mut columns = first.schema.columns().to_vec();
        for other in others {
            check_equal(first, other, diagnostics);
            for (column, theirs) in columns.iter_mut().zip(other.schema.columns()) {
                merge(column, theirs);
            }
        }
        let Some(tag) = tag else {
            let spec = UnionSpec { schema: Schema::new(columns), key: None, tags: None };
            return (diagnostics.len() == before).then_some(Planned::Relational(Relational::Union(spec)));
        };
        let refusal = if tag.value.is_empty() {
            Some("the tag has no name".to_owned())
        } else {
            let taken = columns.iter().any(|column| column.name == tag.value);
            taken.then(|| format!("the inputs have a column `{}` already", tag.value))
        };
        if let Some(refusal) = refusal {
            diagnostics
                .error(tag.span.clone(), refusal)
                .label("the tag is a column of its own")
                .hint("Choose another name for it, such as \"origin\".");
        }
        let doc = "The input stage that the row comes from.";
        columns.insert(0, Column::required(tag.value, ColumnType::Text).with_doc(doc));
        let same_key = request.inputs.iter().all(|input| input.key == first.key);
        let key = first.key.filter(|_| same_key).map(|key| {
            let after_tag = key.iter().map(|column| column + 1);
            std::iter::once(0).chain(after_tag).collect()
        });
        let tags = Some(request.inputs.iter().map(|input| input.name.to_owned()).collect());
        let spec = UnionSpec { schema: Schema::new(columns), key, tags };
        (diagnostics.len() == before).then_some(Planned::Relational(Relational::Union(spec)))
    }
}

/// A column of the union: what both say, or nothing.
fn merge(column: &mut Column, theirs: &Column) {
    column.nullable |= theirs.nullable;
    if column.number != theirs.number {
        column.number = None;
    }
    if column.doc != theirs.doc {
        column.doc.clear();
    }
}

/// Reports the first column in which two inputs differ.
fn check_equal(first: &PlannedInput<'_>, other: &PlannedInput<'_>, diagnostics: &mut Diagnostics) {
    const HINT: &str = "Give both the same columns, in the same order and with the same types, with `select` stages.";
    let (ours, theirs) = (first.schema.columns(), other.schema.columns());
    let at = (0..ours.len().max(theirs.len())).find(|at| match (ours.get(*at), theirs.get(*at)) {
        (Some(our), Some(their)) => our.name != their.name || our.column_type != their.column_type,
        _ => true,
    });
    let Some(at) = at else { return };
    let (a, b) = (first.name, other.name);
    let difference = match (ours.get(at), theirs.get(at)) {
        (Some(our), Some(their)) if our.name == their.name => {
            format!("column `{}` is {} in `{a}` and {} in `{b}`", our.name, our.column_type, their.column_type)
        }
        (Some(our), _) if other.schema.column(&our.name).is_none() => format!("`{b}` has no column `{}`", our.name),
        (_, Some(their)) if first.schema.column(&their.name).is_none() => {
            format!("`{a}` has no column `{}`", their.name)
        }
        (Some(our), Some(their)) => {
            format!("column {} is `{}` in `{a}` and `{}` in `{b}`", at + 1, our.name, their.name)
        }
        _ => return,
    };
    diagnostics
        .error(other.span.clone(), format!("the inputs of a union have the same columns, but {difference}"))
        .label(format!("not the columns of `{a}`"))
        .hint(HINT);
}
