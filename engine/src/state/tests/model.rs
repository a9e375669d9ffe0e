//! Random sessions against ordered maps in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use vardelta_schemas::ledger::EpochId;
use vardelta_testrandom::{Random, seed};

use super::{Changes, Content, read, write};
use crate::state::{Session, State};
use std::sync::Arc;

fn random_key(random: &mut Random) -> Vec<u8> {
    let number = random.below(9000_u64);
    // Long shared prefixes, keys that are prefixes of others, and the empty key.
    match number % 7 {
        0 => number.to_be_bytes()[..(number % 9) as usize].to_vec(),
        1 => vec![b'p'; (number % 400) as usize],
        _ => format!("chromosome{}:{:07}", number % 3, number / 3).into_bytes(),
    }
}

fn random_changes(random: &mut Random) -> Changes {
    let count = *random.pick(&[0, 1, 30, 600, 6000]);
    let deletes = *random.pick(&[0, 3, 10]);
    (0..count)
        .map(|_| {
            let key = random_key(random);
            let value = (random.below(10) >= deletes).then(|| {
                let length = if random.below(300) == 0 { 9000 } else { random.below(60) };
                vec![random.bits() as u8; length]
            });
            (key, value)
        })
        .collect()
}

const PLACES: [(&str, u32); 3] = [("table", 0), ("table", 63), ("groups", 17)];

type Model = BTreeMap<(&'static str, u32), Content>;

fn check(session: &Arc<Session>, model: &Model, random: &mut Random) {
    let nothing = Content::new();
    for place in PLACES {
        let expected = model.get(&place).unwrap_or(&nothing);
        assert!(read(session, place.0, place.1) == *expected, "scan of {place:?}");
        let mut reader = session.reader(place.0, place.1).unwrap();
        let mut keys: Vec<Vec<u8>> = (0..300).map(|_| random_key(random)).collect();
        if random.below(2) == 0 {
            keys.sort();
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(reader.get(key).unwrap().as_ref(), expected.get(key), "{place:?} {key:?}");
            if number % 29 == 0 {
                let mut scan = reader.scan(key).unwrap();
                let tail = expected.range::<Vec<u8>, _>((Bound::Included(key), Bound::Unbounded));
                for (key, value) in tail.take(3) {
                    assert_eq!(scan.next().unwrap(), Some((key.clone(), value.clone())));
                }
            }
        }
    }
}

fn history(seed: u64) {
    println!("state model test: seed {seed}");
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed);
    let mut state = State::open(directory.path()).unwrap();
    let mut model = Model::new();
    for _ in 0..12 {
        let session = state.begin().unwrap();
        let mut next = model.clone();
        for _ in 0..random.below(5) {
            if random.below(12) == 0 {
                session.clear_space("table");
                next.retain(|(space, _), _| *space != "table");
            }
            for place in PLACES {
                let changes = random_changes(&mut random);
                write(&session, place.0, place.1, &changes);
                let content = next.entry(place).or_default();
                for (key, value) in changes {
                    match value {
                        Some(value) => content.insert(key, value),
                        None => content.remove(&key),
                    };
                }
            }
            if random.below(3) > 0 {
                session.compact().unwrap();
            }
        }
        check(&session, &next, &mut random);
        if random.below(6) > 0 {
            let (before, epoch) = (state.epoch(), state.epoch().next());
            state
                .prepare(session, EpochId::numbered(epoch), BTreeMap::from([("seed".into(), epoch.to_string())]))
                .unwrap();
            let reopens = random.below(2) == 0;
            if reopens {
                drop(state);
                state = State::open(directory.path()).unwrap();
            }
            assert_eq!((state.epoch(), state.prepared().map(|id| id.number)), (before, Some(epoch)));
            if random.below(4) > 0 {
                state.finalize().unwrap();
                model = next;
                assert_eq!(state.metadata()["seed"], epoch.to_string());
                assert_eq!(state.epoch(), epoch);
            } else {
                state.roll_back().unwrap();
                assert_eq!(state.epoch(), before);
            }
        } else {
            drop(session);
        }
        if random.below(3) == 0 {
            drop(state);
            state = State::open(directory.path()).unwrap();
        }
        assert_eq!(state.prepared().map(|id| id.number), None);
        check(&state.begin().unwrap(), &model, &mut random);
    }
}

#[test]
fn random_histories_equal_the_model() {
    let first = seed(1);
    for seed in first..first + 5 {
        history(seed);
    }
}
