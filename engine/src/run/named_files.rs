//! The files that a run looks at, and what the drops in them are called.

use std::{io, path::Path};

use crossbeam_channel::RecvTimeoutError;
use vardelta_schemas::ledger::Snapshot;

use crate::{
    abort::Abort,
    contract::{
        source::{Discovered, InputFile, Source},
        stage::Planned,
    },
    epoch::{open::state_directory, scratch::Scratch},
    error::{FileAtFault, RunError, RunErrorKind},
    flow::feed::PATIENCE,
    path_text::to_text,
    plan::{Plan, StageIndex, source},
    run::RunOptions,
    suggest::nearest,
};

/// A file that may be a drop, and what that would be called.
pub(super) struct NamedFile {
    /// The source stage.
    pub source: StageIndex,
    /// The drop's name.
    pub name: String,
    /// The file to read.
    pub file: InputFile,
    /// The path to remember; `-` for standard input.
    pub recorded_path: String,
}

/// What came from standard input, and the directory that holds it; both go when this is dropped.
pub(super) struct Spooled {
    _file: tempfile::NamedTempFile,
    _directory: Scratch,
}

fn sources(plan: &Plan) -> Vec<StageIndex> {
    plan.stages.places_where(|stage| matches!(stage.planned, Planned::Source(_))).collect()
}

/// The files that the sources find, as far as the run is about them.
pub(super) fn discovered(
    plan: &Plan,
    options: &RunOptions,
    ledger: &Snapshot,
    notices: &mut Vec<String>,
) -> Result<Vec<NamedFile>, RunError> {
    let mut files = Vec::new();
    for at in sources(plan) {
        let (discovered, stage) = (source(plan, at)?, &plan.stages[at].name);
        let Discovered { paths, notices: of_source, .. } =
            discovered.discover().map_err(|error| RunError::stage(stage, error))?;
        // Whoever says which files are meant has looked around already.
        let is_whole = options.among.is_none();
        notices.extend(of_source.iter().filter(|_| is_whole).map(|notice| format!("source `{stage}`: {notice}")));
        if discovered.pattern().is_none() && is_whole {
            notices.push(format!("source `{stage}` has no path: name its files on the command line"));
        }
        for path in paths {
            if options.among.as_ref().is_some_and(|among| !among.contains(&(stage.clone(), path.clone()))) {
                continue;
            }
            let recorded_path = recorded(plan, &path);
            let name = discovered
                .drop_name(&path)
                .map_err(|error| RunError::stage(stage, error).while_reading(stage, &path))?;
            let known = discovered.names_by_rule().then(|| known_as(ledger, stage, &name, &recorded_path)).flatten();
            if let Some(known) = known {
                notices.push(format!(
                    "{recorded_path} stays drop `{known}`, under which name it was loaded: withdraw that to have it named \
                     `{name}`"
                ));
            }
            let name = known.map_or(name, str::to_owned);
            files.push(NamedFile { source: at, name, file: InputFile::at(path), recorded_path });
        }
    }
    Ok(files)
}

/// The files that the command line names.
pub(super) fn given(
    plan: &Plan,
    abort: &Abort,
    options: &RunOptions,
    ledger: &Snapshot,
    spooled: &mut Option<Spooled>,
) -> Result<Vec<NamedFile>, RunError> {
    let at = into(plan, options, &sources(plan))?;
    if options.name.is_some() && options.files.len() > 1 {
        return Err(RunError::new(RunErrorKind::Usage, "`--as` names one drop, but several files are given")
            .with_hint("Load the files one by one, or let each be named after its file."));
    }
    let mut files = Vec::new();
    for path in &options.files {
        let (file, recorded_path, default) = if path == Path::new("-") {
            let directory = Scratch::new(&state_directory(plan), options.access())?;
            let copy = spool(abort, directory.path())?;
            // Who runs the command knows nothing of the file that holds it.
            let file = InputFile { path: copy.path().to_path_buf(), shown: "standard input".into() };
            *spooled = Some(Spooled { _file: copy, _directory: directory });
            (file, "-".to_owned(), "stdin".to_owned())
        } else {
            let source = source(plan, at)?;
            let recorded_path = recorded(plan, path);
            if !ledger.drops.iter().any(|drop| drop.path == recorded_path) {
                refuse_by_product(source, path)?;
            }
            let name = match &options.name {
                Some(name) => Ok(name.clone()),
                None => source.drop_name(path),
            };
            let name = name.map_err(|error| RunError::stage(&plan.stages[at].name, error))?;
            (InputFile::at(path), recorded_path, name)
        };
        files.push(NamedFile { source: at, name: options.name.clone().unwrap_or(default), file, recorded_path });
    }
    Ok(files)
}

