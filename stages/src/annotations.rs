//! `annotations`: decodes what annotators write into one INFO field: genes, transcripts, consequences.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use vardelta_engine::{
    choices,
    diagnostics::Diagnostics,
    options,
    options::{OptionDoc, Spanned},
    reason::Reason,
    reasons,
    stage::{Kind, PlanRequest, Planned, PlannedInput, StageError, StageType, Transform, TransformRun},
};
use vardelta_schemas::{Column, ColumnType, Schema};

use crate::columns::refuse_existing;

mod alleles;
mod consequences;
mod decode;
mod header;
mod layout;
mod run;

use layout::{Layout, OUTPUTS};

/// The stage type.
pub static ANNOTATIONS: Annotations = Annotations;

/// The stage type `annotations`.
pub struct Annotations;

reasons! {
    /// What this stage warns of; it rejects nothing.
    pub REASONS:
    warning ANNOTATION_ALLELE_UNMATCHED = "annotation_allele_unmatched":
        "a row's annotation has entries, but none of the row's allele: NULL"
        => "annotate after splitting, or with VEP's `--allele_number`";
    warning ANNOTATION_FORMAT_MISSING = "annotation_format_missing":
        "the header does not say how a CSQ entry is laid out: NULL"
        => "keep the annotation tool's ##INFO line in the header";
}

choices! {
    /// The fields that can be decoded.
    pub enum Field {
        /// SnpEff, and every tool that follows the common annotation format of 2015.
        Ann = "ANN",
        /// Ensembl VEP.
        Csq = "CSQ",
        /// bcftools csq.
        Bcsq = "BCSQ",
        /// ClinVar's genes.
        Geneinfo = "GENEINFO",
    }
}

choices! {
    /// Which entries become rows.
    pub enum Pick {
        /// The one with the most severe consequence.
        Worst = "worst",
        /// Every one.
        All = "all",
    }
}

options! {
    /// Options of `annotations`.
    pub struct AnnotationsOptions {
        /// The INFO field to decode; the vcf source must read it (`info = ["ANN"]` makes the column `info_ann`).
        "field" => field: Spanned<Field>,
        /// `worst`: one row with the entry of the most severe consequence, of equals the first in the file.
        /// `all`: one row per entry of the allele, in the order of the file.
        "pick" => pick: Pick = Pick::Worst, "\"worst\"",
    }
}

const MANUAL: &str = "\
Decodes what annotators write into one INFO field: genes, transcripts, consequences.

Adds `gene_symbol`, `gene_id`, `feature_id`, `biotype`, `consequence`, `impact`, `hgvs_c` and `hgvs_p`, all text; what a \
field does not carry is NULL. A row without annotation stays, with NULLs: filter with `gene_symbol IS NOT NULL` if it is not \
wanted. Further columns of the input are kept.

ANN (SnpEff) has 16 fixed parts. CSQ (Ensembl VEP) is laid out as the file's header says; entries may have fewer parts. BCSQ \
(bcftools csq) names no allele, so its entries are of every allele of the record, and `@position` is no annotation. GENEINFO \
(ClinVar) lists genes: `pick = \"worst\"` takes the first.

An entry counts for a row if its allele is the row's ALT as the file writes it, before normalize changed it; or VEP's \
shortened form of it (without the first base, `-` for a deletion), or, where CSQ has ALLELE_NUM, its number. A row whose \
annotation has no entry of its allele gets NULLs and is counted (`annotation_allele_unmatched`).

Severity follows Ensembl's order of Sequence Ontology terms, from transcript_ablation to intergenic_variant, with the terms \
that only SnpEff and bcftools write beside those they resemble. Of several terms joined by `&` the worst decides; an unknown \
term ranks last. Where a field carries no impact, it is that of the worst term.

When to use: behind normalize, so that every row has one allele. When not: for fields whose values need no decoding, such as \
CLNSIG; those are columns already.
";

const EXAMPLE: &str = r#"[pipeline]
name = "annotations_example"

[stages.calls]
type = "vcf"
path = "drops/*.vcf"
info = ["ANN", "CLNSIG", "DP"]

[stages.alleles]
type = "normalize"
input = "calls"

[stages.consequences]
type = "annotations"
input = "alleles"
field = "ANN"
pick = "worst"

