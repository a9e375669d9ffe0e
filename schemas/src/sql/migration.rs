//! From the table that an earlier definition made to the planned one, column by column, and the statements of each step.
//!
//! A migration first *expands*: what it adds allows NULL, and what the plan no longer has stays and allows NULL, so that
//! loads of the earlier and of the later definition both find their columns. Only then, and only when asked, it *contracts*.

use super::{
    Dialect,
    constraint::Constraint,
    form::{ColumnForm, TableForm},
    mysql::{
        partition::{Partition, Partitioning},
        table::declare,
    },
    sqlite::constraint_line,
    unique::Unique,
};

/// One step of a table's migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A column gets another name and keeps its values.
    RenameColumn {
        /// The name in the database.
        from: String,
        /// The planned name.
        to: String,
    },
    /// A column is added; it allows NULL.
    AddColumn(ColumnForm),
    /// A column, as it is to be, allows NULL.
    AllowNull(ColumnForm),
    /// A text column, as it is to be, holds another number of characters.
    ResizeText(ColumnForm),
    /// An index over whole columns is built.
    AddIndex {
        /// The index's name.
        name: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// A unique index is built.
    AddUnique(Unique),
    /// An index gets another name.
    RenameIndex {
        /// The name in the database.
        from: String,
        /// The name of its columns.
        to: String,
    },
    /// An index goes.
    DropIndex(String),
    /// A column that the plan does not have goes, with its values.
    DropColumn(String),
    /// A column, as it is to be, forbids NULL.
    ForbidNull(ColumnForm),
    /// The rows of all partitions come together.
    RemovePartitioning,
    /// The rows are repartitioned.
    PartitionBy(Partitioning),
    /// Partitions are added for values that no row has yet.
    AddPartitions(Vec<Partition>),
}

/// The steps of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableChanges {
    /// What loads of the planned definition need.
    pub expand: Vec<Change>,
    /// What makes the table exactly the planned one.
    pub contract: Vec<Change>,
    /// The columns in which the table is laxer than the plan once it is expanded.
    pub lax: Vec<String>,
    /// The table's columns once it is expanded.
    pub expanded: Vec<ColumnForm>,
}

impl TableChanges {
    /// The steps from a table as it was found to the planned one. `renames` are pairs of the found and the planned name.
    ///
    /// # Errors
    /// Why the table can only be rebuilt, in words.
    pub fn between(
        found: &TableForm,
        planned: &TableForm,
        renames: &[(String, String)],
    ) -> Result<TableChanges, String> {
        let mut changes = TableChanges { expanded: found.columns.clone(), ..TableChanges::default() };
        if found.kind != planned.kind {
            return Err(format!("it is {}, and should be {}", found.kind, planned.kind));
        }
        let partitions = Partitions::between(found, planned, renames);
        changes.expand.extend(partitions.first);
        for (from, to) in renames {
            changes.rename(from, to, planned)?;
        }
        for column in &planned.columns {
            changes.bring(column)?;
        }
        for at in 0..changes.expanded.len() {
            let column = changes.expanded[at].clone();
            if planned.columns.iter().any(|planned| planned.name == column.name) {
                continue;
            }
            if column.key_place > 0 {
                return Err(format!("column `{}` of its key is no longer part of it", column.name));
            }
            if column.not_null {
                changes.expanded[at].not_null = false;
                changes.expand.push(Change::AllowNull(changes.expanded[at].clone()));
            }
            changes.lax.push(column.name.clone());
            changes.contract.push(Change::DropColumn(column.name));
        }
        changes.expand.extend(partitions.last);
        Ok(changes)
    }

    fn rename(&mut self, from: &str, to: &str, planned: &TableForm) -> Result<(), String> {
        let place = |columns: &[ColumnForm], name: &str| columns.iter().position(|column| column.name == name);
        if place(&planned.columns, to).is_none() {
            return Err(format!("the pipeline has no column `{to}` that `{from}` could become"));
        }
        match (place(&self.expanded, from), place(&self.expanded, to)) {
            (Some(at), None) => {
                to.clone_into(&mut self.expanded[at].name);
                self.expand.push(Change::RenameColumn { from: from.to_owned(), to: to.to_owned() });
                Ok(())
            }
            // It was renamed by a migration that was then cut short.
            (None, Some(_)) => Ok(()),
            (Some(_), Some(_)) => Err(format!("it has a column `{to}` already, so `{from}` cannot become it")),
            (None, None) => Err(format!("it has no column `{from}`")),
        }
    }

