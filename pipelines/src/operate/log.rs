//! `[operate] log = "json"`: one JSON object a line on standard error, made of the run's events.
//!
//! Own writer: the events are typed already, and a line is one of them. docs/operate.md describes the lines; a test holds
//! both together.

use std::{
    hash::{BuildHasher as _, RandomState},
    io::Write as _,
    sync::Mutex,
};

use serde_json::{Map, Value, json};
use vardelta_engine::{
    edge::{escape, secret},
    error::RunError,
    event::RunEvent,
    locks::Locked as _,
    plan::Plan,
};
use vardelta_schemas::ledger::{Epoch, SetAsideRow};

use crate::operate::clock::now;

/// Writes the log of one command.
pub struct LogWriter {
    run: String,
    pipeline: String,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// The epoch that the run makes, or has made.
    epoch: Option<Epoch>,
    records: u64,
    /// The error that was written already.
    error: Option<String>,
}

/// One line: what every line has, and what this one has beside it.
struct Line {
    level: &'static str,
    event: &'static str,
    phase: &'static str,
    status: &'static str,
    message: String,
    facts: Value,
}

impl LogWriter {
    /// The log of a command over this plan.
    pub fn new(plan: &Plan) -> LogWriter {
        // Two hashers, each seeded by the system, tell runs apart; nothing more is asked of the name.
        let half = || RandomState::new().hash_one(std::process::id());
        let run = format!("{:016x}{:016x}", half(), half());
        LogWriter { run, pipeline: plan.pipeline.name.clone(), told: Mutex::default() }
    }

    /// Writes an event.
    pub fn event(&self, event: &RunEvent) {
        let mut told = self.told.locked();
        match event {
            RunEvent::Started { epoch, .. } => told.epoch = Some(epoch.next()),
            RunEvent::Committed { epoch, .. } => told.epoch = Some(*epoch),
            RunEvent::ChunkDone { records, .. } => told.records = *records,
            RunEvent::Failed { message, .. } => told.error = Some(message.clone()),
            _ => {}
        }
        if let Some(line) = line(event, told.records) {
            self.write(&told, line);
        }
    }

    /// Writes an error, unless the run's events have said it.
    pub fn error(&self, error: &RunError) {
        let told = self.told.locked();
        if told.error.as_ref() != Some(&error.message) {
            let facts = failure_facts(error.kind.as_str(), error.kind.exit_code(), error.hint.as_deref());
            let (message, level) = (error.message.clone(), "error");
            self.write(&told, Line { level, event: "failed", phase: "end", status: "failed", message, facts });
        }
    }

    /// Writes that a file was set aside.
    pub fn set_aside(&self, row: &SetAsideRow) {
        let told = self.told.locked();
        let facts = json!({ "drop": row.drop, "stage": row.source, "kind": row.kind, "attempts": row.attempts,
            "next_try": row.next_try, "path": row.path });
        let (message, level, status) = (row.reason.clone(), "warn", "waiting");
        self.write(&told, Line { level, event: "set_aside", phase: "discover", status, message, facts });
    }

    /// Writes that an alert began or ended, at a level that says how bad it is.
    pub fn alert(&self, level: &'static str, message: &str, facts: Value) {
        let told = self.told.locked();
        let message = message.to_owned();
        self.write(&told, Line { level, event: "alert", phase: "end", status: "running", message, facts });
    }

    /// Writes something that is neither an event nor an error.
    pub fn say(&self, message: &str) {
        let told = self.told.locked();
        let (message, facts) = (message.to_owned(), json!({}));
        self.write(&told, Line { level: "info", event: "said", phase: "end", status: "running", message, facts });
    }

    fn write(&self, told: &Told, line: Line) {
        let mut object = Map::new();
        object.insert("time".into(), now().into());
        object.insert("level".into(), line.level.into());
        object.insert("run".into(), self.run.as_str().into());
        object.insert("pipeline".into(), self.pipeline.as_str().into());
        object.insert("epoch".into(), told.epoch.map(Epoch::number).into());
        object.insert("event".into(), line.event.into());
        object.insert("phase".into(), line.phase.into());
        object.insert("status".into(), line.status.into());
        object.insert("message".into(), line.message.into());
        if let Value::Object(facts) = line.facts {
            object.extend(facts);
        }
        let text = Value::Object(object).to_string();
        let hidden = secret::hide_json(&text);
        // One write a line, so that lines of several threads are not mixed. If nobody listens, nobody can be reached.
        let _ = std::io::stderr().write_all(format!("{}\n", escape::json(&hidden)).as_bytes());
    }
}

fn failure_facts(kind: &str, exit_code: u8, hint: Option<&str>) -> Value {
    json!({ "kind": kind, "exit_code": exit_code, "hint": hint })
}

