//! Whether a pipeline can work: its database answers, disks and memory have room, and what is loaded is fresh.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde::Serialize;
use vardelta_engine::{
    clock::utc,
    error::{RunError, RunErrorKind},
    plan::{Plan, PlannedStage},
    run::{self, state_directory},
};
use vardelta_schemas::ledger::Event;

use crate::operate::{
    clock::{now_s, seconds_of},
    machine,
};

/// How long the database may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What one check found.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// `database`, `disk`, `memory`, `freshness` or `lookups`.
    pub name: &'static str,
    /// `ok` or `failing`.
    pub status: &'static str,
    /// What was found, in words.
    pub message: String,
}

impl Check {
    fn of(name: &'static str, found: Result<String, String>) -> Check {
        match found {
            Ok(message) => Check { name, status: "ok", message },
            Err(message) => Check { name, status: "failing", message },
        }
    }

    /// The checks themselves did not come to an end in time.
    pub fn late() -> Check {
        Check::of("database", Err("the checks did not end in time".to_owned()))
    }

    /// Whether it failed.
    pub fn is_failing(&self) -> bool {
        self.status != "ok"
    }
}

/// Asks a database, one question at a time: where it does not answer, threads must not pile up.
#[derive(Default)]
pub struct Probe {
    is_asking: Arc<AtomicBool>,
}

/// All checks of a pipeline.
pub fn check(plan: &Plan, probe: &Probe) -> Vec<Check> {
    let limits = &plan.operate.health;
    let history = probe.history(plan);
    let last = history.as_ref().ok().map(|events| events.last().cloned());
    let database = history.map(|_| format!("{} answers", plan.sink().location()));
    let mut checks = vec![Check::of("database", database)];
    for place in places(plan) {
        checks.push(Check::of("disk", has_room(&place, limits.disk_free_gb)));
    }
    let memory = machine::memory_available_bytes()
        .and_then(|bytes| at_least("of memory available", bytes, limits.memory_available_gb));
    checks.push(Check::of("memory", memory));
    if let Some(hours) = limits.fresh_hours {
        let fresh = match last {
            None => Err("how fresh the tables are is not known: the database does not answer".into()),
            Some(None) => Err("nothing has been loaded yet".into()),
            Some(Some(event)) => is_fresh(&event, hours),
        };
        checks.push(Check::of("freshness", fresh));
    }
    checks.extend(lookups(plan));
    checks
}

/// Whether the last committed epoch is no older than this, in words either way; `None` where nobody can tell, because the
/// database does not answer or nothing was ever committed.
pub fn freshness(plan: &Plan, hours: f64) -> Option<Result<String, String>> {
    Probe::default().history(plan).ok()?.last().map(|event| is_fresh(event, hours))
}

impl Probe {
    /// Asks the database for the ledger, for no longer than it may take: a thread that still waits ends with the process.
    fn history(&self, plan: &Plan) -> Result<Vec<Event>, String> {
        let (sender, receiver) = mpsc::channel();
        let (asked, location) = (plan.clone(), plan.sink().location());
        if self.is_asking.swap(true, Ordering::AcqRel) {
            return Err(format!("{location} has not answered an earlier question yet"));
        }
        let is_asking = Arc::clone(&self.is_asking);
        std::thread::spawn(move || {
            let answer = events(&asked).map_err(|error| error.message);
            is_asking.store(false, Ordering::Release);
            let _ = sender.send(answer);
        });
        let late = |_| Err(format!("{location} has not answered within {} s", ANSWER_WITHIN.as_secs()));
        receiver.recv_timeout(ANSWER_WITHIN).unwrap_or_else(late)
    }
}

/// The ledger's events. A file that is not there reads as an empty database; beside a state that holds something it is a lost one.
///
/// # Errors
/// When the database does not answer, or is not the one that the state belongs to.
pub fn events(plan: &Plan) -> Result<Vec<Event>, RunError> {
    let events = run::history(plan)?;
    if events.is_empty() && run::has_state(plan) {
        let (location, state) = (plan.sink().location(), state_directory(plan));
        let message = format!("{location} holds nothing of the pipeline, but the state in {} does", state.display());
        let hint = "Put the database back; or remove the state to start from nothing.";
        return Err(RunError::new(RunErrorKind::Sink, message).with_hint(hint));
    }
    Ok(events)
}

/// Whether this process leaves a service alone because it failed time after time; nothing where the pipeline looks nothing up.
fn lookups(plan: &Plan) -> Option<Check> {
    let looks_up = |stage: &PlannedStage| stage.as_lookup().is_some();
    if !plan.stages.iter().any(looks_up) {
        return None;
    }
    let held = run::held_lookups(plan);
    let told = held
        .iter()
        .map(|(stage, until_s)| format!("the service of `{stage}` fails and is left alone until {}", utc(*until_s)));
    let found = match held.is_empty() {
        true => Ok("no service is left alone".to_owned()),
        false => Err(told.collect::<Vec<_>>().join("; ")),
    };
    Some(Check::of("lookups", found))
}

/// Where the state lies, and the sink's file if it has one.
pub fn places(plan: &Plan) -> Vec<PathBuf> {
    let mut places = vec![state_directory(plan)];
    let file = plan.sink().default_state_dir();
    places.extend(file.filter(|file| !places[0].starts_with(file)));
    places
}

fn has_room(place: &std::path::Path, limit_gb: f64) -> Result<String, String> {
    let bytes = machine::disk_free_bytes(place)?;
    at_least(&format!("free where {} lies", place.display()), bytes, limit_gb)
}

fn at_least(what: &str, bytes: u64, limit_gb: f64) -> Result<String, String> {
    let found = bytes as f64 / 1e9;
    let message = format!("{found:.1} GB {what}, {limit_gb} GB wanted");
    if found >= limit_gb { Ok(message) } else { Err(message) }
}

fn is_fresh(event: &Event, hours: f64) -> Result<String, String> {
    let committed = seconds_of(&event.committed_at)
        .ok_or_else(|| format!("the ledger's time of epoch {} cannot be read", event.epoch))?;
    let age = now_s().saturating_sub(committed) as f64 / 3_600.0;
    let message = format!("epoch {} was committed {age:.1} hours ago, at most {hours} wanted", event.epoch);
    if age <= hours { Ok(message) } else { Err(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_is_failing() {
        assert!(at_least("left", 10_000_000_000, 10.0).is_ok());
        assert_eq!(at_least("left", 9_900_000_000, 10.0), Err("9.9 GB left, 10 GB wanted".into()));
    }
}
