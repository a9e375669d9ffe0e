//! `withdraw --erase`: drops are taken back and forgotten, and a search proves it.
//!
//! One epoch takes the drops back, and in its transaction histories, rejects and ledger lose what is about them; the state of
//! that epoch is written into new files. From the commit on the ledger's events of the epoch say `erasing`: what comes after
//! (the database's own leftovers, the search) is done again by the next start if it must be, and only a search that
//! finds nothing turns them into `erased`.
//!
//! **What is searched.** No list of the drop's values is kept for the search, which would be one more copy of them and would
//! be lost with a killed process. Instead everything that is left must be somebody else's: in the state every assertion is of
//! another drop and every group is what those assertions add up to; every row of every table is what the state says.

mod committed;
mod sample;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use serde::Serialize;
use vardelta_schemas::{
    ledger::{DropId, DropRow, Epoch, Event, Snapshot},
    sql::erase::{ERASED, ERASING},
};

use self::committed::{Asked, Progress};
use crate::{
    contract::{
        erasure::{ErasedDrop, ErasedTable, Erasure, Finding, Place, Removed},
        sink::Access,
    },
    epoch::{
        commit,
        context::Context,
        open::{self, Opened},
        outcome::Outcome,
        unchanged::untouched,
    },
    error::{RunError, RunErrorKind},
    locks::Locked as _,
    plan::{
        Plan, StageIndex,
        content::{Definitions, Wanted},
    },
    relational::Relation,
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries,
        erased_entries::assertions_of,
        lookups, retraction,
    },
    suggest::nearest,
};

pub(super) use committed::finish_pending;
pub use sample::erase_sample;

/// What an erasure did and what the search after it found.
#[derive(Clone, Debug, Serialize)]
pub struct EraseReport {
    /// The epoch.
    #[serde(flatten)]
    pub run: RunReport,
    /// What was erased.
    pub erased: ErasedReport,
}

/// What was removed, and what the search found.
#[derive(Clone, Debug, Serialize)]
pub struct ErasedReport {
    /// What the ledger calls the drops now.
    pub drops: Vec<String>,
    /// Whether the search found nothing, in any place.
    pub proven: bool,
    /// Place by place.
    pub places: Vec<ErasedPlace>,
    /// What was found, in words.
    pub findings: Vec<Finding>,
}

/// One place.
#[derive(Clone, Debug, Serialize)]
pub struct ErasedPlace {
    /// The place.
    pub place: Place,
    /// What was removed there: entries of the state, rows of tables, histories, rejects and ledger.
    pub removed: u64,
    /// What the search found there.
    pub found: u64,
}

