//! Indexes: which stretches of a BGZF file hold the records of given regions (`.csi`, `.tbi`; SAM 1.6, section 5, and the
//! tabix and CSI specifications).
//!
//! An index only saves reading: what it is good for is decided before a record is read, and where it does not prove itself
//! the whole file is read instead, and that is counted.

mod file;
mod probe;
mod proof;

use std::path::{Path, PathBuf};

use vardelta_engine::contract::stage::StageError;

use self::{
    file::IndexFile,
    probe::{ContigOf, Probe},
};
use crate::sources::{
    shared::{container::Container, stretches::Stretch},
    vcf::{header::VcfHeader, reasons::Warning, regions::Regions},
};

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

    /// How many bytes the header takes, decompressed.
    fn header_bytes(&self) -> u64;

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
    let path = reader.container().path().to_owned();
    let lookup = look_up(&path, &header, reader.header_bytes(), &regions, reader.contig_of().as_deref());
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
    header_bytes: u64,
    regions: &Regions,
    contig_of: Option<ContigOf<'_>>,
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
        let stretches = IndexFile::read(&index_path).and_then(|index| {
            let names = match (contig_of, &index.names) {
                (Some(contig_of), _) => (0..index.contigs.len()).map(contig_of).collect(),
                (None, Some(names)) => names.iter().cloned().map(Some).collect(),
                (None, None) => return Err(file::damaged("it does not name its contigs")),
            };
            let names: Vec<Option<String>> = names;
            proof::stretches(&index, &names, &mut Probe::open(path, contig_of)?, header, header_bytes, regions)
        });
        match stretches {
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
