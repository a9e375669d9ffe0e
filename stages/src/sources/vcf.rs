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
        options::OptionDoc,
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageType},
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
         refused: its positions mean other places. Contigs without length prove nothing. A position past the end of its\n\
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
         those that were seen. Beside a BGZF or BCF file a `.csi` or `.tbi` is used: only what it names is read, so rejects\n\
         have no line, and records passed over are not counted. An index that is older than its file (`stale_index`),\n\
         damaged or of another file (`unusable_index`) is left alone, and the file read whole. A record whose place cannot be read is rejected with its reason.\n\
         \n\
         With `samples = \"long\"` there is one row per record and sample, with these columns beside `sample` and the\n\
         FORMAT fields. They are read from the whole record, before `normalize` splits it:\n\
         - zygosity: `hom_ref`, `het`, `hom_alt`, `hemi` or `missing`, of the genotype and not of one allele: 1/2 is het\n\
           for both alternates. Phase does not matter; of several copies, 0/0/1 is het and 1/1/1 hom_alt. Haploid 1 is hemi,\n\
           haploid 0 hom_ref. `.`, `./.` and `./0` are missing; `./1` carries the alternate and is het; both half-calls\n\
           are counted (`half_call`). `*`, `<NON_REF>` and `<*>` count as alleles here. Where FORMAT has no GT zygosity is\n\
           NULL: nothing is known, least of all hom_ref. So it is where GT names an allele that the record does not have\n\
           (`bad_genotype`).\n\
         - ploidy: how many alleles GT writes; phased: whether all of them are (VCF 4.4, section 1.6.2: a first `/` or `|`\n\
           is the first allele's phase; a single allele is phased). NULL without GT and for `.`.\n\
         - allele_count: how many copies of each alternate the sample carries, NULL where zygosity is NULL or missing.\n\
           After `normalize` it is a number, and `allele_count > 0` says that the sample carries the row's allele.\n\
         - with `ped` also sex: `male`, `female`, or NULL. A male's alternate on X or Y outside the pseudo-autosomal\n\
           regions is hemi, and one copy, however it is written (1, 1/1, 0/1). A call on Y of a female is missing, and\n\
           counted (`female_y`). The regions are known where [pipeline] `assembly` is GRCh37 (hg19) or GRCh38 (hg38);\n\
           with any other assembly all of X and Y counts as outside. Without `ped`, or where it does not tell a sample's\n\
           sex, genotypes on X and Y are read as they are written.\n\
         - On the mitochondrion, in anybody, an alternate alone is hemi and one copy (1 and 1/1, homoplasmic); beside\n\
           another allele it is het (0/1, heteroplasmic).\n\
         The local alleles of VCF 4.5 (LAA, LAD, LPL and the like) can be read with `format`, and stay raw text.\n\
         \n\
         `include_samples` chooses by the names in the file, `rename_samples` then renames, and `ped` goes by the new names.\n\
         The content of the PED file is part of what the stage computes: with another content `run` asks for a rebuild."
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
