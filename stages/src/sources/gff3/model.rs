//! The first reading of a file: its format, its genes and transcripts, and what its directives say.

use std::sync::Arc;

use vardelta_engine::contract::{source::Chunk, stage::StageError};

use super::{
    feature::{Feature, Format},
    lineage::Lineage,
    reasons::{Tally, Warning},
};
use crate::{
    assembly::{Assembly, Resolution, fitting},
    sources::shared::{lines::lines, place::shown},
};

/// What parsing records needs to know of the whole file.
#[derive(Debug)]
pub(super) struct Model {
    /// How it writes attributes.
    pub format: Format,
    /// Its genes and transcripts.
    pub lineage: Lineage,
    /// The line from which on it holds sequences, 1-based.
    pub sequences_from: Option<u64>,
    /// The kinds of features that are loaded; empty for all.
    pub features: Arc<[String]>,
    /// What the coordinates refer to.
    pub assembly: Option<Arc<Assembly>>,
    /// Whether a byte order mark was skipped.
    pub has_byte_order_mark: bool,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineClass {
    Record,
    Blank,
    /// A comment, a directive, a line for a genome browser, or a part of a sequence.
    Other,
}

impl Model {
    /// A model of nothing yet.
    pub fn new(features: Arc<[String]>, assembly: Option<Arc<Assembly>>) -> Model {
        Model {
            format: Format::Gff3,
            lineage: Lineage::default(),
            sequences_from: None,
            features,
            assembly,
            has_byte_order_mark: false,
        }
    }

    /// What a line is.
    pub fn class(&self, line: &[u8], origin: u64) -> LineClass {
        if self.sequences_from.is_some_and(|from| origin >= from) {
            return LineClass::Other;
        }
        match line.first() {
            None => LineClass::Blank,
            Some(b'#') => LineClass::Other,
            Some(_) if line.iter().all(u8::is_ascii_whitespace) => LineClass::Blank,
            Some(_) if line.starts_with(b"track ") || line.starts_with(b"browser ") => LineClass::Other,
            Some(_) => LineClass::Record,
        }
    }

    /// Whether a line of nine columns is where only sequences may.
    pub fn is_stray(&self, line: &[u8], origin: u64) -> bool {
        self.sequences_from.is_some_and(|from| origin > from) && memchr::memchr_iter(b'\t', line).count() == 8
    }

    /// Whether a feature becomes rows.
    pub fn is_loaded(&self, feature: &Feature) -> bool {
        self.features.is_empty() || self.features.contains(&feature.kind)
    }

    /// A digest of what of it changes how records are decoded, and is in no record.
    pub fn digest(&self) -> u128 {
        u128::from(self.format == Format::Gtf)
    }
}

/// What a model is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// To decode records: with the genes and transcripts that their parts take over from.
    Records,
    /// To digest records, which takes no more than which lines are any.
    Digest,
}

/// Reads a file for its model.
pub(super) struct ModelReader {
    model: Model,
    what: For,
    format: Option<Format>,
    file: String,
    lengths: Vec<(String, u64)>,
}

impl ModelReader {
    /// A reader of this file.
    pub fn new(model: Model, file: &str, what: For) -> ModelReader {
        ModelReader { model, what, format: None, file: file.to_owned(), lengths: Vec::new() }
    }

    /// Takes a chunk in.
    ///
    /// # Errors
    /// When a directive says that the coordinates refer to something else than the pipeline's assembly.
    pub fn add(&mut self, chunk: &Chunk) -> Result<(), StageError> {
        let mut unread = Tally::default();
        for (line, origin) in lines(chunk) {
            // Sequences follow a directive, or begin at once.
            if self.model.sequences_from.is_none() && (line.starts_with(b"##FASTA") || line.starts_with(b">")) {
                self.model.sequences_from = Some(origin);
            }
            if self.model.class(line, origin) != LineClass::Record {
                if self.model.sequences_from.is_some() && line.starts_with(b"##gff-version") {
                    return Err(self.joined(origin));
                }
                self.heed(line, origin)?;
                continue;
            }
            if self.format.is_none() {
                self.format = Format::of(line);
            }
            let format = self.format.unwrap_or(Format::Gff3);
            if self.what == For::Digest {
                continue;
            }
            if let Ok(feature) = Feature::parse(line, format, &mut unread) {
                let is_loaded = self.model.is_loaded(&feature);
                self.model.lineage.add(&feature, is_loaded);
            }
        }
        Ok(())
    }

    /// The model, when the whole file has been read.
    pub fn finish(self) -> Model {
        let mut model = self.model;
        model.format = self.format.unwrap_or(Format::Gff3);
        model.lineage.finish();
        model
    }

    /// Heeds a directive.
    fn heed(&mut self, line: &[u8], origin: u64) -> Result<(), StageError> {
        let text = String::from_utf8_lossy(&line[..line.len().min(200)]);
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("##gff-version"), Some(version), ..) if self.format.is_none() => {
                self.format = Some(if version.starts_with('3') { Format::Gff3 } else { Format::Gtf });
            }
            (Some("##sequence-region"), Some(contig), Some("1"), Some(length)) => {
                let Ok(length) = length.parse() else { return Ok(()) };
                self.lengths.push((contig.to_owned(), length));
                self.check_length(contig, length, origin)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn joined(&self, origin: u64) -> StageError {
        StageError::new(format!("{}: line {origin} begins another model after the sequences of the first", self.file)).with_hint(
            "Two models were joined into this file. Deliver each as a file of its own: nothing after `##FASTA` is read.",
        )
    }

    fn check_length(&self, contig: &str, length: u64, origin: u64) -> Result<(), StageError> {
        let Some(assembly) = &self.model.assembly else { return Ok(()) };
        let Resolution::OtherLength(at) = assembly.resolve(contig, Some(length)) else { return Ok(()) };
        let known: Vec<(&str, u64)> = self.lengths.iter().map(|(name, length)| (name.as_str(), *length)).collect();
        let of = match fitting(&known).as_slice() {
            [] => String::new(),
            fits => format!("; its lengths are those of {}", fits.join(" or ")),
        };
        Err(StageError::new(format!(
            "{}: line {origin} says that contig {} has {length} bp, but {} of {} has {}{of}",
            self.file,
            shown(contig.as_bytes()),
            assembly.contig_name(at),
            assembly.name(),
            assembly.contig_length(at),
        ))
        .with_hint("Its positions mean other places: take the model of the pipeline's assembly."))
    }
}

/// What a file's first chunk is to be warned of, beside its records.
pub(super) fn first_warnings(model: &Model, tally: &mut Tally) {
    if model.has_byte_order_mark {
        tally.count(Warning::ByteOrderMark);
    }
}
