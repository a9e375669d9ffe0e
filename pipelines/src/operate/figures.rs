//! How long runs took, and where the time went: the ledger does not say it, so every run that commits or fails leaves a line
//! beside the state, for the page and for `vardelta report`.
//!
//! `runs/figures.ndjson` in the state's folder has numbers and names of stages alone, nothing of a drop: what is erased is not
//! in it. It is written from what happened as log and metrics are, and may be deleted at any time.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vardelta_engine::{clock, error::RunErrorKind, plan::Plan, report::TimeReport, run::state_directory};
use vardelta_schemas::ledger::Epoch;

use crate::operate::{clock::now_s, ended::Ended};

/// The file's size at which the older half of it goes.
const BYTES_MAX: u64 = 4 << 20;

/// What is kept of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// When it ended, UTC, RFC 3339.
    pub ended_at: String,
    /// The epoch that it made; none for one that failed.
    pub epoch: Option<Epoch>,
    /// The sort of error that ended it.
    pub failed: Option<String>,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// Worker threads.
    pub workers: usize,
    /// Its stages, in the order of the plan.
    pub stages: Vec<StageFigures>,
    /// The threads that read files, by source.
    pub readers: Vec<StageFigures>,
    /// Seconds of committing.
    pub commit_s: f64,
    /// When committing began and ended, as for stages.
    #[serde(default)]
    pub commit_spell_s: Option<(f64, f64)>,
}

/// What one stage did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageFigures {
    /// Its name.
    pub name: String,
    /// Rows that it took in; of readers, chunks.
    pub rows_in: u64,
    /// Rows that it gave out.
    pub rows_out: u64,
    /// Seconds of work, summed over threads.
    pub seconds: f64,
    /// Seconds of waiting, summed over threads.
    pub wait_s: f64,
    /// When its first batch began and its last one ended, in seconds since the run began to read; none where it had no rows, and
    /// in figures of before this was kept.
    #[serde(default)]
    pub spell_s: Option<(f64, f64)>,
}

impl StageFigures {
    fn new(name: &str, rows_in: u64, rows_out: u64, times: &TimeReport) -> StageFigures {
        let TimeReport { seconds, wait_s, spell_s, .. } = *times;
        StageFigures { name: name.to_owned(), rows_in, rows_out, seconds, wait_s, spell_s }
    }
}

/// The figures of a run; `None` of one that did nothing.
fn figures(ended: &Ended) -> Option<Figures> {
    let Ended { report, failure, seconds } = ended;
    if failure.is_none() && !report.as_ref().is_some_and(|report| report.committed) {
        return None;
    }
    let mut figures = Figures {
        ended_at: clock::utc(now_s()),
        failed: failure.as_ref().map(|failure| failure.kind.as_str().to_owned()),
        seconds: *seconds,
        ..Figures::default()
    };
    if let Some(report) = report {
        figures.epoch = report.committed.then_some(report.epoch);
        (figures.workers, figures.commit_s) = (report.workers, report.commit.seconds);
        figures.commit_spell_s = report.commit.spell_s;
        let stages = report.stages.iter();
        figures.stages =
            stages.map(|stage| StageFigures::new(&stage.name, stage.rows_in, stage.rows_out, &stage.times)).collect();
        let readers = report.readers.iter();
        figures.readers =
            readers.map(|reader| StageFigures::new(&reader.name, reader.chunks, 0, &reader.times)).collect();
    }
    Some(figures)
}

/// Keeps the figures of a run beside the state, where there is one.
///
/// # Errors
/// When they cannot be written. That is no failure of the run.
pub fn keep(plan: &Plan, ended: &Ended) -> io::Result<()> {
    let state = state_directory(plan);
    match figures(ended) {
        Some(figures) if state.is_dir() => append(&place(&state), &figures),
        _ => Ok(()),
    }
}

