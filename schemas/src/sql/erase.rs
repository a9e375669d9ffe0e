//! What it takes to forget drops for good: their rows in histories and ledger, and the questions that prove it.
//!
//! Epochs are written into the text as numbers: they are the ledger's own, and there may be more of them than a statement
//! takes parameters.

use std::collections::BTreeSet;

use super::{Dialect, marks::DELETED_AT};
use crate::{
    Column, ColumnType, TableSchema,
    history::{DROPS, EPOCH, OPERATION},
    ledger::Epoch,
};

/// What an event is called while the erasure that it stands for is not proven.
pub const ERASING: &str = "erasing";
/// What it is called from then on.
pub const ERASED: &str = "erased";
/// The same where one sample of a drop is forgotten, and the drop stands.
pub const ERASING_SAMPLE: &str = "erasing_sample";
/// What that is called from then on.
pub const SAMPLE_ERASED: &str = "sample_erased";

/// The statements about one history.
pub struct HistoryErasure<'a> {
    dialect: Dialect,
    table: &'a TableSchema,
    name: String,
}

impl<'a> HistoryErasure<'a> {
    /// The statements about a history, which is laid out as
    /// [`history_table`](crate::history::history_table) says.
    pub fn new(dialect: Dialect, history: &'a TableSchema) -> HistoryErasure<'a> {
        HistoryErasure { dialect, table: history, name: dialect.identifier(&history.name) }
    }

    /// Deletes all rows from this epoch on.
    pub fn delete_from(&self, first: Epoch) -> String {
        format!("DELETE FROM {} WHERE {} >= {first}", self.name, self.column("", EPOCH))
    }

    /// Deletes, from the epoch `first` on, the rows of every key that has a row of one of these epochs.
    pub fn delete_changed_in(&self, epochs: &BTreeSet<Epoch>, first: Epoch) -> String {
        self.delete_keys(&format!("{} IN ({})", self.column("d.", EPOCH), list(epochs)), first)
    }

    /// Deletes, from the epoch `first` on, the rows of every key whose first row since the epoch `since` is no insert:
    /// where it came from was before.
    pub fn delete_of_unknown_origin(&self, since: Epoch, first: Epoch) -> String {
        self.delete_keys(&self.is_of_unknown_origin(since), first)
    }

    /// Yields how many rows there are of these epochs.
    pub fn count_changed_in(&self, epochs: &BTreeSet<Epoch>) -> String {
        format!("SELECT COUNT(*) FROM {} WHERE {} IN ({})", self.name, self.column("", EPOCH), list(epochs))
    }

    /// Yields how many rows there are from the first to the last of these epochs.
    pub fn count_between(&self, first: Epoch, last: Epoch) -> String {
        format!("SELECT COUNT(*) FROM {} WHERE {} BETWEEN {first} AND {last}", self.name, self.column("", EPOCH))
    }

    /// Parameter: a drop's name as a JSON text. Yields the epochs whose rows name it, each with the number of its rows.
    pub fn count_named(&self) -> String {
        let (epoch, drops) = (self.column("", EPOCH), self.column("", DROPS));
        format!("SELECT {epoch}, COUNT(*) FROM {} WHERE INSTR({drops}, ?) > 0 GROUP BY {epoch}", self.name)
    }

    fn is_of_unknown_origin(&self, since: Epoch) -> String {
        let [epoch, earlier, operation] =
            [self.column("d.", EPOCH), self.column("e.", EPOCH), self.column("d.", OPERATION)];
        let mut same = self.same_key("e.", "d.");
        same.push(format!("{earlier} >= {since}"));
        same.push(format!("{earlier} < {epoch}"));
        format!(
            "{epoch} >= {since} AND {operation} <> 'insert' AND NOT EXISTS (SELECT 1 FROM {} AS e WHERE {})",
            self.name,
            same.join(" AND ")
        )
    }

    /// Deletes, from the epoch `first` on, the rows of every key of which some row `d` is as `condition` says.
    fn delete_keys(&self, condition: &str, first: Epoch) -> String {
        let (name, epoch) = (&self.name, self.column("h.", EPOCH));
        let mut same = self.same_key("d.", "h.");
        if self.dialect == Dialect::Sqlite {
            same.push(format!("({condition})"));
            let same = same.join(" AND ");
            return format!(
                "DELETE FROM {name} AS h WHERE {epoch} >= {first} AND EXISTS (SELECT 1 FROM {name} AS d WHERE {same})"
            );
        }
        // The servers do not let a subquery read the table that is deleted from, but do join it with what was read before.
        let mut key: Vec<String> = self.key().map(|name| self.column("d.", name)).collect();
        if key.is_empty() {
            (key, same) = (vec!["1 AS one".into()], vec!["d.one = 1".into()]);
        }
        format!(
            "DELETE h FROM {name} AS h JOIN (SELECT DISTINCT {} FROM {name} AS d WHERE {condition}) AS d ON {} \
             WHERE {epoch} >= {first}",
            key.join(", "),
            same.join(" AND ")
        )
    }

    /// The key's columns without the epoch.
    fn key(&self) -> impl Iterator<Item = &str> {
        let columns = self.table.schema.columns();
        self.table.key.iter().map(|index| columns[*index].name.as_str()).filter(|name| *name != EPOCH)
    }

    fn same_key(&self, one: &str, other: &str) -> Vec<String> {
        let same = if self.dialect == Dialect::Sqlite { "IS" } else { "<=>" };
        self.key().map(|name| format!("{} {same} {}", self.column(one, name), self.column(other, name))).collect()
    }

    fn column(&self, of: &str, name: &str) -> String {
        format!("{of}{}", self.dialect.identifier(name))
    }
}

/// Yields 1 where a text is a value of some row, and 0 elsewhere. The text is the parameter, as often as the number says. `None` for a
/// table without a text.
pub fn has_value(dialect: Dialect, table: &TableSchema) -> Option<(String, usize)> {
    let is_text = |column: &&Column| column.column_type == ColumnType::Text;
    let texts = table.schema.columns().iter().filter(is_text);
    let terms: Vec<String> = texts.map(|column| format!("{} = ?", dialect.identifier(&column.name))).collect();
    let name = dialect.identifier(&table.name);
    let query = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE {})", terms.join(" OR "));
    (!terms.is_empty()).then_some((query, terms.len()))
}

