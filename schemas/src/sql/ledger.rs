//! The ledger's tables, their migrations, and the statements that read and write them.
//!
//! Several pipelines may share one database: every table is keyed by pipeline. The names are fixed and plain, so they
//! need no quotes, and the statements are the same in every dialect; only the migrations differ.

use super::{Dialect, ledger_migration::Migration, mysql::ledger as mysql};

/// The version of the ledger's tables that this vardelta writes.
pub const VERSION: u32 = 8;

/// Every migration, in order of version; a database at version `v` needs those above `v`. A migration that has been
/// released is never edited, only followed by another.
pub fn migrations(dialect: Dialect) -> &'static [Migration] {
    match dialect {
        Dialect::Sqlite => SQLITE_MIGRATIONS,
        Dialect::MySql => mysql::MYSQL_MIGRATIONS,
        Dialect::MariaDb => mysql::MARIADB_MIGRATIONS,
    }
}

const SQLITE_MIGRATIONS: &[Migration] = &[
    SQLITE_TABLES,
    SQLITE_REFERENCE_BLOCKS,
    SQLITE_LAX_COLUMNS,
    SQLITE_WARNINGS,
    SQLITE_IDENTITIES,
    SQLITE_MEMBERS,
    SQLITE_LOOKUPS,
    SQLITE_SET_ASIDE,
];

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

/// Random identities of pipelines, epochs and drops; what was written before has none. And a definition is kept with the
/// epoch that brought it alone: an empty one says that it is that of the epoch before.
const SQLITE_IDENTITIES: Migration = Migration {
    version: 5,
    statements: &[
        "CREATE TABLE vardelta_pipelines (
  pipeline TEXT NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL
) STRICT, WITHOUT ROWID",
        "ALTER TABLE vardelta_epochs ADD COLUMN identity TEXT",
        "ALTER TABLE vardelta_drops ADD COLUMN identity TEXT",
        "UPDATE vardelta_epochs SET definition = '' WHERE EXISTS (SELECT 1 FROM vardelta_epochs AS earlier \
         WHERE earlier.pipeline = vardelta_epochs.pipeline AND earlier.epoch = vardelta_epochs.epoch - 1 \
         AND earlier.definition = vardelta_epochs.definition)",
    ],
};

/// Members of drops (samples) that were taken back by themselves. Without `drop_name` every drop of the source is meant.
const SQLITE_MEMBERS: Migration = Migration {
    version: 6,
    statements: &["CREATE TABLE vardelta_withdrawn_members (
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  source TEXT NOT NULL,
  drop_name TEXT,
  name TEXT NOT NULL,
  PRIMARY KEY (pipeline, epoch, ordinal)
) STRICT, WITHOUT ROWID"],
};

/// The keys that look-ups ask for. `key_hash` is the xxh3-128 of the key, 32 hexadecimal digits: keys may be longer than any
/// server's index.
const SQLITE_LOOKUPS: Migration = Migration {
    version: 7,
    statements: &["CREATE TABLE vardelta_lookups (
  pipeline TEXT NOT NULL,
  stage TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  `key` TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_try TEXT,
  last_error TEXT,
  asked_at TEXT,
  PRIMARY KEY (pipeline, stage, key_hash)
) STRICT, WITHOUT ROWID"],
};

/// Files that could not be loaded and are tried again. `path_hash` is the xxh3-128 of the path, 32 hexadecimal digits: paths may be
/// longer than any server's index.
const SQLITE_SET_ASIDE: Migration = Migration {
    version: 8,
    statements: &["CREATE TABLE vardelta_set_aside (
  pipeline TEXT NOT NULL,
  source TEXT NOT NULL,
  path_hash TEXT NOT NULL,
  path TEXT NOT NULL,
  drop_name TEXT NOT NULL,
  stamp TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  since TEXT NOT NULL,
  next_try TEXT NOT NULL,
  PRIMARY KEY (pipeline, source, path_hash)
) STRICT, WITHOUT ROWID"],
};

/// The first version that knows of files that are set aside.
pub const VERSION_WITH_SET_ASIDE: u32 = 8;

/// The first version that knows of look-ups.
pub const VERSION_WITH_LOOKUPS: u32 = 7;

/// [`SELECT_DROPS`], [`SELECT_EVENTS`] or [`SELECT_LAST_EPOCH`] for tables that are of this version still: a ledger that is only
/// read is not migrated, and what it does not count yet reads as 0.
pub fn select_at(statement: &str, version: u32) -> String {
    let mut text = statement.to_owned();
    if version < SQLITE_REFERENCE_BLOCKS.version {
        text = text.replace("events.records_reference_blocks", "0").replace("records_reference_blocks", "0");
    }
    if version < SQLITE_IDENTITIES.version {
        text = text.replace("identity FROM", "NULL FROM");
    }
    text
}

