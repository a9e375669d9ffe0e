//! `normalize`: one row per ALT allele, trimmed, and left-aligned where a FASTA is given.

use std::{path::PathBuf, sync::Arc};

use arrow_schema::SchemaRef;
use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        reason::Reason,
        side_input::SideInput,
        stage::{Kind, PlanRequest, Planned, PlannedInput, StageDoc, StageError, StageType, Transform, TransformRun},
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

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("normalize/manual.md"),
            example: example_of_calls!("normalize", "normalize/example_stages.toml", "variants"),
            options: NormalizeOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        REASONS.to_vec()
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
