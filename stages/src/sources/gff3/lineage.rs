//! The genes and transcripts of a file, and what their parts take over from them.
//!
//! What is found does not depend on the order of the lines: it is part of no digest of its own.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use xxhash_rust::xxh3::xxh3_128;

use super::{
    feature::Feature,
    ids::{self, without_version},
};

/// No chain of parents is longer; a circle of them would be endless.
const MOST_GENERATIONS: usize = 16;

/// A feature that others may be a part of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ancestor {
    contig: Arc<str>,
    start: i64,
    end: i64,
    is_gene: bool,
    parent: Option<Box<str>>,
    gene_id: Option<Box<str>>,
    symbol: Option<Box<str>>,
    transcript_id: Option<Box<str>>,
    biotype: Option<Box<str>>,
}

/// What a row says of its gene and transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resolved {
    pub gene_id: Option<String>,
    pub gene_symbol: Option<String>,
    pub transcript_id: Option<String>,
    pub biotype: Option<String>,
    /// Whether its parent is not in the file.
    pub is_orphan: bool,
}

/// What is above a feature.
#[derive(Default)]
struct Ascent<'a> {
    /// The topmost part of the gene.
    transcript: Option<&'a Ancestor>,
    gene: Option<&'a Ancestor>,
    /// The id at which the way ends because no feature has it.
    ends_at: Option<&'a str>,
}

/// Everything in a file that something may be a part of.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    ancestors: HashMap<Box<str>, Vec<Ancestor>>,
    contigs: HashSet<Arc<str>>,
    /// Hashes of the ids, without versions, that have been seen; emptied when the file has been read.
    seen: HashSet<u128>,
    /// The same of those that are on several lines.
    repeated: HashSet<u128>,
}

impl Lineage {
    /// Takes a feature in. `is_loaded` says whether it becomes a row.
    pub fn add(&mut self, feature: &Feature, is_loaded: bool) {
        let Some(id) = &feature.id else { return };
        if is_loaded {
            let hash = xxh3_128(without_version(id).as_bytes());
            if !self.seen.insert(hash) {
                self.repeated.insert(hash);
            }
        }
        if feature.is_leaf() {
            return;
        }
        let contig = match self.contigs.get(feature.contig.as_str()) {
            Some(known) => Arc::clone(known),
            None => {
                let contig: Arc<str> = feature.contig.as_str().into();
                self.contigs.insert(Arc::clone(&contig));
                contig
            }
        };
        let is_gene = feature.is_gene();
        let boxed = |value: Option<String>| value.map(String::into_boxed_str);
        let transcript_id = || feature.attribute("transcript_id").unwrap_or(id);
        let ancestor = Ancestor {
            contig,
            start: feature.start,
            end: feature.end,
            is_gene,
            parent: feature.parents.first().map(|parent| parent.as_str().into()),
            gene_id: boxed(feature.gene_id()),
            symbol: boxed(symbol(feature, is_gene)),
            transcript_id: (!is_gene).then(|| ids::transcript_id(transcript_id()).into()),
            biotype: boxed(biotype(feature, is_gene)),
        };
        self.ancestors.entry(id.as_str().into()).or_default().push(ancestor);
    }

    /// The whole file has been taken in.
    pub fn finish(&mut self) {
        self.seen = HashSet::new();
        self.contigs = HashSet::new();
        for known in self.ancestors.values_mut() {
            known.sort_unstable();
            known.dedup();
        }
    }

    /// Whether several lines have this id.
    pub fn is_repeated(&self, id: &str) -> bool {
        self.repeated.contains(&xxh3_128(without_version(id).as_bytes()))
    }

