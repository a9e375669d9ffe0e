//! The transforms after a table, aggregate or the like, fused into one operator: changes in; out go changes for the sink,
//! pre-combined contributions for what groups them, wishes for the look-ups, and rows for the joins.

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
    differential::Side,
    error::RunError,
    flow::{
        INCOMING, WorkerContext,
        aggregate::Contribution,
        grouped::Grouped,
        join::{SideLayout, SideRow},
        lookup::{Wish, Wishes},
        resident::{ResidentRow, ResidentSide},
        segment::{Consumer, Segment, SegmentEvents, SegmentRun},
    },
    plan::StageIndex,
    rows::RowBatch,
};

/// What leaves a view segment, but for the sink.
pub(crate) struct Outputs<'scope> {
    /// Contributions, for each aggregate or top that reads the producer.
    pub to_grouped: BTreeMap<StageIndex, StreamVec<'scope, u64, Contribution>>,
    /// Wishes, for each look-up that reads the producer.
    pub to_lookups: BTreeMap<StageIndex, StreamVec<'scope, u64, Wish>>,
    /// Rows, for each side of a join that reads the producer.
    pub to_joins: BTreeMap<(StageIndex, Side), StreamVec<'scope, u64, SideRow>>,
    /// Rows, for each side of an operator with a resident side that reads the producer.
    pub to_residents: BTreeMap<(StageIndex, Side), StreamVec<'scope, u64, ResidentRow>>,
}

/// Renders what follows a producer.
pub(crate) fn render<'scope>(
    changes: StreamVec<'scope, u64, RowBatch>,
    root: StageIndex,
    worker: &WorkerContext,
) -> Result<Outputs<'scope>, RunError> {
    let mut view = View::start(root, worker.clone())?;
    let mut builder = OperatorBuilder::new(format!("views:{}", worker.run.plan.stages[root].name), changes.scope());
    let mut input = builder.new_input(changes, Pipeline);
    let (mut outputs, mut to_grouped) = (Vec::new(), BTreeMap::new());
    for stage in view.grouped.keys() {
        let (output, stream) = builder.new_output::<Vec<Contribution>>();
        outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<Contribution>>>::from(output));
        to_grouped.insert(*stage, stream);
    }
    let (mut wish_outputs, mut to_lookups) = (Vec::new(), BTreeMap::new());
    for lookup in view.lookups.keys() {
        let (output, stream) = builder.new_output::<Vec<Wish>>();
        wish_outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<Wish>>>::from(output));
        to_lookups.insert(*lookup, stream);
    }
    let (mut side_outputs, mut to_joins) = (Vec::new(), BTreeMap::new());
    for side in view.sides.keys() {
        let (output, stream) = builder.new_output::<Vec<SideRow>>();
        side_outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<SideRow>>>::from(output));
        to_joins.insert(*side, stream);
    }
    let (mut resident_outputs, mut to_residents) = (Vec::new(), BTreeMap::new());
    for side in view.residents.keys() {
        let (output, stream) = builder.new_output::<Vec<ResidentRow>>();
        resident_outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<ResidentRow>>>::from(output));
        to_residents.insert(*side, stream);
    }
    builder.build(move |mut capabilities| {
        // What is sent are changes, so the times before them need not be held.
        for capability in &mut capabilities {
            capability.downgrade(&INCOMING);
        }
        let mut capabilities = Some(capabilities);
        move |frontiers| {
            let mut result = Ok(());
            input.for_each(|_, updates| {
                for rows in updates.drain(..) {
                    if result.is_ok() {
                        result = view.take(rows);
                    }
                }
            });
            let Some(held) = &capabilities else { return };
            let is_complete = frontiers[0].is_empty();
            if let Err(error) = result {
                view.worker.run.abort.raise(error);
                return;
            }
            // Rows for joins go on as they come, so that they wait in one place only.
            let (of_grouped, of_others) = held.split_at(outputs.len());
            let (of_lookups, of_others) = of_others.split_at(wish_outputs.len());
            let (of_sides, of_residents) = of_others.split_at(side_outputs.len());
            for ((output, capability), (_, rows)) in side_outputs.iter_mut().zip(of_sides).zip(view.sides.values_mut())
            {
                if !rows.is_empty() {
                    output.activate().session(capability).give_iterator(rows.drain(..));
                }
            }
            let residents = view.residents.values_mut();
            for ((output, capability), (_, rows)) in resident_outputs.iter_mut().zip(of_residents).zip(residents) {
                if !rows.is_empty() {
                    output.activate().session(capability).give_iterator(rows.drain(..));
                }
            }
            if is_complete {
                for ((output, capability), contributions) in
                    outputs.iter_mut().zip(of_grouped).zip(view.grouped.values_mut())
                {
                    output.activate().session(capability).give_iterator(contributions.drain());
                }
                let wishes = view.lookups.values_mut();
                for ((output, capability), wishes) in wish_outputs.iter_mut().zip(of_lookups).zip(wishes) {
                    output.activate().session(capability).give_iterator(wishes.drain());
                }
                capabilities = None;
            }
        }
    });
    Ok(Outputs { to_grouped, to_lookups, to_joins, to_residents })
}

