//! The alerts there are.

use vardelta_engine::plan::Severity;

/// An alert: something that is wrong, or is not. docs/operate.md lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alert {
    /// The last run failed.
    RunFailed,
    /// `watch` cannot load anything: the database is away, or another run has the lock.
    CannotLoad,
    /// A disk has too little room.
    LowDisk,
    /// A drop had too many rejects.
    RejectShare,
    /// Nothing was committed for too long.
    StaleTables,
    /// A run took much longer than those before it.
    SlowRun,
    /// A service leaves too many looked-up keys without an answer.
    LookupDegraded,
    /// Files use words that vardelta does not know.
    UnknownVocabulary,
}

impl Alert {
    /// All of them, the worst first.
    pub const ALL: [Alert; 8] = [
        Alert::RunFailed,
        Alert::CannotLoad,
        Alert::LowDisk,
        Alert::RejectShare,
        Alert::StaleTables,
        Alert::SlowRun,
        Alert::LookupDegraded,
        Alert::UnknownVocabulary,
    ];

    /// Its name in messages, the log and the memory.
    pub fn name(self) -> &'static str {
        match self {
            Alert::RunFailed => "run_failed",
            Alert::CannotLoad => "cannot_load",
            Alert::LowDisk => "low_disk",
            Alert::RejectShare => "reject_share",
            Alert::StaleTables => "stale_tables",
            Alert::SlowRun => "slow_run",
            Alert::LookupDegraded => "lookup_degraded",
            Alert::UnknownVocabulary => "unknown_vocabulary",
        }
    }

    /// The alert of this name; `None` where an older or newer vardelta had one.
    pub fn named(name: &str) -> Option<Alert> {
        Alert::ALL.into_iter().find(|alert| alert.name() == name)
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Alert::RunFailed | Alert::CannotLoad | Alert::LowDisk => Severity::Critical,
            _ => Severity::Warning,
        }
    }
}

/// What one look says of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something is wrong.
    Firing(Detail),
    /// Nothing is.
    Fine,
    /// Nobody can tell from here: it stays as it was.
    Unknown,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// In words that name no file, drop or value.
    pub bare: String,
    /// In words that may.
    pub whole: String,
}

impl Detail {
    /// Words that name nothing of a file.
    pub fn plain(text: String) -> Detail {
        Detail { bare: text.clone(), whole: text }
    }

    /// The words that may be sent.
    pub fn said(&self, redact: bool) -> &str {
        if redact { &self.bare } else { &self.whole }
    }
}
