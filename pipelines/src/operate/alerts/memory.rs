//! What is known of alerts from run to run: a small file in the state's directory. It holds no word of a drop.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vardelta_engine::{plan::Plan, run::state_directory};
use vardelta_schemas::ledger::Epoch;

use super::{
    alert::{Alert, Verdict},
    slow::{PastRun, RUNS_KEPT},
};
use crate::operate::clock;

const FILE: &str = "alerts.json";

/// What is known from earlier runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// What is wrong, by the alert's name.
    pub firing: BTreeMap<String, Since>,
    /// What each channel got, by the channel's name.
    pub channels: BTreeMap<String, Told>,
    /// The last runs that read something, the oldest first.
    pub runs: Vec<PastRun>,
}

/// How long something has been wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Since {
    /// When it was seen first, UTC, RFC 3339.
    pub since: String,
}

/// What a channel got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// What it knows to be wrong, by the alert's name, since when.
    pub firing: BTreeMap<String, String>,
    /// The first epoch whose reclassified variants could not be sent to it.
    pub epoch_to_tell: Option<Epoch>,
    /// When something was sent to it last, in milliseconds since 1970.
    pub sent_at_ms: u64,
}

/// What began and what ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// What began.
    pub began: Vec<Alert>,
    /// What ended, with how long it was.
    pub ended: Vec<(Alert, Since)>,
}

impl Memory {
    /// Reads what is remembered; nothing where there is no such file, or one that cannot be read: then alerts that are
    /// firing are reported once more.
    pub fn read(plan: &Plan) -> Memory {
        let text = std::fs::read_to_string(state_directory(plan).join(FILE)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Replaces the file as a whole, where it says something else.
    ///
    /// # Errors
    /// When it cannot be written. Where the directory in which state directories lie has no parent, none is made: that would hide a
    /// mistaken path.
    pub fn write(&self, plan: &Plan) -> io::Result<()> {
        if *self == Memory::read(plan) {
            return Ok(());
        }
        let directory = state_directory(plan);
        if !directory.exists() && parent(&directory, 2).is_some_and(|parent| parent.exists()) {
            std::fs::create_dir_all(&directory)?;
        }
        let mut file = tempfile::Builder::new().prefix(".alerts").tempfile_in(&directory)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(directory.join(FILE)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Takes verdicts in, and yields what began and what ended by them.
    pub fn take(&mut self, verdicts: &BTreeMap<Alert, Verdict>) -> Changed {
        let mut changed = Changed::default();
        for (alert, verdict) in verdicts {
            match verdict {
                Verdict::Firing(_) => {
                    self.firing.entry(alert.name().to_owned()).or_insert_with(|| {
                        changed.began.push(*alert);
                        Since { since: clock::now() }
                    });
                }
                Verdict::Fine => changed.ended.extend(self.firing.remove(alert.name()).map(|since| (*alert, since))),
                Verdict::Unknown => {}
            }
        }
        changed
    }

    /// Remembers a run that read something.
    pub fn remember(&mut self, run: PastRun) {
        self.runs.push(run);
        let old = self.runs.len().saturating_sub(RUNS_KEPT);
        self.runs.drain(..old);
    }
}

/// The directory so many steps above; `.` where a relative path has no more.
fn parent(path: &Path, steps: usize) -> Option<PathBuf> {
    path.ancestors()
        .nth(steps)
        .map(|found| if found.as_os_str().is_empty() { Path::new(".") } else { found }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::alerts::alert::Detail;

    #[test]
    fn only_what_begins_and_ends_is_told() {
        let mut memory = Memory::default();
        let firing = || Verdict::Firing(Detail::plain("x".into()));
        let mut look = |verdict| {
            let changed = memory.take(&BTreeMap::from([(Alert::LowDisk, verdict)]));
            (changed.began.len(), changed.ended.len(), memory.clone())
        };
        let (began, ended, fine) = look(Verdict::Fine);
        assert_eq!((began, ended), (0, 0));
        let (began, ended, known) = look(firing());
        assert_eq!((began, ended), (1, 0));
        // What goes on is nothing new to remember: the file is not written at every look.
        assert_eq!(look(Verdict::Unknown), (0, 0, known.clone()));
        assert_eq!(look(firing()), (0, 0, known));
        assert_eq!(look(Verdict::Fine), (0, 1, fine.clone()));
        assert_eq!(look(Verdict::Fine), (0, 0, fine));
    }

    #[test]
    fn a_file_of_another_version_is_read_as_far_as_it_is_known() -> Result<(), serde_json::Error> {
        let memory: Memory = serde_json::from_str(r#"{"firing":{"odd":{"since":"x","times":1,"new":2}},"later":[]}"#)?;
        assert_eq!(memory.firing["odd"].since, "x");
        Ok(())
    }
}
