//! The statements of one sink table in MySQL and MariaDB.

mod gone;

use super::layout::{KEY_HASH, TableLayout};
use crate::{
    TableSchema,
    sql::{
        Dialect,
        marks::{self, DELETED_AT, Marks},
    },
};

/// The name of the new row in an upsert. It is no table's.
const NEW_ROW: &str = "vardelta_new";

/// Writes the statements of one sink table.
///
/// A row is sent as [`MySqlTable::row`] says: the table's columns, then `key_hash` where there is one, then
/// `changed_epoch`. Where rows may be marked, every statement but the inserting ones means live rows.
#[derive(Clone, Copy, Debug)]
pub struct MySqlTable<'a> {
    table: &'a TableSchema,
    layout: &'a TableLayout,
    /// The name it is filled under: its own, or that of the table that is to take its place.
    name: &'a str,
}

/// One value of a row that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowValue {
    /// The row's value of this column: an index into the table's columns.
    Column(usize),
    /// SHA-256 of the row's text in this column, as the server's SHA2 writes it.
    Digest(usize),
    /// The hash of the row's key.
    KeyHash,
    /// The epoch that changes the row.
    Epoch,
}

impl<'a> MySqlTable<'a> {
    /// A table under its own name.
    pub fn new(table: &'a TableSchema, layout: &'a TableLayout) -> MySqlTable<'a> {
        MySqlTable { table, layout, name: &table.name }
    }

    /// The same table under another name.
    pub fn named(self, name: &'a str) -> MySqlTable<'a> {
        MySqlTable { name, ..self }
    }

    /// The name it is filled under.
    pub fn name(&self) -> &'a str {
        self.name
    }

    fn dialect(&self) -> Dialect {
        self.layout.dialect
    }

    fn quoted(&self, name: &str) -> String {
        self.dialect().identifier(name)
    }

    fn column(&self, index: usize) -> String {
        self.quoted(&self.table.schema.columns()[index].name)
    }

    /// What is sent of a row, in order.
    pub fn row(&self) -> Vec<RowValue> {
        let mut row: Vec<RowValue> = (0..self.table.schema.columns().len()).map(RowValue::Column).collect();
        row.extend(self.layout.has_hash.then_some(RowValue::KeyHash));
        row.push(RowValue::Epoch);
        row
    }

    fn row_columns(&self) -> Vec<String> {
        let name = |value| match value {
            RowValue::Column(index) => self.column(index),
            RowValue::KeyHash => self.quoted(KEY_HASH),
            RowValue::Epoch => self.quoted(TableSchema::CHANGED_EPOCH),
            RowValue::Digest(_) => unreachable!("a row has values, no digests"),
        };
        self.row().into_iter().map(name).collect()
    }

    /// What is bound to find a row by its key, in order.
    pub fn key(&self) -> Vec<RowValue> {
        let columns = self.table.key.iter().copied().map(RowValue::Column);
        columns.chain(self.layout.has_hash.then_some(RowValue::KeyHash)).collect()
    }

    /// What is bound to find a row by its key where the key's texts are larger than the server takes: their digests.
    pub fn key_by_digest(&self) -> Vec<RowValue> {
        let bounded = |index: &usize| self.layout.primary_key.contains(index);
        let is_text = |index: usize| self.table.schema.columns()[index].column_type == crate::ColumnType::Text;
        let value = |value| match value {
            RowValue::Column(index) if is_text(index) && !bounded(&index) => RowValue::Digest(index),
            other => other,
        };
        self.key().into_iter().map(value).collect()
    }

    /// The primary key's columns, in order.
    fn primary_key(&self) -> Vec<String> {
        let mut names: Vec<String> = self.layout.primary_key.iter().map(|index| self.column(*index)).collect();
        names.extend(self.layout.has_hash.then(|| self.quoted(KEY_HASH)));
        names
    }

    /// Makes the table.
    pub fn create(&self) -> String {
        let mut lines = Vec::new();
        for (index, column) in self.table.schema.columns().iter().enumerate() {
            let null = if column.nullable { "NULL" } else { "NOT NULL" };
            lines.push(format!(
                "{} {} {null}",
                self.column(index),
                declare(&self.layout.declared_type(self.table, index))
            ));
        }
        if self.layout.has_hash {
            lines.push(format!("{} {} NOT NULL", self.quoted(KEY_HASH), declare(TableLayout::HASH_TYPE)));
        }
        lines.push(format!("{} bigint NOT NULL", self.quoted(TableSchema::CHANGED_EPOCH)));
        if self.layout.marks == Marks::Kept {
            lines.push(format!("{} {} NULL", self.quoted(DELETED_AT), marks::SERVER_TYPE));
        }
        lines.push(format!("PRIMARY KEY ({})", self.primary_key().join(", ")));
        lines.extend(self.layout.unique.iter().map(|unique| unique.line(self.dialect())));
        lines.extend(
            self.layout.constraints.iter().map(|constraint| constraint.line(self.dialect(), self.layout.letter)),
        );
        let partitions = self.layout.partitioning.as_ref();
        let partitions = partitions.map(|by| format!("\n{}", by.clause(self.dialect()))).unwrap_or_default();
        format!(
            "CREATE TABLE {} (\n  {}\n) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4{partitions}",
            self.quoted(self.name),
            lines.join(",\n  ")
        )
    }

    /// Inserts the rows of a text: values apart by tabs, rows by newlines, `\N` for NULL, and `\\`, `\t`, `\n`, `\0` for
    /// what would be mistaken. `REPLACE` is the strict form: without it LOCAL makes warnings of errors. A row that was
    /// there already counts as deleted.
    pub fn load_data(&self) -> String {
        self.load_data_into(&self.quoted(self.name), &self.row_columns())
    }

    fn load_data_into(&self, name: &str, columns: &[String]) -> String {
        format!(
            "LOAD DATA LOCAL INFILE 'vardelta' REPLACE INTO TABLE {name} CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' \
             ENCLOSED BY '' ESCAPED BY '\\\\' LINES STARTING BY '' TERMINATED BY '\\n' ({})",
            columns.join(", ")
        )
    }

    /// Inserts this many rows. Fails when one is there already.
    pub fn insert(&self, rows: usize) -> String {
        let columns = self.row_columns();
        let values = format!("({})", vec!["?"; columns.len()].join(", "));
        format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.quoted(self.name),
            columns.join(", "),
            vec![values.as_str(); rows].join(", ")
        )
    }

    /// Sets all columns of this many rows that are there. Every row that changes counts twice. A row that is not there is
    /// inserted and counts once; one whose hash is another key's, or that is marked, fails, because `changed_epoch` is never
    /// NULL.
    pub fn update(&self, rows: usize) -> String {
        let others = self.table.key.iter().filter(|index| !self.layout.primary_key.contains(index));
        let mut must = self.same(others.copied());
        must.extend(self.live());
        let mut terms = self.assignments();
        terms.push(self.epoch_if(&must));
        self.upsert(rows, &terms)
    }

    /// Inserts this many rows, those in the place of marked ones that are live then. The first count once, the others twice.
    /// A row that is there and is not marked, or has another key, fails, because `changed_epoch` is never NULL.
    pub fn revive(&self, rows: usize) -> String {
        let deleted_at = self.quoted(DELETED_AT);
        let mut must = vec![format!("{}.{deleted_at} IS NOT NULL", self.quoted(self.name))];
        // All of the key: an index that somebody added may lead to a row of another one.
        must.extend(self.same(self.table.key.iter().copied()));
        // Assignments happen in order, and the condition is about the row as it was.
        let mut terms = vec![self.epoch_if(&must)];
        terms.extend(self.assignments());
        terms.push(format!("{deleted_at} = NULL"));
        self.upsert(rows, &terms)
    }

    fn upsert(&self, rows: usize, terms: &[String]) -> String {
        let alias = if self.dialect() == Dialect::MariaDb { String::new() } else { format!(" AS {NEW_ROW}") };
        format!("{}{alias} ON DUPLICATE KEY UPDATE {}", self.insert(rows), terms.join(", "))
    }

    /// The new row's value of a column, in an upsert.
    fn new_value(&self, column: &str) -> String {
        match self.dialect() {
            Dialect::MariaDb => format!("VALUES({column})"),
            Dialect::MySql | Dialect::Sqlite => format!("{NEW_ROW}.{column}"),
        }
    }

    /// The assignments of an upsert to the columns outside the key.
    fn assignments(&self) -> Vec<String> {
        let others = (0..self.table.schema.columns().len()).filter(|index| !self.table.key.contains(index));
        others.map(|index| self.column(index)).map(|column| format!("{column} = {}", self.new_value(&column))).collect()
    }

    /// Conditions that these columns of the row that is there are those of the new one.
    fn same(&self, columns: impl Iterator<Item = usize>) -> Vec<String> {
        let name = self.quoted(self.name);
        columns
            .map(|index| self.column(index))
            .map(|column| format!("{name}.{column} <=> {}", self.new_value(&column)))
            .collect()
    }

    /// The assignment to `changed_epoch`, which fails unless all of these hold.
    fn epoch_if(&self, must: &[String]) -> String {
        let epoch = self.quoted(TableSchema::CHANGED_EPOCH);
        match must.is_empty() {
            true => format!("{epoch} = {}", self.new_value(&epoch)),
            false => format!("{epoch} = IF({}, {}, NULL)", must.join(" AND "), self.new_value(&epoch)),
        }
    }

    /// The condition that a row lives, where rows may be marked.
    fn live(&self) -> Option<String> {
        let deleted_at = self.quoted(DELETED_AT);
        self.layout.marks.may_be_there().then(|| format!("{}.{deleted_at} IS NULL", self.quoted(self.name)))
    }

    /// A condition, for live rows alone.
    fn and_live(&self, condition: &str) -> String {
        match self.live() {
            Some(live) => format!("{live} AND ({condition})"),
            None => condition.to_owned(),
        }
    }

    /// Deletes this many rows, or marks them, by their keys. Where [`MySqlTable::is_marking`], the
    /// epoch and its time are bound before the keys.
    pub fn delete(&self, rows: usize) -> String {
        let by_key = format!("({})", self.by_key());
        self.delete_where(&vec![by_key.as_str(); rows].join(" OR "))
    }

    /// The same for one row whose key is bound as [`MySqlTable::key_by_digest`] says.
    pub fn delete_by_digest(&self) -> String {
        self.delete_where(&format!("({})", self.by(&self.key_by_digest())))
    }

    fn delete_where(&self, condition: &str) -> String {
        let condition = self.and_live(condition);
        let name = self.quoted(self.name);
        // MariaDB's optimiser weighs every key against every index that begins with one of the key's columns, in a time
        // that grows with the square of the keys; MySQL's is the slower for a hint.
        let hint = if self.dialect() == Dialect::MariaDb { " FORCE INDEX (PRIMARY)" } else { "" };
        match (self.is_marking(), hint) {
            (true, _) => format!("UPDATE {name}{hint} SET {} WHERE {condition}", self.mark()),
            (false, "") => format!("DELETE FROM {name} WHERE {condition}"),
            // Only the form for many tables takes a hint.
            (false, _) => format!("DELETE {name} FROM {name}{hint} WHERE {condition}"),
        }
    }

    /// The assignments that mark a row; the epoch and its time are bound.
    fn mark(&self) -> String {
        let name = self.quoted(self.name);
        let columns = [TableSchema::CHANGED_EPOCH, DELETED_AT].map(|column| self.quoted(column));
        columns.map(|column| format!("{name}.{column} = ?")).join(", ")
    }

    /// Whether rows that go are marked.
    pub fn is_marking(&self) -> bool {
        self.layout.marks == Marks::Kept
    }

    /// Yields 1 for a row that is there, by its key.
    pub fn exists(&self) -> String {
        format!("SELECT 1 FROM {} WHERE {}", self.quoted(self.name), self.and_live(&self.by_key()))
    }

    /// Yields 1 for a row that has a key's place, whosever it is; parameters as in [`MySqlTable::place`].
    pub fn place_taken(&self) -> String {
        let terms: Vec<String> = self.primary_key().iter().map(|column| format!("{column} = ?")).collect();
        format!("SELECT 1 FROM {} WHERE {}", self.quoted(self.name), self.and_live(&terms.join(" AND ")))
    }

    /// The primary key's values, in order.
    pub fn place(&self) -> Vec<RowValue> {
        let columns = self.layout.primary_key.iter().copied().map(RowValue::Column);
        columns.chain(self.layout.has_hash.then_some(RowValue::KeyHash)).collect()
    }

    fn by_key(&self) -> String {
        self.by(&self.key())
    }

    fn by(&self, key: &[RowValue]) -> String {
        let equals = |index: usize| if self.table.schema.columns()[index].nullable { "<=>" } else { "=" };
        let term = |value: &RowValue| match *value {
            RowValue::Column(index) => format!("{} {} ?", self.column(index), equals(index)),
            // Over the bytes as they are kept, so that case and collation do not matter.
            RowValue::Digest(index) => format!("SHA2({}, 256) {} ?", self.column(index), equals(index)),
            RowValue::KeyHash => format!("{} = ?", self.quoted(KEY_HASH)),
            RowValue::Epoch => unreachable!("no key has the epoch"),
        };
        let terms: Vec<String> = key.iter().map(term).collect();
        terms.join(" AND ")
    }

    /// Reads the columns of every row, in order, without `key_hash` and `changed_epoch`.
    pub fn select(&self) -> String {
        let columns: Vec<String> = (0..self.table.schema.columns().len()).map(|index| self.column(index)).collect();
        let live = self.live().map(|live| format!(" WHERE {live}")).unwrap_or_default();
        format!("SELECT {} FROM {}{live}", columns.join(", "), self.quoted(self.name))
    }

    /// Adds an index over whole columns.
    pub fn create_index(&self, index: &str, columns: &[usize]) -> String {
        let columns: Vec<String> = columns.iter().map(|index| self.column(*index)).collect();
        format!("CREATE INDEX {} ON {} ({})", self.quoted(index), self.quoted(self.name), columns.join(", "))
    }
}

