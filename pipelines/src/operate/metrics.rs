//! The metrics of a run in the classic text format of Prometheus. docs/operate.md lists them.
//!
//! Labels are pipelines, stages, tables and reasons, which a pipeline file bounds; never a gene, a sample or a file.

use std::{collections::BTreeMap, path::Path};

use vardelta_engine::{
    contract::{lookup::LookupFigures, stage::Planned},
    plan::Plan,
    report::RunReport,
    run::state_directory,
};

use crate::{
    destination::{self, Kind},
    operate::{
        alerts::VOCABULARY_REASONS,
        clock,
        ended::{Ended, is_read},
        machine, push,
    },
};

/// What `textfile` may replace.
const TEXTFILE: Kind = Kind {
    option: "textfile",
    what: "a file of vardelta's metrics",
    is_own: |start| start.starts_with(b"# HELP vardelta_"),
};

/// Upper bounds of `vardelta_run_duration_seconds`, in seconds.
const DURATION_BUCKETS: [f64; 12] = [0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0];

/// Name, type and meaning of every metric, in the order in which they are written.
const METRICS: [(&str, &str, &str); 16] = [
    (
        "vardelta_records_total",
        "counter",
        "Records by what became of them; of other stages than sources rows in and out.",
    ),
    ("vardelta_stage_busy_seconds_total", "counter", "Seconds that a stage worked, summed over threads."),
    ("vardelta_stage_wait_seconds_total", "counter", "Seconds that a stage waited for rows, or its reader for room."),
    ("vardelta_rows_changed_total", "counter", "Rows that were inserted, updated or deleted in a table."),
    ("vardelta_rejects_total", "counter", "Rejected records and rows by reason."),
    ("vardelta_warnings_total", "counter", "Adapted values by reason."),
    ("vardelta_lookups_total", "counter", "Keys that look-up stages asked for, by what became of them."),
    ("vardelta_run_duration_seconds", "histogram", "Seconds that runs took."),
    ("vardelta_last_run_status", "gauge", "1 if the last run ended well, else 0."),
    (
        "vardelta_last_success_timestamp_seconds",
        "gauge",
        "When a run ended well for the last time, in seconds since 1970.",
    ),
    ("vardelta_epoch", "gauge", "The last committed epoch."),
    (
        "vardelta_oldest_pending_drop_seconds",
        "gauge",
        "Seconds since the oldest file that is not loaded was seen first; 0 where there is none.",
    ),
    (
        "vardelta_drops_set_aside",
        "gauge",
        "Files that could not be loaded and are left out until they change or their time comes.",
    ),
    ("vardelta_looks_total", "counter", "How often the folders of drops were looked at."),
    ("vardelta_disk_free_bytes", "gauge", "Bytes free where the state lies."),
    ("vardelta_memory_available_bytes", "gauge", "Bytes of memory that are available."),
];

/// What becomes of a source's records.
const RECORD_OUTCOMES: [&str; 4] = ["loaded", "filtered", "rejected", "duplicate"];
/// What becomes of a key that is looked up.
const LOOKUP_OUTCOMES: [&str; 7] = ["memory", "disk", "database", "redis", "answered", "absent", "failed"];
/// What becomes of a table's rows.
const ROW_CHANGES: [&str; 3] = ["insert", "update", "delete"];

/// Samples by their names with labels, as they are written.
pub type Samples = BTreeMap<String, f64>;

/// Writes the metrics of a run where the plan wants them. What goes wrong comes back, in words: it is no failure of the run.
pub fn publish(plan: &Plan, ended: Option<&Ended>) -> Vec<String> {
    let operate = &plan.operate;
    if operate.textfile.is_none() && operate.push_gateway.is_none() {
        return Vec::new();
    }
    let samples = samples(plan, ended);
    let mut trouble = Vec::new();
    if let Some(path) = &operate.textfile {
        let path = plan.pipeline.resolve(path);
        if let Err(error) = write_textfile(&path, &samples) {
            trouble.push(format!("the metrics cannot be written to {}: {error}", path.display()));
        }
    }
    if let Some(gateway) = &operate.push_gateway {
        trouble.extend(push::post(gateway, &plan.pipeline.name, &text(&samples)).err());
    }
    trouble
}

