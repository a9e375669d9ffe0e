//! The whole of a bench: what is measured in which order.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_engine::{
    abort::Abort,
    contract::stage::{Kind, Planned},
    error::{RunError, RunErrorKind},
    plan::{PerStage, Plan, StageIndex},
    spec::SpecFile,
};

use super::{
    bottleneck, cost,
    input::{Inputs, Wanted},
    place::{Place, Spot},
    request::{self, Alone, Load, Measured, PerRow, Request, Times, Work},
    result::{Bench, Cost, Delta, Input, Run, speedups},
    spawn::measured,
};
use crate::set_aside::{self, Written};

/// What a bench is to do.
pub struct Settings {
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// What `--set` replaced of it.
    pub overrides: Vec<String>,
    /// Records of files that are made up.
    pub records: u64,
    /// The user's file instead.
    pub file: Option<PathBuf>,
    /// The source that it goes to.
    pub into: Option<String>,
    /// The stage that is measured by itself; `None` for the whole pipeline.
    pub stage: Option<String>,
    /// Numbers of worker threads, ascending.
    pub workers: Vec<usize>,
    /// How often each figure is taken.
    pub repeat: usize,
    /// Whether nothing is written.
    pub no_sink: bool,
}

/// Measures a pipeline; `plan` and `spec` are as the user has them. `tell` hears what is being done.
///
/// # Errors
/// Those of the runs. Whatever happens, the scratch places are gone afterwards.
pub fn bench(
    settings: &Settings,
    plan: &Plan,
    spec: &SpecFile,
    abort: &Abort,
    tell: &dyn Fn(&str),
) -> Result<Bench, RunError> {
    let mut spec = spec.clone();
    let written = set_aside::stages(&mut spec);
    let is_lookup = |stage: &&vardelta_engine::plan::PlannedStage| stage.type_name == "lookup";
    let lookup = plan.stages.iter().find(is_lookup).map(|stage| &stage.name);
    let dry_run = settings.no_sink || lookup.is_some();
    let place = Place::new((!dry_run).then(|| Arc::clone(plan.sink())))?;
    let wanted = Wanted { file: settings.file.as_deref(), into: settings.into.as_deref(), records: settings.records };
    tell("preparing the input");
    let mut inputs = Inputs::new(plan, &written, &wanted, &place)?;
    if let Some(lookup) = lookup {
        inputs.notices.push(format!(
            "nothing is written and no service is asked, since `{lookup}` would have to ask one: its rows have no answers"
        ));
    }
    let sink = &plan.stages[plan.sink];
    let mut bench = Bench {
        version: env!("CARGO_PKG_VERSION").into(),
        pipeline: plan.pipeline.name.clone(),
        stage: settings.stage.clone(),
        sink: if dry_run { "none".into() } else { sink.type_name.to_owned() },
        input: Input { generated: inputs.is_generated(), ..Input::default() },
        repeat: settings.repeat,
        runs: Vec::new(),
        speedup: Vec::new(),
        cost: None,
        delta: Vec::new(),
        bottleneck: None,
        notices: Vec::new(),
    };
    let mut bencher = Bencher { settings, plan, written: &written, place: &place, inputs, dry_run, abort, tell };
    let measured = match &settings.stage {
        Some(stage) => bencher.stage(stage, &mut bench),
        None => bencher.whole(&mut bench),
    };
    measured.map_err(|error| match (error.kind, bench.input.generated) {
        (RunErrorKind::Input, true) => error.with_hint(
            "The made-up files are of GRCh38, with the columns that docs/generate.md lists; name a file of your own with --input.",
        ),
        _ => error,
    })?;
    bench.notices.append(&mut bencher.inputs.notices);
    Ok(bench)
}

struct Bencher<'a> {
    settings: &'a Settings,
    plan: &'a Plan,
    written: &'a [Written<'a>],
    place: &'a Place,
    inputs: Inputs,
    dry_run: bool,
    abort: &'a Abort,
    tell: &'a dyn Fn(&str),
}

