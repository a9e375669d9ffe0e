//! `normalize`: one row per ALT allele, trimmed, and left-aligned where a FASTA is given.

use std::{path::PathBuf, sync::Arc};

use arrow_schema::SchemaRef;
use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        options::OptionDoc,
        reason::Reason,
        side_input::SideInput,
        stage::{Kind, PlanRequest, Planned, PlannedInput, StageError, StageType, Transform, TransformRun},
    },
    diagnostics::Diagnostics,
    reasons,
};
use vardelta_schemas::{Column, ColumnType, Number, Schema};

use crate::{
    assembly::PlannedAssembly,
    columns::{refuse_existing, require, require_not_null},
};

mod allele;
mod genotypes;
mod left_align;
mod numbers;
mod reference;
mod run;
mod spans;

/// The stage type.
pub static NORMALIZE: Normalize = Normalize;

/// The stage type `normalize`.
pub struct Normalize;

reasons! {
    /// What this stage rejects and warns of.
    pub REASONS:
    reject REF_EQUALS_ALT = "ref_equals_alt":
        "an alternate allele is the same as the reference allele: the allele is rejected"
        => "write `.` where there is no alternate allele";
    reject REF_MISMATCH = "ref_mismatch":
        "the reference allele is not what the FASTA has at that place: rejected, never swapped"
        => "check that file and FASTA are of the same assembly";
    warning BAD_END = "bad_end":
        "INFO END of a symbolic allele is no position from POS on: taken as absent"
        => "correct END, or give the allele's length in SVLEN";
    warning CONTIG_NOT_IN_FASTA = "contig_not_in_fasta":
        "the FASTA has no contig of this name: trimmed but not left-aligned"
        => "use a FASTA whose contigs are named as in the file";
    warning NUMBER_MISMATCH = "number_mismatch":
        "a field has another number of values than its record has alleles or genotypes: NULL"
        => "correct the field, or read it as text: `{ name = ..., type = \"String\" }`";
}

options! {
    /// Options of `normalize`.
    pub struct NormalizeOptions {
        /// The reference as FASTA with its `.fai` beside it (and `.gzi`, where it is compressed with bgzip). With it
        /// alleles are left-aligned, and a record whose REF disagrees with it is rejected; without it they are only
        /// trimmed.
        "fasta" => fasta: Option<PathBuf> = None, "none: trim only",
        /// Whether `*` alleles, which say that another record's deletion spans the place, get rows of their own.
        "keep_star" => keep_star: bool = false, "false",
    }
}

const MANUAL: &str = "\
Makes one row per ALT allele, trimmed, and left-aligned where a FASTA is given.

`alt` becomes a text. Bases that REF and ALT share are removed at the end, then at the start, never all of an allele, and \
`pos` follows; bases become upper-case. With `fasta` the pair is also moved to the left as far as the reference allows, so \
that one variant has one spelling. A REF that disagrees with the FASTA is rejected (`ref_mismatch`), never swapped; an \
ambiguity code on either side agrees with every base it stands for. With `[pipeline] assembly` the FASTA may spell contigs \
in any way that the assembly knows, and is refused where its lengths contradict it. Where the FASTA lacks the contig the row is trimmed \
only, with the warning `contig_not_in_fasta`.

Fields with a value per allele are split: Number=A gives the allele's value, Number=R that of the alternate allele, \
Number=G the text `RR,RA,AA`, the values of the genotypes of REF and this ALT alone (`R,A` for a haploid call, one value \
more per copy). Where the number of values does not fit the record's alleles the field is NULL and counted \
(`number_mismatch`), never an error; an AD that an old caller declared with Number=. is split where it has a value per \
allele. Other lists stay lists.

With samples = \"long\" every sample's row is split in the same way. `gt` becomes the genotype as the row's allele sees \
it, as `bcftools norm -m -` writes it: this allele is 1, REF and every other ALT 0, `.`, phase and ploidy stay, so that \
1/2 becomes 1/0 and 0/1. It is no measure of homozygous references: `zygosity` is, which is the whole record's, and \
`allele_count` becomes the number of copies of this row's allele.

