//! A planned `delimited` source: finds files, names drops, opens readers.

use std::{path::Path, sync::Arc};

use vardelta_engine::contract::{
    source::{ChunkReader, Discovered, InputFile, Parser, PlaceColumns, Source},
    stage::StageError,
};
use vardelta_schemas::{ColumnType, Schema};

use super::{
    columns::Columns,
    dialect::{Dialect, separator_of},
    header::unknown_separator,
    parser::DelimitedParser,
    reader::DelimitedChunks,
};
use crate::sources::shared::{
    container::{Container, Format},
    files::Files,
};

/// What the source reads, for messages.
static FORMAT: Format =
    Format { name: "CSV or TSV", forms: "plain text, gzip or BGZF (`bgzip`)", header: "header line" };

/// A planned source.
pub(super) struct DelimitedSource {
    /// Where its files lie and how drops are named after them.
    pub files: Files,
    /// The columns of its rows: what it reads, and the drop's name where that is wanted.
    pub schema: Schema,
    /// What it reads of them.
    pub columns: Arc<Columns>,
    /// The byte between two fields, if the pipeline file says so.
    pub separator: Option<u8>,
    /// The byte around fields, if there is one.
    pub quote: Option<u8>,
    /// What comment lines begin with; empty where there are none.
    pub comment: Vec<u8>,
    /// Whether a BGZF file may lack its end-of-file block.
    pub allow_missing_eof: bool,
}

impl Source for DelimitedSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place_columns(&self) -> PlaceColumns {
        let column = |name: &str, column_type| {
            let at = self.schema().index_of(name)?;
            (self.schema().columns()[at].column_type == column_type).then_some(at)
        };
        PlaceColumns { contig: column("chrom", ColumnType::Text), position: column("pos", ColumnType::Int64) }
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
        self.schema.columns().len() > self.columns.schema.columns().len()
    }

    fn open(&self, file: &InputFile, decompression_threads: usize) -> Result<Box<dyn ChunkReader>, StageError> {
        let separator = self.separator.or_else(|| separator_of(&file.path)).ok_or_else(|| unknown_separator(file))?;
        let dialect = Dialect { separator, quote: self.quote, comment: self.comment.clone() };
        let container = Container::open(file, &FORMAT, decompression_threads, self.allow_missing_eof)?;
        Ok(Box::new(DelimitedChunks::new(container, dialect, &self.columns)?))
    }

    fn parser(&self) -> Box<dyn Parser> {
        Box::new(DelimitedParser::new(Arc::clone(&self.columns)))
    }
}
