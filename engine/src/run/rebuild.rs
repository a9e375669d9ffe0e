//! `rebuild`: state and tables are brought to a changed definition.
//!
//! Where the base tables compute what they computed before, their state is replayed into the views, and no file is
//! read. Otherwise every drop's file is read again, in ledger order.

use std::collections::BTreeSet;

use vardelta_schemas::ledger::DropRow;

use crate::{
    contract::{sink::Access, stage::Planned},
    epoch::{
        commit::{self, Outcome},
        context::Context,
        open::{self, Opened, spill_dir},
        reject_share::check_reject_share,
    },
    error::{RunError, RunErrorKind},
    event::RunEvent,
    flow::{
        RunContext,
        feed::Item,
        table::{Assertion, key_space},
    },
    plan::{
        Plan, changed_stages,
        content::{Definitions, Wanted},
        is_table,
    },
    relational::{Relational, spaces},
    report::{Action, DropReport, RunReport},
    rows::RowBatch,
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries::{self, Standing, load},
        guards,
    },
    state::{SHARDS, Session},
};

/// Rows of a table that are replayed together.
pub(crate) const REPLAY_ROWS: usize = 4_096;

/// Recomputes state and sink tables for the pipeline as it is now.
///
/// # Errors
/// When a file that must be read again is gone (all such files are named), or for sink or state trouble; nothing was
/// written then.
pub fn rebuild(context: Context<'_>, options: &RunOptions) -> Result<RunReport, RunError> {
    context.to_the_end(|| rebuild_once(context, options))
}

fn rebuild_once(context: Context<'_>, options: &RunOptions) -> Result<RunReport, RunError> {
    let plan = context.plan;
    let access = if options.dry_run { Access::Read } else { Access::Write };
    let mut opened = open::open_to_rebuild(plan, access)?;
    if opened.ledger.epoch == 0 {
        return Err(RunError::new(
            RunErrorKind::Usage,
            format!("{} holds nothing of `{}` yet", plan.sink().location(), plan.pipeline.name),
        )
        .with_hint("There is nothing to rebuild: use `vardelta run`."));
    }
    let workers = options.workers_of(plan);
    let session = opened.state.begin()?;
    let epoch = opened.ledger.epoch + 1;
    let spill_dir = spill_dir(context, options.dry_run);
    let mut work = Work { session, epoch, workers, loads: Vec::new(), retractions: Vec::new(), spill_dir };
    clear_views(plan, &work.session);

    let definitions = Definitions::of(plan, &opened.ledger.definition, Wanted::All)?;
    let changed = changed_stages(&opened.ledger.definition, &definitions);
    let mut outcome = Outcome { replace_tables: true, ..Outcome::new(definitions) };
    let mut drops = Vec::new();
    let mut report = context.start(opened.ledger.epoch, workers, options.dry_run);
    let run = if opened.state.epoch() == opened.ledger.epoch && tables_are_the_same(plan, &changed) {
        outcome.without_drop = Some(Action::Rebuilt);
        compute::replay(context, work, Box::new(|run, send| send_state(run, send)))?
    } else {
        clear_tables(plan, &work.session);
        let files = candidates(context, options, &opened)?;
        work.loads = files.iter().map(|(drop, candidate)| load(candidate, drop.drop_id)).collect();
        let run = compute::load(context, work)?;
        check_reject_share(plan, &run)?;
        for ((old, candidate), load) in files.iter().zip(&run.loads) {
            let counts = load.records.counts();
            let changed = matches!(candidate.standing, Standing::Changed(_));
            let reason = if changed { "its file's content changed" } else { "read again" };
            drops.push(DropReport::new(&old.name, &old.source, Action::Rebuilt, reason, counts));
            outcome.upserted.push((
                Action::Rebuilt,
                DropRow {
                    bytes_digest: candidate.bytes_digest.clone(),
                    content_digest: load.content_digest(),
                    loaded_epoch: epoch,
                    counts,
                    ..old.clone()
                },
            ));
        }
        if files.is_empty() {
            outcome.without_drop = Some(Action::Rebuilt);
        }
        run
    };
    drops.into_iter().for_each(|drop| context.tell(&mut report, RunEvent::Drop(drop)));
    commit::conclude(context, &mut opened, &run, outcome, &mut report)?;
    Ok(report)
}

/// Whether every base table, and all that leads to it, computes what the ledger says it computed.
pub(crate) fn tables_are_the_same(plan: &Plan, changed: &BTreeSet<String>) -> bool {
    plan.stages
        .iter()
        .filter(|stage| stage.before_tables || is_table(&stage.planned))
        .all(|stage| !changed.contains(&stage.name))
}