Added columns: `orig_pos`, `orig_ref` and `orig_alt` hold the allele as the file writes it, `allele_number` its 1-based \
place among the record's alternates. `end_pos` is the last base of the reference that the allele covers, 1-based and \
inclusive, and `sv_len` the length of a symbolic allele, without sign. Of a sequence they are the end of REF and 0, of a \
breakend too. Of a symbolic allele they come from INFO END and SVLEN, whether or not those are projected: one completes \
the other, and SVLEN goes allele by allele where it has a value for each. Where they contradict each other END decides in \
files up to VCF 4.3; since 4.4 SVLEN does for deletions, duplications, inversions and copy numbers, as END is computed from \
it there. Of a record with several alternates END is that of the longest, so SVLEN decides in any version. An insertion \
covers no base however long it is: since 4.4, and beside other alternates, END does not count for it. An END before POS is \
taken as absent (`bad_end`).

Several structural variants may share position, REF and ALT. A pipeline that keeps them puts them in its key: \
`key = [\"chrom\", \"pos\", \"ref\", \"alt\", \"end_pos\", \"sv_len\"]`.

A record without alternate allele (`.`) yields no row and is said apart, and among such records the reference blocks of a \
gVCF, which have nothing but `<NON_REF>` or `<*>`, are counted apart again. Beside other \
alleles `<NON_REF>` and `<*>`, which stand for no observed allele, are left out. `*` alleles count as filtered unless \
`keep_star`. Symbolic alleles such as `<DEL>` and breakends are kept as they are. An ALT equal to REF is rejected.

When to use: after every vcf source whose rows end in a table keyed by allele. When not: for record-level tables, which \
need the list of alternates.
";

const EXAMPLE: &str = r#"[pipeline]
name = "normalize_example"

[stages.calls]
type = "vcf"
path = "drops/*.vcf"
info = ["ANN", "CLNSIG", "DP"]

[stages.alleles]
type = "normalize"
input = "calls"
# fasta = "GRCh38.fa"               left-aligns; needs GRCh38.fa.fai beside it

