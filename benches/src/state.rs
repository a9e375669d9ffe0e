//! The state store alone: filled, then changed at random places, each change an epoch of its own.

use std::{collections::BTreeMap, path::Path, sync::Arc, thread, time::Instant};

use vardelta_engine::state::{self, Epoch, EpochId, SHARDS, Session, State, StateError};
use vardelta_testrandom::Random;

use crate::{
    failure::{Result, expect_equal},
    fixtures::{Fixtures, bytes_in},
    report::{Row, Section, decimals, grouped, mebibytes, median, per_second},
};

/// Threads that read and write, as a run's workers do.
const THREADS: usize = 4;
/// Entries that are written before runs are merged, as in a run's chunk.
const CHUNK_ENTRIES: u64 = 1_000_000;
/// Epochs of random changes.
const EPOCHS: u64 = 20;
const SPACE: &str = "variants";
/// About the size of an encoded row.
const VALUE_BYTES: usize = 80;

/// Keys and values of one shard, in order.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Measures the state store.
///
/// # Errors
/// When it fails, or does not hold what was written.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let changes = fixtures.sizes.change_records;
    let mut section = Section::new(format!("State store, epochs of {} random keys", grouped(changes)));
    let mut first: Option<Medians> = None;
    for entries in fixtures.sizes.state_entries {
        let directory = fixtures.scratch()?;
        fill(directory.path(), entries, &mut section)?;
        let medians = change(directory.path(), entries, changes)?;
        let times = first.get_or_insert(medians);
        for (what, value, before) in [
            ("open", medians.open, times.open),
            ("look up", medians.look_up, times.look_up),
            ("write and merge", medians.write, times.write),
            ("commit", medians.commit, times.commit),
            ("whole epoch", medians.epoch, times.epoch),
        ] {
            let row =
                Row::new(format!("{what}, {} entries", grouped(entries)), format!("{} ms", decimals(value * 1e3)));
            section.add(if entries == fixtures.sizes.state_entries[0] {
                row
            } else {
                row.ratio(value / before, "the shorter")
            });
        }
    }
    Ok(section)
}

fn fill(directory: &Path, entries: u64, section: &mut Section) -> Result<()> {
    let mut state = State::open(directory).map_err(told)?;
    let session = state.begin().map_err(told)?;
    let mut seconds = 0.0;
    for start in (0..entries).step_by(CHUNK_ENTRIES as usize) {
        let shards = shards(start..entries.min(start + CHUNK_ENTRIES), 0);
        let started = Instant::now();
        write(&session, &shards)?;
        session.compact().map_err(told)?;
        seconds += started.elapsed().as_secs_f64();
    }
    let started = Instant::now();
    state.prepare(session, EpochId::numbered(Epoch::FIRST), BTreeMap::new()).map_err(told)?;
    state.finalize().map_err(told)?;
    seconds += started.elapsed().as_secs_f64();
    section.add(Row::new(format!("fill with {} entries", grouped(entries)), per_second(entries, seconds)));
    section.add(Row::new("its size on disk", mebibytes(bytes_in(directory)?)));
    Ok(())
}

/// Median seconds of the parts of an epoch.
#[derive(Clone, Copy, Debug)]
struct Medians {
    open: f64,
    look_up: f64,
    write: f64,
    commit: f64,
    epoch: f64,
}

fn change(directory: &Path, entries: u64, changes: u64) -> Result<Medians> {
    let mut seconds: [Vec<f64>; 5] = Default::default();
    for epoch in 2..2 + EPOCHS {
        // Half of the keys are there, half are new.
        let mut random = Random::of(&[3, epoch]);
        let mut numbers: Vec<u64> = (0..changes / 2).map(|_| random.below(entries)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let known = numbers.len() as u64;
        numbers.extend((0..changes / 2).map(|at| entries + epoch * changes + at));
        let shards = shards(numbers.into_iter(), epoch);

        let started = Instant::now();
        let mut state = State::open(directory).map_err(told)?;
        let opened = Instant::now();
        let session = state.begin().map_err(told)?;
        expect_equal("known keys found", known, look_up(&session, &shards)?)?;
        let looked_up = Instant::now();
        write(&session, &shards)?;
        session.compact().map_err(told)?;
        let written = Instant::now();
        state.prepare(session, EpochId::numbered(Epoch::new(epoch)), BTreeMap::new()).map_err(told)?;
        state.finalize().map_err(told)?;
        let committed = Instant::now();
        let parts =
            [opened - started, looked_up - opened, written - looked_up, committed - written, committed - started];
        seconds.iter_mut().zip(parts).for_each(|(seconds, part)| seconds.push(part.as_secs_f64()));
    }
    let [open, look_up, write, commit, epoch] = seconds.map(|mut seconds| median(&mut seconds));
    Ok(Medians { open, look_up, write, commit, epoch })
}

/// Entries by shard, in order of key.
fn shards(numbers: impl Iterator<Item = u64>, epoch: u64) -> Vec<Entries> {
    let mut shards: Vec<Entries> = (0..SHARDS).map(|_| Entries::new()).collect();
    for number in numbers {
        let key = key(number);
        let mut random = Random::of(&[number, epoch]);
        let value = (0..VALUE_BYTES / 8).flat_map(|_| random.bits().to_be_bytes()).collect();
        shards[state::shard_of(&key) as usize].push((key, value));
    }
    shards.iter_mut().for_each(|shard| shard.sort_unstable());
    shards
}

/// A key that is as long as those of a table of variants, at a random place in their order.
fn key(number: u64) -> Vec<u8> {
    let mut random = Random::of(&[4, number]);
    let (chromosome, position) = (random.below(23) as u8, random.below(250_000_000_u64));
    let mut key = vec![2, b'c', b'h', b'r', chromosome, 2];
    key.extend(position.to_be_bytes());
    key.extend([2, b'A', 0, 0, 0, 0, 0, 0, 0, 1, 2, b'C', 0, 0, 0, 0, 0, 0, 0, 1]);
    key.extend(number.to_be_bytes());
    key
}

fn write(session: &Arc<Session>, shards: &[Entries]) -> Result<()> {
    on_threads(|shard| {
        let mut writer = session.run_writer(SPACE, shard);
        shards[shard as usize].iter().try_for_each(|(key, value)| writer.push(key, Some(value)))?;
        writer.finish().map(|()| 0)
    })
    .map(|_| ())
}

/// How many of the keys are there.
fn look_up(session: &Arc<Session>, shards: &[Entries]) -> Result<u64> {
    on_threads(|shard| {
        let mut reader = session.reader(SPACE, shard)?;
        let mut found = 0;
        for (key, _) in &shards[shard as usize] {
            found += u64::from(reader.get(key)?.is_some());
        }
        Ok(found)
    })
}

/// Does something for every shard, the shards dealt out to threads; the sum of what it returns.
fn on_threads(work: impl Fn(u32) -> std::result::Result<u64, StateError> + Sync) -> Result<u64> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS as u32)
            .map(|first| {
                scope.spawn(move || (first..SHARDS).step_by(THREADS).map(work).sum::<std::result::Result<u64, _>>())
            })
            .collect();
        let mut sum = 0;
        for thread in threads {
            sum += thread.join().map_err(|_| "a thread on the state panicked")?.map_err(told)?;
        }
        Ok(sum)
    })
}

fn told(error: StateError) -> String {
    error.to_string()
}
