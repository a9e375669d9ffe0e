//! What `run`, `withdraw` and `rebuild` share: watching, interrupting, and the closing report.

use std::path::Path;

use vardelta_engine::{
    error::{RunError, RunErrorKind},
    failpoint,
    plan::Plan,
    report::RunReport,
    run::{Context, RunOptions},
};

use crate::{
    arguments::ExecutionArguments,
    changes::{ChangeCollector, Form},
    failure::Failure,
    interrupt,
    output::Output,
    progress::ProgressLines,
    rejects_file::RejectsFile,
    report,
    watcher::Watcher,
};

/// Changed rows of a table that are listed, at the most; beyond it they are only counted.
const ROWS_LISTED: u64 = 20;
/// The same with `-v`.
const ROWS_LISTED_VERBOSE: u64 = 1_000;

/// The engine's options of how a run is carried out.
pub fn options(arguments: &ExecutionArguments) -> RunOptions {
    RunOptions { workers: arguments.workers.map(usize::from), dry_run: arguments.dry_run, ..RunOptions::default() }
}

/// Carries a run out and reports it.
///
/// # Errors
/// Those of the run.
pub fn execute(
    output: &mut Output,
    plan: &Plan,
    arguments: &ExecutionArguments,
    work: impl FnOnce(Context<'_>) -> Result<RunReport, RunError>,
) -> Result<u8, Failure> {
    let rejects = arguments.rejects.as_deref().map(|path| rejects_file(path, output)).transpose()?;
    let (form, limit) = match (output.is_json(), arguments.dry_run) {
        (true, true) => (Form::Json, None),
        (false, true) if !output.is_quiet() => (Form::Text, None),
        (false, false) if !output.is_quiet() => {
            (Form::Text, Some(if output.is_verbose() { ROWS_LISTED_VERBOSE } else { ROWS_LISTED }))
        }
        // Nobody is going to see them.
        _ => (Form::Text, Some(0)),
    };
    let mut watcher = Watcher {
        progress: output.shows_progress().then(ProgressLines::new),
        changes: ChangeCollector::new(form, limit),
        rejects,
    };
    let abort = interrupt::watch();
    output.follow(&abort);
    let result = work(Context { plan, abort: &abort, observer: &watcher });
    // The progress lines are gone before anything is reported.
    watcher.progress = None;
    // Of a run that ended otherwise the list may lack records: what stood there before stays.
    let is_whole = !matches!(&result, Err(error) if error.kind != RunErrorKind::RejectShare);
    if let Some(rejects) = watcher.rejects.take().filter(|_| is_whole) {
        rejects.finish()?;
    }
    let report = result?;
    failpoint::hit("report:begin");
    if output.is_json() {
        write_json(output, &report, &watcher.changes)?;
    } else if output.is_quiet() {
        report.notices.iter().for_each(|notice| output.complain(&format!("notice: {notice}")));
    } else {
        let (head, tail) = report::run_report(&report, output.is_verbose());
        output.text(&head)?;
        watcher.changes.write_text(output)?;
        output.text(&tail)?;
    }
    Ok(0)
}

/// Carries out what shows no rows: those of a drop that is being forgotten are nobody's to see.
///
/// # Errors
/// Those of the work.
pub fn unlisted<T>(
    output: &mut Output,
    plan: &Plan,
    work: impl FnOnce(Context<'_>) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let watcher = Watcher {
        progress: output.shows_progress().then(ProgressLines::new),
        changes: ChangeCollector::new(Form::Text, Some(0)),
        rejects: None,
    };
    let abort = interrupt::watch();
    output.follow(&abort);
    work(Context { plan, abort: &abort, observer: &watcher })
}

/// The file that `--rejects` names; nothing else may go where it goes.
fn rejects_file(path: &Path, output: &Output) -> Result<RejectsFile, RunError> {
    if path == Path::new("-") && (output.is_json() || !output.is_quiet()) {
        return Err(RunError::new(
            RunErrorKind::Usage,
            "`--rejects -` writes to standard output, where the report goes too",
        )
        .with_hint("Name a file, or leave the report out with --quiet and without --json."));
    }
    RejectsFile::create(path)
}

/// The report as one JSON object; a dry run's has the row changes too, which are not held in memory.
fn write_json(output: &mut Output, report: &RunReport, changes: &ChangeCollector) -> Result<(), RunError> {
    if !report.dry_run {
        return output.json(report);
    }
    let text = serde_json::to_string(report)
        .map_err(|error| RunError::internal(format!("the report cannot be written as JSON: {error}")))?;
    let open = text.strip_suffix('}').unwrap_or(&text);
    output.text(&format!("{open},\"changes\":"))?;
    changes.write_json(report.tables.iter().map(|table| table.name.as_str()), output)?;
    output.text("}\n")
}
