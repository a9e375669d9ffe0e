//! A planned `vcf` source: finds files, names drops, opens readers.

use std::{path::Path, sync::Arc};

use vardelta_engine::contract::{
    emit::StageError,
    side_input::SideInput,
    source::{ChunkReader, Discovered, InputFile, Parser, PlaceColumns, Source},
};
use vardelta_schemas::Schema;

use crate::{
    assembly::PlannedAssembly,
    sources::{
        shared::{
            container::{Container, Format},
            files::Files,
        },
        vcf::{
            bcf::{self, BcfChunks},
            checks::{Checked, Unchecked},
            chunks::TextChunks,
            cohort::SampleRules,
            contig_names::ContigNames,
            header::VcfHeader,
            index,
            parser::VcfParser,
            planned_regions::PlannedRegions,
            projection::Projection,
        },
    },
};

/// How much is decompressed to tell VCF from BCF.
const START_BYTES: usize = 64 * 1024;

/// What the source reads, for messages.
static VCF_FORMAT: Format =
    Format { name: "VCF", forms: "plain text, gzip, BGZF (`bgzip`) or BCF", header: "VCF header" };

/// A planned source.
pub struct VcfSource {
    /// Where its files lie and how drops are named after them.
    pub(super) files: Files,
    /// The columns: those of the projection, and the drop's name where that is wanted.
    pub(super) schema: Schema,
    /// What to decode.
    pub(super) projection: Arc<Projection>,
    /// Where records are read from.
    pub(super) regions: Option<PlannedRegions>,
    /// What the coordinates refer to.
    pub(super) assembly: Option<PlannedAssembly>,
    /// Whether records on contigs that the assembly does not have are rejected.
    pub(super) reject_unknown_contigs: bool,
    /// Which samples are read.
    pub(super) samples: Arc<SampleRules>,
    /// Whether a BGZF file may lack its end-of-file block.
    pub(super) allow_missing_eof: bool,
}

impl Source for VcfSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn side_inputs(&self) -> Vec<SideInput> {
        let regions = self.regions.iter().filter_map(|regions| regions.file.clone());
        let regions = regions.map(|path| SideInput::new("regions_file", path));
        let pedigree = self.samples.pedigree.iter().map(|pedigree| SideInput::new("ped", pedigree.path.clone()));
        let assembly = self.assembly.iter().flat_map(PlannedAssembly::side_inputs);
        regions.chain(pedigree).chain(assembly).collect()
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        // Where sex counts, the assembly says what of X and Y is pseudo-autosomal.
        let regions = self.samples.pedigree.as_ref().and(self.samples.regions);
        let regions = regions.map(|regions| ("pseudo_autosomal_regions", regions.assembly().to_owned()));
        regions.into_iter().chain(self.assembly.iter().flat_map(PlannedAssembly::settings)).collect()
    }

    fn place_columns(&self) -> PlaceColumns {
        let schema = &self.projection.schema;
        PlaceColumns { contig: schema.index_of("chrom"), position: schema.index_of("pos") }
    }

    fn member_column(&self) -> Option<usize> {
        self.projection.schema.index_of("sample")
    }

    fn restriction(&self) -> Option<&'static str> {
        self.regions.as_ref().map(|_| "within its regions")
    }

    fn discover(&self) -> Result<Discovered, StageError> {
        self.files.discover()
    }

    fn pattern(&self) -> Option<String> {
        self.files.pattern()
    }

    fn drop_name(&self, path: &Path) -> Result<String, StageError> {
        self.files.drop_name(path)
    }

    fn names_by_rule(&self) -> bool {
        self.files.names_by_rule()
    }

    fn by_product(&self, path: &Path) -> Option<&'static str> {
        Files::by_product(path)
    }

    fn has_drop_column(&self) -> bool {
        self.schema.columns().len() > self.projection.schema.columns().len()
    }

    fn open(&self, file: &InputFile, decompression_threads: usize) -> Result<Box<dyn ChunkReader>, StageError> {
        let mut container = Container::open(file, &VCF_FORMAT, decompression_threads, self.allow_missing_eof)?;
        let mut start = Vec::new();
        let ended = container.read_into(&mut start, START_BYTES)? < START_BYTES;
        let assembly = self.assembly.as_ref().map(PlannedAssembly::get).transpose()?;
        let regions = self.regions.as_ref().map(|regions| regions.get(assembly.as_deref())).transpose()?;
        let prepare = |header: &mut VcfHeader| {
            header.regions = regions;
            header.contig_names = ContigNames::of(header, assembly, self.reject_unknown_contigs)?;
            Ok(header.digest(&self.projection.info, &self.projection.header))
        };
        let reader: Box<dyn ChunkReader> = if start.starts_with(bcf::MAGIC) {
            let mut reader = BcfChunks::new(container, start, ended, prepare)?;
            index::narrow(&mut reader)?;
            Box::new(reader)
        } else {
            let mut reader = TextChunks::new(container, start, ended, prepare)?;
            index::narrow(&mut reader)?;
            Box::new(reader)
        };
        if self.projection.format.is_some()
            && let Some(header) = reader.header().downcast_ref::<VcfHeader>()
        {
            self.check_samples(header)?;
        }
        Ok(reader)
    }

    fn parser(&self) -> Box<dyn Parser> {
        Box::new(VcfParser::<Checked>::new(&self.projection, Arc::clone(&self.samples)))
    }
}

