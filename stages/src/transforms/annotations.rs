//! `annotations`: decodes what annotators write into one INFO field: genes, transcripts, consequences.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use vardelta_engine::options;
use vardelta_engine::{
    choices,
    contract::{
        options::Spanned,
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, PlannedInput, StageDoc, StageError, StageType, Transform, TransformRun},
    },
    diagnostics::Diagnostics,
    expression::functions::Function,
    reasons,
};
use vardelta_schemas::{Column, ColumnType, Schema};

use crate::{
    columns::{is_identifier, refuse_existing},
    functions::clinvar,
};

mod alleles;
mod consequences;
mod decode;
mod header;
mod layout;
mod parts;
mod pick;
mod run;
mod split_records;
mod tape;

use layout::{Family, Layout, OUTPUTS};
use parts::{PartOption, Parts};

/// The stage type.
pub static ANNOTATIONS: Annotations = Annotations;

/// The stage type `annotations`.
pub struct Annotations;

reasons! {
    /// What this stage warns of; it rejects nothing.
    pub REASONS:
    warning ANNOTATION_ALLELE_AMBIGUOUS = "annotation_allele_ambiguous":
        "a row's annotation lists alleles that its record does not have, and more than one entry may be the row's: NULL"
        => "annotate after records are split and trimmed: some tool changed the alleles and kept their annotation";
    warning ANNOTATION_ALLELE_UNMATCHED = "annotation_allele_unmatched":
        "a row's annotation has entries, but none of the row's allele: NULL"
        => "annotate after splitting, or with VEP's `--allele_number`";
    warning ANNOTATION_ELSEWHERE = "annotation_elsewhere":
        "a row's BCSQ only points to another record, which has its consequence: NULL"
        => "nothing, if the other record is loaded too";
    warning ANNOTATION_FORMAT_MISSING = "annotation_format_missing":
        "the header does not say how an entry of the field is laid out: NULL"
        => "keep the annotation tool's ##INFO line in the header";
    warning ANNOTATION_PART_BAD = "annotation_part_bad":
        "a part that `parts` names does not fit its type: NULL; counted per value"
        => "read it as text: `{ name = ..., type = \"text\" }`";
    warning ANNOTATION_PART_MISSING = "annotation_part_missing":
        "the header does not list a part that `parts` names: NULL; counted per value"
        => "check the spelling, or run the annotation tool with the part";
    warning ANNOTATION_PARTS_MISMATCH = "annotation_parts_mismatch":
        "an annotation has an entry with fewer or more parts than its header lists: what is missing is NULL"
        => "look whether values hold commas or bars of their own, and keep header and records of one run together";
    warning ANNOTATION_PICK_MISSING = "annotation_pick_missing":
        "the header lists no MANE or CANONICAL part for `pick` to go by: the worst consequence was taken"
        => "run VEP with `--mane` or `--canonical`, or use `pick = \"worst\"`";
    warning CONSEQUENCE_UNKNOWN = "consequence_unknown":
        "an annotation has a consequence that is not in docs/consequences.md: it ranks below all that are"
        => "nothing, unless such a consequence ought to be picked; then tell us its term";
}

choices! {
    /// Which entries become rows.
    pub enum Pick {
        /// The one with the most severe consequence.
        Worst = "worst",
        /// For each gene the one with the most severe consequence.
        WorstPerGene = "worst_per_gene",
        /// That of the MANE transcript.
        Mane = "mane",
        /// That of the canonical transcript.
        Canonical = "canonical",
        /// Every one.
        All = "all",
    }
}

options! {
    /// Options of `annotations`.
    pub struct AnnotationsOptions {
        /// The INFO field to decode; the vcf source must read it (`info = ["ANN"]` makes the column `info_ann`): ANN, EFF,
        /// CSQ, BCSQ, GENEINFO, or any other whose header lists its parts after `Format:`, such as gnomAD's vep.
        "field" => field: Spanned<String>,
        /// Which entries of the allele become rows. `worst`: the one with the most severe consequence. `mane`: that of the
        /// MANE Select transcript, else of MANE Plus Clinical, else of the canonical one, else the worst. `canonical`: that
        /// of the canonical transcript, else the worst. `worst_per_gene`: one row per gene, the worst of each. `all`: one
        /// row per entry, in the order of the file.
        "pick" => pick: Spanned<Pick> = Spanned { value: Pick::Worst, span: 0..0 }, "\"worst\"",
        /// Further parts of the picked entry, each into a column: `{ lof = "LoF", gnomad_af = { name = "gnomADe_AF",
        /// type = "float64" } }`. The name is the header's, in any case; the type text, int64, float64, decimal(p,s), bool or
        /// date. A value that does not fit its type is NULL and counted (`annotation_part_bad`), as is a part that the header
        /// does not list (`annotation_part_missing`).
        "parts" => parts: Parts = Parts::default(), "{}",
    }
}

impl StageType for Annotations {
    fn name(&self) -> &'static str {
        "annotations"
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn version(&self) -> u32 {
        // 3: what is left open by alleles that the record does not have is NULL.
        // 2: ties no longer go by the order of entries in the file; headers lay out ANN and BCSQ too.
        3
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("annotations/manual.md"),
            example: example_of_alleles!("annotations", "annotations/example_stages.toml", "variants"),
            options: AnnotationsOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        REASONS.to_vec()
    }

