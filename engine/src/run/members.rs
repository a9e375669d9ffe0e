//! `withdraw --sample`: one member of drops is taken back by itself, from the state alone, and stays out.
//!
//! A source may say that its drops have members ([`Source::member_column`](crate::contract::source::Source::member_column)). Where
//! every table that its rows come to has the member in its key, no row is two members', so what one of them asserted can be taken
//! back as a whole drop is: by the drop's keys in the state. The ledger keeps the member's name, and whatever reads a file
//! from then on (`run`, `rebuild`, `migrate`) leaves its rows out after the parser, as a filter would.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use vardelta_schemas::ledger::{DropRow, Snapshot, WithdrawnMember};

use crate::{
    epoch::{
        commit,
        context::Context,
        open::{self, Opened},
        outcome::Outcome,
        plane::Plane,
    },
    error::{RunError, RunErrorKind},
    event::RunEvent,
    flow::{
        feed::Load,
        table::{Member, Retraction},
    },
    locks::Locked as _,
    member_mark::{is_mark, is_of},
    plan::{Plan, StageIndex, content::Wanted, member::member_keys},
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries::{self, Candidate, Standing},
        erase, retraction,
    },
    suggest::nearest,
};

/// Takes one member of drops back: of the drops with these names, or where there are none of every drop, also of those to come.
///
/// # Errors
/// When a name is unknown, a table's key does not hold the member, or for sink or state trouble.
pub fn withdraw_sample(
    context: Context<'_>,
    sample: &str,
    names: &[String],
    options: &RunOptions,
) -> Result<RunReport, RunError> {
    context.to_the_end(|| withdraw_once(context, sample, names, options))
}

fn withdraw_once(
    context: Context<'_>,
    sample: &str,
    names: &[String],
    options: &RunOptions,
) -> Result<RunReport, RunError> {
    let plan = context.plan;
    let mut opened = open::open_loaded(plan, options.access())?;
    open::check_agreement(plan, &opened)?;
    let definitions = open::check_definition(plan, &opened.ledger, Wanted::AfterTables)?;
    let notices = if options.dry_run { Vec::new() } else { erase::finish_pending(context, options, &mut opened)? };
    let epoch = opened.ledger.epoch.next();
    let (drops, columns) = drops_with_members(plan, &opened.ledger, names)?;
    refuse_withdrawn(&opened.ledger, sample, &drops)?;
    let TakenBack { plane, rows, others } = take_back(context, options, &opened, sample, (&drops, &columns))?;
    if rows.iter().sum::<u64>() == 0 {
        return Err(nothing_stands(sample, &others));
    }
    let mut report = context.start(opened.ledger.epoch, options.workers_of(plan), options.dry_run);
    notices.into_iter().for_each(|notice| context.tell(&mut report, RunEvent::Notice(notice)));
    let mut outcome = Outcome::new(definitions);
    for (drop, rows) in drops.into_iter().zip(rows).filter(|(_, rows)| *rows > 0) {
        let reason = format!("sample `{sample}`: {rows} rows");
        let told = DropReport::new(&drop.name, &drop.source, Action::SampleWithdrawn, &reason, Default::default());
        context.tell(&mut report, RunEvent::Drop(told));
        outcome.upserted.push((Action::SampleWithdrawn, drop));
    }
    let of = |source: &String, drop: Option<String>| WithdrawnMember {
        source: source.clone(),
        drop,
        name: sample.to_owned(),
        epoch,
    };
    let mut touched: Vec<&DropRow> = outcome.upserted.iter().map(|(_, drop)| drop).collect();
    touched.sort_by(|a, b| (&a.source, &a.name).cmp(&(&b.source, &b.name)));
    outcome.withdrawn_members = match names.is_empty() {
        true => {
            let sources: BTreeSet<&String> = touched.iter().map(|drop| &drop.source).collect();
            sources.into_iter().map(|source| of(source, None)).collect()
        }
        false => touched.iter().map(|drop| of(&drop.source, Some(drop.name.clone()))).collect(),
    };
    commit::conclude(context, &mut opened, plane.as_ref(), outcome, &mut report)?;
    Ok(report)
}

