//! The first cause that ends a run: an error or panic anywhere, or Ctrl-C. Everyone looks at it; nothing is written after it.
//! And what of the run is written, for whoever has to say it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    error::{RunError, Written},
    locks::Locked as _,
};

/// Shared by readers, workers, the sink and the command line.
#[derive(Clone, Default)]
pub struct Abort {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    raised: AtomicBool,
    first: Mutex<Option<RunError>>,
    written: Mutex<Written>,
}

impl Abort {
    /// Ends the run for this reason, unless another came first.
    pub fn raise(&self, error: RunError) {
        let mut first = self.shared.first.locked();
        first.get_or_insert(error);
        self.shared.raised.store(true, Ordering::Release);
    }

    /// Notes what of the run is written from now on. Whatever goes wrong from here, wherever, this is what is said of it.
    pub(crate) fn note_written(&self, written: Written) {
        *self.shared.written.locked() = written;
    }

    /// What of the run is written.
    pub fn written(&self) -> Written {
        *self.shared.written.locked()
    }

    /// Whether the run is to end.
    pub fn is_raised(&self) -> bool {
        self.shared.raised.load(Ordering::Acquire)
    }

    /// The first cause, if the run is to end.
    ///
    /// # Errors
    /// The first cause.
    pub fn check(&self) -> Result<(), RunError> {
        if !self.is_raised() {
            return Ok(());
        }
        let first = self.shared.first.locked();
        Err(first.clone().unwrap_or_else(RunError::interrupted))
    }

    /// Runs one thread's work, turning an error or a panic into the end of the run.
    pub fn guard(&self, what: &str, work: impl FnOnce() -> Result<(), RunError>) {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.raise(error),
            Err(payload) => self.raise(RunError::panic(what, payload.as_ref())),
        }
    }
}
