//! What every verb needs beside its options.

use crate::{abort::Abort, plan::Plan};

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
