//! `run`: what is new or changed is loaded, what is gone is withdrawn, all as one epoch.

use std::sync::atomic::Ordering;

use vardelta_schemas::ledger::{DropRow, Epoch, Snapshot, WithdrawnMember};

use crate::{
    epoch::{
        ahead::Ahead,
        commit,
        context::Context,
        identity,
        open::{self, Opened},
        outcome::Outcome,
        reject_share::check_reject_share,
        unchanged::untouched,
    },
    error::RunError,
    event::RunEvent,
    flow::{feed::Load, table::Retraction},
    locks::Locked as _,
    plan::{
        Plan,
        content::{Definitions, Wanted},
        source,
    },
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        asking::Questions,
        compute::{self, Work},
        deliveries::{self, Deliveries, Standing, load},
        erase, guards, lookups, members, named_files, retraction,
    },
};

/// Loads what is new or changed.
///
/// # Errors
/// See [`RunErrorKind`](crate::error::RunErrorKind); [`RunError::written`] says what is written then.
pub fn run(context: Context<'_>, options: &RunOptions) -> Result<RunReport, RunError> {
    context.to_the_end(|| run_once(context, options))
}

fn run_once(context: Context<'_>, options: &RunOptions) -> Result<RunReport, RunError> {
    let plan = context.plan;
    let mut opened = match named_files::finds_nothing(plan, options)? {
        true => open::open_loaded(plan, options.access())?,
        false => open::open(plan, options.access())?,
    };
    open::check_agreement(plan, &opened)?;
    let definitions = open::check_definition(plan, &opened.ledger, Wanted::All)?;
    let pending = if options.dry_run { Vec::new() } else { erase::finish_pending(context, options, &mut opened)? };
    let mut found = match options.retry_lookups {
        true => Deliveries::default(),
        false => deliveries::find(plan, context.abort, options, &opened.ledger)?,
    };
    let readmitted = members::readmit(plan, &options.readmit, &mut opened.ledger, &mut found.candidates)?;
    guards::check_prune(plan, options, &opened.ledger, &found)?;
    guards::check_shrink(plan, options, &found.candidates)?;
    context.abort.check()?;
    let epoch = opened.ledger.epoch.next();
    let workers = options.workers_of(plan);
    let (loads, kept) = loads(plan, &opened.ledger, &found);
    let retractions = retractions(context, &found, epoch)?;
    let unchanged = unchanged(context, &mut opened, &found, options.dry_run)?;
    let mut report = context.start(opened.ledger.epoch, workers, options.dry_run);
    for load in &loads {
        let source = plan.stages[load.source].name.clone();
        let (drop, path) = (load.name.clone(), load.file.path.clone());
        context.observer.event(&RunEvent::Discovered { drop, source, bytes: load.stamp.bytes, path });
    }
    for notice in pending.into_iter().chain(found.notices.iter().cloned()) {
        context.tell(&mut report, RunEvent::Notice(notice));
    }
    let asks = !options.dry_run || options.warm;
    let questions = if asks { Some(lookups::due(plan, &mut opened, options.retry_lookups)?) } else { None };
    let is_due = questions.as_ref().is_some_and(|questions| !questions.earlier.is_empty());
    if loads.is_empty() && retractions.is_empty() && readmitted.is_empty() && !is_due {
        tell_drops(context, &mut report, unchanged);
        for table in untouched(plan, &opened.ledger) {
            context.tell(&mut report, RunEvent::Table(table));
        }
        if !options.dry_run && opened.ledger.epoch > Epoch::NONE {
            // What a killed run left undone after its commit.
            let mut notices = Vec::new();
            commit::settle(plan, opened.sink.as_mut(), &mut notices);
            notices.into_iter().for_each(|notice| context.tell(&mut report, RunEvent::Notice(notice)));
        }
        lookups::tell(context, &opened.state.locked().begin()?, None, &mut report)?;
        return Ok(report);
    }
    let work = Work { loads, retractions, ..Work::on(&opened.state, epoch, workers, opened.spill_dir(plan))? };
    let written = load_found(
        context,
        &mut opened,
        work,
        (kept, unchanged, questions),
        (definitions, readmitted),
        &found,
        &mut report,
    );
    if written.is_err() {
        // Rows may have gone ahead. A connection that is gone has given them up by itself.
        let _ = opened.sink.rollback();
    }
    written?;
    Ok(report)
}

