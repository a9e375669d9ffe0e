//! The ledger's tables, their migrations, and the statements that read and write them.
//!
//! Several pipelines may share one database: every table is keyed by pipeline. The names are fixed and plain, so they
//! need no quotes, and the statements are the same in every dialect; only the migrations differ.

use super::{Dialect, mysql::ledger as mysql};

/// The version of the ledger's tables that this vardelta writes.
pub const VERSION: u32 = 4;

/// One step from one version of the ledger's tables to the next.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version it leads to.
    pub version: u32,
    /// What to run, in order, inside one transaction where the dialect can.
    pub statements: &'static [&'static str],
}

/// Every migration, in order of version; a database at version `v` needs those above `v`. A migration that has been
/// released is never edited, only followed by another.
pub fn migrations(dialect: Dialect) -> &'static [Migration] {
    match dialect {
        Dialect::Sqlite => SQLITE_MIGRATIONS,
        Dialect::MySql => mysql::MYSQL_MIGRATIONS,
        Dialect::MariaDb => mysql::MARIADB_MIGRATIONS,
    }
}

const SQLITE_MIGRATIONS: &[Migration] = &[SQLITE_TABLES, SQLITE_REFERENCE_BLOCKS, SQLITE_LAX_COLUMNS, SQLITE_WARNINGS];

const SQLITE_TABLES: Migration = Migration {
    version: 1,
    statements: &[
        // Facts about the ledger itself: its version.
        "CREATE TABLE vardelta_meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID",
        // The tables that vardelta made, and for which pipeline: it never touches another. SQLite compares table names
        // without regard to the case of ASCII letters, and so does this key.
        "CREATE TABLE vardelta_tables (
  table_name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  pipeline TEXT NOT NULL,
  created_epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID",
        // One row per committed epoch. `table_counts` is a JSON array of {name, inserted, updated, deleted, unchanged}.
        "CREATE TABLE vardelta_epochs (
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  committed_at TEXT NOT NULL,
  definition TEXT NOT NULL,
  table_counts TEXT NOT NULL,
  PRIMARY KEY (pipeline, epoch)
) STRICT, WITHOUT ROWID",
        // The drops that stand. A withdrawn drop leaves this table; its events stay.
        "CREATE TABLE vardelta_drops (
  pipeline TEXT NOT NULL,
  drop_id INTEGER NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  bytes_digest TEXT NOT NULL,
  content_digest TEXT NOT NULL,
  added_epoch INTEGER NOT NULL,
  loaded_epoch INTEGER NOT NULL,
  records_read INTEGER NOT NULL,
  records_loaded INTEGER NOT NULL,
  records_filtered INTEGER NOT NULL,
  records_rejected INTEGER NOT NULL,
  records_duplicate INTEGER NOT NULL,
  records_no_alternate INTEGER NOT NULL,
  PRIMARY KEY (pipeline, drop_id),
  UNIQUE (pipeline, source, name)
) STRICT, WITHOUT ROWID",
        // What every epoch did with every drop, in the order of `ordinal`.
        "CREATE TABLE vardelta_events (
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  drop_id INTEGER,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  records_read INTEGER NOT NULL,
  records_loaded INTEGER NOT NULL,
  records_filtered INTEGER NOT NULL,
  records_rejected INTEGER NOT NULL,
  records_duplicate INTEGER NOT NULL,
  records_no_alternate INTEGER NOT NULL,
  PRIMARY KEY (pipeline, epoch, ordinal)
) STRICT, WITHOUT ROWID",
        // Records that could not be used. Rows carry up to 4 KiB of raw text, which a WITHOUT ROWID table keeps badly.
        "CREATE TABLE vardelta_rejects (
  reject_id INTEGER NOT NULL PRIMARY KEY,
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  drop_id INTEGER,
  drop_name TEXT,
  stage TEXT NOT NULL,
  line INTEGER,
  contig TEXT,
  pos INTEGER,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  raw TEXT
) STRICT",
        "CREATE INDEX vardelta_rejects_by_epoch ON vardelta_rejects (pipeline, epoch)",
    ],
};

