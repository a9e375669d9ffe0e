//! Files that are set aside, in the ledger.

use vardelta_engine::contract::{
    erasure::{Erasure, Place, Search},
    sink::SinkError,
};
use vardelta_schemas::{
    ledger::SetAsideRow,
    sql::{erase as erase_sql, ledger as sql},
};
use xxhash_rust::xxh3::xxh3_128;

use super::ledger::{Cell, Database, Ledger, WRITE, number};

fn hash(path: &str) -> String {
    format!("{:032x}", xxh3_128(path.as_bytes()))
}

impl<D: Database> Ledger<D> {
    fn knows_set_aside(&mut self) -> Result<bool, SinkError> {
        Ok(self.version()?.is_some_and(|version| version >= sql::VERSION_WITH_SET_ASIDE))
    }

    /// The rows of a pipeline.
    pub(crate) fn set_aside(&mut self, pipeline: &str) -> Result<Vec<SetAsideRow>, SinkError> {
        if !self.knows_set_aside()? {
            return Ok(Vec::new());
        }
        self.all(sql::SELECT_SET_ASIDE, &[pipeline.into()], |row| {
            Ok(SetAsideRow {
                source: row.text()?,
                path: row.text()?,
                drop: row.text()?,
                stamp: row.text()?,
                attempts: row.number()?,
                kind: row.text()?,
                reason: row.text()?,
                since: row.text()?,
                next_try: row.text()?,
            })
        })
    }

    /// Puts rows in place and takes others out. The tables are there.
    pub(crate) fn note_set_aside(
        &mut self,
        pipeline: &str,
        put: &[SetAsideRow],
        gone: &[(String, String)],
    ) -> Result<(), SinkError> {
        for (source, path) in gone {
            self.0.execute(WRITE, sql::DELETE_SET_ASIDE, &[pipeline.into(), source.into(), Cell::Text(hash(path))])?;
        }
        for row in put {
            let cells = [
                pipeline.into(),
                Cell::from(&row.source),
                Cell::Text(hash(&row.path)),
                Cell::from(&row.path),
                Cell::from(&row.drop),
                Cell::from(&row.stamp),
                number(row.attempts)?,
                Cell::from(&row.kind),
                Cell::from(&row.reason),
                Cell::from(&row.since),
                Cell::from(&row.next_try),
            ];
            self.0.execute(WRITE, sql::PUT_SET_ASIDE, &cells)?;
        }
        Ok(())
    }

    /// Forgets deliveries of drops that are erased; returns how many.
    pub(crate) fn erase_set_aside(&mut self, erasure: &Erasure) -> Result<u64, SinkError> {
        let mut gone = 0;
        for drop in &erasure.drops {
            // What is said of a file may quote any of its samples.
            if let Some(name) = drop.name.as_ref().or(erasure.member.as_ref().map(|_| &drop.mark)) {
                let cells = [Cell::from(&erasure.pipeline), Cell::from(&drop.source), Cell::from(name)];
                gone += self.0.execute("erase from", erase_sql::DELETE_SET_ASIDE, &cells)?;
            }
        }
        Ok(gone)
    }

    /// Looks for deliveries that should be forgotten.
    pub(crate) fn search_set_aside(&mut self, erasure: &Erasure, search: &mut Search) -> Result<(), SinkError> {
        if !self.knows_set_aside()? {
            return Ok(());
        }
        for drop in &erasure.drops {
            let Some(name) = drop.name.as_ref().or(erasure.member.as_ref().map(|_| &drop.mark)) else { continue };
            let cells = [Cell::from(&erasure.pipeline), Cell::from(&drop.source), Cell::from(name)];
            let counts = self.all(erase_sql::COUNT_SET_ASIDE, &cells, |row| row.number())?;
            search.found(Place::Ledger, counts.into_iter().sum(), "files of the drop that are set aside");
        }
        Ok(())
    }
}
