//! How a plan is computed: timely operators around those of [`crate::differential`], one dataflow per chunk of work.

pub(crate) mod activity;
pub(crate) mod aggregate;
pub(crate) mod capture;
pub(crate) mod contradictions;
pub(crate) mod correct;
pub(crate) mod feed;
pub(crate) mod gather;
pub(crate) mod grouped;
pub(crate) mod ingest;
pub(crate) mod join;
pub(crate) mod lookup;
pub(crate) mod meter;
pub(crate) mod reject_log;
pub(crate) mod replay;
pub(crate) mod resident;
pub(crate) mod segment;
pub(crate) mod table;
mod tag;
pub(crate) mod top;
mod value_counts;
mod values;
pub(crate) mod view;
pub(crate) mod warning_log;
pub(crate) mod workers;

mod dataflow;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
};

use vardelta_schemas::ledger::{Epoch, RejectRow};

pub(crate) use crate::differential::INCOMING;
use crate::{
    abort::Abort,
    changes::ChangeLog,
    contract::stage::Kind,
    error::{RunError, RunErrorKind},
    flow::{
        capture::Capture,
        correct::Corrections,
        feed::{Feed, Load},
        meter::{MeterTotals, Meters},
        reject_log::RejectLog,
        segment::{Segment, SegmentEvents, SegmentRun},
        table::Retraction,
        warning_log::WarningLog,
    },
    locks::Locked as _,
    plan::{PerStage, Plan, StageIndex, liveness::live_columns},
    rows::RowLayout,
    state::{Session, Snapshot},
};

/// Rejects kept with their text; beyond this number they are only counted.
const REJECTS_KEPT: usize = 200_000;

/// Where the rows of tables come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// From drops: sources, then the tables' own state.
    Load,
    /// From rows read back: tables are only replayed.
    Replay,
}

/// Everything the workers of a run share.
pub(crate) struct RunContext {
    pub plan: Arc<Plan>,
    pub mode: Mode,
    /// The epoch that this run makes.
    pub epoch: Epoch,
    /// Records per dataflow.
    pub chunk_records: u64,
    pub workers: usize,
    pub session: Arc<Session>,
    pub abort: Abort,
    pub loads: Vec<Load>,
    pub retractions: Vec<Retraction>,
    pub corrections: Corrections,
    pub feed: Feed,
    pub changes: ChangeLog,
    pub totals: MeterTotals,
    pub notes: Mutex<Notes>,
    pub models: resident::Models,
    pub lookups: lookup::Desks,
    segments: BTreeMap<StageIndex, Arc<Segment>>,
    layouts: PerStage<Option<RowLayout>>,
}

/// Rejects and warnings of a run.
#[derive(Default)]
pub(crate) struct Notes {
    /// The rejects that are kept.
    pub rejects: Vec<RejectRow>,
    /// All rejects, by reason.
    pub reject_counts: BTreeMap<String, u64>,
    /// Warnings.
    pub warnings: WarningLog,
    /// Every reject, where somebody wants the whole list.
    pub log: Option<RejectLog>,
}

impl Notes {
    /// Rejects that were counted but not kept.
    pub fn not_kept(&self) -> u64 {
        self.reject_counts.values().sum::<u64>() - self.rejects.len() as u64
    }
}

/// What a run is made of.
pub(crate) struct RunParts {
    pub plan: Arc<Plan>,
    pub mode: Mode,
    pub epoch: Epoch,
    pub workers: usize,
    pub session: Arc<Session>,
    pub abort: Abort,
    pub loads: Vec<Load>,
    pub retractions: Vec<Retraction>,
    pub feed: Feed,
    pub spill_dir: std::path::PathBuf,
    /// Whether every reject is to be kept.
    pub logs_rejects: bool,
    /// Whether it is kept what the threads do when.
    pub traces: bool,
}

