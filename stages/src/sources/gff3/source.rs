//! A planned `gff3` source: finds files, names drops, opens readers.

use std::{path::Path, sync::Arc};

use vardelta_engine::contract::{
    side_input::SideInput,
    source::{ChunkReader, Discovered, InputFile, Parser, PlaceColumns, Source},
    stage::StageError,
};
use vardelta_schemas::Schema;

use super::{
    model::{For, Model},
    parser::ModelParser,
    reader::ModelChunks,
    rows::Layout,
};
use crate::{
    assembly::PlannedAssembly,
    sources::shared::{
        container::{Container, Format},
        files::Files,
    },
};

/// What the source reads, for messages.
static FORMAT: Format =
    Format { name: "GFF3 or GTF", forms: "plain text, gzip or BGZF (`bgzip`)", header: "line, not even a comment" };

/// A planned source.
pub(super) struct GeneModelSource {
    /// Where its files lie and how drops are named after them.
    pub files: Files,
    /// The columns of its rows: what it reads, and the drop's name where that is wanted.
    pub schema: Schema,
    /// The columns it makes.
    pub layout: Arc<Layout>,
    /// The kinds of features that are loaded; empty for all.
    pub features: Arc<[String]>,
    /// What the coordinates refer to.
    pub assembly: Option<PlannedAssembly>,
    /// Whether a BGZF file may lack its end-of-file block.
    pub allow_missing_eof: bool,
}

impl Source for GeneModelSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn side_inputs(&self) -> Vec<SideInput> {
        self.assembly.iter().flat_map(PlannedAssembly::side_inputs).collect()
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.assembly.iter().flat_map(PlannedAssembly::settings).collect()
    }

    fn place_columns(&self) -> PlaceColumns {
        PlaceColumns { contig: self.schema().index_of("chrom"), position: self.schema().index_of("start") }
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
        self.schema.columns().len() > self.layout.schema.columns().len()
    }

    fn open(&self, file: &InputFile, decompression_threads: usize) -> Result<Box<dyn ChunkReader>, StageError> {
        self.chunks(file, decompression_threads, For::Records)
    }

    fn open_to_digest(
        &self,
        file: &InputFile,
        decompression_threads: usize,
    ) -> Result<Box<dyn ChunkReader>, StageError> {
        self.chunks(file, decompression_threads, For::Digest)
    }

    fn parser(&self) -> Box<dyn Parser> {
        Box::new(ModelParser::new(Arc::clone(&self.layout)))
    }
}

impl GeneModelSource {
    fn chunks(
        &self,
        file: &InputFile,
        decompression_threads: usize,
        what: For,
    ) -> Result<Box<dyn ChunkReader>, StageError> {
        let assembly = self.assembly.as_ref().map(PlannedAssembly::get).transpose()?;
        let open = || Container::open(file, &FORMAT, decompression_threads, self.allow_missing_eof);
        let model = Model::new(Arc::clone(&self.features), assembly);
        Ok(Box::new(ModelChunks::new(&file.path, open, model, what)?))
    }
}
