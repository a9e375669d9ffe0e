//! One line of a gene model, read by noodles; what the files of the field write beside the specifications is read here.

use std::borrow::Cow;

use noodles_gff as gff;
use noodles_gtf as gtf;
use vardelta_engine::contract::reason::Reason;

use super::{
    gtf_attributes, ids,
    reasons::{BAD_ATTRIBUTES, BAD_CONTIG, BAD_FEATURE, BAD_POSITION, MISSING_COLUMNS, Tally, Warning},
};
use crate::sources::shared::{place::shown, text::decode};

/// How a file writes attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `ID=gene:1;Name=A`.
    Gff3,
    /// `gene_id "1"; gene_name "A";`.
    Gtf,
}

impl Format {
    /// The format that a record's attributes are in; `None` where they do not tell.
    pub fn of(line: &[u8]) -> Option<Format> {
        let attributes = line.splitn(9, |byte| *byte == b'\t').nth(8)?.trim_ascii();
        match attributes.iter().find(|byte| matches!(byte, b'=' | b' ' | b'"'))? {
            b'=' => Some(Format::Gff3),
            _ => Some(Format::Gtf),
        }
    }
}

/// Why a record is refused: the reason, and what exactly was wrong.
pub(super) type Refusal = (&'static Reason, String);

/// A feature, as its line says.
#[derive(Clone, Debug, Default)]
pub(super) struct Feature {
    /// The contig as the file writes it.
    pub contig: String,
    /// The kind of feature.
    pub kind: String,
    /// First base, 1-based.
    pub start: i64,
    /// Last base, 1-based.
    pub end: i64,
    /// `+` or `-`.
    pub strand: Option<&'static str>,
    /// Its own id.
    pub id: Option<String>,
    /// The ids of what it is a part of.
    pub parents: Vec<String>,
    /// Key and value, in the order of the line; a list has an entry per value.
    attributes: Vec<(String, String)>,
}

impl Feature {
    /// Reads a line, given without its line end.
    pub fn parse(line: &[u8], format: Format, tally: &mut Tally) -> Result<Feature, Refusal> {
        let text = decode(line);
        if matches!(text, Cow::Owned(_)) {
            tally.count(Warning::InvalidUtf8);
        }
        let line = text.as_bytes();
        let mut feature = match format {
            Format::Gff3 => Feature::of_gff3(line, tally)?,
            Format::Gtf => Feature::of_gtf(line, tally)?,
        };
        if matches!(feature.contig.as_str(), "" | ".") {
            return Err((BAD_CONTIG, "the first column names no contig".into()));
        }
        if matches!(feature.kind.as_str(), "" | ".") {
            return Err((BAD_FEATURE, "the third column names no kind of feature".into()));
        }
        if feature.end < feature.start {
            let Feature { start, end, .. } = feature;
            return Err((BAD_POSITION, format!("the end, {end}, lies before the start, {start}")));
        }
        feature.find_ids(format);
        Ok(feature)
    }

    fn of_gff3(line: &[u8], tally: &mut Tally) -> Result<Feature, Refusal> {
        let mut read = gff::Line::default();
        // Reading from memory does not fail; what is no record is found out by the next line.
        let _ = gff::io::Reader::new(line).read_line(&mut read);
        let Some(Ok(record)) = read.as_record() else { return Err(too_short(line)) };
        let mut feature = Feature {
            // What percent signs stand for may be no UTF-8 either.
            contig: counted(record.reference_sequence_name().as_ref(), tally),
            kind: counted(record.ty().as_ref(), tally),
            start: position(record.start(), line, 3)?,
            end: position(record.end(), line, 4)?,
            strand: strand(line, tally),
            ..Feature::default()
        };
        for field in record.attributes().iter() {
            // What is left has no `=`: a blank after the last semicolon, or words.
            let Ok((tag, value)) = field else {
                let rest = line.rsplit(|byte| *byte == b';').next().unwrap_or_default();
                // Attributes as GTF writes them have no `=` at all.
                if feature.attributes.is_empty() || !rest.trim_ascii().is_empty() {
                    tally.count(Warning::OddAttributes);
                }
                break;
            };
            let tag = decode(&tag);
            // Nothing ends a key but `=`, so that whatever has none before the next semicolon is before it.
            let (before, key) = tag.rsplit_once(';').unwrap_or(("", &tag));
            if before.split(';').any(|word| !word.trim().is_empty()) {
                tally.count(Warning::OddAttributes);
            }
            let key = key.trim();
            match value {
                gff::record::attributes::field::Value::String(value) => feature.add(key, counted(&value, tally)),
                gff::record::attributes::field::Value::Array(values) => {
                    values.iter().for_each(|value| feature.add(key, counted(&value, tally)));
                }
            }
        }
        Ok(feature)
    }

    fn of_gtf(line: &[u8], tally: &mut Tally) -> Result<Feature, Refusal> {
        let mut read = gtf::Line::default();
        let _ = gtf::io::Reader::new(line).read_line(&mut read);
        let Some(Ok(record)) = read.as_record() else { return Err(too_short(line)) };
        let mut feature = Feature {
            contig: decode(record.reference_sequence_name().as_ref()).into_owned(),
            kind: decode(record.ty().as_ref()).into_owned(),
            start: position(record.start(), line, 3)?,
            end: position(record.end(), line, 4)?,
            strand: strand(line, tally),
            ..Feature::default()
        };
        if column(line, 8).trim_ascii() == b"." {
            return Ok(feature);
        }
        let attributes = gtf_attributes::read(column(line, 8)).ok_or_else(|| {
            (BAD_ATTRIBUTES, format!("a quote is not closed in the attributes: `{}`", shown(column(line, 8))))
        })?;
        if attributes.odd {
            tally.count(Warning::OddAttributes);
        }
        for (key, value) in attributes.pairs {
            feature.add(&key, value);
        }
        Ok(feature)
    }

    fn add(&mut self, key: &str, value: String) {
        if !key.is_empty() && !value.is_empty() {
            self.attributes.push((key.to_owned(), value));
        }
    }

    /// GTF has no ids: its lines name their gene and transcript.
    fn find_ids(&mut self, format: Format) {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        match format {
            Format::Gff3 => {
                self.id = owned(self.attribute("ID"));
                self.parents = self.values("Parent").map(str::to_owned).collect();
                self.parents.dedup();
            }
            Format::Gtf => {
                let (gene, transcript) = (owned(self.attribute("gene_id")), owned(self.attribute("transcript_id")));
                (self.id, self.parents) = match self.kind.as_str() {
                    "gene" => (gene, Vec::new()),
                    "transcript" => (transcript, Vec::from_iter(gene)),
                    _ => (None, Vec::from_iter(transcript.or(gene))),
                };
            }
        }
    }

    /// The first value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.values(key).next()
    }

    /// Every value of an attribute.
    pub fn values<'a, 'k>(&'a self, key: &'k str) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
        self.attributes.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Every value of an attribute in one text.
    pub fn joined(&self, key: &str) -> Option<Cow<'_, str>> {
        let mut values = self.values(key);
        let first = values.next()?;
        Some(match values.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let all: Vec<&str> = [first, second].into_iter().chain(self.values(key).skip(2)).collect();
                Cow::Owned(all.join(","))
            }
        })
    }

    /// Whether it is a gene, and not a part of one. Ensembl writes gene segments as `J_gene_segment` with the id of a gene.
    pub fn is_gene(&self) -> bool {
        let is_named = || self.id.as_deref().is_some_and(ids::is_of_gene);
        self.parents.is_empty() && (self.kind.ends_with("gene") || is_named())
    }

    /// Whether it is of a kind that has no parts.
    pub fn is_leaf(&self) -> bool {
        const LEAVES: [&str; 15] = [
            "exon",
            "CDS",
            "UTR",
            "five_prime_UTR",
            "three_prime_UTR",
            "five_prime_utr",
            "three_prime_utr",
            "start_codon",
            "stop_codon",
            "intron",
            "Selenocysteine",
            "stop_codon_redefined_as_selenocysteine",
            "match",
            "cDNA_match",
            "biological_region",
        ];
        LEAVES.contains(&self.kind.as_str())
    }

    /// The id of its gene, as far as its own line says.
    pub fn gene_id(&self) -> Option<String> {
        let cross_reference = || {
            let mut references = ["Dbxref", "db_xref"].into_iter().flat_map(|key| self.values(key));
            references.find_map(|reference| reference.strip_prefix("GeneID:")).map(str::to_owned)
        };
        let own = || self.id.as_deref().filter(|_| self.is_gene()).map(ids::gene_id);
        self.attribute("gene_id").map(ids::gene_id).or_else(cross_reference).or_else(own)
    }
}

