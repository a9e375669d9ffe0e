//! Kept values against plain lists, through random histories.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc};

use vardelta_testrandom::{Random, seed};

use super::*;
use crate::state::{Session, State};

const SPACE: &str = "summary/values";
const GROUP: &[u8] = b"TP53";
const CALL: u16 = 3;

fn row(value: u16) -> Row {
    value.to_be_bytes()[..].into()
}

/// What a chunk does to the state, between its snapshot and its writes.
fn chunk<T>(session: &Arc<Session>, is_stored: bool, work: impl FnOnce(&mut Values<'_>) -> T) -> T {
    let reader = session.snapshot().reader(SPACE, 0).unwrap();
    let mut values = Values { reader, entries: Vec::new(), space: SPACE, is_stored };
    let result = work(&mut values);
    let mut writer = session.run_writer(SPACE, 0);
    values.entries.sort();
    for (entry, count) in &values.entries {
        let mut bytes = Vec::new();
        varint::push(&mut bytes, *count as u64);
        writer.push(entry, (*count > 0).then_some(&bytes[..])).unwrap();
    }
    writer.finish().unwrap();
    result
}

/// Some changes that the counts allow.
fn deltas(random: &mut Random, model: &mut BTreeMap<u16, i64>) -> Vec<Delta> {
    let mut deltas = BTreeMap::new();
    let (changes, goes) = (random.below(8), random.below(3));
    for _ in 0..changes {
        let value = random.below(12) as u16 * 100;
        let count = model.entry(value).or_default();
        let change = match random.below(3) {
            of if of < goes => -(random.below(*count as u64 + 1) as i64),
            _ => random.below(3) as i64,
        };
        *count += change;
        *deltas.entry(value).or_default() += change;
    }
    model.retain(|_, count| *count > 0);
    deltas.into_iter().filter(|(_, change)| *change != 0).map(|(value, change)| (row(value), change)).collect()
}

fn list(model: &BTreeMap<u16, i64>) -> Vec<u16> {
    model.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count as usize)).collect()
}

/// The answer of a percentile over a sorted list.
fn answer(list: &[u16], percentile: Percentile) -> Option<Row> {
    let lower = percentile.lower(list.len() as u64) as usize;
    let low = *list.get(lower.checked_sub(1)?)?;
    let high = list.get(lower).copied().unwrap_or(low);
    Some(match percentile.interpolates {
        true => [low.to_be_bytes(), high.to_be_bytes()].concat().into(),
        false => row(low),
    })
}

#[test]
fn percentiles_are_those_of_a_sorted_list() {
    let seed = seed(1);
    for (numerator, interpolates, descending) in
        [(50, true, false), (90, true, false), (0, true, false), (100, true, false), (25, false, true)]
    {
        let percentile = Percentile { interpolates, descending, numerator, denominator: 100 };
        let directory = tempfile::tempdir().unwrap();
        let state = State::open(directory.path()).unwrap();
        let session = state.begin().unwrap();
        let (mut random, mut model) = (Random::of(&[seed, numerator]), BTreeMap::new());
        for step in 0..300 {
            let before = list(&model);
            let deltas = deltas(&mut random, &mut model);
            let after = list(&model);
            let counts = (before.len() as u64, after.len() as u64);
            let found =
                chunk(&session, true, |values| values.halves((CALL, GROUP), percentile, counts, &deltas)).unwrap();
            let expected = (answer(&before, percentile), answer(&after, percentile));
            assert_eq!(found, expected, "{numerator} %, step {step}: {before:?} {after:?}");
            // What is kept follows from the values alone, whatever came and went before.
            let lower = value_prefix(CALL | LOWER, GROUP);
            let mut kept = 0;
            chunk(&session, true, |values| {
                values.all(&lower, &[], &mut |_, count, _| {
                    kept += count;
                    true
                })
            })
            .unwrap();
            assert_eq!(kept as u64, percentile.lower(counts.1), "{numerator} %, step {step}");
        }
    }
}

#[test]
fn the_first_all_and_the_distinct_ones_are_those_of_a_map() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    let (mut random, mut model) = (Random::new(seed(9)), BTreeMap::new());
    for step in 0..400 {
        let before = model.clone();
        let deltas = deltas(&mut random, &mut model);
        let prefix = value_prefix(CALL, GROUP);
        let first = |model: &BTreeMap<u16, i64>| model.keys().next().map(|value| row(*value));
        match step % 3 {
            0 => {
                let found = chunk(&session, true, |values| values.first(&prefix, &deltas)).unwrap();
                assert_eq!(found, (first(&before), first(&model)), "step {step}");
            }
            1 => {
                let mut found = Vec::new();
                chunk(&session, true, |values| {
                    values.all(&prefix, &deltas, &mut |value, was, is| {
                        found.push((Row::from(value), was, is));
                        true
                    })
                })
                .unwrap();
                let mut keys: Vec<u16> = before.keys().chain(model.keys()).copied().collect();
                keys.sort_unstable();
                keys.dedup();
                let count = |model: &BTreeMap<u16, i64>, key| model.get(key).copied().unwrap_or_default();
                let expected: Vec<(Row, i64, i64)> =
                    keys.iter().map(|key| (row(*key), count(&before, key), count(&model, key))).collect();
                assert_eq!(found, expected, "step {step}");
            }
            _ => {
                let found = chunk(&session, true, |values| values.distinct(&prefix, &deltas)).unwrap();
                let came: i64 = found.iter().map(|(_, came)| came).sum();
                assert_eq!(came, model.len() as i64 - before.len() as i64, "step {step}");
            }
        }
    }
    // More are taken than are there: the state does not fit.
    let too_many = [(row(0), -1_000)];
    let refused = chunk(&session, true, |values| values.first(&value_prefix(CALL, GROUP), &too_many));
    assert!(refused.is_err());
}
