//! The stateless parts of a pipeline: transforms (and unions) between one producer and its consumers, run as one fused
//! push-based operator, batch at a time.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use arrow_array::{Array as _, RecordBatch, new_null_array};

use crate::{
    contract::{
        batch::Batch,
        emit::{Emit, Reject},
        stage::{Planned, Transform, TransformRun},
        warning::Warned,
    },
    differential::Side,
    error::RunError,
    failpoint,
    flow::{meter::Meters, tag::Tag},
    plan::{PerStage, Plan, StageIndex, TableIndex},
    relational::Relational,
};

/// Where a batch goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Into a step of the same segment.
    Step(usize),
    /// Out of the segment, by a leaf.
    Leaf(usize),
}

/// A stateless stage inside a segment.
pub(crate) struct Step {
    /// The stage.
    pub stage: StageIndex,
    /// What it does; `None` for a union without a tag, which passes batches on.
    transform: Option<Arc<dyn Transform>>,
    /// Which of its columns are read after it.
    live: Vec<bool>,
    next: Vec<Next>,
}

/// What reads the rows that leave a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// A `table` stage, by stage index.
    Table(StageIndex),
    /// An `aggregate` or `top` stage, by stage index.
    Grouped(StageIndex),
    /// One side of a `join` stage, by stage index.
    Join(StageIndex, Side),
    /// One side of a stage with a resident right side, by stage index.
    Resident(StageIndex, Side),
    /// A `lookup` stage, by stage index.
    Lookup(StageIndex),
    /// The sink, by the index of the table it keeps.
    Capture(TableIndex),
}

/// The steps so far, by stage and, where inputs are told apart, by input.
type Known = BTreeMap<(StageIndex, usize), usize>;

/// A way out of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    /// The stage whose rows leave here.
    pub from: StageIndex,
    /// Who reads them.
    pub consumer: Consumer,
}

/// The stateless stages between one producer (a source or a relational stage with state) and its consumers.
pub(crate) struct Segment {
    /// The producing stage.
    pub root: StageIndex,
    steps: Vec<Step>,
    /// The ways out.
    pub leaves: Vec<Leaf>,
    first: Vec<Next>,
    /// Which of the producer's columns are read.
    live: Vec<bool>,
}

impl Segment {
    /// The segment after a producer; `live` says which columns of each stage are read.
    pub fn after(plan: &Plan, root: StageIndex, live: &PerStage<Vec<bool>>) -> Segment {
        let mut segment = Segment { root, steps: Vec::new(), leaves: Vec::new(), first: Vec::new(), live: Vec::new() };
        let mut known = BTreeMap::new();
        segment.first = segment.follow(plan, root, &mut known);
        for step in &mut segment.steps {
            step.live.clone_from(&live[step.stage]);
        }
        segment.live.clone_from(&live[root]);
        segment
    }

    fn follow(&mut self, plan: &Plan, from: StageIndex, known: &mut Known) -> Vec<Next> {
        let mut next = Vec::new();
        for (at, stage) in plan.stages.indexed() {
            for (port, _) in stage.inputs.iter().enumerate().filter(|(_, input)| **input == from) {
                let consumer = match &stage.planned {
                    Planned::Relational(Relational::Table(_)) => Consumer::Table(at),
                    Planned::Relational(Relational::Aggregate(_) | Relational::Top(_)) => Consumer::Grouped(at),
                    Planned::Relational(Relational::Lookup(_)) => Consumer::Lookup(at),
                    Planned::Relational(Relational::Join(_)) => {
                        Consumer::Join(at, if port == 0 { Side::Left } else { Side::Right })
                    }
                    Planned::Relational(Relational::Resident(_)) => {
                        Consumer::Resident(at, if port == 0 { Side::Left } else { Side::Right })
                    }
                    Planned::Sink(_) => Consumer::Capture(TableIndex::new(port)),
                    Planned::Relational(Relational::Union(spec)) => {
                        // With a tag every input has a step of its own, which says where its rows come from.
                        let (port, tag) = match &spec.tags {
                            Some(tags) => (port, Some(Tag::transform(&spec.schema, &tags[port]))),
                            None => (0, None),
                        };
                        next.push(self.step(plan, (at, port), tag, known));
                        continue;
                    }
                    Planned::Transform(transform) => {
                        next.push(self.step(plan, (at, 0), Some(Arc::clone(transform)), known));
                        continue;
                    }
                    Planned::Source(_) => continue,
                };
                self.leaves.push(Leaf { from, consumer });
                next.push(Next::Leaf(self.leaves.len() - 1));
            }
        }
        next
    }

