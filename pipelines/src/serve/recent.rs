//! What was read for pages lately, and whose turn it is to read: whoever looks cannot hurt the database.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use vardelta_engine::locks::Locked as _;

use crate::page::facts::Facts;

/// Pages that are read at the same time.
const READ_AT_ONCE: usize = 2;
/// How long what was read is good.
const GOOD_FOR: Duration = Duration::from_secs(3);
/// Pages that are kept.
const PAGES_KEPT: usize = 32;

/// What pages are made of, beside the board.
pub struct Pages {
    /// Whose turn it is.
    pub turns: Arc<Semaphore>,
    /// What is known of pipelines, by name.
    pub facts: Recent<Arc<Facts>>,
    /// Whole pages, by pipeline and address.
    pub answers: Recent<Arc<str>>,
}

impl Default for Pages {
    fn default() -> Pages {
        Pages { turns: Arc::new(Semaphore::new(READ_AT_ONCE)), facts: Recent::default(), answers: Recent::default() }
    }
}

/// What was made lately, by what was asked.
pub struct Recent<T>(Mutex<VecDeque<(Instant, String, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Recent<T> {
        Recent(Mutex::default())
    }
}

impl<T: Clone> Recent<T> {
    /// It, unless it is too old.
    pub fn get(&self, asked: &str) -> Option<T> {
        let mut kept = self.0.locked();
        kept.retain(|(made, ..)| made.elapsed() < GOOD_FOR);
        kept.iter().find(|(_, known, _)| known == asked).map(|(.., value)| value.clone())
    }

    /// Keeps it for a while.
    pub fn put(&self, asked: &str, value: T) {
        let mut kept = self.0.locked();
        kept.retain(|(_, known, _)| known != asked);
        kept.push_back((Instant::now(), asked.to_owned(), value));
        if kept.len() > PAGES_KEPT {
            kept.pop_front();
        }
    }
}
