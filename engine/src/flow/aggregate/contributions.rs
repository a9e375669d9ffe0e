//! What the changes of a chunk contribute to each group, gathered on one worker before anything is exchanged.

use std::{sync::Arc, time::Instant};

use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_row::{RowConverter, SortField};
use serde::{Deserialize, Serialize};

use super::{Encoding, GroupCells, spec};
use crate::{
    contract::{batch::Batch, emit::Emit},
    error::RunError,
    expression::{Evaluated, Expression},
    flow::{WorkerContext, segment::SegmentEvents, value_counts::ValueCounts},
    plan::StageIndex,
    relational::{AggregateSpec, accumulate::Cells},
    rows::{Row, RowMap},
};

/// What one worker's changes mean for one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Contribution {
    /// The group's columns, encoded.
    pub group: Row,
    /// The change of its accumulators.
    pub cells: Cells,
    /// The change of how often it holds a value: call, encoded value, count.
    pub values: Vec<(u16, Row, i64)>,
}

/// Gathers contributions over the batches of a chunk.
pub(crate) struct Contributions {
    stage: StageIndex,
    worker: WorkerContext,
    spec: AggregateSpec,
    cells: GroupCells,
    groups: RowConverter,
    encodings: Vec<Option<Encoding>>,
    /// The groups met so far, numbered as they came.
    numbers: RowMap<u32>,
    /// The cells of each group, one group after the other.
    sums: Vec<i128>,
    counts: ValueCounts,
}

/// Adds up the counts of equal values; leaves them in order, without those that add up to nothing.
pub(super) fn add_up<V: Ord>(values: &mut Vec<(u16, V, i64)>) {
    values.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    values.dedup_by(|next, first| {
        let same = (next.0, &next.1) == (first.0, &first.1);
        if same {
            first.2 += next.2;
        }
        same
    });
    values.retain(|value| value.2 != 0);
}

impl Contributions {
    /// Nothing yet.
    pub fn new(stage: StageIndex, worker: &WorkerContext) -> Result<Contributions, RunError> {
        let spec = spec(&worker.run, stage)?.clone();
        let group_fields = spec.key.iter().map(|at| spec.schema.columns()[*at].column_type.to_arrow());
        let groups = RowConverter::new(group_fields.map(SortField::new).collect()).map_err(RunError::internal)?;
        let encodings = spec.calls.iter().map(Encoding::of).collect::<Result<_, _>>()?;
        let cells = GroupCells::new(&spec);
        Ok(Contributions {
            stage,
            worker: worker.clone(),
            spec,
            cells,
            groups,
            encodings,
            numbers: RowMap::default(),
            sums: Vec::new(),
            counts: ValueCounts::default(),
        })
    }

    /// Adds a batch of changes.
    pub fn add(&mut self, batch: &Batch) -> Result<(), RunError> {
        let started = Instant::now();
        let columns: Vec<ArrayRef> =
            self.spec.group_by.iter().map(|column| Arc::clone(batch.columns.column(*column))).collect();
        let groups = match columns.is_empty() {
            true => None,
            false => Some(self.groups.convert_columns(&columns).map_err(RunError::internal)?),
        };
        let evaluated = self.evaluate(batch)?;
        let linear: Vec<_> = evaluated
            .calls
            .iter()
            .enumerate()
            .filter(|(call, _)| self.cells.layout.is_linear(*call))
            .map(|(call, arguments)| {
                self.cells.layout.contributions(call, arguments.values.first(), arguments.filter.as_ref())
            })
            .collect();
        let cells = self.cells.count();
        let passes: Vec<_> = evaluated.calls.iter().map(CallArguments::filter).collect();
        let mut last: Option<(&[u8], u32)> = None;
        for row in (0..batch.rows()).filter(|row| !evaluated.failed[*row]) {
            let group = groups.as_ref().map_or(&[][..], |groups| groups.row(row).data());
            // Neighbours are often of one group.
            let number = match last {
                Some((known, number)) if known == group => number,
                _ => number(&mut self.numbers, group, &mut self.sums, cells),
            };
            last = Some((group, number));
            let diff = batch.diff(row);
            let sum = &mut self.sums[number as usize * cells..][..cells];
            self.cells.layout.add_rows(diff, sum);
            for contributions in &linear {
                contributions.add(row, diff, sum);
            }
            for (call, arguments) in evaluated.calls.iter().enumerate() {
                if let (Some(rows), Some(encoding)) = (&arguments.rows, &self.encodings[call])
                    && passes[call].is_none_or(|filter| filter.is_valid(row) && filter.value(row))
                    && encoding.holds(&arguments.values, row)
                {
                    self.counts.push(number, call as u16, rows.row(row).data(), diff);
                }
            }
        }
        self.worker.meters.add(self.stage, batch.rows(), 0, Some(started.elapsed()));
        Ok(())
    }

