//! The parts of a gene: from the rows of a model to stretches, each with its region.

use std::collections::BTreeMap;

use super::region::Region;

/// How far the borders of a gene reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reaches {
    pub upstream_bp: i64,
    pub downstream_bp: i64,
    pub splice_bp: i64,
}

/// A stretch, both ends included, 1-based.
pub(super) type Stretch = (i64, i64);

/// A row of the model.
#[derive(Clone, Debug)]
pub(super) struct Feature<'a> {
    pub kind: &'a str,
    pub stretch: Stretch,
    pub is_reverse: bool,
    pub transcript: Option<&'a str>,
}

/// The exons and coding parts of one transcript.
#[derive(Default)]
struct Transcript {
    exons: Vec<Stretch>,
    coding: Vec<Stretch>,
}

/// The stretches of one gene on one chromosome.
pub(super) fn parts(features: &[Feature<'_>], reaches: Reaches) -> Vec<(Region, Stretch)> {
    let mut parts = Vec::new();
    let mut spans: Vec<(Stretch, bool)> =
        features.iter().filter(|feature| is_gene(feature.kind)).map(|gene| (gene.stretch, gene.is_reverse)).collect();
    if let (true, Some(first)) = (spans.is_empty(), features.first()) {
        let start = features.iter().map(|feature| feature.stretch.0).min().unwrap_or(first.stretch.0);
        let end = features.iter().map(|feature| feature.stretch.1).max().unwrap_or(first.stretch.1);
        spans.push(((start, end), first.is_reverse));
    }
    let mut transcripts: BTreeMap<Option<&str>, Transcript> = BTreeMap::new();
    for feature in features {
        match feature.kind.to_ascii_lowercase().as_str() {
            "exon" => transcripts.entry(feature.transcript).or_default().exons.push(feature.stretch),
            "cds" => {
                transcripts.entry(feature.transcript).or_default().coding.push(feature.stretch);
                parts.push((Region::Cds, feature.stretch));
            }
            "five_prime_utr" | "5utr" | "five_prime_untranslated_region" => parts.push((Region::Utr5, feature.stretch)),
            "three_prime_utr" | "3utr" | "three_prime_untranslated_region" => {
                parts.push((Region::Utr3, feature.stretch))
            }
            _ => {}
        }
    }
    let is_reverse = spans.first().is_some_and(|span| span.1);
    for transcript in transcripts.values_mut() {
        of_transcript(transcript, is_reverse, reaches.splice_bp, &mut parts);
    }
    let has_exons = !parts.is_empty();
    for ((start, end), is_reverse) in spans {
        parts.push((if has_exons { Region::Intron } else { Region::Exon }, (start, end)));
        let (before_bp, after_bp) = match is_reverse {
            false => (reaches.upstream_bp, reaches.downstream_bp),
            true => (reaches.downstream_bp, reaches.upstream_bp),
        };
        let (before, after) = match is_reverse {
            false => (Region::Upstream, Region::Downstream),
            true => (Region::Downstream, Region::Upstream),
        };
        push(&mut parts, before, ((start - before_bp).max(1), start - 1));
        push(&mut parts, after, (end + 1, end.saturating_add(after_bp)));
    }
    parts
}

/// Whether a feature is a gene as a whole: `gene`, and what RefSeq and Ensembl call special ones.
fn is_gene(kind: &str) -> bool {
    kind == "gene" || kind == "pseudogene" || kind == "ncRNA_gene" || kind.ends_with("_gene")
}

fn push(parts: &mut Vec<(Region, Stretch)>, region: Region, stretch: Stretch) {
    if stretch.0 <= stretch.1 {
        parts.push((region, stretch));
    }
}

fn of_transcript(transcript: &mut Transcript, is_reverse: bool, splice_bp: i64, parts: &mut Vec<(Region, Stretch)>) {
    transcript.exons.sort_unstable();
    let coding =
        transcript.coding.iter().map(|part| part.0).min().zip(transcript.coding.iter().map(|part| part.1).max());
    let (before, after) = if is_reverse { (Region::Utr3, Region::Utr5) } else { (Region::Utr5, Region::Utr3) };
    for (start, end) in &transcript.exons {
        parts.push((Region::Exon, (*start, *end)));
        if let Some((first, last)) = coding {
            push(parts, before, (*start, (*end).min(first - 1)));
            push(parts, after, ((*start).max(last + 1), *end));
        }
    }
    for pair in transcript.exons.windows(2) {
        let (from, to) = (pair[0].1 + 1, pair[1].0 - 1);
        push(parts, Region::Splice, (from, to.min(from + splice_bp - 1)));
        push(parts, Region::Splice, (from.max(to - splice_bp + 1), to));
    }
}
