//! What a run did, as people and programs read it. The JSON keys are part of the interface (DESIGN, section 11).

pub mod migration;

use std::collections::BTreeMap;

use serde::Serialize;
use vardelta_schemas::ledger::{Epoch, RecordCounts, TableCounts, WarningRow};

use crate::contract::lookup::LookupFigures;

/// The report of `run`, `withdraw` and `rebuild`.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The epoch the sink is at now.
    pub epoch: Epoch,
    /// Whether this run made that epoch: false when nothing changed, and for a dry run.
    pub committed: bool,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// What happened, drop by drop.
    pub drops: Vec<DropReport>,
    /// What happened, table by table.
    pub tables: Vec<TableCounts>,
    /// Rejected records and rows, by reason code.
    pub rejects: BTreeMap<String, u64>,
    /// What was adapted, by reason, drop, stage and field.
    pub warnings: Vec<WarningRow>,
    /// Things worth saying: a glob that matched nothing, a drop of which nothing was loaded.
    pub notices: Vec<String>,
    /// What each stage did and how long it took.
    pub stages: Vec<StageReport>,
    /// What the look-up stages asked for.
    pub lookups: Vec<LookupReport>,
    /// What the threads did that read files, by source stage.
    pub readers: Vec<ReaderReport>,
    /// How long each worker was busy, and how long it waited.
    pub worker_times: Vec<WorkerReport>,
    /// How long the sink took to commit.
    pub commit: TimeReport,
    /// How often the sink's transaction was run again, after a deadlock or a lost connection.
    pub retries: u64,
    /// Worker threads.
    pub workers: usize,
    /// Rows that the sink took while others were still computed.
    pub rows_ahead: u64,
    /// Wall-clock seconds of the whole run.
    pub seconds: f64,
}

impl RunReport {
    /// The report of a run that has not done anything yet, with the sink at this epoch.
    pub fn new(pipeline: &str, epoch: Epoch, workers: usize) -> RunReport {
        RunReport {
            pipeline: pipeline.to_owned(),
            epoch,
            committed: false,
            dry_run: false,
            drops: Vec::new(),
            tables: Vec::new(),
            rejects: BTreeMap::new(),
            warnings: Vec::new(),
            notices: Vec::new(),
            stages: Vec::new(),
            lookups: Vec::new(),
            readers: Vec::new(),
            worker_times: Vec::new(),
            commit: TimeReport::default(),
            retries: 0,
            workers,
            rows_ahead: 0,
            seconds: 0.0,
        }
    }
}

/// What happened to one drop.
#[derive(Clone, Debug, Serialize)]
pub struct DropReport {
    /// The drop's name.
    pub name: String,
    /// The source stage.
    pub source: String,
    /// What happened.
    pub action: Action,
    /// Why: what was new or changed about it.
    pub reason: String,
    /// Records read.
    pub read: u64,
    /// Records of which a row is in a table.
    pub loaded: u64,
    /// Records that passed no filter or had no alternate allele.
    pub filtered: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Records superseded inside the drop.
    pub duplicates: u64,
    /// Of the filtered records, those without alternate allele.
    pub no_alternate: u64,
    /// Of those without alternate allele, the gVCF reference blocks.
    pub reference_blocks: u64,
}

impl DropReport {
    /// A report with these counts.
    pub fn new(name: &str, source: &str, action: Action, reason: &str, counts: RecordCounts) -> DropReport {
        DropReport {
            name: name.to_owned(),
            source: source.to_owned(),
            action,
            reason: reason.to_owned(),
            read: counts.read,
            loaded: counts.loaded,
            filtered: counts.filtered,
            rejected: counts.rejected,
            duplicates: counts.duplicates,
            no_alternate: counts.no_alternate,
            reference_blocks: counts.reference_blocks,
        }
    }
}

/// What happens to a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new name.
    Added,
    /// A known name with other content.
    Replaced,
    /// Taken back.
    Withdrawn,
    /// The same content as before.
    Unchanged,
    /// Read again for a rebuild.
    Rebuilt,
    /// Brought to another definition, by `migrate`.
    Migrated,
    /// Taken back and forgotten.
    Erased,
    /// One of its samples was taken back.
    SampleWithdrawn,
    /// Looked-up keys of earlier epochs that got an answer.
    Completed,
}

