//! A server's tables and its ledger read back by SQL, value by value, as the model and SQLite have them.

use std::collections::BTreeMap;

use mysql::{Conn, Params, Row, Value, prelude::Queryable};

use crate::database::{Cell, Key, Rows, Tables};

/// Decimals of more digits are texts to the model, as they are to SQLite.
const DIGITS_OF_A_DOUBLE: u64 = 15;
/// The column that stands for the whole key where that is too long for the server; the model has none.
const KEY_HASH: &str = "key_hash";

/// What the ledger must have in common with that of another history of the same drops: everything but times, paths and
/// the definitions, which name the database.
const LEDGER: &[(&str, &str)] = &[
    ("vardelta_epochs", "SELECT epoch, table_counts FROM vardelta_epochs ORDER BY epoch"),
    (
        "vardelta_drops",
        "SELECT drop_id, source, name, bytes_digest, content_digest, added_epoch, loaded_epoch, records_read, \
         records_loaded, records_filtered, records_rejected, records_duplicate FROM vardelta_drops ORDER BY drop_id",
    ),
    (
        "vardelta_events",
        "SELECT epoch, ordinal, drop_id, source, name, action, records_read, records_loaded, records_filtered, \
         records_rejected, records_duplicate FROM vardelta_events ORDER BY epoch, ordinal",
    ),
    (
        "vardelta_rejects",
        "SELECT epoch, drop_id, drop_name, stage, line, contig, pos, reason, detail, raw FROM vardelta_rejects \
         ORDER BY epoch, drop_id, line, stage, reason, detail",
    ),
];

/// A database: its tables, and its ledger's rows as SQL literals.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The tables.
    pub tables: Tables,
    /// The rows of each of the ledger's tables.
    pub ledger: BTreeMap<String, Vec<String>>,
}

