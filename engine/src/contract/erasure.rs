//! What a sink is asked, and what it reports, when drops are forgotten for good.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::Path,
};
use vardelta_schemas::ledger::{DropId, Epoch};

use serde::Serialize;
use vardelta_schemas::{
    TableSchema,
    sql::erase::{ERASED, ERASING, ERASING_SAMPLE, MarkedIn, SAMPLE_ERASED},
};

/// Bytes of a file that are searched at a time.
const WINDOW_BYTES: usize = 1 << 20;

/// Bytes of a text that is looked for in files.
const TEXT_BYTES_MIN: usize = 6;

/// The drops to be forgotten, and where they may have left something.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The pipeline.
    pub pipeline: String,
    /// The epoch that takes them back and forgets them.
    pub epoch: Epoch,
    /// The drops: every one that ever had one of the names that are erased.
    pub drops: Vec<ErasedDrop>,
    /// What of the drops is forgotten, if not all: one member (a sample). The drops stand then.
    pub member: Option<ErasedMember>,
    /// The first epoch that was about one of them.
    pub first_epoch: Epoch,
    /// The epochs that were about one of them.
    pub own_epochs: BTreeSet<Epoch>,
    /// These, and those in which another drop went or changed, so that what the erased ones say may have come to light.
    pub revealing_epochs: BTreeSet<Epoch>,
    /// The epochs that rebuilt tables: histories do not say what became of rows.
    pub blind_epochs: BTreeSet<Epoch>,
    /// The tables that the pipeline keeps.
    pub tables: Vec<ErasedTable>,
}

impl Erasure {
    /// The tables with a history, each with that.
    pub fn histories(&self) -> impl Iterator<Item = (&ErasedTable, &TableSchema)> {
        self.tables.iter().filter_map(|table| Some((table, table.history.as_ref()?)))
    }

    /// The tables and their histories.
    pub fn tables_and_histories(&self) -> impl Iterator<Item = &TableSchema> {
        self.tables.iter().flat_map(|table| std::iter::once(&table.table).chain(&table.history))
    }

    /// The epochs in which rows of a table were marked that may hold the drops' values. A key goes with the last drop that
    /// asserts it, so in an epoch of the drops', or the row is somebody else's.
    pub fn marked_in(&self, table: &ErasedTable) -> MarkedIn<'_> {
        match table.hides_values {
            true => MarkedIn::Between(self.first_epoch, self.epoch),
            false => MarkedIn::Epochs(&self.own_epochs),
        }
    }

    /// What is looked for byte by byte in files: names, paths and digests. Shorter ones are in any file by chance.
    pub fn searched_texts(&self) -> Vec<String> {
        let of = |drop: &ErasedDrop| drop.name.iter().chain(&drop.texts).cloned().collect::<Vec<_>>();
        let member = self.member.iter().filter_map(|member| member.name.clone());
        let texts: BTreeSet<String> =
            self.drops.iter().flat_map(of).chain(member).filter(|text| text.len() >= TEXT_BYTES_MIN).collect();
        texts.into_iter().collect()
    }

    /// What the ledger says of a drop's part in it before it is proven: action and name.
    pub fn pending(&self, drop: &ErasedDrop) -> (&'static str, String) {
        match &self.member {
            Some(_) => (ERASING_SAMPLE, drop.mark.clone()),
            None => (ERASING, drop.pending_name()),
        }
    }

    /// The same once it is proven.
    pub fn proven(&self, drop: &ErasedDrop) -> (&'static str, String) {
        match &self.member {
            Some(_) => (SAMPLE_ERASED, drop.mark.clone()),
            None => (ERASED, drop.neutral_name()),
        }
    }
}

/// A member of drops that is forgotten.
#[derive(Clone, Debug)]
pub struct ErasedMember {
    /// Its name; `None` where it is forgotten already.
    pub name: Option<String>,
    /// What is kept of it, so that no later delivery brings it back.
    pub mark: String,
}

/// A drop that is forgotten, or that loses a member.
#[derive(Clone, Debug)]
pub struct ErasedDrop {
    /// Its number, which stays in the ledger: it says nothing, and is never given again.
    pub drop_id: DropId,
    /// The source stage.
    pub source: String,
    /// Its name; `None` where it is forgotten already.
    pub name: Option<String>,
    /// What is called to mind of its name until the erasure is proven: a hash. The name itself, where the drop stands.
    pub mark: String,
    /// Other texts of the ledger that are about it: its path and digests, and where it was.
    pub texts: Vec<String>,
}

