//! The rows of the sink's tables, as a step finds and leaves them.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use vardelta_engine::{contract::sink::Access, error::RunError, plan::Plan};
use vardelta_schemas::{TableSchema, ledger::Epoch};

use crate::changes::cells;

/// A value, as people and as programs read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// As reports print it.
    pub text: String,
    /// As `--json` has it.
    pub json: Json,
}

/// A table's rows by their keys.
#[derive(Clone, Debug)]
pub struct TableRows {
    /// The table.
    pub table: TableSchema,
    /// Key, as JSON writes it, to row; in the order of the keys' texts.
    pub rows: BTreeMap<Vec<String>, Vec<Cell>>,
}

/// Every table of the sink.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// In the order in which the sink lists them.
    pub tables: Vec<TableRows>,
}

impl Tables {
    /// Reads every table; before the first load there is none.
    ///
    /// # Errors
    /// When the sink cannot be read.
    pub fn read(plan: &Plan) -> Result<Tables, RunError> {
        let mut tables = Vec::new();
        let mut sink = plan.sink().connect(Access::Read)?;
        let is_new = sink.ledger(&plan.pipeline.name)?.epoch == Epoch::NONE;
        for table in plan.tables() {
            let mut rows = BTreeMap::new();
            if !is_new {
                sink.scan(&table, &mut |batch| {
                    for row in 0..batch.num_rows() {
                        let cell = |column: &arrow_array::ArrayRef| Cell {
                            text: cells::text(column, row),
                            json: cells::json(column, row),
                        };
                        let cells: Vec<Cell> = batch.columns().iter().map(cell).collect();
                        let key = table.key.iter().map(|at| cells[*at].json.to_string()).collect();
                        rows.insert(key, cells);
                    }
                    Ok(())
                })?;
            }
            tables.push(TableRows { table, rows });
        }
        Ok(Tables { tables })
    }

    /// A table by its name.
    pub fn table(&self, name: &str) -> Option<&TableRows> {
        self.tables.iter().find(|table| table.table.name == name)
    }
}

impl TableRows {
    /// The name of a column.
    pub fn column(&self, at: usize) -> &str {
        &self.table.schema.columns()[at].name
    }

    /// The place of a column.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.table.schema.columns().iter().position(|column| column.name == name)
    }

    /// A row as reports print it.
    pub fn line(&self, row: &[Cell]) -> String {
        let pairs = row.iter().enumerate().map(|(at, cell)| format!("{}={}", self.column(at), cell.text));
        pairs.collect::<Vec<_>>().join(" ")
    }
}