    /// What a feature, as a part of this parent, says of its gene and transcript.
    pub fn resolve(&self, feature: &Feature, parent: Option<&str>) -> Resolved {
        let own = |key: &str| feature.attribute(key).map(str::to_owned);
        let text = |value: &Option<Box<str>>| value.as_deref().map(str::to_owned);
        if feature.is_gene() {
            return Resolved {
                gene_id: feature.gene_id(),
                gene_symbol: symbol(feature, true),
                transcript_id: None,
                biotype: biotype(feature, true),
                is_orphan: false,
            };
        }
        let Ascent { transcript, gene, ends_at } =
            parent.map(|parent| self.ascend(feature, parent)).unwrap_or_default();
        let is_orphan = ends_at.is_some() && ends_at == parent;
        // Lines of GTF name their gene even where the line of their transcript is missing.
        let gene = gene.or_else(|| {
            let named = feature.attribute("gene_id")?;
            self.find(named, feature).filter(|ancestor| ancestor.is_gene)
        });
        // The line of the gene was rejected, or is not in the file.
        let missing = ends_at.filter(|id| gene.is_none() && ids::is_of_gene(id)).map(ids::gene_id);
        let has_gene = gene.is_some() || missing.is_some();
        let is_transcript = transcript.is_none() && !feature.is_leaf() && (has_gene || parent.is_none());
        let own_transcript = || {
            let id = feature.id.as_deref().filter(|_| is_transcript && has_gene)?;
            Some(ids::transcript_id(id))
        };
        let biotype_of_part = || {
            let words = ["transcript_biotype", "transcript_type"].into_iter();
            words.chain(is_transcript.then_some("biotype")).find_map(own)
        };
        Resolved {
            gene_id: own("gene_id")
                .map(|id| ids::gene_id(&id))
                .or_else(|| gene.and_then(|gene| text(&gene.gene_id)))
                .or_else(|| feature.gene_id())
                .or(missing),
            gene_symbol: own("gene_name").or_else(|| gene.and_then(|gene| text(&gene.symbol))).or_else(|| own("gene")),
            transcript_id: own("transcript_id")
                .map(|id| ids::transcript_id(&id))
                .or_else(|| transcript.and_then(|transcript| text(&transcript.transcript_id)))
                .or_else(own_transcript),
            biotype: biotype_of_part()
                .or_else(|| transcript.and_then(|transcript| text(&transcript.biotype)))
                .or_else(|| gene.and_then(|gene| text(&gene.biotype)))
                .or_else(|| ["gene_biotype", "gene_type", "biotype"].into_iter().find_map(own)),
            is_orphan,
        }
    }

    /// The way up from a parent.
    fn ascend<'a>(&'a self, feature: &Feature, parent: &'a str) -> Ascent<'a> {
        let (mut transcript, mut next) = (None, Some(parent));
        for _ in 0..MOST_GENERATIONS {
            let Some(id) = next else { break };
            let Some(ancestor) = self.find(id, feature) else {
                return Ascent { transcript, gene: None, ends_at: Some(id) };
            };
            if ancestor.is_gene {
                return Ascent { transcript, gene: Some(ancestor), ends_at: None };
            }
            transcript = Some(ancestor);
            next = ancestor.parent.as_deref();
        }
        Ascent { transcript, gene: None, ends_at: None }
    }

    /// The feature with this id that a part belongs to: of several, the first that it overlaps on its contig, else the
    /// first on its contig, else the first.
    fn find(&self, id: &str, part: &Feature) -> Option<&Ancestor> {
        let known = self.ancestors.get(id)?;
        let here = |ancestor: &&Ancestor| *ancestor.contig == *part.contig;
        let overlaps = |ancestor: &&Ancestor| ancestor.start <= part.end && part.start <= ancestor.end;
        let on_contig = || known.iter().filter(here);
        on_contig().find(overlaps).or_else(|| on_contig().next()).or_else(|| known.first())
    }
}

/// The symbol that a line gives its gene.
fn symbol(feature: &Feature, is_gene: bool) -> Option<String> {
    let keys = if is_gene { &["gene_name", "Name", "gene"][..] } else { &["gene_name", "gene"] };
    keys.iter().find_map(|key| feature.attribute(key)).map(str::to_owned)
}

/// The biotype that a line gives its gene or transcript.
fn biotype(feature: &Feature, is_gene: bool) -> Option<String> {
    let keys = match is_gene {
        true => ["gene_biotype", "gene_type", "biotype"],
        false => ["transcript_biotype", "transcript_type", "biotype"],
    };
    keys.iter().find_map(|key| feature.attribute(key)).map(str::to_owned)
}