/// The first version in which pipelines have identities.
pub const VERSION_WITH_IDENTITIES: u32 = 5;

/// The first version in which members of drops can be taken back by themselves.
pub const VERSION_WITH_MEMBERS: u32 = 6;

/// The table whose presence says that a database has a ledger.
pub const META_TABLE: &str = "vardelta_meta";

/// Names that begin so belong to the ledger.
pub const RESERVED_PREFIX: &str = "vardelta_";

/// Whether a table is the ledger's.
pub fn is_ledger_table(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

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

/// Parameter: pipeline. Yields the last epoch, its table counts and its identity; no row before the first.
pub const SELECT_LAST_EPOCH: &str =
    "SELECT epoch, table_counts, identity FROM vardelta_epochs WHERE pipeline = ? ORDER BY epoch DESC LIMIT 1";
/// Parameter: pipeline. Yields every epoch and its table counts, in order.
pub const SELECT_EPOCHS: &str = "SELECT epoch, table_counts FROM vardelta_epochs WHERE pipeline = ? ORDER BY epoch";
/// Parameter: pipeline. Yields its tables and the epoch that made each.
pub const SELECT_MADE: &str =
    "SELECT table_name, created_epoch FROM vardelta_tables WHERE pipeline = ? ORDER BY table_name";
/// Parameter: pipeline. Yields the definition as of the last epoch.
pub const SELECT_DEFINITION: &str =
    "SELECT definition FROM vardelta_epochs WHERE pipeline = ? AND definition <> '' ORDER BY epoch DESC LIMIT 1";
/// Parameter: pipeline. Yields its identity.
pub const SELECT_PIPELINE: &str = "SELECT identity FROM vardelta_pipelines WHERE pipeline = ?";
/// Parameters: pipeline, identity.
pub const INSERT_PIPELINE: &str = "INSERT INTO vardelta_pipelines (pipeline, identity) VALUES (?, ?)";
/// Parameters: pipeline, twice. Yields the greatest number that a drop was ever given, NULL for none.
pub const SELECT_LAST_DROP: &str = "SELECT MAX(drop_id) FROM (SELECT drop_id FROM vardelta_events WHERE pipeline = ? \
    UNION ALL SELECT drop_id FROM vardelta_drops WHERE pipeline = ?) AS given";
/// Parameters: pipeline, epoch, committed_at, definition (empty where it is that of the epoch before), table counts as JSON,
/// identity.
pub const INSERT_EPOCH: &str = "INSERT INTO vardelta_epochs (pipeline, epoch, committed_at, definition, table_counts, \
    identity) VALUES (?, ?, ?, ?, ?, ?)";

/// Parameter: pipeline. Yields the drops that stand, in ledger order, columns as in [`INSERT_DROP`] without pipeline.
pub const SELECT_DROPS: &str = "SELECT drop_id, source, name, path, bytes_digest, content_digest, added_epoch, \
    loaded_epoch, records_read, records_loaded, records_filtered, records_rejected, records_duplicate, \
    records_no_alternate, records_reference_blocks, identity FROM vardelta_drops WHERE pipeline = ? ORDER BY drop_id";
/// Parameters: pipeline, drop_id, source, name, path, the two digests, the two epochs, the seven counts, identity.
pub const INSERT_DROP: &str = "INSERT INTO vardelta_drops (pipeline, drop_id, source, name, path, bytes_digest, \
    content_digest, added_epoch, loaded_epoch, records_read, records_loaded, records_filtered, records_rejected, \
    records_duplicate, records_no_alternate, records_reference_blocks, identity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
    ?, ?, ?, ?, ?, ?)";
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

/// Parameter: pipeline. Yields source, drop name, name and epoch of the members that were taken back.
pub const SELECT_MEMBERS: &str = "SELECT source, drop_name, name, epoch FROM vardelta_withdrawn_members \
    WHERE pipeline = ? ORDER BY epoch, ordinal";
/// Parameters: pipeline, epoch, ordinal, source, drop name, name.
pub const INSERT_MEMBER: &str = "INSERT INTO vardelta_withdrawn_members (pipeline, epoch, ordinal, source, drop_name, \
    name) VALUES (?, ?, ?, ?, ?, ?)";
/// Parameters: pipeline, source, name.
pub const DELETE_MEMBER: &str = "DELETE FROM vardelta_withdrawn_members WHERE pipeline = ? AND source = ? AND name = ?";

