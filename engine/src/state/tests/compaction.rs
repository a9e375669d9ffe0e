//! What merging leaves, and what it may cost.

use std::collections::BTreeMap;

use vardelta_schemas::ledger::{Epoch, EpochId};
use vardelta_testrandom::{Random, seed};

use super::{Changes, Content, commit, content, data_files, read, rows, write};
use crate::state::State;

fn big_rows(numbers: impl IntoIterator<Item = u32>, fill: u8) -> Changes {
    let row = |number: u32| (number.to_be_bytes().to_vec(), Some(vec![fill; 8000]));
    numbers.into_iter().map(row).collect()
}

#[test]
fn tombstones_vanish_when_all_is_merged() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..1000, "x"));
    commit(&mut state, &rows(0..1000, "x").into_keys().map(|key| (key, None)).collect());
    let table = &state.statistics()[0];
    assert_eq!((table.runs, table.entries), (0, 0), "nothing is left, not even tombstones");
    assert_eq!(data_files(directory.path()), [""; 0]);
}

#[test]
fn a_tombstone_stays_while_something_older_may_need_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..10_000, "x"));
    // Two small runs, merged with each other but not with the large one.
    commit(&mut state, &rows(0..10, "x").into_keys().map(|key| (key, None)).collect());
    commit(&mut state, &rows(10..20, "x").into_keys().map(|key| (key, None)).collect());
    let table = &state.statistics()[0];
    assert_eq!((table.runs, table.entries), (2, 10_020));
    assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&rows(20..10_000, "x")));
}

#[test]
fn runs_stay_few() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    let mut expected = rows(0..4000, "x");
    commit(&mut state, &expected);
    for step in 0..60 {
        let changes = rows((0..50).map(|number| (number * 79 + step * 31) % 4000), &format!("step {step}"));
        expected.extend(changes.clone());
        commit(&mut state, &changes);
        assert!(state.statistics()[0].runs <= 6, "{} runs after {step} steps", state.statistics()[0].runs);
    }
    assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&expected));
    let disk: u64 = data_files(directory.path())
        .iter()
        .map(|name| std::fs::metadata(directory.path().join(name)).unwrap().len())
        .sum();
    let content: usize = content(&expected).iter().map(|(key, value)| key.len() + value.len()).sum();
    assert!(disk < 6 * content as u64 + (8 << 20), "{disk} bytes on disk for {content}");
}

#[test]
fn one_call_works_within_its_allowance_and_saves_for_more() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    // 16 MB, too much for one call of a small session, and half of it again.
    commit(&mut state, &big_rows(0..2000, 1));
    let session = state.begin().unwrap();
    write(&session, "table", 0, &big_rows(0..1200, 2));
    state.prepare(session, EpochId::numbered(Epoch::new(2)), BTreeMap::new()).unwrap();
    state.finalize().unwrap();

    let mut calls = 0;
    while state.statistics()[0].runs > 1 {
        calls += 1;
        let session = state.begin().unwrap();
        session.compact().unwrap();
        assert!(session.bytes_written() < 26 << 20);
        let epoch = state.epoch().next();
        state.prepare(session, EpochId::numbered(epoch), BTreeMap::new()).unwrap();
        state.finalize().unwrap();
    }
    assert_eq!(calls, 4, "25 MB of merging in calls of 8 MiB: three save, the fourth merges");
    let mut expected = big_rows(0..2000, 1);
    expected.extend(big_rows(0..1200, 2));
    assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&expected));
}

#[test]
fn files_that_are_mostly_unused_are_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    // One file of 40 MB, of which 38 are forgotten at once; what is left holds the whole file.
    let session = state.begin().unwrap();
    write(&session, "large", 0, &big_rows(0..4750, 1));
    write(&session, "small", 0, &big_rows(0..250, 2));
    state.prepare(session, EpochId::numbered(Epoch::FIRST), BTreeMap::new()).unwrap();
    state.finalize().unwrap();
    let session = state.begin().unwrap();
    session.clear_space("large");
    session.compact().unwrap();
    state.prepare(session, EpochId::numbered(Epoch::new(2)), BTreeMap::new()).unwrap();
    state.finalize().unwrap();
    let files = data_files(directory.path());
    assert_eq!(files.len(), 1);
    let length = std::fs::metadata(directory.path().join(&files[0])).unwrap().len();
    assert!(length < 3 << 20, "{length} bytes");
    assert_eq!(read(&state.begin().unwrap(), "small", 0), content(&big_rows(0..250, 2)));
}

#[test]
fn a_long_session_merges_its_own_runs_and_gives_files_back() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    for chunk in 0..40 {
        write(&session, "table", 0, &rows(chunk * 100..chunk * 100 + 100, "x"));
        session.compact().unwrap();
    }
    assert!(session.statistics()[0].runs <= 6, "{:?}", session.statistics());
    assert_eq!(read(&session, "table", 0), content(&rows(0..4000, "x")));
}