/// What one member of drops asserted, taken back in an epoch that is not committed yet.
pub(super) struct TakenBack {
    /// Who computed it.
    pub plane: Box<dyn Plane>,
    /// The rows of the member, drop by drop.
    pub rows: Vec<u64>,
    /// Other members of the drops, some of them.
    pub others: BTreeSet<String>,
}

/// Takes back what one member of drops asserted.
pub(super) fn take_back(
    context: Context<'_>,
    options: &RunOptions,
    opened: &Opened,
    sample: &str,
    (drops, columns): (&[DropRow], &MemberColumns),
) -> Result<TakenBack, RunError> {
    let plan = context.plan;
    let of_member = |drop: &DropRow| -> Result<Retraction, RunError> {
        let member = Member {
            name: sample.to_owned(),
            columns: columns[&drop.source].clone(),
            rows: AtomicU64::new(0),
            others: Mutex::default(),
        };
        Ok(retraction(plan, drop, None)?.of_member(member))
    };
    let epoch = opened.ledger.epoch.next();
    let work = Work {
        retractions: drops.iter().map(of_member).collect::<Result<_, _>>()?,
        ..Work::on(&opened.state, epoch, options.workers_of(plan), opened.spill_dir(plan))?
    };
    let plane = compute::load(context, work)?;
    let members = || plane.run().retractions.iter().filter_map(|retraction| retraction.member.as_ref());
    let rows = members().map(|member| member.rows.load(Ordering::Relaxed)).collect();
    let others = members().flat_map(|member| member.others.locked().clone()).collect();
    Ok(TakenBack { plane, rows, others })
}

/// For each source, the columns of tables' keys that hold the member.
pub(super) type MemberColumns = BTreeMap<String, BTreeMap<StageIndex, usize>>;

/// The drops that are meant, and where their members lie.
fn drops_with_members(
    plan: &Plan,
    ledger: &Snapshot,
    names: &[String],
) -> Result<(Vec<DropRow>, MemberColumns), RunError> {
    let mut drops = if names.is_empty() { ledger.drops.clone() } else { deliveries::named(ledger, names)? };
    let (mut columns, mut without) = (MemberColumns::new(), BTreeSet::new());
    let sources: BTreeSet<String> = drops.iter().map(|drop| drop.source.clone()).collect();
    for source in sources {
        let Some((at, _)) = plan.stage(&source) else { continue };
        match member_keys(plan, at) {
            Some(Ok(found)) => drop(columns.insert(source, found)),
            Some(Err(tables)) => return Err(shared_rows(&source, &tables)),
            None => drop(without.insert(source)),
        }
    }
    let named_without = drops.iter().find(|drop| !names.is_empty() && without.contains(&drop.source));
    if let Some(drop) = named_without {
        let message = format!("drop `{}` is of the source `{}`, whose rows are no samples'", drop.name, drop.source);
        return Err(RunError::new(RunErrorKind::Usage, message)
            .with_hint("A source of samples is a `vcf` with `samples = \"long\"`."));
    }
    drops.retain(|drop| columns.contains_key(&drop.source));
    if drops.is_empty() {
        return Err(no_drop_of_samples("no drop is loaded whose rows are samples'"));
    }
    Ok((drops, columns))
}

pub(super) fn no_drop_of_samples(message: &str) -> RunError {
    RunError::new(RunErrorKind::Usage, message)
        .with_hint("A source of samples is a `vcf` with `samples = \"long\"`; `vardelta drops` lists what is loaded.")
}

/// Rows of several members are one row in these tables.
pub(super) fn shared_rows(source: &str, tables: &[String]) -> RunError {
    let list = tables.iter().map(|table| format!("`{table}`")).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the samples of `{source}` cannot be taken back one by one: the key of {list} does not hold the sample, so a row there \
         is several samples', of which a drop keeps the last one's alone"
    );
    RunError::new(RunErrorKind::Usage, message).with_hint(
        "Put the sample into the table's key, unchanged, and make what has one row for several samples from it with an \
         `aggregate` or a `distinct`; or withdraw the whole drop and load it again without the sample.",
    )
}

