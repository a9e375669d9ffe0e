//! Looked-up keys in a database.

use vardelta_engine::contract::sink::{KeptLookups, Lookups, SinkError};
use vardelta_schemas::ledger::LookupRow;

use super::{MySqlSink, ledger_in};

impl Lookups for MySqlSink {
    fn lookups(&mut self, pipeline: &str, which: KeptLookups) -> Result<Vec<LookupRow>, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| ledger_in(location, link).lookups(pipeline, which))
    }

    fn note_lookups(&mut self, pipeline: &str, rows: &[LookupRow]) -> Result<(), SinkError> {
        self.with(|settings, link| ledger_in(&settings.location, link).put_lookups(pipeline, rows))
    }
}
