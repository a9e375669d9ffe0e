//! `aggregate` at work: one row per group, from accumulators that live in the difference.
//!
//! The state keeps, by group, the accumulators (`<stage>`), and for min, max and count distinct how often the group holds
//! each value (`<stage>/values`, values in order). The operator reads the accumulators of the groups a chunk touches, and of
//! a group's values only those that the chunk touches and, for min and max, the first ones up to one that stays: the
//! cost follows the change, not the group. Differential's `reduce` sees the old accumulators at `Stored`, the contributions at
//! `Incoming`, and its output at `Incoming` is the change.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_row::{RowConverter, SortField};
use arrow_schema::SortOptions;
use differential_dataflow::AsCollection;
use serde::{Deserialize, Serialize};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        StreamVec,
        channels::pact::{Exchange, Pipeline},
        operators::generic::operator::Operator,
    },
};

use crate::{
    batch::Batch,
    error::{RunError, RunErrorKind},
    expression::{Evaluated, Expression},
    flow::{INCOMING, RunContext, STORED, Update, WorkerContext, finish::Finish, table::only_incoming},
    relational::{
        AggregateCall, AggregateFunction, AggregateSpec, Relational,
        accumulate::{Cells, Layout},
    },
    rows::Row,
    stage::Planned,
    state::{SHARDS, shard_of},
    varint,
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

/// One of the things a group consists of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Part {
    /// The accumulators; they are the difference.
    Cells,
    /// A value of a min or max call; how often it is there is the difference's first cell.
    Value(u16, Row),
}

/// Gathers contributions over the batches of a chunk.
pub(crate) struct Contributions {
    stage: usize,
    worker: WorkerContext,
    spec: AggregateSpec,
    cells: GroupCells,
    groups: RowConverter,
    values: Vec<Option<RowConverter>>,
    sums: HashMap<Row, Sum>,
}

#[derive(Default)]
struct Sum {
    cells: Vec<i128>,
    values: Vec<(u16, Row, i64)>,
}

/// Adds up the counts of equal values; leaves them in order, without those that add up to nothing.
fn add_up<V: Ord>(values: &mut Vec<(u16, V, i64)>) {
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

/// The cells of a group: those of the linear calls, then one per `count(DISTINCT …)`, which counts the values that are there,
/// then, for an aggregate over everything, one that is always 1: its row is there also when there are no rows.
pub(crate) struct GroupCells {
    pub layout: Layout,
    distinct: Vec<Option<usize>>,
    always: Option<usize>,
    count: usize,
}

impl GroupCells {
    pub fn new(spec: &AggregateSpec) -> GroupCells {
        let layout = Layout::new(spec);
        let mut count = layout.cells();
        let mut distinct = Vec::new();
        for call in &spec.calls {
            let counts = call.function == AggregateFunction::CountDistinct;
            distinct.push(counts.then_some(count));
            count += usize::from(counts);
        }
        let always = spec.group_by.is_empty().then_some(count);
        GroupCells { layout, distinct, always, count: count + usize::from(always.is_some()) }
    }

    /// Whether a group with these cells has a row.
    fn has_row(&self, cells: &Cells) -> bool {
        self.always.is_some() || cell(cells, Layout::ROWS_CELL) > 0
    }

    /// How many cells a group has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The cell of a `count(DISTINCT …)` call.
    pub fn distinct(&self, call: usize) -> Option<usize> {
        self.distinct[call]
    }
}

/// A cell, zero where the vector is cut short.
pub(crate) fn cell(cells: &Cells, at: usize) -> i128 {
    cells.values().get(at).copied().unwrap_or_default()
}

fn add(into: &mut [i128], cells: &Cells) {
    for (into, value) in into.iter_mut().zip(cells.values()) {
        *into = into.wrapping_add(*value);
    }
}

/// Whether a call needs to know the group's values.
fn keeps_values(call: &AggregateCall) -> bool {
    matches!(call.function, AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::CountDistinct)
}

/// The encoding of a call's values: the wanted one sorts first.
pub(crate) fn value_converter(call: &AggregateCall) -> Result<Option<RowConverter>, RunError> {
    let Some(argument) = call.argument.as_ref().filter(|_| keeps_values(call)) else { return Ok(None) };
    let options = SortOptions { descending: call.function == AggregateFunction::Max, nulls_first: false };
    let field = SortField::new_with_options(argument.column_type.to_arrow(), options);
    RowConverter::new(vec![field]).map(Some).map_err(RunError::internal)
}

pub(crate) fn spec(run: &RunContext, stage: usize) -> Result<&AggregateSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Aggregate(spec)) => Ok(spec),
        _ => Err(RunError::internal("contributions to a stage that is no aggregate")),
    }
}

