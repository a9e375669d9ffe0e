//! `vcf`: reads variant calls in VCF (plain, gzip, BGZF) and BCF.
//!
//! Lenient where users' files are (headers above all), strict where a value could land in the wrong place: see
//! `reasons` for what is rejected and what is adapted and counted.

mod alleles;
mod bcf;
mod chunks;
mod container;
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
    options::{FieldOption, Samples, VcfOptions},
};
use self::{projection::Projection, source::VcfSource};

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
         file without its end-of-file block is refused before anything is written."
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

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
    }

    fn options(&self) -> &'static [OptionDoc] {
        VcfOptions::DOCS
    }

    fn version(&self) -> u32 {
        2
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
        Some(Planned::Source(Arc::new(VcfSource {
            pattern: options.path.map(|path| path.value),
            resolved,
            projection: Arc::new(projection?),
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
