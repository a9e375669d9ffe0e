//! A planned `gff3` source: finds files, names drops, opens readers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_engine::contract::{
    side_input::SideInput,
    source::{ChunkReader, Parser, PlaceColumns, Source},
    stage::StageError,
};
use vardelta_schemas::Schema;

use super::{model::Model, parser::ModelParser, reader::ModelChunks, rows::Layout};
use crate::{
    assembly::PlannedAssembly,
    sources::shared::{
        container::{Container, Format},
        files::{Files, drop_name},
    },
};

/// What the source reads, for messages.
static FORMAT: Format =
    Format { name: "GFF3 or GTF", forms: "plain text, gzip or BGZF (`bgzip`)", header: "line, not even a comment" };

/// A planned source.
pub(super) struct GeneModelSource {
    /// Which files it reads, if the pipeline file says so.
    pub files: Option<Files>,
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
        &self.layout.schema
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

    fn discover(&self) -> Result<Vec<PathBuf>, StageError> {
        self.files.as_ref().map_or_else(|| Ok(Vec::new()), Files::discover)
    }

    fn pattern(&self) -> Option<String> {
        self.files.as_ref().map(|files| files.pattern.clone())
    }

    fn drop_name(&self, path: &Path) -> String {
        drop_name(path, &[".gff3", ".gff", ".gtf"])
    }

    fn open(&self, path: &Path, decompression_threads: usize) -> Result<Box<dyn ChunkReader>, StageError> {
        let assembly = self.assembly.as_ref().map(PlannedAssembly::get).transpose()?;
        let open = || Container::open(path, &FORMAT, decompression_threads, self.allow_missing_eof);
        Ok(Box::new(ModelChunks::new(path, open, Model::new(Arc::clone(&self.features), assembly))?))
    }

    fn parser(&self) -> Box<dyn Parser> {
        Box::new(ModelParser::new(Arc::clone(&self.layout)))
    }
}
