//! Guards against what looks like a slip: a folder that is not mounted looks like one whose files were deleted, and a file
//! that was cut off like one that was corrected.

use vardelta_schemas::ledger::{DropRow, Snapshot};

use crate::{
    error::{FileAtFault, RunError, RunErrorKind},
    plan::{Plan, source},
    run::{
        RunOptions,
        deliveries::{Candidate, Deliveries, Standing},
    },
};

/// How many drops a message names.
const NAMED: usize = 5;

/// Refuses to withdraw what is gone where a source matches no file at all, or where more than `max_prune_share` of its drops
/// are gone. A file that lies under another name by now (its bytes are there) is not counted as gone.
pub(super) fn check_prune(
    plan: &Plan,
    options: &RunOptions,
    ledger: &Snapshot,
    found: &Deliveries,
) -> Result<(), RunError> {
    if options.prune_all {
        return Ok(());
    }
    let mut sources: Vec<&str> = found.gone.iter().map(|drop| drop.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    for stage in sources {
        let of_source = |drop: &&DropRow| drop.source == stage;
        let delivered = || found.candidates.iter().filter(|candidate| plan.stages[candidate.source].name == stage);
        let renamed =
            |drop: &DropRow| delivered().any(|candidate| candidate.bytes_digest.as_ref() == Some(&drop.bytes_digest));
        let gone: Vec<&DropRow> = found.gone.iter().filter(of_source).filter(|drop| !renamed(drop)).collect();
        let (total, limit) = (ledger.drops.iter().filter(of_source).count(), plan.pipeline.max_prune_share);
        let planned = plan.stage(stage).and_then(|(at, _)| source(plan, at).ok());
        let has_path = planned.is_some_and(|source| source.pattern().is_some());
        let why = if has_path && delivered().next().is_none() && !gone.is_empty() {
            "its path matches no file at all".to_owned()
        } else if gone.len() as f64 > limit * total as f64 {
            format!("that is more than max_prune_share = {limit} allows")
        } else {
            continue;
        };
        let names = gone.iter().take(NAMED).map(|drop| format!("\n  - {}: {}", drop.name, drop.path));
        let more = match gone.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("\n  - and {more} more"),
        };
        let message = format!(
            "source `{stage}`: the files of {} of its {total} drops are gone, and {why}; nothing was withdrawn, and nothing \
             was written{}{more}",
            gone.len(),
            names.collect::<String>()
        );
        return Err(RunError::new(RunErrorKind::Input, message).with_hint(
            "See whether the folder is mounted and whole. If these drops are to go, give `--prune-all`, or withdraw them by \
             name.",
        ));
    }
    Ok(())
}

/// Refuses a new delivery of a drop that lacks more than `max_shrink_share` of the records that the last one had.
pub(super) fn check_shrink(plan: &Plan, options: &RunOptions, candidates: &[Candidate]) -> Result<(), RunError> {
    if options.accept_smaller {
        return Ok(());
    }
    let limit = plan.pipeline.max_shrink_share;
    let smaller = || {
        candidates.iter().filter_map(|candidate| match (&candidate.standing, candidate.records) {
            (Standing::Changed(old), Some(now)) => {
                let lost = old.counts.read.saturating_sub(now);
                (lost as f64 > limit * old.counts.read as f64).then_some((candidate, old.counts.read, now))
            }
            _ => None,
        })
    };
    let listed: Vec<String> = smaller()
        .map(|(candidate, before, now)| {
            let (name, path) = (&candidate.name, &candidate.recorded_path);
            format!("\n  - drop `{name}` had {before} records, and {path} has {now}")
        })
        .collect();
    if listed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "a new delivery lacks more of its drop's records than max_shrink_share = {limit} allows; nothing was written{}",
        listed.concat()
    );
    Err(RunError::new(RunErrorKind::Input, message).with_hint(
        "See whether the file is whole. If the records are to go, give `run` the option `--accept-smaller`, and any other verb \
         `--set pipeline.max_shrink_share=1`.",
    )
    .about(smaller().map(|(candidate, ..)| FileAtFault::new(&plan.stages[candidate.source].name, &candidate.file.path))))
}
