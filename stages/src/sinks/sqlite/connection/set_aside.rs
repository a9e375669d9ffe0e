//! Files that are set aside, in a SQLite file.

use vardelta_engine::contract::sink::{SetAside, SinkError, SinkErrorKind};
use vardelta_schemas::{ledger::SetAsideRow, sql::sqlite as sql};

use super::{SqliteSink, explain, ledger_in, records};

impl SetAside for SqliteSink {
    fn set_aside(&mut self, pipeline: &str) -> Result<Vec<SetAsideRow>, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| ledger_in(path, connection).set_aside(pipeline))
    }

    fn note_set_aside(
        &mut self,
        pipeline: &str,
        put: &[SetAsideRow],
        gone: &[(String, String)],
    ) -> Result<(), SinkError> {
        if !self.connection.is_autocommit() {
            let message = format!("a transaction is already open on {}", self.path.display());
            return Err(SinkError::new(SinkErrorKind::Unavailable, message));
        }
        self.connection.execute_batch(sql::BEGIN_WRITE).map_err(explain(&self.path, "write to"))?;
        let written = records::migrate(&self.path, &self.connection)
            .and_then(|()| ledger_in(&self.path, &self.connection).note_set_aside(pipeline, put, gone))
            .and_then(|()| self.connection.execute_batch(sql::COMMIT).map_err(explain(&self.path, "commit to")));
        // After an error the transaction may still be open; leaving it so would keep the lock.
        let _ = self.give_up();
        written
    }
}
