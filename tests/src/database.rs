//! A sink's tables read back by SQL, value by value, and what differs between two readings.

use std::{collections::BTreeMap, fmt, path::Path};

use rusqlite::{
    Connection, OpenFlags,
    types::{Value, ValueRef},
};

/// A value as SQLite keeps it: its storage class, and every bit of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL, as its bits.
    Real(u64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}

impl Cell {
    /// A text, or NULL.
    pub fn text(text: Option<&str>) -> Cell {
        text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()))
    }

    /// A number, or NULL.
    pub fn integer(number: Option<i64>) -> Cell {
        number.map_or(Cell::Null, Cell::Integer)
    }

    /// A double, or NULL. SQLite does not tell -0.0 from 0.0.
    pub fn real(number: Option<f64>) -> Cell {
        number.map_or(Cell::Null, |number| Cell::Real((number + 0.0).to_bits()))
    }

    /// A boolean, or NULL.
    pub fn boolean(value: Option<bool>) -> Cell {
        value.map_or(Cell::Null, |value| Cell::Integer(i64::from(value)))
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Cell {
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number.to_bits()),
            ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("NULL"),
            Cell::Integer(number) => write!(f, "{number}"),
            Cell::Real(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Cell::Text(text) => write!(f, "'{text}'"),
            Cell::Blob(bytes) => write!(f, "{bytes:x?}"),
        }
    }
}

/// The columns of a row without its key and `changed_epoch`, by key.
pub type Rows = BTreeMap<Vec<Cell>, Vec<Cell>>;

/// The tables of a sink: the content without `changed_epoch`, and `changed_epoch` by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// The rows of each table.
    pub rows: BTreeMap<String, Rows>,
    /// The epoch that last changed each row.
    pub changed: BTreeMap<String, BTreeMap<Vec<Cell>, i64>>,
}

/// A table and its key's columns.
pub type Key<'a> = (&'a str, &'a [&'a str]);

/// Opens a database for reading.
pub fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the sink can be opened for reading")
}

/// Reads these tables. A database that is not there, or lacks a table, has no rows.
pub fn read_tables(path: &Path, keys: &[Key<'_>]) -> Tables {
    let mut tables = Tables::default();
    let connection = path.exists().then(|| open(path));
    for (table, key) in keys {
        let (rows, changed) = match &connection {
            Some(connection) if has_table(connection, table) => read_table(connection, table, key),
            _ => Default::default(),
        };
        tables.rows.insert((*table).to_owned(), rows);
        tables.changed.insert((*table).to_owned(), changed);
    }
    tables
}

fn has_table(connection: &Connection, table: &str) -> bool {
    let mut statement = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").expect("valid SQL");
    statement.exists([table]).expect("the schema can be read")
}

/// The marked rows of these tables, without `deleted_at`.
pub fn read_marked(path: &Path, keys: &[Key<'_>]) -> Tables {
    let mut tables = Tables::default();
    let connection = path.exists().then(|| open(path));
    for (table, key) in keys {
        let (rows, changed) = match &connection {
            Some(connection) if has_table(connection, table) => {
                let live = connection.prepare(&format!("SELECT * FROM \"{table}_live\"")).expect("there is a view");
                let columns: Vec<String> = live.column_names().map(|name| format!("\"{name}\"")).collect();
                let columns = columns.join(", ");
                let marked = format!("SELECT {columns} FROM \"{table}\" WHERE deleted_at IS NOT NULL");
                read_rows(connection, table, &marked, key)
            }
            _ => Default::default(),
        };
        tables.rows.insert((*table).to_owned(), rows);
        tables.changed.insert((*table).to_owned(), changed);
    }
    tables
}

fn read_table(connection: &Connection, table: &str, key: &[&str]) -> (Rows, BTreeMap<Vec<Cell>, i64>) {
    read_rows(connection, table, &format!("SELECT * FROM \"{table}\""), key)
}

fn read_rows(connection: &Connection, table: &str, query: &str, key: &[&str]) -> (Rows, BTreeMap<Vec<Cell>, i64>) {
    let mut statement = connection.prepare(query).expect("the table can be read");
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    assert_eq!(names.last().map(String::as_str), Some("changed_epoch"), "{table} ends with changed_epoch");
    let key_places: Vec<usize> = key
        .iter()
        .map(|column| names.iter().position(|name| name == column).expect("the table has its key's columns"))
        .collect();
    let (mut rows, mut changed) = (Rows::new(), BTreeMap::new());
    let mut found = statement.query([]).expect("the table can be read");
    while let Some(row) = found.next().expect("the table can be read") {
        let cell = |at: usize| Cell::from(row.get_ref(at).expect("the row has its columns"));
        let key: Vec<Cell> = key_places.iter().map(|at| cell(*at)).collect();
        let values = (0..names.len() - 1).filter(|at| !key_places.contains(at)).map(cell).collect();
        let Cell::Integer(epoch) = cell(names.len() - 1) else { panic!("{table}: changed_epoch is a number") };
        changed.insert(key.clone(), epoch);
        let twin = rows.insert(key.clone(), values);
        assert!(twin.is_none(), "{table} has two rows of key {key:?}");
    }
    (rows, changed)
}

/// Rows inserted, updated and deleted from one reading of a table to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that are new.
    pub inserted: u64,
    /// Keys whose other columns differ.
    pub updated: u64,
    /// Keys that are gone.
    pub deleted: u64,
}

/// What changed from one reading of a table to the next.
pub fn changes(before: &Rows, after: &Rows) -> Changes {
    let common = after.iter().filter(|(key, _)| before.contains_key(*key)).count() as u64;
    Changes {
        inserted: after.len() as u64 - common,
        updated: after.iter().filter(|(key, row)| before.get(*key).is_some_and(|old| old != *row)).count() as u64,
        deleted: before.len() as u64 - common,
    }
}

/// Panics with the differing rows, at most ten of them, unless both are the same.
#[track_caller]
pub fn assert_same_rows(what: &str, expected: &BTreeMap<String, Rows>, found: &BTreeMap<String, Rows>) {
    for (table, expected) in expected {
        let none = Rows::new();
        let found = found.get(table).unwrap_or(&none);
        if expected == found {
            continue;
        }
        let keys: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        let differing: Vec<String> = keys
            .into_iter()
            .filter(|key| expected.get(*key) != found.get(*key))
            .map(|key| format!("  {key:?}: expected {:?}, found {:?}", expected.get(key), found.get(key)))
            .collect();
        panic!(
            "{what}: table `{table}` differs in {} of {} rows\n{}",
            differing.len(),
            expected.len(),
            differing[..differing.len().min(10)].join("\n")
        );
    }
}

/// What a query of one text column gives.
#[track_caller]
pub fn texts(path: &Path, sql: &str) -> Vec<String> {
    let database = open(path);
    let mut statement = database.prepare(sql).expect("the query is sound");
    let rows = statement.query_map([], |row| row.get(0)).expect("the query can be run");
    rows.map(|row| row.expect("a row of one text")).collect()
}

/// What a statement yields, each row as one text: values as people write them, with `|` between.
pub fn rows(connection: &Connection, statement: &str) -> Vec<String> {
    let mut statement = connection.prepare(statement).expect("the statement is one");
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let values: rusqlite::Result<Vec<String>> = (0..width).map(|at| row.get(at).map(shown)).collect();
        Ok(values?.join("|"))
    });
    rows.expect("the statement runs").collect::<rusqlite::Result<_>>().expect("rows")
}

fn shown(value: Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(value) => value,
        Value::Blob(value) => format!("{value:?}"),
    }
}
