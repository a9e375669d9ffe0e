//! Which stage holds a run back: the one without which the run would be over soonest.
//!
//! Readers, workers and the sink work at the same time, so what is faster than the slowest of them costs nothing; after the
//! last record the sink works alone. A stage's work is spread over the workers.

use serde::{Deserialize, Serialize};

use super::request::Load;

/// The stage that holds the run back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// The stage.
    pub stage: String,
    /// Why it is the one.
    pub why: String,
}

/// Files that are read at the same time, at the most, as the engine does it.
const READERS_MAX: usize = 4;

/// Seconds by which the clock would move while each part works undisturbed.
struct Model {
    /// Of each source's readers.
    readers: Vec<f64>,
    /// Of each stage's work on the workers; 0 for the sink.
    stages: Vec<f64>,
    /// Of the sink while records are read.
    sink_ahead: f64,
    /// Of the sink after the last record.
    sink_after: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Reader(usize),
    Stage(usize),
    Sink,
}

impl Model {
    fn seconds(&self, without: Option<Part>) -> f64 {
        let all = |seconds: &[f64], part: fn(usize) -> Part| -> f64 {
            seconds.iter().enumerate().filter(|(at, _)| without != Some(part(*at))).map(|(_, seconds)| seconds).sum()
        };
        let sink = without != Some(Part::Sink);
        let (ahead, behind) = if sink { (self.sink_ahead, self.sink_after) } else { (0.0, 0.0) };
        let (readers, workers) = (all(&self.readers, Part::Reader), all(&self.stages, Part::Stage));
        readers.max(workers).max(ahead) + behind
    }

    fn saved(&self, part: Part) -> f64 {
        self.seconds(None) - self.seconds(Some(part))
    }
}

/// The bottleneck of a load with the stage `sink`; `files` are the numbers of files that each of its readers read. `None` where
/// nothing was measured.
pub fn find(load: &Load, sink: &str, files: usize) -> Option<Bottleneck> {
    let workers = load.workers.len().max(1);
    let threads = files.clamp(1, READERS_MAX.min(workers)) as f64;
    let of_sink = load.stages.iter().find(|stage| stage.name == sink);
    let (sink_busy, sink_rows) = of_sink.map_or((0.0, 0), |stage| (stage.busy_s, stage.rows_in));
    let ahead = if sink_rows > 0 { (load.rows_ahead as f64 / sink_rows as f64).min(1.0) } else { 0.0 };
    let on_workers = |busy: f64| busy / workers as f64;
    let model = Model {
        readers: load.readers.iter().map(|reader| reader.busy_s / threads).collect(),
        stages: load
            .stages
            .iter()
            .map(|stage| if stage.name == sink { 0.0 } else { on_workers(stage.busy_s) })
            .collect(),
        sink_ahead: sink_busy * ahead,
        sink_after: sink_busy * (1.0 - ahead),
    };
    let readers = (0..model.readers.len()).map(Part::Reader);
    let parts = readers.chain((0..model.stages.len()).map(Part::Stage)).chain([Part::Sink]);
    let clock = |part: Part| match part {
        Part::Reader(at) => model.readers[at],
        Part::Stage(at) => model.stages[at],
        Part::Sink => model.sink_ahead + model.sink_after,
    };
    let rank = |part: &Part| (model.saved(*part), clock(*part));
    let slowest = parts.max_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    })?;
    let share = |seconds: f64| format!("{:.0} %", 100.0 * seconds / load.seconds.max(f64::MIN_POSITIVE));
    let saved = share(model.saved(slowest));
    let waited: f64 = load.workers.iter().map(|worker| worker.wait_s).sum();
    let lived: f64 = load.workers.iter().map(|worker| worker.lived_s).sum();
    let waited = format!("{:.0} %", 100.0 * waited / lived.max(f64::MIN_POSITIVE));
    let all_workers = if workers == 1 { "the worker".into() } else { format!("the {workers} workers") };
    let have = if workers == 1 { "has" } else { "have" };
    let (stage, why) = match slowest {
        Part::Reader(at) => {
            let stage = &load.readers[at].name;
            (
                stage,
                format!(
                    "reading and unpacking its files takes {} of the time, while {all_workers} waited {waited} of theirs; without it the run would take {saved} less",
                    share(model.readers[at])
                ),
            )
        }
        Part::Stage(at) => {
            let stage = &load.stages[at].name;
            (
                stage,
                format!(
                    "its work keeps {all_workers} busy for {} of the time, more than that of any other stage; without it the run would take {saved} less",
                    share(model.stages[at])
                ),
            )
        }
        Part::Sink => {
            let behind = share(model.sink_after);
            (
                &load.stages.iter().find(|stage| stage.name == sink)?.name,
                format!(
                    "writing takes {} of the time, {behind} when everything is computed and {all_workers} {have} nothing to do; without it the run would take {saved} less",
                    share(clock(slowest))
                ),
            )
        }
    };
    Some(Bottleneck { stage: stage.clone(), why: format!("`{stage}`: {why}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::request::{Times, Worker};

    fn load(readers: f64, stages: &[(&str, f64)], rows_ahead: u64, workers: usize) -> Load {
        let times = |name: &str, busy_s| Times { name: name.into(), busy_s, rows_in: 100, ..Times::default() };
        Load {
            seconds: 10.0,
            rows_ahead,
            readers: vec![times("calls", readers)],
            stages: stages.iter().map(|(name, busy_s)| times(name, *busy_s)).collect(),
            workers: vec![Worker { busy_s: 5.0, wait_s: 5.0, lived_s: 10.0 }; workers],
            ..Load::default()
        }
    }

    fn stage(load: &Load) -> String {
        find(load, "sink", 1).map(|found| found.stage).unwrap_or_default()
    }

    #[test]
    fn what_works_beside_something_slower_holds_nothing_back() {
        let stages = [("calls", 2.0), ("alleles", 1.0), ("variants", 2.5), ("sink", 0.5)];
        assert_eq!(stage(&load(1.0, &stages, 0, 1)), "variants");
        assert_eq!(stage(&load(9.0, &stages, 0, 1)), "calls", "the readers");
        // Two workers share the stages' work, but not the reading.
        assert_eq!(stage(&load(5.0, &stages, 0, 2)), "calls");
        assert_eq!(stage(&load(2.0, &stages, 0, 2)), "variants");
    }

    #[test]
    fn a_sink_counts_as_far_as_it_works_alone() {
        let stages = [("calls", 2.0), ("variants", 2.5), ("sink", 3.0)];
        assert_eq!(stage(&load(1.0, &stages, 0, 1)), "sink");
        assert_eq!(stage(&load(1.0, &stages, 100, 1)), "variants");
        assert_eq!(stage(&load(1.0, &[("calls", 1.0), ("sink", 9.0)], 100, 1)), "sink");
    }

    #[test]
    fn the_sentence_names_stage_and_shares() {
        let found =
            find(&load(9.0, &[("calls", 2.0), ("sink", 0.5)], 0, 2), "sink", 1).expect("something was measured");
        assert!(
            found.why.starts_with("`calls`: reading and unpacking its files takes 90 % of the time"),
            "{}",
            found.why
        );
        assert!(found.why.contains("the 2 workers waited 50 % of theirs"), "{}", found.why);
    }
}
