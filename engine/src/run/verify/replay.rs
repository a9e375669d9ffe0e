//! Views as the pipeline's own operators compute them, from rows read back.

use std::{path::PathBuf, sync::Arc};

use vardelta_schemas::ledger::Epoch;

use super::compare::unavailable;
use crate::{
    changes::{Change, ChangeLog},
    epoch::{
        context::Context,
        plane::{Plane, SharedState},
    },
    error::RunError,
    flow::{RunContext, feed::Item, lookup::copy_answers},
    plan::{StageIndex, TableIndex},
    rows::RowBatch,
    run::{
        compute::{self, Work},
        rebuild::{REPLAY_ROWS, send_table},
    },
    state::Session,
};

/// Recomputes every view from the base tables' rows in `found`, into a state that is thrown away.
pub(super) fn replayed(
    context: Context<'_>,
    workers: usize,
    scratch_state: &SharedState,
    spill_dir: PathBuf,
    found: &ChangeLog,
    state_session: &Arc<Session>,
) -> Result<Box<dyn Plane>, RunError> {
    let work = Work::on(scratch_state, Epoch::FIRST, workers, spill_dir)?;
    // Nobody is asked: what was answered is as much given as the rows of the tables.
    copy_answers(context.plan, state_session, &work.session)?;
    let rows = |run: &RunContext, send: &mut dyn FnMut(Item) -> bool| {
        let tables = run.plan.stages.indexed().filter(|(_, stage)| stage.is_table());
        for (at, _) in tables {
            let listening = match context.plan.table_of(at) {
                Some(table) => send_found(found, table, at, send)?,
                // A base table that the sink does not keep is taken from the state.
                None => send_table(run, at, state_session, send)?,
            };
            if !listening {
                break;
            }
        }
        Ok(())
    };
    compute::replay(context, work, Box::new(rows))
}

fn send_found(
    found: &ChangeLog,
    table: TableIndex,
    stage: StageIndex,
    send: &mut dyn FnMut(Item) -> bool,
) -> Result<bool, RunError> {
    let mut net = found.net(table).map_err(|error| unavailable(&error))?;
    loop {
        let mut rows = RowBatch::default();
        while rows.len() < REPLAY_ROWS {
            match net.next().map_err(|error| unavailable(&error))? {
                Some(Change { key, new: Some(value), .. }) => rows.push(&key, &value, 1),
                Some(_) => {}
                None => break,
            }
        }
        if rows.is_empty() {
            return Ok(true);
        }
        if !send(Item::Rows { table: stage, rows }) {
            return Ok(false);
        }
    }
}
