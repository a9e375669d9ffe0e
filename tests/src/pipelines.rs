//! The pipelines that histories are tried on, with what the model says of them.

use crate::{
    database::Key,
    model::{self, Counts, Expected},
    record::Line,
    server_project::URL_VARIABLE,
};

/// A pipeline, and its result computed by other means.
pub struct Pipeline {
    /// The pipeline file.
    pub text: &'static str,
    /// The database, relative to the pipeline file.
    pub database: &'static str,
    /// The tables in the sink, and their keys.
    pub keys: &'static [Key<'static>],
    /// The tables that these drops, in ledger order, make.
    pub expected: fn(&[&[Line]]) -> Expected,
    /// The accounting of one drop.
    pub counts: fn(&[Line]) -> Counts,
}

impl Pipeline {
    /// The same pipeline with its tables in a server, and these further options of `mysql`.
    pub fn on_server(&self, options: &str) -> String {
        let file = format!("type = \"sqlite\"\npath = \"{}\"\n", self.database);
        assert!(self.text.contains(&file), "the pipeline's sink is a file");
        let server = format!("type = \"mysql\"\nurl = \"${{{URL_VARIABLE}}}\"\n{options}\n");
        self.text.replace(&file, &server)
    }
}

/// The pipeline of the design document: a filter before the table, one view.
pub const GENE_SUMMARY: Pipeline = Pipeline {
    text: include_str!("pipelines/gene_summary.toml"),
    database: "gene_summary.sqlite",
    keys: &[
        ("variants", &["chromosome", "position", "reference", "alternate"]),
        ("mutation_summary", &["gene_symbol"]),
    ],
    expected: model::gene_summary::expected,
    counts: model::gene_summary::counts,
};

/// Two tables, one of them not in the sink, a union before a table, a filter after one, first and latest drop,
/// groups by nullable columns and over everything, and sums that no double holds.
pub const COHORT: Pipeline = Pipeline {
    text: include_str!("pipelines/cohort.toml"),
    database: "cohort.sqlite",
    keys: &[
        ("deep", &["chromosome", "position", "reference", "alternate"]),
        ("observations", &["chromosome", "position", "reference", "alternate"]),
        ("per_chromosome", &["chromosome"]),
        ("per_gene", &["gene"]),
        ("everything", &[]),
        ("observation_totals", &["significance"]),
    ],
    expected: model::cohort::expected,
    counts: model::cohort::counts,
};

/// A row per allele and sample, and what samples carry, gene by gene.
pub const CARRIERS: Pipeline = Pipeline {
    text: include_str!("pipelines/carriers.toml"),
    database: "carriers.sqlite",
    keys: &[
        ("genotypes", &["chromosome", "position", "reference", "alternate", "sample"]),
        ("per_gene", &["gene"]),
        ("per_zygosity", &["zygosity"]),
    ],
    expected: model::carriers::expected,
    counts: model::carriers::counts,
};

/// Views of views: an aggregate of an aggregate, groups that a filter lets in and out, a union after a table, a
/// select that carries the key along; and several rows of one record under one key.
pub const LAYERS: Pipeline = Pipeline {
    text: include_str!("pipelines/layers.toml"),
    database: "layers.sqlite",
    keys: &[
        ("labels", &["chromosome", "position", "reference", "alternate", "gene"]),
        ("busy", &["gene"]),
        ("sizes", &["hits"]),
        ("notable_totals", &["chromosome", "gene"]),
    ],
    expected: model::layers::expected,
    counts: model::layers::counts,
};

/// Joins of every kind: against a table, a summary and another join; of tables that share their key, of a chain, of many rows
/// with many; NULL on either side; a union with a tag, distinct rows.
pub const JOINS: Pipeline = Pipeline {
    text: include_str!("pipelines/joins.toml"),
    database: "joins.sqlite",
    keys: &[
        ("sites", ALLELE),
        ("places", &["pos", "chrom"]),
        ("placed_sites", ALLELE),
        ("gene_sites", ALLELE),
        ("known_gene_sites", ALLELE),
        ("observed", ALLELE),
        ("rivals", &["pos", "chrom", "other_chromosome", "other_position", "other_reference", "other_alternate"]),
        ("chained", ALLELE),
        ("chained_known", ALLELE),
        ("alike_counts", &["chromosome"]),
        ("place_sizes", &["pos", "chrom"]),
        ("both", &["origin", "chromosome", "position", "reference", "alternate"]),
        ("significances", &["significance", "origin"]),
    ],
    expected: model::joins::expected,
    counts: model::joins::counts,
};

/// Aggregates that keep values, each under rows that come and go, and the first rows of groups, also of views.
pub const SUMMARIES: Pipeline = Pipeline {
    text: include_str!("pipelines/summaries.toml"),
    database: "summaries.sqlite",
    keys: &[
        ("per_gene", &["gene"]),
        ("gene_lists", &["gene"]),
        ("gene_middles", &["gene"]),
        ("everything", &[]),
        ("best", ALLELE),
        ("rarest", ALLELE),
        ("best_lists", &["chromosome"]),
        ("busiest", &["gene"]),
    ],
    expected: model::summaries::expected,
    counts: model::summaries::counts,
};

const ALLELE: &[&str] = &["chromosome", "position", "reference", "alternate"];
