//! Loads that are killed at random moments, and the proof that they were: a test in which every kill came too late would
//! pass.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    time::Duration,
};

use crate::random::from_environment;

/// Kills over all databases; `VARDELTA_KILLS` says another number.
const KILLS: u64 = 60;
/// SQLite, MariaDB, MySQL.
const DATABASES: u64 = 3;

/// How many loads a test over one database kills.
pub fn per_database() -> usize {
    from_environment("VARDELTA_KILLS", KILLS).div_ceil(DATABASES) as usize
}

/// What the kills of one test hit.
#[derive(Default)]
pub struct Deaths {
    /// By the last step that a killed load came by.
    by_step: BTreeMap<String, usize>,
    /// Loads that had ended before they could be killed.
    too_late: usize,
}

impl Deaths {
    /// Starts a load and kills it after a while.
    pub fn kill(&mut self, mut command: Command, moment: Duration) {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        command.env("VARDELTA_FAILPOINT_LOG", log.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        std::thread::sleep(moment);
        let has_ended = child.try_wait().expect("a child can be waited for").is_some();
        let _ = child.kill();
        let _ = child.wait();
        if has_ended {
            self.too_late += 1;
            return;
        }
        let steps = std::fs::read_to_string(log.path()).expect("the steps are text");
        let last = steps.lines().last().unwrap_or("before the first step").to_owned();
        *self.by_step.entry(last).or_default() += 1;
    }

    /// Panics unless a good part of the loads died, and at different steps.
    #[track_caller]
    pub fn have_hit(&self) {
        let died: usize = self.by_step.values().sum();
        let all = died + self.too_late;
        eprintln!("{died} of {all} loads were killed before they ended, after these steps: {:?}", self.by_step);
        assert!(died >= all / 3, "only {died} of {all} loads were killed before they ended");
        assert!(self.by_step.len() >= 3.min(all), "the kills hit these steps alone: {:?}", self.by_step);
    }
}
