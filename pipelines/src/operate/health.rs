//! Whether a pipeline can work: its database answers, disks and memory have room, and what is loaded is fresh.

use std::{
    path::PathBuf,
    sync::mpsc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use vardelta_engine::{
    plan::Plan,
    run::{self, state_directory},
};
use vardelta_schemas::ledger::Event;

use crate::operate::machine;

/// How long the database may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What one check found.
#[derive(Debug, Serialize)]
pub struct Check {
    /// `database`, `disk`, `memory` or `freshness`.
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

    /// Whether it failed.
    pub fn is_failing(&self) -> bool {
        self.status != "ok"
    }
}

/// All checks of a pipeline.
pub fn check(plan: &Plan) -> Vec<Check> {
    let limits = &plan.operate.health;
    let history = history(plan);
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
    checks
}

/// Whether the last committed epoch is no older than this, in words either way; `None` where nobody can tell, because the
/// database does not answer or nothing was ever committed.
pub fn freshness(plan: &Plan, hours: f64) -> Option<Result<String, String>> {
    history(plan).ok()?.last().map(|event| is_fresh(event, hours))
}

/// Asks the database for the ledger, for no longer than it may take: a thread that still waits ends with the process.
fn history(plan: &Plan) -> Result<Vec<Event>, String> {
    let (sender, receiver) = mpsc::channel();
    let (asked, location) = (plan.clone(), plan.sink().location());
    std::thread::spawn(move || {
        let _ = sender.send(run::history(&asked).map_err(|error| error.message));
    });
    let late = |_| Err(format!("{location} has not answered within {} s", ANSWER_WITHIN.as_secs()));
    receiver.recv_timeout(ANSWER_WITHIN).unwrap_or_else(late)
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

#[expect(clippy::disallowed_methods, reason = "how old the last epoch is: nothing of it is kept")]
fn is_fresh(event: &Event, hours: f64) -> Result<String, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let committed = seconds_of(&event.committed_at)
        .ok_or_else(|| format!("the ledger's time of epoch {} cannot be read", event.epoch))?;
    let age = now.saturating_sub(committed) as f64 / 3_600.0;
    let message = format!("epoch {} was committed {age:.1} hours ago, at most {hours} wanted", event.epoch);
    if age <= hours { Ok(message) } else { Err(message) }
}

/// Seconds since 1970 of `2026-01-31T23:59:59Z`.
fn seconds_of(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, separator: char| -> Option<Vec<i64>> {
        text.split(separator).map(|part| part.split('.').next()?.parse().ok()).collect()
    };
    let ([year, month, day], [hour, minute, second]) =
        (<[i64; 3]>::try_from(numbers(date, '-')?).ok()?, <[i64; 3]>::try_from(numbers(time, ':')?).ok()?);
    // A civil date to days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days * 86_400 + hour * 3_600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_ledger_are_read() {
        assert_eq!(seconds_of("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds_of("2000-02-29T00:00:00Z"), Some(951_782_400));
        assert_eq!(seconds_of("2099-12-31T23:59:59Z"), Some(4_102_444_799));
        for text in ["", "2000-02-29", "2000-02-29T00:00:00", "x-y-zT1:2:3Z"] {
            assert_eq!(seconds_of(text), None);
        }
    }

    #[test]
    fn too_little_is_failing() {
        assert!(at_least("left", 10_000_000_000, 10.0).is_ok());
        assert_eq!(at_least("left", 9_900_000_000, 10.0), Err("9.9 GB left, 10 GB wanted".into()));
    }
}
