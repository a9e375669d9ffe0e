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
    contract::{
        options::OptionDoc,
        stage::{Kind, PlanRequest, Planned, PlannedInput, StageType},
    },
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

    fn manual(&self) -> &'static str {
        "Adds to each variant the gene it lies in or near, and which region of it.\n\
         \n\
         The first input is a table of variants (or what `select` and `filter` make of one), the second a gene model: a table \
         of the rows of a `gff3` source. Added are gene_id, gene_symbol and region: splice, CDS, utr5, utr3, exon, intron, \
         upstream, downstream, in this order of severity; all three are NULL between genes. A changed model rewrites only \
         the variants whose gene or region it changes; a changed variant is looked up in the model.\n\
         \n\
         Where a variant lies: from its position over the bases of its reference allele, or to `end` where that is not \
         NULL. The base before an insertion or a deletion belongs to the reference allele and counts, as for bedtools; so an \
         insertion lies at the base it follows. Bases are 1-based, both ends included. Chromosomes are compared by name.\n\
         \n\
         What a region is. A gene is its row of feature `gene`, or, without one, all rows of its gene_id on a chromosome. CDS: a \
         row of feature `CDS`. utr5, utr3: rows that say so, and what a transcript's exons have before its first and after its \
         last CDS base, along the strand. exon: any other part of an exon. splice: the first `splice_bp` bases of an intron \
         on either side. intron: what is left of the gene. upstream, downstream: so many bases before and after the gene, \
         along its strand; a gene without a strand counts as forward. A gene whose model has no exons is one exon. A variant that \
         touches several regions has the most severe.\n\
         \n\
         pick = \"worst\" keeps one gene for a variant: the most severe region, of equal ones a protein_coding gene, then the \
         least gene_id by its bytes. pick = \"all\" yields a row for each gene; gene_id joins the key. Rows of the model that have \
         neither gene_id nor gene_symbol say nothing; without gene_id, gene_symbol takes its place.\n\
         \n\
         The model is held in memory while it is needed, about 200 bytes a row."
    }

    fn example(&self) -> &'static str {
        example_after_variants!(
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
        )
    }

    fn options(&self) -> &'static [OptionDoc] {
        RegionsOptions::DOCS
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