/// Refuses drops without a name and, of files in order of name, two of one name.
pub(super) fn check_names(plan: &Plan, files: &[NamedFile]) -> Result<(), RunError> {
    let at_fault = |file: &NamedFile| [FileAtFault::new(&plan.stages[file.source].name, &file.file.path)];
    if let Some(file) = files.iter().find(|file| file.name.trim().is_empty()) {
        return Err(input(format!("{} would be a drop without a name", file.recorded_path))
            .with_hint("Rename it, or load it by itself with `--as NAME`.")
            .about(at_fault(file)));
    }
    let same = |pair: &&[NamedFile]| (pair[0].source, &pair[0].name) == (pair[1].source, &pair[1].name);
    if let Some([first, second]) = files.windows(2).find(same) {
        let (first_path, second_path) = (&first.recorded_path, &second.recorded_path);
        return Err(input(format!("{first_path} and {second_path} would both be drop `{}`", first.name))
            .with_hint(
                "Rename one of them, load it by itself with `--as NAME`, or let the source name drops by their folders too: \
                 `drop_name = \"{parent}_{stem}\"`.",
            )
            .about(at_fault(second)));
    }
    Ok(())
}

/// Whether a run is given no file, and no source finds one: then there is nothing to make a database for. Of a pipeline that has a
/// state nobody asks.
pub(super) fn finds_nothing(plan: &Plan, options: &RunOptions) -> Result<bool, RunError> {
    if !options.files.is_empty() || state_directory(plan).exists() {
        return Ok(false);
    }
    for (at, stage) in plan.stages.indexed() {
        if matches!(stage.planned, Planned::Source(_)) {
            let found = source(plan, at)?.discover().map_err(|error| RunError::stage(&stage.name, error))?;
            if !found.paths.is_empty() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn into(plan: &Plan, options: &RunOptions, sources: &[StageIndex]) -> Result<StageIndex, RunError> {
    let names = || sources.iter().map(|at| plan.stages[*at].name.as_str());
    let list = || names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (&options.into, sources) {
        (None, [at]) => Ok(*at),
        (None, _) => Err(RunError::new(RunErrorKind::Usage, format!("the pipeline has several sources: {}", list()))
            .with_hint("Say which one the files go to with `--into STAGE`.")),
        (Some(name), _) => sources.iter().copied().find(|at| plan.stages[*at].name == *name).ok_or_else(|| {
            let error = RunError::new(RunErrorKind::Usage, format!("the pipeline has no source `{name}`"));
            match nearest(name, names()) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint(format!("Its sources are {}.", list())),
            }
        }),
    }
}

/// The name under which the ledger has the file of a path, if that is another than its source gives it now.
fn known_as<'a>(ledger: &'a Snapshot, stage: &str, name: &str, recorded: &str) -> Option<&'a str> {
    let of_source = || ledger.drops.iter().filter(|drop| drop.source == stage);
    if of_source().any(|drop| drop.name == name) {
        return None;
    }
    of_source().filter(|drop| drop.path == recorded).map(|drop| drop.name.as_str()).next_back()
}

/// A file that is named on the command line and cannot be a drop.
fn refuse_by_product(source: &dyn Source, path: &Path) -> Result<(), RunError> {
    match source.by_product(path) {
        None => Ok(()),
        Some(what) => Err(input(format!("{} is no drop by its name ({what}); nothing was written", to_text(path)))
            .with_hint("Name the file that it belongs to; if it is a whole file of records, rename it first.")),
    }
}

/// The path that the ledger remembers: from the pipeline file's directory where it lies below that, so that the whole may be moved.
pub(super) fn recorded(plan: &Plan, path: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let (base, file) = (absolute(&plan.pipeline.base_dir), absolute(path));
    if let Ok(inside) = file.strip_prefix(&base) {
        return to_text(inside);
    }
    // Another way to the same folder; a link that is the file itself stays what it is.
    let real = file.parent().and_then(|folder| Some(folder.canonicalize().ok()?.join(file.file_name()?)));
    let inside = real.and_then(|real| Some(real.strip_prefix(base.canonicalize().ok()?).ok()?.to_path_buf()));
    to_text(inside.unwrap_or(file))
}

/// Copies standard input to a file: it is read more than once. A thread waits for the input, so that the run can be ended
/// meanwhile.
fn spool(abort: &Abort, directory: &Path) -> Result<tempfile::NamedTempFile, RunError> {
    let directory = directory.to_owned();
    let copy = move || -> io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        io::copy(&mut io::stdin().lock(), file.as_file_mut())?;
        Ok(file)
    };
    let (sender, receiver) = crossbeam_channel::bounded(1);
    std::thread::spawn(move || sender.send(copy()));
    loop {
        abort.check()?;
        match receiver.recv_timeout(PATIENCE) {
            Ok(copied) => {
                return copied.map_err(|error| {
                    input(format!("standard input cannot be kept in a temporary file: {error}"))
                        .with_hint("Check the room in the state directory, or give the file by its path.")
                });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(RunError::internal("standard input was not copied")),
        }
    }
}

pub(super) fn input(message: String) -> RunError {
    RunError::new(RunErrorKind::Input, message)
}
