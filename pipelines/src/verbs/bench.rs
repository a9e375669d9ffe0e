//! `bench`: how fast a pipeline is, stage by stage.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use vardelta_engine::{
    error::{RunError, RunErrorKind},
    plan::Plan,
};

use crate::{
    arguments::PipelineArguments,
    bench::{self, Batches, Bench, Comparison, SVG_START, Settings},
    destination::{self, Kind},
    failure::Failure,
    interrupt,
    output::Output,
    pipeline_file,
    progress::Shown,
};

/// Arguments of `bench`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Records of each file that is made up for the sources.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,

    /// Measure with this file instead of a made-up one; other sources read what their paths match.
    #[arg(long, value_name = "FILE", conflicts_with = "records")]
    input: Option<PathBuf>,

    /// The source stage that the file goes to, and whose drops are measured; needed with --input when there are several.
    #[arg(long, value_name = "STAGE")]
    into: Option<String>,

    /// Measure this stage alone: a source or a transform by itself on one thread, others in whole runs with one worker.
    #[arg(long, value_name = "STAGE", conflicts_with = "workers")]
    stage: Option<String>,

    /// Numbers of worker threads, with commas between. Default: 1, 2, 4 and so on up to the pipeline's.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Vec<u16>,

    /// How often each figure is taken, after one run to warm up.
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,

    /// Write nothing, not even to a scratch database: dry runs.
    #[arg(long)]
    no_sink: bool,

    /// Also write the figures into a file that --compare reads.
    #[arg(long, value_name = "FILE.json")]
    save: Option<PathBuf>,

    /// Put the figures beside saved ones.
    #[arg(long, value_name = "FILE.json")]
    compare: Option<PathBuf>,

    /// Also write the percentiles of each stage's batches into this directory, in HdrHistogram's format.
    #[arg(long, value_name = "DIR")]
    hgrm: Option<PathBuf>,

    /// Also draw scaling and stage times.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// How a saved bench begins.
const SAVED_START: &str = "{\"version\":";
const SAVED: Kind =
    Kind { option: "--save", what: "a saved bench", is_own: |start| start.starts_with(SAVED_START.as_bytes()) };
const SVG: Kind =
    Kind { option: "--svg", what: "a drawn bench", is_own: |start| start.starts_with(SVG_START.as_bytes()) };
const HGRM: Kind = Kind {
    option: "--hgrm",
    what: "a file of percentiles",
    is_own: |start| start.trim_ascii_start().starts_with(b"Value     Percentile TotalCount"),
};

/// Where files go that were asked for.
struct Places {
    save: Option<PathBuf>,
    svg: Option<PathBuf>,
    hgrm: Option<PathBuf>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let (plan, spec) = pipeline_file::load_written(&self.pipeline, output)?;
        let places = self.places(&plan)?;
        let before = self.compare.as_deref().map(saved).transpose()?;
        let abort = interrupt::watch();
        output.follow(&abort);
        let settings = self.settings(&plan);
        let line = matches!(output.progress(), Shown::View { .. }).then(indicatif::ProgressBar::new_spinner);
        let tell = |what: &str| {
            if let Some(line) = &line {
                line.set_message(what.to_owned());
                line.tick();
            }
        };
        let bench = bench::bench(&settings, &plan, &spec, &abort, &tell);
        if let Some(line) = &line {
            line.finish_and_clear();
        }
        let bench = bench?;
        let comparison = before.map(|before| bench::compare(&before, &bench));
        write(&places, &bench)?;
        if output.is_json() {
            output.json(&with_comparison(&bench, comparison.as_ref())?)?;
        } else if !output.is_quiet() {
            output.text(&bench::bench_text(&bench))?;
            if let Some(comparison) = &comparison {
                output.text(&bench::comparison_text(comparison))?;
            }
        }
        Ok(0)
    }

    fn settings(&self, plan: &Plan) -> Settings {
        let mut workers: Vec<usize> = self.workers.iter().map(|workers| usize::from(*workers)).collect();
        if workers.is_empty() {
            let most = plan.pipeline.workers.max(1);
            workers = std::iter::successors(Some(1), |workers| Some(workers * 2)).take_while(|at| *at < most).collect();
            workers.push(most);
        }
        workers.sort_unstable();
        workers.dedup();
        Settings {
            pipeline: self.pipeline.pipeline.clone(),
            overrides: self.pipeline.overrides.clone(),
            records: self.records,
            file: self.input.clone(),
            into: self.into.clone(),
            stage: self.stage.clone(),
            workers,
            repeat: usize::from(self.repeat),
            no_sink: self.no_sink,
        }
    }

    /// Looks at where files are to go before anything is measured.
    fn places(&self, plan: &Plan) -> Result<Places, RunError> {
        let check = |path: &Option<PathBuf>, kind: &Kind| {
            path.as_deref().map(|path| destination::check(path, plan, kind)).transpose()
        };
        if let Some(directory) = &self.hgrm {
            fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
            for stage in &plan.stages {
                destination::check(&hgrm_file(directory, &stage.name), plan, &HGRM)?;
            }
        }
        Ok(Places { save: check(&self.save, &SAVED)?, svg: check(&self.svg, &SVG)?, hgrm: self.hgrm.clone() })
    }
}

/// Writes the files that were asked for.
fn write(places: &Places, bench: &Bench) -> Result<(), RunError> {
    let put = |path: &Path, kind: &Kind, text: &str| {
        destination::replace(path, kind, text).map_err(|error| unwritable(path, &error))
    };
    if let Some(path) = &places.save {
        let text = serde_json::to_string(bench).map_err(RunError::internal)?;
        put(path, &SAVED, &(text + "\n"))?;
    }
    if let Some(path) = &places.svg {
        put(path, &SVG, &bench::draw(bench))?;
    }
    if let (Some(directory), Some(run)) = (&places.hgrm, bench.runs.last()) {
        for stage in run.stages.iter().filter(|stage| !stage.batches_us.is_empty()) {
            let path = destination::check_alone(&hgrm_file(directory, &stage.name), &HGRM)?;
            put(&path, &HGRM, &Batches::of(&stage.batches_us).hgrm())?;
        }
    }
    Ok(())
}

fn hgrm_file(directory: &Path, stage: &str) -> PathBuf {
    directory.join(format!("{stage}.hgrm"))
}

/// A bench that was saved.
fn saved(path: &Path) -> Result<Bench, RunError> {
    let wrong = |why: String| {
        RunError::new(RunErrorKind::Usage, format!("`--compare {}` is no saved bench: {why}", path.display()))
            .with_hint("Write one with `vardelta bench PIPELINE --save FILE.json`.")
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

fn with_comparison(bench: &Bench, comparison: Option<&Comparison>) -> Result<Value, RunError> {
    let mut value = serde_json::to_value(bench).map_err(RunError::internal)?;
    if let Some(comparison) = comparison {
        value["comparison"] = json!(comparison);
    }
    Ok(value)
}

fn unwritable(path: &Path, error: &std::io::Error) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("{} cannot be written: {error}", path.display()))
        .with_hint("Check the path and the rights on it.")
}
