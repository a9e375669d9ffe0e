//! How a run ended: what its events add up to, once for everybody who hears of it.

use vardelta_engine::{
    error::RunErrorKind,
    event::RunEvent,
    report::{Action, DropReport, RunReport},
};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What it did, if it got that far.
    pub report: Option<RunReport>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Why a run failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The sort of error.
    pub kind: RunErrorKind,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Ended {
    /// What these events of a run add up to; `None` where it has not ended.
    pub fn of(events: &[RunEvent]) -> Option<Ended> {
        let (failure, seconds) = events.iter().rev().find_map(|event| match event {
            RunEvent::Finished { seconds } => Some((None, *seconds)),
            RunEvent::Failed { kind, message, hint, seconds } => {
                Some((Some(Failure { kind: *kind, message: message.clone(), hint: hint.clone() }), *seconds))
            }
            _ => None,
        })?;
        Some(Ended { report: RunReport::of(events), failure, seconds })
    }

    /// Whether somebody ended it, or asked for what makes no sense: nothing is wrong with the pipeline then.
    pub fn is_by_hand(&self) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|failure| matches!(failure.kind, RunErrorKind::Interrupted | RunErrorKind::Usage))
    }

    /// The report of a run that committed an epoch.
    pub fn committed(&self) -> Option<&RunReport> {
        self.report.as_ref().filter(|report| report.committed && self.failure.is_none())
    }

    /// The drops of which it committed what it read.
    pub fn read(&self) -> Vec<&DropReport> {
        let drops = self.committed().into_iter().flat_map(|report| &report.drops);
        drops.filter(|drop| drop.read > 0 && is_read(drop.action)).collect()
    }
}

/// Whether the records of a drop were read for this.
pub fn is_read(action: Action) -> bool {
    matches!(action, Action::Added | Action::Replaced | Action::Rebuilt)
}
