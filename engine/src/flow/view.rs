//! The transforms behind a table or aggregate, fused into one operator: changes in; out go changes for the sink and
//! pre-combined contributions for the aggregates that follow.

use std::collections::BTreeMap;

use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        StreamVec,
        channels::pact::Pipeline,
        operators::generic::{OutputBuilder, builder_rc::OperatorBuilder},
    },
};

use crate::{
    contract::batch::Batch,
    error::RunError,
    flow::{
        INCOMING, WorkerContext,
        aggregate::{Contribution, Contributions},
        segment::{Consumer, Segment, SegmentEvents, SegmentRun},
    },
    rows::RowBatch,
};

/// Renders what follows a producer; returns, for each aggregate that reads it, the stream of contributions.
pub(crate) fn render<'scope>(
    changes: StreamVec<'scope, u64, RowBatch>,
    root: usize,
    worker: &WorkerContext,
) -> Result<BTreeMap<usize, StreamVec<'scope, u64, Contribution>>, RunError> {
    let mut view = View::start(root, worker.clone())?;
    let mut builder = OperatorBuilder::new(format!("views:{}", worker.run.plan.stages[root].name), changes.scope());
    let mut input = builder.new_input(changes, Pipeline);
    let (mut outputs, mut streams) = (Vec::new(), BTreeMap::new());
    for aggregate in view.aggregates.keys() {
        let (output, stream) = builder.new_output::<Vec<Contribution>>();
        outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<Contribution>>>::from(output));
        streams.insert(*aggregate, stream);
    }
    builder.build(move |mut capabilities| {
        // Nothing is sent before the input is complete, so the times until then need not be held.
        for capability in &mut capabilities {
            capability.downgrade(&INCOMING);
        }
        let mut capabilities = Some(capabilities);
        move |frontiers| {
            let mut result = Ok(());
            input.for_each(|_, updates| {
                for rows in updates.drain(..) {
                    if result.is_ok() {
                        result = view.take(&rows);
                    }
                }
            });
            if let Err(error) = result {
                view.worker.run.abort.raise(error);
            }
            if !frontiers[0].is_empty() {
                return;
            }
            let Some(held) = capabilities.take() else { return };
            let aggregates = view.aggregates.values_mut();
            for ((output, capability), contributions) in outputs.iter_mut().zip(&held).zip(aggregates) {
                output.activate().session(capability).give_iterator(contributions.drain());
            }
        }
    });
    Ok(streams)
}

/// One worker's part of a view segment.
struct View {
    worker: WorkerContext,
    root: usize,
    segment: std::sync::Arc<Segment>,
    run: SegmentRun,
    plain: bool,
    aggregates: BTreeMap<usize, Contributions>,
}

impl View {
    fn start(root: usize, worker: WorkerContext) -> Result<View, RunError> {
        let segment = worker.run.segment(root);
        let run = worker.start(std::sync::Arc::clone(&segment))?;
        let mut aggregates = BTreeMap::new();
        for leaf in &segment.leaves {
            if let Consumer::Aggregate(stage) = leaf.consumer {
                aggregates.insert(stage, Contributions::new(stage, &worker)?);
            }
        }
        let plain = segment.is_plain_capture();
        Ok(View { worker, root, plain, segment, run, aggregates })
    }

    fn take(&mut self, changes: &RowBatch) -> Result<(), RunError> {
        self.worker.meters.add(self.root, 0, changes.rows().filter(|row| row.diff > 0).count(), None);
        if !self.plain {
            self.push(changes)?;
        }
        // Rows that reach the sink as they were produced need no second encoding.
        for leaf in self.segment.leaves.iter().filter(|leaf| leaf.from == self.root) {
            if let Consumer::Capture(table) = leaf.consumer {
                self.worker.captured.borrow_mut().extend(table, changes)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, changes: &RowBatch) -> Result<(), RunError> {
        let rows = self.worker.run.layout(self.root)?.decode_batch(changes).map_err(RunError::internal)?;
        let diffs = changes.rows().map(|row| row.diff).collect();
        let mut events = SegmentEvents::default();
        let (segment, worker, aggregates) = (&self.segment, &self.worker, &mut self.aggregates);
        self.run.push(Batch::changes(rows, diffs), &mut events, &mut |leaf, batch| {
            let leaf = segment.leaves[leaf];
            match leaf.consumer {
                Consumer::Aggregate(stage) => match aggregates.get_mut(&stage) {
                    Some(contributions) => contributions.add(batch),
                    None => Err(RunError::internal("a batch left for an unknown aggregate")),
                },
                Consumer::Capture(_) if leaf.from == segment.root => Ok(()),
                Consumer::Capture(table) => {
                    let encoded = worker.run.layout(leaf.from)?.encode(&batch.columns).map_err(RunError::internal)?;
                    let mut rows = RowBatch::default();
                    (0..batch.rows()).for_each(|row| rows.push(encoded.key(row), encoded.value(row), batch.diff(row)));
                    worker.captured.borrow_mut().extend(table, &rows)?;
                    Ok(())
                }
                Consumer::Table(_) => Err(RunError::internal("a table stands behind a table")),
            }
        })?;
        self.worker.run.note(None, events);
        Ok(())
    }
}
