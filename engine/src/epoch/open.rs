//! The start of every run: the state's lock is taken, and state and ledger are brought to agree. The ledger is the judge.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use vardelta_schemas::{
    ledger::{Epoch, Snapshot},
    sql::ledger::is_ledger_table,
};

use crate::{
    contract::sink::{Access, Sink, Trigger},
    epoch::{
        drops::{self, Disagreement},
        plane::{SharedState, settle},
        scratch::{self, Scratch},
    },
    error::{RunError, RunErrorKind},
    locks::Locked as _,
    plan::{
        Plan,
        content::{Definitions, Wanted},
        definition_changes,
    },
    state::{State, StateError, StateErrorKind},
};

/// State and sink, agreeing on the epoch.
pub(crate) struct Opened {
    pub state: SharedState,
    pub sink: Box<dyn Sink>,
    pub ledger: Snapshot,
    access: Access,
    /// Where a command that only reads puts what it computes.
    scratch: Option<Scratch>,
}

/// Opens both and finishes or undoes an epoch that a killed run left prepared.
pub(crate) fn open(plan: &Plan, access: Access) -> Result<Opened, RunError> {
    open_with(plan, access, open_state(access))
}

/// As [`open`], for what needs an epoch to work on: where there is none yet, nothing is made.
pub(crate) fn open_loaded(plan: &Plan, access: Access) -> Result<Opened, RunError> {
    open(plan, if is_untouched(plan)? { Access::Read } else { access })
}

/// Whether neither a state nor an epoch is there.
///
/// # Errors
/// When the sink cannot be read.
pub(crate) fn is_untouched(plan: &Plan) -> Result<bool, RunError> {
    if state_directory(plan).exists() {
        return Ok(false);
    }
    Ok(plan.sink().connect(Access::Read)?.ledger(&plan.pipeline.name)?.epoch == Epoch::NONE)
}

/// As [`open`], but a state that is damaged, ahead of the ledger (an older copy of the database was put back) or of another
/// epoch of the ledger's number is taken for none: it is to be rebuilt.
pub(crate) fn open_to_rebuild(plan: &Plan, access: Access) -> Result<Opened, RunError> {
    let access = if is_untouched(plan)? { Access::Read } else { access };
    let open = open_state(access);
    let mut opened = open_with(plan, access, |directory, aside| match open(directory, aside) {
        Err(error) if matches!(error.kind, StateErrorKind::Corrupt | StateErrorKind::Version) => {
            State::open_anew(aside.unwrap_or(directory))
        }
        opened => opened,
    })?;
    let state = opened.state.locked().id();
    if state.number >= opened.ledger.epoch && state != opened.ledger.id() {
        opened = anew(plan, opened)?;
    }
    Ok(opened)
}

/// The same with an empty state in place of what lies there, which goes when the first epoch is finalised.
pub(crate) fn anew(plan: &Plan, opened: Opened) -> Result<Opened, RunError> {
    let Opened { state, sink, ledger, access, scratch } = opened;
    // The lock is given back with the state.
    drop(state);
    let directory = state_directory(plan);
    let state = State::open_anew(scratch.as_ref().map_or(&directory, Scratch::path))?;
    Ok(Opened { state: Arc::new(Mutex::new(state)), sink, ledger, access, scratch })
}

/// How a state is opened: to write it, or to read it, while what is computed on top of it goes aside. Where there is none to
/// read, that is an empty one.
fn open_state(access: Access) -> impl Fn(&Path, Option<&Path>) -> Result<State, StateError> {
    move |directory, aside| match (access, aside) {
        (Access::Read, Some(aside)) if State::exists(directory) => State::open_read(directory, Some(aside)),
        (Access::Read, Some(aside)) => State::open(aside),
        _ => State::open(directory),
    }
}

fn open_with(
    plan: &Plan,
    access: Access,
    open_state: impl FnOnce(&Path, Option<&Path>) -> Result<State, StateError>,
) -> Result<Opened, RunError> {
    let directory = state_directory(plan);
    let scratch = match access {
        Access::Read => Some(Scratch::new(&directory, access)?),
        Access::Write => None,
    };
    // The sink first: where its directory is missing, making a state directory there would hide the mistake.
    let mut sink = plan.sink().connect(access)?;
    let mut state = open_state(&directory, scratch.as_ref().map(Scratch::path))?;
    if access == Access::Write {
        // With the state's lock nobody else is at work on it.
        scratch::clean(&directory);
    }
    let mut ledger = sink.ledger(&plan.pipeline.name)?;
    if state.prepared().is_some_and(|prepared| prepared != ledger.id()) {
        // The run that prepared it may have asked for the commit and died; what a server has not done yet it may still
        // do, as long as that run's session lives.
        ledger = sink.recover(&plan.pipeline.name)?;
    }
    settle(&mut state, ledger.id())?;
    Ok(Opened { state: Arc::new(Mutex::new(state)), sink, ledger, access, scratch })
}

