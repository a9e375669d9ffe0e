//! The catalogue: the runs of every space and shard, as they are read; the living form of a manifest.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::SHARDS;
use super::file::DataFile;
use super::manifest::{Manifest, SectionRecord};
use super::section::Section;

/// The runs of one shard, oldest first.
pub(super) type Runs = Vec<Arc<Section>>;

/// Spaces, of each the runs of its [`SHARDS`] shards.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    spaces: BTreeMap<String, Vec<Runs>>,
}

impl Catalog {
    /// The runs of a shard.
    pub(super) fn runs(&self, space: &str, shard: u32) -> &[Arc<Section>] {
        self.spaces.get(space).and_then(|shards| shards.get(shard as usize)).map_or(&[], Vec::as_slice)
    }

    /// The runs of a shard, to be changed.
    pub(super) fn runs_mut(&mut self, space: &str, shard: u32) -> &mut Runs {
        if !self.spaces.contains_key(space) {
            self.spaces.insert(space.to_owned(), vec![Runs::new(); SHARDS as usize]);
        }
        let shards = self.spaces.get_mut(space).expect("it was inserted above");
        &mut shards[shard as usize]
    }

    /// Forgets a space.
    pub(super) fn remove(&mut self, space: &str) {
        self.spaces.remove(space);
    }

    /// Forgets what the session that wrote the runs still knows of them.
    pub(super) fn forget_writing(&mut self) {
        for run in self.spaces.values_mut().flatten().flatten().filter(|run| run.remembered.is_some()) {
            *run = Arc::new(Section { remembered: None, ..Section::clone(run) });
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.spaces.clear();
    }

    /// The spaces by name, each with the runs of its shards.
    pub(super) fn spaces(&self) -> impl Iterator<Item = (&str, &[Runs])> {
        self.spaces.iter().map(|(name, shards)| (name.as_str(), shards.as_slice()))
    }

    /// Every shard that has runs.
    pub(super) fn shards(&self) -> impl Iterator<Item = (&str, u32, &Runs)> {
        self.spaces.iter().flat_map(|(name, shards)| {
            (0..)
                .zip(shards)
                .filter(|(_, runs)| !runs.is_empty())
                .map(move |(shard, runs)| (name.as_str(), shard, runs))
        })
    }

    /// The data files, each with the bytes of its sections that are still in use; by serial number.
    pub(super) fn files(&self) -> Vec<(Arc<DataFile>, u64)> {
        let mut files: BTreeMap<u64, (Arc<DataFile>, u64)> = BTreeMap::new();
        for section in self.shards().flat_map(|(_, _, runs)| runs) {
            files.entry(section.file.serial()).or_insert_with(|| (Arc::clone(&section.file), 0)).1 += section.bytes;
        }
        files.into_values().collect()
    }

    /// The catalogue that a manifest describes.
    pub(super) fn of(manifest: &Manifest, directory: &Path, open: &mut HashMap<u64, Arc<DataFile>>) -> Catalog {
        let files: Vec<Arc<DataFile>> = manifest
            .files
            .iter()
            .map(|(serial, length)| {
                let file = || Arc::new(DataFile::existing(directory, *serial, *length));
                Arc::clone(open.entry(*serial).or_insert_with(file))
            })
            .collect();
        let mut catalog = Catalog::default();
        for (space, sections) in &manifest.spaces {
            for record in sections {
                catalog.runs_mut(space, record.shard).push(Arc::new(Section {
                    file: Arc::clone(&files[record.file]),
                    root: record.root,
                    levels: record.levels,
                    entries: record.entries,
                    bytes: record.bytes,
                    filter: record.filter,
                    remembered: None,
                }));
            }
        }
        catalog
    }

    /// Describes the catalogue in the manifest.
    pub(super) fn describe(&self, manifest: &mut Manifest) {
        let files = self.files();
        manifest.files = files.iter().map(|(file, _)| (file.serial(), file.length())).collect();
        let index_of: HashMap<u64, usize> =
            files.iter().enumerate().map(|(index, (file, _))| (file.serial(), index)).collect();
        manifest.spaces.clear();
        for (space, shard, runs) in self.shards() {
            let records = manifest.spaces.entry(space.to_owned()).or_default();
            records.extend(runs.iter().map(|section| SectionRecord {
                shard,
                file: index_of[&section.file.serial()],
                root: section.root,
                levels: section.levels,
                entries: section.entries,
                bytes: section.bytes,
                filter: section.filter,
            }));
        }
    }
}
