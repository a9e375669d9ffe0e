//! Alerts between two loads: a disk fills up, tables grow old and a database is away also where no file comes.

use std::time::{Duration, Instant};

use vardelta_engine::plan::Plan;

use crate::{
    live::Trouble,
    operate::{
        alerts::{self, InLoop, Waits},
        clock::now_s,
        log::LogWriter,
    },
};

/// How much longer than a look took nobody looks again: a channel that cannot be reached costs seconds, in which no file is
/// loaded.
const PAUSES: u32 = 10;

/// When alerts are looked at next.
pub struct Between {
    next: Instant,
    /// Whether the last run ended well, and nobody has been told yet.
    ended_well: bool,
}

impl Between {
    /// At once.
    pub fn new() -> Between {
        Between { next: Instant::now(), ended_well: false }
    }

    /// A run has ended: what it made of things is looked at the next time, however soon that is.
    pub fn ran(&mut self, ended_well: bool) {
        (self.next, self.ended_well) = (Instant::now(), ended_well);
    }

    /// Looks at how things are without a run, where it is time to, and notifies who wants to know. Returns what is to be said here.
    pub fn look(
        &mut self,
        plan: &Plan,
        trouble: Option<&Trouble>,
        sets_aside: bool,
        log: Option<&LogWriter>,
    ) -> Vec<String> {
        let Some(options) = plan.operate.alerts.as_ref().filter(|_| self.next <= Instant::now()) else {
            return Vec::new();
        };
        let began = Instant::now();
        let waits = match trouble {
            // A wait that began within this second is one all the same.
            Some(trouble) => Waits {
                elapsed: Duration::from_secs(now_s().saturating_sub(trouble.since_s)).max(Duration::from_millis(1)),
                why: trouble.message.clone(),
            },
            None => Waits { elapsed: Duration::ZERO, why: String::new() },
        };
        let is_well = self.ended_well && !sets_aside;
        // What fails later, by another command perhaps, is not over because of an earlier run.
        self.ended_well &= !is_well;
        let (_, lines) = alerts::check(plan, options, Some(&InLoop { waits, is_well }), log);
        self.next = Instant::now() + options.look_every.0.max(began.elapsed() * PAUSES);
        lines
    }
}