/// Refuses to go on when state and ledger are of different epochs, or hold different drops.
pub(crate) fn check_agreement(plan: &Plan, opened: &Opened) -> Result<(), RunError> {
    check_epochs(plan, opened)?;
    let disagreements = drops::disagreements(&opened.state.locked(), &opened.ledger)?;
    let Some(Disagreement { drop, state, ledger }) = disagreements.first() else { return Ok(()) };
    let (sink, count) = (plan.sink().location(), disagreements.len());
    let has = |there: &Option<String>| if there.is_some() { "has it" } else { "has it not" };
    let message = format!(
        "the ledger in {sink} and the state of `{}` hold different drops, {count} in all; of {drop} the state {}, the ledger {}",
        plan.pipeline.name,
        has(state),
        has(ledger),
    );
    Err(RunError::new(RunErrorKind::Sink, message).with_hint(
        "The table vardelta_drops or the state was changed by something else: put sound copies of both back. `vardelta verify` lists \
         them all; `vardelta rebuild` takes the ledger's drops and reads their files again.",
    ))
}

/// Refuses to go on when state and ledger are of different epochs.
pub(crate) fn check_epochs(plan: &Plan, opened: &Opened) -> Result<(), RunError> {
    if opened.state.locked().id() == opened.ledger.id() {
        return Ok(());
    }
    let (state, ledger) = (opened.state.locked().epoch(), opened.ledger.epoch);
    // One of before identities may be an older copy of either.
    let pipelines = opened.state.locked().id().pipeline.zip(opened.ledger.id().pipeline);
    let is_same_pipeline = pipelines.is_none_or(|(state, ledger)| state == ledger);
    let (name, sink, directory) = (&plan.pipeline.name, plan.sink().location(), state_directory(plan));
    let error = |message: String| RunError::new(RunErrorKind::Sink, message);
    Err(match (state, ledger) {
        (Epoch::NONE, _) => error(format!(
            "{sink} is at epoch {ledger} of `{name}`, but its state in {} is missing",
            directory.display()
        ))
        .with_hint("Put the state directory back, or run `vardelta rebuild`, which reads the drops' files again."),
        (_, Epoch::NONE) => error(format!(
            "the state in {} is at epoch {state}, but {sink} holds nothing of `{name}`",
            directory.display()
        ))
        .with_hint(format!("Put the database back, or remove {} to start from nothing.", directory.display())),
        _ if !is_same_pipeline => error(format!(
            "the state in {} belongs to another database than {sink}: a pipeline `{name}` that was begun there",
            directory.display()
        ))
        .with_hint(
            "Put state and database together again that belong together: is `state_dir` or the sink's address another \
             pipeline's? If this database's own state is lost, move the other one away and run `vardelta rebuild`, which \
             reads the drops' files again.",
        ),
        _ if state == ledger => error(format!(
            "{sink} and the state in {} are at epoch {ledger} of `{name}`, but not at the same one: another run, from a \
             copy of the state or into a copy of the database, has made an epoch of that number",
            directory.display()
        ))
        .with_hint("Put the state back that made it, or run `vardelta rebuild`, which reads the drops' files again."),
        _ => error(format!(
            "{sink} is at epoch {ledger} of `{name}`, but its state in {} is at epoch {state}",
            directory.display()
        ))
        .with_hint("One of the two was replaced by a copy of another time: put it back, or run `vardelta rebuild`."),
    })
}

/// What the pipeline computes; refuses to go on when that is something else than the state holds.
pub(crate) fn check_definition(plan: &Plan, ledger: &Snapshot, wanted: Wanted) -> Result<Definitions, RunError> {
    let definitions = Definitions::of(plan, &ledger.definition, wanted)?;
    if ledger.epoch == Epoch::NONE {
        return Ok(definitions);
    }
    let changes = definition_changes(&ledger.definition, &definitions)?;
    if changes.is_empty() {
        return Ok(definitions);
    }
    Err(RunError::new(
        RunErrorKind::Sink,
        format!("the pipeline's definition has changed since epoch {}:\n  - {}", ledger.epoch, changes.join("\n  - ")),
    )
    .with_hint(
        "Run `vardelta migrate`, which changes what differs (see `--plan`), or `vardelta rebuild`, which makes the tables \
         from scratch; or put the old definition back.",
    ))
}

/// Where the state of a pipeline lies.
pub fn state_directory(plan: &Plan) -> PathBuf {
    let pipeline = &plan.pipeline;
    let base = match &pipeline.state_dir {
        Some(directory) => pipeline.resolve(directory),
        None => plan.sink().default_state_dir().unwrap_or_else(|| pipeline.base_dir.join(".vardelta")),
    };
    base.join(&pipeline.name)
}

/// What is to be said of triggers on tables that vardelta keeps.
pub(crate) fn trigger_notices(plan: &Plan, triggers: &[Trigger]) -> Vec<String> {
    let kept = plan.kept_tables();
    let is_kept = |table: &str| is_ledger_table(table) || kept.iter().any(|kept| kept.name.eq_ignore_ascii_case(table));
    let notice = |Trigger { name, table }: &Trigger| {
        format!(
            "table `{table}` has the trigger `{name}`: rows may not be what vardelta wrote; `vardelta verify` finds out, and \
             dropping the trigger keeps it so"
        )
    };
    triggers.iter().filter(|trigger| is_kept(&trigger.table)).map(notice).collect()
}

impl Opened {
    /// Where changes are spilled: beside the state, or where a command that only reads puts what it computes.
    pub(crate) fn spill_dir(&self, plan: &Plan) -> PathBuf {
        match &self.scratch {
            Some(scratch) => scratch.path().to_owned(),
            None => state_directory(plan),
        }
    }

    /// Room for what is only computed to be compared.
    pub(crate) fn aside(&self, plan: &Plan) -> Result<Scratch, RunError> {
        Scratch::new(&state_directory(plan), self.access)
    }
}