/// Empties the views' spaces, and those of stages that the pipeline no longer has.
pub(crate) fn clear_views(plan: &Plan, session: &Session) {
    clear(session, |owner| !plan.stages.iter().any(|stage| stage.name == owner && is_table(&stage.planned)));
}

pub(crate) fn clear_tables(plan: &Plan, session: &Session) {
    clear(session, |owner| plan.stages.iter().any(|stage| stage.name == owner && is_table(&stage.planned)));
}

/// Empties the spaces of the stages for which this is so.
fn clear(session: &Session, is_meant: impl Fn(&str) -> bool) {
    for space in session.statistics().into_iter().map(|statistics| statistics.space) {
        if is_meant(spaces::owner(&space)) {
            session.clear_space(&space);
        }
    }
}

/// The files of all drops that stand, in ledger order.
pub(crate) fn candidates(
    context: Context<'_>,
    options: &RunOptions,
    opened: &Opened,
) -> Result<Vec<(DropRow, deliveries::Candidate)>, RunError> {
    let drops = &opened.ledger.drops;
    let missing: Vec<String> = drops
        .iter()
        .filter(|drop| !deliveries::file_of(context.plan, drop).is_some_and(|path| path.is_file()))
        .map(|drop| format!("drop `{}` of `{}`: {}", drop.name, drop.source, drop.path))
        .collect();
    if !missing.is_empty() {
        return Err(RunError::new(
            RunErrorKind::Input,
            format!(
                "these files must be read again and are not there:\n  - {}\nnothing was written",
                missing.join("\n  - ")
            ),
        )
        .with_hint(
            "Put them back under these paths, or withdraw their drops with the pipeline's old definition first.",
        ));
    }
    let mut files = Vec::new();
    for drop in drops {
        if context.plan.stage(&drop.source).is_none() {
            return Err(RunError::new(
                RunErrorKind::Usage,
                format!(
                    "drop `{}` was delivered to source `{}`, which the pipeline no longer has",
                    drop.name, drop.source
                ),
            )
            .with_hint("Withdraw it with the pipeline's old definition first, or keep the source's name."));
        }
        let request = RunOptions {
            files: Vec::from_iter(deliveries::file_of(context.plan, drop)),
            into: Some(drop.source.clone()),
            name: Some(drop.name.clone()),
            ..options.clone()
        };
        let found = deliveries::find(context.plan, context.abort, &request, &opened.ledger)?;
        guards::check_shrink(context.plan, &request, &found.candidates)?;
        files.extend(found.candidates.into_iter().map(|candidate| (drop.clone(), candidate)));
    }
    Ok(files)
}

/// Sends the standing rows of every table, from its state.
pub(crate) fn send_state(run: &RunContext, send: &mut dyn FnMut(Item) -> bool) -> Result<(), RunError> {
    for (at, stage) in run.plan.stages.iter().enumerate() {
        if is_table(&stage.planned) && !send_table(run, at, &run.session, send)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends the standing rows of one table, from its state; false when nobody listens any more.
pub(crate) fn send_table(
    run: &RunContext,
    at: usize,
    session: &std::sync::Arc<Session>,
    send: &mut dyn FnMut(Item) -> bool,
) -> Result<bool, RunError> {
    let mut rows = RowBatch::default();
    let mut listening = true;
    standing_rows(run, at, session, &mut |key, value| {
        rows.push(key, value, 1);
        if rows.len() == REPLAY_ROWS {
            listening = send(Item::Rows { table: at, rows: std::mem::take(&mut rows) });
        }
        listening
    })?;
    Ok(listening && (rows.is_empty() || send(Item::Rows { table: at, rows })))
}

/// The standing rows of one table, from its state, until `each` has enough.
pub(crate) fn standing_rows(
    run: &RunContext,
    at: usize,
    session: &std::sync::Arc<Session>,
    each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), RunError> {
    let stage = &run.plan.stages[at];
    let Planned::Relational(Relational::Table(spec)) = &stage.planned else { return Ok(()) };
    for shard in 0..SHARDS {
        let mut reader = session.reader(&key_space(&stage.name), shard)?;
        let mut scan = reader.scan(&[])?;
        while let Some((key, bytes)) = scan.next_borrowed()? {
            let list = Assertion::decode(bytes)
                .ok_or_else(|| RunError::internal(format!("the state of `{}` cannot be read", stage.name)))?;
            if let Some(winner) = Assertion::winner(&list, spec.conflict)
                && !each(key, spec.conflict.row(&winner.value))
            {
                return Ok(());
            }
        }
    }
    Ok(())
}
