//! From rows of a stage back to the rows of tables that they are made of, by the state alone.
//!
//! Nothing is kept for it: the rows of tables are read from the state, and what lies between is computed for those that may
//! be meant. What is asked of a stage is passed on to its inputs as far as columns go through unchanged, so that most rows are left
//! out where they lie; a whole table key is looked up.

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use vardelta_schemas::ledger::DropId;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt64Array, new_null_array};
use arrow_schema::{ArrowError, Schema as ArrowSchema};
use arrow_select::{concat::concat_batches, take::take_record_batch};

use super::{
    top::first_rows,
    wanted::{Wanted, encode, mask, of_input},
};
use crate::{
    abort::Abort,
    contract::{
        batch::Batch,
        emit::Emit,
        stage::{Planned, Transform},
    },
    error::RunError,
    flow::table::{assertions_of, scan_assertions},
    locks::Locked as _,
    plan::{Plan, StageIndex},
    relational::{AggregateSpec, Conflict, Relational, TableSpec, UnionSpec},
    rows::{Row, RowLayout},
    state::{SHARDS, Snapshot},
};

/// Rows of a table that are looked at together.
pub(super) const ROWS_AT_ONCE: usize = 4_096;

/// A row of a table.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The table.
    pub stage: StageIndex,
    /// The row's key.
    pub key: Row,
    /// The drop whose row it is.
    pub drop_id: DropId,
    /// The record in the drop.
    pub origin: u64,
}

/// Rows of a stage, and for each the rows of tables that it is made of.
#[derive(Default)]
pub(super) struct Found {
    /// The rows, in batches.
    pub rows: Vec<RecordBatch>,
    /// For each row its parts.
    pub parts: Vec<Vec<Rc<Leaf>>>,
    /// Whether columns that an aggregate computes are left NULL.
    pub is_partial: bool,
}

/// Gets rows and their parts.
pub(super) type Each<'a> = dyn FnMut(RecordBatch, Vec<Vec<Rc<Leaf>>>) -> Result<(), RunError> + 'a;

/// One row of a group, and what the group is made of.
type Group = (RecordBatch, Vec<Rc<Leaf>>);

/// Walks back through a plan.
pub(super) struct Walk<'a> {
    pub plan: &'a Plan,
    pub before: &'a Snapshot,
    pub abort: &'a Abort,
    pub notices: Mutex<Vec<String>>,
    /// For some tables, by stage, rows that are taken instead of theirs.
    pub instead: BTreeMap<StageIndex, Vec<Instead>>,
    /// The rows of aggregates, where they are needed; without them the columns that an aggregate computes are left NULL.
    pub aggregates: Option<Arc<Aggregates>>,
    /// Set where a walk cannot go on without them.
    pub needs_aggregates: AtomicBool,
}

/// By stage and encoded group, the row of an aggregate.
pub(super) type Aggregates = BTreeMap<StageIndex, BTreeMap<Box<[u8]>, RecordBatch>>;

/// A row that is taken instead of a table's rows.
pub(super) struct Instead {
    /// Its key.
    pub key: Row,
    /// The row.
    pub rows: RecordBatch,
    /// What it is called to mind by, as the origin of its [`Leaf`].
    pub number: u64,
}

