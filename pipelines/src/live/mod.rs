//! What a process that watches pipelines knows of them at this moment: written by the loops that load, read by whoever serves
//! it.

mod known;
mod runs;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use vardelta_engine::{event::RunEvent, locks::Locked as _, plan::Plan};
use vardelta_schemas::ledger::{Accounts, Event, Snapshot};

use self::known::Known;
pub use self::runs::{FinishedRun, RunUnderWay};
use crate::operate::{
    clock::{now_s, seconds_of},
    figures,
    health::{self, Check, Probe},
    metrics::{self, Samples},
};

/// Whether the last run ended well.
const STATUS: &str = "vardelta_last_run_status";

/// The pipelines of this process.
pub struct Board {
    /// One after the other, as they were named.
    pub pipelines: Vec<Arc<LivePipeline>>,
    /// When the process began to watch, in seconds since 1970.
    pub started_s: u64,
}

impl Board {
    /// Whether no loop has ended by a defect.
    pub fn is_alive(&self) -> bool {
        self.pipelines.iter().all(|pipeline| !pipeline.is_dead.load(Ordering::Acquire))
    }

    /// Whether every loop has looked at its folders at least once.
    pub fn has_looked(&self) -> bool {
        self.pipelines.iter().all(|pipeline| pipeline.now().scans > 0)
    }

    /// A pipeline by name.
    pub fn pipeline(&self, name: &str) -> Option<&Arc<LivePipeline>> {
        self.pipelines.iter().find(|pipeline| pipeline.plan.pipeline.name == name)
    }

    /// The metrics of all pipelines in the classic text format.
    pub fn metrics(&self) -> String {
        let mut all = Samples::new();
        for pipeline in &self.pipelines {
            all.extend(pipeline.samples());
        }
        metrics::text(&all)
    }
}

/// A file that is not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDrop {
    /// The source stage.
    pub source: String,
    /// The name that its drop has or would have.
    pub name: String,
    /// The file, as the ledger writes it.
    pub path: String,
    /// When it was seen first, in seconds since 1970.
    pub since_s: u64,
    /// Why it is not loaded, in words.
    pub reason: String,
    /// What is known of it where it was set aside; `None` where it only waits.
    pub set_aside: Option<SetAside>,
}

/// How often a file was tried in vain, and when it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// How often.
    pub attempts: u64,
    /// When, in seconds since 1970.
    pub next_try_s: u64,
}

/// Why nothing can be loaded at the moment: another run's lock, a database that is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What happened, in words.
    pub message: String,
    /// Since when, in seconds since 1970.
    pub since_s: u64,
    /// When it is tried again, in seconds since 1970.
    pub next_try_s: u64,
}

/// What is known of a pipeline now.
#[derive(Default)]
pub struct Now {
    /// How often its folders were looked at.
    pub scans: u64,
    /// When that was last, in seconds since 1970.
    pub scanned_s: u64,
    /// The files that are not loaded.
    pub pending: Vec<PendingDrop>,
    /// The run under way.
    pub run: Option<RunUnderWay>,
    /// The runs of this process that committed or failed, the newest last.
    pub finished: VecDeque<FinishedRun>,
    /// Why nothing can be loaded.
    pub trouble: Option<Trouble>,
    totals: Samples,
}

/// One pipeline that is watched.
pub struct LivePipeline {
    /// Its plan.
    pub plan: Plan,
    now: Mutex<Now>,
    is_dead: AtomicBool,
    probe: Probe,
    checks: Known<Arc<Vec<Check>>>,
    drops: Known<Result<Snapshot, String>>,
    events: Known<Result<(Vec<Event>, Accounts), String>>,
}

impl LivePipeline {
    /// A pipeline of which nothing is known yet.
    pub fn new(plan: Plan) -> LivePipeline {
        let now = Now { totals: metrics::from_zero(&plan), ..Now::default() };
        LivePipeline {
            plan,
            now: Mutex::new(now),
            is_dead: AtomicBool::new(false),
            probe: Probe::default(),
            checks: Known::default(),
            drops: Known::default(),
            events: Known::default(),
        }
    }

