//! What an epoch did to rows, each a way to its explanation.

use maud::{Markup, html};
use serde_json::Value as Json;
use vardelta_engine::{abort::Abort, error::RunError, plan::Plan};
use vardelta_schemas::ledger::Epoch;

use crate::{
    happened::{Cell, Happened, Histories},
    page::{
        address::{Address, RowKey},
        parts, show,
    },
};

/// Rows of each table that are shown.
const ROWS_EACH: usize = 100;

/// What an epoch did to the tables whose history is kept.
pub struct ChangesOfEpoch {
    /// The epoch.
    pub epoch: Epoch,
    /// Table by table.
    pub tables: Vec<TableChanges>,
}

/// What became of rows of a table.
pub struct TableChanges {
    /// The table.
    pub name: String,
    /// Rows that changed.
    pub count: u64,
    /// The first of them.
    pub rows: Vec<RowChange>,
}

/// What became of a row.
pub struct RowChange {
    /// The row.
    pub row: RowKey,
    /// `insert`, `update` or `delete`.
    pub operation: String,
    /// Columns with the old and the new value, of an update those that differ.
    pub columns: Vec<(String, String, String)>,
    /// The epoch's drops.
    pub drops: Vec<String>,
}

impl ChangesOfEpoch {
    /// Reads what an epoch did.
    ///
    /// # Errors
    /// When no history is kept, or the sink cannot be read.
    pub fn read(plan: &Plan, epoch: Epoch, abort: &Abort) -> Result<ChangesOfEpoch, RunError> {
        let histories = Histories::of(plan, None)?;
        let (found, counts) = histories.read_first(plan, epoch..=epoch, ROWS_EACH, abort)?;
        let mut tables: Vec<TableChanges> = histories
            .tables
            .iter()
            .zip(counts)
            .map(|((table, _), count)| TableChanges { name: table.name.clone(), count, rows: Vec::new() })
            .collect();
        for happened in &found {
            tables[happened.table].rows.push(row(&histories, happened));
        }
        Ok(ChangesOfEpoch { epoch, tables })
    }

    /// The first changed rows, some of each table.
    pub fn first(&self, each: usize) -> Vec<RowKey> {
        self.tables.iter().flat_map(|table| table.rows.iter().take(each)).map(|change| change.row.clone()).collect()
    }
}

fn row(histories: &Histories, happened: &Happened) -> RowChange {
    let (table, _) = &histories.tables[happened.table];
    let columns = table.schema.columns();
    let key = table.key.iter().zip(&happened.key);
    let others = (0..columns.len()).filter(|at| !table.key.contains(at)).zip(&happened.values);
    let is_update = happened.operation == "update";
    RowChange {
        row: (table.name.clone(), key.map(|(at, cell)| (columns[*at].name.clone(), written(cell))).collect()),
        operation: happened.operation.clone(),
        columns: others
            .filter(|(_, (old, new))| !is_update || old != new)
            .map(|(at, (old, new))| (columns[at].name.clone(), old.text.clone(), new.text.clone()))
            .collect(),
        drops: happened.drops.clone(),
    }
}

/// A value as `why` takes it.
fn written(cell: &Cell) -> String {
    match &cell.json {
        Json::Null => "NULL".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What an epoch did.
pub fn view(changes: &ChangesOfEpoch, address: &Address) -> Markup {
    html! {
        @for table in &changes.tables {
            h3 { (show::text(&table.name)) ": " (show::counted(table.count, "row")) " changed in epoch " (changes.epoch) }
            @if table.rows.is_empty() { (parts::nothing("No row of it changed.")) } @else {
                @if table.count > table.rows.len() as u64 {
                    p { "The first " (table.rows.len()) "; " code { "vardelta changes" } " lists them all." }
                }
                ul.changes { @for change in &table.rows { li class=(show::text(&change.operation)) { (line(change, address)) } } }
            }
        }
    }
}

fn line(change: &RowChange, address: &Address) -> Markup {
    let sign = match change.operation.as_str() {
        "insert" => "+",
        "delete" => "−",
        _ => "~",
    };
    html! {
        span.sign aria-label=(show::text(&change.operation)) { (sign) } " "
        (parts::link(address.why(&change.row), &words(&change.row))) " "
        @for (at, (name, old, new)) in change.columns.iter().enumerate() {
            @if at > 0 { ", " }
            span.column { (show::text(name)) } " "
            @match change.operation.as_str() {
                "insert" => (show::text(new)),
                "delete" => (show::text(old)),
                _ => { (show::text(old)) " → " strong { (show::text(new)) } },
            }
        }
        @if !change.drops.is_empty() {
            span.drops { " by " (parts::drops(&change.drops)) }
        }
    }
}

/// A row's key in words.
pub fn words(row: &RowKey) -> String {
    let pairs: Vec<String> =
        row.1.iter().map(|(name, value)| format!("{}={}", show::text(name), show::text(value))).collect();
    if pairs.is_empty() { "the one row".to_owned() } else { pairs.join(" ") }
}
