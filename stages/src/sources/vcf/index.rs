//! Indexes: which stretches of a BGZF file hold the records of given regions (`.csi`, `.tbi`; SAM 1.6, section 5, and the
//! tabix and CSI specifications).
//!
//! An index only saves reading: what it is good for is decided before a record is read, and where it is not, the whole
//! file is read instead.

use std::{
    fs::File,
    io::{self, BufRead as _},
    path::{Path, PathBuf},
};

use noodles_bgzf as bgzf;
use noodles_core::{Position, region::Interval};
use noodles_csi::binning_index::{BinningIndex, index::reference_sequence::bin::Chunk, merge_chunks};

use vardelta_engine::contract::stage::StageError;

use crate::sources::{
    shared::{container::Container, stretches::Stretch},
    vcf::{header::VcfHeader, reasons::Warning, regions::Regions},
};

/// Regions closer than this are looked up together: the width of an index's smallest bin.
const LOOKUP_GAP: i64 = 1 << 14;

/// What the index of a file says.
#[derive(Debug, Default)]
struct Lookup {
    /// The stretches to read, in the order of the file; `None` where the whole file must be read.
    stretches: Option<Vec<Stretch>>,
    /// Why an index is not used.
    warnings: Vec<Warning>,
}

/// A reader that can be told to read nothing but some stretches.
pub(super) trait Indexable {
    /// The file.
    fn container(&self) -> &Container;

    /// The header.
    fn header_mut(&mut self) -> &mut VcfHeader;

    /// The contig with a number, where an index has no names.
    fn contig_of(&self) -> Option<Box<dyn Fn(usize) -> Option<String> + '_>>;

    /// Reads nothing else from now on.
    ///
    /// # Errors
    /// When the file cannot be opened again.
    fn read_only(&mut self, stretches: Vec<Stretch>) -> Result<(), StageError>;
}

/// Goes by the index beside a file where there are regions and the index is one; counts in the header why not.
///
/// # Errors
/// When the file cannot be opened again.
pub(super) fn narrow(reader: &mut impl Indexable) -> Result<(), StageError> {
    let Some(regions) = reader.header_mut().regions.clone() else { return Ok(()) };
    if !reader.container().is_seekable() {
        return Ok(());
    }
    let header = reader.header_mut().clone();
    let path = PathBuf::from(reader.container().file());
    let lookup = look_up(&path, &header, &regions, reader.contig_of().as_deref());
    for warning in lookup.warnings {
        reader.header_mut().tally.count(warning);
    }
    if let Some(stretches) = lookup.stretches {
        reader.read_only(stretches)?;
        reader.header_mut().is_indexed = true;
    }
    Ok(())
}

/// Looks regions up in the index beside a file. `contig_of` gives the contig with a number where the index has no names
/// (BCF).
fn look_up(
    path: &Path,
    header: &VcfHeader,
    regions: &Regions,
    contig_of: Option<&dyn Fn(usize) -> Option<String>>,
) -> Lookup {
    let mut lookup = Lookup::default();
    for extension in ["csi", "tbi"] {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        let index_path = PathBuf::from(name);
        if !index_path.is_file() {
            continue;
        }
        if is_older(&index_path, path) {
            lookup.warnings.push(Warning::StaleIndex);
            continue;
        }
        let index: io::Result<Box<dyn BinningIndex>> = match extension {
            "csi" => noodles_csi::fs::read(&index_path).map(|index| Box::new(index) as _),
            _ => noodles_tabix::fs::read(&index_path).map(|index| Box::new(index) as _),
        };
        match index.and_then(|index| stretches(index.as_ref(), path, header, regions, contig_of)) {
            Ok(stretches) => return Lookup { stretches: Some(stretches), ..lookup },
            Err(_) => lookup.warnings.push(Warning::UnusableIndex),
        }
    }
    lookup
}

/// Whether an index was written before its file.
fn is_older(index: &Path, file: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    matches!((modified(index), modified(file)), (Some(index), Some(file)) if index < file)
}

fn stretches(
    index: &dyn BinningIndex,
    path: &Path,
    header: &VcfHeader,
    regions: &Regions,
    contig_of: Option<&dyn Fn(usize) -> Option<String>>,
) -> io::Result<Vec<Stretch>> {
    let foreign = || io::Error::new(io::ErrorKind::InvalidData, "the index is not of this file");
    let contigs = index.reference_sequences().count();
    let names: Vec<Option<String>> = match (contig_of, index.header()) {
        (Some(contig_of), _) => (0..contigs).map(contig_of).collect(),
        (None, Some(header)) => header.reference_sequence_names().iter().map(|name| Some(name.to_string())).collect(),
        (None, None) => return Err(foreign()),
    };
    check_end(index, path)?;
    let mut found = Vec::new();
    for (at, sequence) in index.reference_sequences().enumerate() {
        let Some(Some(contig)) = names.get(at) else { continue };
        let mut chunks: Vec<Chunk> = Vec::new();
        for (start, end) in together(regions.of(header.contig_names.canonical(contig))) {
            match sequence.metadata() {
                // All of a contig, the records before its first base too, which have no bin of their own.
                Some(all) if start < 1 && end == i64::MAX => {
                    chunks.push(Chunk::new(all.start_position(), all.end_position()));
                }
                _ => chunks.extend(query(index, at, start, end)?),
            }
        }
        let stretch = |chunk: &Chunk| Stretch { start: chunk.start(), end: chunk.end(), contig: contig.clone() };
        found.extend(merge_chunks(&chunks).iter().filter(|chunk| chunk.start() < chunk.end()).map(stretch));
    }
    found.sort_by_key(|stretch| stretch.start);
    match found.windows(2).all(|pair| pair[0].end <= pair[1].start) {
        true => Ok(found),
        // Contigs lie one behind the other in a file that can be indexed.
        false => Err(foreign()),
    }
}

/// Regions in order, those that lie close together as one.
fn together(regions: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut wider: Vec<(i64, i64)> = Vec::new();
    for (start, end) in regions {
        match wider.last_mut() {
            Some(last) if start.saturating_sub(last.1) < LOOKUP_GAP => last.1 = *end,
            _ => wider.push((*start, *end)),
        }
    }
    wider
}

fn query(index: &dyn BinningIndex, contig: usize, start: i64, end: i64) -> io::Result<Vec<Chunk>> {
    // The last position that this index has a bin for.
    let most = 1i64.checked_shl(u32::from(index.min_shift()) + 3 * u32::from(index.depth())).unwrap_or(i64::MAX) - 1;
    if start > most {
        return Ok(Vec::new());
    }
    let position = |place: i64| usize::try_from(place).ok().and_then(Position::new).unwrap_or(Position::MIN);
    let interval = Interval::from(position(start.max(1))..=position(end.clamp(1, most)));
    index.query(contig, interval)
}

/// The last record that an index knows is the file's last: otherwise it is of another file, or of an earlier, shorter one.
fn check_end(index: &dyn BinningIndex, path: &Path) -> io::Result<()> {
    let Some(end) =
        index.reference_sequences().filter_map(|sequence| sequence.metadata()).map(|all| all.end_position()).max()
    else {
        return Ok(());
    };
    let mut reader = bgzf::io::Reader::new(File::open(path)?);
    reader.seek(end)?;
    match reader.fill_buf()?.is_empty() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "records follow that the index does not know")),
    }
}