/// Reads tables and ledger as of one moment.
pub fn read_contents(connection: &mut Conn, keys: &[Key<'_>]) -> Contents {
    on_snapshot(connection, |connection| {
        let mut ledger = BTreeMap::new();
        for (table, query) in LEDGER {
            let rows = if has_table(connection, table) { literals(connection, query) } else { Vec::new() };
            ledger.insert((*table).to_owned(), rows);
        }
        Contents { tables: tables(connection, keys), ledger }
    })
}

/// Reads these tables as of one moment. One that is not there has no rows.
pub fn read_tables(connection: &mut Conn, keys: &[Key<'_>]) -> Tables {
    on_snapshot(connection, |connection| tables(connection, keys))
}

/// The marked rows of these tables, without `deleted_at`, as of one moment.
pub fn read_marked(connection: &mut Conn, keys: &[Key<'_>]) -> Tables {
    on_snapshot(connection, |connection| {
        let mut tables = Tables::default();
        for (table, key) in keys {
            let (rows, changed) = match has_table(connection, table) {
                true => read_rows(connection, &format!("{table}_live"), table, " WHERE deleted_at IS NOT NULL", key),
                false => Default::default(),
            };
            tables.rows.insert((*table).to_owned(), rows);
            tables.changed.insert((*table).to_owned(), changed);
        }
        tables
    })
}

/// The rows that a query yields, as SQL literals.
pub fn literals(connection: &mut Conn, query: &str) -> Vec<String> {
    let rows: Vec<Row> = connection.exec(query, Params::Empty).expect("the query is sound");
    let row = |row: Row| row.unwrap().iter().map(|value| value.as_sql(true)).collect::<Vec<_>>().join(", ");
    rows.into_iter().map(row).collect()
}

fn on_snapshot<T>(connection: &mut Conn, read: impl FnOnce(&mut Conn) -> T) -> T {
    connection.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").expect("a session's setting");
    connection.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT").expect("a transaction can be started");
    let read = read(connection);
    connection.query_drop("ROLLBACK").expect("a transaction can be ended");
    read
}

fn has_table(connection: &mut Conn, table: &str) -> bool {
    let query = "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
    connection.exec_first::<u8, _, _>(query, (table,)).expect("the schema can be read").is_some()
}

fn tables(connection: &mut Conn, keys: &[Key<'_>]) -> Tables {
    let mut tables = Tables::default();
    for (table, key) in keys {
        let (rows, changed) = match has_table(connection, table) {
            true => read_table(connection, table, key),
            false => Default::default(),
        };
        tables.rows.insert((*table).to_owned(), rows);
        tables.changed.insert((*table).to_owned(), changed);
    }
    tables
}

/// A column, and how many digits it has if it is a decimal.
struct Column {
    name: String,
    decimal_digits: Option<u64>,
}

fn columns(connection: &mut Conn, table: &str) -> Vec<Column> {
    let query = "SELECT column_name, data_type, numeric_precision FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position";
    let found: Vec<(String, String, Option<u64>)> = connection.exec(query, (table,)).expect("the schema can be read");
    let column = |(name, kind, digits): (String, String, Option<u64>)| Column {
        name,
        decimal_digits: digits.filter(|_| kind == "decimal"),
    };
    found.into_iter().map(column).filter(|column| column.name != KEY_HASH).collect()
}

fn read_table(connection: &mut Conn, table: &str, key: &[&str]) -> (Rows, BTreeMap<Vec<Cell>, i64>) {
    read_rows(connection, table, table, "", key)
}

/// The rows of a table that meet a condition, with the columns that `like` has.
fn read_rows(
    connection: &mut Conn,
    like: &str,
    table: &str,
    condition: &str,
    key: &[&str],
) -> (Rows, BTreeMap<Vec<Cell>, i64>) {
    let columns = columns(connection, like);
    let last = columns.last().map(|column| column.name.as_str());
    assert_eq!(last, Some("changed_epoch"), "{table} ends with changed_epoch");
    let place = |name: &&str| columns.iter().position(|column| column.name == *name).expect("the key's columns");
    let key_places: Vec<usize> = key.iter().map(place).collect();
    let names: Vec<String> = columns.iter().map(|column| format!("`{}`", column.name)).collect();
    // A prepared statement yields doubles bit by bit, where a text would be rounded.
    let found: Vec<Row> = connection
        .exec(format!("SELECT {} FROM `{table}`{condition}", names.join(", ")), Params::Empty)
        .expect("the table can be read");
    let (mut rows, mut changed) = (Rows::new(), BTreeMap::new());
    for row in found {
        let cells: Vec<Cell> =
            row.unwrap().into_iter().zip(&columns).map(|(value, column)| cell(value, column)).collect();
        let key: Vec<Cell> = key_places.iter().map(|at| cells[*at].clone()).collect();
        let others = (0..cells.len() - 1).filter(|at| !key_places.contains(at));
        let values = others.map(|at| cells[at].clone()).collect();
        let Some(Cell::Integer(epoch)) = cells.last() else { panic!("{table}: changed_epoch is a number") };
        changed.insert(key.clone(), *epoch);
        let twin = rows.insert(key.clone(), values);
        assert!(twin.is_none(), "{table} has two rows of key {key:?}");
    }
    (rows, changed)
}

fn cell(value: Value, column: &Column) -> Cell {
    match (value, column.decimal_digits) {
        (Value::NULL, _) => Cell::Null,
        (Value::Int(number), _) => Cell::Integer(number),
        (Value::UInt(number), _) => Cell::Integer(i64::try_from(number).expect("a number of 64 bits with a sign")),
        (Value::Double(number), _) => Cell::real(Some(number)),
        (Value::Bytes(bytes), digits) => {
            let text = String::from_utf8(bytes).expect("text is UTF-8");
            match digits {
                Some(digits) if digits <= DIGITS_OF_A_DOUBLE => Cell::real(Some(text.parse().expect("a decimal"))),
                _ => Cell::Text(text),
            }
        }
        (other, _) => panic!("column `{}` holds {other:?}, which no table of a sink does", column.name),
    }
}