/// Computes what was found and commits it.
fn load_found(
    context: Context<'_>,
    opened: &mut Opened,
    work: Work,
    (kept, mut drops, questions): (Vec<Kept>, Vec<DropReport>, Option<Questions>),
    (definitions, readmitted_members): (Definitions, Vec<WithdrawnMember>),
    found: &Deliveries,
    report: &mut RunReport,
) -> Result<(), RunError> {
    let (plan, epoch) = (context.plan, work.epoch);
    let only_adds = work.retractions.is_empty();
    let ahead = if only_adds && !report.dry_run { Ahead::new(context, opened) } else { None };
    let is_about_drops = !work.loads.is_empty() || !work.retractions.is_empty();
    let (plane, written) = compute::load_ahead(context, work, ahead, questions)?;
    let run = plane.run();
    check_reject_share(plan, run)?;
    lookups::check_failed_share(run)?;
    if !is_about_drops && readmitted_members.is_empty() && !lookups::is_answered(run) {
        // Nothing changed, so there is no epoch.
        tell_drops(context, report, drops);
        for table in untouched(plan, &opened.ledger) {
            context.tell(report, RunEvent::Table(table));
        }
        if !report.dry_run {
            lookups::note_tried(context, opened, run)?;
        }
        return lookups::tell(context, &run.session, Some(run), report);
    }
    for notice in deliveries::twins(plan, found, &opened.ledger, &run.loads)? {
        context.tell(report, RunEvent::Notice(notice));
    }
    let mut outcome =
        Outcome { withdrawn: found.gone.clone(), readmitted_members, written, ..Outcome::new(definitions) };
    for (load, kept) in run.loads.iter().zip(kept) {
        let counts = load.records.counts();
        let (action, reason) = match &kept.replaces {
            Some(old) if old.bytes_digest == load.bytes_digest()? => (Action::Replaced, "a sample is taken in again"),
            Some(_) => (Action::Replaced, "the file's content changed"),
            None => (Action::Added, "a new name"),
        };
        drops.push(DropReport::new(&load.name, &plan.stages[load.source].name, action, reason, counts));
        outcome.upserted.push((
            action,
            DropRow {
                drop_id: load.drop_id,
                identity: Some(kept.replaces.as_ref().and_then(|old| old.identity).map_or_else(identity::random, Ok)?),
                source: plan.stages[load.source].name.clone(),
                name: load.name.clone(),
                path: kept.recorded_path,
                bytes_digest: load.bytes_digest()?.to_owned(),
                content_digest: load.content_digest(),
                added_epoch: kept.replaces.as_ref().map_or(epoch, |old| old.added_epoch),
                loaded_epoch: epoch,
                counts,
            },
        ));
        let restriction = source(plan, load.source)?.restriction();
        if let Some(notice) = notice(&load.name, restriction, &counts) {
            context.tell(report, RunEvent::Notice(notice));
        }
        if let Some(notice) = members::notice(load) {
            context.tell(report, RunEvent::Notice(notice));
        }
        let origin = if load.has_lines.load(Ordering::Relaxed) { "line" } else { "record" };
        if let Some(notice) = load.contradictions.notice(&load.name, origin, run)? {
            context.tell(report, RunEvent::Notice(notice));
        }
    }
    for gone in &found.gone {
        let reason = "its file is gone";
        drops.push(DropReport::new(&gone.name, &gone.source, Action::Withdrawn, reason, Default::default()));
    }
    lookups::note_completed(run, &mut outcome, &mut drops);
    tell_drops(context, report, drops);
    lookups::tell(context, &run.session, Some(run), report)?;
    commit::conclude(context, opened, plane.as_ref(), outcome, report)?;
    Ok(())
}

/// Tells what becomes of drops, by name.
fn tell_drops(context: Context<'_>, report: &mut RunReport, mut drops: Vec<DropReport>) {
    drops.sort_by(|a, b| (&a.name, &a.source).cmp(&(&b.name, &b.source)));
    drops.into_iter().for_each(|drop| context.tell(report, RunEvent::Drop(drop)));
}

/// What must be remembered of a candidate beside its load.
pub(crate) struct Kept {
    pub recorded_path: String,
    pub replaces: Option<DropRow>,
}

fn loads(plan: &Plan, ledger: &Snapshot, found: &Deliveries) -> (Vec<Load>, Vec<Kept>) {
    // A number that was ever given is not given again, whatever copy of the state is put back.
    let mut next = ledger.last_drop_id.next();
    let (mut loads, mut kept) = (Vec::new(), Vec::new());
    for candidate in &found.candidates {
        let replaces = match &candidate.standing {
            Standing::Same(..) => continue,
            Standing::New => None,
            Standing::Changed(old) => Some(old.clone()),
        };
        let drop_id = replaces.as_ref().map_or(next, |old| old.drop_id);
        if replaces.is_none() {
            next = next.next();
        }
        loads.push(load(plan, ledger, candidate, drop_id));
        kept.push(Kept { recorded_path: candidate.recorded_path.clone(), replaces });
    }
    (loads, kept)
}

fn retractions(context: Context<'_>, found: &Deliveries, epoch: Epoch) -> Result<Vec<Retraction>, RunError> {
    let plan = context.plan;
    let replaced = found.candidates.iter().filter_map(|candidate| match &candidate.standing {
        Standing::Changed(old) => Some(retraction(plan, old, Some(epoch))),
        _ => None,
    });
    let gone = found.gone.iter().map(|drop| retraction(plan, drop, None));
    replaced.chain(gone).collect()
}

fn unchanged(
    context: Context<'_>,
    opened: &mut Opened,
    found: &Deliveries,
    dry_run: bool,
) -> Result<Vec<DropReport>, RunError> {
    let mut reports = Vec::new();
    for candidate in &found.candidates {
        let Standing::Same(drop, other_bytes) = &candidate.standing else { continue };
        let reason = if *other_bytes { "the same records in other bytes" } else { "the same bytes" };
        reports.push(DropReport::new(&drop.name, &drop.source, Action::Unchanged, reason, drop.counts));
        if (*other_bytes || drop.path != candidate.recorded_path) && !dry_run {
            let (pipeline, path) = (&context.plan.pipeline.name, &candidate.recorded_path);
            let digest = candidate.bytes_digest.as_ref().unwrap_or(&drop.bytes_digest);
            opened.sink.refresh_delivery(pipeline, drop.drop_id, digest, path)?;
        }
    }
    Ok(reports)
}

fn notice(name: &str, restriction: Option<&str>, counts: &vardelta_schemas::ledger::RecordCounts) -> Option<String> {
    if counts.read == 0 {
        let restriction = restriction.map(|restriction| format!(" {restriction}")).unwrap_or_default();
        Some(format!("drop `{name}` has no records{restriction}"))
    } else if counts.loaded == 0 {
        Some(format!(
            "nothing of drop `{name}` was loaded: of {} records {} were filtered, {} rejected, {} duplicates",
            counts.read, counts.filtered, counts.rejected, counts.duplicates
        ))
    } else {
        None
    }
}