    fn step(
        &mut self,
        plan: &Plan,
        (stage, port): (StageIndex, usize),
        transform: Option<Arc<dyn Transform>>,
        known: &mut Known,
    ) -> Next {
        if let Some(step) = known.get(&(stage, port)) {
            return Next::Step(*step);
        }
        self.steps.push(Step { stage, transform, live: Vec::new(), next: Vec::new() });
        let step = self.steps.len() - 1;
        known.insert((stage, port), step);
        self.steps[step].next = self.follow(plan, stage, known);
        Next::Step(step)
    }

    /// Which of the producer's columns are read, where none but aggregates reads its rows decoded; `None` where others do.
    pub fn read_by_aggregates(&self, plan: &Plan) -> Option<Vec<bool>> {
        let mut read = vec![false; plan.stages[self.root].schema.columns().len()];
        for leaf in &self.leaves {
            match leaf.consumer {
                // As they were produced.
                Consumer::Capture(_) => {}
                Consumer::Grouped(stage) => {
                    let spec = plan.stages[stage].as_aggregate()?;
                    read.iter_mut().enumerate().for_each(|(column, read)| *read |= spec.reads(column));
                }
                Consumer::Table(_) | Consumer::Lookup(_) | Consumer::Join(..) | Consumer::Resident(..) => return None,
            }
        }
        self.steps.is_empty().then_some(read)
    }

    /// Whether rows leave only as they are produced, into the sink: nothing needs decoding.
    pub fn is_plain_capture(&self) -> bool {
        self.steps.is_empty() && self.leaves.iter().all(|leaf| matches!(leaf.consumer, Consumer::Capture(_)))
    }
}

/// A batch without the content of columns that nobody reads: texts that are not there need not be copied. A column that must not
/// be NULL stays.
fn without_dead(batch: Batch, live: &[bool]) -> Result<Batch, RunError> {
    let schema = batch.columns.schema();
    let is_dead = |at: usize| live.get(at) == Some(&false) && schema.field(at).is_nullable();
    let holds = |at: usize| batch.columns.column(at).null_count() < batch.rows();
    if !(0..batch.columns.num_columns()).any(|at| is_dead(at) && holds(at)) {
        return Ok(batch);
    }
    let columns = batch.columns.columns().iter().enumerate().map(|(at, column)| match is_dead(at) && holds(at) {
        true => new_null_array(column.data_type(), batch.rows()),
        false => Arc::clone(column),
    });
    let columns = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).map_err(RunError::internal)?;
    Ok(batch.with_columns(columns))
}

/// A segment at work on one worker.
pub(crate) struct SegmentRun {
    segment: Arc<Segment>,
    runs: Vec<Option<Box<dyn TransformRun>>>,
    meters: Meters,
    names: Arc<PerStage<String>>,
}

