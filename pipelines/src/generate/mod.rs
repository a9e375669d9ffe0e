//! `generate`: made-up drops of any size that look like the field's, the same bytes for the same options.
//!
//! A drop is made chunk by chunk, each from the seed and its number alone, so that any number of threads makes the same
//! file. docs/generate.md has the distributions; tests measure them.

mod alleles;
mod annotation;
mod chunks;
mod clinvar;
mod drugs;
mod frequency;
mod genes;
mod genome;
mod header;
mod line;
mod output;
mod packing;
mod random;
mod records;
mod samples;
mod sites;
mod text;

use std::{io, path::Path};

pub use self::{annotation::Annotations, drugs::COLUMNS as DRUG_COLUMNS, header::is_generated};
use self::{chunks::Chunk, genome::CONTIGS, output::Output, packing::Packing};

/// Records that are made at a time.
const CHUNK_RECORDS: u64 = 4_096;

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A drop of called variants (VCF).
    Calls,
    /// A release of clinical significances of the same sites (VCF as ClinVar writes it).
    Clinvar,
    /// The gene model that the annotations are of (GFF3).
    Genes,
    /// Drugs of those genes (tab-separated text).
    Drugs,
}

/// What a generated file is like. The same values give the same bytes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is made.
    pub kind: Kind,
    /// Records, at the most those that the kind has (genes).
    pub records: u64,
    /// Everything follows from it.
    pub seed: u64,
    /// Which drop of a series: drops of one seed share `overlap` of their sites.
    pub drop: u64,
    /// How often the drop was corrected: the same sites with other values here and there.
    pub edition: u64,
    /// The share of a drop's sites that every drop of the seed has, 0 to 1.
    pub overlap: f64,
    /// The share of records that no reader can use, 0 to 1.
    pub broken_share: f64,
    /// Sample columns.
    pub samples: u64,
    /// What the INFO column says of genes.
    pub annotations: Annotations,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            kind: Kind::Calls,
            records: 100_000,
            seed: 1,
            drop: 0,
            edition: 0,
            overlap: 0.5,
            broken_share: 0.0,
            samples: 0,
            annotations: Annotations::Ann,
        }
    }
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Generated {
    /// Data lines.
    pub records: u64,
    /// Of these, the ones that no reader can use.
    pub broken: u64,
    /// Bytes of text, before compression.
    pub text_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// Makes a file; `-` is standard output. A name that ends with `.gz` or `.bgz` is packed as BGZF, and a VCF of that name
/// gets its index (`.tbi`) beside it.
///
/// # Errors
/// When the file cannot be written.
pub fn generate(settings: &Settings, path: &Path, threads: usize) -> io::Result<Generated> {
    let packing = Packing::of(path);
    let mut output = Output::create(path, settings.kind, packing)?;
    let header = header::header(settings)?;
    output.write(Chunk::of_text(header, packing)?)?;
    let chunks = chunks_of(settings).div_ceil(CHUNK_RECORDS);
    let make = |number: u64| Chunk::new(settings, number, packing);
    let threads = threads.clamp(1, 64) as u64;
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads.min(chunks))
            .map(|lane| {
                // One chunk ahead of the writer; the lanes take turns, so the order is that of the numbers.
                let (sender, receiver) = std::sync::mpsc::sync_channel(1);
                scope.spawn(move || {
                    let numbers = (lane..chunks).step_by(threads as usize);
                    for chunk in numbers.map(make) {
                        if sender.send(chunk).is_err() {
                            return;
                        }
                    }
                });
                receiver
            })
            .collect();
        for number in 0..chunks {
            let lane = &lanes[(number % threads) as usize];
            let chunk = lane.recv().map_err(|_| io::Error::other("a thread that makes records ended"))?;
            output.write(chunk?)?;
        }
        Ok::<(), io::Error>(())
    })?;
    output.finish()
}

/// Data lines of a file.
fn chunks_of(settings: &Settings) -> u64 {
    match settings.kind {
        Kind::Calls | Kind::Clinvar => settings.records,
        Kind::Genes | Kind::Drugs => settings.records.min(genome::genes()),
    }
}

/// The name of a contig in a kind of file: ClinVar writes `1`, everything else here `chr1`.
fn contig_name(kind: Kind, contig: usize) -> &'static str {
    let name = CONTIGS[contig].name;
    if kind == Kind::Clinvar { name.trim_start_matches("chr") } else { name }
}

#[cfg(test)]
mod tests;