impl Walk<'_> {
    /// The rows of a stage that are wanted.
    pub fn find(&self, stage: StageIndex, wanted: &Wanted) -> Result<Found, RunError> {
        let mut found = Found::default();
        found.is_partial = self.each(stage, wanted, &mut |rows, mut parts| {
            found.rows.push(rows);
            found.parts.append(&mut parts);
            Ok(())
        })?;
        Ok(found)
    }

    /// The same batch by batch; says whether columns are left NULL that an aggregate computes.
    pub(super) fn each(&self, stage: StageIndex, wanted: &Wanted, each: &mut Each<'_>) -> Result<bool, RunError> {
        self.abort.check()?;
        let mut sieve = |rows: RecordBatch, parts: Vec<Vec<Rc<Leaf>>>| {
            let keep = mask(wanted, &rows).map_err(RunError::internal)?;
            let kept: Vec<usize> = (0..rows.num_rows()).filter(|row| keep.value(*row)).collect();
            match kept.len() {
                0 => Ok(()),
                all if all == rows.num_rows() => each(rows, parts),
                _ => {
                    let parts = kept.iter().map(|row| parts[*row].clone()).collect();
                    each(take(&rows, &kept)?, parts)
                }
            }
        };
        let inputs = &self.plan.stages[stage].inputs;
        match &self.plan.stages[stage].planned {
            Planned::Relational(Relational::Table(spec)) => {
                self.table(stage, spec, wanted, &mut sieve)?;
                Ok(false)
            }
            Planned::Relational(Relational::Union(spec)) => self.union(stage, spec, wanted, &mut sieve),
            Planned::Relational(Relational::Aggregate(spec)) => {
                self.aggregate(stage, spec, wanted, &mut sieve)?;
                Ok(self.aggregates.is_none())
            }
            Planned::Relational(Relational::Top(spec)) => {
                let (mut all, of_groups) = (Vec::new(), of_input(wanted, |at| spec.by.contains(&at).then_some(at)));
                let is_partial = self.each(inputs[0], &of_groups, &mut |rows, parts| {
                    all.push((rows, parts));
                    Ok(())
                })?;
                first_rows(spec, all)?.into_iter().try_for_each(|(rows, parts)| sieve(rows, parts))?;
                Ok(is_partial)
            }
            Planned::Relational(Relational::Join(spec)) => self.join(stage, spec, wanted, &mut sieve),
            Planned::Relational(Relational::Resident(spec)) => self.resident(stage, spec, wanted, &mut sieve),
            Planned::Relational(Relational::Lookup(spec)) => {
                self.lookup(stage, spec, wanted, &mut sieve)?;
                Ok(false)
            }
            Planned::Transform(transform) => self.transform(stage, inputs[0], transform.as_ref(), wanted, &mut sieve),
            Planned::Source(_) | Planned::Sink(_) => {
                Err(RunError::internal(format!("stage `{}` keeps no rows", self.plan.stages[stage].name)))
            }
        }
    }

    fn table(&self, stage: StageIndex, spec: &TableSpec, wanted: &Wanted, each: &mut Each<'_>) -> Result<(), RunError> {
        if let Some(instead) = self.instead.get(&stage) {
            for Instead { key, rows, number } in instead {
                let leaf = Leaf { stage, key: key.clone(), drop_id: DropId::default(), origin: *number };
                each(rows.clone(), vec![vec![Rc::new(leaf)]])?;
            }
            return Ok(());
        }
        let layout = self.plan.stages[stage].layout()?;
        let name = &self.plan.stages[stage].name;
        let mut gathered =
            Gathered { stage, layout: &layout, conflict: spec.conflict, rows: Vec::new(), leaves: Vec::new() };
        if let Some(whole) = wanted.iter().find(|equal| equal.columns == spec.key && !spec.key.is_empty()) {
            for key in whole.values.iter() {
                let list = assertions_of(self.before, name, spec.conflict, key)?;
                let Some((assertion, _)) = list.iter().find(|(_, stands)| *stands) else { continue };
                gathered.add(key, (assertion.place, assertion.version, assertion.origin, &assertion.value));
                if gathered.rows.len() == ROWS_AT_ONCE {
                    gathered.give(each)?;
                }
            }
            return gathered.give(each);
        }
        for shard in 0..SHARDS {
            self.abort.check()?;
            let mut failed = None;
            scan_assertions(self.before, name, shard, spec.conflict, &mut |key, parts, stands| {
                if !stands {
                    return true;
                }
                gathered.add(key, parts);
                if gathered.rows.len() == ROWS_AT_ONCE {
                    failed = gathered.give(each).err();
                }
                failed.is_none()
            })?;
            failed.map_or(Ok(()), Err)?;
        }
        gathered.give(each)
    }

    fn union(
        &self,
        stage: StageIndex,
        spec: &UnionSpec,
        wanted: &Wanted,
        each: &mut Each<'_>,
    ) -> Result<bool, RunError> {
        let schema = spec.schema.to_arrow();
        let first = usize::from(spec.tags.is_some());
        let mut is_partial = false;
        for (port, input) in self.plan.stages[stage].inputs.iter().enumerate() {
            let of_this = of_input(wanted, |column| column.checked_sub(first));
            is_partial |= self.each(*input, &of_this, &mut |rows, parts| {
                let tag = spec.tags.as_ref().map(|tags| {
                    let names = std::iter::repeat_n(&tags[port], rows.num_rows());
                    Arc::new(StringArray::from_iter_values(names)) as ArrayRef
                });
                let columns = tag.into_iter().chain(rows.columns().iter().cloned()).collect();
                each(batch(&schema, columns, rows.num_rows())?, parts)
            })?;
        }
        Ok(is_partial)
    }

    fn transform(
        &self,
        stage: StageIndex,
        input: StageIndex,
        transform: &dyn Transform,
        wanted: &Wanted,
        each: &mut Each<'_>,
    ) -> Result<bool, RunError> {
        let width = self.plan.stages[input].schema.columns().len();
        let goes_to = |column: usize| match (transform.passes_through(column), &transform.carries(column)[..]) {
            (Some(place), _) => Some(place),
            (None, [place]) => Some(*place),
            _ => None,
        };
        let comes_from = |place: usize| (0..width).find(|column| goes_to(*column) == Some(place));
        let of_this = of_input(wanted, comes_from);
        let name = &self.plan.stages[stage].name;
        let is_asked_whole = of_this.len() == wanted.len();
        let mut run = transform.start().map_err(|error| RunError::stage(name, error))?;
        let schema = transform.schema().to_arrow();
        // Until the input says that it leaves columns NULL, its rows are computed with.
        let is_partial = self.is_partial(input);
        self.each(input, &of_this, &mut |rows, parts| {
            if is_partial {
                if !is_asked_whole || self.plan.stages[stage].type_name == "filter" {
                    return Err(self.not_followed(name));
                }
                let places: Vec<Option<usize>> = (0..schema.fields().len()).map(comes_from).collect();
                let column = |(at, place): (usize, &Option<usize>)| match place {
                    Some(column) => Arc::clone(rows.column(*column)),
                    None => new_null_array(schema.field(at).data_type(), rows.num_rows()),
                };
                let columns = places.iter().enumerate().map(column).collect();
                return each(batch(&lax(&schema), columns, rows.num_rows())?, parts);
            }
            let origins = (0..rows.num_rows() as u64).collect();
            let (mut emit, count) = (Emit::default(), rows.num_rows());
            let input = Batch { columns: rows, diffs: Some(vec![1; count]), origins: Some(origins), provenance: None };
            run.apply(&input, &mut emit).map_err(|error| RunError::stage(name, error))?;
            for output in emit.batches {
                let origins = output.origins.unwrap_or_default();
                let of_rows = origins.iter().map(|origin| parts[*origin as usize].clone()).collect();
                each(output.columns, of_rows)?;
            }
            Ok(())
        })?;
        Ok(is_partial)
    }

    /// Whether rows of a stage lack the columns that an aggregate computes.
    pub(super) fn is_partial(&self, stage: StageIndex) -> bool {
        let planned = &self.plan.stages[stage];
        if planned.as_aggregate().is_some() {
            return self.aggregates.is_none();
        }
        let is_kept = planned.is_table() || planned.as_lookup().is_some();
        !is_kept && planned.inputs.iter().any(|input| self.is_partial(*input))
    }

    fn aggregate(
        &self,
        stage: StageIndex,
        spec: &AggregateSpec,
        wanted: &Wanted,
        each: &mut Each<'_>,
    ) -> Result<(), RunError> {
        let groups = spec.group_by.len();
        let of_this = of_input(wanted, |column| spec.group_by.get(column).copied());
        if of_this.len() < wanted.len() && self.aggregates.is_none() {
            return Err(self.not_followed(&self.plan.stages[stage].name));
        }
        let mut by_group: BTreeMap<Box<[u8]>, Group> = BTreeMap::new();
        self.each(self.plan.stages[stage].inputs[0], &of_this, &mut |rows, parts| {
            let encoded = match spec.group_by.is_empty() {
                true => None,
                false => Some(encode(&rows, &spec.group_by).map_err(RunError::internal)?),
            };
            for (row, parts) in parts.into_iter().enumerate() {
                let group: Box<[u8]> = encoded.as_ref().map_or(&[][..], |encoded| encoded.row(row).data()).into();
                match by_group.get_mut(&group) {
                    Some((_, known)) => known.extend(parts),
                    None => drop(by_group.insert(group, (take(&rows, &[row])?, parts))),
                }
            }
            Ok(())
        })?;
        if let Some(aggregates) = &self.aggregates {
            // A group that only the rows of a history have is none now.
            for (group, (_, parts)) in by_group {
                if let Some(row) = aggregates.get(&stage).and_then(|rows| rows.get(&group)) {
                    each(row.clone(), vec![parts])?;
                }
            }
            return Ok(());
        }
        let schema = lax(&spec.schema.to_arrow());
        for (rows, parts) in by_group.into_values() {
            let column = |(at, field): (usize, &Arc<arrow_schema::Field>)| match spec.group_by.get(at) {
                Some(column) if at < groups => Arc::clone(rows.column(*column)),
                _ => new_null_array(field.data_type(), 1),
            };
            let columns = schema.fields().iter().enumerate().map(column).collect();
            each(batch(&schema, columns, 1)?, vec![parts])?;
        }
        Ok(())
    }

    /// What is asked of the stage is computed by an aggregate: the walk starts over with its rows.
    pub(super) fn not_followed(&self, stage: &str) -> RunError {
        self.needs_aggregates.store(true, Ordering::Relaxed);
        RunError::internal(format!("`{stage}` asks for what an aggregate computes"))
    }

    pub(super) fn note(&self, notice: String) {
        let mut notices = self.notices.locked();
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }
}

