//! The state of an aggregate: what it knows of the groups that a chunk touches, and what it learns from the chunk.

use std::collections::BTreeMap;

use super::{
    GroupCells,
    contributions::{Contribution, add_up},
    pack,
};
use crate::{
    error::RunError,
    flow::{Update, WorkerContext},
    relational::{AggregateFunction, AggregateSpec, accumulate::Cells, spaces},
    rows::Row,
    state::{Snapshot, shard_of},
    varint,
};

/// What a chunk makes of one group.
pub(super) struct GroupChange {
    group: Row,
    /// The packed group before and behind the chunk, where it has a row.
    old: Option<Row>,
    new: Option<Row>,
}

impl GroupChange {
    /// The change as updates of packed groups.
    pub fn updates(self) -> impl Iterator<Item = Update> {
        let GroupChange { group, old, new } = self;
        let (old, new) = if old == new { (None, None) } else { (old, new) };
        [(old, -1), (new, 1)].into_iter().filter_map(move |(packed, diff)| Some((group.clone(), packed?, diff)))
    }
}

fn add(into: &mut [i128], cells: &Cells) {
    for (into, value) in into.iter_mut().zip(cells.values()) {
        *into = into.wrapping_add(*value);
    }
}

/// The change of how often a value is there; the list is in order of value.
fn delta_of(deltas: &[(u16, &Row, i64)], value: &Row) -> i64 {
    deltas.binary_search_by(|delta| delta.1.cmp(value)).map_or(0, |at| deltas[at].2)
}

/// The winner of a min or max call before the chunk and behind it. `before` holds what was stored of the values that the chunk
/// touches and of those up to the first one that stays.
fn winners(before: &BTreeMap<Row, i64>, deltas: &[(u16, &Row, i64)]) -> (Option<Row>, Option<Row>) {
    let stays = |value: &Row, delta: i64| before.get(value).copied().unwrap_or_default() + delta > 0;
    let kept = before.keys().find(|value| stays(value, delta_of(deltas, value)));
    let new = deltas.iter().find(|delta| stays(delta.1, delta.2)).map(|delta| delta.1);
    (before.keys().next().cloned(), kept.into_iter().chain(new).min().cloned())
}

/// Reads and writes the state of one aggregate on one worker.
pub(super) struct Hydration {
    pub worker: WorkerContext,
    cells: GroupCells,
    functions: Vec<AggregateFunction>,
    space: String,
    value_space: String,
}

impl Hydration {
    pub fn new(stage: usize, worker: WorkerContext, spec: &AggregateSpec) -> Hydration {
        let space = worker.run.plan.stages[stage].name.clone();
        Hydration {
            cells: GroupCells::new(spec),
            functions: spec.calls.iter().map(|call| call.function).collect(),
            value_space: value_space(&space),
            space,
            worker,
        }
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
        let mut value_reader = before.reader(&self.value_space, shard)?;
        let mut writer = session.run_writer(&self.space, shard);
        let mut value_entries: Vec<(Vec<u8>, i64)> = Vec::new();
        let mut bytes = Vec::new();
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
            let (mut old_winners, mut new_winners) =
                (vec![None; self.functions.len()], vec![None; self.functions.len()]);
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
                let mut known: BTreeMap<Row, i64> = BTreeMap::new();
                if stored.is_some() {
                    if extremal {
                        self.first_values(&mut value_reader, &prefix, deltas, &mut known)?;
                    }
                    for (_, value, _) in deltas {
                        if !known.contains_key(*value)
                            && let Some(bytes) = value_reader.get(&[&prefix, &***value].concat())?
                        {
                            known.insert((*value).clone(), self.count(&bytes)?);
                        }
                    }
                }
                for (_, value, delta) in deltas {
                    let was = known.get(*value).copied().unwrap_or_default();
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
                    (old_winners[call], new_winners[call]) = winners(&known, deltas);
                }
            }
            let row = |cells: &Cells, winners: &[Option<Row>]| {
                let winners: Vec<Option<&Row>> = winners.iter().map(Option::as_ref).collect();
                self.cells.has_row(cells).then(|| pack(cells, &winners))
            };
            let mut after = change;
            if let Some(stored) = &stored {
                add(&mut after, stored);
            }
            let gone = after.iter().all(|cell| *cell == 0);
            let after = Cells::new(after);
            let old = stored.as_ref().and_then(|stored| row(stored, &old_winners));
            let new = if gone { None } else { row(&after, &new_winners) };
            each(GroupChange { group: group.clone(), old, new });
            bytes.clear();
            after.encode(&mut bytes);
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
        Ok(())
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
        RunError::damaged_state(&self.space, "does not fit the changes")
    }
}

/// The space that holds values by group.
pub(crate) fn value_space(stage: &str) -> String {
    spaces::values(stage)
}

fn value_prefix(call: u16, group: &[u8]) -> Vec<u8> {
    let mut prefix = call.to_be_bytes().to_vec();
    prefix.extend_from_slice(&(group.len() as u32).to_be_bytes());
    prefix.extend_from_slice(group);
    prefix
}