/// The figures that are kept of a pipeline's runs, the oldest first. What cannot be read is as if it were not there.
pub fn kept(plan: &Plan) -> Vec<Figures> {
    let text = fs::read(place(&state_directory(plan))).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Whether the last of these runs ended well that says something of the pipeline: somebody's interruption does not, nor a bad file, which
/// `watch` sets aside. `None` where none does.
pub fn ended_well(kept: &[Figures]) -> Option<bool> {
    let tells_nothing =
        [RunErrorKind::Input, RunErrorKind::RejectShare, RunErrorKind::Interrupted, RunErrorKind::Usage]
            .map(RunErrorKind::as_str);
    let failed = kept.iter().rev().map(|run| run.failed.as_deref());
    failed
        .filter(|failed| failed.is_none_or(|kind| !tells_nothing.contains(&kind)))
        .map(|failed| failed.is_none())
        .next()
}

fn place(state: &Path) -> PathBuf {
    state.join("runs").join("figures.ndjson")
}

/// Adds a line; of a file that has grown too long the newer half stays.
fn append(path: &Path, figures: &Figures) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut line = serde_json::to_vec(figures).map_err(io::Error::other)?;
    line.push(b'\n');
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > BYTES_MAX => {
            let old = fs::read(path)?;
            let half = &old[old.len() / 2..];
            let begin = half.iter().position(|byte| *byte == b'\n').map_or(half.len(), |at| at + 1);
            let mut file = tempfile::Builder::new().prefix(".figures").tempfile_in(folder)?;
            file.write_all(&half[begin..])?;
            file.persist(path).map_err(|error| error.error)?;
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // One write, so that lines of two runs do not mix.
    OpenOptions::new().create(true).append(true).open(path)?.write_all(&line)
}

#[cfg(test)]
mod tests {
    use vardelta_engine::{error::RunError, event::RunEvent, report::StageReport};

    use super::*;

    fn started() -> Vec<RunEvent> {
        vec![RunEvent::Started { pipeline: "p".into(), epoch: Epoch::new(3), workers: 2, dry_run: false }]
    }

    fn of(events: &[RunEvent]) -> Option<Figures> {
        figures(&Ended::of(events)?)
    }

    #[test]
    fn a_run_that_did_nothing_leaves_nothing() {
        let mut run = started();
        run.push(RunEvent::Finished { seconds: 1.0 });
        assert_eq!(of(&run), None);
    }

    #[test]
    fn the_last_run_that_says_something_of_the_pipeline_counts() {
        let of = |kinds: &[Option<RunErrorKind>]| {
            let run = |kind: &Option<RunErrorKind>| Figures {
                failed: kind.map(|kind| kind.as_str().to_owned()),
                ..Figures::default()
            };
            ended_well(&kinds.iter().map(run).collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[Some(RunErrorKind::Input)]), None);
        assert_eq!(of(&[Some(RunErrorKind::Sink), None]), Some(true));
        assert_eq!(of(&[None, Some(RunErrorKind::Sink)]), Some(false));
        assert_eq!(of(&[None, Some(RunErrorKind::Sink), Some(RunErrorKind::Interrupted)]), Some(false));
        assert_eq!(of(&[None, Some(RunErrorKind::RejectShare), Some(RunErrorKind::Input)]), Some(true));
    }

    #[test]
    fn commits_and_failures_leave_their_figures() -> io::Result<()> {
        let mut run = started();
        let times = TimeReport { seconds: 1.5, wait_s: 0.5, spell_s: Some((0.25, 2.0)), ..TimeReport::default() };
        run.push(RunEvent::Stage(StageReport { name: "s".into(), rows_in: 9, rows_out: 8, times: times.clone() }));
        run.push(RunEvent::Committed { epoch: Epoch::new(4), retries: 0, rows_ahead: 0, times });
        run.push(RunEvent::Finished { seconds: 2.5 });
        let kept = of(&run).ok_or(ErrorKind::NotFound)?;
        assert_eq!((kept.epoch, kept.seconds, kept.workers, kept.commit_s), (Some(Epoch::new(4)), 2.5, 2, 1.5));
        let spell_s = Some((0.25, 2.0));
        let stage = StageFigures { name: "s".into(), rows_in: 9, rows_out: 8, seconds: 1.5, wait_s: 0.5, spell_s };
        assert_eq!((&kept.stages[..], kept.commit_spell_s), (&[stage][..], spell_s));
        let old = r#"{"name":"s","rows_in":9,"rows_out":8,"seconds":1.5,"wait_s":0.5}"#;
        assert_eq!(serde_json::from_str::<StageFigures>(old)?.spell_s, None);
        let failed = [RunEvent::failed(&RunError::new(RunErrorKind::Sink, "drop x"), 0.5)];
        let failed = of(&failed).ok_or(ErrorKind::NotFound)?;
        assert_eq!((failed.epoch, failed.failed.is_some(), failed.seconds), (None, true, 0.5));

        let folder = tempfile::tempdir()?;
        let path = place(folder.path());
        append(&path, &kept)?;
        append(&path, &failed)?;
        let text = fs::read_to_string(&path)?;
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains("drop x"));
        fs::write(&path, text.repeat(2 + BYTES_MAX as usize / text.len()))?;
        append(&path, &kept)?;
        let text = fs::read_to_string(&path)?;
        assert!(
            text.len() as u64 <= BYTES_MAX && text.lines().all(|line| serde_json::from_str::<Figures>(line).is_ok())
        );
        Ok(())
    }
}
