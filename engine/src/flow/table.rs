//! `table` at work: the rows that drops assert become a keyed collection.
//!
//! The state keeps, by key, what each drop asserts (`<stage>`), and by drop the keys it asserts (`<stage>/drops`), which
//! is all that a withdrawal needs. For the keys a chunk touches, the operator reads the stored assertions and emits them at
//! `Stored`, what the chunk changes at `Incoming`; differential's `reduce` then finds which row stands, and its output at
//! `Incoming` is exactly the change.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

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
    error::RunError,
    flow::{INCOMING, STORED, Update, WorkerContext, contradictions::GaveWay},
    relational::{Conflict, TableSpec},
    rows::Row,
    state::{Reader, SHARDS, StateError, shard_of},
    varint,
};

/// A row that a drop asserts, on its way to its key's worker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TableRow {
    /// The key.
    pub key: Row,
    /// The drop's number: its place in ledger order.
    pub place: u64,
    /// The record's origin in the drop.
    pub origin: u64,
    /// The row's number among those of its chunk; orders the rows of one record.
    pub row: u32,
    /// The columns that are not in the key.
    pub value: Row,
}

/// What one drop asserts for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assertion {
    /// The drop's number.
    pub place: u64,
    /// The epoch in which the drop's present content was loaded.
    pub version: u64,
    /// The record's origin in the drop.
    pub origin: u64,
    /// The columns that are not in the key.
    pub value: Row,
}

impl Assertion {
    /// Encodes the assertions of one key, in order of place.
    pub fn encode(list: &[Assertion]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for assertion in list {
            varint::push(&mut bytes, assertion.place);
            varint::push(&mut bytes, assertion.version);
            varint::push(&mut bytes, assertion.origin);
            varint::push(&mut bytes, assertion.value.len() as u64);
            bytes.extend_from_slice(&assertion.value);
        }
        bytes
    }

    /// Decodes what [`Assertion::encode`] made; `None` for other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Vec<Assertion>> {
        let (mut list, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let place = varint::read(bytes, &mut at)?;
            let version = varint::read(bytes, &mut at)?;
            let origin = varint::read(bytes, &mut at)?;
            let value = varint::read_bytes(bytes, &mut at)?.into();
            list.push(Assertion { place, version, origin, value });
        }
        Some(list)
    }

    /// The assertion that stands.
    pub fn winner(list: &[Assertion], conflict: Conflict) -> Option<&Assertion> {
        match conflict {
            Conflict::LatestDrop => list.last(),
            Conflict::FirstDrop => list.first(),
        }
    }
}

/// A drop whose earlier content is taken back, in steps that follow its size.
pub(crate) struct Retraction {
    /// The drop's number.
    pub place: u64,
    /// The version that stays, when the drop is replaced rather than withdrawn.
    pub keep_version: Option<u64>,
    /// For each table and shard, where the next step goes on; absent when the shard is done.
    pub cursors: Mutex<BTreeMap<(usize, u32), Vec<u8>>>,
}

impl Retraction {
    /// A retraction from these tables, not begun.
    pub fn new(place: u64, keep_version: Option<u64>, tables: &[usize]) -> Retraction {
        let start = place.to_be_bytes().to_vec();
        let cursors = tables.iter().flat_map(|table| (0..SHARDS).map(|shard| (*table, shard)));
        Retraction { place, keep_version, cursors: Mutex::new(cursors.map(|at| (at, start.clone())).collect()) }
    }

    /// Whether everything is taken back.
    pub fn is_done(&self) -> bool {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// The space that holds assertions by key.
pub(crate) fn key_space(stage: &str) -> String {
    stage.to_owned()
}

/// The space that holds keys by drop.
pub(crate) fn drop_space(stage: &str) -> String {
    format!("{stage}/drops")
}

fn drop_entry(place: u64, version: u64, key: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(16 + key.len());
    entry.extend_from_slice(&place.to_be_bytes());
    entry.extend_from_slice(&version.to_be_bytes());
    entry.extend_from_slice(key);
    entry
}

/// Renders a table: rows in, changes of the keyed collection out.
pub(crate) fn render<'scope>(
    rows: StreamVec<'scope, u64, TableRow>,
    stage: usize,
    spec: &TableSpec,
    worker: &WorkerContext,
) -> StreamVec<'scope, u64, Update> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let conflict = spec.conflict;
    let context = worker.clone();
    let exchange = Exchange::new(|row: &TableRow| u64::from(shard_of(&row.key)));
    let hydrated = rows
        .unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(exchange, &name, move |capability, _| {
            let mut capability = Some(capability);
            let mut incoming: Vec<TableRow> = Vec::new();
            move |(input, frontier), output| {
                input.for_each(|_, rows| incoming.append(rows));
                if !frontier.is_empty() {
                    return;
                }
                let Some(stored_time) = capability.take() else { return };
                let incoming_time = stored_time.delayed(&INCOMING);
                let result = hydrate(&context, stage, std::mem::take(&mut incoming), |shard| {
                    output.session(&stored_time).give_iterator(shard.stored.drain(..));
                    output.session(&incoming_time).give_iterator(shard.incoming.drain(..));
                });
                if let Err(error) = result {
                    context.run.abort.raise(error);
                }
            }
        })
        .as_collection();
    let standing = hydrated.reduce_named(&name, move |_key, assertions, output| {
        let mut present = assertions.iter().filter(|(_, count)| *count > 0).map(|(assertion, _)| *assertion);
        let winner: Option<&(u64, Row)> = match conflict {
            Conflict::LatestDrop => present.next_back(),
            Conflict::FirstDrop => present.next(),
        };
        output.extend(winner.map(|(_, value)| (value.clone(), 1isize)));
    });
    only_incoming(standing.inner, &name)
}

