//! `withdraw`: what drops asserted is taken back, from the state alone.

use crate::{
    epoch::{commit, context::Context, open, outcome::Outcome},
    error::RunError,
    event::RunEvent,
    plan::content::Wanted,
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries, erase, lookups, retraction,
    },
};

/// Removes what the named drops asserted. Their files are not needed.
///
/// # Errors
/// When a name is unknown, or for sink or state trouble.
pub fn withdraw(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
    context.to_the_end(|| withdraw_once(context, names, options))
}

fn withdraw_once(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
    let plan = context.plan;
    let mut opened = open::open_loaded(plan, options.access())?;
    open::check_agreement(plan, &opened)?;
    let definitions = open::check_definition(plan, &opened.ledger, Wanted::AfterTables)?;
    let notices = if options.dry_run { Vec::new() } else { erase::finish_pending(context, options, &mut opened)? };
    let withdrawn = deliveries::named(&opened.ledger, names)?;
    let workers = options.workers_of(plan);
    let work = Work {
        retractions: withdrawn.iter().map(|drop| retraction(plan, drop, None)).collect::<Result<_, _>>()?,
        ..Work::on(&opened.state, opened.ledger.epoch.next(), workers, opened.spill_dir(plan))?
    };
    let mut report = context.start(opened.ledger.epoch, workers, options.dry_run);
    notices.into_iter().for_each(|notice| context.tell(&mut report, RunEvent::Notice(notice)));
    let plane = compute::load(context, work)?;
    for drop in &withdrawn {
        let drop = DropReport::new(&drop.name, &drop.source, Action::Withdrawn, "as asked", Default::default());
        context.tell(&mut report, RunEvent::Drop(drop));
    }
    lookups::tell(context, &plane.run().session, Some(plane.run()), &mut report)?;
    let outcome = Outcome { withdrawn, ..Outcome::new(definitions) };
    commit::conclude(context, &mut opened, plane.as_ref(), outcome, &mut report)?;
    Ok(report)
}