impl RunContext {
    /// Prepares what the workers share.
    pub fn new(parts: RunParts) -> Result<RunContext, RunError> {
        let RunParts {
            plan,
            mode,
            epoch,
            workers,
            session,
            abort,
            loads,
            retractions,
            feed,
            spill_dir,
            logs_rejects,
            traces,
        } = parts;
        let unwritable = |error: std::io::Error| {
            RunError::new(RunErrorKind::Sink, format!("the list of rejects cannot be kept: {error}"))
        };
        let log = logs_rejects.then(|| RejectLog::new(&spill_dir)).transpose().map_err(unwritable)?;
        let live = live_columns(&plan);
        let (mut segments, mut layouts) = (BTreeMap::new(), PerStage::default());
        for (at, stage) in plan.stages.indexed() {
            let keeps_state = stage.relation().is_some_and(|relation| !relation.is_stateless());
            if keeps_state || matches!(stage.kind, Kind::Source) {
                segments.insert(at, Arc::new(Segment::after(&plan, at, &live)));
            }
            let keyed = stage.kind != Kind::Sink && !stage.before_tables;
            layouts.push(match keyed {
                true => {
                    let ranked_by = stage.as_table().and_then(|spec| spec.conflict_by);
                    Some(stage.layout()?.ranked_by(ranked_by).map_err(RunError::internal)?)
                }
                false => None,
            });
        }
        Ok(RunContext {
            changes: ChangeLog::new(plan.tables().len(), spill_dir),
            totals: MeterTotals::traced(plan.stages.len(), traces),
            models: resident::Models::default(),
            lookups: lookup::Desks::new(&plan),
            notes: Mutex::new(Notes { log, ..Notes::default() }),
            chunk_records: plan.pipeline.chunk_records,
            plan,
            mode,
            epoch,
            workers,
            session,
            abort,
            loads,
            retractions,
            corrections: Corrections::default(),
            feed,
            segments,
            layouts,
        })
    }

    /// The segment after a producer.
    pub fn segment(&self, root: StageIndex) -> Arc<Segment> {
        Arc::clone(&self.segments[&root])
    }

    /// How the rows of a stage are encoded.
    pub fn layout(&self, stage: StageIndex) -> Result<&RowLayout, RunError> {
        self.layouts[stage]
            .as_ref()
            .ok_or_else(|| RunError::internal(format!("stage `{}` has no row layout", self.plan.stages[stage].name)))
    }

    /// Keeps one more reject, after those of batches.
    pub fn note_reject(&self, reject: &RejectRow) {
        let mut notes = self.notes.locked();
        *notes.reject_counts.entry(reject.reason.clone()).or_default() += 1;
        if notes.rejects.len() < REJECTS_KEPT {
            notes.rejects.push(reject.clone());
        }
    }

    /// Keeps the rejects and warnings of a batch.
    pub fn note(&self, load: Option<usize>, events: SegmentEvents) {
        if events.rejects.is_empty() && events.warnings.is_empty() {
            return;
        }
        let mut notes = self.notes.locked();
        for (stage, reason, field, warned) in events.warnings {
            notes.warnings.add(load, stage, reason, field, warned);
        }
        for (stage, reject) in events.rejects {
            // After a table, the retraction of a row that was rejected is no news.
            if reject.diff < 0 {
                continue;
            }
            *notes.reject_counts.entry(reject.reason.code().to_owned()).or_default() += 1;
            let is_kept = notes.rejects.len() < REJECTS_KEPT;
            if !is_kept && notes.log.is_none() {
                continue;
            }
            let place = reject.place.unwrap_or_default();
            let load = load.map(|load| &self.loads[load]);
            let row = RejectRow {
                drop_id: load.map(|load| load.drop_id),
                drop_name: load.map(|load| load.name.clone()),
                stage: self.plan.stages[stage].name.clone(),
                line: place.line,
                contig: place.contig,
                pos: place.pos,
                reason: reject.reason.code().to_owned(),
                detail: reject.detail,
                raw: place.raw,
            };
            if let Some(log) = &mut notes.log
                && let Err(error) = log.add(stage, &row)
            {
                self.abort
                    .raise(RunError::new(RunErrorKind::Sink, format!("the list of rejects cannot be kept: {error}")));
            }
            if is_kept {
                notes.rejects.push(row);
            }
        }
    }
}

/// What the operators of one worker share.
#[derive(Clone)]
pub(crate) struct WorkerContext {
    pub run: Arc<RunContext>,
    /// The state before this chunk. Every operator reads from here and writes to the session, so that none sees what another
    /// one, or itself, has written of the same chunk.
    pub before: Arc<Snapshot>,
    pub meters: Meters,
    pub index: usize,
    pub peers: usize,
    /// The changes of the sink's tables.
    pub captured: Rc<RefCell<Capture>>,
}

impl WorkerContext {
    /// Starts a segment on this worker.
    pub fn start(&self, segment: Arc<Segment>) -> Result<SegmentRun, RunError> {
        let names = Arc::new(self.run.plan.stages.iter().map(|stage| stage.name.clone()).collect());
        SegmentRun::start(segment, self.meters.clone(), names)
    }
}