/// What the stages of a segment said beside their batches.
#[derive(Default)]
pub(crate) struct SegmentEvents {
    /// Rejects, with the stage that made them.
    pub rejects: Vec<(StageIndex, Reject)>,
    /// Origins of rows that passed no filter.
    pub filtered: Vec<u64>,
    /// Origins of records without alternate allele.
    pub no_alternate: Vec<u64>,
    /// Origins of gVCF reference blocks.
    pub reference_blocks: Vec<u64>,
    /// Warnings, with the stage that made them, reason and field.
    pub warnings: Vec<(StageIndex, &'static str, String, Warned)>,
}

impl SegmentEvents {
    /// Takes over what one stage said; its batches stay.
    pub fn absorb(&mut self, stage: StageIndex, emit: &mut Emit, batch: Option<&Batch>) {
        for mut reject in emit.rejects.drain(..) {
            if reject.place.is_none() {
                let provenance = batch.and_then(|batch| batch.provenance.as_ref());
                reject.place = provenance.zip(reject.origin).map(|(provenance, origin)| provenance.place(origin));
            }
            self.rejects.push((stage, reject));
        }
        self.filtered.append(&mut emit.filtered);
        self.no_alternate.append(&mut emit.no_alternate);
        self.reference_blocks.append(&mut emit.reference_blocks);
        for (reason, field, mut warned) in std::mem::take(&mut emit.warnings).into_entries() {
            if warned.place.is_none() {
                let provenance = batch.and_then(|batch| batch.provenance.as_ref());
                warned.place = provenance.zip(warned.first).map(|(provenance, origin)| provenance.place(origin));
            }
            self.warnings.push((stage, reason, field, warned));
        }
    }
}

impl SegmentRun {
    /// Starts every transform of the segment.
    pub fn start(segment: Arc<Segment>, meters: Meters, names: Arc<PerStage<String>>) -> Result<SegmentRun, RunError> {
        let mut runs = Vec::new();
        for step in &segment.steps {
            let start = |transform: &Arc<dyn Transform>| {
                transform.start_live(&step.live).map_err(|error| RunError::stage(&names[step.stage], error))
            };
            runs.push(step.transform.as_ref().map(start).transpose()?);
        }
        Ok(SegmentRun { segment, runs, meters, names })
    }

    /// Pushes a batch of the producer's rows through every step; `leave` gets what comes out, leaf by leaf.
    pub fn push(
        &mut self,
        batch: Batch,
        events: &mut SegmentEvents,
        leave: &mut dyn FnMut(usize, &Batch) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let segment = Arc::clone(&self.segment);
        let batch = if segment.steps.is_empty() { batch } else { without_dead(batch, &segment.live)? };
        let mut waiting: Vec<(Next, Batch)> = segment.first.iter().rev().map(|next| (*next, batch.clone())).collect();
        drop(batch);
        while let Some((next, batch)) = waiting.pop() {
            let step = match next {
                Next::Leaf(leaf) => {
                    leave(leaf, &batch)?;
                    continue;
                }
                Next::Step(step) => step,
            };
            let stage = segment.steps[step].stage;
            let outputs = match &mut self.runs[step] {
                None => {
                    self.meters.add(stage, batch.rows(), batch.rows(), None);
                    vec![batch]
                }
                Some(run) => {
                    let (started, mut emit) = (Instant::now(), Emit::default());
                    failpoint::slow("stage", &self.names[stage]);
                    run.apply(&batch, &mut emit).map_err(|error| RunError::stage(&self.names[stage], error))?;
                    let rows_out = emit.batches.iter().map(Batch::rows).sum();
                    self.meters.add(stage, batch.rows(), rows_out, Some(started.elapsed()));
                    events.absorb(stage, &mut emit, Some(&batch));
                    emit.batches
                }
            };
            for output in outputs.into_iter().rev() {
                let output = without_dead(output, &segment.steps[step].live)?;
                waiting.extend(segment.steps[step].next.iter().rev().map(|next| (*next, output.clone())));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn columns_that_nobody_reads_lose_their_content() {
        let fields = vec![
            Field::new("read", DataType::Utf8, true),
            Field::new("dead", DataType::Utf8, true),
            Field::new("required", DataType::Int64, false),
        ];
        let texts = || Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef;
        let columns: Vec<ArrayRef> = vec![texts(), texts(), Arc::new(Int64Array::from(vec![1, 2]))];
        let columns = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("a batch");
        let batch = Batch::changes(columns, vec![1, -1]);
        let lighter = without_dead(batch.clone(), &[true, false, false]).expect("a batch");
        let nulls: Vec<usize> = lighter.columns.columns().iter().map(|column| column.null_count()).collect();
        assert_eq!(nulls, [0, 2, 0], "what must not be NULL stays");
        assert_eq!((lighter.diffs, lighter.columns.schema()), (batch.diffs.clone(), batch.columns.schema()));
        // A batch of other columns than the plan knows is left as it is.
        assert_eq!(without_dead(batch.clone(), &[]).expect("a batch").columns, batch.columns);
    }
}
