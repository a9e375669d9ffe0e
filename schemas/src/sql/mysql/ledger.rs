//! The ledger's tables in MySQL and MariaDB, and the statements that only these two need.
//!
//! Every definition commits by itself there, so a migration can be cut short: its statements can be run again, and the
//! version is written behind them.

use crate::sql::ledger::Migration;

/// Version 1. Key columns are `VARCHAR(255)`, so that the longest key (3,060 bytes) fits InnoDB's limit.
macro_rules! version_1 {
    ($collation:literal) => {
        Migration {
            version: 1,
            statements: &[
                concat!(
                    "CREATE TABLE IF NOT EXISTS vardelta_meta (\n  name VARCHAR(255) NOT NULL PRIMARY KEY,\n  \
                     value VARCHAR(255) NOT NULL\n) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ",
                    $collation
                ),
                // `pending` says what is still to be done with a table behind a commit: see `Pending`.
                concat!(
                    "CREATE TABLE IF NOT EXISTS vardelta_tables (\n  table_name VARCHAR(64) NOT NULL PRIMARY KEY,\n  \
                     pipeline VARCHAR(255) NOT NULL,\n  created_epoch BIGINT NOT NULL,\n  pending VARCHAR(16) NULL\n) \
                     ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ",
                    $collation
                ),
                concat!(
                    "CREATE TABLE IF NOT EXISTS vardelta_epochs (\n  pipeline VARCHAR(255) NOT NULL,\n  epoch BIGINT NOT \
                     NULL,\n  committed_at VARCHAR(32) NOT NULL,\n  definition LONGTEXT NOT NULL,\n  table_counts \
                     LONGTEXT NOT NULL,\n  PRIMARY KEY (pipeline, epoch)\n) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ",
                    $collation
                ),
                concat!(
                    "CREATE TABLE IF NOT EXISTS vardelta_drops (\n  pipeline VARCHAR(255) NOT NULL,\n  drop_id BIGINT NOT \
                     NULL,\n  source VARCHAR(255) NOT NULL,\n  name VARCHAR(255) NOT NULL,\n  path LONGTEXT NOT NULL,\n  \
                     bytes_digest CHAR(32) NOT NULL,\n  content_digest CHAR(32) NOT NULL,\n  added_epoch BIGINT NOT \
                     NULL,\n  loaded_epoch BIGINT NOT NULL,\n  records_read BIGINT NOT NULL,\n  records_loaded BIGINT NOT \
                     NULL,\n  records_filtered BIGINT NOT NULL,\n  records_rejected BIGINT NOT NULL,\n  records_duplicate \
                     BIGINT NOT NULL,\n  records_no_alternate BIGINT NOT NULL,\n  PRIMARY KEY (pipeline, drop_id),\n  \
                     UNIQUE (pipeline, source, name)\n) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ",
                    $collation
                ),
                concat!(
                    "CREATE TABLE IF NOT EXISTS vardelta_events (\n  pipeline VARCHAR(255) NOT NULL,\n  epoch BIGINT NOT \
                     NULL,\n  ordinal BIGINT NOT NULL,\n  drop_id BIGINT NULL,\n  source VARCHAR(255) NOT NULL,\n  name \
                     VARCHAR(255) NOT NULL,\n  action VARCHAR(32) NOT NULL,\n  records_read BIGINT NOT NULL,\n  \
                     records_loaded BIGINT NOT NULL,\n  records_filtered BIGINT NOT NULL,\n  records_rejected BIGINT NOT \
                     NULL,\n  records_duplicate BIGINT NOT NULL,\n  records_no_alternate BIGINT NOT NULL,\n  PRIMARY KEY \
                     (pipeline, epoch, ordinal)\n) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ",
                    $collation
                ),
                concat!(
                    "CREATE TABLE IF NOT EXISTS vardelta_rejects (\n  reject_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY \
                     KEY,\n  pipeline VARCHAR(255) NOT NULL,\n  epoch BIGINT NOT NULL,\n  drop_id BIGINT NULL,\n  \
                     drop_name VARCHAR(255) NULL,\n  stage VARCHAR(255) NOT NULL,\n  line BIGINT NULL,\n  contig LONGTEXT \
                     NULL,\n  pos BIGINT NULL,\n  reason VARCHAR(255) NOT NULL,\n  detail LONGTEXT NOT NULL,\n  raw \
                     LONGTEXT NULL,\n  KEY vardelta_rejects_by_epoch (pipeline, epoch)\n) ENGINE = InnoDB CHARACTER SET \
                     utf8mb4 COLLATE ",
                    $collation
                ),
            ],
        }
    };
}

/// Migrations of MySQL.
pub const MYSQL_MIGRATIONS: &[Migration] = &[version_1!("utf8mb4_0900_bin")];
/// Migrations of MariaDB.
pub const MARIADB_MIGRATIONS: &[Migration] = &[version_1!("utf8mb4_nopad_bin")];

/// What is still to be done with a table behind a commit, because definitions commit by themselves. The next connection
/// that may write does what a killed run left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// The table that was filled anew takes the place of the old one.
    Swap,
    /// The table is no longer declared and goes.
    Drop,
    /// The indexes are built.
    Indexes,
}

impl Pending {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Pending::Swap => "swap",
            Pending::Drop => "drop",
            Pending::Indexes => "indexes",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Pending> {
        [Pending::Swap, Pending::Drop, Pending::Indexes].into_iter().find(|pending| pending.as_str() == word)
    }
}

/// Parameter: table name. Yields the pipeline that owns the table, the epoch that made it and what is pending.
pub const SELECT_OWNER: &str = "SELECT pipeline, created_epoch, pending FROM vardelta_tables WHERE table_name = ?";
/// Parameter: pipeline. Yields its tables and what is pending with them.
pub const SELECT_OWNED: &str = "SELECT table_name, pending FROM vardelta_tables WHERE pipeline = ? ORDER BY table_name";
/// Parameters: table name, pipeline, epoch that makes it, what is pending.
pub const INSERT_OWNED: &str =
    "INSERT INTO vardelta_tables (table_name, pipeline, created_epoch, pending) VALUES (?, ?, ?, ?)";
/// Parameters: epoch that makes it, what is pending, table name.
pub const UPDATE_OWNED: &str = "UPDATE vardelta_tables SET created_epoch = ?, pending = ? WHERE table_name = ?";
/// Parameters: what is pending, table name.
pub const UPDATE_PENDING: &str = "UPDATE vardelta_tables SET pending = ? WHERE table_name = ?";
/// Parameter: pipeline. The last epoch, as in the ledger's own statement, kept from others until the transaction ends.
pub const SELECT_LAST_EPOCH_FOR_UPDATE: &str =
    "SELECT epoch FROM vardelta_epochs WHERE pipeline = ? ORDER BY epoch DESC LIMIT 1 FOR UPDATE";