impl Contributions {
    /// Nothing yet.
    pub fn new(stage: usize, worker: &WorkerContext) -> Result<Contributions, RunError> {
        let spec = spec(&worker.run, stage)?.clone();
        let group_fields = spec.key.iter().map(|at| spec.schema.columns()[*at].column_type.to_arrow());
        let groups = RowConverter::new(group_fields.map(SortField::new).collect()).map_err(RunError::internal)?;
        let values = spec.calls.iter().map(value_converter).collect::<Result<_, _>>()?;
        let cells = GroupCells::new(&spec);
        Ok(Contributions { stage, worker: worker.clone(), spec, cells, groups, values, sums: HashMap::new() })
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
                self.cells.layout.contributions(call, arguments.values.as_ref(), arguments.filter.as_ref())
            })
            .collect();
        let cells = self.cells.count();
        for row in (0..batch.rows()).filter(|row| !evaluated.failed[*row]) {
            let group = groups.as_ref().map_or(&[][..], |groups| groups.row(row).data());
            if !self.sums.contains_key(group) {
                self.sums.insert(group.into(), Sum { cells: vec![0; cells], values: Vec::new() });
            }
            let Some(sum) = self.sums.get_mut(group) else { continue };
            let diff = batch.diff(row);
            self.cells.layout.add_rows(diff, &mut sum.cells);
            for (call, arguments) in evaluated.calls.iter().enumerate() {
                if !self.cells.layout.is_linear(call) {
                    if !arguments.holds_value(row) {
                        continue;
                    }
                    let Some(rows) = &arguments.rows else { continue };

                    sum.values.push((call as u16, rows.row(row).data().into(), diff));
                }
            }
            for contributions in &linear {
                contributions.add(row, diff, &mut sum.cells);
            }
        }
        self.worker.meters.add(self.stage, batch.rows(), 0, Some(started.elapsed()));
        Ok(())
    }

    fn evaluate(&self, batch: &Batch) -> Result<EvaluatedCalls, RunError> {
        let mut failed = vec![false; batch.rows()];
        let mut emit = crate::stage::Emit::default();
        let mut run = |expression: &Expression, failed: &mut Vec<bool>| {
            let Evaluated { values, failures } = expression.evaluate(&batch.columns);
            for failure in failures {
                if !std::mem::replace(&mut failed[failure.row], true) {
                    emit.reject(batch, failure.row, failure.reason, failure.detail);
                }
            }
            values
        };
        let mut calls = Vec::new();
        for (call, converter) in self.spec.calls.iter().zip(&self.values) {
            let filter = call.filter.as_ref().map(|filter| run(filter, &mut failed));
            let values = call.argument.as_ref().map(|argument| run(argument, &mut failed));
            let rows = match (converter, &values) {
                (Some(converter), Some(values)) => {
                    Some(converter.convert_columns(&[Arc::clone(values)]).map_err(RunError::internal)?)
                }
                _ => None,
            };
            calls.push(CallArguments { filter, values, rows });
        }
        let mut events = crate::flow::segment::SegmentEvents::default();
        events.absorb(self.stage, &mut emit, Some(batch));
        self.worker.run.note(None, events);
        Ok(EvaluatedCalls { calls, failed })
    }

    /// Takes what was gathered, in order of group.
    pub fn drain(&mut self) -> impl Iterator<Item = Contribution> + use<> {
        let mut sums: Vec<(Row, Sum)> = self.sums.drain().collect();
        sums.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        sums.into_iter().filter_map(|(group, sum)| {
            let mut values = sum.values;
            add_up(&mut values);
            let nothing = values.is_empty() && sum.cells.iter().all(|cell| *cell == 0);
            (!nothing).then(|| Contribution { group, cells: Cells::new(sum.cells), values })
        })
    }
}

struct EvaluatedCalls {
    calls: Vec<CallArguments>,
    /// Rows on which an expression failed; they count in no call.
    failed: Vec<bool>,
}

struct CallArguments {
    filter: Option<ArrayRef>,
    values: Option<ArrayRef>,
    rows: Option<arrow_row::Rows>,
}

