//! `rebuild`: state and tables are brought to a changed definition.
//!
//! Where the base tables compute what they computed before, their state is replayed into the views, and no file is
//! read. Otherwise every drop's file is read again, in ledger order.

use std::collections::BTreeSet;

use vardelta_schemas::ledger::{DropRow, Epoch};

use crate::{
    epoch::{
        commit,
        context::Context,
        drops,
        open::{self, Opened},
        outcome::Outcome,
        reject_share::check_reject_share,
    },
    error::{RunError, RunErrorKind},
    event::RunEvent,
    flow::{RunContext, feed::Item, lookup::forget_orphans, table::scan_assertions},
    locks::Locked as _,
    plan::{
        Plan, PlannedStage, StageIndex, changed_stages,
        content::{Definitions, Wanted},
        dimensions::right_sides,
    },
    relational::{
        Relation,
        spaces::{self, answers},
    },
    report::{Action, DropReport, RunReport},
    rows::RowBatch,
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries::{self, Standing, load},
        guards, lookups,
    },
    state::{SHARDS, Session, State},
};

/// Rows of a table that are replayed together.
pub(crate) const REPLAY_ROWS: usize = 4_096;

/// Recomputes state and sink tables for the pipeline as it is now.
///
/// # Errors
/// When a file that must be read again is gone (all such files are named), or for sink or state trouble.
pub fn rebuild(context: Context<'_>, options: &RunOptions) -> Result<RunReport, RunError> {
    context.to_the_end(|| rebuild_once(context, options))
}

