//! Random sessions against ordered maps in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::{SystemTime, UNIX_EPOCH};

use vardelta_schemas::ledger::EpochId;

use super::{Changes, Content, read, write};
use crate::state::{Session, State};
use std::sync::Arc;

/// SplitMix64: enough for a test, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn key(&mut self) -> Vec<u8> {
        let number = self.below(9000);
        // Long shared prefixes, keys that are prefixes of others, and the empty key.
        match number % 7 {
            0 => number.to_be_bytes()[..(number % 9) as usize].to_vec(),
            1 => vec![b'p'; (number % 400) as usize],
            _ => format!("chromosome{}:{:07}", number % 3, number / 3).into_bytes(),
        }
    }

    fn changes(&mut self) -> Changes {
        let count = [0, 1, 30, 600, 6000][self.below(5) as usize];
        let deletes = [0, 3, 10][self.below(3) as usize];
        (0..count)
            .map(|_| {
                let key = self.key();
                let value = (self.below(10) >= deletes).then(|| {
                    let length = if self.below(300) == 0 { 9000 } else { self.below(60) };
                    vec![self.next() as u8; length as usize]
                });
                (key, value)
            })
            .collect()
    }
}

const PLACES: [(&str, u32); 3] = [("table", 0), ("table", 63), ("groups", 17)];

type Model = BTreeMap<(&'static str, u32), Content>;

fn check(session: &Arc<Session>, model: &Model, random: &mut Random) {
    let nothing = Content::new();
    for place in PLACES {
        let expected = model.get(&place).unwrap_or(&nothing);
        assert!(read(session, place.0, place.1) == *expected, "scan of {place:?}");
        let mut reader = session.reader(place.0, place.1).unwrap();
        let mut keys: Vec<Vec<u8>> = (0..300).map(|_| random.key()).collect();
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
    let mut random = Random(seed);
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
                let changes = random.changes();
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
            let epoch = state.epoch() + 1;
            state
                .prepare(session, EpochId::numbered(epoch), BTreeMap::from([("seed".into(), epoch.to_string())]))
                .unwrap();
            let reopens = random.below(2) == 0;
            if reopens {
                drop(state);
                state = State::open(directory.path()).unwrap();
            }
            assert_eq!((state.epoch(), state.prepared().map(|id| id.number)), (epoch - 1, Some(epoch)));
            if random.below(4) > 0 {
                state.finalize().unwrap();
                model = next;
                assert_eq!(state.metadata()["seed"], epoch.to_string());
                assert_eq!(state.epoch(), epoch);
            } else {
                state.roll_back().unwrap();
                assert_eq!(state.epoch(), epoch - 1);
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
#[expect(clippy::disallowed_methods, reason = "a seed that differs from run to run, and is told")]
fn random_histories_equal_the_model() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    for seed in [1, 2, 3, 4, now] {
        history(seed);
    }
}