/// Inserts this many rejects. Parameters, for each: pipeline, epoch, drop_id, drop_name, stage, line, contig, pos, reason,
/// detail, raw.
pub fn insert_rejects(rows: usize) -> String {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
    format!(
        "INSERT INTO vardelta_rejects (pipeline, epoch, drop_id, drop_name, stage, line, contig, pos, reason, detail, raw) \
         VALUES {rows}"
    )
}

/// Parameters: pipeline, epoch, ordinal, drop_id, drop_name, stage, reason, field, occurrences, first_line, first_contig,
/// first_pos.
pub const INSERT_WARNING: &str = "INSERT INTO vardelta_warnings (pipeline, epoch, ordinal, drop_id, drop_name, stage, \
    reason, field, occurrences, first_line, first_contig, first_pos) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Parameters: pipeline, least attempts. Yields stage, key, status, attempts, next_try, last_error and asked_at of the keys that
/// were asked for so often in vain since their last answer.
pub const SELECT_LOOKUPS: &str = "SELECT stage, `key`, status, attempts, next_try, last_error, asked_at FROM \
    vardelta_lookups WHERE pipeline = ? AND attempts >= ? ORDER BY stage, key_hash";
/// Puts so many rows in place, or in the place of others. Parameters, for each: pipeline, stage, key_hash, key, status,
/// attempts, next_try, last_error, asked_at.
pub fn put_lookups(rows: usize) -> String {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
    format!(
        "REPLACE INTO vardelta_lookups (pipeline, stage, key_hash, `key`, status, attempts, next_try, last_error, asked_at) \
         VALUES {rows}"
    )
}
/// Parameters: pipeline, stage, key_hash.
pub const DELETE_LOOKUP: &str = "DELETE FROM vardelta_lookups WHERE pipeline = ? AND stage = ? AND key_hash = ?";
/// Parameter: pipeline.
pub const DELETE_LOOKUPS: &str = "DELETE FROM vardelta_lookups WHERE pipeline = ?";

/// Parameter: pipeline. Yields source, path, drop name, stamp, attempts, kind, reason, since and next_try.
pub const SELECT_SET_ASIDE: &str = "SELECT source, path, drop_name, stamp, attempts, kind, reason, since, next_try FROM \
    vardelta_set_aside WHERE pipeline = ? ORDER BY source, path_hash";
/// Puts a row in place, or in the place of another. Parameters: pipeline, source, path_hash, path, drop name, stamp, attempts,
/// kind, reason, since, next_try.
pub const PUT_SET_ASIDE: &str = "REPLACE INTO vardelta_set_aside (pipeline, source, path_hash, path, drop_name, stamp, \
    attempts, kind, reason, since, next_try) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// Parameters: pipeline, source, path_hash.
pub const DELETE_SET_ASIDE: &str = "DELETE FROM vardelta_set_aside WHERE pipeline = ? AND source = ? AND path_hash = ?";

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
        }
        for statement in [SELECT_DROPS, SELECT_EVENTS, SELECT_LAST_EPOCH] {
            for version in 1..VERSION_WITH_IDENTITIES {
                assert!(!select_at(statement, version).contains("identity"));
                assert_eq!(select_at(statement, version).matches(',').count(), statement.matches(',').count());
            }
        }
        assert_eq!(insert_rejects(3).matches('?').count(), 33);
    }

    #[test]
    fn every_ledger_table_has_the_reserved_prefix() {
        let all = DIALECTS.into_iter().flat_map(migrations).flat_map(|migration| migration.statements);
        for statement in all {
            let name = statement.replace("IF NOT EXISTS ", "");
            let mut words = name.split_whitespace();
            let nth = if words.next() == Some("UPDATE") { 0 } else { 1 };
            let name = words.nth(nth).unwrap_or_default();
            assert!(name.starts_with(RESERVED_PREFIX), "{statement}");
        }
        assert!(META_TABLE.starts_with(RESERVED_PREFIX));
    }

    #[test]
    fn statements_have_as_many_parameters_as_columns() {
        let (rejects, lookups) = (insert_rejects(1), put_lookups(1));
        let plain = [
            INSERT_VERSION,
            INSERT_OWNED,
            INSERT_PIPELINE,
            INSERT_EPOCH,
            INSERT_DROP,
            INSERT_EVENT,
            INSERT_WARNING,
            INSERT_MEMBER,
            PUT_SET_ASIDE,
        ];
        for insert in plain.into_iter().chain([rejects.as_str(), lookups.as_str()]) {
            let (columns, values) = insert.split_once(") VALUES (").unwrap_or_default();
            assert_eq!(columns.matches(',').count(), values.matches(',').count(), "{insert}");
        }
    }
}
