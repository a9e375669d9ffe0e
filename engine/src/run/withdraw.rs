//! `withdraw`: what drops asserted is taken back, from the state alone.

use crate::{
    contract::sink::Access,
    epoch::{
        commit::{self, Outcome},
        context::Context,
        open::{self, spill_dir},
    },
    error::RunError,
    event::RunEvent,
    flow::table::Retraction,
    plan::{content::Wanted, tables_of},
    report::{Action, DropReport, RunReport},
    run::{
        RunOptions,
        compute::{self, Work},
        deliveries, erase,
    },
};

/// Removes what the named drops asserted. Their files are not needed.
///
/// # Errors
/// When a name is unknown, or for sink or state trouble; nothing was written then.
pub fn withdraw(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
    context.to_the_end(|| withdraw_once(context, names, options))
}

fn withdraw_once(context: Context<'_>, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
    let plan = context.plan;
    let access = if options.dry_run { Access::Read } else { Access::Write };
    let mut opened = open::open(plan, access)?;
    open::check_epochs(plan, &opened)?;
    let definitions = open::check_definition(plan, &opened.ledger, Wanted::BehindTables)?;
    let notices = if options.dry_run { Vec::new() } else { erase::finish_pending(context, options, &mut opened)? };
    let withdrawn = deliveries::named(&opened.ledger, names)?;
    let workers = options.workers_of(plan);
    let tables = |source: &str| plan.stage(source).map(|(at, _)| tables_of(plan, at)).unwrap_or_default();
    let work = Work {
        session: opened.state.begin()?,
        epoch: opened.ledger.epoch + 1,
        workers,
        loads: Vec::new(),
        retractions: withdrawn.iter().map(|drop| Retraction::new(drop.drop_id, None, &tables(&drop.source))).collect(),
        spill_dir: spill_dir(context, options.dry_run),
    };
    let mut report = context.start(opened.ledger.epoch, workers, options.dry_run);
    notices.into_iter().for_each(|notice| context.tell(&mut report, RunEvent::Notice(notice)));
    let run = compute::load(context, work)?;
    for drop in &withdrawn {
        let drop = DropReport::new(&drop.name, &drop.source, Action::Withdrawn, "as asked", Default::default());
        context.tell(&mut report, RunEvent::Drop(drop));
    }
    commit::conclude(context, &mut opened, &run, Outcome { withdrawn, ..Outcome::new(definitions) }, &mut report)?;
    Ok(report)
}
