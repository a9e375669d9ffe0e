//! Erasures that are committed: what is done after the commit, by the command itself or by the next start, and what came of it.

use std::collections::BTreeMap;

use vardelta_schemas::{
    ledger::{Epoch, Event, Snapshot, WithdrawnMember},
    sql::erase::{ERASING, ERASING_SAMPLE},
};

use super::{EraseReport, ErasedPlace, ErasedReport, erasure};
use crate::{
    contract::erasure::{ErasedDrop, ErasedMember, Erasure, Finding, Place, Removed, Search},
    epoch::{context::Context, open::Opened},
    error::{RunError, RunErrorKind},
    failpoint,
    member_mark::{is_mark, is_of},
    plan::Plan,
    report::RunReport,
    run::{RunOptions, erase_search},
};

/// What a command asks to be forgotten. What is asked for has its name again when a pending erasure of it is carried on, so that the
/// search can look for the name.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// Nothing: a run found the erasure pending.
    Nothing,
    /// Drops.
    Drops(&'a [String]),
    /// A sample.
    Sample(&'a str),
}

/// What an erasing command has done so far.
#[derive(Default)]
pub(super) struct Progress {
    search: Search,
    names: Vec<String>,
    removed: BTreeMap<Place, u64>,
}

impl Progress {
    /// Does what an earlier process left undone.
    pub fn carry_on(
        &mut self,
        context: Context<'_>,
        options: &RunOptions,
        opened: &mut Opened,
        erasure: &Erasure,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let found = finish(context, options, opened, erasure).map_err(|error| still_pending(erasure, error))?;
        report.notices.push(finished_notice(erasure));
        self.add(erasure, found, report);
        Ok(())
    }

    /// Does what follows the commit of an epoch that has removed so much, `entries` of them from the state.
    pub fn conclude(
        &mut self,
        context: Context<'_>,
        options: &RunOptions,
        opened: &mut Opened,
        erasure: &Erasure,
        (entries, gone): (u64, Removed),
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        failpoint::hit("erase:committed");
        // Where rows are marked when they go, those of this epoch are among the marked ones.
        let rows = report.tables.iter().map(|table| table.deleted).sum::<u64>().max(gone.marked);
        self.removed = BTreeMap::from([
            (Place::State, entries),
            (Place::Tables, rows),
            (Place::History, gone.history),
            (Place::Rejects, gone.rejects),
            (Place::Ledger, gone.ledger),
        ]);
        let ledger = opened.sink.ledger(&context.plan.pipeline.name);
        opened.ledger = ledger.map_err(|error| still_pending(erasure, error.into()))?;
        let found = finish(context, options, opened, erasure).map_err(|error| still_pending(erasure, error))?;
        self.add(erasure, found, report);
        Ok(())
    }

    fn add(&mut self, erasure: &Erasure, found: Search, report: &mut RunReport) {
        match erasure.member {
            Some(_) => self.names.push("one sample".to_owned()),
            None => self.names.extend(erasure.drops.iter().map(ErasedDrop::neutral_name)),
        }
        self.search.findings.extend(found.findings);
        report.notices.extend(found.notices);
    }

    /// What was removed and what was found, place by place.
    pub fn report(self, mut run: RunReport) -> EraseReport {
        run.notices.dedup();
        let Progress { search: Search { findings, .. }, names, removed } = self;
        let places = Place::ALL.map(|place| ErasedPlace {
            place,
            removed: removed.get(&place).copied().unwrap_or_default(),
            found: findings.iter().filter(|finding| finding.place == place).map(|finding| finding.count).sum(),
        });
        let proven = findings.is_empty();
        EraseReport { run, erased: ErasedReport { drops: names, proven, places: places.to_vec(), findings } }
    }
}

/// Finishes what a killed run has left of an erasure, and says so. What goes wrong with it is said too, and ends no other run.
pub(in crate::run) fn finish_pending(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
) -> Result<Vec<String>, RunError> {
    let plan = context.plan;
    let mut notices = Vec::new();
    if !opened.sink.is_erasing(&plan.pipeline.name)? {
        return Ok(notices);
    }
    let events = opened.sink.history(&plan.pipeline.name)?;
    for erasure in pending(plan, &opened.ledger, &events, Asked::Nothing) {
        let epoch = erasure.epoch;
        match finish(context, options, opened, &erasure) {
            Ok(search) => {
                if search.findings.is_empty() {
                    notices.push(finished_notice(&erasure));
                }
                notices.extend(search.findings.iter().map(|Finding { place, count, what }| {
                    format!("the erasure of epoch {epoch} is not proven: found in {}: {count} {what}", place.as_str())
                }));
                notices.extend(search.notices);
            }
            Err(error) if error.kind == RunErrorKind::Interrupted => return Err(error),
            Err(error) => notices.push(format!("the erasure of epoch {epoch} is still pending: {error}")),
        }
    }
    Ok(notices)
}

/// An error after the commit of the epoch that withdrew the drops.
fn still_pending(erasure: &Erasure, error: RunError) -> RunError {
    let done = match erasure.member {
        Some(_) => "the sample is withdrawn, and its erasure is pending",
        None => "the drops are withdrawn, and their erasure is pending",
    };
    let message = format!("{}: {done}", error.message);
    let again = "Give the same command again: it carries on from here.";
    let hint = error.hint.map_or_else(|| again.to_owned(), |hint| format!("{hint} {again}"));
    RunError { message, hint: Some(hint), ..error }
}

fn finished_notice(erasure: &Erasure) -> String {
    format!("the erasure of epoch {}, which had been cut short, was carried on from its commit", erasure.epoch)
}

/// What comes after the commit.
fn finish(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    erasure: &Erasure,
) -> Result<Search, RunError> {
    opened.sink.scrub()?;
    failpoint::hit("erase:scrubbed");
    let search = erase_search::search(context, options, opened, erasure)?;
    failpoint::hit("erase:searched");
    if search.findings.is_empty() {
        opened.sink.finish_erasure(erasure)?;
        failpoint::hit("erase:finished");
    }
    Ok(search)
}

/// Whether an event is a pending erasure of a drop of this name.
pub(super) fn is_pending_for(event: &Event, name: &str) -> bool {
    let bare = name.strip_prefix(&format!("{}:", event.source)).into_iter().chain([name]);
    let mark = ErasedDrop::mark_of(&event.name);
    event.action == ERASING && bare.into_iter().any(|name| ErasedDrop::mark(&event.source, name) == mark)
}

/// The erasures that are committed and not proven: those of drops, then those of samples.
pub(super) fn pending(plan: &Plan, ledger: &Snapshot, events: &[Event], asked: Asked<'_>) -> Vec<Erasure> {
    let asked_drops = if let Asked::Drops(names) = asked { names } else { &[] };
    let of_drops = by_epoch(events, ERASING, |event| {
        let name = asked_drops.iter().find(|name| is_pending_for(event, name));
        let prefix = format!("{}:", event.source);
        let name = name.map(|name| name.strip_prefix(&prefix).unwrap_or(name).to_owned());
        (name, ErasedDrop::mark_of(&event.name).to_owned())
    });
    let of_samples = by_epoch(events, ERASING_SAMPLE, |event| (None, event.name.clone()));
    let of_drops = of_drops.into_iter().map(|(epoch, drops)| erasure(plan, events, epoch, drops));
    let of_samples = of_samples.into_iter().map(|(epoch, drops)| {
        let is_of_epoch = |member: &&WithdrawnMember| {
            member.epoch == epoch && is_mark(&member.name) && drops.iter().any(|drop| drop.source == member.source)
        };
        let mark = ledger.withdrawn_members.iter().find(is_of_epoch).map(|member| member.name.clone());
        let mark = mark.unwrap_or_default();
        // Of the name only its mark is left.
        let name = match asked {
            Asked::Sample(name) if is_of(&mark, name) => Some(name.to_owned()),
            _ => None,
        };
        Erasure { member: Some(ErasedMember { name, mark }), ..erasure(plan, events, epoch, drops) }
    });
    of_drops.chain(of_samples).collect()
}

/// The drops of events of an action, by epoch; `of` gives a drop's name, if it is known, and its mark.
fn by_epoch(
    events: &[Event],
    action: &str,
    of: impl Fn(&Event) -> (Option<String>, String),
) -> BTreeMap<Epoch, Vec<ErasedDrop>> {
    let mut epochs: BTreeMap<Epoch, Vec<ErasedDrop>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.action == action) {
        let Some(drop_id) = event.drop_id else { continue };
        let (name, mark) = of(event);
        let drop = ErasedDrop { drop_id, source: event.source.clone(), name, mark, texts: Vec::new() };
        epochs.entry(event.epoch).or_default().push(drop);
    }
    epochs
}
