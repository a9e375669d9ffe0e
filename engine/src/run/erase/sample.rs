//! `withdraw --sample --erase`: one member of drops is taken back and forgotten, in every drop, while the drops stand.
//!
//! What is done is what [`erase`](super::erase) does, but that of each drop the rows of one member alone are taken back. What cannot be told
//! apart by members goes as a whole: the rejects and warnings of these drops, whose texts quote lines of all samples. Of the
//! member's name a salted digest stays among those that are kept out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering},
    time::Instant,
};

use vardelta_schemas::{
    ledger::{Event, Snapshot, WithdrawnMember},
    sql::erase::ERASING_SAMPLE,
};

use super::{EraseReport, erasure, finish, finished_notice, known, proof, still_pending};
use crate::{
    contract::{
        erasure::{ErasedDrop, ErasedMember, Erasure, Place, Search},
        sink::Access,
    },
    epoch::{
        commit::{self, Outcome},
        context::Context,
        open::{self, Opened},
    },
    error::{RunError, RunErrorKind},
    failpoint,
    flow::table::Member,
    locks::Locked as _,
    member_mark::{is_mark, is_of, mark},
    plan::{Plan, content::Wanted},
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries, lookups,
        members::{drops_with_members, nothing_stands},
        retraction,
    },
};

/// Takes one member of every drop back and forgets it; it may have been withdrawn before.
///
/// # Errors
/// As [`erase`](super::erase), and when the name is of no member.
pub fn erase_sample(
    context: Context<'_>,
    sample: &str,
    names: &[String],
    options: &RunOptions,
) -> Result<EraseReport, RunError> {
    if !names.is_empty() {
        let message = "a sample is erased out of every drop, and no drop can be named beside it";
        return Err(RunError::new(RunErrorKind::Usage, message).with_hint(
            "Leave the drops' names out; or leave `--erase` out, to take it back out of these drops alone.",
        ));
    }
    context.told(forget(context, sample, options))
}

