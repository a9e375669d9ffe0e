//! The rows that a run changes, rendered while they pass, so that a dry run over millions of them needs no memory.

pub mod cells;
mod rows;

use std::{
    io::{self, Seek as _, Write as _},
    sync::Mutex,
};

use tempfile::SpooledTempFile;
use vardelta_engine::{
    contract::sink::ChangeBatch,
    error::{RunError, RunErrorKind},
    locks::Locked as _,
};
use vardelta_schemas::TableSchema;

use crate::{output::Output, report::grouped};
pub use rows::lines;

/// Rendered changes of one table beyond which they are kept in a temporary file.
const IN_MEMORY_BYTES: usize = 1 << 20;

/// How changes are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line per row: `+` inserted, `~` updated, `-` deleted.
    Text,
    /// A JSON object per row; of a table with more rows than the limit the first ones.
    Json,
}

/// Keeps the changes of every table, in key order.
pub struct ChangeCollector {
    form: Form,
    /// Of tables with more changes than this none are shown as text; `None` shows every change.
    limit: Option<u64>,
    tables: Mutex<Vec<TableChanges>>,
}

struct TableChanges {
    name: String,
    count: u64,
    rendered: SpooledTempFile,
    failed: Option<io::Error>,
}

impl ChangeCollector {
    /// Nothing yet.
    pub fn new(form: Form, limit: Option<u64>) -> ChangeCollector {
        ChangeCollector { form, limit, tables: Mutex::default() }
    }

    /// Tables with more changes than this are not shown.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Takes the number of a table's changes, which are too many to be shown.
    pub fn count(&self, table: &TableSchema, count: u64) {
        changes_of(&mut self.tables.locked(), table).count = count;
    }

    /// Takes the next changes of a table.
    pub fn take(&self, table: &TableSchema, batch: &ChangeBatch) {
        let mut tables = self.tables.locked();
        let changes = changes_of(&mut tables, table);
        let before = changes.count;
        changes.count += batch.ops.len() as u64;
        let limit = self.limit.unwrap_or(u64::MAX);
        let rendered = match self.form {
            _ if changes.failed.is_some() => return,
            Form::Text if changes.count > limit => return,
            Form::Text => rows::text(table, batch),
            Form::Json => rows::json(table, batch, before == 0, limit.saturating_sub(before)),
        };
        let written = rendered.map_err(io::Error::other).and_then(|text| changes.rendered.write_all(text.as_bytes()));
        changes.failed = written.err();
    }

    /// Writes the changes under their tables' names, for people.
    ///
    /// # Errors
    /// When they could not be kept, or standard output takes no more.
    pub fn write_text(&self, output: &mut Output) -> Result<(), RunError> {
        let mut tables = self.tables.locked();
        for changes in tables.iter_mut().filter(|changes| changes.count > 0) {
            match self.limit.filter(|limit| changes.count > *limit) {
                Some(limit) => output.text(&format!(
                    "\n{}: {} rows changed, too many to list here (more than {})\n",
                    changes.name,
                    grouped(changes.count),
                    grouped(limit),
                ))?,
                None => {
                    output.text(&format!("\n{}\n", changes.name))?;
                    output.copy(changes.rewound()?)?;
                }
            }
        }
        Ok(())
    }

    /// The tables of which not every change is listed: how many are, and how many there are.
    pub fn cut(&self) -> Vec<(String, u64, u64)> {
        let tables = self.tables.locked();
        let limit = self.limit.unwrap_or(u64::MAX);
        tables
            .iter()
            .filter(|table| table.count > limit)
            .map(|table| (table.name.clone(), limit, table.count))
            .collect()
    }

    /// Writes the changes as a JSON object: a list for each of the tables named.
    ///
    /// # Errors
    /// As [`ChangeCollector::write_text`].
    pub fn write_json<'a>(&self, names: impl Iterator<Item = &'a str>, output: &mut Output) -> Result<(), RunError> {
        let mut tables = self.tables.locked();
        for (at, name) in names.enumerate() {
            output.json_text(&format!("{}{}:[", if at == 0 { "{" } else { "," }, rows::json_text(name)))?;
            if let Some(changes) = tables.iter_mut().find(|changes| changes.name == name) {
                output.copy(changes.rewound()?)?;
            }
            output.json_text("]")?;
        }
        output.json_text("}")
    }
}

fn changes_of<'a>(tables: &'a mut Vec<TableChanges>, table: &TableSchema) -> &'a mut TableChanges {
    let at = tables.iter().position(|known| known.name == table.name).unwrap_or_else(|| {
        let rendered = SpooledTempFile::new(IN_MEMORY_BYTES);
        tables.push(TableChanges { name: table.name.clone(), count: 0, rendered, failed: None });
        tables.len() - 1
    });
    &mut tables[at]
}

impl TableChanges {
    fn rewound(&mut self) -> Result<&mut SpooledTempFile, RunError> {
        let failed = self.failed.take().map_or(Ok(()), Err).and_then(|()| self.rendered.rewind());
        failed.map_err(|error| {
            RunError::new(RunErrorKind::Sink, format!("the changed rows of `{}` cannot be shown: {error}", self.name))
                .with_hint("Make room in the temporary directory.")
        })?;
        Ok(&mut self.rendered)
    }
}
