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
        options::{OptionDoc, Spanned},
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageType},
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

    fn manual(&self) -> &'static str {
        "Reads gene models: GFF3 or GTF, plain, gzip or BGZF, recognised by content; one row per feature and parent.\n\
         \n\
         Columns:\n\
         - feature_key: names the row, never NULL: the id without its version (so that a release that only counts a version\n\
           up changes no key); where the id is missing or on several lines (the CDS of a transcript, a gene in two places),\n\
           or the feature has several parents, `feature|parent|chrom:start-end:strand`, with the id after it if there is one.\n\
         - chrom: under the assembly's canonical name however the file spells it (NC_000001.11, 1, chr1; MT, chrM), or else\n\
           as written, and counted. Without `[pipeline] assembly` always as written. A `##sequence-region` that gives a\n\
           contig another length than the assembly refuses the file.\n\
         - start, end: 1-based, end included. strand: `+`, `-`, or NULL. feature: the third column.\n\
         - id, parent: as the file writes them, versions and prefixes included; in GTF the gene_id of a gene and the\n\
           transcript_id of a transcript are ids, and the parent of another feature is its transcript.\n\
         - gene_id: attribute gene_id, else the GeneID of Dbxref, else the id of the gene, without `gene:` or `gene-` and\n\
           without version; `_PAR_Y` stays. transcript_id: the same of the transcript, without `transcript:` or `rna-`.\n\
         - gene_symbol: gene_name, else Name of the gene, else gene.\n\
         - biotype: gene_biotype, gene_type or biotype of a gene; transcript_biotype, transcript_type or biotype of a\n\
           transcript, for itself and its parts, and the gene's where it has none.\n\
         - one text column for each attribute that `attributes` names, taken from the line alone.\n\
         \n\
         What a line does not say of its gene and transcript is taken over from them, before or after it in the file. Of\n\
         several with one id the one counts that lies on the part's contig and overlaps it. For that a file is read twice;\n\
         the standard input is kept in memory in between.\n\
         \n\
         A gene is a feature whose kind ends with `gene` and that has no parent (gene, ncRNA_gene, pseudogene). Versions are\n\
         those of Ensembl (ENSG00000141510.18) and RefSeq (NM_000546.6). What follows `##FASTA` is not read. Percent-encoding\n\
         is decoded in GFF3. Semicolons in the quotes of GTF, blanks after the last semicolon, two semicolons, and words\n\
         without a value between the attributes of GFF3 are read as they are meant."
    }

    fn example(&self) -> &'static str {
        r#"[pipeline]
name = "gene_model"
assembly = "GRCh38"

[stages.gene_rows]
type = "gff3"
path = "genes/*.gff3"
features = ["gene", "transcript", "mRNA", "exon", "CDS"]
attributes = ["hgnc_id"]

[stages.gene_model]
type = "table"
input = "gene_rows"
key = ["feature_key"]
conflict = "latest_drop"

[stages.warehouse]
type = "sqlite"
path = "genes.sqlite"
tables = ["gene_model"]
"#
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
    }

    fn options(&self) -> &'static [OptionDoc] {
        Gff3Options::DOCS
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