    fn functions(&self) -> &'static [Function] {
        clinvar::FUNCTIONS
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = AnnotationsOptions::read(request.options, diagnostics);
        let [input] = request.inputs.as_slice() else { return None };
        let options = options?;
        let family = Family::of(&options.field.value);
        let pick = options.pick.value;
        if matches!(pick, Pick::Mane | Pick::Canonical) && !family.marks_transcripts() {
            diagnostics
                .error(
                    options.pick.span.clone(),
                    format!("{} does not say which transcripts are {}", options.field.value, pick.as_str()),
                )
                .hint("Use pick = \"worst\", or decode VEP's CSQ.");
            return None;
        }
        let places = Places::find(input, family, &options.field, diagnostics);
        refuse_existing(input, &OUTPUTS, "annotations", diagnostics)?;
        let mut columns = input.schema.columns().to_vec();
        columns.extend(
            OUTPUTS.iter().zip(DOCS).map(|(name, doc)| Column::nullable(*name, ColumnType::Text).with_doc(doc)),
        );
        let parts = options.parts.0;
        check_parts(&parts, family, &columns, diagnostics)?;
        columns.extend(parts.iter().map(PartOption::column));
        let schema = Schema::new(columns);
        let arrow_schema = schema.to_arrow();
        let layout = family.default_layout().map(Arc::new);
        let field = options.field.value;
        let planned = PlannedAnnotations { family, field, pick, parts, places: places?, layout, schema, arrow_schema };
        Some(Planned::Transform(Arc::new(planned)))
    }
}

/// Reports parts whose columns cannot be, and parts of a field that has no names for them.
fn check_parts(parts: &[PartOption], family: Family, columns: &[Column], diagnostics: &mut Diagnostics) -> Option<()> {
    let before = diagnostics.len();
    for (at, part) in parts.iter().enumerate() {
        let column = &part.column;
        if family == Family::Geneinfo {
            diagnostics
                .error(column.span.clone(), "GENEINFO has no parts but symbol and identifier")
                .hint("Use `gene_symbol` and `gene_id`.");
        }
        if !is_identifier(&column.value) {
            diagnostics
                .error(column.span.clone(), format!("`{}` cannot be the name of a column", column.value))
                .hint("A name is made of the letters A to Z, digits and `_`, and does not begin with a digit.");
        }
        let known = columns.iter().map(|column| &column.name).chain(parts[..at].iter().map(|part| &part.column.value));
        if known.into_iter().any(|known| known.eq_ignore_ascii_case(&column.value)) {
            diagnostics
                .error(column.span.clone(), format!("there already is a column `{}`", column.value))
                .hint("Give the part's column another name.");
        }
    }
    (diagnostics.len() == before).then_some(())
}

/// What the added columns mean.
const DOCS: [&str; OUTPUTS.len()] = [
    "The gene's symbol, as the annotator writes it.",
    "The gene's identifier in the annotator's gene set.",
    "The transcript or other feature.",
    "The biotype of the transcript.",
    "Sequence Ontology terms, joined by `&`, as the annotator writes them; of EFF, what its effects are in these terms.",
    "HIGH, MODERATE, LOW or MODIFIER.",
    "The change in the transcript, in HGVS notation.",
    "The change in the protein, in HGVS notation.",
];

/// Where the columns that this stage reads are in its input.
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
    fn find(
        input: &PlannedInput<'_>,
        family: Family,
        field: &Spanned<String>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Places> {
        let name = format!("info_{}", field.value.to_ascii_lowercase());
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
                .hint(format!("Name the field plainly in the vcf source: info = [\"{}\"].", field.value));
            return None;
        }
        let Some(at) = text(&name) else {
            diagnostics
                .error(field.span.clone(), format!("`{}` has no column `{name}`", input.name))
                .label(format!("`{name}` is missing"))
                .hint(format!("Add \"{}\" to `info` of the vcf source.", field.value));
            return None;
        };
        // Only entries that name an allele need one to compare with.
        let alternate = text("orig_alt").or_else(|| text("alt"));
        if alternate.is_none() && family.names_alleles() {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("`{}` has no column `alt` to find an allele's entries by", input.name),
                )
                .hint("Put annotations right after normalize, before a select that leaves `alt` out.");
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
    family: Family,
    /// The field's name.
    field: String,
    pick: Pick,
    parts: Vec<PartOption>,
    places: Places,
    /// The layout where the header does not say it.
    layout: Option<Arc<Layout>>,
    schema: Schema,
    arrow_schema: SchemaRef,
}

impl Transform for PlannedAnnotations {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn needs_provenance(&self) -> bool {
        matches!(self.family, Family::Eff | Family::Declared)
    }

    fn passes_through(&self, column: usize) -> Option<usize> {
        (!matches!(self.pick, Pick::All | Pick::WorstPerGene)).then_some(column)
    }

    fn carries(&self, column: usize) -> Vec<usize> {
        vec![column]
    }

    fn reads(&self, column: usize) -> bool {
        let places = &self.places;
        [Some(places.field), places.reference, places.alternate, places.allele_number].contains(&Some(column))
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Ok(Box::new(run::Annotator::new(self.clone(), [true; OUTPUTS.len()])))
    }

    fn start_live(&self, live: &[bool]) -> Result<Box<dyn TransformRun>, StageError> {
        let first = self.schema.columns().len() - self.parts.len() - OUTPUTS.len();
        let wanted = std::array::from_fn(|output| live.get(first + output).copied().unwrap_or(true));
        Ok(Box::new(run::Annotator::new(self.clone(), wanted)))
    }
}

#[cfg(test)]
mod tests;