    /// What is known now. Held for moments only.
    pub fn now(&self) -> MutexGuard<'_, Now> {
        self.now.locked()
    }

    /// Notes that its loop has ended by a defect.
    pub fn died(&self) {
        self.is_dead.store(true, Ordering::Release);
    }

    /// Takes an event of a run.
    pub fn hear(&self, event: &RunEvent) {
        let mut now = self.now();
        if let RunEvent::Started { .. } = event {
            now.run = Some(RunUnderWay::start(now_s()));
        }
        // A run may end before it has started: then it failed at the database's door.
        let run = now.run.get_or_insert_with(|| RunUnderWay::start(now_s()));
        run.hear(event);
        if !matches!(event, RunEvent::Finished { .. } | RunEvent::Failed { .. }) {
            return;
        }
        let Some((started_s, ended)) = now.run.take().and_then(|run| Some((run.started_s, run.ended()?))) else {
            return;
        };
        let mut samples = metrics::samples(&self.plan, Some(&ended));
        if ended.failure.is_some() {
            // Whether a file was to blame, which is set aside while the others go on, the loop says.
            samples.remove(&self.sample(STATUS));
        }
        metrics::add(&mut now.totals, &samples);
        now.finished.extend(FinishedRun::worth_keeping(started_s, now_s(), ended));
        while now.finished.len() > runs::KEPT {
            now.finished.pop_front();
        }
        drop(now);
        // What the ledger says may be another thing now.
        self.drops.forget();
        self.events.forget();
    }

    /// The figures that are in the ledger already, for a process that has not run anything yet.
    pub fn begin(&self, events: &[Event]) {
        let ended_well = figures::ended_well(&figures::kept(&self.plan)).or(events.last().map(|_| true));
        let mut now = self.now();
        // An alert that is firing must not be over because this process has begun.
        now.totals.extend(ended_well.map(|ended_well| (self.sample(STATUS), f64::from(u8::from(ended_well)))));
        let Some(last) = events.last() else { return };
        now.totals.insert(self.sample("vardelta_epoch"), last.epoch.number() as f64);
        if let Some(committed_s) = seconds_of(&last.committed_at) {
            now.totals.insert(self.sample("vardelta_last_success_timestamp_seconds"), committed_s as f64);
        }
    }

    /// Notes whether loading works: it does not where a run failed and no file is to blame, until a run ends well or nothing is left
    /// to be loaded.
    pub fn note_status(&self, is_well: bool) {
        self.now().totals.insert(self.sample(STATUS), f64::from(u8::from(is_well)));
    }

    fn sample(&self, metric: &str) -> String {
        metrics::of_pipeline(metric, &self.plan.pipeline.name)
    }

    /// What health says, at most five seconds old. May take two seconds.
    pub fn checks(&self) -> Arc<Vec<Check>> {
        self.checks.get(|| Arc::new(health::check(&self.plan, &self.probe)))
    }

    /// The same where it was asked for within the last five seconds.
    pub fn known_checks(&self) -> Option<Arc<Vec<Check>>> {
        self.checks.fresh()
    }

    /// The ledger's drops, at most five seconds old.
    ///
    /// # Errors
    /// The database's words.
    pub fn drops(&self) -> Result<Snapshot, String> {
        self.drops.get(|| vardelta_engine::run::drops(&self.plan).map_err(|error| error.message))
    }

    /// The ledger's events and the counts of tables by epoch, at most five seconds old.
    ///
    /// # Errors
    /// The database's words.
    pub fn events(&self) -> Result<(Vec<Event>, Accounts), String> {
        self.events.get(|| {
            let events = vardelta_engine::run::history(&self.plan).map_err(|error| error.message)?;
            Ok((events, vardelta_engine::run::accounts(&self.plan).map_err(|error| error.message)?))
        })
    }

    /// Its metrics as of now.
    fn samples(&self) -> Samples {
        let (mut samples, oldest_s, set_aside, scans) = {
            let now = self.now();
            let set_aside = now.pending.iter().filter(|drop| drop.set_aside.is_some()).count();
            (now.totals.clone(), now.pending.iter().map(|drop| drop.since_s).min(), set_aside, now.scans)
        };
        samples.extend(metrics::samples(&self.plan, None));
        let age_s = oldest_s.map_or(0, |since_s| now_s().saturating_sub(since_s));
        samples.insert(self.sample("vardelta_oldest_pending_drop_seconds"), age_s as f64);
        samples.insert(self.sample("vardelta_drops_set_aside"), set_aside as f64);
        samples.insert(self.sample("vardelta_looks_total"), scans as f64);
        samples
    }
}
