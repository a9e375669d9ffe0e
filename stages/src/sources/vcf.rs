//! `vcf`: reads variant calls in VCF (plain, gzip, BGZF) and BCF.
//!
//! Lenient where users' files are (headers above all), strict where a value could land in the wrong place: see
//! `reasons` for what is rejected and what is adapted and counted.

mod alleles;
mod bcf;
mod bed;
mod calls;
mod checks;
mod chunks;
mod cohort;
mod contig_names;
mod contigs;
mod declared;
mod fields;
mod genotype;
mod header;
mod index;
mod info;
mod kind;
mod meta;
mod names;
mod options;
mod parser;
mod ped;
pub(crate) mod percent;
mod planned_regions;
mod projection;
mod provenance;
mod reasons;
mod regions;
mod reserved;
mod samples;
mod second_header;
mod sex;
mod source;
mod undeclared;
mod values;

use std::sync::Arc;

use vardelta_engine::{
    contract::{
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
};

pub use self::{
    header::{Contig, Definition, VcfHeader},
    kind::ValueKind,
    options::{FieldOption, Samples, UnknownContigs, VcfOptions},
    reserved::declaration,
    source::VcfSource,
};
use self::{planned_regions::PlannedRegions, projection::Projection};
use crate::{
    assembly::PlannedAssembly,
    sources::shared::files::{FileOptions, Files, with_drop_column},
};

/// The extensions of its formats; they are not part of a drop's name.
const FORMATS: &[&str] = &[".vcf", ".bcf", ".gvcf"];

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

    fn version(&self) -> u32 {
        // 4: blanks are no part of filters and INFO fields; an empty QUAL is a missing one.
        4
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("vcf/manual.md"),
            example: include_str!("vcf/example.toml"),
            options: VcfOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["path", "drop_name", "allow_missing_eof"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = VcfOptions::read(request.options, diagnostics)?;
        let projection = Projection::resolve(&options, diagnostics);
        let samples = options.sample_rules(request.pipeline, diagnostics);
        let files = FileOptions { path: options.path.clone(), drop_name: options.drop_name.clone() };
        let files = Files::plan(files, FORMATS, request.pipeline, diagnostics);
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
            files: files?,
            schema: with_drop_column(&projection.as_ref()?.schema, options.drop_column.as_ref(), diagnostics)?,
            projection: Arc::new(projection?),
            regions,
            assembly,
            reject_unknown_contigs,
            samples: Arc::new(samples?),
            allow_missing_eof: options.allow_missing_eof,
        })))
    }
}

#[cfg(test)]
mod tests;