/// A value as text; where it is no UTF-8, that is counted.
fn counted(value: &[u8], tally: &mut Tally) -> String {
    let text = decode(value);
    if matches!(text, Cow::Owned(_)) {
        tally.count(Warning::InvalidUtf8);
    }
    text.into_owned()
}

/// A column of a line.
fn column(line: &[u8], at: usize) -> &[u8] {
    line.splitn(9, |byte| *byte == b'\t').nth(at).unwrap_or_default()
}

fn too_short(line: &[u8]) -> Refusal {
    let columns = line.split(|byte| *byte == b'\t').count();
    (MISSING_COLUMNS, format!("{columns} of nine columns"))
}

fn position(read: std::io::Result<noodles_core::Position>, line: &[u8], at: usize) -> Result<i64, Refusal> {
    let position = read.ok().and_then(|position| i64::try_from(position.get()).ok());
    let which = if at == 3 { "start" } else { "end" };
    position.ok_or_else(|| (BAD_POSITION, format!("the {which}, `{}`, is no position", shown(column(line, at)))))
}

fn strand(line: &[u8], tally: &mut Tally) -> Option<&'static str> {
    match column(line, 6) {
        b"+" => Some("+"),
        b"-" => Some("-"),
        b"." | b"?" => None,
        _ => {
            tally.count(Warning::BadStrand);
            None
        }
    }
}
