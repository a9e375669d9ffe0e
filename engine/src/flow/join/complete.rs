//! The completed right side of a left join: an empty group holds one row of NULLs.
//!
//! `A left-join B` is the inner join of `A` with `C(B)`, where a group of `C(B)` is that of `B`, or one row of NULLs where that
//! is empty. So NULLs appear and vanish by the same rule as rows: a group that was empty and is not takes its NULLs back, one
//! that was not and is puts them in place.

use super::{layout::SideRow, stored::Stored};
use crate::{error::RunError, rows::Row};

/// Adds, to the changes of a right side (by shard and entry, consolidated), those of the NULLs that complete it.
pub(super) fn complete(changes: Vec<SideRow>, stored: &mut Stored) -> Result<Vec<SideRow>, RunError> {
    let mut completed = Vec::with_capacity(changes.len());
    for group in changes.chunk_by(|a, b| a.shard == b.shard && a.group() == b.group()) {
        let first = &group[0];
        let change: i64 = group.iter().map(|row| row.diff).sum();
        let was_empty = stored.is_empty(first.shard, first.group())?;
        let is_empty = match (was_empty, change) {
            (true, change) => change == 0,
            // As many as there were have gone, perhaps all.
            (false, change) if change < 0 => !outlives(group, stored)?,
            (false, _) => false,
        };
        if was_empty != is_empty {
            let entry: Row = first.group().into();
            let diff = if is_empty { 1 } else { -1 };
            completed.push(SideRow { entry, value: None, diff, ..first.clone() });
        }
        completed.extend_from_slice(group);
    }
    Ok(completed)
}

/// Whether a group has a stored row that its changes leave in place.
fn outlives(changes: &[SideRow], stored: &mut Stored) -> Result<bool, RunError> {
    const PIECE_ROWS: usize = 256;
    let added = changes.iter().any(|row| row.diff > 0);
    let is_taken = |entry: &Row| changes.iter().any(|row| row.entry == *entry && row.diff < 0);
    let (shard, group) = (changes[0].shard, changes[0].group().to_vec());
    let mut from = Some(group.clone());
    while let Some(at) = from.take().filter(|_| !added) {
        let mut rows = Vec::new();
        from = stored.read(shard, &group, &at, PIECE_ROWS, &mut rows)?;
        if rows.iter().any(|row| !is_taken(&row.entry)) {
            return Ok(true);
        }
    }
    Ok(added)
}