/// Passes on what happened at `Incoming`. Differential may send it under an earlier message time, so the record's time counts.
pub(crate) fn only_incoming<'scope>(
    changes: StreamVec<'scope, u64, ((Row, Row), u64, isize)>,
    name: &str,
) -> StreamVec<'scope, u64, Update> {
    changes.unary::<CapacityContainerBuilder<Vec<_>>, _, _, _>(Pipeline, name, |_, _| {
        move |input, output| {
            input.for_each_time(|time, batches| {
                let mut session = output.session(&time);
                for batch in batches {
                    let incoming = batch.drain(..).filter(|(_, time, _)| *time == INCOMING);
                    session.give_iterator(incoming.map(|((key, value), _, diff)| (key, value, diff)));
                }
            });
        }
    })
}

/// One assertion's key, drop, value, time and multiplicity, as differential takes it.
type AssertionUpdate = ((Row, (u64, Row)), u64, isize);

/// What one shard has to say.
#[derive(Default)]
struct Hydrated {
    stored: Vec<AssertionUpdate>,
    incoming: Vec<AssertionUpdate>,
}

fn hydrate(
    worker: &WorkerContext,
    stage: usize,
    rows: Vec<TableRow>,
    mut emit: impl FnMut(&mut Hydrated),
) -> Result<(), RunError> {
    let count = rows.len();
    let mut shards: BTreeMap<u32, Vec<TableRow>> = BTreeMap::new();
    for row in rows {
        shards.entry(shard_of(&row.key)).or_default().push(row);
    }
    for shard in (0..SHARDS).filter(|shard| *shard as usize % worker.peers == worker.index) {
        worker.run.abort.check()?;
        let rows = shards.remove(&shard).unwrap_or_default();
        let removals = removals(worker, stage, shard)?;
        if rows.is_empty() && removals.is_empty() {
            continue;
        }
        let mut hydrated = hydrate_shard(worker, stage, shard, rows, removals)?;
        emit(&mut hydrated);
    }
    worker.meters.add(stage, count, 0, None);
    Ok(())
}

/// An assertion to be taken back: key, place, version.
pub(crate) type Removal = (Row, u64, u64);

/// The next step of every retraction in one shard of one table, sorted by key.
fn removals(worker: &WorkerContext, stage: usize, shard: u32) -> Result<Vec<Removal>, RunError> {
    let (run, name) = (&*worker.run, &worker.run.plan.stages[stage].name);
    let mut list = Vec::new();
    let limit = (run.chunk_records / u64::from(SHARDS)).max(1) as usize;
    for retraction in run.retractions.iter() {
        let cursor = retraction.cursors.lock().unwrap_or_else(PoisonError::into_inner).remove(&(stage, shard));
        let Some(from) = cursor else { continue };
        let mut reader = worker.before.reader(&drop_space(name), shard)?;
        let mut scan = reader.scan(&from)?;
        let mut taken = 0;
        while let Some((entry, _)) = scan.next()? {
            let (Some(place), Some(version), Some(key)) = (entry.get(..8), entry.get(8..16), entry.get(16..)) else {
                return Err(corrupt(name));
            };
            if place != retraction.place.to_be_bytes() {
                break;
            }
            if taken == limit {
                let mut cursors = retraction.cursors.lock().unwrap_or_else(PoisonError::into_inner);
                cursors.insert((stage, shard), entry);
                break;
            }
            taken += 1;
            let version = u64::from_be_bytes(version.try_into().expect("eight bytes"));
            if retraction.keep_version != Some(version) {
                list.push((key.into(), retraction.place, version));
            }
        }
    }
    let stored = |key: &[u8]| read(&mut worker.before.reader(&key_space(name), shard)?, key, name);
    list.extend(run.corrections.removals(run, stage, shard, stored)?);
    list.sort_unstable();
    Ok(list)
}

fn corrupt(stage: &str) -> RunError {
    RunError::new(
        crate::error::RunErrorKind::Sink,
        format!("the state of stage `{stage}` cannot be read; nothing was written"),
    )
    .with_hint("Run `vardelta rebuild` to make it anew.")
}

