//! Something that is asked for at most every few seconds, however often it is wanted: probes must not hurt the database.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use vardelta_engine::locks::Locked as _;

/// How long an answer is good.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// The last answer. Whoever wants it while somebody else asks waits for that answer.
pub struct Known<T> {
    asking: Mutex<()>,
    last: Mutex<Option<(Instant, T)>>,
}

impl<T> Default for Known<T> {
    fn default() -> Known<T> {
        Known { asking: Mutex::default(), last: Mutex::new(None) }
    }
}

impl<T: Clone> Known<T> {
    /// The last answer, or a new one where that is too old. One thread asks at a time.
    pub fn get(&self, ask: impl FnOnce() -> T) -> T {
        if let Some(known) = self.fresh() {
            return known;
        }
        let _asking = self.asking.locked();
        if let Some(known) = self.fresh() {
            return known;
        }
        let asked = ask();
        *self.last.locked() = Some((Instant::now(), asked.clone()));
        asked
    }

    /// The last answer, if it is good still.
    pub fn fresh(&self) -> Option<T> {
        let last = self.last.locked();
        last.as_ref().filter(|(asked, _)| asked.elapsed() < GOOD_FOR).map(|(_, known)| known.clone())
    }

    /// The next who wants it asks.
    pub fn forget(&self) {
        *self.last.locked() = None;
    }
}
