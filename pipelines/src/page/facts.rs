//! What pages show of a pipeline: read from its ledger in the sink, from the plan, and from the figures that runs leave. The
//! same as the verbs `drops`, `history`, `graph` and `cache stats` say.

mod read;

use vardelta_engine::plan::Plan;
use vardelta_schemas::ledger::{DropRow, Epoch, Event, LookupCount, TableCounts, WithdrawnMember};

use crate::operate::figures::Figures;

pub use self::read::{details, read};

/// A pipeline at one moment.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Its name.
    pub pipeline: String,
    /// Its database in words, without secrets.
    pub sink: String,
    /// When this was read, seconds since 1970.
    pub read_s: u64,
    /// The last committed epoch; 0 before the first.
    pub epoch: Epoch,
    /// The runs that committed an epoch, the newest first.
    pub runs: Vec<Run>,
    /// The runs that failed, as far as their figures are kept, the newest first.
    pub failed: Vec<FailedRun>,
    /// The run under way, where this process runs it.
    pub running: Option<Running>,
    /// Why nothing can be loaded at the moment.
    pub trouble: Option<String>,
    /// Files that are not loaded: they wait, or are set aside.
    pub waiting: Vec<Waiting>,
    /// The drops: those that stand in ledger order, after them those that were withdrawn.
    pub drops: Vec<DropFacts>,
    /// The samples that were taken back by themselves.
    pub members: Vec<WithdrawnMember>,
    /// The sink's tables, in its order.
    pub tables: Vec<Table>,
    /// The plan's stages, every one after its inputs.
    pub stages: Vec<Stage>,
    /// The look-ups.
    pub lookups: Vec<Lookup>,
}

/// A run that committed an epoch.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The epoch.
    pub epoch: Epoch,
    /// When, UTC, RFC 3339.
    pub committed_at: String,
    /// What it did with drops.
    pub events: Vec<Event>,
    /// What it did with tables.
    pub tables: Vec<TableCounts>,
    /// How long it took and where the time went; `None` where that was not kept.
    pub figures: Option<Figures>,
}

/// A run that failed.
#[derive(Clone, Debug, Default)]
pub struct FailedRun {
    /// When, UTC, RFC 3339.
    pub ended_at: String,
    /// The sort of error.
    pub kind: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What it said; `None` where that is in the log alone.
    pub message: Option<String>,
}

/// A run under way.
#[derive(Clone, Debug, Default)]
pub struct Running {
    /// When it began, UTC, RFC 3339.
    pub started_at: String,
    /// For how many seconds.
    pub seconds: f64,
    /// Records read so far.
    pub records: u64,
    /// The names of the drops that it loads.
    pub drops: Vec<String>,
}

/// A file that is not loaded.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Its source.
    pub source: String,
    /// The name that its drop has or would have.
    pub name: String,
    /// Since when, UTC, RFC 3339.
    pub since: String,
    /// Why.
    pub reason: String,
    /// How often it was tried in vain and when it is tried again, UTC, RFC 3339; `None` where it only waits.
    pub set_aside: Option<(u64, String)>,
}

/// A drop and what became of it.
#[derive(Clone, Debug)]
pub struct DropFacts {
    /// Its source and name.
    pub source: String,
    /// Its name.
    pub name: String,
    /// Its row in the ledger; `None` where it was withdrawn.
    pub row: Option<DropRow>,
    /// Epochs and what they did with it, in order.
    pub events: Vec<(Epoch, String)>,
}

/// A table of the sink.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The columns of its key.
    pub key: Vec<String>,
    /// Rows as of the last epoch; `None` where the ledger does not say.
    pub rows: Option<u64>,
    /// The last epoch that changed a row, and when.
    pub changed: Option<(Epoch, String)>,
    /// Rows that epochs changed, the oldest first.
    pub changes: Vec<(Epoch, u64)>,
    /// Whether the sink keeps its history.
    pub has_history: bool,
}

/// A stage of the plan.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_name: String,
    /// `source`, `transform`, `relational` or `sink`.
    pub kind: &'static str,
    /// Its inputs: indexes of stages.
    pub inputs: Vec<usize>,
    /// The number of its columns.
    pub columns: usize,
}

/// A look-up stage.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// Its name.
    pub stage: String,
    /// Its keys by status.
    pub keys: Vec<LookupCount>,
    /// Its tiers, by name.
    pub tiers: Vec<(String, Held)>,
}

/// What a tier holds, entries and bytes, or why that cannot be said.
pub type Held = Result<(u64, u64), String>;

impl Facts {
    /// A run by its epoch.
    pub fn run(&self, epoch: Epoch) -> Option<&Run> {
        self.runs.iter().find(|run| run.epoch == epoch)
    }

    /// The figures of the newest run that read something; where none did, of the newest that left any.
    pub fn last_figures(&self) -> Option<(&Run, &Figures)> {
        let with_figures = || self.runs.iter().filter_map(|run| Some((run, run.figures.as_ref()?)));
        with_figures()
            .find(|(run, _)| run.events.iter().any(|event| event.counts.read > 0))
            .or_else(|| with_figures().next())
    }

    /// Drops that stand.
    pub fn standing(&self) -> usize {
        self.drops.iter().filter(|drop| drop.row.is_some()).count()
    }
}

impl Run {
    /// Rows that it changed, over all tables.
    pub fn rows_changed(&self) -> u64 {
        self.tables.iter().map(TableCounts::changed_rows).sum()
    }
}

/// The stages of a plan.
fn stages(plan: &Plan) -> Vec<Stage> {
    let stage = |stage: &vardelta_engine::plan::PlannedStage| Stage {
        name: stage.name.clone(),
        type_name: stage.type_name.to_owned(),
        kind: stage.kind.as_str(),
        inputs: stage.inputs.iter().map(|input| input.place()).collect(),
        columns: stage.schema.columns().len(),
    };
    plan.stages.iter().map(stage).collect()
}
