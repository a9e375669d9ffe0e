//! Ways to the same product: the library inside this process, with its tables in a file or in a server, and the command
//! line.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vardelta_engine::run::RunOptions;
use vardelta_test_servers::Server;
use vardelta_tests::{
    database::{Key, Tables, read_marked, read_tables},
    in_process::Warehouse,
    pipelines::Pipeline,
    project::Project,
    server_database,
};

/// What one run is asked to do.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files to load; none for what the pipeline's path matches.
    pub files: Vec<PathBuf>,
    /// Drops to withdraw, instead of a load.
    pub withdraw: Vec<String>,
    /// Whether what is withdrawn is forgotten.
    pub erase: bool,
    /// Whether drops without file go.
    pub prune: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// Worker threads.
    pub workers: usize,
    /// Records per dataflow; 0 for the default.
    pub chunk_records: u64,
}

/// A pipeline that can be run.
pub trait Driver {
    /// Where the pipeline file lies.
    fn directory(&self) -> &Path;

    /// Runs; returns the report as `--json` prints it.
    fn run(&self, request: &Request) -> Value;

    /// How many rows `verify` finds to differ.
    fn verify(&self) -> u64;

    /// The sink's tables.
    fn tables(&self, pipeline: &Pipeline) -> Tables {
        self.tables_called(pipeline, pipeline.keys)
    }

    /// The same of tables of other names, or of views.
    fn tables_called(&self, pipeline: &Pipeline, keys: &[Key<'_>]) -> Tables {
        read_tables(&self.directory().join(pipeline.database), keys)
    }

    /// The marked rows of the sink's tables.
    fn marked(&self, pipeline: &Pipeline) -> Tables {
        read_marked(&self.directory().join(pipeline.database), pipeline.keys)
    }
}

/// The library.
pub struct InProcess(Warehouse);

impl InProcess {
    pub fn new(text: &str) -> InProcess {
        InProcess(Warehouse::new(text))
    }
}

/// The library, with its tables in a server.
pub struct InServer {
    pipeline: InProcess,
    server: &'static Server,
    database: String,
}

impl InServer {
    pub fn new(server: &'static Server, pipeline: &Pipeline, options: &str) -> InServer {
        let database = server.new_database();
        if options.contains("on_delete = \"mark\"") {
            server.allow_views(&database);
        }
        let warehouse = Warehouse::at(server.url(&database), &pipeline.on_server(options));
        InServer { pipeline: InProcess(warehouse), server, database }
    }
}

impl Driver for InServer {
    fn directory(&self) -> &Path {
        self.pipeline.directory()
    }

    fn run(&self, request: &Request) -> Value {
        self.pipeline.run(request)
    }

    fn verify(&self) -> u64 {
        self.pipeline.verify()
    }

    fn tables_called(&self, _pipeline: &Pipeline, keys: &[Key<'_>]) -> Tables {
        server_database::read_tables(&mut self.server.root_in(&self.database), keys)
    }

    fn marked(&self, pipeline: &Pipeline) -> Tables {
        server_database::read_marked(&mut self.server.root_in(&self.database), pipeline.keys)
    }
}

impl Driver for InProcess {
    fn directory(&self) -> &Path {
        self.0.directory.path()
    }

    fn run(&self, request: &Request) -> Value {
        let options = RunOptions {
            files: request.files.clone(),
            workers: Some(request.workers),
            dry_run: request.dry_run,
            prune: request.prune,
            // Histories are full of what would be slips.
            prune_all: true,
            accept_smaller: true,
            ..RunOptions::default()
        };
        if request.erase {
            let report = self.0.erase(request.chunk_records, &request.withdraw, &options);
            let report = report.unwrap_or_else(|error| panic!("the erasure failed: {error} {:?}", error.hint));
            return serde_json::to_value(report).expect("a report is JSON");
        }
        let report = match request.withdraw.is_empty() {
            true => self.0.run(request.chunk_records, &options),
            false => self.0.withdraw(request.chunk_records, &request.withdraw, &options),
        };
        let report = report.unwrap_or_else(|error| panic!("the run failed: {error} {:?}", error.hint));
        serde_json::to_value(report).expect("a report is JSON")
    }

    fn verify(&self) -> u64 {
        self.0.verify(&RunOptions::default()).expect("verify works").difference_count
    }
}

/// The command line.
pub struct Processes(Project);

impl Processes {
    pub fn new(text: &str) -> Processes {
        Processes(Project::new(text))
    }
}

impl Driver for Processes {
    fn directory(&self) -> &Path {
        self.0.directory()
    }

    fn run(&self, request: &Request) -> Value {
        let mut arguments: Vec<String> = vec!["--json".into(), "--workers".into(), request.workers.to_string()];
        arguments.extend(request.files.iter().map(|file| file.to_string_lossy().into_owned()));
        arguments.extend(request.withdraw.iter().cloned());
        arguments.extend(request.erase.then(|| "--erase".into()));
        arguments.extend(request.prune.then(|| "--prune-all".into()));
        // Histories are full of what would be slips.
        arguments.extend(["--set".into(), "pipeline.max_shrink_share=1".into()]);
        arguments.extend(request.dry_run.then(|| "--dry-run".into()));
        if request.chunk_records > 0 {
            arguments.extend(["--set".into(), format!("pipeline.chunk_records={}", request.chunk_records)]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let verb = if request.withdraw.is_empty() { "run" } else { "withdraw" };
        self.0.vardelta(verb, &arguments).expect(0).json()
    }

    fn verify(&self) -> u64 {
        let said = self.0.vardelta("verify", &["--json"]).expect(0).json();
        said["difference_count"].as_u64().expect("verify counts the differences")
    }
}