fn hydrate_shard(
    worker: &WorkerContext,
    stage: usize,
    shard: u32,
    mut rows: Vec<TableRow>,
    removals: Vec<Removal>,
) -> Result<Hydrated, RunError> {
    // They come in the order of the file, so in sorted stretches, which a stable sort takes as they are.
    rows.sort_by(|a, b| (&a.key, a.place, a.origin, a.row).cmp(&(&b.key, b.place, b.origin, b.row)));
    let (run, name) = (&*worker.run, &worker.run.plan.stages[stage].name);
    let mut reader = worker.before.reader(&key_space(name), shard)?;
    let mut writer = run.session.run_writer(&key_space(name), shard);
    let mut drop_entries: Vec<(u64, u64, Row, bool)> = Vec::new();
    let mut superseded: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut gave_way: BTreeMap<u64, Vec<GaveWay>> = BTreeMap::new();
    let mut out = Hydrated { stored: Vec::new(), incoming: Vec::with_capacity(rows.len()) };
    let mut rows = rows.into_iter().peekable();
    let mut removals = removals.into_iter().peekable();
    loop {
        let key: Row = match (rows.peek(), removals.peek()) {
            (Some(row), Some(removal)) => (&row.key).min(&removal.0).clone(),
            (Some(row), None) => row.key.clone(),
            (None, Some(removal)) => removal.0.clone(),
            (None, None) => break,
        };
        let stored = read(&mut reader, &key, name)?;
        let mut standing = stored.clone();
        while let Some((_, place, version)) = removals.next_if(|removal| removal.0 == key) {
            standing.retain(|assertion| (assertion.place, assertion.version) != (place, version));
            drop_entries.push((place, version, key.clone(), false));
        }
        while let Some(row) = rows.next_if(|row| row.key == key) {
            let (place, origin) = (row.place, row.origin);
            if let Some(old) = assert_row(row, run.epoch, &mut standing) {
                superseded.entry(place).or_default().push(old.origin);
                if !standing.iter().any(|new| new.place == place && new.value == old.value) {
                    gave_way.entry(place).or_default().push((old.origin, origin, stage, key.clone()));
                }
            }
        }
        if standing == stored {
            continue;
        }
        for new in standing.iter().filter(|new| new.version == run.epoch) {
            if !stored.iter().any(|old| (old.place, old.version) == (new.place, new.version)) {
                drop_entries.push((new.place, new.version, key.clone(), true));
            }
        }
        let update =
            |assertion: &Assertion, time, diff| ((key.clone(), (assertion.place, assertion.value.clone())), time, diff);
        out.stored.extend(stored.iter().map(|old| update(old, STORED, 1)));
        let same = |a: &Assertion, b: &Assertion| a.place == b.place && a.value == b.value;
        for old in stored.iter().filter(|old| !standing.iter().any(|new| same(old, new))) {
            out.incoming.push(update(old, INCOMING, -1));
        }
        for new in standing.iter().filter(|new| !stored.iter().any(|old| same(old, new))) {
            out.incoming.push(update(new, INCOMING, 1));
        }
        let bytes = Assertion::encode(&standing);
        writer.push(&key, if standing.is_empty() { None } else { Some(&bytes) })?;
    }
    writer.finish()?;
    if !drop_entries.is_empty() {
        let mut writer = run.session.run_writer(&drop_space(name), shard);
        drop_entries.sort();
        for (place, version, key, present) in &drop_entries {
            writer.push(&drop_entry(*place, *version, key), present.then_some(&[][..]))?;
        }
        writer.finish()?;
    }
    for (place, origins) in superseded {
        if let Some(load) = run.loads.iter().find(|load| load.drop_id == place) {
            load.records.superseded(&origins);
            load.contradictions.add(gave_way.remove(&place).unwrap_or_default());
        }
    }
    Ok(out)
}

fn read(reader: &mut Reader, key: &[u8], stage: &str) -> Result<Vec<Assertion>, RunError> {
    match reader.get(key)? {
        None => Ok(Vec::new()),
        Some(bytes) => Assertion::decode(&bytes).ok_or_else(|| corrupt(stage)),
    }
}

/// Puts one row in place: the last record of a key stands within its drop; an older version of the drop's content gives way.
/// Returns what it takes the place of, if that came earlier in the same content.
fn assert_row(row: TableRow, epoch: u64, standing: &mut Vec<Assertion>) -> Option<Assertion> {
    let new = Assertion { place: row.place, version: epoch, origin: row.origin, value: row.value };
    match standing.binary_search_by_key(&row.place, |assertion| assertion.place) {
        Err(at) => {
            standing.insert(at, new);
            None
        }
        Ok(at) => {
            // Rows come in the order of their records, also over chunks, since one reader reads a drop from the start.
            let old = std::mem::replace(&mut standing[at], new);
            (old.version == epoch).then_some(old)
        }
    }
}

impl From<StateError> for RunError {
    fn from(error: StateError) -> RunError {
        RunError { kind: crate::error::RunErrorKind::Sink, message: error.message, hint: error.hint }
    }
}
