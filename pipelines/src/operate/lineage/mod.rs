//! OpenLineage events (<https://openlineage.io>): a run begins, and completes, fails or is aborted, with what it read and wrote.
//! They never fail a run, and hold it up for [`emit::WITHIN`] at the most.

mod columns;
mod datasets;
mod emit;
mod event;
mod facet;
mod name;
mod run_id;

use std::sync::Mutex;

use serde_json::Value;
use vardelta_engine::{
    edge::{escape, secret},
    error::RunErrorKind,
    event::RunEvent,
    locks::Locked as _,
    plan::Plan,
};

use self::{datasets::Datasets, emit::Emitter, event::Run};
use crate::operate::ended::{Ended, Failure};

/// The events of one command.
pub struct Lineage {
    run: Run,
    emitter: Emitter,
    start: Mutex<Option<Value>>,
}

impl Lineage {
    /// Nothing yet; `None` where the plan wants no events.
    pub fn of(plan: &Plan) -> Option<Lineage> {
        let target = plan.operate.openlineage.as_ref()?;
        let run = Run::new(&plan.pipeline.name);
        // What a run reads and writes is known before it reads: only the figures come at its end.
        let start = run.event("START", &Datasets::of(plan, &[], None), None);
        let emitter = Emitter::new(target, &plan.pipeline, plan.operate.openlineage_token.clone());
        Some(Lineage { run, emitter, start: Mutex::new(Some(start)) })
    }

    /// Tells that the run begins.
    pub fn started(&self) {
        if let Some(mut start) = self.start.locked().take() {
            start["eventTime"] = crate::operate::clock::now().into();
            self.emitter.send(line(&start));
        }
    }

    /// Reports how the run ended, and waits for what was sent to arrive.
    ///
    /// # Errors
    /// What did not, in words.
    pub fn ended(self, plan: &Plan, events: &[RunEvent], ended: &Ended) -> Result<(), String> {
        let (state, error) = match &ended.failure {
            None => ("COMPLETE", None),
            Some(Failure { kind: RunErrorKind::Interrupted, message, .. }) => ("ABORT", Some(message.as_str())),
            Some(failure) => ("FAIL", Some(failure.message.as_str())),
        };
        // A run that failed before it read anything began all the same.
        self.started();
        self.emitter.send(line(&self.run.event(state, &Datasets::of(plan, events, ended.report.as_ref()), error)));
        self.emitter.finish()
    }
}

/// An event on a line of its own, without secrets and without what would steer a terminal.
fn line(event: &Value) -> String {
    let text = event.to_string();
    let hidden = secret::hide_json(&text);
    escape::json(&hidden).into_owned()
}