    /// Brings one column to the planned one.
    fn bring(&mut self, planned: &ColumnForm) -> Result<(), String> {
        let name = &planned.name;
        let Some(at) = self.expanded.iter().position(|found| found.name == *name) else {
            if let Some(twin) = self.expanded.iter().find(|found| found.name.eq_ignore_ascii_case(name)) {
                return Err(format!(
                    "its column `{}` differs from `{name}` by case only: name it with --rename",
                    twin.name
                ));
            }
            if planned.key_place > 0 {
                return Err(format!("column `{name}` of its key is new"));
            }
            let added = ColumnForm { not_null: false, ..planned.clone() };
            self.expand.push(Change::AddColumn(added.clone()));
            self.expanded.push(added);
            // Until the new definition is in force, loads of the old one meet a column that they do not know.
            self.lax.push(name.clone());
            if planned.not_null {
                self.contract.push(Change::ForbidNull(planned.clone()));
            }
            return Ok(());
        };
        let found = self.expanded[at].clone();
        if found.key_place != planned.key_place {
            return Err(format!("column `{name}` has another place in its key"));
        }
        if found.declared_type != planned.declared_type {
            if found.key_place > 0 || !is_resized_text(&found.declared_type, &planned.declared_type) {
                return Err(format!(
                    "column `{name}` is {}, and the pipeline says {}",
                    found.describe(),
                    planned.describe()
                ));
            }
            self.expanded[at].declared_type.clone_from(&planned.declared_type);
            self.expand.push(Change::ResizeText(self.expanded[at].clone()));
        }
        match (found.not_null, planned.not_null) {
            (true, false) => {
                self.expanded[at].not_null = false;
                self.expand.push(Change::AllowNull(self.expanded[at].clone()));
                // Loads of the old definition say NOT NULL still.
                self.lax.push(name.clone());
            }
            (false, true) => {
                self.lax.push(name.clone());
                self.contract.push(Change::ForbidNull(planned.clone()));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The steps by which a table's partitions become the planned ones.
#[derive(Default)]
struct Partitions {
    /// Before columns change: MySQL renames no column that decides about partitions.
    first: Option<Change>,
    /// After that.
    last: Option<Change>,
}

impl Partitions {
    fn between(found: &TableForm, planned: &TableForm, renames: &[(String, String)]) -> Partitions {
        let (found, planned) = (found.partitioning.as_ref(), planned.partitioning.as_ref());
        if Partitioning::difference(found, planned).is_none() {
            return Partitions::default();
        }
        let Some(planned) = planned else {
            return Partitions { first: Some(Change::RemovePartitioning), last: None };
        };
        let is_renamed = |by: &&Partitioning| renames.iter().any(|(from, _)| *from == by.column);
        let added = found.and_then(|found| found.missing(planned));
        let last = added.map_or_else(|| Change::PartitionBy(planned.clone()), Change::AddPartitions);
        Partitions { first: found.filter(is_renamed).map(|_| Change::RemovePartitioning), last: Some(last) }
    }
}

/// Whether two types of MySQL or MariaDB are both text of one collation.
fn is_resized_text(found: &str, planned: &str) -> bool {
    let is_text = |declared: &str| declared.starts_with("varchar(") || declared.starts_with("longtext ");
    let collation = |declared: &str| declared.split_once(" COLLATE ").map(|(_, collation)| collation.to_owned());
    is_text(found) && is_text(planned) && collation(found) == collation(planned)
}

/// How MySQL and MariaDB may carry a step out, cheapest first: as its documentation calls it.
pub fn algorithms(dialect: Dialect, change: &Change) -> &'static [&'static str] {
    match dialect {
        // MariaDB permits any algorithm here, and copies all the same.
        _ if matches!(change, Change::RemovePartitioning | Change::PartitionBy(_)) => &["COPY"],
        Dialect::MariaDb => &["INSTANT", "NOCOPY", "INPLACE", "COPY"],
        Dialect::MySql | Dialect::Sqlite => &["INSTANT", "INPLACE", "COPY"],
    }
}

/// One step on MySQL or MariaDB, by an algorithm; the server refuses a cheaper one than it has.
pub fn alter(dialect: Dialect, table: &str, change: &Change, algorithm: &str) -> String {
    let quoted = |name: &str| dialect.identifier(name);
    let declared = |column: &ColumnForm| {
        let null = if column.not_null { "NOT NULL" } else { "NULL" };
        format!("{} {} {null}", quoted(&column.name), declare(&column.declared_type))
    };
    let clause = match change {
        Change::RenameColumn { from, to } => format!("RENAME COLUMN {} TO {}", quoted(from), quoted(to)),
        Change::AddColumn(column) => format!("ADD COLUMN {}", declared(column)),
        Change::AllowNull(column) | Change::ResizeText(column) | Change::ForbidNull(column) => {
            format!("MODIFY COLUMN {}", declared(column))
        }
        Change::AddIndex { name, columns } => {
            let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
            format!("ADD INDEX {} ({})", quoted(name), columns.join(", "))
        }
        Change::AddUnique(unique) => format!("ADD {}", unique.line(dialect)),
        Change::RenameIndex { from, to } => format!("RENAME INDEX {} TO {}", quoted(from), quoted(to)),
        Change::DropIndex(name) => format!("DROP INDEX {}", quoted(name)),
        Change::DropColumn(name) => format!("DROP COLUMN {}", quoted(name)),
        // What is about partitions comes last.
        Change::RemovePartitioning => {
            return format!("ALTER TABLE {} ALGORITHM={algorithm} REMOVE PARTITIONING", quoted(table));
        }
        Change::PartitionBy(by) => {
            return format!("ALTER TABLE {} ALGORITHM={algorithm} {}", quoted(table), by.clause(dialect));
        }
        Change::AddPartitions(added) => {
            let added: Vec<String> = added.iter().map(|partition| partition.listed(dialect)).collect();
            return format!(
                "ALTER TABLE {} ALGORITHM={algorithm}, ADD PARTITION ({})",
                quoted(table),
                added.join(", ")
            );
        }
    };
    format!("ALTER TABLE {} {clause}, ALGORITHM={algorithm}", quoted(table))
}

/// An empty table with the columns and indexes of another, to ask the server what it would do.
pub fn create_like(dialect: Dialect, name: &str, like: &str) -> String {
    format!("CREATE TABLE {} LIKE {}", dialect.identifier(name), dialect.identifier(like))
}

/// One step on SQLite; `None` where it has no statement for it and the table must be copied ([`sqlite_copy`]).
pub fn sqlite_alter(table: &str, change: &Change) -> Option<String> {
    let quoted = |name: &str| Dialect::Sqlite.identifier(name);
    let clause = match change {
        Change::RenameColumn { from, to } => format!("RENAME COLUMN {} TO {}", quoted(from), quoted(to)),
        Change::AddColumn(column) => format!("ADD COLUMN {} {}", quoted(&column.name), column.declared_type),
        Change::DropColumn(name) => format!("DROP COLUMN {}", quoted(name)),
        _ => return None,
    };
    Some(format!("ALTER TABLE {} {clause}", quoted(table)))
}

/// The name that a table's copy has until it takes the table's place.
const COPY: &str = "vardelta_copy";

/// Copies a SQLite table into one with these columns, under the same name. `key` names the key's columns. What users added
/// to the table goes with it, and so do constraints other than these.
pub fn sqlite_copy(table: &str, columns: &[ColumnForm], key: &[&str], constraints: &[&Constraint]) -> Vec<String> {
    let quoted = |name: &str| Dialect::Sqlite.identifier(name);
    let list = |names: &mut dyn Iterator<Item = &str>| names.map(&quoted).collect::<Vec<_>>().join(", ");
    let mut lines: Vec<String> = columns
        .iter()
        .map(|column| {
            let not_null = if column.not_null { " NOT NULL" } else { "" };
            format!("{} {}{not_null}", quoted(&column.name), column.declared_type)
        })
        .collect();
    let has_primary_key = columns.iter().any(|column| column.key_place > 0);
    if !key.is_empty() {
        let word = if has_primary_key { "PRIMARY KEY" } else { "UNIQUE" };
        lines.push(format!("{word} ({})", list(&mut key.iter().copied())));
    }
    lines.extend(constraints.iter().map(|constraint| constraint_line(constraint)));
    let form = if has_primary_key { "STRICT, WITHOUT ROWID" } else { "STRICT" };
    let names = list(&mut columns.iter().map(|column| column.name.as_str()));
    vec![
        format!("CREATE TABLE {COPY} (\n  {}\n) {form}", lines.join(",\n  ")),
        format!("INSERT INTO {COPY} ({names}) SELECT {names} FROM {}", quoted(table)),
        format!("DROP TABLE {}", quoted(table)),
        format!("ALTER TABLE {COPY} RENAME TO {}", quoted(table)),
    ]
}

/// Lets SQLite rename a table without looking at the views that name it, and back. Outside of transactions too.
pub const SQLITE_RENAME_ALONE: [&str; 2] = ["PRAGMA legacy_alter_table = ON", "PRAGMA legacy_alter_table = OFF"];

/// Parameter: a table. Yields the columns in which it may be laxer than its pipeline.
pub const SELECT_LAX: &str = "SELECT column_name FROM vardelta_columns WHERE table_name = ? ORDER BY column_name";
/// Parameters: table, column.
pub const INSERT_LAX: &str = "INSERT INTO vardelta_columns (table_name, column_name) VALUES (?, ?)";
/// [`INSERT_LAX`] with its values, to be shown.
pub fn insert_lax(dialect: Dialect, table: &str, column: &str) -> String {
    let values = [table, column].map(|value| dialect.text(value));
    values.iter().fold(INSERT_LAX.to_owned(), |statement, value| statement.replacen('?', value, 1))
}

/// Parameter: a table.
pub const DELETE_LAX: &str = "DELETE FROM vardelta_columns WHERE table_name = ?";

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, declared_type: &str, not_null: bool, key_place: u32) -> ColumnForm {
        ColumnForm { name: name.into(), declared_type: declared_type.into(), not_null, key_place }
    }

    fn form(columns: Vec<ColumnForm>) -> TableForm {
        TableForm { kind: "k".into(), columns, partitioning: None }
    }

    fn found() -> TableForm {
        form(vec![column("id", "bigint", true, 1), column("a", "bigint", true, 0), column("b", "double", false, 0)])
    }

    #[test]
    fn columns_come_go_and_change_their_names() {
        let planned =
            form(vec![column("id", "bigint", true, 1), column("c", "double", true, 0), column("d", "bigint", true, 0)]);
        let renames = [("b".to_owned(), "c".to_owned())];
        let changes = TableChanges::between(&found(), &planned, &renames).unwrap_or_default();
        let loose = column("a", "bigint", false, 0);
        assert_eq!(
            changes.expand,
            [
                Change::RenameColumn { from: "b".into(), to: "c".into() },
                Change::AddColumn(column("d", "bigint", false, 0)),
                Change::AllowNull(loose),
            ]
        );
        assert_eq!(
            changes.contract,
            [
                Change::ForbidNull(column("c", "double", true, 0)),
                Change::ForbidNull(column("d", "bigint", true, 0)),
                Change::DropColumn("a".into()),
            ]
        );
        assert_eq!(changes.lax, ["c", "d", "a"]);
        // What was expanded is not expanded again, and passes for the plan.
        let expanded = form(changes.expanded);
        let again = TableChanges::between(&expanded, &planned, &renames).unwrap_or_default();
        assert_eq!((again.expand, again.contract), (Vec::new(), changes.contract));
        assert_eq!(expanded.difference(&planned, &changes.lax), None);
        assert!(expanded.difference(&planned, &[]).is_some());
    }

    #[test]
    fn what_only_a_rebuild_can_do_is_said() {
        let cases = [
            (vec![column("id", "bigint", true, 1), column("a", "double", true, 0)], vec![], "column `a` is bigint"),
            (vec![column("a", "bigint", true, 1)], vec![], "`a` has another place in its key"),
            (vec![column("key", "bigint", true, 1)], vec![], "`key` of its key is new"),
            (vec![column("A", "bigint", true, 0)], vec![], "by case only"),
            (vec![column("id", "bigint", true, 1), column("z", "bigint", true, 0)], vec![("x", "z")], "no column `x`"),
            (vec![column("id", "bigint", true, 1)], vec![("x", "y")], "no column `y`"),
            (vec![column("id", "bigint", true, 1), column("a", "bigint", true, 0)], vec![("b", "a")], "`a` already"),
        ];
        for (planned, renames, expected) in cases {
            let renames: Vec<(String, String)> =
                renames.into_iter().map(|(from, to): (&str, &str)| (from.into(), to.into())).collect();
            let why = TableChanges::between(&found(), &form(planned), &renames).err().unwrap_or_default();
            if !why.contains(expected) {
                assert_eq!(why, expected);
            }
        }
    }

    #[test]
    fn text_may_be_resized() {
        let text = |declared: &str| form(vec![column("t", declared, false, 0)]);
        let (long, bounded) = ("longtext COLLATE utf8mb4_nopad_bin", "varchar(255) COLLATE utf8mb4_nopad_bin");
        let changes = TableChanges::between(&text(long), &text(bounded), &[]).unwrap_or_default();
        assert_eq!(
            alter(Dialect::MariaDb, "t", &changes.expand[0], "COPY"),
            "ALTER TABLE `t` MODIFY COLUMN `t` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL, \
             ALGORITHM=COPY"
        );
        let other = text("varchar(255) COLLATE utf8mb4_general_ci");
        assert!(TableChanges::between(&other, &text(bounded), &[]).is_err());
    }

    #[test]
    fn partitions_are_brought_to_the_plan() {
        let list = |values: &[&str]| -> Vec<Partition> {
            values.iter().map(|value| Partition { name: (*value).into(), values: vec![(*value).into()] }).collect()
        };
        let by = |column: &str, values: &[&str]| {
            let partitioning = Some(Partitioning::by(Dialect::MySql, column, &list(values)));
            TableForm { partitioning, ..form(vec![column_of_key(column)]) }
        };
        let expand = |found: &TableForm, planned: &TableForm, renames: &[(&str, &str)]| {
            let renames: Vec<_> = renames.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect();
            let changes = TableChanges::between(found, planned, &renames).unwrap_or_default().expand;
            changes.iter().map(|change| alter(Dialect::MySql, "t", change, "COPY")).collect::<Vec<_>>()
        };
        let plain = form(vec![column_of_key("c")]);
        let clause = "PARTITION BY LIST COLUMNS (`c`) (\n  PARTITION `1` VALUES IN ('1')\n)";
        assert_eq!(expand(&plain, &by("c", &["1"]), &[]), [format!("ALTER TABLE `t` ALGORITHM=COPY {clause}")]);
        let removed = "ALTER TABLE `t` ALGORITHM=COPY REMOVE PARTITIONING".to_owned();
        assert_eq!(expand(&by("c", &["1"]), &plain, &[]), std::slice::from_ref(&removed));
        let added = "ALTER TABLE `t` ALGORITHM=COPY, ADD PARTITION (PARTITION `2` VALUES IN ('2'))";
        assert_eq!(expand(&by("c", &["1"]), &by("c", &["1", "2"]), &[]), [added]);
        assert_eq!(expand(&by("c", &["1", "2"]), &by("c", &["1"]), &[]).len(), 1);
        // Where the column gets another name the rows are put together first.
        let renamed = expand(&by("b", &["1"]), &by("c", &["1"]), &[("b", "c")]);
        assert_eq!((renamed.len(), &renamed[0], renamed[2].contains(clause)), (3, &removed, true));
        assert_eq!(expand(&by("c", &["1"]), &by("c", &["1"]), &[]), [""; 0]);
    }

    fn column_of_key(name: &str) -> ColumnForm {
        column(name, "varchar(9)", true, 1)
    }

    #[test]
    fn a_statement_is_shown_with_its_values() {
        assert_eq!(
            insert_lax(Dialect::Sqlite, "t", "it's"),
            "INSERT INTO vardelta_columns (table_name, column_name) VALUES ('t', 'it''s')"
        );
    }

    #[test]
    fn a_copy_in_sqlite() {
        let columns = [column("g", "TEXT", false, 0), column("n", "INTEGER", true, 0)];
        assert_eq!(
            sqlite_copy("t", &columns, &["g"], &[])[0],
            "CREATE TABLE vardelta_copy (\n  \"g\" TEXT,\n  \"n\" INTEGER NOT NULL,\n  UNIQUE (\"g\")\n) STRICT"
        );
    }
}
