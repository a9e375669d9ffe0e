//! A connection to a server whose kind and settings are known.

use mysql::{
    Conn, DriverError, Error, Row,
    prelude::{FromValue, Queryable},
};
use vardelta_engine::contract::sink::{Access, SinkError, SinkErrorKind};
use vardelta_schemas::sql::{Dialect, mysql as sql};

use crate::sinks::mysql::{
    error::explain,
    settings::Settings,
    tls::{self, Tls},
};

/// The oldest servers that know what the statements need.
const OLDEST_MYSQL: (u64, u64, u64) = (8, 0, 19);
const OLDEST_MARIADB: (u64, u64, u64) = (10, 6, 0);

/// A connection.
pub(super) struct Link {
    pub(super) conn: Conn,
    pub(super) dialect: Dialect,
    /// The server, for messages: `MySQL 8.4.2`.
    pub(super) server: String,
    /// The connection's number on the server.
    pub(super) id: u64,
    /// The database.
    pub(super) database: String,
    /// Whether the server says that it takes LOAD DATA LOCAL.
    pub(super) local_infile: bool,
    /// Whether keys of rows that go may be put into a temporary table: until the server refuses one.
    pub(super) temporary_tables: bool,
    /// Whether TLS was asked for and not offered.
    pub(super) fell_back: bool,
    /// Bytes of the longest packet that the server takes.
    pub(super) packet_bytes: usize,
}

impl Link {
    /// Connects, finds out the server's kind and applies the session's settings.
    pub(super) fn connect(settings: &Settings, access: Access) -> Result<Link, SinkError> {
        let failed = explain(&settings.location, "connect to");
        if let Some(authorities) = settings.tls_ca.as_deref().filter(|_| settings.tls.verifies()) {
            tls::check_authorities(authorities)?;
        }
        let (mut conn, fell_back) = match Conn::new(settings.client_options(false)) {
            Err(Error::DriverError(DriverError::TlsNotSupported)) if settings.tls == Tls::Preferred => {
                (Conn::new(settings.client_options(true)).map_err(failed)?, true)
            }
            connected => (connected.map_err(failed)?, false),
        };
        let version: String = conn.query_first(sql::SELECT_VERSION).map_err(failed)?.unwrap_or_default();
        let (dialect, server) = recognise(&version).map_err(|why| {
            SinkError::new(SinkErrorKind::Unavailable, format!("{} is {why}", settings.location))
                .with_hint("MySQL 8.0.19 or later, or MariaDB 10.6 or later, is needed.")
        })?;
        for statement in sql::session(settings.lock_wait_seconds) {
            conn.query_drop(statement).map_err(failed)?;
        }
        if access == Access::Read {
            conn.query_drop(sql::READ_ONLY).map_err(failed)?;
        }
        let (database, id, local_infile, packet_bytes, read_only): (String, u64, i64, usize, Option<String>) =
            conn.query_first(sql::SELECT_SERVER).map_err(failed)?.unwrap_or_default();
        if access == Access::Write && read_only.is_some_and(|read_only| read_only != "0" && read_only != "OFF") {
            return Err(SinkError::new(
                SinkErrorKind::Unavailable,
                format!("cannot write to {}: the server is read-only", settings.location),
            )
            .with_hint("Connect to the primary, not to a replica."));
        }
        let local_infile = local_infile == 1;
        let temporary_tables = true;
        Ok(Link { conn, dialect, server, id, database, local_infile, temporary_tables, fell_back, packet_bytes })
    }
}

/// The dialect, and the server in words, from what `VERSION()` yields.
fn recognise(version: &str) -> Result<(Dialect, String), String> {
    // Before version 11 a MariaDB server may put `5.5.5-` in front, for old replicas.
    let numbers = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut parts = numbers.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse::<u64>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let found = (part(), part(), part());
    let number = format!("{}.{}.{}", found.0, found.1, found.2);
    let (dialect, name, oldest) = match version.to_ascii_lowercase().contains("mariadb") {
        true => (Dialect::MariaDb, "MariaDB", OLDEST_MARIADB),
        false => (Dialect::MySql, "MySQL", OLDEST_MYSQL),
    };
    let server = format!("{name} {number}");
    if found < oldest { Err(format!("{server}, which is too old")) } else { Ok((dialect, server)) }
}

/// Takes a value out of a row.
pub(super) fn take<T: FromValue>(row: &mut Row, index: usize) -> Result<T, Error> {
    match row.take_opt(index) {
        Some(value) => Ok(value?),
        None => Err(Error::DriverError(DriverError::UnexpectedPacket)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart() {
        assert_eq!(recognise("8.0.36-0ubuntu0.22.04.1"), Ok((Dialect::MySql, "MySQL 8.0.36".into())));
        assert_eq!(recognise("9.7.4-2"), Ok((Dialect::MySql, "MySQL 9.7.4".into())));
        assert_eq!(recognise("10.11.19-MariaDB-0+deb12u1"), Ok((Dialect::MariaDb, "MariaDB 10.11.19".into())));
        assert_eq!(recognise("5.5.5-10.6.1-MariaDB"), Ok((Dialect::MariaDb, "MariaDB 10.6.1".into())));
        for old in ["5.7.44-log", "8.0.18", "10.5.23-MariaDB", "5.5.5-10.3.1-MariaDB", ""] {
            assert!(recognise(old).is_err(), "{old}");
        }
    }
}