/// One worker's part of a view segment.
struct View {
    worker: WorkerContext,
    root: StageIndex,
    segment: std::sync::Arc<Segment>,
    run: SegmentRun,
    plain: bool,
    grouped: BTreeMap<StageIndex, Grouped>,
    lookups: BTreeMap<StageIndex, Wishes>,
    /// Which of the producer's columns are read, where those that read rows decoded are aggregates alone.
    read: Option<Vec<bool>>,
    sides: BTreeMap<(StageIndex, Side), (SideLayout, Vec<SideRow>)>,
    residents: BTreeMap<(StageIndex, Side), (ResidentSide, Vec<ResidentRow>)>,
}

impl View {
    fn start(root: StageIndex, worker: WorkerContext) -> Result<View, RunError> {
        let segment = worker.run.segment(root);
        let run = worker.start(std::sync::Arc::clone(&segment))?;
        let (mut grouped, mut lookups) = (BTreeMap::new(), BTreeMap::new());
        let (mut sides, mut residents) = (BTreeMap::new(), BTreeMap::new());
        for leaf in &segment.leaves {
            match leaf.consumer {
                Consumer::Grouped(stage) => {
                    grouped.insert(stage, Grouped::new(stage, &worker)?);
                }
                Consumer::Lookup(stage) => {
                    lookups.insert(stage, Wishes::new(stage, &worker)?);
                }
                Consumer::Join(stage, side) => {
                    sides.insert((stage, side), (SideLayout::new(&worker, stage, side)?, Vec::new()));
                }
                Consumer::Resident(stage, side) => {
                    residents.insert((stage, side), (ResidentSide::new(&worker.run, stage, side)?, Vec::new()));
                }
                Consumer::Table(_) | Consumer::Capture(_) => {}
            }
        }
        let plain = segment.is_plain_capture();
        let read = segment.read_by_aggregates(&worker.run.plan);
        Ok(View { worker, root, plain, read, segment, run, grouped, lookups, sides, residents })
    }

    fn take(&mut self, changes: RowBatch) -> Result<(), RunError> {
        self.worker.meters.add(self.root, 0, changes.rows().filter(|row| row.diff > 0).count(), None);
        if !self.plain {
            self.push(&changes)?;
        }
        // Rows that reach the sink as they were produced need no second encoding.
        let of_root = self.segment.leaves.iter().filter(|leaf| leaf.from == self.root);
        let mut tables = of_root.filter_map(|leaf| match leaf.consumer {
            Consumer::Capture(table) => Some(table),
            _ => None,
        });
        let last = tables.next_back();
        let mut captured = self.worker.captured.borrow_mut();
        tables.try_for_each(|table| captured.add(table, changes.clone()))?;
        last.map_or(Ok(()), |table| captured.add(table, changes))
    }

    fn push(&mut self, changes: &RowBatch) -> Result<(), RunError> {
        let layout = self.worker.run.layout(self.root)?;
        let rows = match &self.read {
            Some(read) => layout.decode_live(changes, read),
            None => layout.decode_batch(changes),
        };
        let rows = rows.map_err(RunError::internal)?;
        let diffs = changes.rows().map(|row| row.diff).collect();
        let mut events = SegmentEvents::default();
        let (segment, worker) = (&self.segment, &self.worker);
        let (grouped, lookups) = (&mut self.grouped, &mut self.lookups);
        let (sides, residents) = (&mut self.sides, &mut self.residents);
        self.run.push(Batch::changes(rows, diffs), &mut events, &mut |leaf, batch| {
            let leaf = segment.leaves[leaf];
            match leaf.consumer {
                Consumer::Grouped(stage) => match grouped.get_mut(&stage) {
                    Some(contributions) => contributions.add(batch),
                    None => Err(RunError::internal("a batch left for an unknown grouped stage")),
                },
                Consumer::Lookup(stage) => match lookups.get_mut(&stage) {
                    Some(wishes) => wishes.add(batch),
                    None => Err(RunError::internal("a batch left for an unknown look-up")),
                },
                Consumer::Join(stage, side) => match sides.get_mut(&(stage, side)) {
                    Some((layout, rows)) => layout.encode(batch, rows),
                    None => Err(RunError::internal("a batch left for an unknown join")),
                },
                Consumer::Resident(stage, side) => match residents.get_mut(&(stage, side)) {
                    Some((layout, rows)) => layout.encode(&worker.run, batch, rows),
                    None => Err(RunError::internal("a batch left for an unknown resident side")),
                },
                Consumer::Capture(_) if leaf.from == segment.root => Ok(()),
                Consumer::Capture(table) => {
                    let encoded = worker.run.layout(leaf.from)?.encode(&batch.columns).map_err(RunError::internal)?;
                    let mut rows = RowBatch::default();
                    (0..batch.rows()).for_each(|row| rows.push(encoded.key(row), encoded.value(row), batch.diff(row)));
                    worker.captured.borrow_mut().add(table, rows)
                }
                Consumer::Table(_) => Err(RunError::internal("a table follows a table")),
            }
        })?;
        self.worker.run.note(None, events);
        Ok(())
    }
}