/// A type as the server shows it, with the character set that its collation belongs to.
pub(in crate::sql) fn declare(told: &str) -> String {
    match told.split_once(" COLLATE ") {
        Some((declared, collation)) => {
            let character_set = collation.split('_').next().unwrap_or_default();
            format!("{declared} CHARACTER SET {character_set} COLLATE {collation}")
        }
        None => told.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, ColumnType, Schema, sql::mysql::layout::TextCharacters};

    fn variants() -> TableSchema {
        let text = |name| Column::required(name, ColumnType::Text);
        let columns = vec![
            text("chromosome"),
            Column::required("position", ColumnType::Int64),
            text("alternate"),
            Column::nullable("quality", ColumnType::Decimal { precision: 5, scale: 2 }),
        ];
        TableSchema { name: "vari`ants".into(), schema: Schema::new(columns), key: vec![0, 1, 2] }
    }

    fn layout(dialect: Dialect, table: &TableSchema) -> TableLayout {
        TableLayout::new(dialect, table, &TextCharacters::new(), &[])
    }

    #[test]
    fn a_table_with_an_unbounded_key() {
        let (table, layout) = (variants(), layout(Dialect::MySql, &variants()));
        let sql = MySqlTable::new(&table, &layout);
        assert_eq!(
            sql.create(),
            "CREATE TABLE `vari``ants` (\n  `chromosome` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT \
             NULL,\n  `position` bigint NOT NULL,\n  `alternate` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin \
             NOT NULL,\n  `quality` decimal(5,2) NULL,\n  `key_hash` char(22) CHARACTER SET ascii COLLATE ascii_bin NOT \
             NULL,\n  `changed_epoch` bigint NOT NULL,\n  PRIMARY KEY (`chromosome`, `position`, `key_hash`)\n) ENGINE = \
             InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4"
        );
        assert_eq!(
            sql.load_data(),
            "LOAD DATA LOCAL INFILE 'vardelta' REPLACE INTO TABLE `vari``ants` CHARACTER SET utf8mb4 FIELDS TERMINATED BY \
             '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES STARTING BY '' TERMINATED BY '\\n' (`chromosome`, `position`, \
             `alternate`, `quality`, `key_hash`, `changed_epoch`)"
        );
        assert_eq!(
            sql.update(2),
            "INSERT INTO `vari``ants` (`chromosome`, `position`, `alternate`, `quality`, `key_hash`, `changed_epoch`) \
             VALUES (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?) AS vardelta_new ON DUPLICATE KEY UPDATE `quality` = \
             vardelta_new.`quality`, `changed_epoch` = IF(`vari``ants`.`alternate` <=> vardelta_new.`alternate`, \
             vardelta_new.`changed_epoch`, NULL)"
        );
        assert_eq!(
            sql.delete(2),
            "DELETE FROM `vari``ants` WHERE (`chromosome` = ? AND `position` = ? AND `alternate` = ? AND `key_hash` = ?) \
             OR (`chromosome` = ? AND `position` = ? AND `alternate` = ? AND `key_hash` = ?)"
        );
        assert_eq!(sql.select(), "SELECT `chromosome`, `position`, `alternate`, `quality` FROM `vari``ants`");
        assert_eq!(sql.create_index("i", &[0, 3]), "CREATE INDEX `i` ON `vari``ants` (`chromosome`, `quality`)");
        assert_eq!(sql.key().len(), 4);
        assert_eq!(sql.place().len(), 3);
        assert_eq!(
            sql.delete_by_digest(),
            "DELETE FROM `vari``ants` WHERE (`chromosome` = ? AND `position` = ? AND SHA2(`alternate`, 256) = ? AND \
             `key_hash` = ?)"
        );
        assert_eq!(sql.key_by_digest()[2], RowValue::Digest(2));
    }

    #[test]
    fn a_table_whose_rows_may_be_marked() {
        let table = variants();
        let marked = layout(Dialect::MySql, &table).marking(Marks::Kept);
        let sql = MySqlTable::new(&table, &marked).named("t");
        assert!(sql.create().contains("`changed_epoch` bigint NOT NULL,\n  `deleted_at` datetime(6) NULL,\n"));
        assert_eq!(
            sql.update(1),
            "INSERT INTO `t` (`chromosome`, `position`, `alternate`, `quality`, `key_hash`, `changed_epoch`) VALUES (?, ?, \
             ?, ?, ?, ?) AS vardelta_new ON DUPLICATE KEY UPDATE `quality` = vardelta_new.`quality`, `changed_epoch` = \
             IF(`t`.`alternate` <=> vardelta_new.`alternate` AND `t`.`deleted_at` IS NULL, vardelta_new.`changed_epoch`, NULL)"
        );
        assert_eq!(
            sql.revive(1),
            "INSERT INTO `t` (`chromosome`, `position`, `alternate`, `quality`, `key_hash`, `changed_epoch`) VALUES (?, ?, \
             ?, ?, ?, ?) AS vardelta_new ON DUPLICATE KEY UPDATE `changed_epoch` = IF(`t`.`deleted_at` IS NOT NULL AND \
             `t`.`chromosome` <=> vardelta_new.`chromosome` AND `t`.`position` <=> vardelta_new.`position` AND \
             `t`.`alternate` <=> vardelta_new.`alternate`, vardelta_new.`changed_epoch`, NULL), `quality` = \
             vardelta_new.`quality`, `deleted_at` = NULL"
        );
        let key = "`chromosome` = ? AND `position` = ? AND `alternate` = ? AND `key_hash` = ?";
        assert_eq!(
            sql.delete(2),
            format!(
                "UPDATE `t` SET `t`.`changed_epoch` = ?, `t`.`deleted_at` = ? WHERE `t`.`deleted_at` IS NULL AND (({key}) OR ({key}))"
            )
        );
        assert!(sql.is_marking());
        assert!(sql.select().ends_with(" FROM `t` WHERE `t`.`deleted_at` IS NULL"));
        let left_over = layout(Dialect::MySql, &table).marking(Marks::LeftOver);
        let sql = MySqlTable::new(&table, &left_over).named("t");
        assert!(!sql.create().contains("deleted_at") && !sql.is_marking());
        assert_eq!(sql.delete(1), format!("DELETE FROM `t` WHERE `t`.`deleted_at` IS NULL AND (({key}))"));
    }

    #[test]
    fn a_table_with_a_bounded_key_needs_no_hash() {
        let columns = vec![Column::required("gene", ColumnType::Text), Column::required("n", ColumnType::Int64)];
        let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
        let layout = layout(Dialect::MariaDb, &table);
        let sql = MySqlTable::new(&table, &layout).named("other");
        assert_eq!(
            sql.update(1),
            "INSERT INTO `other` (`gene`, `n`, `changed_epoch`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE `n` = \
             VALUES(`n`), `changed_epoch` = VALUES(`changed_epoch`)"
        );
        assert_eq!(sql.exists(), "SELECT 1 FROM `other` WHERE `gene` = ?");
        assert_eq!(sql.delete(1), "DELETE `other` FROM `other` FORCE INDEX (PRIMARY) WHERE (`gene` = ?)");
        assert_eq!(sql.row(), [RowValue::Column(0), RowValue::Column(1), RowValue::Epoch]);
    }
}
