//! The statements of one sink table in SQLite.

use super::{
    Dialect, Parameter, RowStatement,
    constraint::Constraint,
    marks::{self, DELETED_AT, Marks},
    sqlite::{column_type, constraint_line},
};
use crate::{Column, TableSchema};

/// The statements of one sink table.
///
/// The key decides the table's form: a key without nullable columns is the primary key of a `WITHOUT ROWID`
/// table, so that rows lie in key order and loading in key order only appends. A key with a nullable column (an
/// aggregate grouped by one has a NULL group) cannot be a primary key: the table is an ordinary one with a `UNIQUE`
/// constraint, keys are compared with `IS`, and since `UNIQUE` lets NULLs pass, an insert itself looks whether the key
/// is there. No key at all is an ordinary table of at most one row.
///
/// Where rows may be marked, every statement means live rows; a row whose key is that of a marked one takes its place by
/// `revive`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStatements {
    /// Makes the table.
    pub create: String,
    /// Inserts a row. Fails, or touches no row, when the key is there.
    pub insert: RowStatement,
    /// Inserts [`INSERT_ROWS`] rows, parameters row by row as those of `insert`; fails when a key is there. `None` where an
    /// insert looks for the key itself, or makes way for a marked row, so that what it touches must be counted row by row.
    pub insert_many: Option<String>,
    /// Sets all columns outside the key of a marked row, which is live then. `None` where no row can be marked.
    pub revive: Option<RowStatement>,
    /// Sets all columns outside the key, by key.
    pub update: RowStatement,
    /// Deletes a row, or marks it, by key.
    pub delete: RowStatement,
    /// Reads the columns of every row, in order, without `changed_epoch`.
    pub select: String,
}

/// Rows of one statement that inserts many. More save nothing: what is left is the rows' own work.
pub const INSERT_ROWS: usize = 32;
/// Parameters that a statement of SQLite can have.
const PARAMETERS_MAX: usize = 32_766;

impl TableStatements {
    /// The statements for a table.
    pub fn new(table: &TableSchema, marks: Marks) -> TableStatements {
        TableStatements::constrained(table, marks, &[])
    }

    /// The statements for a table with these constraints.
    pub fn constrained(table: &TableSchema, marks: Marks, constraints: &[&Constraint]) -> TableStatements {
        let name = Dialect::Sqlite.identifier(&table.name);
        let writer = Writer { dialect: Dialect::Sqlite, table, marks, constraints, name };
        TableStatements {
            create: writer.create(),
            insert: writer.insert(),
            insert_many: writer.insert_many(),
            revive: marks.may_be_there().then(|| writer.revive()),
            update: writer.update(),
            delete: writer.delete(),
            select: format!("SELECT {} FROM {}{}", writer.columns(), writer.name, writer.live(" WHERE")),
        }
    }
}

/// Drops a table.
pub fn drop_table(dialect: Dialect, name: &str) -> String {
    format!("DROP TABLE {}", dialect.identifier(name))
}

struct Writer<'a> {
    dialect: Dialect,
    table: &'a TableSchema,
    marks: Marks,
    constraints: &'a [&'a Constraint],
    name: String,
}

