//! Answers of look-ups in a server's table, on a connection that commits every statement by itself.

use std::collections::HashMap;

use mysql::{Params, Value, prelude::Queryable};
use vardelta_engine::contract::sink::{Access, AnswerName, AnswerStore, KeptAnswer, SinkError};
use vardelta_schemas::sql::answers as sql;

use crate::sinks::mysql::{error::explain, link::Link, settings::Settings};

/// Names or entries in a statement, at the most.
const STATEMENT: usize = 200;
/// How long to wait for somebody who has the table locked: answers can wait, a run need not.
const LOCK_WAIT_SECONDS: u64 = 2;

/// The table on a server.
pub(super) struct MySqlAnswers {
    link: Link,
    location: String,
}

impl MySqlAnswers {
    /// Connects and makes the table where it is missing.
    pub fn open(settings: &Settings) -> Result<MySqlAnswers, SinkError> {
        let settings = Settings { lock_wait_seconds: LOCK_WAIT_SECONDS, ..settings.clone() };
        let mut link = Link::connect(&settings, Access::Write)?;
        for statement in sql::create(link.dialect) {
            link.conn.query_drop(statement).map_err(explain(&settings.location, "make the table of answers in"))?;
        }
        Ok(MySqlAnswers { link, location: settings.location.clone() })
    }
}

fn bytes(name: &AnswerName) -> Value {
    Value::Bytes(name.to_vec())
}

impl AnswerStore for MySqlAnswers {
    fn get(&mut self, names: &[AnswerName]) -> Result<Vec<Option<Vec<u8>>>, SinkError> {
        let failed = explain(&self.location, "read answers in");
        let mut found: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for names in names.chunks(STATEMENT) {
            let parameters = Params::Positional(names.iter().map(bytes).collect());
            let rows: Vec<(Vec<u8>, Vec<u8>)> =
                self.link.conn.exec(sql::select(names.len()), parameters).map_err(failed)?;
            found.extend(rows);
        }
        Ok(names.iter().map(|name| found.remove(&name[..])).collect())
    }

    fn put(&mut self, entries: &[KeptAnswer]) -> Result<(), SinkError> {
        let failed = explain(&self.location, "keep answers in");
        for entries in entries.chunks(STATEMENT) {
            let values = entries
                .iter()
                .flat_map(|entry| [bytes(&entry.name), Value::Int(entry.expires_s), Value::Bytes(entry.bytes.clone())]);
            let parameters = Params::Positional(values.collect());
            self.link.conn.exec_drop(sql::replace(entries.len()), parameters).map_err(failed)?;
        }
        Ok(())
    }

    fn remove(&mut self, names: &[AnswerName]) -> Result<(), SinkError> {
        let failed = explain(&self.location, "take answers out of");
        for names in names.chunks(STATEMENT) {
            let parameters = Params::Positional(names.iter().map(bytes).collect());
            self.link.conn.exec_drop(sql::delete(names.len()), parameters).map_err(failed)?;
        }
        Ok(())
    }

    fn clear(&mut self, expired_before_s: Option<i64>) -> Result<u64, SinkError> {
        let failed = explain(&self.location, "take answers out of");
        match expired_before_s {
            Some(before_s) => self.link.conn.exec_drop(sql::CLEAR_EXPIRED, (before_s,)).map_err(failed)?,
            None => self.link.conn.query_drop(sql::CLEAR).map_err(failed)?,
        }
        Ok(self.link.conn.affected_rows())
    }

    fn size(&mut self) -> Result<(u64, u64), SinkError> {
        let failed = explain(&self.location, "read answers in");
        let size: Option<(u64, u64)> = self.link.conn.query_first(sql::SELECT_SERVER_SIZE).map_err(failed)?;
        Ok(size.unwrap_or_default())
    }
}
