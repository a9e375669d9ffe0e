//! Above a share of rejected records nothing is written.

use crate::{
    edge::escape,
    error::{FileAtFault, RunError, RunErrorKind},
    flow::{RunContext, feed::Load},
    locks::Locked as _,
    plan::Plan,
};

/// Refuses a drop of which too much was rejected.
pub(crate) fn check_reject_share(plan: &Plan, run: &RunContext) -> Result<(), RunError> {
    let limit = plan.pipeline.max_reject_share;
    let is_refused = |load: &&Load| {
        let counts = load.records.counts();
        counts.read > 0 && counts.rejected as f64 > limit * counts.read as f64
    };
    let at_fault = |load: &Load| FileAtFault::new(&plan.stages[load.source].name, &load.file.path);
    if let Some(load) = run.loads.iter().find(is_refused) {
        let counts = load.records.counts();
        let notes = run.notes.locked();
        let mut message = format!(
            "drop `{}`: {} of {} records were rejected, more than max_reject_share = {limit} allows",
            load.name, counts.rejected, counts.read
        );
        for reject in notes.rejects.iter().filter(|reject| reject.drop_id == Some(load.drop_id)).take(5) {
            let line = reject.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            message.push_str(&format!("\n  - {line}{}: {}", reject.reason, escape::cut(&reject.detail)));
        }
        return Err(RunError::new(RunErrorKind::RejectShare, message)
            .with_hint("Correct the file, or raise `max_reject_share` under [pipeline] if this is expected.")
            .about(run.loads.iter().filter(is_refused).map(at_fault)));
    }
    Ok(())
}
