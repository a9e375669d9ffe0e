//! What one measurement is asked, and what it yields. Each is made by a process of its own, so that its memory and processor
//! time are its own; the two travel as JSON.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// What `--set` replaced of it.
    pub overrides: Vec<String>,
    /// A directory for state and SQLite file.
    pub directory: PathBuf,
    /// The database on the sink's server, where there is one.
    pub database: Option<String>,
    /// By source stage, the directory whose files it reads instead of what its path matches.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Worker threads.
    pub workers: usize,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// What is measured.
    pub work: Work,
}

/// What is measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Work {
    /// A first load of everything.
    Load {
        /// Whether allocations are counted, which takes time.
        counts_allocations: bool,
    },
    /// What sources and transforms allocate, each by itself.
    Allocations,
    /// A first load of everything, and then, measured, a drop on top of it, again and again.
    Delta {
        /// The source stage.
        source: String,
        /// The drop.
        file: PathBuf,
        /// How often.
        repeat: usize,
    },
    /// One stage by itself.
    Alone {
        /// The stage.
        stage: String,
        /// How often.
        repeat: usize,
    },
}

/// What a measurement yields.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Measured {
    /// Of [`Work::Load`].
    Load(Box<Load>),
    /// Of [`Work::Allocations`], by stage.
    Allocations(BTreeMap<String, PerRow>),
    /// Of [`Work::Delta`]: seconds of each time.
    Delta(Vec<f64>),
    /// Of [`Work::Alone`]; `None` where the stage cannot be taken out of the run.
    Alone(Option<Alone>),
}

/// A load, measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Load {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Processor seconds of all threads, to a hundredth; `None` where the system does not say.
    pub cpu_seconds: Option<f64>,
    /// The most memory that the process had, in bytes; `None` where the system does not say.
    pub peak_bytes: Option<u64>,
    /// Bytes of the state that it has left; `None` where it has left none.
    pub state_bytes: Option<u64>,
    /// Allocations and their bytes on all threads, where they were counted.
    pub allocations: Option<(u64, u64)>,
    /// Bytes of the state's data files that it read and wrote.
    pub state_traffic_bytes: (u64, u64),
    /// Records read, by source stage.
    pub records: BTreeMap<String, u64>,
    /// Rows that the sink took while others were still computed.
    pub rows_ahead: u64,
    /// Rejected records and rows.
    pub rejects: u64,
    /// The stages, in the order of the plan.
    pub stages: Vec<Times>,
    /// The threads that read files, by source stage.
    pub readers: Vec<Times>,
    /// The workers.
    pub workers: Vec<Worker>,
}

/// What a stage, or the readers of a source, did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Times {
    /// The stage.
    pub name: String,
    /// Rows in; of readers chunks.
    pub rows_in: u64,
    /// Rows out.
    pub rows_out: u64,
    /// Seconds of work, summed over threads.
    pub busy_s: f64,
    /// Seconds of waiting, summed over threads.
    pub wait_s: f64,
    /// Times of batches: microseconds, and how many took so long.
    pub batches_us: Vec<(u64, u64)>,
}

/// What a stage allocates for a row that comes in; of a source, for a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerRow {
    /// Allocations.
    pub allocations: f64,
    /// Their bytes.
    pub bytes: f64,
}

/// A worker's time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Worker {
    /// Seconds of work.
    pub busy_s: f64,
    /// Seconds of waiting while its thread was there.
    pub wait_s: f64,
    /// Seconds for which its thread was there.
    pub lived_s: f64,
}

/// A stage by itself, measured on one thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Alone {
    /// Seconds of each time.
    pub seconds: Vec<f64>,
    /// Rows (of a source: records) in, each time.
    pub rows_in: u64,
    /// Rows out.
    pub rows_out: u64,
    /// Bytes of the text that the rows are of.
    pub text_bytes: u64,
    /// Whether not all of the input was kept for it.
    pub is_cut: bool,
    /// Times of batches: microseconds, and how many took so long.
    pub batches_us: Vec<(u64, u64)>,
}