fn rebuild_once(context: Context<'_>, options: &RunOptions) -> Result<RunReport, RunError> {
    let plan = context.plan;
    let mut opened = open::open_to_rebuild(plan, options.access())?;
    if opened.ledger.epoch == Epoch::NONE {
        return Err(RunError::new(
            RunErrorKind::Usage,
            format!("{} holds nothing of `{}` yet", plan.sink().location(), plan.pipeline.name),
        )
        .with_hint("There is nothing to rebuild: use `vardelta run`."));
    }
    let workers = options.workers_of(plan);
    let definitions = Definitions::of(plan, &opened.ledger.definition, Wanted::All)?;
    let changed = changed_stages(&opened.ledger.definition, &definitions)?;
    let why_files = why_files(plan, &changed, &opened)?;
    if let Some(WhyFiles::Damaged(_)) = &why_files {
        opened = open::anew(plan, opened)?;
    }
    let epoch = opened.ledger.epoch.next();
    let mut work = Work::on(&opened.state, epoch, workers, opened.spill_dir(plan))?;
    clear_views(plan, &work.session);

    let mut outcome = Outcome { replace_tables: true, ..Outcome::new(definitions) };
    let mut drops = Vec::new();
    let mut report = context.start(opened.ledger.epoch, workers, options.dry_run);
    for notice in why_files.iter().flat_map(WhyFiles::notice) {
        context.tell(&mut report, RunEvent::Notice(notice));
    }
    let plane = if why_files.is_none() {
        outcome.without_drop = Some(Action::Rebuilt);
        compute::replay(context, work, Box::new(|run, send| send_state(run, send)))?
    } else {
        clear_tables(plan, &work.session);
        outcome.lists_all_drops = true;
        let files = candidates(context, options, &opened, why_files.as_ref())?;
        work.loads =
            files.iter().map(|(drop, candidate)| load(plan, &opened.ledger, candidate, drop.drop_id)).collect();
        let plane = compute::load(context, work)?;
        let run = plane.run();
        forget_orphans(plan, &run.session)?;
        check_reject_share(plan, run)?;
        for ((old, candidate), load) in files.iter().zip(&run.loads) {
            let counts = load.records.counts();
            let changed = matches!(candidate.standing, Standing::Changed(_));
            let reason = if changed { "its file's content changed" } else { "read again" };
            drops.push(DropReport::new(&old.name, &old.source, Action::Rebuilt, reason, counts));
            outcome.upserted.push((
                Action::Rebuilt,
                DropRow {
                    bytes_digest: load.bytes_digest()?.to_owned(),
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
        plane
    };
    drops.into_iter().for_each(|drop| context.tell(&mut report, RunEvent::Drop(drop)));
    lookups::tell(context, &plane.run().session, Some(plane.run()), &mut report)?;
    commit::conclude(context, &mut opened, plane.as_ref(), outcome, &mut report)?;
    Ok(report)
}

/// Why the drops' files must be read again.
pub(crate) enum WhyFiles {
    /// What the tables hold is computed in another way than before.
    Definition,
    /// The state is not of the ledger's epoch, or holds other drops.
    OtherState,
    /// The state is damaged, as the error says.
    Damaged(RunError),
}

impl WhyFiles {
    fn words(&self) -> String {
        match self {
            WhyFiles::Definition => "the base tables are computed in another way".to_owned(),
            WhyFiles::OtherState => "the state is not that of the ledger's last epoch".to_owned(),
            WhyFiles::Damaged(error) => error.to_string(),
        }
    }

    fn notice(&self) -> Option<String> {
        let is_trouble = !matches!(self, WhyFiles::Definition);
        is_trouble.then(|| format!("{}: the state was rebuilt from the drops' files", self.words()))
    }
}

/// Why the files must be read again; `None` where the state will do. Whatever of it is kept is read once before, so that
/// damage is found while there is still another way.
fn why_files(plan: &Plan, changed: &BTreeSet<String>, opened: &Opened) -> Result<Option<WhyFiles>, RunError> {
    if !tables_are_the_same(plan, changed) {
        return Ok(Some(WhyFiles::Definition));
    }
    if opened.state.locked().id() != opened.ledger.id() {
        return Ok(Some(WhyFiles::OtherState));
    }
    let agrees = drops::disagreements(&opened.state.locked(), &opened.ledger).map(|found| found.is_empty());
    match agrees.and_then(|agrees| check_readable(plan, &opened.state.locked()).map(|()| agrees)) {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(WhyFiles::OtherState)),
        Err(error) if error.is_damaged_state() => Ok(Some(WhyFiles::Damaged(error))),
        Err(error) => Err(error),
    }
}

/// Reads everything that the state keeps of the base tables.
fn check_readable(plan: &Plan, state: &State) -> Result<(), RunError> {
    let session = state.begin()?;
    let before = session.snapshot();
    for stage in &plan.stages {
        let Some(spec) = stage.as_table() else { continue };
        for shard in 0..SHARDS {
            for space in spec.spaces(&stage.name) {
                let mut reader = session.reader(&space, shard)?;
                // Asks every run's filter.
                reader.get(b"")?;
                let mut scan = reader.scan(&[])?;
                while scan.next_borrowed()?.is_some() {}
            }
            scan_assertions(&before, &stage.name, shard, spec.conflict, &mut |_, _, _| true)?;
        }
    }
    Ok(())
}

/// Whether every base table, and all that leads to it, computes what the ledger says it computed.
pub(crate) fn tables_are_the_same(plan: &Plan, changed: &BTreeSet<String>) -> bool {
    plan.stages
        .iter()
        .filter(|stage| stage.before_tables || stage.is_table())
        .all(|stage| !changed.contains(&stage.name))
}

/// Empties the views' spaces, and those of stages that the pipeline no longer has. Answers stay: whatever is recomputed, nobody
/// is asked again.
pub(crate) fn clear_views(plan: &Plan, session: &Session) {
    // The list of drops is of no stage.
    let is_kept =
        |owner: &str| owner.is_empty() || plan.stages.iter().any(|stage| stage.name == owner && stage.is_table());
    let is_answers =
        |space: &str| plan.stages.iter().any(|stage| stage.as_lookup().is_some() && answers(&stage.name) == space);
    clear(session, |space| !is_kept(spaces::owner(space)) && !is_answers(space));
}

pub(crate) fn clear_tables(plan: &Plan, session: &Session) {
    let is_owner = |stage: &PlannedStage, space: &str| stage.name == spaces::owner(space) && stage.is_table();
    clear(session, |space| plan.stages.iter().any(|stage| is_owner(stage, space)));
}

/// Empties the spaces for which this is so.
fn clear(session: &Session, is_meant: impl Fn(&str) -> bool) {
    for space in session.statistics().into_iter().map(|statistics| statistics.space) {
        if is_meant(&space) {
            session.clear_space(&space);
        }
    }
}

/// The files of all drops that stand, in ledger order.
pub(crate) fn candidates(
    context: Context<'_>,
    options: &RunOptions,
    opened: &Opened,
    why: Option<&WhyFiles>,
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
                "{}these files must be read again and are not there:\n  - {}",
                why.map(|why| format!("{}; ", why.words())).unwrap_or_default(),
                missing.join("\n  - ")
            ),
        )
        .with_hint(match why {
            Some(WhyFiles::Damaged(_) | WhyFiles::OtherState) => {
                "Put them back under these paths; or put back a copy of the state directory of this epoch."
            }
            _ => "Put them back under these paths, or withdraw their drops with the pipeline's old definition first.",
        }));
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
    let is_right = right_sides(&run.plan);
    let mut tables: Vec<StageIndex> = run.plan.stages.places_where(PlannedStage::is_table).collect();
    tables.sort_by_key(|at| !is_right[*at]);
    for at in tables {
        if !send_table(run, at, &run.session, send)? {
            break;
        }
    }
    Ok(())
}

/// Sends the standing rows of one table, from its state; false when nobody listens any more.
pub(crate) fn send_table(
    run: &RunContext,
    at: StageIndex,
    session: &std::sync::Arc<Session>,
    send: &mut dyn FnMut(Item) -> bool,
) -> Result<bool, RunError> {
    let mut rows = RowBatch::default();
    let mut listening = true;
    standing_rows(&run.plan, at, session, &mut |key, value| {
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
    plan: &Plan,
    at: StageIndex,
    session: &std::sync::Arc<Session>,
    each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), RunError> {
    let stage = &plan.stages[at];
    let Some(spec) = stage.as_table() else { return Ok(()) };
    let before = session.snapshot();
    let mut goes_on = true;
    for shard in 0..SHARDS {
        scan_assertions(&before, &stage.name, shard, spec.conflict, &mut |key, (_, _, _, value), stands| {
            goes_on = !stands || each(key, spec.conflict.row(value));
            goes_on
        })?;
        if !goes_on {
            break;
        }
    }
    Ok(())
}