fn forget(context: Context<'_>, sample: &str, options: &RunOptions) -> Result<EraseReport, RunError> {
    let started = Instant::now();
    let plan = context.plan;
    let mut opened = open::open_loaded(plan, Access::Write)?;
    open::check_agreement(plan, &opened)?;
    let definitions = open::check_definition(plan, &opened.ledger, Wanted::AfterTables)?;
    let events = opened.sink.history(&plan.pipeline.name)?;
    let mut report = RunReport {
        tables: commit::untouched(plan, &opened.ledger),
        ..RunReport::new(&plan.pipeline.name, opened.ledger.epoch, options.workers_of(plan))
    };
    let (mut search, mut removed, mut is_carried_on) = (Search::default(), BTreeMap::new(), false);
    for mut erasure in super::pending(plan, &opened.ledger, &events, &[]) {
        if let Some(member) = erasure.member.as_mut().filter(|member| is_of(&member.mark, sample)) {
            member.name = Some(sample.to_owned());
            is_carried_on = true;
        }
        let found = finish(context, options, &mut opened, &erasure).map_err(|error| still_pending(&erasure, error))?;
        search.findings.extend(found.findings);
        report.notices.push(finished_notice(&erasure));
        report.notices.extend(found.notices);
    }
    if !is_carried_on {
        let (erasure, outcome) = taken_back(plan, &opened.ledger, &events, sample, Outcome::new(definitions))?;
        let gone = take_back(context, options, &mut opened, (&erasure, sample), outcome, &mut report)?;
        failpoint::hit("erase:committed");
        removed = gone;
        let read = opened.sink.ledger(&plan.pipeline.name);
        opened.ledger = read.map_err(|error| still_pending(&erasure, error.into()))?;
        let found = finish(context, options, &mut opened, &erasure).map_err(|error| still_pending(&erasure, error))?;
        search.findings.extend(found.findings);
        report.notices.extend(found.notices);
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(proof(report, removed, search, vec!["one sample".to_owned()]))
}

/// What is to be forgotten, and what the epoch writes down of it.
fn taken_back(
    plan: &Plan,
    ledger: &Snapshot,
    events: &[Event],
    sample: &str,
    outcome: Outcome,
) -> Result<(Arc<Erasure>, Outcome), RunError> {
    let (_, columns) = drops_with_members(plan, ledger, &[])?;
    let is_erased = |member: &WithdrawnMember| is_mark(&member.name) && is_of(&member.name, sample);
    if ledger.withdrawn_members.iter().any(is_erased) {
        let message = "this sample was erased already, and is kept out";
        return Err(RunError::new(RunErrorKind::Usage, message)
            .with_hint("`run --readmit SAMPLE` takes it in again, should that be wanted."));
    }
    let of_sources = known(ledger, events).into_iter().filter(|known| columns.contains_key(known.source));
    let drops = of_sources.flat_map(|known| {
        let drop = |drop_id: &u64| ErasedDrop {
            drop_id: *drop_id,
            source: known.source.to_owned(),
            name: None,
            mark: known.name.to_owned(),
            texts: Vec::new(),
        };
        known.ids.iter().map(drop).collect::<Vec<_>>()
    });
    let kept = mark(sample)?;
    let member = Some(ErasedMember { name: Some(sample.to_owned()), mark: kept.clone() });
    let epoch = ledger.epoch + 1;
    let erasure = Arc::new(Erasure { member, ..erasure(plan, events, epoch, drops.collect()) });
    let of = |source: &String| WithdrawnMember { source: source.clone(), drop: None, name: kept.clone(), epoch };
    let named = ledger.withdrawn_members.iter().filter(|member| member.name == sample).cloned();
    let outcome = Outcome {
        withdrawn_members: columns.keys().map(of).collect(),
        readmitted_members: named.collect(),
        erasure: Some(Arc::clone(&erasure)),
        ..outcome
    };
    Ok((erasure, outcome))
}

/// The epoch. Yields what was removed, by place.
fn take_back(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    (erasure, sample): (&Erasure, &str),
    outcome: Outcome,
    report: &mut RunReport,
) -> Result<BTreeMap<Place, u64>, RunError> {
    let plan = context.plan;
    let (drops, columns) = drops_with_members(plan, &opened.ledger, &[])?;
    let mut retractions = Vec::new();
    for drop in &drops {
        let member = Member {
            name: sample.to_owned(),
            columns: columns[&drop.source].clone(),
            rows: AtomicU64::new(0),
            others: Mutex::default(),
        };
        retractions.push(retraction(plan, drop, None)?.of_member(member));
    }
    let workers = options.workers_of(plan);
    let work = Work { retractions, ..Work::on(&opened.state, erasure.epoch, workers, opened.spill_dir(plan))? };
    let plane = compute::load(context, work)?;
    let run = plane.run();
    let members = || run.retractions.iter().filter_map(|retraction| retraction.member.as_ref());
    let rows: Vec<u64> = members().map(|member| member.rows.load(Ordering::Relaxed)).collect();
    if rows.iter().sum::<u64>() == 0 && outcome.readmitted_members.is_empty() {
        let others: BTreeSet<String> = members().flat_map(|member| member.others.locked().clone()).collect();
        return Err(nothing_stands(sample, &others));
    }
    lookups::forget_gone(run)?;
    for (drop, rows) in drops.iter().zip(&rows) {
        let reason = format!("one sample of it: {rows} rows");
        report.drops.push(DropReport::new(&drop.name, &drop.source, Action::Erased, &reason, Default::default()));
        if *rows > 0 && deliveries::file_of(plan, drop).is_some_and(|path| path.exists()) {
            report.notices.push(format!(
                "the file {} is there still and holds the sample, which later runs leave out; its path and digests stay in the \
                 ledger",
                drop.path
            ));
        }
    }
    let gone = commit::conclude(context, opened, plane.as_ref(), outcome, report)?;
    let deleted = report.tables.iter().map(|table| table.deleted).sum::<u64>().max(gone.marked);
    Ok(BTreeMap::from([
        (Place::State, rows.iter().sum()),
        (Place::Tables, deleted),
        (Place::History, gone.history),
        (Place::Rejects, gone.rejects),
        (Place::Ledger, gone.ledger),
    ]))
}

/// The erasures of members that are committed and not proven. Of the name only its mark is left.
pub(super) fn pending(plan: &Plan, ledger: &Snapshot, events: &[Event]) -> Vec<Erasure> {
    let mut epochs: BTreeMap<u64, Vec<ErasedDrop>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.action == ERASING_SAMPLE) {
        let Some(drop_id) = event.drop_id else { continue };
        epochs.entry(event.epoch).or_default().push(ErasedDrop {
            drop_id,
            source: event.source.clone(),
            name: None,
            mark: event.name.clone(),
            texts: Vec::new(),
        });
    }
    let of_epoch = |(epoch, drops)| {
        let is_of_epoch = |member: &&WithdrawnMember| member.epoch == epoch && is_mark(&member.name);
        let mark = ledger.withdrawn_members.iter().find(is_of_epoch).map(|member| member.name.clone());
        let member = Some(ErasedMember { name: None, mark: mark.unwrap_or_default() });
        Erasure { member, ..erasure(plan, events, epoch, drops) }
    };
    epochs.into_iter().map(of_epoch).collect()
}
