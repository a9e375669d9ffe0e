//! What a stage that asks elsewhere knows: how one key is answered. When it is asked, what is kept and what a late answer
//! changes is the engine's.
//!
//! No method is called inside an operator: the engine gathers the keys that are wanted and not answered, and asks for them
//! between chunks.

use std::{
    fmt::{self, Debug},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use serde::Serialize;
use vardelta_schemas::Column;

use crate::contract::{
    emit::StageError,
    sink::{AnswerStore, SinkError, SinkStage},
};

/// A planned look-up.
pub trait Lookup: Debug + Send + Sync {
    /// The columns of an answer, all nullable. The key and `lookup_status` are not among them.
    fn columns(&self) -> &[Column];

    /// All that decides what an answer says (where it is asked, how, what is taken of it), and no secret. Answers that were
    /// kept under another fingerprint are asked for again.
    fn fingerprint(&self) -> String;

    /// The share of failed keys above which a run ends before anything is written: 0 to 1.
    fn max_failed_share(&self) -> Option<f64>;

    /// Makes ready to ask, for one run.
    ///
    /// # Errors
    /// When the look-up cannot be made at all, not when a service or a tier is down: answers and figures say that.
    fn open(&self, context: &LookupContext) -> Result<Box<dyn Asker>, StageError>;

    /// Until when this process leaves the service alone because it failed time after time, in seconds since 1970; `None` where it
    /// may be asked.
    fn held_until_s(&self) -> Option<u64> {
        None
    }

    /// The tiers in which its answers outlive a process, in the order in which they are asked. Who else keeps answers in one
    /// is not reported: a tier is looked at and emptied as a whole.
    ///
    /// # Errors
    /// When a tier cannot even be named; one that cannot be reached is reported in its place.
    fn tiers(&self, context: &LookupContext) -> Result<Vec<KeptTier>, StageError> {
        let _ = context;
        Ok(Vec::new())
    }
}

/// A tier of a look-up.
pub struct KeptTier {
    /// `disk`, `database`, `redis`.
    pub name: &'static str,
    /// The tier, or why it cannot be reached.
    pub store: Result<Box<dyn AnswerStore>, SinkError>,
}

/// Where a look-up runs.
#[derive(Clone)]
pub struct LookupContext {
    /// The name of the stage.
    pub stage: String,
    /// The folder of the pipeline file: relative paths begin there.
    pub folder: PathBuf,
    /// The folder of the state, which is there: what processes share of a host lies in it where the look-up names no folder
    /// for that.
    pub state: PathBuf,
    /// The pipeline's sink, for a tier that lies beside the ledger; `None` where there is none.
    pub database: Option<Arc<dyn SinkStage>>,
}

impl Debug for LookupContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupContext")
            .field("stage", &self.stage)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// One run's way of asking. What a tier could not take while the load's transaction was open is written when the asker is
/// dropped, so it is dropped after the commit.
pub trait Asker: Send {
    /// Asks for keys, which are distinct and ascending by their bytes: the tiers in their order, then the service. Calls
    /// `answered` exactly once for each key, in whatever order, on the calling thread. Returns early, the rest unanswered,
    /// once `stop` is true.
    ///
    /// # Errors
    /// When nothing can be asked at all; a key that gets no answer is [`Answer::Failed`].
    fn ask(
        &mut self,
        keys: &[Arc<str>],
        stop: &AtomicBool,
        answered: &mut dyn FnMut(&str, Answer),
    ) -> Result<(), StageError>;

    /// Takes keys out of every tier, for an erasure.
    ///
    /// # Errors
    /// When a tier cannot be reached or does not forget: an erasure must not claim what it did not do.
    fn forget(&mut self, keys: &[Arc<str>]) -> Result<(), StageError>;

    /// What was done so far.
    fn figures(&self) -> LookupFigures;
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The service knows the key.
    Found {
        /// One value for each of [`Lookup::columns`], in their order.
        values: Vec<Option<LookupValue>>,
        /// The release of the service's data, where it says one.
        release: Option<String>,
        /// Until when the answer is fresh, in seconds since 1970; `None` for ever. In the past where a stale answer stands
        /// in for a service that failed.
        until_s: Option<i64>,
    },
    /// The service answered, and does not know the key.
    Absent {
        /// Until when that is fresh, in seconds since 1970; `None` for ever.
        until_s: Option<i64>,
    },
    /// There is no answer: the key stays wanted.
    Failed {
        /// What happened, in words, without a secret.
        reason: String,
        /// When to try again, in seconds since 1970; `None` where the next run should.
        next_try_s: Option<i64>,
    },
}

/// A value of an answer, of the type of its column.
#[derive(Clone, Debug, PartialEq)]
pub enum LookupValue {
    /// A text.
    Text(String),
    /// A whole number.
    Int64(i64),
    /// A number; never NaN.
    Float64(f64),
    /// A truth value.
    Bool(bool),
}

/// Where the answers of a run came from. `wanted = memory + disk + database + redis + answered + absent + failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LookupFigures {
    /// Distinct keys asked for.
    pub wanted: u64,
    /// Answered from memory.
    pub memory: u64,
    /// Answered from the disk tier.
    pub disk: u64,
    /// Answered from the database tier.
    pub database: u64,
    /// Answered from Redis.
    pub redis: u64,
    /// Found by the service.
    pub answered: u64,
    /// Not known to the service, as it said now.
    pub absent: u64,
    /// Without an answer.
    pub failed: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Reads and writes of tiers that failed and were skipped.
    pub tier_errors: u64,
}
