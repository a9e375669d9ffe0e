//! What a bench found out, as it is printed, saved and compared. The names are part of the interface (docs/bench.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    bottleneck::Bottleneck,
    histogram::Batches,
    request::{Load, PerRow},
};

/// What a bench found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bench {
    /// The version of vardelta that was measured.
    pub version: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage that was measured by itself; `None` for the whole pipeline.
    pub stage: Option<String>,
    /// How the sink took part: its type, or `none`.
    pub sink: String,
    /// What was read.
    pub input: Input,
    /// How often each figure was taken.
    pub repeat: usize,
    /// The median run for each number of workers.
    pub runs: Vec<Run>,
    /// How much sooner a run is over with more workers.
    pub speedup: Vec<Speedup>,
    /// Against a plain loop.
    pub cost: Option<Cost>,
    /// What a drop costs on histories of two sizes.
    pub delta: Vec<Delta>,
    /// What holds the run with the most workers back.
    pub bottleneck: Option<Bottleneck>,
    /// What else there is to say.
    pub notices: Vec<String>,
}

/// What was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Input {
    /// Whether any of it was made up for the bench.
    pub generated: bool,
    /// Records of all sources.
    pub records: u64,
    /// Bytes of their text, unpacked; of binary files, of the files.
    pub text_bytes: u64,
    /// Of these, by source stage.
    pub sources: BTreeMap<String, u64>,
}

/// The median of the runs with one number of workers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Worker threads.
    pub workers: usize,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Of the fastest run.
    pub seconds_min: f64,
    /// Of the slowest run.
    pub seconds_max: f64,
    /// Processor seconds of all threads.
    pub cpu_seconds: Option<f64>,
    /// Records of all sources per second.
    pub records_per_s: f64,
    /// The most memory that the process had.
    pub peak_bytes: Option<u64>,
    /// Bytes of the state that the run leaves; `None` where nothing is written.
    pub state_bytes: Option<u64>,
    /// Bytes of the state's data files that the run read; `None` where nothing is written, as of those that it wrote.
    #[serde(default)]
    pub state_read_bytes: Option<u64>,
    /// Bytes that it wrote.
    #[serde(default)]
    pub state_written_bytes: Option<u64>,
    /// Allocations on all threads, counted in the run that warms up; `None` for a stage by itself.
    #[serde(default)]
    pub allocations: Option<u64>,
    /// Their bytes.
    #[serde(default)]
    pub allocated_bytes: Option<u64>,
    /// The stages, in the order of the plan.
    pub stages: Vec<Stage>,
    /// The threads that read files, by source stage.
    pub readers: Vec<Reader>,
    /// The workers.
    pub worker_times: Vec<WorkerTime>,
}

/// A stage in a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Rows in; of a source, records.
    pub rows_in: u64,
    /// Rows out.
    pub rows_out: u64,
    /// Rows in per second of its work.
    pub records_per_s: Option<f64>,
    /// Megabytes (10^6 bytes) of the text that its rows are of, per second of its work.
    pub mb_per_s: Option<f64>,
    /// Allocations for each row in, of sources and transforms by themselves; `None` for others.
    #[serde(default)]
    pub allocations_per_row: Option<f64>,
    /// Their bytes.
    #[serde(default)]
    pub allocated_bytes_per_row: Option<f64>,
    /// Seconds of work, summed over threads.
    pub busy_s: f64,
    /// The least of the runs.
    pub busy_s_min: f64,
    /// The most of the runs.
    pub busy_s_max: f64,
    /// Seconds of waiting, summed over threads.
    pub wait_s: f64,
    /// Median time per batch, in microseconds, over all runs.
    pub p50_us: u64,
    /// 90th percentile.
    pub p90_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
    /// The times that these are of.
    #[serde(skip)]
    pub batches_us: Vec<(u64, u64)>,
}

/// The threads that read a source's files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reader {
    /// The source stage.
    pub name: String,
    /// Chunks of files.
    pub chunks: u64,
    /// Seconds of reading and unpacking.
    pub busy_s: f64,
    /// Seconds of waiting for workers.
    pub wait_s: f64,
}

/// A worker's time: both together are the run's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerTime {
    /// The worker, from 0.
    pub worker: usize,
    /// Seconds of work.
    pub busy_s: f64,
    /// Seconds of waiting, those before and after its thread included.
    pub wait_s: f64,
}

/// How much sooner a run is over than with the fewest workers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Speedup {
    /// Worker threads.
    pub workers: usize,
    /// How many times as fast.
    pub ratio: f64,
    /// The ratio over that of the workers: 1 where nothing is lost.
    pub efficiency: f64,
}

/// The plain loop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Records that it reads per second.
    pub loop_records_per_s: f64,
    /// The smallest measured number of workers that beats it; `None` where none does.
    pub workers: Option<usize>,
}

