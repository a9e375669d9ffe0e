//! What only MySQL and MariaDB have: session settings, named locks, and the tables that describe tables. How a table is
//! laid out is in [`layout`], the statements that fill it in [`table`], the ledger's tables in [`ledger`].

pub mod constraint;
pub mod layout;
pub mod ledger;
pub mod partition;
pub mod table;

use super::Dialect;

/// Yields the server's version as text; MariaDB's holds its name.
pub const SELECT_VERSION: &str = "SELECT VERSION()";

/// Yields the name of the database, the connection's number, whether LOAD DATA LOCAL is permitted, the longest packet in
/// bytes, and whether the server refuses writes.
pub const SELECT_SERVER: &str = "SELECT DATABASE(), CONNECTION_ID(), @@local_infile, @@max_allowed_packet, @@read_only";

/// The settings of every connection, whatever the server's defaults are. `lock_wait_seconds` bounds the wait for a row or
/// for a table that somebody alters.
///
/// - `READ COMMITTED`: the default, REPEATABLE READ, locks the gaps between rows too, which makes loads wait for each
///   other without need; vardelta reads what it writes by key, so it needs no repeatable snapshot.
/// - `sql_mode`: strict for all tables, so that a value that does not fit is an error; without `ANSI_QUOTES` and
///   `NO_BACKSLASH_ESCAPES`, which change what a text is.
/// - `completion_type`: a COMMIT ends the transaction and nothing else. `CHAIN` would open another one after it, in which
///   later statements would be lost; `RELEASE` would end the connection.
/// - `net_read_timeout`, `net_write_timeout`: the server waits ten minutes for the next piece of a load, not 30 seconds.
/// - `wait_timeout`: a load may compute for a day between two statements.
pub fn session(lock_wait_seconds: u64) -> Vec<String> {
    vec![
        "SET NAMES utf8mb4".into(),
        format!(
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
             NO_ENGINE_SUBSTITUTION', autocommit = 1, completion_type = 'NO_CHAIN', time_zone = '+00:00', net_read_timeout = 600, \
             net_write_timeout = 600, wait_timeout = 86400, sql_safe_updates = 0, foreign_key_checks = 1, \
             unique_checks = 1, innodb_lock_wait_timeout = {lock_wait_seconds}, lock_wait_timeout = {lock_wait_seconds}"
        ),
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".into(),
    ]
}

/// Forbids every change for the rest of the connection.
pub const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY";

/// Makes the next transaction read one snapshot.
pub const SNAPSHOT_NEXT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
/// Starts a transaction that reads one snapshot, after [`SNAPSHOT_NEXT`].
pub const BEGIN_READ: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
/// Starts the transaction of an epoch.
pub const BEGIN_WRITE: &str = "START TRANSACTION READ WRITE";
/// Has texts sorted, for GROUP BY, by more than their first 1,024 bytes. Rows whose texts are equal so far may come in any order, and a
/// group twice; so a reader that asks for each key once finds out. A buffer must hold some rows of several such texts.
pub const SORT_LONG_TEXTS: &str = "SET SESSION max_sort_length = 65536, sort_buffer_size = 33554432";
/// Ends a transaction.
pub const COMMIT: &str = "COMMIT";
/// Gives a transaction up.
pub const ROLLBACK: &str = "ROLLBACK";
/// Marks where a slice of rows begins. A later mark of the same name replaces the earlier one.
pub const SAVEPOINT: &str = "SAVEPOINT vardelta_slice";
/// Takes back what was written since [`SAVEPOINT`].
pub const ROLLBACK_TO_SAVEPOINT: &str = "ROLLBACK TO SAVEPOINT vardelta_slice";
/// Yields level, code and text of the warnings of the last statement.
pub const WARNINGS: &str = "SHOW WARNINGS LIMIT 5";