impl ErasedDrop {
    /// What the ledger calls the drop from its erasure on.
    pub fn neutral_name(&self) -> String {
        format!("{ERASED}-{}", self.drop_id)
    }

    /// Its name as a member of the JSON array of a history's row.
    pub fn json_name(&self) -> Option<String> {
        self.name.as_ref().map(|name| serde_json::json!(name).to_string())
    }

    /// What the ledger calls the erasure until it is proven.
    pub fn pending_name(&self) -> String {
        format!("{ERASING}-{}-{}", self.drop_id, self.mark)
    }

    /// The mark in a pending name.
    pub fn mark_of(pending_name: &str) -> &str {
        pending_name.rsplit('-').next().unwrap_or_default()
    }

    /// The mark of a name.
    pub fn mark(source: &str, name: &str) -> String {
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(format!("{source}\0{name}").as_bytes()))
    }
}

/// A table out of which drops are erased.
#[derive(Clone, Debug)]
pub struct ErasedTable {
    /// The table.
    pub table: TableSchema,
    /// Its history, if one is kept.
    pub history: Option<TableSchema>,
    /// Whether a value of the drops may have come to light in any epoch since the first, and not in revealing ones alone.
    pub hides_values: bool,
}

/// Where something was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The state directory.
    State,
    /// The sink's tables.
    Tables,
    /// Their histories.
    History,
    /// `vardelta_rejects`.
    Rejects,
    /// The ledger's other tables.
    Ledger,
    /// The bytes of the files that vardelta writes.
    Files,
}

impl Place {
    /// Every place.
    pub const ALL: [Place; 6] =
        [Place::State, Place::Tables, Place::History, Place::Rejects, Place::Ledger, Place::Files];

    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Place::State => "state",
            Place::Tables => "tables",
            Place::History => "history",
            Place::Rejects => "rejects",
            Place::Ledger => "ledger",
            Place::Files => "files",
        }
    }
}

/// Rows that a sink took out of what it keeps beside its tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Rows of tables that were marked as gone.
    pub marked: u64,
    /// Rows of histories.
    pub history: u64,
    /// Rejects.
    pub rejects: u64,
    /// Rows of the ledger that no longer name the drops.
    pub ledger: u64,
}

/// Something that should be gone and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// How many rows, entries or files.
    pub count: u64,
    /// What it is, in words.
    pub what: String,
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be found out, or is out of reach.
    pub notices: Vec<String>,
}

impl Search {
    /// Adds a finding, if there is something.
    pub fn found(&mut self, place: Place, count: u64, what: impl Into<String>) {
        if count > 0 {
            self.findings.push(Finding { place, count, what: what.into() });
        }
    }
}

/// Which of these texts are in a file, byte by byte. A file that is not there holds none.
///
/// # Errors
/// When the file cannot be read.
pub fn texts_in_file(path: &Path, texts: &[String]) -> io::Result<Vec<bool>> {
    let mut found = vec![false; texts.len()];
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    let overlap = texts.iter().map(String::len).max().unwrap_or(0).saturating_sub(1);
    let finders: Vec<memchr::memmem::Finder<'_>> = texts.iter().map(memchr::memmem::Finder::new).collect();
    let mut window = vec![0; WINDOW_BYTES + overlap];
    let mut filled = 0;
    loop {
        let count = file.read(&mut window[filled..])?;
        if count == 0 {
            return Ok(found);
        }
        filled += count;
        for (found, finder) in found.iter_mut().zip(&finders) {
            *found = *found || finder.find(&window[..filled]).is_some();
        }
        let keep = overlap.min(filled);
        window.copy_within(filled - keep..filled, 0);
        filled = keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_across_windows() {
        let directory = tempfile::tempdir().expect("works");
        let path = directory.path().join("file");
        let mut bytes = vec![b'x'; WINDOW_BYTES - 3];
        bytes.extend(b"marker");
        bytes.extend(vec![b'y'; WINDOW_BYTES]);
        std::fs::write(&path, bytes).expect("works");
        let texts = ["marker".to_owned(), "markes".to_owned(), "xxxm".to_owned()];
        assert_eq!(texts_in_file(&path, &texts).expect("works"), [true, false, true]);
        assert_eq!(texts_in_file(&directory.path().join("none"), &texts).expect("works"), [false; 3]);
    }
}
