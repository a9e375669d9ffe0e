//! What a run has to do with look-ups beside asking: which keys of earlier epochs are due, what is said of them, and what is
//! noted of those that got no answer.

use std::{collections::BTreeMap, sync::Arc};

use vardelta_schemas::ledger::{Epoch, LookupRow};

use crate::{
    clock,
    contract::{lookup::LookupFigures, sink::KeptLookups},
    display::grouped,
    epoch::{
        context::Context,
        open::Opened,
        outcome::{Outcome, lookup_drop},
    },
    error::{RunError, RunErrorKind},
    event::RunEvent,
    flow::{
        RunContext,
        lookup::{Desk, Due, count_waiting, scan_due, spec},
    },
    locks::Locked as _,
    plan::Plan,
    report::{Action, DropReport, LookupReport, RunReport},
    run::asking::{Questions, context_of},
    state::Session,
};

/// The keys of earlier epochs that are to be asked for now. Those that a service has asked to be left alone for a while are
/// left out, unless `all` are meant.
pub(super) fn due(plan: &Plan, opened: &mut Opened, all: bool) -> Result<Questions, RunError> {
    let mut questions = Questions::default();
    if !plan.stages.iter().any(|stage| stage.as_lookup().is_some()) || opened.ledger.epoch == Epoch::NONE {
        return Ok(questions);
    }
    let (session, now_s) = (opened.state.locked().begin()?, clock::now_s());
    for (at, stage) in plan.stages.indexed().filter(|(_, stage)| stage.as_lookup().is_some()) {
        let due = scan_due(&session, &stage.name, now_s)?;
        if !due.is_empty() {
            questions.earlier.insert(at, due.into_iter().map(|due| (due, 0)).collect());
        }
    }
    if questions.earlier.is_empty() {
        return Ok(questions);
    }
    let now = clock::now();
    let tried = opened.sink.lookups(&plan.pipeline.name, KeptLookups::Tried)?;
    let tried: BTreeMap<(&str, &str), &LookupRow> =
        tried.iter().map(|row| ((row.stage.as_str(), row.key.as_str()), row)).collect();
    for (at, keys) in &mut questions.earlier {
        keys.retain_mut(|(Due { key, .. }, attempts)| {
            let Some(row) = tried.get(&(plan.stages[*at].name.as_str(), key)) else { return true };
            *attempts = row.attempts;
            // Times of one form are in order as texts.
            all || row.next_try.as_ref().is_none_or(|next_try| *next_try <= now)
        });
    }
    questions.earlier.retain(|_, keys| !keys.is_empty());
    Ok(questions)
}

/// Refuses to write where too many keys got no answer for a pipeline that wants them.
pub(super) fn check_failed_share(run: &RunContext) -> Result<(), RunError> {
    for (stage, desk) in run.lookups.all() {
        let Some(spec) = run.plan.stages[stage].as_lookup() else { continue };
        let (Some(limit), Some(LookupFigures { wanted, failed, .. })) =
            (spec.lookup.max_failed_share(), desk.figures()?)
        else {
            continue;
        };
        if failed as f64 > limit * wanted as f64 {
            let reason = desk.last_error().map(|error| format!("; the last: {error}")).unwrap_or_default();
            let message = format!(
                "stage `{}`: {failed} of {wanted} keys got no answer, more than max_failed_share = {limit} allows{reason}",
                desk.stage()
            );
            return Err(RunError::new(RunErrorKind::RejectShare, message).with_hint(
                "Run again when the service answers; or raise `max_failed_share`, or leave it out: rows are then written with \
                 NULL, and later runs complete them.",
            ));
        }
    }
    Ok(())
}

/// Whether any key got an answer.
pub(super) fn is_answered(run: &RunContext) -> bool {
    run.lookups.all().any(|(_, desk)| desk.is_answered())
}

/// Notes in the outcome which stages completed what earlier epochs had left, and says so as of drops.
pub(super) fn note_completed(run: &RunContext, outcome: &mut Outcome, drops: &mut Vec<DropReport>) {
    for (_, desk) in run.lookups.all().filter(|(_, desk)| desk.completed() > 0) {
        let stage = desk.stage();
        outcome.completed.push(stage.to_owned());
        let reason = format!("{} keys of earlier epochs were answered", grouped(desk.completed()));
        drops.push(DropReport::new(&lookup_drop(stage), stage, Action::Completed, &reason, Default::default()));
    }
}

/// Tells what was asked, and how many keys wait in the state as this session sees it.
pub(super) fn tell(
    context: Context<'_>,
    session: &Arc<Session>,
    run: Option<&RunContext>,
    report: &mut RunReport,
) -> Result<(), RunError> {
    for (at, stage) in context.plan.stages.indexed().filter(|(_, stage)| stage.as_lookup().is_some()) {
        let desk = run.map(|run| run.lookups.of(at)).transpose()?;
        let figures = desk.map(|desk| desk.figures()).transpose()?.flatten().unwrap_or_default();
        let waiting = count_waiting(session, &stage.name)?;
        context.tell(report, RunEvent::Lookup(LookupReport { stage: stage.name.clone(), figures, waiting }));
        let why = desk.and_then(|desk| desk.last_error()).map(|error| format!(" ({error})")).unwrap_or_default();
        let (name, stale) = (&stage.name, desk.map_or(0, Desk::stale));
        if report.dry_run && figures.wanted == 0 && waiting > 0 {
            let notice = format!(
                "stage `{name}`: a dry run asks nobody; {} keys would be asked for, and their rows are shown without answers",
                grouped(waiting)
            );
            context.tell(report, RunEvent::Notice(notice));
        } else if waiting > 0 {
            let notice = format!(
                "stage `{name}`: {} keys wait for an answer{why}; their rows have NULL, and `vardelta run` completes them, \
                 also without new drops",
                grouped(waiting)
            );
            context.tell(report, RunEvent::Notice(notice));
        }
        if stale > 0 {
            let notice = format!(
                "stage `{name}`: {} answers have grown old and could not be refreshed{why}; they stay as they were",
                grouped(stale)
            );
            context.tell(report, RunEvent::Notice(notice));
        }
    }
    Ok(())
}

/// Notes what became of keys that were asked for in vain, where nothing else is written.
pub(super) fn note_tried(context: Context<'_>, opened: &mut Opened, run: &RunContext) -> Result<(), RunError> {
    let rows: Vec<LookupRow> = run.lookups.all().flat_map(|(_, desk)| desk.tried()).collect();
    if !rows.is_empty() {
        opened.sink.note_lookups(&context.plan.pipeline.name, &rows)?;
    }
    Ok(())
}

/// Has every tier forget the keys that nobody wants any more. Before an erasure is written: it must not claim what was not done,
/// and what a tier lost is asked for again where somebody wants it after all.
pub(super) fn forget_gone(run: &RunContext) -> Result<(), RunError> {
    for (stage, desk) in run.lookups.all() {
        let (_, gone) = desk.facts();
        if gone.is_empty() {
            continue;
        }
        let keys: Vec<Arc<str>> = gone.into_iter().map(Arc::from).collect();
        let forgotten =
            spec(run, stage)?.lookup.open(&context_of(&run.plan, stage)).and_then(|mut asker| asker.forget(&keys));
        forgotten.map_err(|error| {
            RunError::stage(desk.stage(), error)
                .with_hint("Nothing was erased: see that every tier of the look-up's cache can be reached, and give the command again.")
        })?;
    }
    Ok(())
}
