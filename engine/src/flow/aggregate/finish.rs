//! From a group's accumulators to its row: the results of the calls, then the expressions over them, batch at a time.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_row::{RowConverter, RowParser, SortField};
use arrow_schema::{Field, SchemaRef};

use crate::{
    contract::{batch::Batch, emit::Emit, reason::Reason, warning::Warned},
    error::RunError,
    flow::{
        WorkerContext,
        aggregate::{GroupCells, answers::Answers, hydration::GroupRow, outer_batch, spec},
        segment::SegmentEvents,
    },
    plan::StageIndex,
    relational::AggregateSpec,
    rows::RowBatch,
};

/// Turns what is known of groups into rows of the aggregate.
pub(crate) struct Finish {
    pub worker: WorkerContext,
    stage: StageIndex,
    spec: AggregateSpec,
    cells: GroupCells,
    groups: Option<(RowConverter, RowParser)>,
    answers: Vec<Answers>,
    /// The group's columns and the calls' results.
    outer: SchemaRef,
}

impl Finish {
    pub fn new(stage: StageIndex, worker: WorkerContext) -> Result<Finish, RunError> {
        let spec = spec(&worker.run, stage)?.clone();
        let mut fields: Vec<Field> = spec.key.iter().map(|at| spec.schema.columns()[*at].to_arrow()).collect();
        let groups = match fields.is_empty() {
            true => None,
            false => {
                let sort = fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
                let converter = RowConverter::new(sort).map_err(RunError::internal)?;
                let parser = converter.parser();
                Some((converter, parser))
            }
        };
        let mut answers = Vec::new();
        for (at, call) in spec.calls.iter().enumerate() {
            fields.push(Field::new(AggregateSpec::call_column(at), call.result.to_arrow(), true));
            answers.push(Answers::new(at, call)?);
        }
        let cells = GroupCells::new(&spec);
        let outer = Arc::new(arrow_schema::Schema::new(fields));
        Ok(Finish { worker, stage, spec, cells, groups, answers, outer })
    }

    /// The rows of these groups, with the groups' multiplicities.
    pub fn run(&mut self, updates: &[GroupRow]) -> Result<RowBatch, RunError> {
        let mut columns: Vec<ArrayRef> = match &self.groups {
            None => Vec::new(),
            Some((converter, parser)) => converter
                .convert_rows(updates.iter().map(|update| parser.parse(&update.group)))
                .map_err(RunError::internal)?,
        };
        let mut emit = Emit::default();
        let mut failed = vec![false; updates.len()];
        let diffs = updates.iter().map(|update| update.diff).collect();
        for of_call in &self.answers {
            let (column, failures) = of_call.column(&self.cells.layout, updates)?;
            for (row, reason, detail) in failures {
                if !std::mem::replace(&mut failed[row], true) {
                    self.reject(&mut emit, updates, row, reason, &detail);
                }
            }
            columns.push(column);
        }
        let outer = outer_batch(Arc::clone(&self.outer), columns, updates.len())?;
        let mut output: Vec<ArrayRef> = outer.columns()[..self.spec.key.len()].to_vec();
        for (_, expression) in &self.spec.columns {
            let evaluated = expression.evaluate(&outer);
            for warning in evaluated.warnings.iter().filter(|warning| updates[warning.row].diff > 0) {
                emit.warnings.add(warning.reason, &warning.detail, Warned::once(None));
            }
            for failure in evaluated.failures {
                if !std::mem::replace(&mut failed[failure.row], true) {
                    self.reject(&mut emit, updates, failure.row, failure.reason, &failure.detail);
                }
            }
            output.push(evaluated.values);
        }
        let mut events = SegmentEvents::default();
        events.absorb(self.stage, &mut emit, None);
        self.worker.run.note(None, events);

        let kept: Vec<u64> = (0..updates.len() as u64).filter(|row| !failed[*row as usize]).collect();
        // A row that failed may hold NULL where its column cannot: it goes before the columns are declared.
        let loose = Field::new;
        let fields: Vec<Field> = self
            .spec
            .schema
            .columns()
            .iter()
            .map(|column| loose(&column.name, column.column_type.to_arrow(), true))
            .collect();
        let rows = outer_batch(Arc::new(arrow_schema::Schema::new(fields)), output, updates.len())?;
        let batch = Batch::changes(rows, diffs).take(&kept).map_err(RunError::internal)?;
        let schema = Arc::clone(self.worker.run.layout(self.stage)?.schema());
        let rows = RecordBatch::try_new_with_options(
            schema,
            batch.columns.columns().to_vec(),
            &arrow_array::RecordBatchOptions::new().with_row_count(Some(kept.len())),
        )
        .map_err(RunError::internal)?;
        let encoded = self.worker.run.layout(self.stage)?.encode(&rows).map_err(RunError::internal)?;
        let mut changes = RowBatch::default();
        (0..kept.len()).for_each(|row| changes.push(encoded.key(row), encoded.value(row), batch.diff(row)));
        Ok(changes)
    }

    fn reject(&self, emit: &mut Emit, updates: &[GroupRow], row: usize, reason: &'static Reason, detail: &str) {
        let group = match self.worker.run.layout(self.stage) {
            Ok(layout) => layout.describe_key(&updates[row].group),
            Err(_) => String::new(),
        };
        emit.rejects.push(crate::contract::emit::Reject {
            origin: None,
            diff: updates[row].diff,
            place: None,
            reason,
            detail: format!("group {group}: {detail}"),
        });
    }
}
