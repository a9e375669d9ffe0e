//! What the ledger says of looked-up keys, compared with the state.

use std::{collections::BTreeMap, sync::Arc};

use super::{Means, VerifiedTable, VerifyReport};
use crate::{
    contract::sink::{KeptLookups, Sink},
    error::RunError,
    flow::lookup::each_wanted,
    plan::Plan,
    state::Session,
};

/// The ledger's table.
const TABLE: &str = "vardelta_lookups";

/// Compares the status of every key.
pub(super) fn compare(
    plan: &Plan,
    sink: &mut dyn Sink,
    state: &Arc<Session>,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let lookups: Vec<_> = plan.stages.iter().filter_map(|stage| Some((&stage.name, stage.as_lookup()?))).collect();
    if lookups.is_empty() {
        return Ok(());
    }
    let rows = sink.lookups(&plan.pipeline.name, KeptLookups::All)?;
    let mut found: BTreeMap<(String, String), String> =
        rows.into_iter().map(|row| ((row.stage, row.key), row.status)).collect();
    let (count, before) = (found.len() as u64, report.difference_count);
    for (stage, spec) in lookups {
        each_wanted(state, stage, spec.fingerprint(), &mut |key, status| {
            let said = found.remove(&(stage.clone(), key.to_owned()));
            if said.as_deref() != Some(status.as_str()) {
                report.differ(TABLE, || (format!("stage={stage} key={key}"), Some(status.as_str().to_owned()), said));
            }
        })?;
    }
    for ((stage, key), status) in found {
        report.differ(TABLE, || (format!("stage={stage} key={key}"), None, Some(status)));
    }
    let differences = report.difference_count - before;
    let verified = VerifiedTable::new(TABLE, Means::State, "the state");
    report.tables.push(VerifiedTable { rows: count, differences, ..verified });
    Ok(())
}
