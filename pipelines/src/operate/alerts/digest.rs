//! Variants that an epoch reclassified, from the history that the sink keeps.

use std::ops::RangeInclusive;

use vardelta_engine::{
    error::RunError,
    plan::{Plan, ReclassificationOptions},
};
use vardelta_schemas::ledger::Epoch;

use super::{alert::Detail, message::Item};
use crate::happened::{self, Histories};

/// What these epochs reclassified; `None` where it is nothing.
///
/// # Errors
/// When the database cannot be read.
pub fn read(
    plan: &Plan,
    options: &ReclassificationOptions,
    epochs: RangeInclusive<Epoch>,
) -> Result<Option<Item>, RunError> {
    let (table, by) = (&options.table.value, &options.by.value);
    let histories = Histories::of(plan, Some(table))?;
    let all = histories.read(plan, epochs.clone())?;
    let mut moved = histories.moved_by(by, options.carriers.as_ref().map(|carriers| carriers.value.as_str()), all);
    let count = moved.len() as u64;
    if count == 0 {
        return Ok(None);
    }
    moved.truncate(usize::try_from(options.top_rows).unwrap_or(usize::MAX));
    let which = match epochs.end() == epochs.start() {
        true => format!("--epoch {}", epochs.end()),
        false => format!("--since {}", epochs.start().number() - 1),
    };
    let file = std::path::absolute(&plan.pipeline.file).unwrap_or_else(|_| plan.pipeline.file.clone());
    let command = format!("vardelta changes {} {which} --table {table} --by {by}", quoted(&file.display().to_string()));
    let rows = happened::text(&histories, &moved, false);
    let shown = moved.len() as u64;
    let all = if shown < count { format!("the first {shown} of {count}; all of them:") } else { "the same:".into() };
    Ok(Some(Item::Reclassified(
        count,
        Detail {
            whole: format!("{}\n\n{all} {command}", rows.trim_end()),
            bare: format!(
                "rows of {table} whose {by} was moved; they are shown by: vardelta changes … {which} --table {table} --by {by}"
            ),
        },
    )))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