pub(super) fn nothing_stands(sample: &str, others: &BTreeSet<String>) -> RunError {
    let message = format!("no row of a sample `{sample}` is there, so there is nothing to take back");
    let error = RunError::new(RunErrorKind::Usage, message);
    match nearest(sample, others.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("Which samples are read at all is said by the source's option `include_samples`."),
    }
}

/// What is out already is not taken back once more.
fn refuse_withdrawn(ledger: &Snapshot, sample: &str, drops: &[DropRow]) -> Result<(), RunError> {
    let mut erased = false;
    let mut is_out = |drop: &DropRow| {
        let out = ledger.left_out(&drop.source, &drop.name);
        erased |= out.iter().any(|kept| is_mark(kept) && is_of(kept, sample));
        out.iter().any(|kept| is_of(kept, sample))
    };
    if !drops.iter().all(&mut is_out) {
        return Ok(());
    }
    let done = if erased { "erased" } else { "withdrawn" };
    let message = format!("sample `{sample}` was {done} already");
    Err(RunError::new(RunErrorKind::Usage, message).with_hint("`vardelta drops` lists the samples that are withdrawn."))
}

/// The members that are to come in again, and the candidates that are read again for it.
pub(super) fn readmit(
    plan: &Plan,
    names: &[String],
    ledger: &mut Snapshot,
    candidates: &mut [Candidate],
) -> Result<Vec<WithdrawnMember>, RunError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let out = std::mem::take(&mut ledger.withdrawn_members);
    if let Some(unknown) = names.iter().find(|name| !out.iter().any(|member| is_of(&member.name, name))) {
        let message = format!("no sample `{unknown}` is withdrawn");
        let error = RunError::new(RunErrorKind::Usage, message);
        return Err(match nearest(unknown, out.iter().map(|member| member.name.as_str())) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint("`vardelta drops` lists the samples that are withdrawn."),
        });
    }
    let (back, kept) = out.into_iter().partition(|member| names.iter().any(|name| is_of(&member.name, name)));
    ledger.withdrawn_members = kept;
    let back: Vec<WithdrawnMember> = back;
    let concerns = |drop: &DropRow| {
        let of_drop = |member: &WithdrawnMember| member.drop.as_deref().is_none_or(|name| name == drop.name);
        back.iter().any(|member| member.source == drop.source && of_drop(member))
    };
    let mut missing = Vec::new();
    for drop in ledger.drops.iter().filter(|drop| concerns(drop)) {
        let is_it = |candidate: &&mut Candidate| {
            candidate.name == drop.name && plan.stages[candidate.source].name == drop.source
        };
        match candidates.iter_mut().find(is_it) {
            Some(candidate) => candidate.standing = Standing::Changed(drop.clone()),
            None => missing.push(format!("\n  - drop `{}` of `{}`: {}", drop.name, drop.source, drop.path)),
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "to take a sample in again the drops that it was withdrawn from are read again, and of these this run has no file:{}",
            missing.concat()
        );
        return Err(RunError::new(RunErrorKind::Input, message)
            .with_hint("Put the files back where the source's path finds them, or withdraw these drops first."));
    }
    Ok(back)
}

/// What is said of a drop whose samples were left out in part.
pub(super) fn notice(load: &Load) -> Option<String> {
    let rows = load.rows_left_out.load(Ordering::Relaxed);
    let shown = |name: &String| if is_mark(name) { "that was erased".to_owned() } else { format!("`{name}`") };
    let mut samples: Vec<String> = load.left_out.iter().map(shown).collect();
    samples.dedup();
    (rows > 0).then(|| {
        format!(
            "drop `{}` still holds what was withdrawn: {rows} rows were left out (withdrawn: sample {}); `run --readmit SAMPLE` \
             would take them in again",
            load.name,
            samples.join(", ")
        )
    })
}
