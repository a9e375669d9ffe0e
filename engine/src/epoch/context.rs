//! What every verb needs beside its options.

use crate::{abort::Abort, error::RunError, plan::Plan};

/// What a run needs beside its options.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Ends the run early.
    pub abort: &'a Abort,
    /// Watches it.
    pub observer: &'a dyn crate::report::Observer,
}

impl Context<'_> {
    /// The result of a verb that writes: an error says what of the run is written.
    pub(crate) fn told<T>(self, result: Result<T, RunError>) -> Result<T, RunError> {
        result.map_err(|error| error.or_written(self.abort.written()))
    }
}
