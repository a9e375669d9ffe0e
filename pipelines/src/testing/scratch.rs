//! The pipeline under test in a directory of its own, with a SQLite file as its sink.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use vardelta_engine::{
    contract::stage::Planned,
    diagnostics::Diagnostics,
    error::{RunError, RunErrorKind},
    plan::Plan,
    spec::SpecFile,
};
use vardelta_stages::REGISTRY;

use super::{
    answers::Answers,
    records,
    steps::{Content, Delivery},
};
use crate::set_aside;

/// Reads a pipeline file with `--set` and the variables of the environment. One that is not set and has no default is a text: a test needs
/// neither addresses nor passwords.
pub fn read(path: &Path, text: &str, overrides: &[String], diagnostics: &mut Diagnostics) -> SpecFile {
    let parse = |environment: &dyn Fn(&str) -> Option<String>, diagnostics: &mut Diagnostics| {
        SpecFile::parse(path.to_path_buf(), text.to_owned(), overrides, environment, diagnostics)
    };
    let set = |name: &str| std::env::var(name).ok();
    // Where there is a default an empty value gives way to it, so those that took one have none.
    let first = parse(&|name| Some(set(name).unwrap_or_default()), &mut Diagnostics::default());
    let without_default: BTreeSet<&str> = first.variables().collect();
    parse(&|name| set(name).or_else(|| without_default.contains(name).then(|| "unset".into())), diagnostics)
}

/// The plan of a pipeline file with its sink replaced by a SQLite file in `directory`; what SQLite does not have (partitions,
/// TLS) is left out.
pub fn plan(spec: &SpecFile, directory: &Path, problems: &mut Diagnostics) -> Option<Plan> {
    let mut spec = spec.clone();
    for mut stage in set_aside::stages(&mut spec).into_iter().filter(set_aside::Written::is_sink) {
        stage.become_sqlite(directory);
    }
    let mut plan = Plan::resolve(&spec, REGISTRY, problems)?;
    plan.pipeline.state_dir = Some(directory.join("state"));
    Some(plan)
}

/// The pipeline, planned once for all tests of its file, and where it keeps what a test loads.
pub struct Scratch {
    /// The plan.
    pub plan: Plan,
    /// What its look-ups are answered.
    pub answers: Answers,
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
        let mut plan = plan(spec, directory.path(), &mut Diagnostics::default())
            .ok_or_else(|| RunError::internal("a pipeline that was resolved before is not resolved again"))?;
        let base = plan.pipeline.base_dir.clone();
        let answers = Answers::default();
        answers.stand_in(&mut plan);
        Ok(Scratch { plan, answers, directory, base })
    }

    /// Forgets what the test before has loaded and was answered.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clear(&self) -> Result<(), RunError> {
        self.answers.clear();
        let remove = |path: &Path| match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
        let removed = fs::read_dir(self.directory.path())
            .and_then(|mut entries| entries.try_for_each(|entry| remove(&entry?.path())));
        removed.map_err(|error| {
            RunError::new(RunErrorKind::Sink, format!("a scratch directory cannot be emptied: {error}"))
        })
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
