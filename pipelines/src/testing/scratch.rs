//! The pipeline under test in a directory of its own, with a SQLite file as its sink.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use vardelta_engine::{
    contract::stage::{Kind, Planned, StageType as _},
    diagnostics::Diagnostics,
    error::{RunError, RunErrorKind},
    plan::Plan,
    spec::{Entry, Node, SpecFile, Value},
};
use vardelta_stages::{REGISTRY, sinks::sqlite::SQLITE};

use super::{
    records,
    steps::{Content, Delivery},
};

/// The keys of a sink that every sink has.
const SINK_KEYS: [&str; 2] = ["type", "tables"];

/// A variable of the environment. One that is not set is a text: a test needs neither addresses nor passwords.
pub fn environment(name: &str) -> Option<String> {
    Some(std::env::var(name).unwrap_or_else(|_| "unset".into()))
}

/// The plan of a pipeline file with its sink replaced by a SQLite file in `directory`; what SQLite does not have (partitions,
/// TLS) is left out.
pub fn plan(spec: &SpecFile, directory: &Path, problems: &mut Diagnostics) -> Option<Plan> {
    let mut spec = spec.clone();
    let stages = spec.root.iter_mut().find(|entry| entry.key == "stages");
    if let Some(Entry { node: Node { value: Value::Table(stages), .. }, .. }) = stages {
        for stage in stages {
            replace_sink(stage, directory);
        }
    }
    let mut plan = Plan::resolve(&spec, REGISTRY, problems)?;
    plan.pipeline.state_dir = Some(directory.join("state"));
    Some(plan)
}

fn replace_sink(stage: &mut Entry, directory: &Path) {
    let span = stage.node.span.clone();
    let Value::Table(options) = &mut stage.node.value else { return };
    let is = |entry: &Entry, sink: &str| entry.key == "type" && entry.node.value == Value::Text(sink.to_owned());
    let sinks = REGISTRY.iter().filter(|stage_type| stage_type.kind() == Kind::Sink);
    let names: Vec<&str> = sinks.map(|stage_type| stage_type.name()).collect();
    if !options.iter().any(|entry| names.iter().any(|name| is(entry, name))) {
        return;
    }
    let known: BTreeSet<&str> = SQLITE.options().iter().map(|option| option.name).chain(SINK_KEYS).collect();
    options.retain(|entry| known.contains(entry.key.as_str()) && entry.key != "path" && entry.key != "type");
    let text = |value: String| Node { span: span.clone(), value: Value::Text(value) };
    for (key, value) in
        [("type", SQLITE.name().to_owned()), ("path", directory.join("warehouse.sqlite").display().to_string())]
    {
        options.push(Entry { key: key.into(), key_span: span.clone(), node: text(value) });
    }
}

/// A pipeline that has loaded nothing yet.
pub struct Scratch {
    /// The plan.
    pub plan: Plan,
    directory: TempDir,
    base: PathBuf,
}

impl Scratch {
    /// Makes the directory, in memory where the machine has such a place: what is tested is what is computed.
    ///
    /// # Errors
    /// When no directory can be made.
    pub fn new(spec: &SpecFile) -> Result<Scratch, RunError> {
        let memory = Path::new("/dev/shm");
        let in_memory = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok()).flatten();
        let directory = match in_memory {
            Some(directory) => directory,
            None => tempfile::tempdir().map_err(|error| {
                RunError::new(RunErrorKind::Sink, format!("no scratch directory can be made: {error}"))
                    .with_hint("Make room in the temporary directory.")
            })?,
        };
        let plan = plan(spec, directory.path(), &mut Diagnostics::default())
            .ok_or_else(|| RunError::internal("a pipeline that was resolved before is not resolved again"))?;
        let base = plan.pipeline.base_dir.clone();
        Ok(Scratch { plan, directory, base })
    }

    /// The file of a delivery.
    ///
    /// # Errors
    /// When the source is not there, or the file cannot be written.
    pub fn file(&self, delivery: &Delivery) -> Result<PathBuf, RunError> {
        let usage = |message: String| RunError::new(RunErrorKind::Usage, message);
        let (text, header, samples) = match &delivery.content {
            Content::File(file) => return Ok(self.base.join(file)),
            Content::Records { text, header, samples } => (text, header, samples),
        };
        let stage = self.plan.stage(&delivery.source).map(|(_, stage)| stage);
        let Some(Planned::Source(source)) = stage.map(|stage| &stage.planned) else {
            return Err(usage(format!("the pipeline has no source `{}`", delivery.source))
                .with_hint("A delivery names the source stage that reads it."));
        };
        let stage_type = stage.map_or("", |stage| stage.type_name);
        let (content, default) = match stage_type {
            "vcf" => (records::vcf(text, header, samples), "vcf"),
            "gff3" => (records::gff3(text), "gff3"),
            _ => (records::plain(text), "tsv"),
        };
        // What a source reads may hang on the extension.
        let pattern = source.pattern().unwrap_or_default();
        let name = pattern.rsplit('/').next().unwrap_or_default();
        let extensions = name.split('.').skip(1).filter(|part| !matches!(*part, "gz" | "bgz"));
        let extension = extensions.last().filter(|part| part.chars().all(char::is_alphanumeric)).unwrap_or(default);
        let extension = if stage_type == "vcf" { default } else { extension };
        let path = self.directory.path().join(format!("delivered.{extension}"));
        fs::write(&path, content).map_err(|error| {
            RunError::new(RunErrorKind::Sink, format!("{} cannot be written: {error}", path.display()))
        })?;
        Ok(path)
    }
}