/// gVCF reference blocks are counted apart. What was loaded before has none that anybody counted.
const SQLITE_REFERENCE_BLOCKS: Migration = Migration {
    version: 2,
    statements: &[
        "ALTER TABLE vardelta_drops ADD COLUMN records_reference_blocks INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE vardelta_events ADD COLUMN records_reference_blocks INTEGER NOT NULL DEFAULT 0",
    ],
};

/// The columns in which a migration left a table laxer than its pipeline: left over, or NULL still allowed.
const SQLITE_LAX_COLUMNS: Migration = Migration {
    version: 3,
    statements: &["CREATE TABLE vardelta_columns (
  table_name TEXT NOT NULL COLLATE NOCASE,
  column_name TEXT NOT NULL,
  PRIMARY KEY (table_name, column_name)
) STRICT, WITHOUT ROWID"],
};

/// What was adapted rather than refused, by reason, drop, stage and field, with the first place.
const SQLITE_WARNINGS: Migration = Migration {
    version: 4,
    statements: &["CREATE TABLE vardelta_warnings (
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  drop_id INTEGER,
  drop_name TEXT,
  stage TEXT NOT NULL,
  reason TEXT NOT NULL,
  field TEXT,
  occurrences INTEGER NOT NULL,
  first_line INTEGER,
  first_contig TEXT,
  first_pos INTEGER,
  PRIMARY KEY (pipeline, epoch, ordinal)
) STRICT, WITHOUT ROWID"],
};

/// [`SELECT_DROPS`] or [`SELECT_EVENTS`] for tables that are of this version still: a ledger that is only read is not
/// migrated, and what it does not count yet reads as 0.
pub fn select_at(statement: &str, version: u32) -> String {
    let mut text = statement.to_owned();
    if version < SQLITE_REFERENCE_BLOCKS.version {
        text = text.replace("events.records_reference_blocks", "0").replace("records_reference_blocks", "0");
    }
    text
}

/// The table whose presence says that a database has a ledger.
pub const META_TABLE: &str = "vardelta_meta";

/// Names that begin so belong to the ledger.
pub const RESERVED_PREFIX: &str = "vardelta_";

/// Yields the version as text.
pub const SELECT_VERSION: &str = "SELECT value FROM vardelta_meta WHERE name = 'ledger_version'";
/// No parameters.
pub const DELETE_VERSION: &str = "DELETE FROM vardelta_meta WHERE name = 'ledger_version'";
/// Parameter: the version as text.
pub const INSERT_VERSION: &str = "INSERT INTO vardelta_meta (name, value) VALUES ('ledger_version', ?)";

/// Parameter: table name. Yields the pipeline that owns the table.
pub const SELECT_OWNER: &str = "SELECT pipeline FROM vardelta_tables WHERE table_name = ?";
/// Parameter: pipeline. Yields the names of its tables.
pub const SELECT_OWNED: &str = "SELECT table_name FROM vardelta_tables WHERE pipeline = ? ORDER BY table_name";
/// Parameters: table name, pipeline, epoch that makes it.
pub const INSERT_OWNED: &str = "INSERT INTO vardelta_tables (table_name, pipeline, created_epoch) VALUES (?, ?, ?)";
/// Parameter: table name.
pub const DELETE_OWNED: &str = "DELETE FROM vardelta_tables WHERE table_name = ?";

/// Parameter: pipeline. Yields the last epoch, its definition and its table counts; no row before the first.
pub const SELECT_LAST_EPOCH: &str =
    "SELECT epoch, definition, table_counts FROM vardelta_epochs WHERE pipeline = ? ORDER BY epoch DESC LIMIT 1";
/// Parameters: pipeline, epoch, committed_at, definition, table counts as JSON.
pub const INSERT_EPOCH: &str =
    "INSERT INTO vardelta_epochs (pipeline, epoch, committed_at, definition, table_counts) VALUES (?, ?, ?, ?, ?)";

/// Parameter: pipeline. Yields the drops that stand, in ledger order, columns as in [`INSERT_DROP`] without pipeline.
pub const SELECT_DROPS: &str = "SELECT drop_id, source, name, path, bytes_digest, content_digest, added_epoch, \
    loaded_epoch, records_read, records_loaded, records_filtered, records_rejected, records_duplicate, \
    records_no_alternate, records_reference_blocks FROM vardelta_drops WHERE pipeline = ? ORDER BY drop_id";