[stages.observed]
type = "select"
input = "alleles"
[stages.observed.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "alt"
position_as_written = "orig_pos"
clinical_significance = "info_clnsig"

[stages.variants]
type = "table"
input = "observed"
key = ["chromosome", "position", "reference", "alternate"]
conflict = "latest_drop"

[stages.warehouse]
type = "sqlite"
path = "example.sqlite"
tables = ["variants"]
"#;

/// The columns this stage adds, in this order.
const ADDED: [&str; 6] = ["orig_pos", "orig_ref", "orig_alt", "allele_number", "end_pos", "sv_len"];

impl StageType for Normalize {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn version(&self) -> u32 {
        // 3: since VCF 4.4 SVLEN decides where a symbolic allele ends.
        3
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
        NormalizeOptions::DOCS
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = NormalizeOptions::read(request.options, diagnostics);
        let [input] = request.inputs.as_slice() else { return None };
        let places = Places::find(input, diagnostics);
        refuse_existing(input, &ADDED, "normalize", diagnostics)?;
        let (options, places) = (options?, places?);
        let schema = output_schema(input.schema, places);
        let arrow_schema = schema.to_arrow();
        Some(Planned::Transform(Arc::new(PlannedNormalize {
            places,
            assembly: if options.fasta.is_some() {
                PlannedAssembly::plan(request.pipeline, diagnostics)?
            } else {
                None
            },
            fasta: options.fasta.map(|path| request.pipeline.resolve(&path)),
            keep_star: options.keep_star,
            splits: splits(input.schema),
            genotype: genotype(input.schema),
            schema,
            arrow_schema,
        })))
    }
}

/// Where the columns that this stage reads are in its input.
#[derive(Clone, Copy, Debug)]
struct Places {
    chrom: usize,
    pos: usize,
    reference: usize,
    alternate: usize,
}

impl Places {
    fn find(input: &PlannedInput<'_>, diagnostics: &mut Diagnostics) -> Option<Places> {
        const HINT: &str = "Put normalize right after a vcf source.";
        let chrom = require_not_null(input, "chrom", &ColumnType::Text, HINT, diagnostics);
        let pos = require_not_null(input, "pos", &ColumnType::Int64, HINT, diagnostics);
        let reference = require_not_null(input, "ref", &ColumnType::Text, HINT, diagnostics);
        let hint = match input.schema.column("alt").map(|column| &column.column_type) {
            Some(ColumnType::Text) => "It holds one allele per row already: leave this normalize out.",
            _ => HINT,
        };
        let alternates = ColumnType::List(Box::new(ColumnType::Text));
        let alternate = require(input, "alt", &alternates, hint, diagnostics);
        Some(Places { chrom: chrom?, pos: pos?, reference: reference?, alternate: alternate? })
    }
}

/// For each input column: how its lists are split by allele, if they are.
fn splits(input: &Schema) -> Arc<[Option<Number>]> {
    let split = |column: &Column| numbers::split_column(column).and(column.number);
    input.columns().iter().map(split).collect()
}

/// The place of `gt` among the columns of the long form.
fn genotype(input: &Schema) -> Option<usize> {
    input.index_of("sample")?;
    input.index_of("gt").filter(|at| input.columns()[*at].column_type == ColumnType::Text)
}

fn output_schema(input: &Schema, places: Places) -> Schema {
    let mut columns: Vec<Column> =
        input.columns().iter().map(|column| numbers::split_column(column).unwrap_or_else(|| column.clone())).collect();
    columns[places.alternate] = Column::required("alt", ColumnType::Text)
        .with_doc("The alternate allele, trimmed; symbolic alleles as written.");
    let [pos, reference, alternate, number, end, length] = ADDED;
    columns.extend([
        Column::required(pos, ColumnType::Int64).with_doc("The position as the file writes it, 1-based."),
        Column::required(reference, ColumnType::Text).with_doc("The reference allele as the file writes it."),
        Column::required(alternate, ColumnType::Text).with_doc("The alternate allele as the file writes it."),
        Column::required(number, ColumnType::Int64)
            .with_doc("The allele's place among the record's alternates, 1-based: what the file's GT calls it."),
        Column::required(end, ColumnType::Int64)
            .with_doc("The last base of the reference that the allele covers, 1-based, inclusive."),
        Column::required(length, ColumnType::Int64)
            .with_doc("The length of a symbolic allele in bases, without sign; 0 for sequences and breakends."),
    ]);
    Schema::new(columns)
}

/// A normalize of a plan.
#[derive(Clone)]
struct PlannedNormalize {
    places: Places,
    fasta: Option<PathBuf>,
    /// Under whose names rows come, where there is a FASTA.
    assembly: Option<PlannedAssembly>,
    keep_star: bool,
    splits: Arc<[Option<Number>]>,
    /// The place of the samples' genotypes, where there are samples.
    genotype: Option<usize>,
    schema: Schema,
    arrow_schema: SchemaRef,
}

impl Transform for PlannedNormalize {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn side_inputs(&self) -> Vec<SideInput> {
        let fasta = self.fasta.iter().map(|path| SideInput::new("fasta", path.clone()));
        fasta.chain(self.assembly.iter().flat_map(PlannedAssembly::side_inputs)).collect()
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.assembly.iter().flat_map(PlannedAssembly::settings).collect()
    }

    /// A position is best taken from what the file says.
    fn carries(&self, column: usize) -> Vec<usize> {
        let as_written = self.schema.index_of("orig_pos").filter(|_| column == self.places.pos);
        as_written.into_iter().chain([column]).collect()
    }

    /// INFO END and SVLEN of symbolic alleles are read from the record's text.
    fn needs_provenance(&self) -> bool {
        true
    }

    fn reads(&self, column: usize) -> bool {
        let places = self.places;
        [places.chrom, places.pos, places.reference, places.alternate].contains(&column)
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        let assembly = self.assembly.as_ref().map(PlannedAssembly::get).transpose()?;
        let open = |path| reference::Reference::open(path, assembly.as_deref());
        let reference = self.fasta.as_deref().map(open).transpose()?;
        Ok(Box::new(run::Normalizer::new(self.clone(), reference)))
    }
}

#[cfg(test)]
mod tests;