/// Rows of a table on their way.
struct Gathered<'a> {
    stage: StageIndex,
    layout: &'a RowLayout,
    conflict: Conflict,
    rows: Vec<(Row, Row)>,
    leaves: Vec<Rc<Leaf>>,
}

impl Gathered<'_> {
    fn add(&mut self, key: &[u8], (place, _, origin, value): (u64, u64, u64, &[u8])) {
        self.rows.push((key.into(), self.conflict.row(value).into()));
        self.leaves.push(Rc::new(Leaf { stage: self.stage, key: key.into(), drop_id: DropId::new(place), origin }));
    }

    fn give(&mut self, each: &mut Each<'_>) -> Result<(), RunError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let decoded = self.layout.decode(rows.iter().map(|(key, value)| (&**key, &**value)));
        each(decoded.map_err(RunError::internal)?, self.leaves.drain(..).map(|leaf| vec![leaf]).collect())
    }
}

pub(super) fn take(rows: &RecordBatch, at: &[usize]) -> Result<RecordBatch, RunError> {
    let at: UInt64Array = at.iter().map(|row| *row as u64).collect();
    take_record_batch(rows, &at).map_err(RunError::internal)
}

pub(super) fn batch(schema: &Arc<ArrowSchema>, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, RunError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(RunError::internal)
}

pub(super) fn concat(schema: &Arc<ArrowSchema>, rows: &[RecordBatch]) -> Result<RecordBatch, RunError> {
    let schema = rows.first().map_or_else(|| Arc::clone(schema), RecordBatch::schema);
    concat_batches(&schema, rows).map_err(|error: ArrowError| RunError::internal(error))
}

/// A schema whose columns all allow NULL.
pub(super) fn lax(schema: &ArrowSchema) -> Arc<ArrowSchema> {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}
