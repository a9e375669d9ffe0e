//! The state of an aggregate: what it knows of the groups that a chunk touches, and what it learns from the chunk.

use arrow_array::{Array as _, cast::AsArray as _};

use super::{
    GroupCells,
    concat::Joined,
    contributions::{Contribution, add_up},
    encoding::Encoding,
};
use crate::{
    error::RunError,
    flow::{
        WorkerContext,
        values::{BeforeAfter, Delta, Values, value_prefix},
    },
    plan::StageIndex,
    relational::{AggregateCall, AggregateFunction, AggregateSpec, Concat, Kept, accumulate::Cells, spaces},
    rows::Row,
    state::{Snapshot, shard_of},
    varint,
};

/// Texts of a `group_concat` that are read at once.
const TEXTS_AT_ONCE: usize = 1_024;

/// What a chunk makes of one group.
pub(super) struct GroupChange {
    group: Row,
    /// What is known of the group before and after the chunk, where it has a row.
    old: Option<Known>,
    new: Option<Known>,
}

/// What a group's row is made of.
#[derive(PartialEq)]
pub(super) struct Known {
    /// Its accumulators.
    pub cells: Cells,
    /// What the calls that keep values say, by call; empty where there is none of these.
    answers: Vec<Option<Row>>,
}

impl Known {
    /// What a call that keeps values says.
    pub fn answer(&self, call: usize) -> Option<&[u8]> {
        self.answers.get(call)?.as_deref()
    }
}

/// A row of a group that goes or comes.
pub(super) struct GroupRow {
    /// The group's columns, encoded.
    pub group: Row,
    pub known: Known,
    /// How often it comes: 1 or -1.
    pub diff: i64,
}

impl GroupChange {
    /// The rows that go and come.
    pub fn rows(self) -> impl Iterator<Item = GroupRow> {
        let GroupChange { group, old, new } = self;
        let (old, new) = if old == new { (None, None) } else { (old, new) };
        let row =
            move |(known, diff): (Option<Known>, i64)| Some(GroupRow { group: group.clone(), known: known?, diff });
        [(old, -1), (new, 1)].into_iter().filter_map(row)
    }
}

fn add(into: &mut [i128], cells: &Cells) {
    for (into, value) in into.iter_mut().zip(cells.values()) {
        *into = into.wrapping_add(*value);
    }
}

/// Reads and writes the state of one aggregate on one worker.
pub(super) struct Hydration {
    pub worker: WorkerContext,
    cells: GroupCells,
    calls: Vec<(AggregateCall, Option<Encoding>)>,
    /// Whether some call keeps values.
    keeps_values: bool,
    space: String,
    value_space: String,
}

impl Hydration {
    pub fn new(stage: StageIndex, worker: WorkerContext, spec: &AggregateSpec) -> Result<Hydration, RunError> {
        let space = worker.run.plan.stages[stage].name.clone();
        let with_encoding = |call: &AggregateCall| Ok((call.clone(), Encoding::of(call)?));
        let calls: Vec<_> = spec.calls.iter().map(with_encoding).collect::<Result<_, RunError>>()?;
        Ok(Hydration {
            cells: GroupCells::new(spec),
            keeps_values: calls.iter().any(|(_, encoding)| encoding.is_some()),
            calls,
            value_space: spaces::values(&space),
            space,
            worker,
        })
    }

    /// Brings the groups that are contributed to up to date, shard by shard, each in order of group; `each` hears of them.
    pub fn run(
        &self,
        before: &Snapshot,
        shards: &[Vec<Contribution>],
        each: &mut dyn FnMut(GroupChange),
    ) -> Result<(), RunError> {
        let everything = shard_of(&[]);
        let is_here = everything as usize % self.worker.peers == self.worker.index;
        if self.cells.always.is_some() && is_here && shards.iter().all(Vec::is_empty) {
            // The row over everything is there from the first epoch on, whether or not anything came.
            let nothing = Contribution { group: Row::default(), cells: Cells::new(vec![]), values: Vec::new() };
            return self.shard(before, everything, &[nothing], each);
        }
        for (shard, contributions) in (0..).zip(shards).filter(|(_, contributions)| !contributions.is_empty()) {
            self.worker.run.abort.check()?;
            self.shard(before, shard, contributions, each)?;
        }
        Ok(())
    }

    /// Contributions are in order of group.
    fn shard(
        &self,
        before: &Snapshot,
        shard: u32,
        contributions: &[Contribution],
        each: &mut dyn FnMut(GroupChange),
    ) -> Result<(), RunError> {
        let session = &self.worker.run.session;
        let mut reader = before.reader(&self.space, shard)?;
        let mut kept = Values {
            reader: before.reader(&self.value_space, shard)?,
            entries: Vec::new(),
            space: &self.space,
            is_stored: false,
        };
        let mut writer = session.run_writer(&self.space, shard);
        let mut bytes = Vec::new();
        for same in contributions.chunk_by(|a, b| a.group == b.group) {
            let group = &same[0].group;
            let stored = match reader.get(group)? {
                None => None,
                Some(bytes) => Some(Cells::decode(&bytes).map_err(|_| self.corrupt())?),
            };
            kept.is_stored = stored.is_some();
            bytes.clear();
            let change = self.group(group, same, stored, (&mut kept, &mut bytes))?;
            each(change);
            writer.push(group, (!bytes.is_empty()).then_some(&bytes))?;
        }
        writer.finish()?;
        let mut entries = kept.entries;
        if !entries.is_empty() {
            entries.sort();
            let mut writer = session.run_writer(&self.value_space, shard);
            for (entry, count) in &entries {
                let mut bytes = Vec::new();
                varint::push(&mut bytes, *count as u64);
                writer.push(entry, (*count > 0).then_some(&bytes[..]))?;
            }
            writer.finish()?;
        }
        Ok(())
    }

