//! Half-joins against differential's own `join_core`: random histories with any multiplicities, equal after every step.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
};

use differential_dataflow::{
    consolidation::{consolidate, consolidate_updates},
    input::Input as _,
};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        channels::pact::Pipeline,
        operators::{generic::operator::Operator, vec::Input as _},
    },
};
use vardelta_testrandom::{Random, seed};

use super::{
    super::{Gather, INCOMING, arrange, arrange_after},
    HalfJoin, Side, join,
};
use crate::state::State;

/// Key and value of one side.
type Row = (u64, u64);
type Changes = Vec<(Row, i64)>;
/// Key, left value, right value.
type Pair = (u64, u64, u64);

/// What a step changes of one side.
struct Gathered(Changes);

impl Gather for Gathered {
    type Part = (Row, i64);

    fn gather(mut rows: Vec<(Row, i64)>) -> Gathered {
        consolidate(&mut rows);
        Gathered(rows)
    }

    fn weight(&self) -> usize {
        self.0.len()
    }
}

/// Pairs by nested loops; knows what was stored of the left and of the right side.
struct Nested([Arc<Changes>; 2]);

impl HalfJoin<Gathered, Vec<(Pair, i64)>> for Nested {
    fn pairs(
        &mut self,
        fresh: Side,
        changes: Rc<Gathered>,
        accepted: Vec<Rc<Gathered>>,
    ) -> Box<dyn Iterator<Item = Vec<(Pair, i64)>>> {
        let stored = match fresh {
            Side::Left => &self.0[1],
            Side::Right => &self.0[0],
        };
        let mut pairs = Vec::new();
        for ((key, value), diff) in &changes.0 {
            for ((other_key, other), other_diff) in stored.iter().chain(accepted.iter().flat_map(|rows| &rows.0)) {
                if key == other_key {
                    let pair = match fresh {
                        Side::Left => (*key, *value, *other),
                        Side::Right => (*key, *other, *value),
                    };
                    pairs.push((pair, diff * other_diff));
                }
            }
        }
        Box::new((!pairs.is_empty()).then_some(pairs).into_iter())
    }
}

/// One step by our driver: what both sides held, what changes.
fn by_ours(workers: usize, stored: [&Changes; 2], changes: [&Changes; 2]) -> Vec<(Pair, i64)> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let (out, stored, changes) = (Arc::clone(&found), stored.map(Clone::clone), changes.map(Clone::clone));
    let directory = tempfile::tempdir().unwrap();
    let before = State::open(directory.path()).unwrap().begin().unwrap().snapshot();
    timely::execute(timely::Config::process(workers), move |worker| {
        let (index, peers, out) = (worker.index(), worker.peers(), Arc::clone(&out));
        let own = |rows: &Changes| -> Arc<Changes> {
            Arc::new(rows.iter().filter(|row| row.0.0 % peers as u64 == index as u64).copied().collect())
        };
        let mut inputs = worker.dataflow::<u64, _, _>(|scope| {
            let (left, left_rows) = scope.new_input();
            let (right, right_rows) = scope.new_input();
            let to = |row: &(Row, i64)| row.0.0;
            let right_side = arrange(right_rows, "right", &before, to);
            let left_side = arrange_after(left_rows, right_side.stream.clone(), "left", &before, to, Some);
            let pairs = Nested([own(&stored[0]), own(&stored[1])]);
            join(right_side, left_side, pairs).unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
                Pipeline,
                "out",
                |_, _| {
                    move |input, _| {
                        input.for_each(|time, pairs| {
                            assert_eq!(*time.time(), INCOMING);
                            out.lock().unwrap().append(pairs);
                        });
                    }
                },
            );
            [left, right]
        });
        for (input, rows) in inputs.iter_mut().zip(&changes) {
            input.advance_to(INCOMING);
            // Whichever worker has them: they are exchanged.
            rows.iter().enumerate().filter(|(at, _)| at % peers == index).for_each(|(_, row)| input.send(*row));
        }
        drop(inputs);
        while worker.has_dataflows() {
            worker.step_or_park(None);
        }
    })
    .unwrap()
    .join()
    .into_iter()
    .for_each(|worker| worker.unwrap());
    let mut found = std::mem::take(&mut *found.lock().unwrap());
    consolidate(&mut found);
    found
}

/// The same by `join_core` over arrangements in memory.
fn by_differential(stored: [&Changes; 2], changes: [&Changes; 2]) -> Vec<(Pair, i64)> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let (out, stored, changes) = (Arc::clone(&found), stored.map(Clone::clone), changes.map(Clone::clone));
    timely::execute_directly(move |worker| {
        worker.dataflow::<u64, _, _>(|scope| {
            let collection = |side: usize| {
                let at = |time: u64| move |(row, diff): &(Row, i64)| (*row, time, *diff as isize);
                let rows = stored[side].iter().map(at(0)).chain(changes[side].iter().map(at(INCOMING)));
                scope.clone().new_collection_from_raw(rows.collect::<Vec<_>>()).1
            };
            let (left, right) = (collection(0).arrange_by_key(), collection(1).arrange_by_key());
            let joined = left.join_core(right, |key, left, right| Some((*key, *left, *right)));
            joined.inspect(move |change| out.lock().unwrap().push(*change));
        });
    });
    let mut found: Vec<(Pair, u64, isize)> = std::mem::take(&mut *found.lock().unwrap());
    consolidate_updates(&mut found);
    found.into_iter().filter(|(_, time, _)| *time == INCOMING).map(|(pair, _, diff)| (pair, diff as i64)).collect()
}

/// Numbers that a seed repeats.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut random = Random::new(seed);
    move |limit| random.below(limit)
}

#[test]
fn half_joins_yield_what_join_core_yields() {
    let first = seed(0);
    for seed in first..first + 30 {
        let mut random = numbers(seed);
        let workers = [1, 2, 4][(seed % 3) as usize];
        let mut stored = [Changes::new(), Changes::new()];
        let mut view: BTreeMap<Pair, i64> = BTreeMap::new();
        for step in 0..6 {
            let changes = [(); 2].map(|()| {
                let count = if random(4) == 0 { 0 } else { random(40) };
                let change = |_| ((random(6), random(4)), random(5) as i64 - 2);
                let mut changes: Changes = (0..count).map(change).collect();
                consolidate(&mut changes);
                changes
            });
            let ours = by_ours(workers, [&stored[0], &stored[1]], [&changes[0], &changes[1]]);
            let theirs = by_differential([&stored[0], &stored[1]], [&changes[0], &changes[1]]);
            assert_eq!(ours, theirs, "seed {seed}, step {step}, {workers} workers");
            for (pair, diff) in ours {
                *view.entry(pair).or_default() += diff;
            }
            for (stored, changes) in stored.iter_mut().zip(changes) {
                stored.extend(changes);
                consolidate(stored);
            }
            view.retain(|_, diff| *diff != 0);
            let mut expected: BTreeMap<Pair, i64> = BTreeMap::new();
            for ((key, left), a) in &stored[0] {
                for ((_, right), b) in stored[1].iter().filter(|row| row.0.0 == *key) {
                    *expected.entry((*key, *left, *right)).or_default() += a * b;
                }
            }
            assert_eq!(view, expected, "seed {seed}, step {step}, {workers} workers");
        }
    }
}