impl CallArguments {
    /// Whether the row passes the call's filter with a value that is not NULL.
    fn holds_value(&self, row: usize) -> bool {
        let passes = self.filter.as_ref().is_none_or(|filter| {
            let filter = filter.as_any().downcast_ref::<BooleanArray>();
            filter.is_some_and(|filter| filter.is_valid(row) && filter.value(row))
        });
        passes && self.values.as_ref().is_some_and(|values| values.is_valid(row))
    }
}

/// Renders an aggregate: contributions in, changes of the keyed collection out.
pub(crate) fn render<'scope>(
    contributions: StreamVec<'scope, u64, Contribution>,
    stage: usize,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, Update>, RunError> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let spec = spec(&worker.run, stage)?;
    let (group_cells, calls) = (GroupCells::new(spec), spec.calls.len());
    let hydration = Hydration::new(stage, worker.clone(), spec);
    let exchange = Exchange::new(|contribution: &Contribution| u64::from(shard_of(&contribution.group)));
    let hydrated = contributions
        .unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(exchange, &name, move |capability, _| {
            let mut capability = Some(capability);
            let mut incoming: Vec<Contribution> = Vec::new();
            move |(input, frontier), output| {
                input.for_each(|_, contributions| incoming.append(contributions));
                if !frontier.is_empty() {
                    return;
                }
                let Some(stored_time) = capability.take() else { return };
                let incoming_time = stored_time.delayed(&INCOMING);
                let result = hydration.run(std::mem::take(&mut incoming), |shard| {
                    output.session(&stored_time).give_iterator(shard.stored.drain(..));
                    output.session(&incoming_time).give_iterator(shard.incoming.drain(..));
                });
                if let Err(error) = result {
                    hydration.worker.run.abort.raise(error);
                }
            }
        })
        .as_collection();
    let packed = hydrated.reduce_named(&name, move |_group, parts, output| {
        let (mut cells, mut winners) = (None, vec![None; calls]);
        for (part, difference) in parts {
            match part {
                Part::Cells => cells = Some(difference),
                Part::Value(call, value) if cell(difference, 0) > 0 => {
                    winners[usize::from(*call)].get_or_insert(value);
                }
                Part::Value(..) => {}
            }
        }
        if let Some(cells) = cells.filter(|cells| group_cells.has_row(cells)) {
            output.push((pack(cells, &winners), 1isize));
        }
    });
    let changes = only_incoming(packed.inner, &name);
    let mut finish = Finish::new(stage, worker.clone())?;
    Ok(changes.unary::<CapacityContainerBuilder<Vec<_>>, _, _, _>(Pipeline, &name, move |_, _| {
        move |input, output| {
            input.for_each_time(|time, batches| {
                let updates: Vec<Update> = batches.flat_map(|batch| batch.drain(..)).collect();
                match finish.run(&updates) {
                    Ok(rows) => output.session(&time).give_iterator(rows.into_iter()),
                    Err(error) => finish.worker.run.abort.raise(error),
                }
            });
        }
    }))
}

/// A group as bytes, on its way from `reduce` to its row.
fn pack(cells: &Cells, winners: &[Option<&Row>]) -> Row {
    let mut bytes = Vec::new();
    let mut encoded = Vec::new();
    cells.encode(&mut encoded);
    varint::push_bytes(&mut bytes, &encoded);
    for winner in winners {
        match winner {
            None => varint::push(&mut bytes, 0),
            Some(value) => {
                varint::push(&mut bytes, value.len() as u64 + 1);
                bytes.extend_from_slice(value);
            }
        }
    }
    bytes.into()
}

/// Undoes [`pack`].
pub(crate) fn unpack(bytes: &[u8], calls: usize) -> Option<(Cells, Vec<Option<&[u8]>>)> {
    let mut at = 0;
    let cells = Cells::decode(varint::read_bytes(bytes, &mut at)?).ok()?;
    let mut winners = Vec::with_capacity(calls);
    for _ in 0..calls {
        let length = varint::read(bytes, &mut at)? as usize;
        winners.push(match length.checked_sub(1) {
            None => None,
            Some(length) => {
                let value = bytes.get(at..at + length)?;
                at += length;
                Some(value)
            }
        });
    }
    Some((cells, winners))
}

/// One part's group, time and difference, as differential takes it.
type PartUpdate = ((Row, Part), u64, Cells);