impl Writer<'_> {
    fn quoted(&self, column: &Column) -> String {
        self.dialect.identifier(&column.name)
    }

    fn columns(&self) -> String {
        let names: Vec<String> = self.table.schema.columns().iter().map(|column| self.quoted(column)).collect();
        names.join(", ")
    }

    fn key_columns(&self) -> String {
        let columns = self.table.schema.columns();
        let names: Vec<String> = self.table.key.iter().map(|index| self.quoted(&columns[*index])).collect();
        names.join(", ")
    }

    fn create(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for column in self.table.schema.columns() {
            let not_null = if column.nullable { "" } else { " NOT NULL" };
            lines.push(format!("{} {}{not_null}", self.quoted(column), column_type(&column.column_type)));
        }
        lines.push(format!("{} INTEGER NOT NULL", self.dialect.identifier(TableSchema::CHANGED_EPOCH)));
        if self.marks == Marks::Kept {
            lines.push(format!("{} {}", self.deleted_at(), marks::SQLITE_TYPE));
        }
        let form = if self.table.has_primary_key() {
            lines.push(format!("PRIMARY KEY ({})", self.key_columns()));
            "STRICT, WITHOUT ROWID"
        } else {
            if !self.table.key.is_empty() {
                lines.push(format!("UNIQUE ({})", self.key_columns()));
            }
            "STRICT"
        };
        lines.extend(self.constraints.iter().map(|constraint| constraint_line(constraint)));
        format!("CREATE TABLE {} (\n  {}\n) {form}", self.name, lines.join(",\n  "))
    }

    fn deleted_at(&self) -> String {
        self.dialect.identifier(DELETED_AT)
    }

    /// The condition that a row lives, after `word`; nothing where all rows do.
    fn live(&self, word: &str) -> String {
        if self.marks.may_be_there() { format!("{word} {} IS NULL", self.deleted_at()) } else { String::new() }
    }

    /// The condition of [`Writer::by_key`] for live rows alone.
    fn live_by_key(&self) -> (String, Vec<Parameter>) {
        let (text, parameters) = self.by_key();
        let live = self.live(if text.is_empty() { " WHERE" } else { " AND" });
        (text + &live, parameters)
    }

    /// ` WHERE …` for one row by its key, and what to bind.
    fn by_key(&self) -> (String, Vec<Parameter>) {
        let compare = |index: &usize| {
            let column = &self.table.schema.columns()[*index];
            format!("{} {} ?", self.quoted(column), if column.nullable { "IS" } else { "=" })
        };
        let terms: Vec<String> = self.table.key.iter().map(compare).collect();
        let text = if terms.is_empty() { String::new() } else { format!(" WHERE {}", terms.join(" AND ")) };
        (text, self.table.key.iter().copied().map(Parameter::Column).collect())
    }

    fn insert(&self) -> RowStatement {
        let count = self.table.schema.columns().len();
        let mut parameters: Vec<Parameter> = (0..count).map(Parameter::Column).collect();
        parameters.push(Parameter::Epoch);
        let values = vec!["?"; count + 1].join(", ");
        let epoch = self.dialect.identifier(TableSchema::CHANGED_EPOCH);
        let into = format!("INSERT INTO {} ({}, {epoch})", self.name, self.columns());
        if self.table.has_primary_key() {
            // A marked row of this key is no error yet.
            let gives_way = if self.marks.may_be_there() {
                format!(" ON CONFLICT ({}) DO NOTHING", self.key_columns())
            } else {
                String::new()
            };
            return RowStatement { text: format!("{into} VALUES ({values}){gives_way}"), parameters };
        }
        let (by_key, key) = self.by_key();
        parameters.extend(key);
        RowStatement {
            text: format!("{into} SELECT {values} WHERE NOT EXISTS (SELECT 1 FROM {}{by_key})", self.name),
            parameters,
        }
    }

    fn insert_many(&self) -> Option<String> {
        let values = self.table.schema.columns().len() + 1;
        if !self.table.has_primary_key() || self.marks.may_be_there() || values * INSERT_ROWS > PARAMETERS_MAX {
            return None;
        }
        let more = format!(", ({})", vec!["?"; values].join(", "));
        Some(self.insert().text + &more.repeat(INSERT_ROWS - 1))
    }

    /// The assignments of all columns outside the key and of `changed_epoch`, and what to bind.
    fn assignments(&self) -> (Vec<String>, Vec<Parameter>) {
        let mut terms = Vec::new();
        let mut parameters = Vec::new();
        for (index, column) in self.table.schema.columns().iter().enumerate() {
            if !self.table.key.contains(&index) {
                terms.push(format!("{} = ?", self.quoted(column)));
                parameters.push(Parameter::Column(index));
            }
        }
        terms.push(format!("{} = ?", self.dialect.identifier(TableSchema::CHANGED_EPOCH)));
        parameters.push(Parameter::Epoch);
        (terms, parameters)
    }

    fn update(&self) -> RowStatement {
        let (terms, mut parameters) = self.assignments();
        let (by_key, key) = self.live_by_key();
        parameters.extend(key);
        RowStatement { text: format!("UPDATE {} SET {}{by_key}", self.name, terms.join(", ")), parameters }
    }

    fn revive(&self) -> RowStatement {
        let (terms, mut parameters) = self.assignments();
        let (by_key, key) = self.by_key();
        parameters.extend(key);
        let deleted_at = self.deleted_at();
        let word = if by_key.is_empty() { "WHERE" } else { "AND" };
        let text = format!(
            "UPDATE {} SET {}, {deleted_at} = NULL{by_key} {word} {deleted_at} IS NOT NULL",
            self.name,
            terms.join(", ")
        );
        RowStatement { text, parameters }
    }

    fn delete(&self) -> RowStatement {
        let (by_key, key) = self.live_by_key();
        if self.marks != Marks::Kept {
            return RowStatement { text: format!("DELETE FROM {}{by_key}", self.name), parameters: key };
        }
        let epoch = self.dialect.identifier(TableSchema::CHANGED_EPOCH);
        let text = format!("UPDATE {} SET {epoch} = ?, {} = ?{by_key}", self.name, self.deleted_at());
        RowStatement { text, parameters: [vec![Parameter::Epoch, Parameter::EpochTime], key].concat() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnType, Schema};
    use Parameter::{Column as C, Epoch};

    fn statements(columns: Vec<Column>, key: Vec<usize>) -> TableStatements {
        let table = TableSchema { name: "t\"x".into(), schema: Schema::new(columns), key };
        TableStatements::new(&table, Marks::None)
    }

    #[test]
    fn a_keyed_table() {
        let decimal = |precision| ColumnType::Decimal { precision, scale: 2 };
        let made = statements(
            vec![
                Column::required("pos", ColumnType::Int64),
                Column::nullable("qual", decimal(5)),
                Column::required("chrom", ColumnType::Text),
                Column::nullable("wide", decimal(20)),
                Column::nullable("ok", ColumnType::Bool),
            ],
            vec![2, 0],
        );
        assert_eq!(
            made.create,
            "CREATE TABLE \"t\"\"x\" (\n  \"pos\" INTEGER NOT NULL,\n  \"qual\" REAL,\n  \"chrom\" TEXT NOT NULL,\n  \
             \"wide\" TEXT,\n  \"ok\" INTEGER,\n  \"changed_epoch\" INTEGER NOT NULL,\n  PRIMARY KEY (\"chrom\", \
             \"pos\")\n) STRICT, WITHOUT ROWID"
        );
        assert_eq!(drop_table(Dialect::Sqlite, "t\"x"), r#"DROP TABLE "t""x""#);
        assert_eq!(
            made.insert.text,
            r#"INSERT INTO "t""x" ("pos", "qual", "chrom", "wide", "ok", "changed_epoch") VALUES (?, ?, ?, ?, ?, ?)"#
        );
        assert_eq!(made.insert.parameters, [C(0), C(1), C(2), C(3), C(4), Epoch]);
        let many = made.insert_many.unwrap_or_default();
        assert!(many.starts_with(&(made.insert.text + ", (?, ?, ?, ?, ?, ?), (")));
        assert_eq!(many.matches('?').count(), 6 * INSERT_ROWS);
        assert_eq!(
            made.update.text,
            "UPDATE \"t\"\"x\" SET \"qual\" = ?, \"wide\" = ?, \"ok\" = ?, \"changed_epoch\" = ? \
             WHERE \"chrom\" = ? AND \"pos\" = ?"
        );
        assert_eq!(made.update.parameters, [C(1), C(3), C(4), Epoch, C(2), C(0)]);
        assert_eq!(made.delete.text, r#"DELETE FROM "t""x" WHERE "chrom" = ? AND "pos" = ?"#);
        assert_eq!(made.delete.parameters, [C(2), C(0)]);
        assert_eq!(made.select, r#"SELECT "pos", "qual", "chrom", "wide", "ok" FROM "t""x""#);
    }

    #[test]
    fn a_key_with_a_nullable_column_has_a_null_group() {
        let made = statements(
            vec![Column::nullable("gene", ColumnType::Text), Column::required("n", ColumnType::Int64)],
            vec![0],
        );
        assert_eq!(
            made.create,
            "CREATE TABLE \"t\"\"x\" (\n  \"gene\" TEXT,\n  \"n\" INTEGER NOT NULL,\n  \"changed_epoch\" INTEGER NOT \
             NULL,\n  UNIQUE (\"gene\")\n) STRICT"
        );
        assert_eq!(
            made.insert.text,
            "INSERT INTO \"t\"\"x\" (\"gene\", \"n\", \"changed_epoch\") SELECT ?, ?, ? \
             WHERE NOT EXISTS (SELECT 1 FROM \"t\"\"x\" WHERE \"gene\" IS ?)"
        );
        assert_eq!(made.insert.parameters, [C(0), C(1), Epoch, C(0)]);
        assert_eq!(made.insert_many, None);
        assert_eq!(made.update.text, r#"UPDATE "t""x" SET "n" = ?, "changed_epoch" = ? WHERE "gene" IS ?"#);
        assert_eq!(made.delete.text, r#"DELETE FROM "t""x" WHERE "gene" IS ?"#);
    }

    #[test]
    fn a_table_without_key_has_one_row() {
        let made = statements(vec![Column::required("n", ColumnType::Int64)], vec![]);
        assert_eq!(
            made.create,
            "CREATE TABLE \"t\"\"x\" (\n  \"n\" INTEGER NOT NULL,\n  \"changed_epoch\" INTEGER NOT NULL\n) STRICT"
        );
        assert_eq!(
            made.insert.text,
            "INSERT INTO \"t\"\"x\" (\"n\", \"changed_epoch\") SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM \"t\"\"x\")"
        );
        assert_eq!(made.update.text, r#"UPDATE "t""x" SET "n" = ?, "changed_epoch" = ?"#);
        assert_eq!(made.delete.text, r#"DELETE FROM "t""x""#);
    }

    #[test]
    fn a_table_whose_rows_may_be_marked() {
        let columns = vec![Column::required("a", ColumnType::Text), Column::nullable("n", ColumnType::Int64)];
        let table = |key| TableSchema { name: "t".into(), schema: Schema::new(columns.clone()), key };
        let made = TableStatements::new(&table(vec![0]), Marks::Kept);
        assert_eq!(
            made.create,
            "CREATE TABLE \"t\" (\n  \"a\" TEXT NOT NULL,\n  \"n\" INTEGER,\n  \"changed_epoch\" INTEGER NOT NULL,\n  \
             \"deleted_at\" TEXT,\n  PRIMARY KEY (\"a\")\n) STRICT, WITHOUT ROWID"
        );
        assert_eq!(
            made.insert.text,
            r#"INSERT INTO "t" ("a", "n", "changed_epoch") VALUES (?, ?, ?) ON CONFLICT ("a") DO NOTHING"#
        );
        assert_eq!(made.insert_many, None, "a row that is marked makes way, which is seen row by row");
        let revive = made.revive.map(|revive| (revive.text, revive.parameters)).unwrap_or_default();
        assert_eq!(
            revive.0,
            "UPDATE \"t\" SET \"n\" = ?, \"changed_epoch\" = ?, \"deleted_at\" = NULL WHERE \"a\" = ? AND \"deleted_at\" \
             IS NOT NULL"
        );
        assert_eq!(revive.1, [C(1), Epoch, C(0)]);
        assert_eq!(
            made.update.text,
            r#"UPDATE "t" SET "n" = ?, "changed_epoch" = ? WHERE "a" = ? AND "deleted_at" IS NULL"#
        );
        assert_eq!(
            made.delete.text,
            r#"UPDATE "t" SET "changed_epoch" = ?, "deleted_at" = ? WHERE "a" = ? AND "deleted_at" IS NULL"#
        );
        assert_eq!(made.delete.parameters, [Epoch, Parameter::EpochTime, C(0)]);
        assert_eq!(made.select, r#"SELECT "a", "n" FROM "t" WHERE "deleted_at" IS NULL"#);
        // Marks of another definition: rows that go are deleted, and only live ones are meant.
        let made = TableStatements::new(&table(vec![]), Marks::LeftOver);
        assert_eq!(made.delete.text, r#"DELETE FROM "t" WHERE "deleted_at" IS NULL"#);
        assert_eq!(
            made.revive.map(|revive| revive.text).unwrap_or_default(),
            r#"UPDATE "t" SET "a" = ?, "n" = ?, "changed_epoch" = ?, "deleted_at" = NULL WHERE "deleted_at" IS NOT NULL"#
        );
    }

    #[test]
    fn a_table_that_is_all_key_still_notes_the_epoch() {
        let made = statements(vec![Column::required("a", ColumnType::Text)], vec![0]);
        assert_eq!(made.update.text, r#"UPDATE "t""x" SET "changed_epoch" = ? WHERE "a" = ?"#);
    }
}