impl VcfSource {
    /// Its parser without checks, for the benchmark of what they cost; `None` where genotypes are read, which are read in one
    /// way only. What it makes of a file that is not sound is worth nothing, and its text may be bytes: no pipeline runs it.
    #[doc(hidden)]
    pub fn parser_without_checks(&self) -> Option<Box<dyn Parser>> {
        let sites = self.projection.format.is_none();
        sites.then(|| Box::new(VcfParser::<Unchecked>::new(&self.projection, Arc::clone(&self.samples))) as _)
    }

    /// Refuses a file whose samples cannot be read as the pipeline wants.
    fn check_samples(&self, header: &VcfHeader) -> Result<(), StageError> {
        if header.samples.is_empty() {
            let file = &header.file;
            return Err(StageError::new(format!(
                "{file} has no samples, and `samples = \"long\"` makes a row per sample"
            ))
            .with_hint("Read sites-only files with a source of their own that has `samples = \"none\"`."));
        }
        self.samples.cohort(header).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use vardelta_engine::{
        contract::{
            options::OptionReader,
            stage::{PipelineSettings, PlanRequest, Planned, StageType as _},
        },
        diagnostics::Diagnostics,
        spec::{Entry, Node, Value},
    };

    use super::*;
    use crate::sources::vcf::VCF;

    #[test]
    fn reports_what_is_wrong_with_the_options() {
        for (key, value, expected) in [
            ("path", "a[", "`path` is not a glob"),
            ("path", "", "`path` is not a glob"),
            ("samples", "wide", "`wide` is not a choice"),
            ("pth", "x", "no option `pth`"),
        ] {
            let messages = plan(&[entry(key, value)], Path::new("/")).err().expect("a problem");
            assert!(messages.iter().any(|message| message.contains(expected)), "{messages:?}");
        }
    }

    fn entry(key: &str, value: &str) -> Entry {
        Entry { key: key.into(), key_span: 0..0, node: Node { span: 0..0, value: Value::Text(value.into()) } }
    }

    fn plan(entries: &[Entry], base: &Path) -> Result<Planned, Vec<String>> {
        let pipeline = PipelineSettings { base_dir: base.into(), ..PipelineSettings::default() };
        let options = OptionReader::new("stage `calls` (vcf)".into(), 0..0, entries.iter());
        let request = PlanRequest {
            name: "calls",
            inputs: vec![],
            options,
            pipeline: &pipeline,
            functions: vardelta_engine::expression::functions::Functions::built_in(),
        };
        let mut diagnostics = Diagnostics::default();
        let planned = VCF.plan(request, &mut diagnostics);
        let messages: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
        planned.filter(|_| messages.is_empty()).ok_or(messages)
    }
}
