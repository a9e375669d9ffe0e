//! Who hears of a run's events beside its report: the log and lineage as they come, metrics and alerts when the run has
//! ended.

use std::sync::{Arc, Mutex, PoisonError};

use vardelta_engine::{event::RunEvent, locks::Locked as _, plan::Plan};

use crate::operate::{alerts, ended::Ended, figures, lineage::Lineage, log::LogWriter, metrics};

/// Everyone who hears of a run.
#[derive(Default)]
pub struct Telling {
    /// The log as JSON; `None` where people read it.
    pub log: Option<Arc<LogWriter>>,
    lineage: Option<Lineage>,
    events: Mutex<Vec<RunEvent>>,
}

impl Telling {
    /// For this log and whom the plan names; gathers what is published when the run has ended.
    pub fn new(plan: &Plan, log: Option<Arc<LogWriter>>) -> Telling {
        Telling { log, lineage: Lineage::of(plan), events: Mutex::default() }
    }

    /// Passes an event on to all of them.
    pub fn event(&self, event: &RunEvent) {
        if let Some(log) = &self.log {
            log.event(event);
        }
        if let (Some(lineage), RunEvent::Started { dry_run: false, .. }) = (&self.lineage, event) {
            lineage.started();
        }
        // Progress is nothing that adds up, and there may be much of it.
        if !matches!(event, RunEvent::ChunkDone { .. } | RunEvent::Notice(_)) {
            self.events.locked().push(event.clone());
        }
    }

    /// Publishes what was gathered of a run that has ended, where the plan wants it, and sends alerts; `is_in_loop` where a loop
    /// goes on after it. What is to be said comes back in lines: nothing of it is a failure of the run.
    pub fn publish(self, plan: &Plan, is_in_loop: bool) -> Vec<String> {
        let events = self.events.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = Ended::of(&events);
        let trouble = metrics::publish(plan, ended.as_ref());
        let mut lines: Vec<String> = trouble.into_iter().map(|trouble| format!("notice: {trouble}")).collect();
        let Some(ended) = ended else { return lines };
        if let Some(Err(trouble)) = self.lineage.map(|lineage| lineage.ended(plan, &events, &ended)) {
            lines.push(format!("notice: {trouble}"));
        }
        if let Err(error) = figures::keep(plan, &ended) {
            lines.push(format!("notice: the figures of this run cannot be kept beside the state: {error}"));
        }
        lines.extend(alerts::settle(plan, &ended, is_in_loop, self.log.as_deref()));
        lines
    }
}
