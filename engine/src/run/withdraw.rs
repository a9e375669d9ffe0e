//! `withdraw`: what drops asserted is taken back, from the state alone.

use std::time::Instant;

use crate::{
    epoch::{
        commit::{self, Outcome},
        context::Context,
        open,
    },
    error::RunError,
    plan::content::Wanted,
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries, erase, retraction,
    },
};

/// Removes what the named drops asserted. Their files are not needed.
///
/// # Errors
/// When a name is unknown, or for sink or state trouble.
pub fn withdraw(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
    context.told(take_back(context, names, options))
}

fn take_back(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
    let started = Instant::now();
    let plan = context.plan;
    let mut opened = open::open(plan, options.access())?;
    open::check_agreement(plan, &opened)?;
    let definitions = open::check_definition(plan, &opened.ledger, Wanted::BehindTables)?;
    let notices = if options.dry_run { Vec::new() } else { erase::finish_pending(context, options, &mut opened)? };
    let withdrawn = deliveries::named(&opened.ledger, names)?;
    let workers = options.workers_of(plan);
    let work = Work {
        session: opened.state.begin()?,
        epoch: opened.ledger.epoch + 1,
        workers,
        loads: Vec::new(),
        retractions: withdrawn.iter().map(|drop| retraction(plan, drop, None)).collect::<Result<_, _>>()?,
        spill_dir: opened.spill_dir(plan),
    };
    let run = compute::load(context, work)?;
    let mut report = RunReport {
        dry_run: options.dry_run,
        drops: withdrawn
            .iter()
            .map(|drop| DropReport::new(&drop.name, &drop.source, Action::Withdrawn, "as asked", Default::default()))
            .collect(),
        notices,
        ..RunReport::new(&plan.pipeline.name, opened.ledger.epoch, workers)
    };
    commit::conclude(context, &mut opened, &run, Outcome { withdrawn, ..Outcome::new(definitions) }, &mut report)?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}