/// Which marked rows an erasure is about.
#[derive(Clone, Copy, Debug)]
pub enum MarkedIn<'a> {
    /// Those that one of these epochs marked.
    Epochs(&'a BTreeSet<Epoch>),
    /// Those that this epoch or a later one, up to the second, marked.
    Between(Epoch, Epoch),
}

/// Deletes marked rows.
pub fn delete_marked_in(dialect: Dialect, table: &str, epochs: MarkedIn<'_>) -> String {
    format!("DELETE FROM {}", marked_in(dialect, table, epochs))
}

/// Yields the number of marked rows.
pub fn count_marked_in(dialect: Dialect, table: &str, epochs: MarkedIn<'_>) -> String {
    format!("SELECT COUNT(*) FROM {}", marked_in(dialect, table, epochs))
}

fn marked_in(dialect: Dialect, table: &str, epochs: MarkedIn<'_>) -> String {
    let epochs = match epochs {
        MarkedIn::Epochs(epochs) => format!("IN ({})", list(epochs)),
        MarkedIn::Between(first, last) => format!("BETWEEN {first} AND {last}"),
    };
    let [table, deleted_at, changed] =
        [table, DELETED_AT, TableSchema::CHANGED_EPOCH].map(|name| dialect.identifier(name));
    format!("{table} WHERE {deleted_at} IS NOT NULL AND {changed} {epochs}")
}

fn list(epochs: &BTreeSet<Epoch>) -> String {
    let epochs: Vec<String> = epochs.iter().map(Epoch::to_string).collect();
    if epochs.is_empty() { "NULL".into() } else { epochs.join(", ") }
}

/// Parameter: table name. Yields the epoch that made a table of a pipeline.
pub const SELECT_CREATED_EPOCH: &str = "SELECT created_epoch FROM vardelta_tables WHERE table_name = ?";

/// Parameters: pipeline, [`ERASING`]. Yields the number of its events.
pub const COUNT_EVENTS_OF_ACTION: &str = "SELECT COUNT(*) FROM vardelta_events WHERE pipeline = ? AND action = ?";
/// Parameters: another name, pipeline, drop_id.
pub const RENAME_EVENTS: &str = "UPDATE vardelta_events SET name = ? WHERE pipeline = ? AND drop_id = ?";
/// Parameters: another action, another name, pipeline, drop_id, the action.
pub const UPDATE_EVENT_OF_ACTION: &str =
    "UPDATE vardelta_events SET action = ?, name = ? WHERE pipeline = ? AND drop_id = ? AND action = ?";
/// Parameters: pipeline, drop_id, the name it may have, the epoch of its erasure. Yields the number of events before it that
/// have another name.
pub const COUNT_EVENTS_NAMED_OTHERWISE: &str =
    "SELECT COUNT(*) FROM vardelta_events WHERE pipeline = ? AND drop_id = ? AND name <> ? AND epoch < ?";
