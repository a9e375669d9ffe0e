//! Files that are set aside, in a database.

use mysql::prelude::Queryable;
use vardelta_engine::contract::sink::{SetAside, SinkError};
use vardelta_schemas::{
    ledger::SetAsideRow,
    sql::{ledger::VERSION, mysql as sql},
};

use super::{MySqlSink, explain, ledger_in, lock, records};

impl SetAside for MySqlSink {
    fn set_aside(&mut self, pipeline: &str) -> Result<Vec<SetAsideRow>, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| ledger_in(location, link).set_aside(pipeline))
    }

    fn note_set_aside(
        &mut self,
        pipeline: &str,
        put: &[SetAsideRow],
        gone: &[(String, String)],
    ) -> Result<(), SinkError> {
        self.with(|settings, link| {
            let location = settings.location.as_str();
            if ledger_in(location, link).version()? != Some(VERSION) {
                lock::with_definitions(settings, link, |link| records::migrate(location, link))?;
            }
            link.conn.query_drop(sql::BEGIN_WRITE).map_err(explain(location, "write to"))?;
            let written = ledger_in(location, link)
                .note_set_aside(pipeline, put, gone)
                .and_then(|()| link.conn.query_drop(sql::COMMIT).map_err(explain(location, "commit to")));
            if written.is_err() {
                // The first error says what happened; a connection that is gone has given the transaction up by itself.
                let _ = link.conn.query_drop(sql::ROLLBACK);
            }
            written
        })
    }
}
