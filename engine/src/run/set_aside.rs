//! Files that could not be loaded while others went on, as the ledger keeps them. Whoever watches folders decides which they are.

use vardelta_schemas::ledger::SetAsideRow;

use crate::{contract::sink::Access, error::RunError, plan::Plan};

/// The files of a pipeline that are set aside.
///
/// # Errors
/// When the sink cannot be read.
pub fn set_aside(plan: &Plan) -> Result<Vec<SetAsideRow>, RunError> {
    Ok(plan.sink().connect(Access::Read)?.set_aside(&plan.pipeline.name)?)
}

/// Notes which files are set aside, and which are no longer (source and path as the ledger keeps it). No epoch comes of it.
///
/// # Errors
/// When the sink cannot be written; nothing is noted then.
pub fn note_set_aside(plan: &Plan, put: &[SetAsideRow], gone: &[(String, String)]) -> Result<(), RunError> {
    Ok(plan.sink().connect(Access::Write)?.note_set_aside(&plan.pipeline.name, put, gone)?)
}
