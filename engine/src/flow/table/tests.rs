//! The table on the state against differential's `reduce` over the same assertions, through random histories.

mod skew;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use timely::{container::CapacityContainerBuilder, dataflow::operators::generic::operator::source};
use vardelta_schemas::ledger::Epoch;
use vardelta_testrandom::{Random, seed};

use super::{Removal, assertion_space, assertions::PutAside, drop_space, list_space, rank, resolve::Resolve};
use crate::{
    abort::Abort,
    differential::{
        INCOMING, KeyLocal, arrange, reduce,
        reference::{Changes, reduced},
    },
    error::RunError,
    flow::gather::GatheredRows,
    relational::Conflict,
    rows::{BatchCutter, RowBatch},
    state::{SHARDS, Session, Snapshot, State, key_hash, shard_of, shard_of_hash},
};

const STAGE: &str = "variants";

/// A row on its way: key, drop, origin, value.
type Asserted = (Vec<u8>, u64, u64, Vec<u8>);

/// By key, what each drop asserts: version, origin, value.
type Model = BTreeMap<Vec<u8>, BTreeMap<u64, (u64, u64, Vec<u8>)>>;

/// The table's operator without a run around it.
struct Bare {
    session: Arc<Session>,
    epoch: u64,
    conflict: Conflict,
    removals: Arc<Vec<Removal>>,
    index: usize,
    peers: usize,
    superseded: Arc<Mutex<BTreeMap<u64, Vec<PutAside>>>>,
}

impl KeyLocal for Bare {
    type Incoming = GatheredRows;
    type Output = RowBatch;

    fn changes(&mut self, before: &Snapshot, rows: &GatheredRows) -> Result<Vec<RowBatch>, RunError> {
        let Bare { session, epoch, conflict, .. } = self;
        let mut changes = BatchCutter::default();
        for shard in (0..SHARDS).filter(|shard| *shard as usize % self.peers == self.index) {
            let mut removals: Vec<Removal> =
                self.removals.iter().filter(|removal| shard_of(&removal.key) == shard).cloned().collect();
            removals.sort_unstable();
            let mut superseded = self.superseded.lock().unwrap();
            Resolve { stage: STAGE, epoch: *epoch, conflict: *conflict, session, before }.shard(
                shard,
                rows,
                &removals,
                &mut changes,
                &mut superseded,
            )?;
        }
        Ok(changes.finish())
    }
}

/// Runs one chunk over so many workers; returns what changed, and which records were put aside.
fn chunk(
    session: &Arc<Session>,
    epoch: u64,
    conflict: Conflict,
    workers: usize,
    rows: &[Asserted],
    removals: &[Removal],
) -> (Changes<Vec<u8>>, BTreeMap<u64, Vec<PutAside>>) {
    let (session, before, abort) = (Arc::clone(session), session.snapshot(), Abort::default());
    let (rows, removals) = (Arc::new(rows.to_vec()), Arc::new(removals.to_vec()));
    let changes = Arc::new(Mutex::new(Changes::new()));
    let superseded = Arc::new(Mutex::new(BTreeMap::new()));
    let (collected, put_aside, raised) = (Arc::clone(&changes), Arc::clone(&superseded), abort.clone());
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let (index, peers) = (worker.index(), worker.peers());
        let (rows, collected) = (Arc::clone(&rows), Arc::clone(&collected));
        let operator = Bare {
            session: Arc::clone(&session),
            epoch,
            conflict,
            removals: Arc::clone(&removals),
            index,
            peers,
            superseded: Arc::clone(&put_aside),
        };
        worker.dataflow::<u64, _, _>(|scope| {
            let rows =
                source::<_, CapacityContainerBuilder<Vec<RowBatch>>, _, _>(scope, "rows", |mut capability, _| {
                    capability.downgrade(&INCOMING);
                    let mut capability = Some(capability);
                    move |output| {
                        let Some(capability) = capability.take() else { return };
                        // Every worker reads some of the rows, in batches of three per drop and target.
                        for rows in rows.iter().skip(index).step_by(peers).collect::<Vec<_>>().chunks(3) {
                            for (key, place, origin, value) in rows {
                                let hash = key_hash(key);
                                let mut batch = RowBatch::of_drop(shard_of_hash(hash) % peers as u32, *place, 1, 0);
                                batch.assert(hash, *origin, key, value);
                                output.session(&capability).give(batch);
                            }
                        }
                    }
                });
            let arranged = arrange::<GatheredRows>(rows, "rows", &before, |batch| u64::from(batch.to));
            let changed = reduce(arranged, "table", Arc::clone(&before), operator, raised.clone());
            timely::dataflow::operators::Inspect::inspect(changed, move |batch: &RowBatch| {
                let mut collected = collected.lock().unwrap();
                for row in batch.rows() {
                    *collected.entry((row.key.to_vec(), row.value.to_vec())).or_default() += row.diff as isize;
                }
            });
        });
    })
    .unwrap();
    guards.join().into_iter().for_each(|result| result.unwrap());
    abort.check().unwrap();
    let mut changes = changes.lock().unwrap().clone();
    changes.retain(|_, diff| *diff != 0);
    let superseded = superseded.lock().unwrap().clone();
    (changes, superseded)
}

fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut random = Random::new(seed);
    move || random.bits() >> 11
}

/// What the drops assert, as differential takes it: key, and drop with value.
fn assertions(model: &Model) -> Changes<(u64, Vec<u8>)> {
    let of_key = |(key, drops): (&Vec<u8>, &BTreeMap<u64, (u64, u64, Vec<u8>)>)| {
        let drops = drops.iter().map(|(place, (_, _, value))| ((key.clone(), (*place, value.clone())), 1));
        drops.collect::<Vec<_>>()
    };
    model.iter().flat_map(of_key).collect()
}

fn history(seed: u64, conflict: Conflict, workers: usize) {
    let mut random = random(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    let (mut model, mut found, mut steps) = (Model::new(), Vec::new(), Vec::new());
    let keys = [3, 20, 300][(random() % 3) as usize];
    for epoch in 1..9 {
        let session = state.begin().unwrap();
        // A new drop, another content of an old one, or the end of one.
        let place = if epoch == 1 || random().is_multiple_of(2) { epoch } else { 1 + random() % (epoch - 1) };
        let is_withdrawal = random().is_multiple_of(4) || epoch == 8;
        let places = if epoch == 8 { 1..=epoch } else { place..=place };
        let mut removals: Vec<Removal> = Vec::new();
        for (key, drops) in &model {
            for (place, (version, ..)) in drops.range(places.clone()) {
                removals.push(Removal::new(key[..].into(), *place, *version));
            }
        }
        let count = if is_withdrawal { 0 } else { random() % 400 };
        let rows: Vec<Asserted> = (0..count)
            .map(|origin| {
                let key = format!("chr{}:{:06}", random() % 3, random() % keys);
                let (rank, text) = (random() % 3, format!("value {}", random() % 3));
                let mut value = Vec::new();
                match conflict {
                    Conflict::Greatest => rank::put(&mut value, format!("rank {rank}").as_bytes(), text.as_bytes()),
                    Conflict::LatestDrop | Conflict::FirstDrop => value.extend(text.into_bytes()),
                }
                (key.into_bytes(), place, origin, value)
            })
            .collect();
        // The rows come in one to three chunks, in the order of their records; so do the removals, in any order.
        let chunks = 1 + random() % 3;
        for at in 0..chunks {
            let part = |length: usize, at: u64| length * at as usize / chunks as usize;
            let rows = &rows[part(rows.len(), at)..part(rows.len(), at + 1)];
            let taken: Vec<Removal> = (removals.iter().zip(0u64..))
                .filter(|(_, number)| number.wrapping_mul(7) % chunks == at)
                .map(|(removal, _)| removal.clone())
                .collect();
            let before = assertions(&model);
            for Removal { key, place, version, .. } in &taken {
                let drops = model.entry(key.to_vec()).or_default();
                if drops.get(place).is_some_and(|(standing, ..)| standing == version) {
                    drops.remove(place);
                }
            }
            let mut aside = 0;
            for (key, place, origin, value) in rows {
                let old = model.entry(key.clone()).or_default().insert(*place, (epoch, *origin, value.clone()));
                aside += usize::from(old.is_some_and(|(version, ..)| version == epoch));
            }
            model.retain(|_, drops| !drops.is_empty());
            let (changes, superseded) = chunk(&session, epoch, conflict, workers, rows, &taken);
            assert_eq!(superseded.values().map(Vec::len).sum::<usize>(), aside, "seed {seed}, epoch {epoch}");
            found.push(changes);
            let mut step = assertions(&model);
            before.into_iter().for_each(|(assertion, count)| *step.entry(assertion).or_default() -= count);
            step.retain(|_, diff| *diff != 0);
            steps.push(step);
        }
        session.compact().unwrap();
        state.prepare(session, crate::state::EpochId::numbered(Epoch::new(epoch)), BTreeMap::new()).unwrap();
        state.finalize().unwrap();
    }
    let expected = reduced(steps, move |drops| {
        let mut present = drops.iter().filter(|(_, count)| *count > 0).map(|(drop, _)| *drop);
        let winner = match conflict {
            Conflict::LatestDrop => present.next_back(),
            Conflict::FirstDrop => present.next(),
            Conflict::Greatest => present.max_by_key(|(place, value)| (conflict.rank(value), *place)),
        };
        winner.map(|(_, value)| conflict.row(value).to_vec())
    });
    assert_eq!(found, expected, "seed {seed}, {workers} workers");
    assert!(model.is_empty());
    let session = state.begin().unwrap();
    for shard in 0..SHARDS {
        for space in [list_space(STAGE), assertion_space(STAGE), drop_space(STAGE)] {
            let mut reader = session.reader(&space, shard).unwrap();
            assert!(reader.scan(&[]).unwrap().next().unwrap().is_none(), "seed {seed}: {space} is not empty");
        }
    }
}

#[test]
fn the_change_is_what_differential_says_it_is() {
    let first = seed(1);
    for seed in first..first + 13 {
        for (conflict, workers) in
            [(Conflict::LatestDrop, 1), (Conflict::FirstDrop, 2), (Conflict::LatestDrop, 4), (Conflict::Greatest, 3)]
        {
            history(seed, conflict, workers);
        }
    }
}
