//! Rows of tables, read back and replayed into the views after them: what `rebuild` and `verify` run on.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        Scope, StreamVec,
        operators::generic::{OutputBuilder, builder_rc::OperatorBuilder},
    },
};

use crate::{
    error::RunError,
    flow::{
        INCOMING, WorkerContext,
        feed::{Item, Taken},
    },
    plan::StageIndex,
    rows::RowBatch,
};

/// How long the operator waits for rows before it lets others of its worker run.
const WAIT: Duration = Duration::from_micros(500);

/// Renders the tables of a plan as sources of their own rows.
pub(crate) fn render<'scope>(
    scope: Scope<'scope, u64>,
    worker: &WorkerContext,
) -> BTreeMap<StageIndex, StreamVec<'scope, u64, RowBatch>> {
    let mut builder = OperatorBuilder::new("replay".to_owned(), scope);
    let activator = scope.activator_for(builder.operator_info().address);
    let (mut outputs, mut streams, mut tables) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (at, stage) in worker.run.plan.stages.indexed() {
        if stage.is_table() {
            let (output, stream) = builder.new_output::<Vec<RowBatch>>();
            outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<RowBatch>>>::from(output));
            streams.insert(at, stream);
            tables.push(at);
        }
    }
    let worker = worker.clone();
    builder.build(move |mut capabilities| {
        for capability in &mut capabilities {
            capability.downgrade(&INCOMING);
        }
        let mut capabilities = Some(capabilities);
        move |_frontiers| {
            let Some(held) = &capabilities else { return };
            if worker.run.abort.is_raised() {
                capabilities = None;
                return;
            }
            let started = Instant::now();
            let taken = worker.run.feed.take(WAIT);
            if let Some(table) = tables.first() {
                worker.meters.waited(*table, started.elapsed());
            }
            match taken {
                Taken::Item(Item::Rows { table, rows }) => {
                    if let Some(slot) = tables.iter().position(|known| *known == table) {
                        outputs[slot].activate().session(&held[slot]).give(rows);
                    }
                    activator.activate();
                }
                Taken::Item(Item::Chunk { .. }) => {
                    worker.run.abort.raise(RunError::internal("a chunk of a file came to the replay operator"));
                    capabilities = None;
                }
                Taken::Nothing => activator.activate(),
                Taken::Done => capabilities = None,
            }
        }
    });
    streams
}
