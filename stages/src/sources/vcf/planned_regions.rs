//! The regions of a source as the pipeline file lists them and as a BED file does.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use vardelta_engine::contract::stage::StageError;

use crate::{
    assembly::Assembly,
    sources::vcf::{
        bed,
        regions::{Region, Regions},
    },
};

/// The regions of a source, before anything is read.
#[derive(Debug, Default)]
pub(super) struct PlannedRegions {
    /// Those that the pipeline file lists.
    pub listed: Vec<Region>,
    /// A BED file with more of them.
    pub file: Option<PathBuf>,
    read: OnceLock<Result<Arc<Regions>, String>>,
}

impl PlannedRegions {
    /// Regions from these two places; at least one of them.
    pub fn new(listed: Vec<Region>, file: Option<PathBuf>) -> PlannedRegions {
        PlannedRegions { listed, file, read: OnceLock::new() }
    }

    /// The regions, under the canonical names of an assembly.
    ///
    /// # Errors
    /// When the BED file cannot be read, or a line of it is no interval.
    pub fn get(&self, assembly: Option<&Assembly>) -> Result<Arc<Regions>, StageError> {
        let read = || {
            let from_file = self.file.as_deref().map(|path: &Path| bed::read(path)).transpose()?.unwrap_or_default();
            Ok(Arc::new(Regions::new(self.listed.iter().cloned().chain(from_file), assembly)))
        };
        self.read.get_or_init(read).clone().map_err(|message| {
            StageError::new(message).of_side_input().with_hint(
                "`regions_file` is a BED file: contig, start (0-based) and end (not included), separated by tabs.",
            )
        })
    }
}
