//! The table in which answers of look-ups are kept, beside the ledger or in a file of its own. It belongs to no pipeline.

use super::Dialect;

/// The table's name.
pub const TABLE: &str = "api_cache";

/// Makes the table where it is missing. An entry is called by a digest of 32 bytes.
pub fn create(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Sqlite => &[
            "CREATE TABLE IF NOT EXISTS api_cache (
  name BLOB NOT NULL PRIMARY KEY,
  expires_s INTEGER NOT NULL,
  entry BLOB NOT NULL
) STRICT, WITHOUT ROWID",
            "CREATE INDEX IF NOT EXISTS api_cache_by_expiry ON api_cache (expires_s)",
        ],
        Dialect::MySql | Dialect::MariaDb => &["CREATE TABLE IF NOT EXISTS api_cache (
  name BINARY(32) NOT NULL PRIMARY KEY,
  expires_s BIGINT NOT NULL,
  entry LONGBLOB NOT NULL,
  INDEX api_cache_by_expiry (expires_s)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC"],
    }
}

/// Yields name and entry of those among so many names (parameters) that are there.
pub fn select(names: usize) -> String {
    format!("SELECT name, entry FROM api_cache WHERE name IN ({})", marks(names))
}

/// Takes so many names (parameters) out.
pub fn delete(names: usize) -> String {
    format!("DELETE FROM api_cache WHERE name IN ({})", marks(names))
}

/// Puts so many entries in place of what was there. Parameters, for each: name, expires_s, entry.
pub fn replace(entries: usize) -> String {
    let rows = vec!["(?, ?, ?)"; entries].join(", ");
    format!("REPLACE INTO api_cache (name, expires_s, entry) VALUES {rows}")
}

/// Takes everything out.
pub const CLEAR: &str = "DELETE FROM api_cache";
/// Takes out what expired before a time (parameter), in seconds since 1970.
pub const CLEAR_EXPIRED: &str = "DELETE FROM api_cache WHERE expires_s < ?";
/// Yields the number of entries and their bytes.
pub const SELECT_SIZE: &str = "SELECT COUNT(*), COALESCE(SUM(LENGTH(entry)), 0) FROM api_cache";
/// Yields the same in a server, as whole numbers.
pub const SELECT_SERVER_SIZE: &str =
    "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(entry)), 0) AS UNSIGNED) FROM api_cache";
/// Yields a row where the table is there, in SQLite.
pub const SELECT_SQLITE_TABLE: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'api_cache'";
/// A file of answers alone: the journal works on any file system that can lock, and a lost answer is asked for again.
pub const SQLITE_SESSION: &str = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;";

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_a_parameter_for_each_value() {
        assert_eq!(select(3).matches('?').count(), 3);
        assert_eq!(delete(1).matches('?').count(), 1);
        assert_eq!(replace(4).matches('?').count(), 12);
        for dialect in [Dialect::Sqlite, Dialect::MySql, Dialect::MariaDb] {
            assert!(create(dialect).iter().all(|statement| statement.contains(TABLE)));
        }
    }
}