/// Parameters: pipeline, source, name, the last epoch that is asked about. Yields the number of events.
pub const COUNT_EVENTS_NAMED: &str =
    "SELECT COUNT(*) FROM vardelta_events WHERE pipeline = ? AND source = ? AND name = ? AND epoch <= ?";
/// Parameters: pipeline, drop_id. Yields the number of drops that stand.
pub const COUNT_DROPS: &str = "SELECT COUNT(*) FROM vardelta_drops WHERE pipeline = ? AND drop_id = ?";
/// Parameters: pipeline, drop_id.
pub const DELETE_REJECTS: &str = "DELETE FROM vardelta_rejects WHERE pipeline = ? AND drop_id = ?";
/// Parameters: pipeline, the first and the last epoch. Rows that were rejected after a table say of no drop that they are
/// its.
pub const DELETE_REJECTS_OF_NO_DROP: &str =
    "DELETE FROM vardelta_rejects WHERE pipeline = ? AND drop_id IS NULL AND epoch BETWEEN ? AND ?";
/// Parameters: pipeline, drop_id.
pub const DELETE_WARNINGS: &str = "DELETE FROM vardelta_warnings WHERE pipeline = ? AND drop_id = ?";
/// Parameters: as of [`DELETE_REJECTS_OF_NO_DROP`].
pub const DELETE_WARNINGS_OF_NO_DROP: &str =
    "DELETE FROM vardelta_warnings WHERE pipeline = ? AND drop_id IS NULL AND epoch BETWEEN ? AND ?";
/// Parameters: pipeline, drop_id.
pub const COUNT_WARNINGS: &str = "SELECT COUNT(*) FROM vardelta_warnings WHERE pipeline = ? AND drop_id = ?";
/// Parameters: as of [`DELETE_REJECTS_OF_NO_DROP`].
pub const COUNT_WARNINGS_OF_NO_DROP: &str =
    "SELECT COUNT(*) FROM vardelta_warnings WHERE pipeline = ? AND drop_id IS NULL AND epoch BETWEEN ? AND ?";
/// Parameters: pipeline, drop_id.
pub const COUNT_REJECTS: &str = "SELECT COUNT(*) FROM vardelta_rejects WHERE pipeline = ? AND drop_id = ?";
/// Parameters: as of [`DELETE_REJECTS_OF_NO_DROP`].
pub const COUNT_REJECTS_OF_NO_DROP: &str =
    "SELECT COUNT(*) FROM vardelta_rejects WHERE pipeline = ? AND drop_id IS NULL AND epoch BETWEEN ? AND ?";

/// Parameters: pipeline, source, drop name. Samples that are kept out of the drop are kept out of every drop from then on, so that
/// its name can go and nothing comes back.
pub const WIDEN_MEMBERS: &str =
    "UPDATE vardelta_withdrawn_members SET drop_name = NULL WHERE pipeline = ? AND source = ? AND drop_name = ?";
/// Parameters: as of [`WIDEN_MEMBERS`].
pub const COUNT_MEMBERS: &str =
    "SELECT COUNT(*) FROM vardelta_withdrawn_members WHERE pipeline = ? AND source = ? AND drop_name = ?";

/// Parameters: pipeline, a sample's name. Yields how often the ledger names it among those that are kept out.
pub const COUNT_MEMBERS_NAMED: &str = "SELECT COUNT(*) FROM vardelta_withdrawn_members WHERE pipeline = ? AND name = ?";

/// Parameters: pipeline, source, drop name. A file that could not be loaded, with what was wrong in it.
pub const DELETE_SET_ASIDE: &str = "DELETE FROM vardelta_set_aside WHERE pipeline = ? AND source = ? AND drop_name = ?";
/// Parameters: as of [`DELETE_SET_ASIDE`].
pub const COUNT_SET_ASIDE: &str =
    "SELECT COUNT(*) FROM vardelta_set_aside WHERE pipeline = ? AND source = ? AND drop_name = ?";

/// What only SQLite can do about the bytes of rows that are gone.
pub mod sqlite {
    use crate::sql::Dialect;

