//! What a server or the connection reports, as errors that name the database, never its password, and say what to do.

use mysql::{DriverError, Error};
use vardelta_engine::contract::sink::{REFUSED_HINT, SinkError, SinkErrorKind};
use vardelta_schemas::sql::unique::Unique;

use crate::sinks::mysql::tls;

/// Turns an error of the client into one of the sink. `doing` completes "cannot … DATABASE": "read the ledger of".
pub(super) fn explain<'a>(location: &'a str, doing: &'a str) -> impl Fn(Error) -> SinkError + Copy + 'a {
    move |error| {
        let (kind, why, hint) = words(&error);
        let mut told = SinkError::new(kind, format!("cannot {doing} {location}: {why}"));
        if !hint.is_empty() {
            told = told.with_hint(hint);
        }
        // An address holds the password.
        if matches!(error, Error::UrlError(_)) { told } else { told.caused_by(error) }
    }
}

/// The unique index that an error says is violated: `Duplicate entry 'x' for key 't.name'`.
pub(super) fn violated<'a>(error: &Error, unique: &'a [Unique]) -> Option<&'a Unique> {
    let Error::MySqlError(error) = error else { return None };
    let named = |index: &&Unique| {
        let key = error.message.rsplit_once(" for key ").map_or("", |(_, key)| key.trim_matches('\''));
        key == index.name || key.rsplit_once('.').is_some_and(|(_, key)| key == index.name)
    };
    unique.iter().find(named).filter(|_| error.code == DUPLICATE)
}

/// The number of an error that the server sent.
pub(super) fn code(error: &Error) -> Option<u16> {
    match error {
        Error::MySqlError(error) => Some(error.code),
        _ => None,
    }
}

/// The server's own words.
pub(super) fn server_words(error: &Error) -> String {
    match error {
        Error::MySqlError(error) => format!("{} (error {})", error.message.trim_end_matches('.'), error.code),
        Error::IoError(error) => error.to_string(),
        Error::DriverError(error) => error.to_string(),
        Error::TlsError(error) => error.to_string(),
        Error::CodecError(error) => error.to_string(),
        // It would quote the address, which holds the password.
        Error::UrlError(_) => "the address cannot be read".into(),
        Error::FromValueError(_) | Error::FromRowError(_) => "the server sent a value of another type".into(),
    }
}

/// A row that is there already (`ER_DUP_ENTRY`).
pub(super) const DUPLICATE: u16 = 1062;
/// A name that is not there, or that the user may not see, in `KILL` (`ER_NO_SUCH_THREAD`).
pub(super) const NO_SUCH_CONNECTION: u16 = 1094;

/// Errors that refuse LOAD DATA LOCAL: not permitted (old and new servers, and MariaDB), or unknown to a proxy.
pub(super) fn refuses_local_infile(error: &Error) -> bool {
    matches!(code(error), Some(1148 | 3948 | 3950 | 4166 | 2068))
}

/// Whether a table cannot be dropped because another one refers to it.
pub(super) fn is_referred_to(error: &Error) -> bool {
    matches!(code(error), Some(1217 | 1451 | 3730))
}

/// Whether the user lacks a right on a database or table.
pub(super) fn is_denied(error: &Error) -> bool {
    matches!(code(error), Some(1044 | 1142 | 1143 | 1227 | 1370))
}

/// Whether the error is about a value of a row: a constraint, a type.
pub(super) fn is_about_a_value(error: &Error) -> bool {
    matches!(words(error).0, SinkErrorKind::Value)
}

