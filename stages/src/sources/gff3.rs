//! `gff3`: reads gene models: GFF3 and GTF, as Ensembl, GENCODE, RefSeq and MANE write them.
//!
//! The parts of a gene take over its name and identifiers, wherever in the file it is: a file is read twice, first for
//! its genes and transcripts (`model`), then for its rows.

mod feature;
mod gtf_attributes;
mod ids;
mod lineage;
mod model;
mod parser;
mod provenance;
mod reader;
mod reasons;
mod rows;
mod source;

use std::sync::Arc;

use vardelta_engine::{
    contract::{
        options::Spanned,
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    options,
};

use self::{rows::Layout, source::GeneModelSource};
use crate::{
    assembly::PlannedAssembly,
    sources::shared::{
        files::{FileOptions, Files, PathGlob, with_drop_column},
        naming::DropNaming,
    },
};

/// The extensions of its formats; they are not part of a drop's name.
const FORMATS: &[&str] = &[".gff3", ".gff", ".gtf"];

/// The `gff3` source, for the registry.
pub static GFF3: Gff3Stage = Gff3Stage;

/// The stage type `gff3`.
pub struct Gff3Stage;

options! {
    /// Options of `gff3`.
    pub struct Gff3Options {
        /// The files, as a glob relative to the pipeline file (`genes/*.gff3.gz`). A run loads what is new or changed here;
        /// without it, files are named on the command line. Hidden files, indexes, checksums and copies that
        /// are not complete (`.part`, `.tmp`, …) are left alone.
        "path" => path: Option<Spanned<PathGlob>> = None, "\"\"",
        /// What drops are called: a text with `{stem}` (the file's name without extensions), `{name}` (with them),
        /// `{parent}` and `{grandparent}` (its folders), such as `"{parent}_{stem}"`; or
        /// `{ match = 'runs/(?<sample>[^/]+)/', name = "{sample}" }`, where `match` is a regular expression that is looked
        /// for in the path from the pipeline file's directory. A file that is loaded keeps its name.
        "drop_name" => drop_name: Option<DropNaming> = None, "\"{stem}\"",
        /// The name of a further column, the last, that holds the name of the row's drop.
        "drop_column" => drop_column: Option<Spanned<String>> = None, "none",
        /// The kinds of features to load, as the third column writes them, such as `["gene", "transcript", "exon", "CDS"]`.
        /// The other records are read and count as filtered. Without it all are loaded.
        "features" => features: Vec<String> = Vec::new(), "[]",
        /// Attributes to load, each as a text column of its name in lower case. The values of one that is there several
        /// times, or is a list, are joined by commas.
        "attributes" => attributes: Vec<Spanned<String>> = Vec::new(), "[]",
        /// Whether a BGZF file may lack the end-of-file block. Such a file may have been cut off.
        "allow_missing_eof" => allow_missing_eof: bool = false, "false",
    }
}

impl StageType for Gff3Stage {
    fn name(&self) -> &'static str {
        "gff3"
    }

    fn kind(&self) -> Kind {
        Kind::Source
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("gff3/manual.md"),
            example: include_str!("gff3/example.toml"),
            options: Gff3Options::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["path", "drop_name", "allow_missing_eof"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = Gff3Options::read(request.options, diagnostics)?;
        let layout = Layout::plan(&options.attributes, diagnostics);
        let files = FileOptions { path: options.path.clone(), drop_name: options.drop_name.clone() };
        let files = Files::plan(files, FORMATS, request.pipeline, diagnostics);
        let assembly = PlannedAssembly::plan(request.pipeline, diagnostics)?;
        Some(Planned::Source(Arc::new(GeneModelSource {
            files: files?,
            schema: with_drop_column(&layout.as_ref()?.schema, options.drop_column.as_ref(), diagnostics)?,
            layout: Arc::new(layout?),
            features: options.features.into(),
            assembly,
            allow_missing_eof: options.allow_missing_eof,
        })))
    }
}

#[cfg(test)]
mod tests;
