//! Views as SQL says them: raw tables in a database in memory, and queries over them.

use rusqlite::{Connection, params_from_iter, types::Value};

use crate::database::{Cell, Rows};

/// A database in memory.
pub struct Memory(Connection);

impl Default for Memory {
    fn default() -> Memory {
        Memory(Connection::open_in_memory().expect("a database in memory"))
    }
}

impl Memory {
    /// Adds a table: the names of its columns, separated by commas, and its rows, of which each is key and other columns.
    pub fn table(&self, name: &str, columns: &str, rows: &Rows) {
        self.0.execute_batch(&format!("CREATE TABLE {name} ({columns})")).expect("the table can be made");
        let places = vec!["?"; columns.split(',').count()].join(", ");
        let mut insert =
            self.0.prepare(&format!("INSERT INTO {name} VALUES ({places})")).expect("the columns are right");
        for (key, others) in rows {
            let values = key.iter().chain(others).map(value);
            insert.execute(params_from_iter(values)).expect("the row fits");
        }
    }

    /// The rows of a query whose first columns are the key.
    #[track_caller]
    pub fn rows(&self, key_columns: usize, query: &str) -> Rows {
        let mut statement = self.0.prepare(query).unwrap_or_else(|error| panic!("{error}: {query}"));
        let width = statement.column_count();
        let mut found = statement.query([]).expect("the query runs");
        let mut rows = Rows::new();
        while let Some(row) = found.next().expect("the query runs") {
            let mut cells: Vec<Cell> =
                (0..width).map(|at| Cell::from(row.get_ref(at).expect("the column is there"))).collect();
            let others = cells.split_off(key_columns);
            let twin = rows.insert(cells, others);
            assert!(twin.is_none(), "the query yields two rows of one key: {query}");
        }
        rows
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Real(bits) => Value::Real(f64::from_bits(*bits)),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Blob(bytes) => Value::Blob(bytes.clone()),
    }
}