impl Action {
    /// The word that reports and the ledger use.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Added => "added",
            Action::Replaced => "replaced",
            Action::Withdrawn => "withdrawn",
            Action::Unchanged => "unchanged",
            Action::Rebuilt => "rebuilt",
            Action::Migrated => "migrated",
            Action::Erased => "erased",
            Action::SampleWithdrawn => "sample_withdrawn",
            Action::Completed => "completed",
        }
    }
}

/// What one stage did.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// The stage's name.
    pub name: String,
    /// Rows (for a source: records) it took in.
    pub rows_in: u64,
    /// Rows it gave out.
    pub rows_out: u64,
    /// How long.
    #[serde(flatten)]
    pub times: TimeReport,
}

/// How long something took: in all, and batch by batch.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TimeReport {
    /// Busy seconds, summed over threads.
    pub seconds: f64,
    /// Seconds of waiting for work to come or for room for what was done, summed over threads.
    pub wait_s: f64,
    /// Median time per batch with rows, in microseconds; of a commit, per commit.
    pub p50_us: u64,
    /// 90th percentile of the same.
    pub p90_us: u64,
    /// 99th percentile of the same.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
    /// The times that these figures are of: microseconds (to two digits), and how many batches took so long; ascending.
    #[serde(skip)]
    pub batches_us: Vec<(u64, u64)>,
    /// When the first batch with rows began and the last one ended, in seconds since the run began to read; `None` where there
    /// was none.
    #[serde(skip)]
    pub spell_s: Option<(f64, f64)>,
}

/// What the threads did that read a source's files.
#[derive(Clone, Debug, Serialize)]
pub struct ReaderReport {
    /// The source stage.
    pub name: String,
    /// Chunks of files that were read.
    pub chunks: u64,
    /// How long; waiting is for workers to take what was read.
    #[serde(flatten)]
    pub times: TimeReport,
}

/// One worker's time: what it was busy and what it waited is all of it.
#[derive(Clone, Debug, Serialize)]
pub struct WorkerReport {
    /// The worker, from 0.
    pub worker: usize,
    /// Seconds at work.
    pub busy_s: f64,
    /// Seconds waiting.
    pub wait_s: f64,
    /// Seconds from the start of its thread to its end, by another clock than the two above, which are to add up to it.
    #[serde(skip)]
    pub lived_s: f64,
}

/// What one look-up stage asked for, and what became of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LookupReport {
    /// The stage.
    pub stage: String,
    /// What this run asked for, first or again, and where the answers came from.
    #[serde(flatten)]
    pub figures: LookupFigures,
    /// Keys that wait for an answer when the run is done, asked for by this run or not.
    pub waiting: u64,
}

/// How far a run is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// What is being done, in a word or two.
    pub phase: &'static str,
    /// The files being loaded.
    pub files: Vec<FileProgress>,
    /// Rejects so far, by reason code.
    pub rejects: BTreeMap<String, u64>,
    /// What was adapted so far, by reason code.
    pub warnings: BTreeMap<String, u64>,
    /// What each stage has done so far, in the plan's order.
    pub stages: Vec<StageProgress>,
    /// What the threads have done that read files.
    pub readers: BusyProgress,
    /// What the workers have done.
    pub workers: BusyProgress,
    /// Chunks that wait between readers and workers, and how many have room there.
    pub queue: Option<(usize, usize)>,
    /// The table whose new columns are being filled.
    pub filling: Option<Filling>,
}

/// What a stage has done so far.
#[derive(Clone, Debug, Default)]
pub struct StageProgress {
    /// The stage's name.
    pub name: String,
    /// Rows (for a source: records) it took in.
    pub rows_in: u64,
    /// Rows it gave out.
    pub rows_out: u64,
    /// Seconds at work and waiting.
    pub times: BusyProgress,
}

/// Seconds at work and waiting so far, summed over threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct BusyProgress {
    /// At work.
    pub busy_s: f64,
    /// Waiting.
    pub wait_s: f64,
}

/// How far a table's new columns are filled.
#[derive(Clone, Debug)]
pub struct Filling {
    /// The table.
    pub table: String,
    /// Rows so far.
    pub rows: u64,
    /// Rows in all.
    pub of: u64,
}

/// How far one file is.
#[derive(Clone, Debug)]
pub struct FileProgress {
    /// The drop's name.
    pub name: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes read so far.
    pub position_bytes: u64,
    /// Records parsed so far.
    pub records: u64,
    /// Rows rejected so far.
    pub rejected: u64,
}