#[derive(Default)]
struct Hydrated {
    stored: Vec<PartUpdate>,
    incoming: Vec<PartUpdate>,
}

/// The change of how often a value is there; the list is in order of value.
fn delta_of(deltas: &[(u16, &Row, i64)], value: &Row) -> i64 {
    deltas.binary_search_by(|delta| delta.1.cmp(value)).map_or(0, |at| deltas[at].2)
}

impl Hydrated {
    /// Emits the values of a min or max call up to the later of two: the winner before and the winner after. Those behind
    /// both cannot win, so differential need not see them.
    fn candidates(&mut self, group: &Row, call: u16, before: &BTreeMap<Row, i64>, deltas: &[(u16, &Row, i64)]) {
        let stays = |value: &Row, delta: i64| before.get(value).copied().unwrap_or_default() + delta > 0;
        let kept = before.keys().find(|value| stays(value, delta_of(deltas, value)));
        let new = deltas.iter().find(|delta| stays(delta.1, delta.2)).map(|delta| delta.1);
        let after = kept.into_iter().chain(new).min();
        let Some(last) = before.keys().next().max(after) else { return };
        let part = |value: &Row| (group.clone(), Part::Value(call, value.clone()));
        let difference = |count: i64| Cells::new(vec![i128::from(count)]);
        let stored = before.iter().take_while(|(value, _)| *value <= last);
        self.stored.extend(stored.map(|(value, count)| (part(value), STORED, difference(*count))));
        let incoming = deltas.iter().take_while(|delta| delta.1 <= last);
        self.incoming.extend(incoming.map(|(_, value, count)| (part(value), INCOMING, difference(*count))));
    }
}

/// Reads and writes the state of one aggregate on one worker.
struct Hydration {
    worker: WorkerContext,
    cells: GroupCells,
    functions: Vec<AggregateFunction>,
    space: String,
    value_space: String,
}

impl Hydration {
    fn new(stage: usize, worker: WorkerContext, spec: &AggregateSpec) -> Hydration {
        let space = worker.run.plan.stages[stage].name.clone();
        Hydration {
            cells: GroupCells::new(spec),
            functions: spec.calls.iter().map(|call| call.function).collect(),
            value_space: value_space(&space),
            space,
            worker,
        }
    }

    fn run(&self, contributions: Vec<Contribution>, mut emit: impl FnMut(&mut Hydrated)) -> Result<(), RunError> {
        let mut shards: BTreeMap<u32, Vec<Contribution>> = BTreeMap::new();
        for contribution in contributions {
            shards.entry(shard_of(&contribution.group)).or_default().push(contribution);
        }
        debug_assert!(shards.keys().all(|shard| *shard < SHARDS));
        let everything = Row::default();
        let shard = shard_of(&everything);
        if self.cells.always.is_some() && shard as usize % self.worker.peers == self.worker.index {
            // The row over everything is there from the first epoch on, whether or not anything came.
            let nothing = Contribution { group: everything, cells: Cells::new(vec![]), values: Vec::new() };
            shards.entry(shard).or_default().push(nothing);
        }
        for (shard, contributions) in shards {
            self.worker.run.abort.check()?;
            let mut hydrated = self.shard(shard, contributions)?;
            emit(&mut hydrated);
        }
        Ok(())
    }

