//! Answers in Redis, each with the time after which Redis drops it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Client, Connection, RedisError, cmd, pipe};
use vardelta_engine::contract::sink::{AnswerName, AnswerStore, KeptAnswer, SinkError, SinkErrorKind};

use crate::relational::lookup::plan::hex;

/// A server that takes longer is down.
const PATIENCE: Duration = Duration::from_secs(2);
/// Names in a command, at the most.
const NAMES: usize = 1_000;
/// What every name begins with.
const PREFIX: &str = "vardelta:answer:";

struct Redis {
    client: Client,
    connection: Option<Connection>,
}

/// Connects. The address may hold a password and is in no message.
pub(super) fn open(address: &str) -> Result<Box<dyn AnswerStore>, SinkError> {
    let client = Client::open(address).map_err(failed)?;
    let mut store = Redis { client, connection: None };
    store.run(|connection| cmd("PING").query::<String>(connection))?;
    Ok(Box::new(store))
}

fn failed(error: RedisError) -> SinkError {
    // The kind says enough, and a detail might quote the address.
    SinkError::new(SinkErrorKind::Unavailable, format!("Redis cannot be used: {:?}", error.kind()))
}

fn name(of: &AnswerName) -> String {
    format!("{PREFIX}{}", hex(of))
}

impl Redis {
    /// Does something on a connection; one that broke is opened again once.
    fn run<T>(&mut self, work: impl Fn(&mut Connection) -> Result<T, RedisError>) -> Result<T, SinkError> {
        let was_open = self.connection.is_some();
        match self.try_once(&work) {
            Err(_) if was_open => self.try_once(&work).map_err(failed),
            done => done.map_err(failed),
        }
    }

    fn try_once<T>(&mut self, work: &impl Fn(&mut Connection) -> Result<T, RedisError>) -> Result<T, RedisError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = self.client.get_connection_with_timeout(PATIENCE)?;
                connection.set_read_timeout(Some(PATIENCE))?;
                connection.set_write_timeout(Some(PATIENCE))?;
                connection
            }
        };
        let done = work(&mut connection)?;
        // After an error what is still on its way would be taken for the next answer.
        self.connection = Some(connection);
        Ok(done)
    }

    /// Calls `each` with every name that this store has, some at a time.
    fn scan(&mut self, mut each: impl FnMut(&mut Redis, &[String]) -> Result<(), SinkError>) -> Result<(), SinkError> {
        let mut cursor = 0_u64;
        loop {
            let (next, names): (u64, Vec<String>) = self.run(|connection| {
                cmd("SCAN").arg(cursor).arg("MATCH").arg(format!("{PREFIX}*")).arg("COUNT").arg(NAMES).query(connection)
            })?;
            if !names.is_empty() {
                each(self, &names)?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

impl AnswerStore for Redis {
    fn get(&mut self, names: &[AnswerName]) -> Result<Vec<Option<Vec<u8>>>, SinkError> {
        let mut found = Vec::with_capacity(names.len());
        for names in names.chunks(NAMES) {
            let names: Vec<String> = names.iter().map(name).collect();
            found.extend(self.run(|connection| cmd("MGET").arg(&names).query::<Vec<Option<Vec<u8>>>>(connection))?);
        }
        Ok(found)
    }

    #[expect(clippy::disallowed_methods, reason = "the server counts from now: no row shows it")]
    fn put(&mut self, entries: &[KeptAnswer]) -> Result<(), SinkError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        for entries in entries.chunks(NAMES) {
            self.run(|connection| {
                let mut commands = pipe();
                for entry in entries {
                    let left_s = (entry.expires_s - now_s).max(1);
                    commands.cmd("SETEX").arg(name(&entry.name)).arg(left_s).arg(&entry.bytes).ignore();
                }
                commands.query::<()>(connection)
            })?;
        }
        Ok(())
    }

    fn remove(&mut self, names: &[AnswerName]) -> Result<(), SinkError> {
        for names in names.chunks(NAMES) {
            let names: Vec<String> = names.iter().map(name).collect();
            self.run(|connection| cmd("DEL").arg(&names).query::<u64>(connection))?;
        }
        Ok(())
    }

    fn clear(&mut self, expired_before_s: Option<i64>) -> Result<u64, SinkError> {
        let mut cleared = 0;
        if expired_before_s.is_none() {
            self.scan(|store, names| {
                cleared += store.run(|connection| cmd("DEL").arg(names).query::<u64>(connection))?;
                Ok(())
            })?;
        }
        Ok(cleared)
    }

    fn size(&mut self) -> Result<(u64, u64), SinkError> {
        let (mut entries, mut bytes) = (0, 0);
        self.scan(|store, names| {
            let lengths: Vec<u64> = store.run(|connection| {
                let mut commands = pipe();
                for name in names {
                    commands.cmd("STRLEN").arg(name);
                }
                commands.query(connection)
            })?;
            entries += lengths.len() as u64;
            bytes += lengths.iter().sum::<u64>();
            Ok(())
        })?;
        Ok((entries, bytes))
    }
}