    /// One group: how its row changes. What is left of it is appended to `bytes`.
    fn group(
        &self,
        group: &Row,
        contributions: &[Contribution],
        stored: Option<Cells>,
        (kept, bytes): (&mut Values<'_>, &mut Vec<u8>),
    ) -> Result<GroupChange, RunError> {
        let mut change = vec![0i128; self.cells.count()];
        let mut values: Vec<(u16, &Row, i64)> = Vec::new();
        for contribution in contributions {
            add(&mut change, &contribution.cells);
            values.extend(contribution.values.iter().map(|(call, value, count)| (*call, value, *count)));
        }
        add_up(&mut values);
        if let Some(always) = self.cells.always {
            change[always] = i128::from(stored.is_none());
        }
        let answers = if self.keeps_values { self.calls.len() } else { 0 };
        let (mut old_answers, mut new_answers) = (vec![None; answers], vec![None; answers]);
        for call in 0..answers {
            let from = values.partition_point(|value| usize::from(value.0) < call);
            let to = values.partition_point(|value| usize::from(value.0) <= call);
            let deltas: Vec<Delta> =
                values[from..to].iter().map(|(_, value, count)| ((*value).clone(), *count)).collect();
            // What a call that is not touched says must still be shown, where the group has a row before.
            if !deltas.is_empty() || stored.is_some() {
                let layout = &self.cells.layout;
                let was = stored.as_ref().map_or(0, |stored| layout.count(call, stored.values()));
                let is = was.saturating_add_signed(layout.count_change(call, &change));
                (old_answers[call], new_answers[call]) =
                    self.answers(call, group, &deltas, (was, is), kept, &mut change)?;
            }
        }
        let mut after = change;
        if let Some(stored) = &stored {
            add(&mut after, stored);
        }
        let after = Cells::new(after);
        let known = |cells: Cells, answers| self.cells.has_row(&cells).then_some(Known { cells, answers });
        let old = stored.and_then(|stored| known(stored, old_answers));
        if after.is_zero() {
            return Ok(GroupChange { group: group.clone(), old, new: None });
        }
        after.encode(bytes);
        Ok(GroupChange { group: group.clone(), old, new: known(after, new_answers) })
    }

    /// What a call's values say before the chunk and after it; `counts` is how many the call counts then. Values of a call with
    /// DISTINCT that come or go for good are added to `cells`.
    fn answers(
        &self,
        call: usize,
        group: &[u8],
        deltas: &[Delta],
        counts: (u64, u64),
        kept: &mut Values<'_>,
        cells: &mut [i128],
    ) -> Result<BeforeAfter, RunError> {
        let (AggregateCall { function, .. }, encoding) = &self.calls[call];
        let Some(encoding) = encoding else { return Ok((None, None)) };
        let prefix = value_prefix(call as u16, group);
        match (function.kept(), function) {
            (Kept::Nothing, _) => Ok((None, None)),
            (Kept::Distinct, function) => {
                let came = kept.distinct(&prefix, deltas)?;
                let argument = match function {
                    AggregateFunction::CountDistinct => None,
                    _ => encoding.decode(came.iter().map(|(at, _)| Some(&*deltas[*at].0)))?.into_iter().next(),
                };
                let contributions = self.cells.layout.contributions(call, argument.as_ref(), None);
                came.iter().enumerate().for_each(|(row, (_, came))| contributions.add(row, *came, cells));
                Ok((None, None))
            }
            (Kept::First, _) => kept.first(&prefix, deltas),
            (Kept::All, AggregateFunction::GroupConcat(concat)) => {
                texts(concat, encoding, |each| kept.all(&prefix, deltas, each))
            }
            (Kept::All, _) => Err(RunError::internal("an aggregate that keeps all values is none that joins them")),
            (Kept::Halves(percentile), _) => kept.halves((call as u16, group), percentile, counts, deltas),
        }
    }

    fn corrupt(&self) -> RunError {
        RunError::damaged_state(&self.space, "does not fit the changes")
    }
}

/// A value, how often it was there and how often it is; whether more are wanted.
type EachValue<'a> = &'a mut dyn FnMut(&[u8], i64, i64) -> bool;

/// The texts of a `group_concat` before a chunk and after it, of values that `read` hands over in order.
fn texts(
    concat: &Concat,
    encoding: &Encoding,
    read: impl FnOnce(EachValue<'_>) -> Result<(), RunError>,
) -> Result<BeforeAfter, RunError> {
    let (mut old, mut new) = (Joined::new(concat), Joined::new(concat));
    let mut waiting: Vec<(Row, i64, i64)> = Vec::new();
    let mut join = |waiting: &mut Vec<(Row, i64, i64)>| {
        let columns = encoding.decode(waiting.iter().map(|(value, ..)| Some(&**value)))?;
        let texts = columns.last().ok_or_else(|| RunError::internal("a text without a column"))?.as_string::<i32>();
        for (row, (_, was, is)) in waiting.drain(..).enumerate().filter(|(row, _)| texts.is_valid(*row)) {
            old.push(texts.value(row), was);
            new.push(texts.value(row), is);
        }
        Ok(!(old.is_too_long() && new.is_too_long()))
    };
    let mut failed = None;
    read(&mut |value, was, is| {
        waiting.push((value.into(), was, is));
        if waiting.len() < TEXTS_AT_ONCE {
            return true;
        }
        join(&mut waiting).unwrap_or_else(|error| {
            failed = Some(error);
            false
        })
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if !waiting.is_empty() {
        join(&mut waiting)?;
    }
    Ok((old.answer(), new.answer()))
}
