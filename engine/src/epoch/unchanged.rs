//! The rows that an epoch leaves as they were.

use vardelta_schemas::ledger::{Snapshot, TableCounts};

use crate::plan::Plan;

/// The tables of a run that changed nothing.
pub(crate) fn untouched(plan: &Plan, ledger: &Snapshot) -> Vec<TableCounts> {
    plan.tables()
        .iter()
        .map(|table| TableCounts {
            name: table.name.clone(),
            unchanged: rows_before(ledger, &table.name),
            ..TableCounts::default()
        })
        .collect()
}

/// The rows of a table before the epoch.
pub(crate) fn rows_before(ledger: &Snapshot, table: &str) -> u64 {
    let counts = ledger.tables.iter().find(|counts| counts.name == table);
    counts.map_or(0, |counts| counts.inserted + counts.updated + counts.unchanged)
}

/// Counts the rows that stay, where the tables are not replaced.
pub(super) fn count_unchanged(counts: &mut [TableCounts], ledger: &Snapshot, replaced: bool) {
    for table in counts.iter_mut().filter(|_| !replaced) {
        table.unchanged = rows_before(ledger, &table.name).saturating_sub(table.updated + table.deleted);
    }
}