/// Parameters: pipeline, drop_id, source, name, path, the two digests, the two epochs, the seven counts.
pub const INSERT_DROP: &str = "INSERT INTO vardelta_drops (pipeline, drop_id, source, name, path, bytes_digest, \
    content_digest, added_epoch, loaded_epoch, records_read, records_loaded, records_filtered, records_rejected, \
    records_duplicate, records_no_alternate, records_reference_blocks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
    ?, ?)";
/// Parameters: pipeline, drop_id.
pub const DELETE_DROP: &str = "DELETE FROM vardelta_drops WHERE pipeline = ? AND drop_id = ?";
/// Parameters: bytes digest, path, pipeline, drop_id.
pub const UPDATE_DELIVERY: &str =
    "UPDATE vardelta_drops SET bytes_digest = ?, path = ? WHERE pipeline = ? AND drop_id = ?";

/// Parameter: pipeline. Yields epoch, committed_at, drop_id, source, name, action and the seven counts, in order.
pub const SELECT_EVENTS: &str = "SELECT events.epoch, epochs.committed_at, events.drop_id, events.source, events.name, \
    events.action, events.records_read, events.records_loaded, events.records_filtered, events.records_rejected, \
    events.records_duplicate, events.records_no_alternate, events.records_reference_blocks FROM vardelta_events AS events \
    JOIN vardelta_epochs AS epochs ON epochs.pipeline = events.pipeline AND epochs.epoch = events.epoch WHERE events.pipeline = ? \
    ORDER BY events.epoch, events.ordinal";
/// Parameters: pipeline, epoch, ordinal, drop_id, source, name, action, the seven counts.
pub const INSERT_EVENT: &str = "INSERT INTO vardelta_events (pipeline, epoch, ordinal, drop_id, source, name, action, \
    records_read, records_loaded, records_filtered, records_rejected, records_duplicate, records_no_alternate, \
    records_reference_blocks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Parameters: pipeline, epoch, drop_id, drop_name, stage, line, contig, pos, reason, detail, raw.
pub const INSERT_REJECT: &str = "INSERT INTO vardelta_rejects (pipeline, epoch, drop_id, drop_name, stage, line, \
    contig, pos, reason, detail, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Parameters: pipeline, epoch, ordinal, drop_id, drop_name, stage, reason, field, occurrences, first_line, first_contig,
/// first_pos.
pub const INSERT_WARNING: &str = "INSERT INTO vardelta_warnings (pipeline, epoch, ordinal, drop_id, drop_name, stage, \
    reason, field, occurrences, first_line, first_contig, first_pos) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::MySql, Dialect::MariaDb];

    #[test]
    fn migrations_lead_to_the_version_without_a_gap() {
        for dialect in DIALECTS {
            let versions: Vec<u32> = migrations(dialect).iter().map(|migration| migration.version).collect();
            assert_eq!(versions, (1..=VERSION).collect::<Vec<_>>());
        }
    }

    #[test]
    fn older_tables_are_read_without_what_they_lack() {
        for statement in [SELECT_DROPS, SELECT_EVENTS] {
            assert_eq!(select_at(statement, VERSION), statement);
            assert!(!select_at(statement, 1).contains("reference_blocks"));
            assert_eq!(select_at(statement, 1).matches(',').count(), statement.matches(',').count());
        }
    }

    #[test]
    fn every_ledger_table_has_the_reserved_prefix() {
        let all = DIALECTS.into_iter().flat_map(migrations).flat_map(|migration| migration.statements);
        for statement in all {
            let name = statement.replace("IF NOT EXISTS ", "");
            let name = name.split_whitespace().nth(2).unwrap_or_default();
            assert!(name.starts_with(RESERVED_PREFIX), "{statement}");
        }
        assert!(META_TABLE.starts_with(RESERVED_PREFIX));
    }

    #[test]
    fn statements_have_as_many_parameters_as_columns() {
        for insert in
            [INSERT_VERSION, INSERT_OWNED, INSERT_EPOCH, INSERT_DROP, INSERT_EVENT, INSERT_REJECT, INSERT_WARNING]
        {
            let (columns, values) = insert.split_once(") VALUES (").unwrap_or_default();
            assert_eq!(columns.matches(',').count(), values.matches(',').count(), "{insert}");
        }
    }
}
