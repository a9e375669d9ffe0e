//! The reference sequence: an indexed FASTA, read in windows as sorted records ask for it.

use std::{
    collections::HashMap,
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use noodles_fasta::io::{BufReader, IndexedReader, indexed_reader};
use vardelta_engine::contract::{side_input, stage::StageError};

use crate::assembly::{Assembly, Resolution};

/// Bases read before the ones asked for: left-alignment walks that way.
const WINDOW_BEFORE_BASES: u64 = 4 << 10;
/// Bases read after the ones asked for: the next records lie there.
const WINDOW_AFTER_BASES: u64 = 64 << 10;

/// A contig of the FASTA: its place in the index.
pub(super) type Contig = usize;

/// An open FASTA and the window of it that was read last.
pub(super) struct Reference {
    path: String,
    reader: IndexedReader<BufReader<File>>,
    contigs: HashMap<Vec<u8>, Contig>,
    window: Window,
}

/// A stretch of a contig, upper-case.
#[derive(Default)]
struct Window {
    contig: Option<Contig>,
    /// Place of the first base, 0-based.
    start: u64,
    bases: Vec<u8>,
}

/// The name under which the rows of a contig come.
fn canonical(fasta: &str, record: &noodles_fasta::fai::Record, assembly: &Assembly) -> Result<Vec<u8>, StageError> {
    let name = String::from_utf8_lossy(record.name());
    match assembly.resolve(&name, Some(record.length())) {
        Resolution::Contig(contig) => Ok(assembly.contig_name(contig).as_bytes().to_vec()),
        Resolution::Unknown => Ok(record.name().to_vec()),
        Resolution::OtherLength(contig) => Err(StageError::new(format!(
            "the FASTA {fasta} is of another assembly: its {name} has {} bp, {} of {} has {}",
            record.length(),
            assembly.contig_name(contig),
            assembly.name(),
            assembly.contig_length(contig)
        ))
        .with_hint("Name the FASTA of the pipeline's assembly, or correct `assembly` under [pipeline].")),
    }
}

impl Reference {
    /// Opens a FASTA that has its `.fai` beside it (and its `.gzi`, where it is compressed).
    pub(super) fn open(path: &Path, assembly: Option<&Assembly>) -> Result<Reference, StageError> {
        let shown = path.display().to_string();
        let opened = side_input::check(path).and_then(|()| indexed_reader::Builder::default().build_from_path(path));
        let reader = opened.map_err(|error| {
            let problem = StageError::new(format!("cannot open the FASTA {shown} with its index: {error}"));
            match error.kind() {
                ErrorKind::NotFound => {
                    problem.with_hint(format!("Check the path, and make the index with `samtools faidx {shown}`."))
                }
                _ => problem.with_hint("A compressed FASTA must be compressed with bgzip and have its .fai and .gzi."),
            }
        })?;
        let records: &[noodles_fasta::fai::Record] = reader.index().as_ref();
        let mut contigs: HashMap<Vec<u8>, Contig> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            let name = match assembly {
                Some(assembly) => canonical(&shown, record, assembly)?,
                None => record.name().to_vec(),
            };
            // Of two spellings of one contig the canonical one counts.
            let canonical = name == AsRef::<[u8]>::as_ref(record.name());
            if canonical || !contigs.contains_key(&name) {
                contigs.insert(name, at);
            }
        }
        Ok(Reference { path: shown, reader, contigs, window: Window::default() })
    }

    /// A contig by its name: the canonical one where there is an assembly, else exactly as the FASTA writes it.
    pub(super) fn contig(&self, name: &str) -> Option<Contig> {
        self.contigs.get(name.as_bytes()).copied()
    }

    /// The bases at `start .. start + length` (0-based), upper-case, ambiguity codes as they are. `None` where the contig
    /// does not reach so far.
    pub(super) fn bases(&mut self, contig: Contig, start: u64, length: u64) -> Result<Option<&[u8]>, StageError> {
        let records: &[noodles_fasta::fai::Record] = self.reader.index().as_ref();
        let contig_length = records[contig].length();
        let Some(end) = start.checked_add(length).filter(|end| *end <= contig_length) else { return Ok(None) };
        let window_end = self.window.start + self.window.bases.len() as u64;
        if self.window.contig != Some(contig) || start < self.window.start || end > window_end {
            let from = start.saturating_sub(WINDOW_BEFORE_BASES);
            self.read_window(contig, from, end.saturating_add(WINDOW_AFTER_BASES).min(contig_length))?;
        }
        let offset = (start - self.window.start) as usize;
        Ok(Some(&self.window.bases[offset..offset + length as usize]))
    }

    fn read_window(&mut self, contig: Contig, start: u64, end: u64) -> Result<(), StageError> {
        let records: &[noodles_fasta::fai::Record] = self.reader.index().as_ref();
        let (line_bases, line_width) = (records[contig].line_base_count().get(), records[contig].line_width().get());
        let place_bytes = |base: u64| records[contig].position() + base / line_bases * line_width + base % line_bases;
        let (from_bytes, to_bytes) = (place_bytes(start), place_bytes(end.saturating_sub(1)) + 1);
        let name = String::from_utf8_lossy(records[contig].name()).into_owned();

        self.window.contig = None;
        let mut raw = vec![0; (to_bytes - from_bytes) as usize];
        let file = self.reader.get_mut();
        file.seek(SeekFrom::Start(from_bytes)).and_then(|_| file.read_exact(&mut raw)).map_err(|error| {
            StageError::new(format!("cannot read {name}:{}-{end} of the FASTA {}: {error}", start + 1, self.path))
                .with_hint("Is the .fai of this very file? Make it again with `samtools faidx`.")
        })?;
        raw.retain(|byte| !matches!(byte, b'\n' | b'\r'));
        if raw.len() as u64 != end - start {
            return Err(StageError::new(format!("the index does not fit {name} of the FASTA {}", self.path))
                .with_hint("Make the .fai again with `samtools faidx`."));
        }
        raw.make_ascii_uppercase();
        self.window = Window { contig: Some(contig), start, bases: raw };
        Ok(())
    }
}