/// The metrics of a run, and of the machine as it is now.
pub fn samples(plan: &Plan, ended: Option<&Ended>) -> Samples {
    let mut samples = Samples::new();
    of_ended(plan, ended, &mut adder(plan, &mut samples));
    samples
}

fn of_ended(plan: &Plan, ended: Option<&Ended>, set: &mut Set<'_>) {
    if let Some(Ended { failure, seconds, .. }) = ended {
        set("vardelta_last_run_status", &[], f64::from(u8::from(failure.is_none())));
        if failure.is_none() {
            set("vardelta_last_success_timestamp_seconds", &[], clock::since_1970().as_secs_f64());
        }
        for bound in DURATION_BUCKETS {
            let is_within = f64::from(u8::from(*seconds <= bound));
            set("vardelta_run_duration_seconds_bucket", &[("le", &bound.to_string())], is_within);
        }
        set("vardelta_run_duration_seconds_bucket", &[("le", "+Inf")], 1.0);
        set("vardelta_run_duration_seconds_sum", &[], *seconds);
        set("vardelta_run_duration_seconds_count", &[], 1.0);
    }
    if let Ok(bytes) = machine::disk_free_bytes(&state_directory(plan)) {
        set("vardelta_disk_free_bytes", &[], bytes as f64);
    }
    if let Ok(bytes) = machine::memory_available_bytes() {
        set("vardelta_memory_available_bytes", &[], bytes as f64);
    }
    let Some(report) = ended.and_then(|ended| ended.report.as_ref()) else { return };
    set("vardelta_epoch", &[], report.epoch.number() as f64);
    // Nothing of a run that ended otherwise, or was dry, was loaded, changed or rejected in the database.
    if report.committed {
        zeros(plan, set);
        of_report(plan, report, set);
    }
}

/// What a process counts from that has run nothing yet.
pub fn from_zero(plan: &Plan) -> Samples {
    let mut samples = Samples::new();
    zeros(plan, &mut adder(plan, &mut samples));
    samples
}

