//! `regions`: variants against a gene model.

mod model;
mod options;
mod overlaps;
mod parts;
mod region;
#[cfg(test)]
mod tests;

use std::{ops::RangeInclusive, sync::Arc};

use vardelta_engine::{
    contract::stage::{Kind, PlanRequest, Planned, PlannedInput, StageDoc, StageType},
    diagnostics::Diagnostics,
    example_after_variants,
    relational::{Relational, ResidentSpec},
};
use vardelta_schemas::{Column, ColumnType, Schema};

use self::{
    model::{ModelColumns, Regions, VariantColumns},
    options::{Pick, RegionsOptions},
    region::Region,
};
use crate::columns::suggestion;

/// The stage type `regions`.
pub struct RegionsStage;

/// For the registry.
pub static REGIONS: RegionsStage = RegionsStage;

impl StageType for RegionsStage {
    fn name(&self) -> &'static str {
        "regions"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("regions/manual.md"),
            example: example_after_variants!(
                "variants_in_genes",
                r#"[stages.gene_rows]
type = "gff3"
path = "genes/*.gff3"
features = ["gene", "exon", "CDS"]

[stages.gene_model]
type = "table"
input = "gene_rows"
key = ["feature_key"]

[stages.in_genes]
type = "regions"
inputs = ["variants", "gene_model"]
chromosome = "chrom"
position = "pos"
reference = "ref"
upstream_bp = 2000
"#,
                r#"["in_genes"]"#
            ),
            options: RegionsOptions::DOCS,
        }
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = RegionsOptions::read(request.options, diagnostics)?;
        let [variants, genes] = &request.inputs[..] else { return None };
        let key = variant_key(variants, diagnostics);
        let columns = VariantColumns::find(variants, &options, diagnostics);
        let model = ModelColumns::find(genes, diagnostics);
        let (key, columns, model) = (key?, columns?, model?);
        let mut schema = variants.schema.columns().to_vec();
        let added = [
            Column::nullable("gene_id", ColumnType::Text).with_doc("gene, NULL between genes"),
            Column::nullable("gene_symbol", ColumnType::Text),
            Column::nullable("region", ColumnType::Text).with_doc(Region::NAMES.join(", ")),
        ];
        for column in &added {
            if schema.iter().any(|known| known.name == column.name) {
                diagnostics
                    .error(variants.span.clone(), format!("`{}` has a column `{}` already", variants.name, column.name))
                    .label("the stage adds one of this name")
                    .hint("Rename yours with a `select` stage before.");
                return None;
            }
        }
        let adds_to_key = options.pick.value == Pick::All;
        let mut output_key = key.to_vec();
        output_key.extend(adds_to_key.then_some(schema.len()));
        schema.extend(added);
        let place = [columns.chromosome, columns.position];
        Some(Planned::Relational(Relational::from(ResidentSpec {
            schema: Schema::new(schema),
            key: output_key,
            place,
            added: 3,
            adds_to_key,
            is_left_shared: variants.is_table && key.starts_with(&place),
            is_right_shared: genes.is_table,
            resident: Arc::new(Regions::new(columns, model, &options)),
        })))
    }
}

/// The key of the variants, which they must have.
fn variant_key<'a>(variants: &PlannedInput<'a>, diagnostics: &mut Diagnostics) -> Option<&'a [usize]> {
    if variants.key.is_none() {
        diagnostics
            .error(variants.span.clone(), format!("`{}` has no key", variants.name))
            .label("not keyed")
            .hint("Put a `table` between, and keep its key's columns in the `select` stages after it.");
    }
    variants.key
}

/// The place of a column of this type that an option names.
fn column(
    input: &PlannedInput<'_>,
    name: &vardelta_engine::contract::options::Spanned<String>,
    wanted: &ColumnType,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    // An option's default has no place of its own: the input's is shown.
    let span = if name.span.is_empty() { input.span.clone() } else { name.span.clone() };
    let Some(at) = input.schema.index_of(&name.value) else {
        diagnostics
            .error(span, format!("`{}` has no column `{}`", input.name, name.value))
            .label("unknown column")
            .hint(suggestion(&name.value, input.schema.columns()));
        return None;
    };
    let found = &input.schema.columns()[at].column_type;
    if found != wanted {
        diagnostics
            .error(span, format!("column `{}` of `{}` is {found}, not {wanted}", name.value, input.name))
            .hint("Name another column, or make it one of that type in a `select` stage.");
        return None;
    }
    Some(at)
}
