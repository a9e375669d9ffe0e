//! `vcf`: reads variant calls in VCF (plain, gzip, BGZF) and BCF.
//!
//! Lenient where users' files are (headers above all), strict where a value could land in the wrong place: see
//! `reasons` for what is rejected and what is adapted and counted.

mod alleles;
mod bcf;
mod bed;
mod chunks;
mod container;
mod contigs;
mod fields;
mod header;
mod info;
mod kind;
mod meta;
mod options;
mod parser;
mod percent;
mod projection;
mod provenance;
mod reasons;
mod regions;
mod reserved;
mod samples;
mod source;
mod tail;
mod values;

use std::{path::Path, sync::Arc};

use vardelta_engine::{
    diagnostics::Diagnostics,
    options::{OptionDoc, Spanned},
    reason::Reason,
    stage::{Kind, PipelineSettings, PlanRequest, Planned, StageType},
};

pub use self::{
    header::{Contig, Definition, VcfHeader},
    kind::ValueKind,
    options::{FieldOption, Samples, UnknownContigs, VcfOptions},
};
use self::{projection::Projection, regions::PlannedRegions, source::VcfSource};
use crate::assembly::PlannedAssembly;

/// The `vcf` source, for the registry.
pub static VCF: VcfStage = VcfStage;

/// The stage type `vcf`.
pub struct VcfStage;

impl StageType for VcfStage {
    fn name(&self) -> &'static str {
        "vcf"
    }

    fn kind(&self) -> Kind {
        Kind::Source
    }

    fn manual(&self) -> &'static str {
        "Reads variant calls: VCF (plain text, gzip, BGZF) or BCF, recognised by content, one row per record.\n\
         \n\
         Columns: chrom, pos (1-based), id, ref, alt (a list, empty for `.`), qual, filter (`PASS`, `q10;s50`, NULL for `.`),\n\
         and info_<name> for each INFO field named in `info`. A header definition never refuses a file; a value that does\n\
         not fit its column's type is NULL and counted. Records that cannot be read are rejected with their line. A BGZF\n\
         file without its end-of-file block is refused before anything is written.\n\
         \n\
         With `[pipeline] assembly`, `chrom` holds one canonical name per contig however the file spells it (chr1, 1,\n\
         NC_000001.11; M, MT, chrM): with `chr` and chrM for GRCh38, hg19 and T2T-CHM13v2.0, without and MT for GRCh37. So\n\
         do the mates of breakends; rejects keep the file's spelling. A file whose header gives a contig another length is\n\
         refused: its positions mean other places. Contigs without length prove nothing. A position behind the end of its\n\
         contig is rejected (one further is the telomere). hg19 has two mitochondria, chrM (NC_001807, 16571 bp) and chrMT\n\
         (NC_012920, 16569 bp); where a header gives the length, it decides which one a file's chrM or MT is. A GRCh37 file\n\
         with UCSC's chrM of 16571 bp belongs to `assembly = \"hg19\"`. Known are the chromosomes and the mitochondrion;\n\
         `unknown_contigs` says what becomes of the rest. For other organisms `assembly` names a .fai, a .dict or a table of\n\
         names and lengths: its names are canonical, and `chr` and the mitochondrion's names are folded where that is clear.\n\
         Without `assembly` names stay as the file writes them.\n\
         \n\
         With `regions` or `regions_file` only records that overlap them are read: a record covers POS to the last base of\n\
         REF, or to INFO/END where that is given, as `bcftools view --regions-overlap record` judges. The others are no part\n\
         of the drop: they are not counted as read and not part of its content, and the warning `outside_regions` counts\n\
         those that were seen. A record whose place cannot be read is rejected with its reason."
    }

    fn example(&self) -> &'static str {
        r#"[pipeline]
name = "calls"
assembly = "GRCh38"

[stages.calls]
type = "vcf"
path = "drops/*.vcf*"
info = ["DP", { name = "AF", type = "Float", number = "A" }]

[stages.alleles]
type = "normalize"
input = "calls"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]
conflict = "latest_drop"

[stages.warehouse]
type = "sqlite"
path = "calls.sqlite"
tables = ["variants"]
"#
    }

    fn version(&self) -> u32 {
        2
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
    }

    fn options(&self) -> &'static [OptionDoc] {
        VcfOptions::DOCS
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["path", "allow_missing_eof"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = VcfOptions::read(request.options, diagnostics)?;
        let projection = Projection::resolve(&options, diagnostics);
        let resolved = match &options.path {
            None => None,
            Some(path) => Some(resolve_glob(path, request.pipeline, diagnostics)?),
        };
        let assembly = PlannedAssembly::plan(request.pipeline, diagnostics)?;
        let reject_unknown_contigs = options.unknown_contigs.value == UnknownContigs::Reject;
        if reject_unknown_contigs && assembly.is_none() {
            diagnostics
                .error(options.unknown_contigs.span, "without an assembly no contig is known")
                .hint("Write `assembly = \"GRCh38\"`, or whatever it is, under [pipeline].");
            return None;
        }
        let regions_file = options.regions_file.as_ref().map(|path| request.pipeline.resolve(path));
        let regions = (!options.regions.is_empty() || regions_file.is_some()).then(|| {
            let listed = options.regions.iter().map(|option| option.0.clone()).collect();
            PlannedRegions::new(listed, regions_file)
        });
        Some(Planned::Source(Arc::new(VcfSource {
            pattern: options.path.map(|path| path.value),
            resolved,
            projection: Arc::new(projection?),
            regions,
            assembly,
            reject_unknown_contigs,
            allow_missing_eof: options.allow_missing_eof,
        })))
    }
}

/// The glob, relative to the pipeline file; the directory's own name is taken literally.
fn resolve_glob(
    path: &Spanned<String>,
    pipeline: &PipelineSettings,
    diagnostics: &mut Diagnostics,
) -> Option<glob::Pattern> {
    let pattern = if Path::new(&path.value).is_absolute() {
        path.value.clone()
    } else {
        let base = glob::Pattern::escape(&pipeline.base_dir.to_string_lossy());
        Path::new(&base).join(&path.value).to_string_lossy().into_owned()
    };
    match glob::Pattern::new(&pattern) {
        Ok(pattern) if !path.value.is_empty() => Some(pattern),
        outcome => {
            let problem = outcome.err().map_or("it is empty".to_string(), |error| error.msg.to_string());
            diagnostics
                .error(path.span.clone(), format!("`path` is not a glob: {problem}"))
                .hint("Write a file name in which `*` stands for any characters, such as `drops/*.vcf.gz`.");
            None
        }
    }
}

#[cfg(test)]
mod tests;