fn words(error: &Error) -> (SinkErrorKind, String, &'static str) {
    use SinkErrorKind::{ConnectionLost, Contention, Locked, Unavailable, Value};
    if let Some((why, hint)) = tls::refusal(error) {
        return (Unavailable, why, hint);
    }
    let said = server_words(error);
    match error {
        Error::MySqlError(server) => match server.code {
            1213 => (Contention, "another client's transaction won a deadlock (error 1213)".into(), CONTENTION),
            1205 => (Contention, "another client holds a lock for too long (error 1205)".into(), CONTENTION),
            1020 | 3572 => (Contention, said, CONTENTION),
            1053 | 1077 | 1079 | 1080 | 1152 | 1154..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => (
                ConnectionLost,
                said,
                "See whether the server runs, and run again: the ledger says what was committed.",
            ),
            1045 | 1698 | 3118 | 1130 => (
                Unavailable,
                said,
                "Check user and password in the sink's `url`; where the server takes encrypted connections alone, also \
                 `tls = \"required\"`.",
            ),
            1044 | 1142 | 1143 | 1227 | 1370 => (
                Unavailable,
                said,
                "Grant the user the rights on this database that the README lists: SELECT, INSERT, UPDATE, DELETE, CREATE, \
                 ALTER, INDEX, DROP, REFERENCES, and with on_delete = \"mark\" CREATE VIEW.",
            ),
            3159 => (Unavailable, said, "Set `tls = \"required\"`, or a stricter value, in the sink's stage."),
            1049 => (Unavailable, said, "Make the database first, or name another one in the sink's `url`."),
            1040 | 1203 | 1226 => (Unavailable, said, "Wait until other clients are done, then run again."),
            1290 | 1792 | 1836 => {
                (Unavailable, said, "The server refuses writes: connect to the primary, not to a replica.")
            }
            1117 | 1118 | 1074 => (
                Unavailable,
                format!("a table has more or wider columns than InnoDB keeps in a row (error {})", server.code),
                "Keep fewer columns with a `select`, part them among several tables with the same key, or leave \
                 `text_characters` of wide columns out.",
            ),
            // MariaDB says "errno: 150", MySQL which part does not fit.
            1005 if said.contains("150") => (
                Unavailable,
                "the server does not take a foreign key: the columns of `references` and of the key that they refer to \
                 differ in type, length or character set, or there is no such key (error 1005, errno 150)"
                    .into(),
                REFERENCE,
            ),
            1215 | 1239 | 1821 | 1822 | 1824..=1826 | 3780 | 6125 => (Unavailable, said, REFERENCE),
            1021 | 1114 | 1041 | 1037 | 1038 => (Unavailable, said, "Make room on the server and run again."),
            1153 | 3030 => (Value, said, LARGE_ROW),
            3058 | 1058 => (Locked, said, "Wait until the other run is done, then run again."),
            1506 => {
                (Unavailable, said, "Drop the table's foreign keys, or leave `partition_by` out: InnoDB has no both.")
            }
            1661..=1668 => (
                Unavailable,
                said,
                "Set `binlog_format` to ROW or MIXED on the server: statements alone cannot be logged under READ COMMITTED.",
            ),
            // NULL, duplicate, number, date, text, length, partition, CHECK and FOREIGN KEY.
            1048
            | 1062
            | 1138
            | 1216
            | 1217
            | 1261..=1265
            | 1292
            | 1364
            | 1366
            | 1367
            | 1406
            | 1411
            | 1416
            | 1441
            | 1451
            | 3988
            | 1452
            | 1525
            | 1526
            | 1690
            | 3819
            | 4025
            | 3140 => (Value, said, REFUSED_HINT),
            _ => (Unavailable, said, ""),
        },
        // The client counts before it sends; the connection lives. It has a type for this that it does not let anybody name:
        // `mysql` gives `PacketCodecError` a path only with its `derive` feature, which would build a macro crate for one word.
        Error::CodecError(error) if error.to_string().contains("max_allowed_packet") => (Value, said, LARGE_ROW),
        Error::IoError(_)
        | Error::CodecError(_)
        | Error::DriverError(DriverError::CouldNotConnect(_) | DriverError::ConnectTimeout | DriverError::Timeout) => {
            (ConnectionLost, said, "See whether the server runs and can be reached, and run again.")
        }
        Error::DriverError(DriverError::TlsNotSupported) => (
            Unavailable,
            "the server offers no TLS".into(),
            "Set TLS up on the server, or set `tls = \"off\"` in the sink's stage if the network may be trusted.",
        ),
        Error::DriverError(DriverError::UnknownAuthPlugin(_)) => (
            Unavailable,
            said,
            "Check user and password in the sink's `url`; the user must log in by caching_sha2_password or \
             mysql_native_password.",
        ),
        _ => (Unavailable, said, ""),
    }
}

pub(super) const LARGE_ROW: &str = "A row is larger than the server takes: raise `max_allowed_packet` on the server.";

/// Of a row that would go into a history by a statement.
pub(super) const LARGE_ENTRY: &str = "An entry of the history is larger than a statement may be: raise `max_allowed_packet` on the \
     server, or set `local_infile` to ON there, which needs no such statement.";

const REFERENCE: &str = "Compare `references` with how the other table was made: every column needs a column of the \
     same type and length there, and together they must be its primary key or lead an index; `text_characters` sets lengths.";

const CONTENTION: &str = "Run again when the other client is done.";

#[cfg(test)]
mod tests {
    use mysql::{MySqlError, UrlError};

    use super::*;

    fn server(code: u16, message: &str) -> Error {
        Error::MySqlError(MySqlError { state: "HY000".into(), message: message.into(), code })
    }

    #[test]
    fn errors_are_sorted() {
        for (code, kind) in [
            (1213, SinkErrorKind::Contention),
            (1205, SinkErrorKind::Contention),
            (1053, SinkErrorKind::ConnectionLost),
            (1927, SinkErrorKind::ConnectionLost),
            (3819, SinkErrorKind::Value),
            (4025, SinkErrorKind::Value),
            (1045, SinkErrorKind::Unavailable),
        ] {
            let error = explain("mysql://u@h/d", "write to")(server(code, "why."));
            assert_eq!(error.kind, kind, "{code}");
            assert!(error.message.starts_with("cannot write to mysql://u@h/d: "), "{error}");
            assert!(error.hint.is_some(), "{code}");
        }
        let lost = Error::IoError(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(explain("x", "y")(lost).kind, SinkErrorKind::ConnectionLost);
    }

    #[test]
    fn what_a_server_says_in_numbers_is_said_in_words() {
        let words = |code, message: &str| explain("x", "make the tables of")(server(code, message));
        let errno =
            words(1005, "Can't create table `d`.`t` (errno: 150 \"Foreign key constraint is incorrectly formed\")");
        assert!(errno.message.contains("does not take a foreign key"), "{errno}");
        assert!(errno.hint.is_some_and(|hint| hint.contains("references")));
        let wide = words(
            1118,
            "Row size too large. The maximum row size for the used table type, not counting BLOBs, is 8126.",
        );
        assert!(wide.message.contains("more or wider columns") && wide.hint.is_some(), "{wide}");
        assert!(words(1005, "Can't create table (errno: 28)").hint.is_none());
    }

    #[test]
    fn an_address_is_never_quoted() {
        let error = Error::UrlError(UrlError::InvalidValue("x".into(), "secret".into()));
        assert!(!explain("x", "y")(error).message.contains("secret"));
    }
}
