//! Differential's join driver with pairs made by us.
//!
//! The driver meets every fresh batch with what was accepted of the other side, once: of a change on both sides,
//! `d(A ⋈ B) = A ⋈ dB + dA ⋈ (B + dB)` where the right side's batch comes first.

use std::rc::Rc;

use differential_dataflow::operators::join::{Fresh, JoinTactic, join_with_tactic};
use timely::{Container, dataflow::Stream};

use super::trace::{Arranged, Gather, Run};

#[cfg(test)]
mod tests;

/// A side of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The first input.
    Left,
    /// The second input.
    Right,
}

/// Pairs the changes of one side with the rows of the other.
pub(crate) trait HalfJoin<G, C: 'static>: 'static {
    /// The pairs of the changes of one side with what the state knew of the other and these changes of it, container by
    /// container, as they are asked for.
    fn pairs(&mut self, fresh: Side, changes: Rc<G>, accepted: Vec<Rc<G>>) -> Box<dyn Iterator<Item = C>>;
}

struct Tactic<J>(J);

impl<G: Gather, C: 'static, J: HalfJoin<G, C>> JoinTactic<Run<G>, Run<G>, C> for Tactic<J> {
    fn prep(&mut self, right: Vec<Run<G>>, left: Vec<Run<G>>, fresh: Fresh, _meet: u64) -> Box<dyn Iterator<Item = C>> {
        let (fresh, mut changes, accepted) = match fresh {
            Fresh::Input0 => (Side::Right, incoming(right), incoming(left)),
            Fresh::Input1 => (Side::Left, incoming(left), incoming(right)),
        };
        // The driver hands over fresh batches one by one. One of stored rows is no change: it has no pairs.
        match changes.pop() {
            Some(changes) => self.0.pairs(fresh, changes, accepted),
            None => Box::new(std::iter::empty()),
        }
    }
}

fn incoming<G>(runs: Vec<Run<G>>) -> Vec<Rc<G>> {
    let incoming = |run| match run {
        Run::Incoming(_, gathered) => Some(gathered),
        Run::Stored(..) => None,
    };
    runs.into_iter().filter_map(incoming).collect()
}

/// Joins two arranged sides. The containers count for the driver's fuel, 1,000,000 of their `record_count` per side and
/// activation; then the operators after it get their turn.
pub(crate) fn join<'scope, G, C, J>(
    right: Arranged<'scope, G>,
    left: Arranged<'scope, G>,
    pairs: J,
) -> Stream<'scope, u64, C>
where
    G: Gather,
    C: Container + 'static,
    J: HalfJoin<G, C>,
{
    join_with_tactic(right, left, Tactic(pairs))
}