[stages.annotated]
type = "select"
input = "consequences"
[stages.annotated.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "alt"
gene_symbol = "gene_symbol"
consequence = "consequence"
impact = "impact"
clinical_significance = "info_clnsig"

[stages.variants]
type = "table"
input = "annotated"
key = ["chromosome", "position", "reference", "alternate"]
conflict = "latest_drop"

[stages.warehouse]
type = "sqlite"
path = "example.sqlite"
tables = ["variants"]
"#;

impl StageType for Annotations {
    fn name(&self) -> &'static str {
        "annotations"
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn manual(&self) -> &'static str {
        MANUAL
    }

    fn example(&self) -> &'static str {
        EXAMPLE
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        REASONS.to_vec()
    }

    fn options(&self) -> &'static [OptionDoc] {
        AnnotationsOptions::DOCS
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = AnnotationsOptions::read(request.options, diagnostics);
        let [input] = request.inputs.as_slice() else { return None };
        let options = options?;
        let field = options.field.value;
        let places = Places::find(input, &options.field, diagnostics);
        refuse_existing(input, &OUTPUTS, "annotations", diagnostics)?;
        let mut columns = input.schema.columns().to_vec();
        columns.extend(
            OUTPUTS.iter().zip(DOCS).map(|(name, doc)| Column::nullable(*name, ColumnType::Text).with_doc(doc)),
        );
        let schema = Schema::new(columns);
        let arrow_schema = schema.to_arrow();
        let layout = Layout::fixed(field).map(Arc::new);
        let planned = PlannedAnnotations { field, pick: options.pick, places: places?, layout, schema, arrow_schema };
        Some(Planned::Transform(Arc::new(planned)))
    }
}

/// What the added columns mean.
const DOCS: [&str; OUTPUTS.len()] = [
    "The gene's symbol, as the annotator writes it.",
    "The gene's identifier in the annotator's gene set.",
    "The transcript or other feature.",
    "The biotype of the transcript.",
    "Sequence Ontology terms, joined by `&`, as the annotator writes them.",
    "HIGH, MODERATE, LOW or MODIFIER.",
    "The change in the transcript, in HGVS notation.",
    "The change in the protein, in HGVS notation.",
];

/// Where the columns that this stage reads stand in its input.
#[derive(Clone, Debug)]
struct Places {
    /// The annotation.
    field: usize,
    /// REF and ALT as the file writes them, where the input has them.
    reference: Option<usize>,
    alternate: Option<usize>,
    /// The allele's number in its record, where the input has it.
    allele_number: Option<usize>,
}

impl Places {
    fn find(input: &PlannedInput<'_>, field: &Spanned<Field>, diagnostics: &mut Diagnostics) -> Option<Places> {
        let name = format!("info_{}", field.value.as_str().to_ascii_lowercase());
        let of_type = |name: &str, column_type: ColumnType| {
            input.schema.index_of(name).filter(|at| input.schema.columns()[*at].column_type == column_type)
        };
        let text = |name: &str| of_type(name, ColumnType::Text);
        if let Some(ColumnType::List(_)) = input.schema.column("alt").map(|column| &column.column_type) {
            diagnostics
                .error(input.span.clone(), format!("`alt` of `{}` still lists all alleles of a record", input.name))
                .label("several alleles per row")
                .hint("Put a normalize stage before annotations.");
            return None;
        }
        if let Some(column) = input.schema.column(&name)
            && column.column_type != ColumnType::Text
        {
            diagnostics
                .error(
                    field.span.clone(),
                    format!("column `{name}` of `{}` is {}, not text", input.name, column.column_type),
                )
                .hint(format!("Name the field plainly in the vcf source: info = [\"{}\"].", field.value.as_str()));
            return None;
        }
        let Some(at) = text(&name) else {
            diagnostics
                .error(field.span.clone(), format!("`{}` has no column `{name}`", input.name))
                .label(format!("`{name}` is missing"))
                .hint(format!("Add \"{}\" to `info` of the vcf source.", field.value.as_str()));
            return None;
        };
        // Only entries that name an allele need one to compare with.
        let alternate = text("orig_alt").or_else(|| text("alt"));
        if alternate.is_none() && matches!(field.value, Field::Ann | Field::Csq) {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("`{}` has no column `alt` to find an allele's entries by", input.name),
                )
                .hint("Put annotations right behind normalize, before a select that leaves `alt` out.");
            return None;
        }
        Some(Places {
            field: at,
            reference: text("orig_ref").or_else(|| text("ref")),
            alternate,
            allele_number: of_type("allele_number", ColumnType::Int64),
        })
    }
}

/// An annotations stage of a plan.
#[derive(Clone)]
struct PlannedAnnotations {
    field: Field,
    pick: Pick,
    places: Places,
    /// The layout, where it is the same in all files.
    layout: Option<Arc<Layout>>,
    schema: Schema,
    arrow_schema: SchemaRef,
}

impl Transform for PlannedAnnotations {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn needs_provenance(&self) -> bool {
        self.field == Field::Csq
    }

    fn passes_through(&self, column: usize) -> Option<usize> {
        (self.pick == Pick::Worst).then_some(column)
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Ok(Box::new(run::Annotator::new(self.clone())))
    }
}

#[cfg(test)]
mod tests;
