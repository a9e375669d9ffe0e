//! What a step led to against what it must lead to.

use std::{collections::BTreeMap, ops::Range};

use serde_json::Value as Json;
use vardelta_engine::{
    error::RunError,
    report::{Action, RunReport},
};

use super::{
    changes,
    outcome::Failed,
    rows::{self, Difference},
    steps::{Expected, Step},
    tables::{TableRows, Tables},
    update,
};

/// What a step's actions reported, added up.
#[derive(Debug, Default)]
pub struct Observed {
    /// Why the last of them failed.
    pub error: Option<RunError>,
    counts: BTreeMap<&'static str, u64>,
    rejects: BTreeMap<String, u64>,
    warnings: BTreeMap<String, u64>,
}

impl Observed {
    /// Adds a report.
    pub fn add(&mut self, report: &RunReport) {
        for drop in report.drops.iter().filter(|drop| matches!(drop.action, Action::Added | Action::Replaced)) {
            for (name, count) in [
                ("read", drop.read),
                ("loaded", drop.loaded),
                ("filtered", drop.filtered),
                ("rejected", drop.rejected),
                ("duplicates", drop.duplicates),
            ] {
                *self.counts.entry(name).or_default() += count;
            }
        }
        let json = serde_json::to_value(report).unwrap_or_default();
        add_reasons(&json["rejects"], &mut self.rejects);
        add_reasons(&json["warnings"], &mut self.warnings);
    }

    fn exit_code(&self) -> u64 {
        self.error.as_ref().map_or(0, |error| u64::from(error.kind.exit_code()))
    }
}

/// Adds counts by reason, as reports have them: an object, or a list of objects with `reason` and `count`.
fn add_reasons(json: &Json, reasons: &mut BTreeMap<String, u64>) {
    let mut add = |reason: &str, count: &Json| {
        *reasons.entry(reason.to_owned()).or_default() += count.as_u64().unwrap_or_default();
    };
    match json {
        Json::Object(object) => object.iter().for_each(|(reason, count)| add(reason, count)),
        Json::Array(list) => {
            list.iter().for_each(|item| add(item["reason"].as_str().unwrap_or_default(), &item["count"]))
        }
        _ => {}
    }
}

/// Everything in which a step led to something else.
pub fn judge(number: usize, step: &Step, observed: &Observed, before: &Tables, after: &Tables) -> Vec<Failed> {
    let mut judge = Judge { number, failures: Vec::new() };
    judge.exit_code(step, observed);
    for expected in &step.expect.counts {
        let found = observed.counts.get(expected.name.as_str()).copied().unwrap_or_default();
        judge.number(&format!("`{}`", expected.name), expected, found);
    }
    for (what, expected, found) in
        [("rejects", &step.expect.rejects, &observed.rejects), ("warnings", &step.expect.warnings, &observed.warnings)]
    {
        if let Some(expected) = expected {
            judge.reasons(what, expected, found);
        }
    }
    for expected in &step.expect.rows {
        let what = format!("rows of `{}`", expected.name);
        let Some(table) = judge.table(after, &expected.name, &expected.span) else { continue };
        let difference = rows::compare(&expected.value, table);
        let columns = expected.value.first().map(|row| row.iter().map(|entry| entry.key.as_str()).collect());
        judge.difference(what, &expected.span, difference, || update::rows(table, columns));
    }
    for expected in &step.expect.changes {
        let what = format!("changes of `{}`", expected.name);
        let Some(table) = judge.table(after, &expected.name, &expected.span) else { continue };
        let Some(old) = before.table(&expected.name) else { continue };
        let difference = changes::compare(&expected.value, old, table);
        judge.difference(what, &expected.span, difference, || update::lines(&changes::lines(old, table)));
    }
    judge.failures
}

struct Judge {
    number: usize,
    failures: Vec<Failed>,
}

impl Judge {
    fn fail(
        &mut self,
        what: String,
        span: &Range<usize>,
        missing: Vec<String>,
        unexpected: Vec<String>,
    ) -> &mut Failed {
        self.failures.push(Failed {
            step: self.number,
            span: span.clone(),
            what,
            missing,
            unexpected,
            replacement: None,
            ends_the_test: false,
        });
        self.failures.last_mut().expect("just pushed")
    }

    fn exit_code(&mut self, step: &Step, observed: &Observed) {
        let (expected, span) =
            step.expect.exit_code.as_ref().map_or((0, &step.span), |expected| (expected.value, &expected.span));
        let found = observed.exit_code();
        if found == expected {
            return;
        }
        let why = observed.error.as_ref().map_or_else(|| "it was done".to_owned(), |error| error.to_string());
        let is_written = step.expect.exit_code.is_some();
        let failed =
            self.fail("the exit code".into(), span, vec![expected.to_string()], vec![format!("{found}: {why}")]);
        failed.ends_the_test = true;
        failed.replacement = is_written.then(|| found.to_string());
    }

    fn number(&mut self, what: &str, expected: &Expected<u64>, found: u64) {
        if expected.value != found {
            let failed =
                self.fail(what.to_owned(), &expected.span, vec![expected.value.to_string()], vec![found.to_string()]);
            failed.replacement = Some(found.to_string());
        }
    }

    fn reasons(&mut self, what: &str, expected: &Expected<Vec<Expected<u64>>>, found: &BTreeMap<String, u64>) {
        let wanted: BTreeMap<&str, u64> =
            expected.value.iter().map(|expected| (expected.name.as_str(), expected.value)).collect();
        let line = |(reason, count): (&str, u64)| format!("{reason} {count}");
        let missing: Vec<String> = wanted
            .iter()
            .filter(|(reason, count)| found.get(**reason).copied().unwrap_or_default() != **count)
            .map(|(reason, count)| line((reason, *count)))
            .collect();
        let unexpected: Vec<String> = found
            .iter()
            .filter(|(reason, count)| wanted.get(reason.as_str()).copied().unwrap_or_default() != **count)
            .map(|(reason, count)| line((reason, *count)))
            .collect();
        if !missing.is_empty() || !unexpected.is_empty() {
            let pairs =
                found.iter().map(|(reason, count)| format!("{reason} = {count}")).collect::<Vec<_>>().join(", ");
            let failed = self.fail(what.to_owned(), &expected.span, missing, unexpected);
            failed.replacement = Some(if pairs.is_empty() { "{}".into() } else { format!("{{ {pairs} }}") });
        }
    }

    fn table<'a>(&mut self, tables: &'a Tables, name: &str, span: &Range<usize>) -> Option<&'a TableRows> {
        let table = tables.table(name);
        if table.is_none() {
            let known = tables.tables.iter().map(|table| table.table.name.clone()).collect();
            self.fail(format!("the sink has no table `{name}`; it has"), span, Vec::new(), known);
        }
        table
    }

    fn difference(
        &mut self,
        what: String,
        span: &Range<usize>,
        difference: Difference,
        replacement: impl FnOnce() -> String,
    ) {
        if difference.is_none() {
            return;
        }
        if !difference.unknown.is_empty() {
            self.fail(format!("{what}: the table has no column"), span, difference.unknown, Vec::new());
            return;
        }
        self.fail(what, span, difference.missing, difference.unexpected).replacement = Some(replacement());
    }
}