#[test]
fn a_thousand_epochs_leave_what_one_would() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    let mut expected = rows(0..2000, "x");
    commit(&mut state, &expected);
    let bytes_on_disk = || -> u64 {
        let length = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().metadata().unwrap().len();
        std::fs::read_dir(directory.path()).unwrap().map(length).sum()
    };
    let first = bytes_on_disk();
    for step in 0..1000 {
        let changes = rows([step * 7 % 2000], &format!("step {step}"));
        expected.extend(changes.clone());
        commit(&mut state, &changes);
    }
    assert!(state.statistics()[0].runs <= 6, "{} runs", state.statistics()[0].runs);
    assert!(bytes_on_disk() < 6 * first, "{} bytes on disk, {first} after the first epoch", bytes_on_disk());
    assert!(data_files(directory.path()).len() <= 8, "{:?}", data_files(directory.path()));
    assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&expected));
}

/// Random runs of one session: sorted stretches one after the other, stretches that others lie within, scattered keys, and all of them
/// with tombstones.
fn random_runs(random: &mut Random) -> Vec<Changes> {
    let keys = 20_000_u32;
    (0..2 + random.below(8_u32))
        .map(|_| {
            let count = 1 + random.below(3_000_u32);
            let start = random.below(keys);
            let mut chosen: Vec<u32> = match random.below(4_u32) {
                0 => (start..start + count).collect(),
                // The end of one stretch and the beginning of another one far away.
                1 => (start..start + count / 2).chain(start + 9_000..start + 9_000 + count / 2).collect(),
                2 => (0..count).map(|_| random.below(keys)).collect(),
                _ => vec![start],
            };
            let removed = if random.below(2_u32) == 0 { 0 } else { 1 + random.below(20_u32) };
            chosen.sort_unstable();
            let mut changes = rows(chosen, &format!("{}", random.below(1_000_000)));
            for value in changes.values_mut() {
                if removed > 0 && random.below(20) < removed {
                    *value = None;
                }
            }
            changes
        })
        .collect()
}

#[test]
fn joined_runs_hold_what_merged_ones_would() {
    let seed = seed(31);
    let mut random = Random::new(seed);
    for _ in 0..40 {
        let directory = tempfile::tempdir().unwrap();
        let mut state = State::open(directory.path()).unwrap();
        let mut expected = Content::new();
        // Sometimes there is an older run below, which tombstones hide keys of.
        if random.below(2) == 0 {
            let below = rows((0..20_000).filter(|_| random.below(3) == 0).collect::<Vec<_>>(), "below");
            expected = content(&below);
            commit(&mut state, &below);
        }
        for _ in 0..2 {
            let session = state.begin().unwrap();
            let runs = random_runs(&mut random);
            for (at, changes) in runs.iter().enumerate() {
                write(&session, "table", 0, changes);
                for (key, value) in changes {
                    match value {
                        Some(value) => expected.insert(key.clone(), value.clone()),
                        None => expected.remove(key),
                    };
                }
                if at + 1 == runs.len() || random.below(6) == 0 {
                    session.compact().unwrap();
                }
            }
            assert_eq!(read(&session, "table", 0), expected, "seed {seed}");
            let epoch = state.epoch().next();
            state.prepare(session, EpochId::numbered(epoch), BTreeMap::new()).unwrap();
            state.finalize().unwrap();
            drop(state);
            state = State::open(directory.path()).unwrap();
            let session = state.begin().unwrap();
            assert_eq!(read(&session, "table", 0), expected, "seed {seed}");
            // Every key is found by itself, through the filter, and none that is not there.
            let mut reader = session.reader("table", 0).unwrap();
            for number in (0..21_000).step_by(7) {
                let key = format!("key{number:08}").into_bytes();
                assert_eq!(reader.get(&key).unwrap(), expected.get(&key).cloned(), "seed {seed}");
            }
        }
    }
}

#[test]
fn what_lies_apart_is_joined_where_it_lies() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    // Each run has the end of one stretch and the beginning of the next but one, as chunks at the ends of chromosomes have.
    let stretch = |at: u32| at * 10_000..at * 10_000 + 5_000;
    let mut expected = Content::new();
    for at in 0..10 {
        let changes = rows(stretch(at).skip(100).chain(stretch((at + 2) % 10).take(100)), "x");
        expected.extend(content(&changes));
        write(&session, "table", 0, &changes);
    }
    let written = session.bytes_written();
    session.compact().unwrap();
    let merged = session.bytes_written() - written;
    assert_eq!(session.statistics()[0].runs, 1);
    assert!(merged * 5 < written, "{merged} bytes were written again of {written}");
    assert_eq!(read(&session, "table", 0), expected);
    state.prepare(session, EpochId::numbered(Epoch::FIRST), BTreeMap::new()).unwrap();
    state.finalize().unwrap();
    drop(state);
    let state = State::open(directory.path()).unwrap();
    assert_eq!(read(&state.begin().unwrap(), "table", 0), expected);
}
