//! `watch`: drops are loaded as they arrive.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use vardelta_engine::{
    contract::{span::Span, stage::Planned},
    error::{RunError, RunErrorKind},
    plan::{LogForm, Plan},
    run::{self, RunOptions},
};

use crate::{
    arguments::{ExecutionArguments, PipelineArguments},
    failure::Failure,
    interrupt,
    live::{Board, LivePipeline},
    operate::{clock::now_s, log::LogWriter},
    output::Output,
    pipeline_file, serve,
    verbs::execution::{self, Beside},
    watch::{self, Key, Settings},
    watcher::Listener,
};

/// Arguments of `watch`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The pipeline files.
    #[arg(value_name = "PIPELINE.toml", required = true)]
    pipelines: Vec<PathBuf>,

    /// Replace an option of every pipeline file, e.g. `pipeline.workers=2`. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,

    /// How often to look at the folders where the system does not say that something has happened there.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = length)]
    every: Duration,

    /// How long a file must not have changed before it is loaded.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = length)]
    settle: Duration,

    /// Serve health, metrics and what is loaded on this address, such as `127.0.0.1:9464`; without it nothing listens.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// A file with the token that clients must show; without it that of the environment variable VARDELTA_TOKEN. On an address
    /// that other machines reach there must be one.
    #[arg(long, value_name = "FILE", requires = "listen")]
    token_file: Option<PathBuf>,

    /// Look once, wait for files that have not settled for no longer than `--settle`, load what is ready, and end.
    #[arg(long)]
    once: bool,

    /// Worker threads of every load, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

fn length(text: &str) -> Result<Duration, String> {
    Span::parse(text).map(|span| span.0)
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plans = self.plans(output)?;
        // From here on a signal ends it in good order.
        interrupt::outlast_runs();
        let address =
            self.listen.as_deref().map(|listen| serve::bind(listen, self.token_file.as_deref())).transpose()?;
        if let Some(plan) = plans.iter().find(|plan| plan.operate.log == LogForm::Json) {
            output.log_to(Arc::new(LogWriter::new(plan)));
        }
        let pipelines = plans.into_iter().map(|plan| Arc::new(LivePipeline::new(plan))).collect();
        let board = Arc::new(Board { pipelines, started_s: now_s() });
        let _server = match address {
            Some(address) => {
                let told = format!("listening on http://{}", address.address);
                let server = serve::start(address, Arc::clone(&board))?;
                output.complain(&told);
                Some(server)
            }
            None => None,
        };
        // Short waits would only be a busy loop.
        let every = self.every.max(Duration::from_millis(50));
        let settings = Settings { every, settle: self.settle, once: self.once };
        let load = |output: &mut Output, plan: &Plan, files: &BTreeSet<Key>, listener: Listener| {
            self.load(output, plan, files, listener)
        };
        Ok(watch::watch(output, &settings, &board, &load))
    }

    /// One run over these files.
    fn load(&self, output: &mut Output, plan: &Plan, files: &BTreeSet<Key>, listener: Listener) -> Result<(), Failure> {
        let arguments = ExecutionArguments { workers: self.workers, dry_run: false, changes: None, rejects: None };
        let options = RunOptions { among: Some(files.clone()), ..execution::options(&arguments) };
        let beside = Beside { listener: Some(listener), is_in_loop: true, ..Beside::default() };
        execution::execute_beside(output, plan, &arguments, beside, |context| run::run(context, &options)).map(|_| ())
    }

    fn plans(&self, output: &Output) -> Result<Vec<Plan>, Failure> {
        let usage = |message: String| RunError::new(RunErrorKind::Usage, message);
        let mut plans: Vec<Plan> = Vec::new();
        for pipeline in &self.pipelines {
            let arguments = PipelineArguments { pipeline: pipeline.clone(), overrides: self.overrides.clone() };
            let plan = pipeline_file::load(&arguments, output)?;
            let name = &plan.pipeline.name;
            if plans.iter().any(|known| known.pipeline.name == *name) {
                return Err(usage(format!("two of the pipelines are called `{name}`"))
                    .with_hint("Give every pipeline that one process watches a name of its own.")
                    .into());
            }
            let has_path = |planned: &Planned| matches!(planned, Planned::Source(source) if source.pattern().is_some());
            if !plan.stages.iter().any(|stage| has_path(&stage.planned)) {
                return Err(usage(format!("no source of `{name}` has a `path`, so there is no folder to watch"))
                    .with_hint("Give a source a `path`, or load files with `vardelta run`.")
                    .into());
            }
            plans.push(plan);
        }
        Ok(plans)
    }
}
