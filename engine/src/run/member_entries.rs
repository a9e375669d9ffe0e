//! What the state holds of one member of drops, for the search after an erasure.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow_array::{Array as _, cast::AsArray as _};

use crate::{
    contract::erasure::{ErasedMember, Erasure},
    epoch::context::Context,
    error::RunError,
    flow::table::{drop_entry, drop_space},
    member_mark::is_of,
    plan::member::member_keys,
    rows::RowLayout,
    state::{SHARDS, Session},
};

/// Keys that are decoded at a time.
const KEYS: usize = 4_096;

/// Entries of the state that are of the member, in the tables that its drops come to.
pub(super) fn entries_of_member(
    context: Context<'_>,
    state: &Arc<Session>,
    erasure: &Erasure,
    member: &ErasedMember,
) -> Result<u64, RunError> {
    let plan = context.plan;
    let ids: BTreeSet<u64> = erasure.drops.iter().map(|drop| drop.drop_id).collect();
    let mut columns: BTreeMap<&String, BTreeMap<usize, usize>> = BTreeMap::new();
    for source in erasure.drops.iter().map(|drop| &drop.source).collect::<BTreeSet<_>>() {
        if let Some((at, _)) = plan.stage(source)
            && let Some(Ok(of_source)) = member_keys(plan, at)
        {
            columns.insert(source, of_source);
        }
    }
    let tables: BTreeMap<usize, usize> = columns.into_values().flatten().collect();
    let (mut found, mut judged) = (0, BTreeMap::new());
    for (table, column) in tables {
        let stage = &plan.stages[table];
        let layout = RowLayout::new(&stage.schema, stage.identity()).map_err(RunError::internal)?;
        let mut count = |keys: &mut Vec<Vec<u8>>| -> Result<(), RunError> {
            let decoded = layout.decode_keys(keys.iter().map(Vec::as_slice)).map_err(RunError::internal)?;
            let names = decoded.get(column).and_then(|names| names.as_string_opt::<i32>());
            let names = names.ok_or_else(|| RunError::damaged_state(&stage.name, "has keys without a sample"))?;
            for name in (0..names.len()).map(|at| names.value(at)) {
                let is_it = match judged.get(name) {
                    Some(known) => *known,
                    None => {
                        let is_it = member.name.as_deref() == Some(name) || is_of(&member.mark, name);
                        judged.insert(name.to_owned(), is_it);
                        is_it
                    }
                };
                found += u64::from(is_it);
            }
            keys.clear();
            Ok(())
        };
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for shard in 0..SHARDS {
            context.abort.check()?;
            let mut reader = state.reader(&drop_space(&stage.name), shard)?;
            let mut scan = reader.scan(&[])?;
            while let Some((entry, _)) = scan.next_borrowed()? {
                let (place, _, key) =
                    drop_entry(entry).ok_or_else(|| RunError::damaged_state(&stage.name, "cannot be read"))?;
                if ids.contains(&place) {
                    keys.push(key.to_vec());
                }
                if keys.len() == KEYS {
                    count(&mut keys)?;
                }
            }
        }
        count(&mut keys)?;
    }
    Ok(found)
}