/// Parameters: a lock's name (64 characters at the most), seconds to wait. Yields 1 when it was taken, 0 when somebody
/// else has it, NULL when it cannot be had.
pub const GET_LOCK: &str = "SELECT GET_LOCK(?, ?)";
/// Parameter: a lock's name. Gives it back.
pub const RELEASE_LOCK: &str = "SELECT RELEASE_LOCK(?)";
/// Parameter: a lock's name. Yields the number of the connection that has it, NULL for none.
pub const LOCK_OWNER: &str = "SELECT IS_USED_LOCK(?)";
/// Ends a connection of the same user.
pub fn kill(connection: u64) -> String {
    format!("KILL CONNECTION {connection}")
}

/// Parameter: a name. Yields the kind (`BASE TABLE`, `VIEW`, …), exact name and engine of what has it in the database.
pub const SELECT_OBJECT: &str = "SELECT table_type, table_name, engine FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_name = ?";

/// Parameter: a table's name. Yields name, type, collation, `YES` or `NO` for nullable, and what is computed of each
/// column, in order.
pub const SELECT_COLUMNS: &str = "SELECT column_name, column_type, collation_name, is_nullable \
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position";

/// Parameter: a table's name. Yields index, whether it is not unique (0 or 1), column, length in characters of the prefix
/// (NULL for whole columns) and kind of every part of its indexes, in order. The primary key is called `PRIMARY`.
pub const SELECT_INDEXES: &str = "SELECT index_name, non_unique, column_name, sub_part, index_type \
    FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? \
    ORDER BY index_name, seq_in_index";

/// Parameter: a table's name. Yields the names of its triggers.
pub const SELECT_TRIGGERS: &str = "SELECT trigger_name FROM information_schema.triggers \
    WHERE event_object_schema = DATABASE() AND event_object_table = ? ORDER BY trigger_name";

/// Yields name and table of every trigger of the database that the user may see (right TRIGGER).
pub const SELECT_ALL_TRIGGERS: &str = "SELECT trigger_name, event_object_table FROM information_schema.triggers \
    WHERE event_object_schema = DATABASE() ORDER BY event_object_table, trigger_name";

/// The collation in which text is told apart byte by byte, trailing spaces included (`utf8mb4_bin` takes `a` and `a ` for
/// the same on both servers).
pub(super) fn text_collation(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MariaDb => "utf8mb4_nopad_bin",
        Dialect::MySql | Dialect::Sqlite => "utf8mb4_0900_bin",
    }
}

/// A declared type as both servers say it: MariaDB, and MySQL before 8.0.19, give integers a display width.
pub fn normalise_type(declared: &str) -> String {
    let declared = declared.to_ascii_lowercase();
    match declared.strip_prefix("bigint(").and_then(|rest| rest.split_once(')')) {
        Some((_, behind)) => format!("bigint{behind}"),
        None => declared,
    }
}

/// Drops a table, if it is there.
pub fn drop_table(dialect: Dialect, name: &str) -> String {
    format!("DROP TABLE IF EXISTS {}", dialect.identifier(name))
}

/// Makes an empty database; one of this name must not be there.
pub fn create_database(dialect: Dialect, name: &str) -> String {
    format!("CREATE DATABASE {} CHARACTER SET utf8mb4", dialect.identifier(name))
}

/// Drops a database with all that is in it, if it is there.
pub fn drop_database(dialect: Dialect, name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {}", dialect.identifier(name))
}

/// Renames tables, all at once, from the first of each pair to the second, in order.
pub fn rename_tables(dialect: Dialect, moves: &[(String, String)]) -> String {
    let moves: Vec<String> =
        moves.iter().map(|(from, to)| format!("{} TO {}", dialect.identifier(from), dialect.identifier(to))).collect();
    format!("RENAME TABLE {}", moves.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_widths_do_not_count() {
        assert_eq!(normalise_type("bigint(20)"), "bigint");
        assert_eq!(normalise_type("bigint(20) unsigned"), "bigint unsigned");
        assert_eq!(normalise_type("tinyint(1)"), "tinyint(1)");
        assert_eq!(normalise_type("DECIMAL(5,2)"), "decimal(5,2)");
    }

    #[test]
    fn tables_are_renamed_in_one_statement() {
        let moves = [("a".into(), "old".into()), ("ne`w".into(), "a".into())];
        assert_eq!(rename_tables(Dialect::MySql, &moves), "RENAME TABLE `a` TO `old`, `ne``w` TO `a`");
    }
}
