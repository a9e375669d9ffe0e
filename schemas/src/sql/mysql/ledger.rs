//! The ledger's tables in MySQL and MariaDB, and the statements that only these two need.
//!
//! Every definition commits by itself there, so a migration can be cut short: its statements can be run again, where a
//! column that is there already ([`DUPLICATE_COLUMN`]) is no error, and the version is written after them.

use crate::sql::ledger_migration::Migration;

/// Makes a ledger table whose text is told apart byte by byte in this collation.
macro_rules! table {
    ($collation:literal, $name:literal, $columns:literal) => {
        concat!(
            "CREATE TABLE IF NOT EXISTS ",
            $name,
            " (\n",
            $columns,
            ") ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4 COLLATE = ",
            $collation
        )
    };
}

/// The migrations, for a collation. Key columns are `VARCHAR(255)`, so that the longest key (3,060 bytes) fits InnoDB's
/// limit.
macro_rules! migrations {
    ($collation:literal) => {
        &[
            Migration {
                version: 1,
                statements: &[
                    table!(
                        $collation,
                        "vardelta_meta",
                        "  name VARCHAR(255) NOT NULL PRIMARY KEY,
  value VARCHAR(255) NOT NULL
"
                    ),
                    // `pending` says what is still to be done with a table after a commit: see `Pending`.
                    table!(
                        $collation,
                        "vardelta_tables",
                        "  table_name VARCHAR(64) NOT NULL PRIMARY KEY,
  pipeline VARCHAR(255) NOT NULL,
  created_epoch BIGINT NOT NULL,
  pending VARCHAR(16) NULL
"
                    ),
                    table!(
                        $collation,
                        "vardelta_epochs",
                        "  pipeline VARCHAR(255) NOT NULL,
  epoch BIGINT NOT NULL,
  committed_at VARCHAR(32) NOT NULL,
  definition LONGTEXT NOT NULL,
  table_counts LONGTEXT NOT NULL,
  PRIMARY KEY (pipeline, epoch)
"
                    ),
                    table!(
                        $collation,
                        "vardelta_drops",
                        "  pipeline VARCHAR(255) NOT NULL,
  drop_id BIGINT NOT NULL,
  source VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  path LONGTEXT NOT NULL,
  bytes_digest CHAR(32) NOT NULL,
  content_digest CHAR(32) NOT NULL,
  added_epoch BIGINT NOT NULL,
  loaded_epoch BIGINT NOT NULL,
  records_read BIGINT NOT NULL,
  records_loaded BIGINT NOT NULL,
  records_filtered BIGINT NOT NULL,
  records_rejected BIGINT NOT NULL,
  records_duplicate BIGINT NOT NULL,
  records_no_alternate BIGINT NOT NULL,
  records_reference_blocks BIGINT NOT NULL,
  PRIMARY KEY (pipeline, drop_id),
  UNIQUE (pipeline, source, name)
"
                    ),
                    table!(
                        $collation,
                        "vardelta_events",
                        "  pipeline VARCHAR(255) NOT NULL,
  epoch BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  drop_id BIGINT NULL,
  source VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  action VARCHAR(32) NOT NULL,
  records_read BIGINT NOT NULL,
  records_loaded BIGINT NOT NULL,
  records_filtered BIGINT NOT NULL,
  records_rejected BIGINT NOT NULL,
  records_duplicate BIGINT NOT NULL,
  records_no_alternate BIGINT NOT NULL,
  records_reference_blocks BIGINT NOT NULL,
  PRIMARY KEY (pipeline, epoch, ordinal)
"
                    ),
                    table!(
                        $collation,
                        "vardelta_rejects",
                        "  reject_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  pipeline VARCHAR(255) NOT NULL,
  epoch BIGINT NOT NULL,
  drop_id BIGINT NULL,
  drop_name VARCHAR(255) NULL,
  stage VARCHAR(255) NOT NULL,
  line BIGINT NULL,
  contig LONGTEXT NULL,
  pos BIGINT NULL,
  reason VARCHAR(255) NOT NULL,
  detail LONGTEXT NOT NULL,
  raw LONGTEXT NULL,
  KEY vardelta_rejects_by_epoch (pipeline, epoch)
"
                    ),
                ],
            },
            // The reference blocks that version 2 counts have been in these tables from the first.
            Migration { version: 2, statements: &[] },
            // The columns in which a migration left a table laxer than its pipeline: left over, or NULL still allowed.
            Migration {
                version: 3,
                statements: &[table!(
                    $collation,
                    "vardelta_columns",
                    "  table_name VARCHAR(64) NOT NULL,
  column_name VARCHAR(64) NOT NULL,
  PRIMARY KEY (table_name, column_name)
"
                )],
            },
            // What was adapted rather than refused, by reason, drop, stage and field, with the first place.
            Migration {
                version: 4,
                statements: &[table!(
                    $collation,
                    "vardelta_warnings",
                    "  pipeline VARCHAR(255) NOT NULL,
  epoch BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  drop_id BIGINT NULL,
  drop_name VARCHAR(255) NULL,
  stage VARCHAR(255) NOT NULL,
  reason VARCHAR(255) NOT NULL,
  field LONGTEXT NULL,
  occurrences BIGINT NOT NULL,
  first_line BIGINT NULL,
  first_contig LONGTEXT NULL,
  first_pos BIGINT NULL,
  PRIMARY KEY (pipeline, epoch, ordinal)
"
                )],
            },
            // Random identities; and a definition is kept with the epoch that brought it alone.
            Migration {
                version: 5,
                statements: &[
                    table!(
                        $collation,
                        "vardelta_pipelines",
                        "  pipeline VARCHAR(255) NOT NULL PRIMARY KEY,
  identity CHAR(32) NOT NULL
"
                    ),
                    "ALTER TABLE vardelta_epochs ADD COLUMN identity CHAR(32) NULL",
                    "ALTER TABLE vardelta_drops ADD COLUMN identity CHAR(32) NULL",
                    "UPDATE vardelta_epochs AS later JOIN vardelta_epochs AS earlier ON earlier.pipeline = later.pipeline \
                     AND earlier.epoch = later.epoch - 1 AND earlier.definition = later.definition \
                     SET later.definition = ''",
                ],
            },
            // Members of drops (samples) that were taken back by themselves.
            Migration {
                version: 6,
                statements: &[table!(
                    $collation,
                    "vardelta_withdrawn_members",
                    "  pipeline VARCHAR(255) NOT NULL,
  epoch BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  source VARCHAR(255) NOT NULL,
  drop_name VARCHAR(255) NULL,
  name LONGTEXT NOT NULL,
  PRIMARY KEY (pipeline, epoch, ordinal)
"
                )],
            },
            // The keys that look-ups ask for, told apart by their hash: a key may be longer than an index holds.
            Migration {
                version: 7,
                statements: &[table!(
                    $collation,
                    "vardelta_lookups",
                    "  pipeline VARCHAR(255) NOT NULL,
  stage VARCHAR(255) NOT NULL,
  key_hash CHAR(32) NOT NULL,
  `key` LONGTEXT NOT NULL,
  status VARCHAR(16) NOT NULL,
  attempts BIGINT NOT NULL,
  next_try VARCHAR(32) NULL,
  last_error LONGTEXT NULL,
  asked_at VARCHAR(32) NULL,
  PRIMARY KEY (pipeline, stage, key_hash)
"
                )],
            },
            // Files that could not be loaded and are tried again, told apart by the hash of their path.
            Migration {
                version: 8,
                statements: &[table!(
                    $collation,
                    "vardelta_set_aside",
                    "  pipeline VARCHAR(255) NOT NULL,
  source VARCHAR(255) NOT NULL,
  path_hash CHAR(32) NOT NULL,
  path LONGTEXT NOT NULL,
  drop_name LONGTEXT NOT NULL,
  stamp VARCHAR(255) NOT NULL,
  attempts BIGINT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  reason LONGTEXT NOT NULL,
  since VARCHAR(32) NOT NULL,
  next_try VARCHAR(32) NOT NULL,
  PRIMARY KEY (pipeline, source, path_hash)
"
                )],
            },
        ]
    };
}

/// Migrations of MySQL.
pub const MYSQL_MIGRATIONS: &[Migration] = migrations!("utf8mb4_0900_bin");
/// Migrations of MariaDB.
pub const MARIADB_MIGRATIONS: &[Migration] = migrations!("utf8mb4_nopad_bin");

/// What is still to be done with a table after a commit, because definitions commit by themselves. The next connection
/// that may write does what a killed run left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// The table that was refilled takes the place of the old one.
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
pub const SELECT_LAST_EPOCH_FOR_UPDATE: &str = "SELECT epoch, table_counts, identity FROM vardelta_epochs WHERE pipeline = ? ORDER BY epoch DESC LIMIT 1 FOR UPDATE";

/// The error with which a server refuses to add a column that is there (`ER_DUP_FIELDNAME`).
pub const DUPLICATE_COLUMN: u16 = 1060;