    fn evaluate(&self, batch: &Batch) -> Result<EvaluatedCalls, RunError> {
        let mut failed = vec![false; batch.rows()];
        let mut emit = Emit::default();
        let mut run = |expression: &Expression, failed: &mut Vec<bool>| {
            let Evaluated { values, failures, warnings } = expression.evaluate(&batch.columns);
            warnings.iter().for_each(|warning| emit.warn(batch, warning.row, warning.reason, &warning.detail));
            for failure in failures {
                if !std::mem::replace(&mut failed[failure.row], true) {
                    emit.reject(batch, failure.row, failure.reason, failure.detail);
                }
            }
            values
        };
        let mut calls = Vec::new();
        for (call, encoding) in self.spec.calls.iter().zip(&self.encodings) {
            let filter = call.filter.as_ref().map(|filter| run(filter, &mut failed));
            let values: Vec<ArrayRef> = call.arguments.iter().map(|argument| run(argument, &mut failed)).collect();
            let rows = encoding.as_ref().map(|encoding| encoding.encode(&values)).transpose()?;
            calls.push(CallArguments { filter, values, rows });
        }
        let mut events = SegmentEvents::default();
        events.absorb(self.stage, &mut emit, Some(batch));
        self.worker.run.note(None, events);
        Ok(EvaluatedCalls { calls, failed })
    }

    /// Takes what was gathered, in no order: whoever gathers it from the workers sorts it.
    pub fn drain(&mut self) -> impl Iterator<Item = Contribution> + use<> {
        let (cells, sums) = (self.cells.count(), std::mem::take(&mut self.sums));
        let mut lists = self.counts.take(self.numbers.len());
        let groups = std::mem::take(&mut self.numbers);
        groups.into_iter().filter_map(move |(group, number)| {
            let values = std::mem::take(&mut lists[number as usize]);
            let sum = &sums[number as usize * cells..][..cells];
            let nothing = values.is_empty() && sum.iter().all(|cell| *cell == 0);
            (!nothing).then(|| Contribution { group, cells: Cells::new(sum), values })
        })
    }
}

/// The number of a group, which is given to it when it is first met.
fn number(numbers: &mut RowMap<u32>, group: &[u8], sums: &mut Vec<i128>, cells: usize) -> u32 {
    if let Some(number) = numbers.get(group) {
        return *number;
    }
    let number = numbers.len() as u32;
    numbers.insert(group.into(), number);
    sums.resize(sums.len() + cells, 0);
    number
}

struct EvaluatedCalls {
    calls: Vec<CallArguments>,
    /// Rows on which an expression failed; they count in no call.
    failed: Vec<bool>,
}

struct CallArguments {
    filter: Option<ArrayRef>,
    values: Vec<ArrayRef>,
    rows: Option<arrow_row::Rows>,
}

impl CallArguments {
    /// The call's filter, where it has one.
    fn filter(&self) -> Option<&BooleanArray> {
        self.filter.as_ref().and_then(|filter| filter.as_any().downcast_ref())
    }
}
