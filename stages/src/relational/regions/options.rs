//! The options of `regions`.

use vardelta_engine::{choices, contract::options::Spanned, options};

choices! {
    /// Which genes of a variant are kept.
    pub enum Pick {
        /// One: the most severe region, then a protein-coding gene, then the least gene_id.
        Worst = "worst",
        /// All of them.
        All = "all",
    }
}

/// A default, which is nowhere in the file.
fn default<T>(value: T) -> Spanned<T> {
    Spanned { value, span: 0..0 }
}

options! {
    /// Options of `regions`.
    pub struct RegionsOptions {
        /// The variants' column of the chromosome, a text.
        "chromosome" => chromosome: Spanned<String> = default("chromosome".to_owned()), "\"chromosome\"",
        /// The variants' column of the position: the first base of the reference allele, 1-based.
        "position" => position: Spanned<String> = default("position".to_owned()), "\"position\"",
        /// The variants' column of the last base, 1-based, for deletions and symbolic alleles. Where it is NULL, and without
        /// it, the length of the reference allele decides.
        "end" => end: Option<Spanned<String>> = None, "none",
        /// The variants' column of the reference allele, a text.
        "reference" => reference: Spanned<String> = default("reference".to_owned()), "\"reference\"",
        /// Bases before a gene that count as upstream.
        "upstream_bp" => upstream_bp: u64 = 5000, "5000",
        /// Bases after a gene that count as downstream.
        "downstream_bp" => downstream_bp: u64 = 5000, "5000",
        /// Bases of an intron on either side that count as splice site.
        "splice_bp" => splice_bp: u64 = 8, "8",
        /// Which genes of a variant are kept: one (`worst`), or all, a row each (`all`).
        "pick" => pick: Spanned<Pick> = default(Pick::Worst), "\"worst\"",
    }
}