/// The facts of a figure, without those that every line has.
fn facts(value: impl serde::Serialize, renamed: &[(&str, &str)]) -> Value {
    let mut value = json!(value);
    if let Some(object) = value.as_object_mut() {
        for (from, to) in renamed {
            if let Some(moved) = object.remove(*from) {
                object.insert((*to).to_owned(), moved);
            }
        }
    }
    value
}

/// The line of an event.
fn line(event: &RunEvent, records: u64) -> Option<Line> {
    let info = |event, phase, status, message: String, facts| {
        Some(Line { level: "info", event, phase, status, message, facts })
    };
    let warn = |event, phase, status, message: String, facts| {
        Some(Line { level: "warn", event, phase, status, message, facts })
    };
    match event {
        RunEvent::Started { workers, dry_run, .. } => info(
            "started",
            "start",
            "started",
            "the run begins".into(),
            json!({ "workers": workers, "dry_run": dry_run }),
        ),
        RunEvent::Discovered { drop, source, bytes, .. } => info(
            "discovered",
            "discover",
            "running",
            format!("drop {drop} is to be loaded"),
            json!({ "drop": drop, "stage": source, "bytes": bytes }),
        ),
        RunEvent::ChunkDone { chunk, records, seconds } => info(
            "chunk_done",
            "load",
            "running",
            format!("{records} records read"),
            json!({ "chunk": chunk, "records_processed": records, "duration_seconds": seconds }),
        ),
        RunEvent::Drop(drop) => {
            let renamed = [
                ("name", "drop"),
                ("source", "stage"),
                ("read", "records_processed"),
                ("reason", "why"),
                ("rejected", "records_rejected"),
            ];
            let message = format!("drop {}: {}", drop.name, drop.action.as_str());
            info("drop", "report", "ok", message, facts(drop, &renamed))
        }
        RunEvent::Rejected { reason, count } => warn(
            "rejected",
            "load",
            "running",
            format!("{count} rejected: {reason}"),
            json!({ "reason": reason, "count": count }),
        ),
        RunEvent::Warned(warning) => {
            let message = format!("{} adapted: {}", warning.count, warning.reason);
            warn("warned", "load", "running", message, facts(warning, &[]))
        }
        RunEvent::Notice(notice) => warn("notice", "report", "running", notice.clone(), json!({})),
        RunEvent::Waiting { cause } => warn("waiting", "write", "waiting", cause.clone(), json!({})),
        RunEvent::Retry { attempt } => {
            warn("retry", "write", "running", "the transaction is run again".into(), json!({ "attempt": attempt }))
        }
        RunEvent::Lookup(lookup) => {
            let message =
                format!("look-up {}: {} keys wanted, {} wait", lookup.stage, lookup.figures.wanted, lookup.waiting);
            info("lookup", "report", "ok", message, facts(lookup, &[]))
        }
        RunEvent::Stage(stage) => {
            let renamed = [("name", "stage"), ("seconds", "duration_seconds")];
            let mut facts = facts(stage, &renamed);
            facts["records_processed"] = stage.rows_in.into();
            info("stage", "report", "ok", format!("stage {}: {} rows", stage.name, stage.rows_in), facts)
        }
        RunEvent::Reader(reader) => {
            let renamed = [("name", "stage"), ("seconds", "duration_seconds")];
            let message = format!("reader of {}: {} chunks", reader.name, reader.chunks);
            info("reader", "report", "ok", message, facts(reader, &renamed))
        }
        RunEvent::Worker(worker) => {
            info("worker", "report", "ok", format!("worker {}", worker.worker), facts(worker, &[]))
        }
        RunEvent::Table(table) => {
            let message = format!("table {}", table.name);
            info("table", "report", "ok", message, facts(table, &[("name", "table")]))
        }
        RunEvent::Committed { epoch, retries, rows_ahead, times } => {
            let mut facts = facts(times, &[("seconds", "duration_seconds")]);
            facts["retries"] = (*retries).into();
            facts["rows_ahead"] = (*rows_ahead).into();
            info("committed", "commit", "ok", format!("epoch {epoch} is committed"), facts)
        }
        RunEvent::Finished { seconds } => info(
            "finished",
            "end",
            "ok",
            "the run is done".into(),
            json!({ "duration_seconds": seconds, "records_processed": records }),
        ),
        RunEvent::Failed { kind, message, hint, seconds } => {
            let mut facts = failure_facts(kind.as_str(), kind.exit_code(), hint.as_deref());
            facts["duration_seconds"] = (*seconds).into();
            facts["records_processed"] = records.into();
            let (level, message) = ("error", message.clone());
            Some(Line { level, event: "failed", phase: "end", status: "failed", message, facts })
        }
        // What a later engine reports beside this is no line yet.
        _ => None,
    }
}
