//! Every reject of a run with its text, for whoever wants the whole list: in a nameless file, as there may be many.

use crate::plan::StageIndex;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
};

use vardelta_schemas::ledger::{DropId, RejectRow};

/// Rejects as the workers find them, to be read back in the order of drops and lines.
pub(crate) struct RejectLog {
    file: BufWriter<File>,
    end: u64,
    entries: Vec<Entry>,
}

/// Where a reject is in the file. The order of the fields is the order of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// After all drops what belongs to none.
    drop_id: (bool, Option<DropId>),
    line: u64,
    stage: StageIndex,
    /// What keeps the order independent of which worker was first: within a record its own order, after a table the text.
    tie: u64,
    offset: u64,
    bytes: u32,
}

impl RejectLog {
    /// An empty log in this directory.
    pub fn new(directory: &Path) -> io::Result<RejectLog> {
        let file = tempfile::tempfile_in(directory)?;
        Ok(RejectLog { file: BufWriter::new(file), end: 0, entries: Vec::new() })
    }

    /// Adds a reject of the stage at this place of the plan.
    pub fn add(&mut self, stage: StageIndex, reject: &RejectRow) -> io::Result<()> {
        let text = serde_json::to_vec(reject)?;
        self.file.write_all(&text)?;
        self.entries.push(Entry {
            drop_id: (reject.drop_id.is_none(), reject.drop_id),
            line: reject.line.unwrap_or(0),
            stage,
            tie: if reject.line.is_some() { self.end } else { xxhash_rust::xxh3::xxh3_64(&text) },
            offset: self.end,
            bytes: text.len() as u32,
        });
        self.end += text.len() as u64;
        Ok(())
    }

    /// Hands all of them over: by drop in ledger order, then by line, then by stage; those after tables come last.
    pub fn read(&mut self, take: &mut dyn FnMut(RejectRow) -> io::Result<()>) -> io::Result<()> {
        self.file.flush()?;
        self.entries.sort_unstable();
        let mut text = Vec::new();
        for entry in &self.entries {
            text.resize(entry.bytes as usize, 0);
            self.file.get_ref().read_exact_at(&mut text, entry.offset)?;
            take(serde_json::from_slice(&text)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(drop_id: Option<u64>, line: Option<u64>, detail: &str) -> RejectRow {
        let drop_id = drop_id.map(DropId::new);
        RejectRow { drop_id, line, detail: detail.into(), raw: Some("a\tb\u{fffd}".into()), ..RejectRow::default() }
    }

    #[test]
    fn the_order_does_not_depend_on_who_was_first() -> io::Result<()> {
        let rows = [
            (2, reject(None, None, "after a table")),
            (0, reject(Some(1), Some(9), "nine")),
            (0, reject(Some(1), Some(10), "ten")),
            (1, reject(Some(1), Some(10), "ten, by the next stage")),
            (0, reject(Some(2), Some(1), "one")),
            (2, reject(None, None, "after it too")),
        ];
        let read = |order: &[usize]| -> io::Result<Vec<RejectRow>> {
            let mut log = RejectLog::new(&std::env::temp_dir())?;
            order.iter().try_for_each(|at| log.add(StageIndex::new(rows[*at].0), &rows[*at].1))?;
            let mut read = Vec::new();
            log.read(&mut |row| {
                read.push(row);
                Ok(())
            })?;
            Ok(read)
        };
        let forward = read(&[0, 1, 2, 3, 4, 5])?;
        let details: Vec<&str> = forward.iter().take(4).map(|row| row.detail.as_str()).collect();
        assert_eq!(details, ["nine", "ten", "ten, by the next stage", "one"]);
        assert_eq!(forward, read(&[5, 4, 3, 2, 1, 0])?);
        Ok(())
    }
}