    fn shard(&self, shard: u32, mut contributions: Vec<Contribution>) -> Result<Hydrated, RunError> {
        contributions.sort_unstable_by(|a, b| a.group.cmp(&b.group));
        let session = &self.worker.run.session;
        let mut reader = session.reader(&self.space, shard)?;
        let mut value_reader = session.reader(&self.value_space, shard)?;
        let mut writer = session.run_writer(&self.space, shard);
        let mut value_entries: Vec<(Vec<u8>, i64)> = Vec::new();
        let mut out = Hydrated::default();
        for same in contributions.chunk_by(|a, b| a.group == b.group) {
            let group = &same[0].group;
            let stored = match reader.get(group)? {
                None => None,
                Some(bytes) => Some(Cells::decode(&bytes).map_err(|_| self.corrupt())?),
            };
            let mut change = vec![0i128; self.cells.count()];
            let mut values: Vec<(u16, &Row, i64)> = Vec::new();
            for contribution in same {
                add(&mut change, &contribution.cells);
                values.extend(contribution.values.iter().map(|(call, value, count)| (*call, value, *count)));
            }
            add_up(&mut values);
            if let Some(always) = self.cells.always {
                change[always] = i128::from(stored.is_none());
            }
            for (call, function) in self.functions.iter().enumerate() {
                let from = values.partition_point(|value| usize::from(value.0) < call);
                let to = values.partition_point(|value| usize::from(value.0) <= call);
                let deltas = &values[from..to];
                let extremal = matches!(function, AggregateFunction::Min | AggregateFunction::Max);
                // The winner of a call that is not touched must still be shown.
                if deltas.is_empty() && !(extremal && stored.is_some()) {
                    continue;
                }
                let prefix = value_prefix(call as u16, group);
                let mut before: BTreeMap<Row, i64> = BTreeMap::new();
                if stored.is_some() {
                    if extremal {
                        self.first_values(&mut value_reader, &prefix, deltas, &mut before)?;
                    }
                    for (_, value, _) in deltas {
                        if !before.contains_key(*value)
                            && let Some(bytes) = value_reader.get(&[&prefix, &***value].concat())?
                        {
                            before.insert((*value).clone(), self.count(&bytes)?);
                        }
                    }
                }
                for (_, value, delta) in deltas {
                    let was = before.get(*value).copied().unwrap_or_default();
                    let is = was + delta;
                    if is < 0 {
                        return Err(self.corrupt());
                    }
                    value_entries.push(([&prefix, &***value].concat(), is));
                    if let Some(distinct) = self.cells.distinct(call) {
                        change[distinct] += i128::from(is > 0) - i128::from(was > 0);
                    }
                }
                if extremal {
                    out.candidates(group, call as u16, &before, deltas);
                }
            }
            if let Some(stored) = &stored {
                out.stored.push(((group.clone(), Part::Cells), STORED, stored.clone()));
            }
            out.incoming.push(((group.clone(), Part::Cells), INCOMING, Cells::new(change.clone())));
            let mut after = change;
            if let Some(stored) = stored {
                add(&mut after, &stored);
            }
            let gone = after.iter().all(|cell| *cell == 0);
            let mut bytes = Vec::new();
            Cells::new(after).encode(&mut bytes);
            writer.push(group, if gone { None } else { Some(&bytes) })?;
        }
        writer.finish()?;
        if !value_entries.is_empty() {
            value_entries.sort();
            let mut writer = session.run_writer(&self.value_space, shard);
            for (entry, count) in &value_entries {
                let mut bytes = Vec::new();
                varint::push(&mut bytes, *count as u64);
                writer.push(entry, (*count > 0).then_some(&bytes[..]))?;
            }
            writer.finish()?;
        }
        Ok(out)
    }

    /// Reads a group's values from the first one up to one that the chunk does not take away.
    fn first_values(
        &self,
        reader: &mut crate::state::Reader,
        prefix: &[u8],
        deltas: &[(u16, &Row, i64)],
        before: &mut BTreeMap<Row, i64>,
    ) -> Result<(), RunError> {
        let mut scan = reader.scan(prefix)?;
        while let Some((entry, bytes)) = scan.next()? {
            let Some(value) = entry.strip_prefix(prefix) else { break };
            let (value, count): (Row, i64) = (value.into(), self.count(&bytes)?);
            let stays = count + delta_of(deltas, &value) > 0;
            before.insert(value, count);
            if stays {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, bytes: &[u8]) -> Result<i64, RunError> {
        varint::read(bytes, &mut 0).and_then(|count| i64::try_from(count).ok()).ok_or_else(|| self.corrupt())
    }

    fn corrupt(&self) -> RunError {
        RunError::new(
            RunErrorKind::Sink,
            format!("the state of stage `{}` does not fit the changes; nothing was written", self.space),
        )
        .with_hint("Run `vardelta rebuild` to make it anew.")
    }
}

/// The space that holds values by group.
pub(crate) fn value_space(stage: &str) -> String {
    format!("{stage}/values")
}

fn value_prefix(call: u16, group: &[u8]) -> Vec<u8> {
    let mut prefix = call.to_be_bytes().to_vec();
    prefix.extend_from_slice(&(group.len() as u32).to_be_bytes());
    prefix.extend_from_slice(group);
    prefix
}

/// A batch of a group's columns and its calls' results, for the expressions over them.
pub(crate) fn outer_batch(
    schema: arrow_schema::SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, RunError> {
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(RunError::internal)
}