/// Takes drops back and forgets them; the name of a drop that was withdrawn before is good too.
///
/// # Errors
/// When a name is unknown, or for sink or state trouble. Up to the commit nothing was written then; what is after it is done
/// by the same command, asked again. That something was found is a result, not an error.
pub fn erase(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<EraseReport, RunError> {
    context.told(forget(context, names, options))
}

fn forget(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<EraseReport, RunError> {
    let started = Instant::now();
    let plan = context.plan;
    let Begun { mut opened, definitions, events, mut report } = Begun::new(context, options)?;
    let asked = resolve(&opened.ledger, &events, names)?;
    let mut progress = Progress::default();
    for erasure in committed::pending(plan, &opened.ledger, &events, Asked::Drops(names)) {
        progress.carry_on(context, options, &mut opened, &erasure, &mut report)?;
    }
    if !asked.is_empty() {
        let erasure = Arc::new(erasure(plan, &events, opened.ledger.epoch.next(), asked));
        let session = opened.state.locked().begin()?;
        let entries = assertions_of(context, &session, &erasure)?;
        let outcome = Outcome { erasure: Some(Arc::clone(&erasure)), ..Outcome::new(definitions) };
        let gone = take_back(context, options, &mut opened, &erasure, outcome, &mut report)?;
        progress.conclude(context, options, &mut opened, &erasure, (entries, gone), &mut report)?;
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(progress.report(report))
}

/// An erasing command that has not done anything yet.
struct Begun {
    opened: Opened,
    definitions: Definitions,
    events: Vec<Event>,
    report: RunReport,
}

impl Begun {
    fn new(context: Context<'_>, options: &RunOptions) -> Result<Begun, RunError> {
        let plan = context.plan;
        let mut opened = open::open_loaded(plan, Access::Write)?;
        open::check_agreement(plan, &opened)?;
        let definitions = open::check_definition(plan, &opened.ledger, Wanted::AfterTables)?;
        let events = opened.sink.history(&plan.pipeline.name)?;
        let report = RunReport {
            tables: untouched(plan, &opened.ledger),
            ..RunReport::new(&plan.pipeline.name, opened.ledger.epoch, options.workers_of(plan))
        };
        Ok(Begun { opened, definitions, events, report })
    }
}

/// The epoch.
fn take_back(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    erasure: &Erasure,
    outcome: Outcome,
    report: &mut RunReport,
) -> Result<Removed, RunError> {
    let plan = context.plan;
    let workers = options.workers_of(plan);
    let ids: BTreeSet<DropId> = erasure.drops.iter().map(|drop| drop.drop_id).collect();
    let withdrawn: Vec<DropRow> =
        opened.ledger.drops.iter().filter(|drop| ids.contains(&drop.drop_id)).cloned().collect();
    let work = Work {
        retractions: withdrawn.iter().map(|drop| retraction(plan, drop, None)).collect::<Result<_, _>>()?,
        ..Work::on(&opened.state, erasure.epoch, workers, opened.spill_dir(plan))?
    };
    let plane = compute::load(context, work)?;
    lookups::forget_gone(plane.run())?;
    for drop in &erasure.drops {
        let stands = withdrawn.iter().any(|withdrawn| withdrawn.drop_id == drop.drop_id);
        let reason = if stands { "as asked" } else { "what was left of it, withdrawn before" };
        let name = drop.name.clone().unwrap_or_else(|| drop.neutral_name());
        report.drops.push(DropReport::new(&name, &drop.source, Action::Erased, reason, Default::default()));
    }
    for drop in &withdrawn {
        if deliveries::file_of(plan, drop).is_some_and(|path| path.exists()) {
            report.notices.push(format!(
                "the file {} is there still: where the source's path finds it, the next run loads it again",
                drop.path
            ));
        }
    }
    commit::conclude(context, opened, plane.as_ref(), Outcome { withdrawn, ..outcome }, report)
}

/// One name in the ledger, standing or not.
struct Known<'a> {
    source: &'a str,
    name: &'a str,
    ids: BTreeSet<DropId>,
}

/// Every name that the ledger remembers.
fn known<'a>(ledger: &'a Snapshot, events: &'a [Event]) -> Vec<Known<'a>> {
    let is_last_word = |event: &&Event| [ERASING, ERASED].contains(&event.action.as_str());
    let forgotten: BTreeSet<DropId> = events.iter().filter(is_last_word).filter_map(|event| event.drop_id).collect();
    let mut ids: BTreeMap<(&str, &str), BTreeSet<DropId>> = BTreeMap::new();
    let standing = ledger.drops.iter().map(|drop| (drop.source.as_str(), drop.name.as_str(), drop.drop_id));
    let of_events =
        events.iter().filter_map(|event| Some((event.source.as_str(), event.name.as_str(), event.drop_id?)));
    for (source, name, id) in standing.chain(of_events.filter(|(_, _, id)| !forgotten.contains(id))) {
        ids.entry((source, name)).or_default().insert(id);
    }
    ids.into_iter().map(|((source, name), ids)| Known { source, name, ids }).collect()
}

/// The drops that are meant by the names; none for a name whose erasure is pending.
fn resolve(ledger: &Snapshot, events: &[Event], names: &[String]) -> Result<Vec<ErasedDrop>, RunError> {
    let known = known(ledger, events);
    let mut asked: BTreeMap<DropId, ErasedDrop> = BTreeMap::new();
    for name in names {
        let hits = deliveries::meant(&known, name, |known| (known.source, known.name));
        match hits[..] {
            [hit] => asked.extend(hit.ids.iter().map(|id| (*id, erased_drop(ledger, hit, *id)))),
            [] if events.iter().any(|event| committed::is_pending_for(event, name)) => {}
            [] => {
                let error = RunError::new(RunErrorKind::Usage, format!("the ledger knows no drop `{name}`"));
                return Err(match nearest(name, known.iter().map(|known| known.name)) {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error.with_hint(
                        "`vardelta history` lists every drop that was ever loaded; one that was erased has no name there.",
                    ),
                });
            }
            _ => {
                let stages: Vec<String> = hits.iter().map(|hit| format!("`{}:{}`", hit.source, hit.name)).collect();
                return Err(RunError::new(RunErrorKind::Usage, format!("several sources had a drop `{name}`"))
                    .with_hint(format!("Name one of {}.", stages.join(", "))));
            }
        }
    }
    Ok(asked.into_values().collect())
}

fn erased_drop(ledger: &Snapshot, known: &Known<'_>, drop_id: DropId) -> ErasedDrop {
    let texts = ledger
        .drops
        .iter()
        .filter(|drop| drop.drop_id == drop_id)
        .flat_map(|drop| [drop.path.clone(), drop.bytes_digest.clone(), drop.content_digest.clone()])
        .filter(|text| text != "-");
    ErasedDrop {
        drop_id,
        source: known.source.to_owned(),
        name: Some(known.name.to_owned()),
        mark: ErasedDrop::mark(known.source, known.name),
        texts: texts.collect(),
    }
}

/// Where the drops may have left something, as the ledger's events have it up to this epoch.
fn erasure(plan: &Plan, events: &[Event], epoch: Epoch, drops: Vec<ErasedDrop>) -> Erasure {
    let is_own = |event: &&Event| event.drop_id.is_some_and(|id| drops.iter().any(|drop| drop.drop_id == id));
    let before = || events.iter().filter(|event| event.epoch < epoch);
    let mut own_epochs: BTreeSet<Epoch> = before().filter(is_own).map(|event| event.epoch).collect();
    own_epochs.insert(epoch);
    let first_epoch = own_epochs.first().copied().unwrap_or(epoch);
    let since = || before().filter(|event| event.epoch >= first_epoch);
    let of = |is: &dyn Fn(&str) -> bool| -> BTreeSet<Epoch> {
        since().filter(|event| is(&event.action)).map(|event| event.epoch).collect()
    };
    let mut revealing_epochs = of(&|action| action != Action::Added.as_str());
    revealing_epochs.extend(&own_epochs);
    let inputs = &plan.stages[plan.sink].inputs;
    let tables = plan
        .tables()
        .into_iter()
        .zip(plan.histories())
        .zip(inputs)
        .map(|((table, history), input)| ErasedTable { table, history, hides_values: hides_values(plan, *input) });
    Erasure {
        pipeline: plan.pipeline.name.clone(),
        epoch,
        first_epoch,
        own_epochs,
        revealing_epochs,
        blind_epochs: of(&|action| action == Action::Rebuilt.as_str()),
        tables: tables.collect(),
        drops,
        member: None,
    }
}

/// Whether a value that came into this stage may lie there unseen and come to light in any later epoch: as the least or
/// greatest of a group, at a share of it or among its first rows, once the ones before it are gone; in a joined text once it is
/// short enough; in a join once a row equals it; or after one of these that lets it through then.
fn hides_values(plan: &Plan, at: StageIndex) -> bool {
    let asks = |at: StageIndex, what: fn(&dyn Relation) -> bool| plan.stages[at].relation().is_some_and(what);
    let is_after_one = || {
        let mut open = plan.stages[at].inputs.clone();
        while let Some(at) = open.pop() {
            if asks(at, |relation| relation.changes_later()) {
                return true;
            }
            open.extend(&plan.stages[at].inputs);
        }
        false
    };
    asks(at, |relation| relation.hides_values()) || is_after_one()
}