impl Bencher<'_> {
    fn request(&self, spot: &Spot, workers: usize, work: Work) -> Request {
        Request {
            pipeline: self.settings.pipeline.clone(),
            overrides: self.settings.overrides.clone(),
            directory: spot.directory.path().to_path_buf(),
            database: spot.database.clone(),
            inputs: self.inputs.directories.clone(),
            workers,
            dry_run: self.dry_run,
            work,
        }
    }

    /// The whole pipeline.
    fn whole(&mut self, bench: &mut Bench) -> Result<(), RunError> {
        let looped = self.looped(bench)?;
        let text_bytes = self.text_bytes(bench);
        let mut most = None;
        for workers in self.settings.workers.clone() {
            let loads = self.loads(workers)?;
            let records: u64 = loads.first().map_or(0, |load| load.records.values().sum());
            if records == 0 {
                return Err(self.nothing_to_measure());
            }
            bench.input.records = records;
            most = loads.get(loads.len() / 2).cloned();
            bench.runs.extend(Run::median(workers, loads, &text_bytes));
        }
        bench.speedup = speedups(&bench.runs);
        bench.cost = looped.map(|loop_records_per_s| Cost {
            loop_records_per_s,
            workers: bench.runs.iter().find(|run| run.records_per_s > loop_records_per_s).map(|run| run.workers),
        });
        if let Some(load) = most {
            let sink = &self.plan.stages[self.plan.sink].name;
            let files = self.inputs.files.values().map(Vec::len).sum();
            bench.bottleneck = bottleneck::find(&load, sink, files);
            if load.rejects > 0 {
                let share = 100.0 * load.rejects as f64 / bench.input.records as f64;
                self.inputs.notices.push(format!("{} rejects ({share:.1} % of the records)", load.rejects));
            }
        }
        let per_row = self.allocations()?;
        bench.runs.iter_mut().for_each(|run| run.note_allocations(&per_row));
        bench.delta = self.delta()?;
        Ok(())
    }

    /// What sources and transforms allocate for a row.
    fn allocations(&self) -> Result<BTreeMap<String, PerRow>, RunError> {
        (self.tell)("allocations of each stage");
        let spot = self.place.spot()?;
        match measured(&self.request(&spot, 1, Work::Allocations), self.abort)? {
            Measured::Allocations(per_row) => Ok(per_row),
            _ => Err(RunError::internal("allocations were to be counted, and something else was measured")),
        }
    }

    /// The loads with so many workers, after one that warms up; the fastest first.
    fn loads(&self, workers: usize) -> Result<Vec<Load>, RunError> {
        let (mut loads, mut allocations) = (Vec::new(), None);
        for time in 0..=self.settings.repeat {
            let what = if time == 0 { "warming up".into() } else { format!("run {time} of {}", self.settings.repeat) };
            (self.tell)(&format!("{workers} workers: {what}"));
            let spot = self.place.spot()?;
            // The one that warms up also counts allocations: those of the others would take longer for it.
            let work = Work::Load { counts_allocations: time == 0 };
            match measured(&self.request(&spot, workers, work), self.abort)? {
                Measured::Load(load) if time > 0 => loads.push(Load { allocations, ..*load }),
                Measured::Load(load) => allocations = load.allocations,
                _ => return Err(RunError::internal("a load was asked for, and something else was measured")),
            }
        }
        loads.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        Ok(loads)
    }

    /// Records per second of the plain loop; `None` where it cannot read the files.
    fn looped(&mut self, bench: &mut Bench) -> Result<Option<f64>, RunError> {
        (self.tell)("the plain loop");
        let mut rates = Vec::new();
        for time in 0..=self.settings.repeat {
            let looped = cost::run(self.plan, self.written, &self.inputs.files, self.abort);
            self.abort.check()?;
            let looped = looped.map_err(|error| {
                RunError::new(RunErrorKind::Input, format!("the input cannot be read as text: {error}"))
            })?;
            let Some(looped) = looped else {
                self.inputs.notices.push("the plain loop reads no binary files".into());
                return Ok(None);
            };
            bench.input.sources.clone_from(&looped.text_bytes);
            if time > 0 && looped.seconds > 0.0 {
                rates.push(looped.records as f64 / looped.seconds);
            }
        }
        rates.sort_by(f64::total_cmp);
        Ok(rates.get(rates.len() / 2).copied())
    }

    /// The bytes of text that each stage's rows are of. What the loop has not read is as large as its files.
    fn text_bytes(&self, bench: &mut Bench) -> BTreeMap<String, u64> {
        for (source, files) in &self.inputs.files {
            let of_files = || files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum();
            bench.input.sources.entry(source.clone()).or_insert_with(of_files);
        }
        bench.input.text_bytes = bench.input.sources.values().sum();
        let mut sources: PerStage<Vec<StageIndex>> = PerStage::default();
        for (at, stage) in self.plan.stages.indexed() {
            let mut of_stage: Vec<StageIndex> =
                stage.inputs.iter().flat_map(|input| sources[*input].iter().copied()).collect();
            if stage.kind == Kind::Source {
                of_stage.push(at);
            }
            of_stage.sort_unstable();
            of_stage.dedup();
            sources.push(of_stage);
        }
        let bytes = |at: StageIndex| bench.input.sources.get(&self.plan.stages[at].name).copied().unwrap_or_default();
        let stages = self.plan.stages.iter().zip(sources.iter());
        stages.map(|(stage, of)| (stage.name.clone(), of.iter().map(|at| bytes(*at)).sum())).collect()
    }

    /// What a drop costs on histories of two sizes.
    fn delta(&mut self) -> Result<Vec<Delta>, RunError> {
        if self.dry_run {
            self.inputs
                .notices
                .push("what a drop costs on a history is measured only where something is written".into());
            return Ok(Vec::new());
        }
        let workers = self.settings.workers.last().copied().unwrap_or(1);
        let Some(series) = self.inputs.series(self.place, self.abort)? else { return Ok(Vec::new()) };
        let mut deltas: Vec<Delta> = Vec::new();
        for (records, directory) in &series.histories {
            (self.tell)(&format!("a drop of {} records on a history of {records}", series.records));
            let spot = self.place.spot()?;
            let work = Work::Delta {
                source: self.inputs.main.clone(),
                file: series.file.clone(),
                repeat: self.settings.repeat,
            };
            let mut request = self.request(&spot, workers, work);
            request.inputs.insert(self.inputs.main.clone(), directory.clone());
            let Measured::Delta(seconds) = measured(&request, self.abort)? else {
                return Err(RunError::internal("a drop was to be measured, and something else was"));
            };
            deltas.extend(Delta::of(*records, series.records, seconds));
        }
        let first = deltas.first().map_or(1.0, |delta| delta.seconds.max(f64::MIN_POSITIVE));
        deltas.iter_mut().for_each(|delta| delta.ratio = delta.seconds / first);
        Ok(deltas)
    }

    /// One stage: by itself where it can be, else in whole runs with one worker.
    fn stage(&mut self, name: &str, bench: &mut Bench) -> Result<(), RunError> {
        let Some((_, stage)) = self.plan.stage(name) else {
            let names: Vec<&str> = self.plan.stages.iter().map(|stage| stage.name.as_str()).collect();
            return Err(RunError::new(RunErrorKind::Usage, format!("the pipeline has no stage `{name}`"))
                .with_hint(format!("Its stages are: {}.", names.join(", "))));
        };
        let mut text_bytes = self.text_bytes(bench);
        if matches!(stage.planned, Planned::Source(_) | Planned::Transform(_)) {
            (self.tell)(&format!("stage {name} by itself"));
            let work = Work::Alone { stage: name.to_owned(), repeat: self.settings.repeat };
            let spot = self.place.spot()?;
            let Measured::Alone(alone) = measured(&self.request(&spot, 1, work), self.abort)? else {
                return Err(RunError::internal("a stage was to be measured, and something else was"));
            };
            if let Some(alone) = alone {
                if alone.is_cut {
                    self.inputs.notices.push("only the first 128 MiB of the text were kept in memory for it".into());
                }
                let how = "measured by itself on one thread, over batches in memory";
                self.inputs.notices.push(how.into());
                text_bytes.insert(name.to_owned(), alone.text_bytes);
                bench.input.text_bytes = alone.text_bytes;
                bench.input.records = alone.rows_in;
                bench.runs.extend(Run::median(1, loads_of(name, &alone), &text_bytes));
                let per_row = self.allocations()?;
                bench.runs.iter_mut().for_each(|run| run.note_allocations(&per_row));
                return Ok(());
            }
        }
        self.inputs.notices.push(format!(
            "`{name}` lives only in a run ({}): its figures are of whole runs with one worker",
            stage.type_name
        ));
        let mut loads = self.loads(1)?;
        bench.input.records = loads.first().map_or(0, |load| load.records.values().sum());
        for load in &mut loads {
            load.stages.retain(|stage| stage.name == name);
            load.readers.clear();
        }
        bench.runs.extend(Run::median(1, loads, &text_bytes));
        Ok(())
    }

    fn nothing_to_measure(&self) -> RunError {
        let files: Vec<String> = self.inputs.files.values().flatten().map(|file| shown(file)).collect();
        RunError::new(
            RunErrorKind::Usage,
            format!("there is not one record in what the sources read ({})", files.join(", ")),
        )
        .with_hint("Name a file with --input FILE, or take --records N for made-up ones.")
    }
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A stage by itself as runs in which there was nothing else.
fn loads_of(name: &str, alone: &Alone) -> Vec<Load> {
    let load = |(time, seconds): (usize, &f64)| Load {
        seconds: *seconds,
        records: BTreeMap::from([(name.to_owned(), alone.rows_in)]),
        stages: vec![Times {
            name: name.to_owned(),
            rows_in: alone.rows_in,
            rows_out: alone.rows_out,
            busy_s: *seconds,
            wait_s: 0.0,
            // The times of all repeats are one list.
            batches_us: if time == 0 { alone.batches_us.clone() } else { Vec::new() },
        }],
        workers: vec![request::Worker { busy_s: *seconds, wait_s: 0.0, lived_s: *seconds }],
        ..Load::default()
    };
    alone.seconds.iter().enumerate().map(load).collect()
}