    /// What is deleted is overwritten with zeros, for the rest of the connection.
    pub const SECURE_DELETE: &str = "PRAGMA secure_delete = ON";
    /// What does not fit into memory goes into a temporary file: a copy of the database is to be expected.
    pub const TEMPORARY_FILES: &str = "PRAGMA temp_store = FILE";
    /// Rewrites the whole file, without pages that are not in use.
    pub const VACUUM: &str = "VACUUM";
    /// Copies the write-ahead log into the file and empties it. Yields 1 where other connections kept it from that.
    pub const TRUNCATE_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
    /// Yields the tables of the database with their columns.
    pub const SELECT_ALL_COLUMNS: &str = "SELECT t.name, c.name FROM pragma_table_list AS t, \
        pragma_table_xinfo(t.name) AS c WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name, c.cid";

    /// Parameter: a text. Yields whether some value of the table holds it.
    pub fn holds(table: &str, columns: &[String]) -> String {
        let name = |name: &str| Dialect::Sqlite.identifier(name);
        let terms: Vec<String> = columns.iter().map(|column| format!("instr({}, ?1) > 0", name(column))).collect();
        format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {})", name(table), terms.join(" OR "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, ColumnType, Schema, history::history_table};

    fn history(key: Vec<usize>) -> TableSchema {
        let columns = vec![Column::nullable("gene", ColumnType::Text), Column::required("n", ColumnType::Int64)];
        history_table(&TableSchema { name: "t".into(), schema: Schema::new(columns), key })
    }

    #[test]
    fn the_rows_of_a_key_go_in_every_dialect() {
        let table = history(vec![0]);
        let epochs = BTreeSet::from([3, 7].map(Epoch::new));
        assert_eq!(
            HistoryErasure::new(Dialect::Sqlite, &table).delete_changed_in(&epochs, Epoch::new(2)),
            "DELETE FROM \"t_history\" AS h WHERE h.\"epoch\" >= 2 AND EXISTS (SELECT 1 FROM \"t_history\" AS d WHERE \
             d.\"gene\" IS h.\"gene\" AND (d.\"epoch\" IN (3, 7)))"
        );
        assert_eq!(
            HistoryErasure::new(Dialect::MariaDb, &table).delete_changed_in(&epochs, Epoch::new(2)),
            "DELETE h FROM `t_history` AS h JOIN (SELECT DISTINCT d.`gene` FROM `t_history` AS d WHERE d.`epoch` IN (3, \
             7)) AS d ON d.`gene` <=> h.`gene` WHERE h.`epoch` >= 2"
        );
    }

    #[test]
    fn marked_rows_go_by_the_epoch_that_marked_them() {
        assert_eq!(
            delete_marked_in(Dialect::MySql, "t", MarkedIn::Epochs(&BTreeSet::from([Epoch::new(3)]))),
            "DELETE FROM `t` WHERE `deleted_at` IS NOT NULL AND `changed_epoch` IN (3)"
        );
        assert_eq!(
            count_marked_in(Dialect::Sqlite, "t", MarkedIn::Between(Epoch::new(3), Epoch::new(9))),
            "SELECT COUNT(*) FROM \"t\" WHERE \"deleted_at\" IS NOT NULL AND \"changed_epoch\" BETWEEN 3 AND 9"
        );
    }

    #[test]
    fn a_value_is_looked_for_in_every_column_of_texts() {
        let (query, parameters) = has_value(Dialect::MySql, &history(vec![0])).expect("it has texts");
        assert!(query.starts_with("SELECT EXISTS (SELECT 1 FROM `t_history` WHERE ") && query.contains("`gene` = ?"));
        assert!(!query.contains("`n`") && query.matches('?').count() == parameters, "{query}");
        let numbers = Schema::new(vec![Column::required("n", ColumnType::Int64)]);
        assert_eq!(has_value(Dialect::Sqlite, &TableSchema { name: "t".into(), schema: numbers, key: vec![0] }), None);
    }

    #[test]
    fn a_table_of_one_row_has_one_key() {
        let table = history(vec![]);
        assert_eq!(
            HistoryErasure::new(Dialect::MySql, &table)
                .delete_changed_in(&BTreeSet::from([Epoch::new(3)]), Epoch::new(3)),
            "DELETE h FROM `t_history` AS h JOIN (SELECT DISTINCT 1 AS one FROM `t_history` AS d WHERE d.`epoch` IN (3)) \
             AS d ON d.one = 1 WHERE h.`epoch` >= 3"
        );
        assert!(HistoryErasure::new(Dialect::Sqlite, &table).delete_of_unknown_origin(Epoch::new(4), Epoch::new(3)).ends_with(
            "WHERE (d.\"epoch\" >= 4 AND d.\"operation\" <> 'insert' AND NOT EXISTS (SELECT 1 FROM \"t_history\" AS \
                 e WHERE e.\"epoch\" >= 4 AND e.\"epoch\" < d.\"epoch\")))"
        ));
    }
}
