//! Who is told of a run's events beside its report: the log, and the metrics that are published when it has ended.

use std::sync::Arc;

use vardelta_engine::{event::RunEvent, plan::Plan};

use crate::operate::{figures::FiguresOfRun, log::LogWriter, metrics::Metrics};

/// Everyone who is told of a run.
#[derive(Default)]
pub struct Telling {
    /// The log as JSON; `None` where people read it.
    pub log: Option<Arc<LogWriter>>,
    metrics: Metrics,
    figures: FiguresOfRun,
}

impl Telling {
    /// Tells this log, and gathers what is published when the run has ended.
    pub fn new(log: Option<Arc<LogWriter>>) -> Telling {
        Telling { log, metrics: Metrics::default(), figures: FiguresOfRun::default() }
    }

    /// Tells all of them.
    pub fn event(&self, event: &RunEvent) {
        if let Some(log) = &self.log {
            log.event(event);
        }
        self.metrics.event(event);
        self.figures.event(event);
    }

    /// Publishes what was gathered of a run that has ended, where the plan wants it. What goes wrong comes back in words: it
    /// is no failure of the run.
    pub fn publish(self, plan: &Plan) -> Vec<String> {
        let kept = self.figures.keep(plan).err();
        let kept = kept.map(|error| format!("the figures of this run cannot be kept beside the state: {error}"));
        self.metrics.publish(plan).into_iter().chain(kept).collect()
    }
}
