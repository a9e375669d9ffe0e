//! The rows of a chunk by group, gathered on one worker before anything is exchanged.

use std::{sync::Arc, time::Instant};

use arrow_array::ArrayRef;
use arrow_row::{RowConverter, SortField};

use super::{Encoding, spec};
use crate::{
    contract::{batch::Batch, emit::Emit},
    error::RunError,
    flow::{WorkerContext, aggregate::Contribution, segment::SegmentEvents, value_counts::ValueCounts},
    plan::StageIndex,
    relational::{TopSpec, accumulate::Cells},
    rows::{Row, RowMap},
};

/// Gathers rows over the batches of a chunk.
pub(crate) struct TopRows {
    stage: StageIndex,
    worker: WorkerContext,
    spec: TopSpec,
    groups: Option<RowConverter>,
    encoding: Encoding,
    /// The groups met so far, numbered as they came.
    numbers: RowMap<u32>,
    counts: ValueCounts,
}

impl TopRows {
    /// Nothing yet.
    pub fn new(stage: StageIndex, worker: &WorkerContext) -> Result<TopRows, RunError> {
        let spec = spec(&worker.run, stage)?.clone();
        let by = spec.by.iter().map(|at| SortField::new(spec.schema.columns()[*at].column_type.to_arrow()));
        let groups = match spec.by.is_empty() {
            true => None,
            false => Some(RowConverter::new(by.collect()).map_err(RunError::internal)?),
        };
        Ok(TopRows {
            stage,
            worker: worker.clone(),
            groups,
            encoding: Encoding::of(&spec)?,
            spec,
            numbers: RowMap::default(),
            counts: ValueCounts::default(),
        })
    }

    /// Adds a batch of changes.
    pub fn add(&mut self, batch: &Batch) -> Result<(), RunError> {
        let started = Instant::now();
        let by: Vec<ArrayRef> = self.spec.by.iter().map(|at| Arc::clone(batch.columns.column(*at))).collect();
        let groups = match &self.groups {
            None => None,
            Some(converter) => Some(converter.convert_columns(&by).map_err(RunError::internal)?),
        };
        let (order, failed) = self.order(batch);
        let rows = self.encoding.encode(order, &batch.columns)?;
        for row in (0..batch.rows()).filter(|row| !failed[*row]) {
            let group = groups.as_ref().map_or(&[][..], |groups| groups.row(row).data());
            let number = match self.numbers.get(group) {
                Some(number) => *number,
                None => {
                    let number = self.numbers.len() as u32;
                    self.numbers.insert(group.into(), number);
                    number
                }
            };
            self.counts.push(number, 0, rows.row(row).data(), batch.diff(row));
        }
        self.worker.meters.add(self.stage, batch.rows(), 0, Some(started.elapsed()));
        Ok(())
    }

    /// What the rows are ordered by, and on which rows that fails: they are in no group.
    fn order(&self, batch: &Batch) -> (Vec<ArrayRef>, Vec<bool>) {
        let mut failed = vec![false; batch.rows()];
        let mut emit = Emit::default();
        let mut order = Vec::with_capacity(self.spec.order.len());
        for (by, _) in &self.spec.order {
            let evaluated = by.evaluate(&batch.columns);
            evaluated.warnings.iter().for_each(|told| emit.warn(batch, told.row, told.reason, &told.detail));
            for failure in evaluated.failures {
                if !std::mem::replace(&mut failed[failure.row], true) {
                    emit.reject(batch, failure.row, failure.reason, failure.detail);
                }
            }
            order.push(evaluated.values);
        }
        let mut events = SegmentEvents::default();
        events.absorb(self.stage, &mut emit, Some(batch));
        self.worker.run.note(None, events);
        (order, failed)
    }

    /// Takes what was gathered, in order of group.
    pub fn drain(&mut self) -> Vec<Contribution> {
        let mut lists = self.counts.take(self.numbers.len());
        let mut groups: Vec<(Row, u32)> = self.numbers.drain().collect();
        groups.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let contribution = |(group, number): (Row, u32)| {
            let values = std::mem::take(&mut lists[number as usize]);
            (!values.is_empty()).then(|| Contribution { group, cells: Cells::default(), values })
        };
        groups.into_iter().filter_map(contribution).collect()
    }
}