/// Adds to the sample of these labels.
fn adder<'a>(plan: &'a Plan, samples: &'a mut Samples) -> impl FnMut(&str, &[(&str, &str)], f64) + 'a {
    move |name, labels, value| {
        let labels = [("pipeline", plan.pipeline.name.as_str())]
            .into_iter()
            .chain(labels.iter().copied())
            .map(|(key, value)| format!("{key}=\"{}\"", label(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        *samples.entry(format!("{name}{{{labels}}}")).or_default() += value;
    }
}

/// Takes a metric: its name, its labels, its value.
type Set<'a> = dyn FnMut(&str, &[(&str, &str)], f64) + 'a;

/// The counters that rules go by, at nothing. One that first shows up with its first reject or unknown word has not grown in the
/// eyes of Prometheus, and no rule would see that one.
fn zeros(plan: &Plan, set: &mut Set<'_>) {
    for stage in &plan.stages {
        let name = ("stage", stage.name.as_str());
        let (metric, outcomes): (&str, &[&str]) = match &stage.planned {
            Planned::Source(_) => ("vardelta_records_total", &RECORD_OUTCOMES),
            _ if stage.as_lookup().is_some() => ("vardelta_lookups_total", &LOOKUP_OUTCOMES),
            _ => continue,
        };
        for outcome in outcomes {
            set(metric, &[name, ("outcome", outcome)], 0.0);
        }
    }
    for table in plan.tables() {
        for op in ROW_CHANGES {
            set("vardelta_rows_changed_total", &[("table", &table.name), ("op", op)], 0.0);
        }
    }
    for reason in VOCABULARY_REASONS {
        set("vardelta_warnings_total", &[("reason", reason)], 0.0);
    }
}

fn of_report(plan: &Plan, report: &RunReport, set: &mut Set<'_>) {
    for drop in report.drops.iter().filter(|drop| is_read(drop.action)) {
        let counts = [drop.loaded, drop.filtered, drop.rejected, drop.duplicates];
        for (outcome, count) in RECORD_OUTCOMES.into_iter().zip(counts) {
            set("vardelta_records_total", &[("stage", &drop.source), ("outcome", outcome)], count as f64);
        }
    }
    for stage in &report.stages {
        let name = ("stage", stage.name.as_str());
        if plan.stage(&stage.name).is_some_and(|(_, planned)| !planned.inputs.is_empty()) {
            set("vardelta_records_total", &[name, ("outcome", "in")], stage.rows_in as f64);
            set("vardelta_records_total", &[name, ("outcome", "out")], stage.rows_out as f64);
        }
        set("vardelta_stage_busy_seconds_total", &[name], stage.times.seconds);
        set("vardelta_stage_wait_seconds_total", &[name, ("cause", "input")], stage.times.wait_s);
    }
    for reader in &report.readers {
        let labels = [("stage", reader.name.as_str()), ("cause", "output")];
        set("vardelta_stage_wait_seconds_total", &labels, reader.times.wait_s);
    }
    for table in &report.tables {
        for (op, count) in ROW_CHANGES.into_iter().zip([table.inserted, table.updated, table.deleted]) {
            set("vardelta_rows_changed_total", &[("table", &table.name), ("op", op)], count as f64);
        }
    }
    for (reason, count) in &report.rejects {
        set("vardelta_rejects_total", &[("reason", reason)], *count as f64);
    }
    for warning in &report.warnings {
        set("vardelta_warnings_total", &[("reason", &warning.reason)], warning.count as f64);
    }
    for lookup in &report.lookups {
        let LookupFigures { memory, disk, database, redis, answered, absent, failed, .. } = lookup.figures;
        for (outcome, count) in
            LOOKUP_OUTCOMES.into_iter().zip([memory, disk, database, redis, answered, absent, failed])
        {
            set("vardelta_lookups_total", &[("stage", &lookup.stage), ("outcome", outcome)], count as f64);
        }
    }
}

/// A label's value as the format wants it.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The sample of a metric that has no labels beside the pipeline.
pub fn of_pipeline(metric: &str, pipeline: &str) -> String {
    format!("{metric}{{pipeline=\"{}\"}}", label(pipeline))
}

/// Adds a run's samples to those of earlier ones: counters and histograms grow, gauges are replaced, and what the run says nothing
/// of (the time of the last success, where it failed) stays.
pub fn add(all: &mut Samples, run: &Samples) {
    for (name, value) in run {
        let grows = metric_of(name).is_some_and(|(_, kind)| kind != "gauge");
        let known = all.entry(name.clone()).or_default();
        *known = if grows { *known + value } else { *value };
    }
}

/// The samples as text, each metric after its type and meaning.
pub fn text(samples: &Samples) -> String {
    let mut text = String::new();
    for (metric, kind, help) in METRICS {
        let of_metric = |sample: &str| metric_of(sample) == Some((metric, kind));
        let own: Vec<_> = samples.iter().filter(|(sample, _)| of_metric(sample)).collect();
        if !own.is_empty() {
            text.push_str(&format!("# HELP {metric} {help}\n# TYPE {metric} {kind}\n"));
            // Buckets of a histogram are written in the order of their bounds.
            let mut own = own;
            own.sort_by(|a, b| bound(a.0).total_cmp(&bound(b.0)));
            own.iter().for_each(|(sample, value)| text.push_str(&format!("{sample} {value}\n")));
        }
    }
    text
}

/// The metric that a sample belongs to, and its type.
fn metric_of(sample: &str) -> Option<(&'static str, &'static str)> {
    let name = sample.split('{').next().unwrap_or_default();
    let plain = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    let find =
        |name: &str| METRICS.iter().find(|(metric, _, _)| *metric == name).map(|(metric, kind, _)| (*metric, *kind));
    find(name).or_else(|| find(plain).filter(|(_, kind)| *kind == "histogram"))
}

/// The bound of a bucket; below all of them for what is none.
fn bound(sample: &str) -> f64 {
    let text = sample.split_once("le=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(bound, _)| bound);
    match text {
        None => f64::NEG_INFINITY,
        Some("+Inf") => f64::INFINITY,
        Some(text) => text.parse().unwrap_or(f64::INFINITY),
    }
}

/// Writes a file whole, in place of the one that an earlier run wrote. Its counters go on.
fn write_textfile(path: &Path, samples: &Samples) -> Result<(), String> {
    // A device reads as empty, and a rename would make a file of it.
    let path = destination::check_alone(path, &TEXTFILE).map_err(|error| error.to_string())?;
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.to_string()),
    };
    let mut all: Samples = before.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect();
    add(&mut all, samples);
    destination::replace(&path, &TEXTFILE, &text(&all)).map_err(|error| error.to_string())
}

/// A line `name{labels} value`.
fn sample(line: &str) -> Option<(String, f64)> {
    let (name, value) = line.rsplit_once(' ')?;
    Some((name.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(values: &[(&str, f64)]) -> Samples {
        values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_its_counters_go_on() -> Result<(), String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = directory.path().join("vardelta.prom");
        let first = [
            ("vardelta_rejects_total{pipeline=\"p\",reason=\"bad_ref\"}", 2.0),
            ("vardelta_last_run_status{pipeline=\"p\"}", 1.0),
            ("vardelta_last_success_timestamp_seconds{pipeline=\"p\"}", 1_700_000_000.5),
            ("vardelta_run_duration_seconds_bucket{pipeline=\"p\",le=\"10\"}", 1.0),
            ("vardelta_run_duration_seconds_bucket{pipeline=\"p\",le=\"0.5\"}", 0.0),
            ("vardelta_run_duration_seconds_bucket{pipeline=\"p\",le=\"+Inf\"}", 1.0),
        ];
        write_textfile(&path, &some(&first))?;
        write_textfile(&path, &some(&[(first[0].0, 3.0), (first[1].0, 0.0)]))?;
        let expected = "\
# HELP vardelta_rejects_total Rejected records and rows by reason.
# TYPE vardelta_rejects_total counter
vardelta_rejects_total{pipeline=\"p\",reason=\"bad_ref\"} 5
# HELP vardelta_run_duration_seconds Seconds that runs took.
# TYPE vardelta_run_duration_seconds histogram
vardelta_run_duration_seconds_bucket{pipeline=\"p\",le=\"0.5\"} 0
vardelta_run_duration_seconds_bucket{pipeline=\"p\",le=\"10\"} 1
vardelta_run_duration_seconds_bucket{pipeline=\"p\",le=\"+Inf\"} 1
# HELP vardelta_last_run_status 1 if the last run ended well, else 0.
# TYPE vardelta_last_run_status gauge
vardelta_last_run_status{pipeline=\"p\"} 0
# HELP vardelta_last_success_timestamp_seconds When a run ended well for the last time, in seconds since 1970.
# TYPE vardelta_last_success_timestamp_seconds gauge
vardelta_last_success_timestamp_seconds{pipeline=\"p\"} 1700000000.5
";
        assert_eq!(std::fs::read_to_string(&path).map_err(|error| error.to_string())?, expected);
        std::fs::write(&path, "something else\n").map_err(|error| error.to_string())?;
        assert!(write_textfile(&path, &Samples::new()).is_err());
        Ok(())
    }
}
