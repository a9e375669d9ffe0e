//! `withdraw --sample --erase`: one member of drops is taken back and forgotten, in every drop, while the drops stand.
//!
//! What is done is what [`erase`](super::erase) does, but that of each drop the rows of one member alone are taken back. What cannot be told
//! apart by members goes as a whole: the rejects and warnings of these drops, whose texts quote lines of all samples. Of the
//! member's name a salted digest stays among those that are kept out.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use vardelta_schemas::ledger::{DropId, DropRow, Event, Snapshot, WithdrawnMember};

use super::{
    Begun, EraseReport,
    committed::{self, Asked, Progress},
    erasure, known,
};
use crate::{
    contract::erasure::{ErasedDrop, ErasedMember, Erasure, Removed},
    epoch::{commit, context::Context, open::Opened, outcome::Outcome},
    error::{RunError, RunErrorKind},
    member_mark::{is_mark, is_of, mark},
    plan::{Plan, member::member_keys},
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions, deliveries, lookups,
        members::{self, MemberColumns, TakenBack, nothing_stands, shared_rows},
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
    let Begun { mut opened, definitions, events, mut report } = Begun::new(context, options)?;
    let (mut progress, mut is_carried_on) = (Progress::default(), false);
    for erasure in committed::pending(plan, &opened.ledger, &events, Asked::Sample(sample)) {
        is_carried_on |= erasure.member.as_ref().is_some_and(|member| member.name.is_some());
        progress.carry_on(context, options, &mut opened, &erasure, &mut report)?;
    }
    if !is_carried_on {
        let columns = own_sources(plan, &opened.ledger, sample)?;
        let (erasure, outcome) = planned(plan, &opened.ledger, &events, (sample, &columns), Outcome::new(definitions))?;
        let removed = take_back(context, options, &mut opened, (&erasure, sample, &columns), outcome, &mut report)?;
        progress.conclude(context, options, &mut opened, &erasure, removed, &mut report)?;
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(progress.report(report))
}

/// The sources that the sample is erased out of: those whose drops have samples, or had some, and out of which it was not erased
/// before.
fn own_sources(plan: &Plan, ledger: &Snapshot, sample: &str) -> Result<MemberColumns, RunError> {
    let mut columns = MemberColumns::new();
    for (at, stage) in plan.stages.indexed() {
        if is_erased(ledger, Some(&stage.name), sample) {
            continue;
        }
        match member_keys(plan, at) {
            Some(Ok(found)) => drop(columns.insert(stage.name.clone(), found)),
            Some(Err(tables)) if ledger.drops.iter().any(|drop| drop.source == stage.name) => {
                return Err(shared_rows(&stage.name, &tables));
            }
            // Nothing of it is in the state, and of histories whole epochs go.
            Some(Err(_)) => drop(columns.insert(stage.name.clone(), BTreeMap::new())),
            None => {}
        }
    }
    Ok(columns)
}

/// Whether a sample was erased before: out of a source, or out of any.
fn is_erased(ledger: &Snapshot, source: Option<&str>, sample: &str) -> bool {
    let is_it = |member: &WithdrawnMember| {
        source.is_none_or(|source| member.source == source) && is_mark(&member.name) && is_of(&member.name, sample)
    };
    ledger.withdrawn_members.iter().any(is_it)
}

fn erased_already() -> RunError {
    RunError::new(RunErrorKind::Usage, "this sample was erased already, and is kept out")
        .with_hint("`run --readmit SAMPLE` takes it in again, should that be wanted.")
}

/// What is to be forgotten, and what the epoch writes down of it.
fn planned(
    plan: &Plan,
    ledger: &Snapshot,
    events: &[Event],
    (sample, columns): (&str, &MemberColumns),
    outcome: Outcome,
) -> Result<(Arc<Erasure>, Outcome), RunError> {
    let of_sources = known(ledger, events).into_iter().filter(|known| columns.contains_key(known.source));
    let drops: Vec<ErasedDrop> = of_sources
        .flat_map(|known| {
            let drop = |drop_id: &DropId| ErasedDrop {
                drop_id: *drop_id,
                source: known.source.to_owned(),
                name: None,
                mark: known.name.to_owned(),
                texts: Vec::new(),
            };
            known.ids.iter().map(drop).collect::<Vec<_>>()
        })
        .collect();
    if drops.is_empty() {
        return Err(match is_erased(ledger, None, sample) {
            true => erased_already(),
            false => members::no_drop_of_samples("no drop was ever loaded whose rows are samples'"),
        });
    }
    let kept = mark(sample)?;
    let member = Some(ErasedMember { name: Some(sample.to_owned()), mark: kept.clone() });
    let epoch = ledger.epoch.next();
    let erasure = Arc::new(Erasure { member, ..erasure(plan, events, epoch, drops) });
    let of = |source: &String| WithdrawnMember { source: source.clone(), drop: None, name: kept.clone(), epoch };
    let is_named = |member: &&WithdrawnMember| member.name == sample && columns.contains_key(&member.source);
    let outcome = Outcome {
        withdrawn_members: columns.keys().map(of).collect(),
        readmitted_members: ledger.withdrawn_members.iter().filter(is_named).cloned().collect(),
        erasure: Some(Arc::clone(&erasure)),
        ..outcome
    };
    Ok((erasure, outcome))
}

/// The epoch. Yields the entries that it takes out of the state, and what it takes out of the database.
fn take_back(
    context: Context<'_>,
    options: &RunOptions,
    opened: &mut Opened,
    (erasure, sample, columns): (&Erasure, &str, &MemberColumns),
    outcome: Outcome,
    report: &mut RunReport,
) -> Result<(u64, Removed), RunError> {
    let plan = context.plan;
    let is_own = |drop: &&DropRow| columns.contains_key(&drop.source);
    let drops: Vec<DropRow> = opened.ledger.drops.iter().filter(is_own).cloned().collect();
    let TakenBack { plane, rows, others } = members::take_back(context, options, opened, sample, (&drops, columns))?;
    let entries = rows.iter().sum();
    // Where no row is left, and the ledger does not name it, histories may hold rows that went before.
    if entries == 0 && outcome.readmitted_members.is_empty() && !opened.sink.has_value(erasure, sample)? {
        return Err(match is_erased(&opened.ledger, None, sample) {
            true => erased_already(),
            false => nothing_stands(sample, &others),
        });
    }
    lookups::forget_gone(plane.run())?;
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
    Ok((entries, gone))
}
