//! What `run`, `withdraw` and `rebuild` share: watching, interrupting, and the closing report.

use std::{path::Path, sync::Arc};

use vardelta_engine::{
    error::{RunError, RunErrorKind},
    failpoint,
    plan::{LogForm, Plan},
    report::RunReport,
    run::{Context, RunOptions},
};

use crate::{
    arguments::ExecutionArguments,
    changes::{ChangeCollector, Form},
    changes_file::ChangesFile,
    failure::Failure,
    interrupt,
    operate::{log::LogWriter, telling::Telling},
    output::Output,
    progress::Live,
    rejects_file::RejectsFile,
    report::{self, grouped},
    trace_file::TraceFile,
    watcher::{Listener, Watcher},
};

/// Changed rows of a table that are listed, at the most; beyond it they are only counted.
const ROWS_LISTED: u64 = 20;
/// Changed rows of a table that the JSON of a dry run lists.
const ROWS_LISTED_JSON: u64 = 1_000;
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
    execute_beside(output, plan, arguments, Beside::default(), work)
}

/// Who else wants to know of a run while it is under way.
#[derive(Default)]
pub struct Beside {
    /// Hears of every event.
    pub listener: Option<Listener>,
    /// Takes what the threads do when.
    pub trace: Option<TraceFile>,
    /// Whether a loop goes on after it, and knows better when what went wrong is over.
    pub is_in_loop: bool,
}

/// The same, with these beside it.
///
/// # Errors
/// Those of the run.
pub fn execute_beside(
    output: &mut Output,
    plan: &Plan,
    arguments: &ExecutionArguments,
    beside: Beside,
    work: impl FnOnce(Context<'_>) -> Result<RunReport, RunError>,
) -> Result<u8, Failure> {
    let rejects = arguments.rejects.as_deref().map(|path| rejects_file(path, plan, output)).transpose()?;
    let all_changes = arguments.changes.as_deref().map(|path| changes_file(path, plan, output)).transpose()?;
    let (form, limit) = match (output.is_json(), arguments.dry_run) {
        (true, true) => (Form::Json, Some(ROWS_LISTED_JSON)),
        (false, true) if !output.is_quiet() => (Form::Text, None),
        (false, false) if !output.is_quiet() => {
            (Form::Text, Some(if output.is_verbose() { ROWS_LISTED_VERBOSE } else { ROWS_LISTED }))
        }
        // Nobody is going to see them.
        _ => (Form::Text, Some(0)),
    };
    let log = log_of(output, plan);
    let mut watcher = Watcher {
        telling: Telling::new(plan, log.clone()),
        listener: beside.listener,
        progress: Live::start(output.progress()),
        changes: ChangeCollector::new(form, limit),
        all_changes,
        rejects,
        trace: beside.trace,
    };
    let abort = interrupt::watch();
    output.follow(&abort);
    let result = work(Context { plan, abort: &abort, observer: &watcher });
    // The progress lines are gone before anything is reported.
    watcher.progress = None;
    // A run that reaches nobody is done all the same.
    let telling = std::mem::take(&mut watcher.telling);
    let lines = if arguments.dry_run { Vec::new() } else { telling.publish(plan, beside.is_in_loop) };
    lines.iter().for_each(|line| output.complain(line));
    // Of a run that ended otherwise the list may lack records: what was there before stays.
    let is_whole = !matches!(&result, Err(error) if error.kind != RunErrorKind::RejectShare);
    if let Some(rejects) = watcher.rejects.take().filter(|_| is_whole) {
        rejects.finish()?;
    }
    let report = result?;
    failpoint::hit("report:begin");
    if let Some(changes) = watcher.all_changes.take() {
        changes.finish()?;
    }
    if let Some(trace) = watcher.trace.take() {
        trace.finish()?;
    }
    // Reports of several pipelines of one process come one after the other.
    let _alone = output.alone();
    if output.is_json() {
        write_json(output, &report, &watcher.changes)?;
    } else if output.is_quiet() && log.is_none() {
        report.notices.iter().for_each(|notice| output.complain(&format!("notice: {notice}")));
    } else if !output.is_quiet() {
        let (head, tail) = report::run_report(&report, output.is_verbose());
        output.text(&head)?;
        watcher.changes.write_text(output)?;
        output.text(&tail)?;
    }
    output.finish()?;
    Ok(0)
}

/// The log of this command, where the pipeline wants one for programs.
fn log_of(output: &mut Output, plan: &Plan) -> Option<Arc<LogWriter>> {
    if plan.operate.log != LogForm::Json {
        return None;
    }
    let log = Arc::new(LogWriter::new(plan));
    output.log_to(Arc::clone(&log));
    Some(log)
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
    let watcher = Watcher::without_rows(Live::start(output.progress()));
    let abort = interrupt::watch();
    output.follow(&abort);
    work(Context { plan, abort: &abort, observer: &watcher })
}

/// The file that `--rejects` names; nothing else may go where it goes.
fn rejects_file(path: &Path, plan: &Plan, output: &Output) -> Result<RejectsFile, RunError> {
    if path == Path::new("-") && (output.is_json() || !output.is_quiet()) {
        return Err(RunError::new(
            RunErrorKind::Usage,
            "`--rejects -` writes to standard output, where the report goes too",
        )
        .with_hint("Name a file, or leave the report out with --quiet and without --json."));
    }
    RejectsFile::create(path, plan)
}

/// The file that `--changes` names; nothing else may go where it goes.
fn changes_file(path: &Path, plan: &Plan, output: &Output) -> Result<ChangesFile, RunError> {
    if path == Path::new("-") && (output.is_json() || !output.is_quiet()) {
        return Err(RunError::new(
            RunErrorKind::Usage,
            "`--changes -` writes to standard output, where the report goes too",
        )
        .with_hint("Name a file, or leave the report out with --quiet and without --json."));
    }
    ChangesFile::create(path, plan)
}

/// The report as one JSON object; a dry run's has the first row changes of each table too, which are not held in memory, and
/// says of how many rows they are the first.
fn write_json(output: &mut Output, report: &RunReport, changes: &ChangeCollector) -> Result<(), RunError> {
    if !report.dry_run {
        return output.json(report);
    }
    let (mut report, mut omitted) = (report.clone(), serde_json::Map::new());
    for (table, listed, all) in changes.cut() {
        report.notices.push(format!(
            "table `{table}`: the first {} of {} changed rows are listed; `--changes FILE` writes them all",
            grouped(listed),
            grouped(all)
        ));
        omitted.insert(table, (all - listed).into());
    }
    let text = serde_json::to_string(&report)
        .map_err(|error| RunError::internal(format!("the report cannot be written as JSON: {error}")))?;
    let open = text.strip_suffix('}').unwrap_or(&text);
    output.json_text(&format!("{open},\"changes_omitted\":{},\"changes\":", serde_json::Value::from(omitted)))?;
    changes.write_json(report.tables.iter().map(|table| table.name.as_str()), output)?;
    output.json_text("}\n")
}
