//! From a pipeline file to a plan, or to all of its problems.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use vardelta_engine::{
    diagnostics::{Diagnostics, Located, located, render, render_advice},
    edge::secret,
    error::{RunError, RunErrorKind},
    plan::Plan,
    spec::SpecFile,
};
use vardelta_stages::REGISTRY;

use crate::{arguments::PipelineArguments, failure::Failure, output::Output};

/// Bytes of a pipeline file, at the most: what has more is something else.
const BYTES_MAX: u64 = 16 << 20;

/// Reads and resolves a pipeline file. Opens no data.
///
/// # Errors
/// When the file cannot be read, or has problems: then all of them at once.
pub fn load(arguments: &PipelineArguments, output: &Output) -> Result<Plan, Failure> {
    load_with_advice(arguments, output, &mut Vec::new()).map(|advised| advised.plan)
}

/// The same, with the file as it is written.
///
/// # Errors
/// As [`load`].
pub fn load_written(arguments: &PipelineArguments, output: &Output) -> Result<(Plan, SpecFile), Failure> {
    load_with_advice(arguments, output, &mut Vec::new()).map(|advised| (advised.plan, advised.spec))
}

/// A plan, and what is worth a thought about it.
pub struct Advised {
    /// The plan.
    pub plan: Plan,
    /// The file as it is written.
    pub spec: SpecFile,
    /// The advice, with its places.
    pub advice: Vec<Located>,
    /// The same as text.
    pub text: String,
}

/// As [`load`], with advice, and with the files that it was read from: the pipeline file and the fragments that were found.
///
/// # Errors
/// As [`load`].
pub fn load_with_advice(
    arguments: &PipelineArguments,
    output: &Output,
    files: &mut Vec<PathBuf>,
) -> Result<Advised, Failure> {
    let path = &arguments.pipeline;
    files.push(path.clone());
    check_overrides(&arguments.overrides)?;
    let text = read(path)?;
    let mut diagnostics = Diagnostics::default();
    let environment = |name: &str| std::env::var(name).ok();
    let spec = SpecFile::parse(path.clone(), text, &arguments.overrides, &environment, &mut diagnostics);
    files.extend(spec.fragments.iter().map(|fragment| fragment.path.clone()));
    match Plan::resolve(&spec, REGISTRY, &mut diagnostics) {
        Some(plan) if diagnostics.is_empty() => {
            let advice = diagnostics.take_advice();
            let (advice, text) = (located(&spec, &advice), render_advice(&spec, &advice, output.complains_in_color()));
            Ok(Advised { plan, spec, advice, text })
        }
        _ => {
            let sorted = diagnostics.into_sorted();
            Err(Failure::Invalid {
                text: render(&spec, &sorted, output.complains_in_color()),
                problems: located(&spec, &sorted),
            })
        }
    }
}

/// Refuses an override that is none.
///
/// # Errors
/// When one has no `=`. The parser of arguments does not look: it would say the whole value again, which may be a password.
pub fn check_overrides(overrides: &[String]) -> Result<(), RunError> {
    let Some(given) = overrides.iter().find(|given| !given.contains('=')) else { return Ok(()) };
    let shown = secret::without(given, &secret::unread_secrets(given));
    Err(RunError::new(RunErrorKind::Usage, format!("the override has no `=`: `--set {shown}`"))
        .with_hint("Write `--set stages.NAME.OPTION=VALUE`."))
}

/// The text of a pipeline file.
///
/// # Errors
/// When it is not there, not UTF-8, or cannot be read.
pub fn read(path: &Path) -> Result<String, RunError> {
    if let Ok(metadata) = fs::metadata(path)
        && metadata.len() > BYTES_MAX
    {
        let message =
            format!("the pipeline file `{}` has {} bytes, more than {BYTES_MAX}", path.display(), metadata.len());
        return Err(RunError::new(RunErrorKind::Pipeline, message)
            .with_hint("Name the pipeline's TOML file first; a drop (VCF) comes after it."));
    }
    fs::read_to_string(path).map_err(|error| {
        let shown = path.display();
        let pipeline = |message: String| RunError::new(RunErrorKind::Pipeline, message);
        match error.kind() {
            ErrorKind::NotFound => pipeline(format!("there is no pipeline file `{shown}`"))
                .with_hint("Name the pipeline's TOML file; `vardelta stages TYPE` shows a whole one."),
            ErrorKind::InvalidData => pipeline(format!("the pipeline file `{shown}` is not UTF-8 text"))
                .with_hint("Save it as UTF-8; a drop (VCF) comes after the pipeline file."),
            _ => pipeline(format!("the pipeline file `{shown}` cannot be read: {error}"))
                .with_hint("Name the pipeline's TOML file."),
        }
    })
}