/// A drop on top of a history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delta {
    /// Records of the history.
    pub history_records: u64,
    /// Records of the drop.
    pub drop_records: u64,
    /// Seconds that the drop takes.
    pub seconds: f64,
    /// The least.
    pub seconds_min: f64,
    /// The most.
    pub seconds_max: f64,
    /// How many times as long as on the smallest history.
    pub ratio: f64,
}

impl Run {
    /// The median of runs; `text_bytes` has the bytes of text that each stage's rows are of.
    pub fn median(workers: usize, mut loads: Vec<Load>, text_bytes: &BTreeMap<String, u64>) -> Option<Run> {
        loads.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let (first, last) = (loads.first()?.seconds, loads.last()?.seconds);
        let load = &loads[loads.len() / 2];
        let records: u64 = load.records.values().sum();
        let stages = load.stages.iter().map(|stage| {
            let of_all = || loads.iter().filter_map(|load| load.stages.iter().find(|other| other.name == stage.name));
            let batches = Batches::of(of_all().flat_map(|stage| &stage.batches_us));
            let busy = of_all().map(|stage| stage.busy_s);
            let per_s = |amount: f64| (stage.busy_s > 0.0).then(|| amount / stage.busy_s);
            Stage {
                name: stage.name.clone(),
                rows_in: stage.rows_in,
                rows_out: stage.rows_out,
                records_per_s: per_s(stage.rows_in as f64),
                mb_per_s: text_bytes.get(&stage.name).and_then(|bytes| per_s(*bytes as f64 / 1e6)),
                allocations_per_row: None,
                allocated_bytes_per_row: None,
                busy_s: stage.busy_s,
                busy_s_min: busy.clone().fold(f64::INFINITY, f64::min),
                busy_s_max: busy.fold(0.0, f64::max),
                wait_s: stage.wait_s,
                p50_us: batches.quantile_us(0.5),
                p90_us: batches.quantile_us(0.9),
                p99_us: batches.quantile_us(0.99),
                max_us: batches.max_us(),
                batches_us: batches.recorded(),
            }
        });
        let readers = load.readers.iter().map(|reader| Reader {
            name: reader.name.clone(),
            chunks: reader.rows_in,
            busy_s: reader.busy_s,
            wait_s: reader.wait_s,
        });
        let worker_times = load.workers.iter().enumerate().map(|(worker, time)| WorkerTime {
            worker,
            busy_s: time.busy_s,
            // Before its thread was there, and after it, it had nothing to do.
            wait_s: time.wait_s + (load.seconds - time.lived_s).max(0.0),
        });
        Some(Run {
            workers,
            seconds: load.seconds,
            seconds_min: first,
            seconds_max: last,
            cpu_seconds: load.cpu_seconds,
            records_per_s: if load.seconds > 0.0 { records as f64 / load.seconds } else { 0.0 },
            peak_bytes: load.peak_bytes,
            state_bytes: load.state_bytes,
            state_read_bytes: load.state_bytes.map(|_| load.state_traffic_bytes.0),
            state_written_bytes: load.state_bytes.map(|_| load.state_traffic_bytes.1),
            allocations: load.allocations.map(|(count, _)| count),
            allocated_bytes: load.allocations.map(|(_, bytes)| bytes),
            stages: stages.collect(),
            readers: readers.collect(),
            worker_times: worker_times.collect(),
        })
    }
}

impl Run {
    /// Notes what its sources and transforms allocate.
    pub fn note_allocations(&mut self, per_row: &BTreeMap<String, PerRow>) {
        for stage in &mut self.stages {
            let of_stage = per_row.get(&stage.name);
            stage.allocations_per_row = of_stage.map(|per_row| per_row.allocations);
            stage.allocated_bytes_per_row = of_stage.map(|per_row| per_row.bytes);
        }
    }
}

/// How much sooner runs are over than that with the fewest workers.
pub fn speedups(runs: &[Run]) -> Vec<Speedup> {
    let Some(base) = runs.iter().min_by_key(|run| run.workers) else { return Vec::new() };
    let speedup = |run: &Run| {
        let ratio = base.seconds / run.seconds.max(f64::MIN_POSITIVE);
        let efficiency = ratio * base.workers as f64 / run.workers as f64;
        Speedup { workers: run.workers, ratio, efficiency }
    };
    runs.iter().map(speedup).collect()
}

impl Delta {
    /// The figures of a drop's times.
    pub fn of(history_records: u64, drop_records: u64, mut seconds: Vec<f64>) -> Option<Delta> {
        seconds.sort_by(f64::total_cmp);
        Some(Delta {
            history_records,
            drop_records,
            seconds: *seconds.get(seconds.len() / 2)?,
            seconds_min: *seconds.first()?,
            seconds_max: *seconds.last()?,
            ratio: 1.0,
        })
    }
}
