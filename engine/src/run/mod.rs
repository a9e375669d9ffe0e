//! Runs: what is new is found, computed by dataflows, and committed as one epoch.

mod asking;
pub(crate) mod compute;
pub(crate) mod deliveries;
pub(crate) mod erase;
mod erase_search;
mod erased_entries;
mod guards;
pub(crate) mod load;
mod lookups;
pub(crate) mod members;
pub(crate) mod migrate;
mod named_files;
mod query_plans;
pub(crate) mod rebuild;
mod set_aside;
pub(crate) mod verify;
pub mod why;
pub(crate) mod withdraw;

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use vardelta_schemas::{
    TableSchema,
    ledger::{self, Epoch},
};

use crate::{
    contract::sink::Access,
    epoch::gaps,
    error::RunError,
    flow::table::Retraction,
    path_text::to_text,
    plan::{Plan, tables_of},
    state::State,
};

pub use asking::{held_lookups, lookup_tiers};
pub use erase::{EraseReport, ErasedPlace, ErasedReport, erase, erase_sample};
pub use load::run;
pub use members::withdraw_sample;
pub use migrate::{MigrateOptions, migrate};
pub use query_plans::{PlannedQuery, query_plans};
pub use rebuild::rebuild;
pub use set_aside::{note_set_aside, set_aside};
pub use verify::{Difference, Means, VerifiedTable, VerifyReport, verify};
pub use withdraw::withdraw;

pub use crate::{
    epoch::{context::Context, gaps::missing, open::state_directory},
    report::migration::{Backfill, ComparedTable, MigrationReport, Origin},
};

/// What `run` is asked to do.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Files to load; empty means what the sources' paths match now. `-` is standard input.
    pub files: Vec<PathBuf>,
    /// Of what the sources' paths match now, these alone: the source stage, and the file as the source finds it. Empty is none
    /// at all.
    pub among: Option<BTreeSet<(String, PathBuf)>>,
    /// The source stage the files go to; needed when there are several.
    pub into: Option<String>,
    /// The drop's name, for a single file.
    pub name: Option<String>,
    /// Worker threads, instead of the pipeline's.
    pub workers: Option<usize>,
    /// Compute and report, write nothing.
    pub dry_run: bool,
    /// Withdraw drops whose file is gone.
    pub prune: bool,
    /// Withdraw them however many they are.
    pub prune_all: bool,
    /// Samples that were withdrawn and are taken in again.
    pub readmit: Vec<String>,
    /// Load nothing, and ask for every looked-up key that waits, however lately it was asked for in vain.
    pub retry_lookups: bool,
    /// With `dry_run`: ask for what is looked up all the same, so that the caches have it.
    pub warm: bool,
    /// Take a new delivery of a drop however many of its records are gone.
    pub accept_smaller: bool,
    /// Verify every view by replay as well, also one that the database computes.
    pub replay: bool,
}

impl RunOptions {
    /// What it may do with state and sink.
    fn access(&self) -> Access {
        if self.dry_run { Access::Read } else { Access::Write }
    }

    /// Worker threads of a run of this plan.
    fn workers_of(&self, plan: &Plan) -> usize {
        self.workers.unwrap_or(plan.pipeline.workers).max(1)
    }
}

/// What takes back what a drop asserted, all of it or what it asserted before the epoch that replaces it.
fn retraction(plan: &Plan, drop: &ledger::DropRow, replaced_by: Option<Epoch>) -> Result<Retraction, RunError> {
    let Some((source, _)) = plan.stage(&drop.source) else {
        return Err(RunError::internal(format!(
            "drop {} `{}` is of the source `{}`, which the plan does not have, so nobody can tell what it asserted",
            drop.drop_id, drop.name, drop.source
        )));
    };
    Ok(Retraction::new(drop.drop_id.number(), replaced_by.map(Epoch::number), &tables_of(plan, source)))
}

/// What is loaded, each drop with the whole path of its file.
///
/// # Errors
/// When the sink cannot be read.
pub fn drops(plan: &Plan) -> Result<ledger::Snapshot, RunError> {
    let mut ledger = plan.sink().connect(Access::Read)?.ledger(&plan.pipeline.name)?;
    for drop in &mut ledger.drops {
        if let Some(path) = deliveries::file_of(plan, drop) {
            drop.path = to_text(std::path::absolute(&path).unwrap_or(path));
        }
    }
    Ok(ledger)
}

/// What every epoch did with the tables, and which tables there are.
///
/// # Errors
/// When the sink cannot be read.
pub fn accounts(plan: &Plan) -> Result<ledger::Accounts, RunError> {
    Ok(plan.sink().connect(Access::Read)?.accounts(&plan.pipeline.name)?)
}

/// The epochs that are not in the histories of a plan's tables, because the pipeline did not ask for them: table and epochs.
///
/// # Errors
/// When the sink cannot be read.
pub fn history_gaps(plan: &Plan) -> Result<Vec<(String, RangeInclusive<Epoch>)>, RunError> {
    let accounts = accounts(plan)?;
    let of_table = |(table, history): (TableSchema, TableSchema)| {
        let gaps = gaps::gaps(&accounts, &table.name, &history.name);
        gaps.into_iter().map(move |gap| (table.name.clone(), gap))
    };
    Ok(gaps::kept(plan).into_iter().flat_map(of_table).collect())
}

/// The path by which the ledger remembers a file.
pub fn recorded_path(plan: &Plan, path: &Path) -> String {
    named_files::recorded(plan, path)
}

/// Whether the state of a pipeline holds an epoch, so that its ledger must have one too. Nothing is opened or locked.
pub fn has_state(plan: &Plan) -> bool {
    State::has_epoch(&state_directory(plan))
}

/// What every epoch did.
///
/// # Errors
/// When the sink cannot be read.
pub fn history(plan: &Plan) -> Result<Vec<ledger::Event>, RunError> {
    Ok(plan.sink().connect(Access::Read)?.history(&plan.pipeline.name)?)
}
