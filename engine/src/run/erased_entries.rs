//! What the state holds of drops, or of one member of drops: for the count of what an erasure takes out, and for the search after it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use vardelta_schemas::ledger::DropId;

use arrow_array::{Array as _, cast::AsArray as _};

use crate::{
    contract::erasure::{ErasedMember, Erasure},
    epoch::context::Context,
    error::RunError,
    flow::table::{drop_entry, drop_space, scan_assertions},
    member_mark::is_of,
    plan::{Plan, StageIndex, member::member_keys},
    relational::Conflict,
    state::{SHARDS, Session},
};

/// Keys that are decoded at a time.
const KEYS: usize = 4_096;

/// How much drops assert.
pub(super) fn assertions_of(context: Context<'_>, state: &Arc<Session>, erasure: &Erasure) -> Result<u64, RunError> {
    let mut found = 0;
    for stage in context.plan.stages.iter().filter(|stage| stage.is_table()) {
        for shard in 0..SHARDS {
            each_by_drop(state, &stage.name, shard, &ids(erasure), &mut |_| {
                found += 1;
                Ok(())
            })?;
        }
    }
    Ok(found)
}

/// Entries of the state that are of what is erased. Each assertion is two: it lies there by key and by drop.
pub(super) fn entries_of(context: Context<'_>, state: &Arc<Session>, erasure: &Erasure) -> Result<u64, RunError> {
    match &erasure.member {
        Some(member) => of_member(context, state, erasure, member),
        None => of_drops(context, state, erasure),
    }
}

fn of_drops(context: Context<'_>, state: &Arc<Session>, erasure: &Erasure) -> Result<u64, RunError> {
    let mut found = 0;
    for stage in context.plan.stages.iter().filter(|stage| stage.is_table()) {
        each_entry(context, state, &stage.name, erasure, &mut |_| {
            found += 1;
            Ok(())
        })?;
    }
    Ok(found)
}

/// Of the tables that the drops come to, whose keys hold the member.
fn of_member(
    context: Context<'_>,
    state: &Arc<Session>,
    erasure: &Erasure,
    member: &ErasedMember,
) -> Result<u64, RunError> {
    let (mut found, mut judged) = (0, BTreeMap::new());
    for (table, column) in tables_with_members(context.plan, erasure) {
        let stage = &context.plan.stages[table];
        let layout = stage.layout()?;
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
        each_entry(context, state, &stage.name, erasure, &mut |key| {
            keys.push(key.to_vec());
            if keys.len() == KEYS { count(&mut keys) } else { Ok(()) }
        })?;
        count(&mut keys)?;
    }
    Ok(found)
}

/// The tables that the drops come to, and which column of each one's key holds the member.
fn tables_with_members(plan: &Plan, erasure: &Erasure) -> BTreeMap<StageIndex, usize> {
    let sources: BTreeSet<&String> = erasure.drops.iter().map(|drop| &drop.source).collect();
    let found = sources.into_iter().filter_map(|source| {
        let (at, _) = plan.stage(source)?;
        member_keys(plan, at)?.ok()
    });
    found.flatten().collect()
}

/// Shows the key of every entry of a table that is an assertion of the erased drops.
fn each_entry(
    context: Context<'_>,
    state: &Arc<Session>,
    table: &str,
    erasure: &Erasure,
    each: &mut dyn FnMut(&[u8]) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let (before, ids) = (state.snapshot(), ids(erasure));
    for shard in 0..SHARDS {
        context.abort.check()?;
        let mut shown = Ok(());
        scan_assertions(&before, table, shard, Conflict::LatestDrop, &mut |key, (place, ..), _| {
            if ids.contains(&DropId::new(place)) {
                shown = each(key);
            }
            shown.is_ok()
        })?;
        shown?;
        each_by_drop(state, table, shard, &ids, each)?;
    }
    Ok(())
}

/// Shows the key of every assertion of drops in one shard of a table, as they lie by drop.
fn each_by_drop(
    state: &Arc<Session>,
    table: &str,
    shard: u32,
    ids: &BTreeSet<DropId>,
    each: &mut dyn FnMut(&[u8]) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let mut reader = state.reader(&drop_space(table), shard)?;
    for id in ids {
        let start = id.number().to_be_bytes();
        let mut scan = reader.scan_prefix(&start, &start)?;
        while let Some((entry, _)) = scan.next_borrowed()? {
            let (_, _, key) = drop_entry(entry).ok_or_else(|| RunError::damaged_state(table, "cannot be read"))?;
            each(key)?;
        }
    }
    Ok(())
}

fn ids(erasure: &Erasure) -> BTreeSet<DropId> {
    erasure.drops.iter().map(|drop| drop.drop_id).collect()
}
