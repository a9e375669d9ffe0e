//! Looked-up keys in a SQLite file.

use vardelta_engine::contract::sink::{KeptLookups, Lookups, SinkError};
use vardelta_schemas::ledger::LookupRow;

use super::{SqliteSink, ledger_in};

impl Lookups for SqliteSink {
    fn lookups(&mut self, pipeline: &str, which: KeptLookups) -> Result<Vec<LookupRow>, SinkError> {
        ledger_in(&self.path, &self.connection).lookups(pipeline, which)
    }

    fn note_lookups(&mut self, pipeline: &str, rows: &[LookupRow]) -> Result<(), SinkError> {
        ledger_in(&self.path, &self.connection).put_lookups(pipeline, rows)
    }
}
