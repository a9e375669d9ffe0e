//! The search after an erasure: everything that is left must be somebody else's.

use std::sync::Arc;

use crate::{
    contract::erasure::{Erasure, Place, Search, texts_in_file},
    epoch::{
        context::Context,
        open::{Opened, state_directory},
        scratch,
    },
    error::{RunError, RunErrorKind},
    locks::Locked as _,
    plan::Plan,
    run::{
        RunOptions,
        erased_entries::entries_of,
        verify::{Ways, verify_opened},
    },
    state::{SHARDS, Session},
};

/// Searches state, tables, histories, rejects, ledger and files.
pub(super) fn search(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    erasure: &Erasure,
) -> Result<Search, RunError> {
    let mut search = opened.sink.search(erasure)?;
    let (mut of_drops, mut of_views) = (0, 0);
    let verified = verify_opened(context, options, opened, Ways::REPLAY, &mut |state, recomputed| {
        of_drops = entries_of(context, state, erasure)?;
        of_views = entries_without_reason(context.plan, state, recomputed)?;
        Ok(())
    })?;
    let whose = if erasure.member.is_some() { "entries of the erased sample" } else { "entries of the erased drops" };
    search.found(Place::State, of_drops, whose);
    search.found(Place::State, of_views, "entries of views that the other drops do not account for");
    for table in verified.tables {
        let what = format!("rows of `{}` that the other drops do not account for (see `vardelta verify`)", table.name);
        search.found(Place::Tables, table.differences, what);
    }
    let left_by_others = scratch::leftovers(&state_directory(context.plan));
    for path in opened.state.locked().leftovers()?.into_iter().chain(left_by_others) {
        search.found(Place::Files, 1, format!("{} belongs to no epoch, and cannot be deleted", path.display()));
    }
    state_files(opened, erasure, &mut search)?;
    Ok(search)
}

/// Entries of views that differ from those of the same views recomputed from the tables.
fn entries_without_reason(plan: &Plan, state: &Arc<Session>, recomputed: &Arc<Session>) -> Result<u64, RunError> {
    let mut found = 0;
    for stage in plan.stages.iter().filter(|stage| !stage.is_table()) {
        let Some(relation) = stage.relation() else { continue };
        for space in relation.spaces(&stage.name) {
            for shard in 0..SHARDS {
                let (mut left, mut right) = (state.reader(&space, shard)?, recomputed.reader(&space, shard)?);
                let (mut left, mut right) = (left.scan(&[])?, right.scan(&[])?);
                let mut expected = right.next()?;
                while let Some((key, value)) = left.next_borrowed()? {
                    while expected.as_ref().is_some_and(|expected| expected.0.as_slice() < key) {
                        expected = right.next()?;
                    }
                    let is_expected = expected.as_ref().is_some_and(|(other, same)| other == key && same == value);
                    found += u64::from(!is_expected);
                }
            }
        }
    }
    Ok(found)
}

/// The names, byte by byte in the state's files. One that is in what other drops say proves nothing.
fn state_files(opened: &Opened, erasure: &Erasure, search: &mut Search) -> Result<(), RunError> {
    let texts = erasure.searched_texts();
    if texts.is_empty() {
        return Ok(());
    }
    let mut held = vec![false; texts.len()];
    // The search below asks the state again.
    let files = opened.state.locked().files()?;
    for path in files {
        let found = texts_in_file(&path, &texts).map_err(|error| {
            RunError::new(RunErrorKind::Sink, format!("{} cannot be searched: {error}", path.display()))
        })?;
        for at in (0..texts.len()).filter(|at| found[*at]) {
            if !held[at] && is_live(opened, &texts[at])? {
                held[at] = true;
                search.notices.push(format!("`{}` is in rows of other drops too, in the state", texts[at]));
            }
            search.found(Place::Files, u64::from(!held[at]), format!("`{}` is in {}", texts[at], path.display()));
        }
    }
    Ok(())
}

/// Whether an entry of the state, all of which are other drops', holds a text.
fn is_live(opened: &Opened, text: &str) -> Result<bool, RunError> {
    let (session, spaces) = {
        let state = opened.state.locked();
        (state.begin()?, state.statistics())
    };
    let finder = memchr::memmem::Finder::new(text);
    for space in spaces {
        for shard in 0..SHARDS {
            let mut reader = session.reader(&space.space, shard)?;
            let mut scan = reader.scan(&[])?;
            while let Some((key, value)) = scan.next_borrowed()? {
                if finder.find(key).or_else(|| finder.find(value)).is_some() {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}
