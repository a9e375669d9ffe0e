//! The state of an aggregate: what it knows of the groups that a chunk touches, and what it learns from the chunk.

use std::collections::BTreeMap;

use super::{
    GroupCells, Part,
    contributions::{Contribution, add_up},
};
use crate::{
    error::{RunError, RunErrorKind},
    flow::{INCOMING, STORED, WorkerContext},
    relational::{AggregateFunction, AggregateSpec, accumulate::Cells},
    rows::Row,
    state::{SHARDS, shard_of},
    varint,
};

/// One part's group, time and difference, as differential takes it.
pub(super) type PartUpdate = ((Row, Part), u64, Cells);

/// What one shard has to say.
#[derive(Default)]
pub(super) struct Hydrated {
    /// What the state knew.
    pub stored: Vec<PartUpdate>,
    /// What the chunk changes.
    pub incoming: Vec<PartUpdate>,
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

    pub fn run(&self, contributions: Vec<Contribution>, mut emit: impl FnMut(&mut Hydrated)) -> Result<(), RunError> {
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
        let (session, before) = (&self.worker.run.session, &self.worker.before);
        let mut reader = before.reader(&self.space, shard)?;
        let mut value_reader = before.reader(&self.value_space, shard)?;
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
