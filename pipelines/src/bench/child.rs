//! One measurement in this process, which is the measured one.

use std::{collections::BTreeMap, path::Path};

use vardelta_engine::{
    abort::Abort,
    diagnostics::Diagnostics,
    error::{RunError, RunErrorKind},
    observer::Unobserved,
    plan::Plan,
    report::{ReaderReport, RunReport, StageReport},
    run::{self, Context, RunOptions},
    spec::SpecFile,
    state::Traffic,
};
use vardelta_stages::REGISTRY;

use super::{
    allocations, alone, process,
    request::{Load, Measured, Request, Times, Work, Worker},
};
use crate::{allocations::Count, pipeline_file, set_aside};

/// The name of the drop whose addition is measured.
const DROP: &str = "vardelta_bench";
/// The directory of the state.
const STATE: &str = "state";

/// Carries a measurement out.
///
/// # Errors
/// Those of the runs.
pub fn measure(request: &Request, abort: &Abort) -> Result<Measured, RunError> {
    let plan = plan(request)?;
    let context = Context { plan: &plan, abort, observer: &Unobserved };
    let options = RunOptions { workers: Some(request.workers), dry_run: request.dry_run, ..RunOptions::default() };
    match &request.work {
        Work::Load { counts_allocations } => {
            let count = counts_allocations.then(Count::begin);
            let (before, traffic) = (process::cpu_seconds(), Traffic::so_far());
            let report = run::run(context, &options)?;
            let allocations = count.map(|count| count.so_far()).map(|all| (all.count, all.bytes));
            let traffic = Traffic::so_far().since(traffic);
            let state_traffic_bytes = (traffic.read_bytes, traffic.written_bytes);
            let cpu_seconds = process::cpu_seconds().zip(before).map(|(after, before)| after - before);
            let peak_bytes = process::peak_bytes();
            let state_bytes = (!request.dry_run).then(|| bytes_below(&request.directory.join(STATE)));
            Ok(Measured::Load(Box::new(Load {
                cpu_seconds,
                peak_bytes,
                state_bytes,
                allocations,
                state_traffic_bytes,
                ..load(&report)
            })))
        }
        Work::Delta { source, file, repeat } => {
            run::run(context, &options)?;
            let adding = RunOptions {
                files: vec![file.clone()],
                into: Some(source.clone()),
                name: Some(DROP.into()),
                ..options.clone()
            };
            let mut seconds = Vec::new();
            // The first time warms up.
            for time in 0..=*repeat {
                let report = run::run(context, &adding)?;
                if time > 0 {
                    seconds.push(report.seconds);
                }
                run::withdraw(context, &[DROP.to_owned()], &options)?;
            }
            Ok(Measured::Delta(seconds))
        }
        Work::Allocations => allocations::measure(&plan, abort).map(Measured::Allocations),
        Work::Alone { stage, repeat } => alone::measure(&plan, stage, *repeat, abort).map(Measured::Alone),
    }
}

/// The pipeline as it is measured: its sink and its files are others, and no share of rejects ends it.
///
/// # Errors
/// When the file is not the one any more that the measurement began with.
pub fn plan(request: &Request) -> Result<Plan, RunError> {
    let changed = || {
        RunError::new(RunErrorKind::Pipeline, "the pipeline file is no longer as it was when the measurement began")
            .with_hint("Begin again.")
    };
    let text = pipeline_file::read(&request.pipeline)?;
    let mut problems = Diagnostics::default();
    let environment = |name: &str| std::env::var(name).ok();
    let mut spec = SpecFile::parse(request.pipeline.clone(), text, &request.overrides, &environment, &mut problems);
    for mut stage in set_aside::stages(&mut spec) {
        if stage.is_sink() {
            stage.move_aside(&request.directory, request.database.as_deref());
        } else if let Some(directory) = request.inputs.get(stage.name) {
            stage.set("path", pattern(directory));
        }
    }
    let plan = Plan::resolve(&spec, REGISTRY, &mut problems).filter(|_| problems.is_empty());
    let mut plan = plan.ok_or_else(changed)?;
    plan.pipeline.state_dir = Some(request.directory.join(STATE));
    plan.pipeline.max_reject_share = 1.0;
    Ok(plan)
}

/// Bytes of the files in a directory and those below it.
fn bytes_below(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

/// All files of a directory.
fn pattern(directory: &Path) -> String {
    directory.join("*").display().to_string()
}

fn load(report: &RunReport) -> Load {
    let mut records: BTreeMap<String, u64> = BTreeMap::new();
    for drop in &report.drops {
        *records.entry(drop.source.clone()).or_default() += drop.read;
    }
    let stage = |stage: &StageReport| Times {
        name: stage.name.clone(),
        rows_in: stage.rows_in,
        rows_out: stage.rows_out,
        busy_s: stage.times.seconds,
        wait_s: stage.times.wait_s,
        batches_us: stage.times.batches_us.clone(),
    };
    let reader = |reader: &ReaderReport| Times {
        name: reader.name.clone(),
        rows_in: reader.chunks,
        rows_out: reader.chunks,
        busy_s: reader.times.seconds,
        wait_s: reader.times.wait_s,
        batches_us: reader.times.batches_us.clone(),
    };
    let workers = report.worker_times.iter();
    Load {
        seconds: report.seconds,
        records,
        rows_ahead: report.rows_ahead,
        rejects: report.rejects.values().sum(),
        stages: report.stages.iter().map(stage).collect(),
        readers: report.readers.iter().map(reader).collect(),
        workers: workers
            .map(|time| Worker { busy_s: time.busy_s, wait_s: time.wait_s, lived_s: time.lived_s })
            .collect(),
        ..Load::default()
    }
}
