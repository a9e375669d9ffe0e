//! Looked-up keys in the ledger.

use vardelta_engine::contract::sink::{KeptLookups, SinkError};
use vardelta_schemas::{
    ledger::{EpochRecord, LookupRow},
    sql::ledger as sql,
};
use xxhash_rust::xxh3::xxh3_128;

use super::ledger::{Cell, Database, Ledger, WRITE, number};

/// Rows written by one statement, at the most.
const ROWS_AT_ONCE: usize = 100;
/// Bytes of text in one statement, about: far below what the most careful server takes.
const STATEMENT_BYTES: usize = 512 << 10;

fn hash(key: &str) -> String {
    format!("{:032x}", xxh3_128(key.as_bytes()))
}

impl<D: Database> Ledger<D> {
    /// The rows of a pipeline.
    pub(crate) fn lookups(&mut self, pipeline: &str, which: KeptLookups) -> Result<Vec<LookupRow>, SinkError> {
        if self.version()?.is_none_or(|version| version < sql::VERSION_WITH_LOOKUPS) {
            return Ok(Vec::new());
        }
        let attempts = match which {
            KeptLookups::All => 0,
            KeptLookups::Tried => 1,
        };
        self.all(sql::SELECT_LOOKUPS, &[pipeline.into(), Cell::Integer(attempts)], |row| {
            Ok(LookupRow {
                stage: row.text()?,
                key: row.text()?,
                status: row.text()?,
                attempts: row.number()?,
                next_try: row.optional_text()?,
                last_error: row.optional_text()?,
                asked_at: row.optional_text()?,
            })
        })
    }

    /// Writes what an epoch changes.
    pub(super) fn write_lookups(&mut self, record: &EpochRecord) -> Result<(), SinkError> {
        let (pipeline, changes) = (record.pipeline.as_str(), &record.lookups);
        if changes.replaces_all {
            self.0.execute(WRITE, sql::DELETE_LOOKUPS, &[pipeline.into()])?;
        }
        for (stage, key) in &changes.gone {
            let cells = [pipeline.into(), Cell::from(stage), Cell::Text(hash(key))];
            self.0.execute(WRITE, sql::DELETE_LOOKUP, &cells)?;
        }
        self.put_lookups(pipeline, &changes.put)
    }

    /// Puts rows in place.
    pub(crate) fn put_lookups(&mut self, pipeline: &str, rows: &[LookupRow]) -> Result<(), SinkError> {
        let mut rest = rows;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |row: &&LookupRow| {
                bytes += row.key.len() + row.last_error.as_ref().map_or(0, String::len);
                bytes <= STATEMENT_BYTES
            };
            let count = rest.iter().take(ROWS_AT_ONCE).take_while(fits).count().max(1);
            let (some, others) = rest.split_at(count);
            let mut cells = Vec::with_capacity(9 * count);
            for row in some {
                cells.extend([
                    pipeline.into(),
                    Cell::from(&row.stage),
                    Cell::Text(hash(&row.key)),
                    Cell::from(&row.key),
                    Cell::from(&row.status),
                    number(row.attempts)?,
                    row.next_try.as_ref().into(),
                    row.last_error.as_ref().into(),
                    row.asked_at.as_ref().into(),
                ]);
            }
            self.0.execute(WRITE, &sql::put_lookups(count), &cells)?;
            rest = others;
        }
        Ok(())
    }
}
