//! Differential's join driver with pairs made by us.
//!
//! The driver meets every fresh batch with what was accepted of the other side, once: of a change on both sides,
//! `d(A ⋈ B) = A ⋈ dB + dA ⋈ (B + dB)` where the right side's batch comes first.

use differential_dataflow::operators::join::{Fresh, JoinTactic, join_with_tactic};
use timely::{Container, dataflow::Stream};

use super::{Body, Gathered, Timed};

/// A side of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The first input.
    Left,
    /// The second input.
    Right,
}

/// Pairs the changes of one side with the rows of the other.
pub(crate) trait HalfJoin<B, C: 'static>: 'static {
    /// The pairs of a batch of changes with the batches accepted of the other side, container by container, as they are
    /// asked for. A batch of stored rows is no change: it has no pairs.
    fn pairs(&mut self, fresh: Side, changes: B, accepted: Vec<B>) -> Box<dyn Iterator<Item = C>>;
}

struct Tactic<J>(J);

impl<B: Body, C: 'static, J: HalfJoin<B, C>> JoinTactic<Timed<B>, Timed<B>, C> for Tactic<J> {
    fn prep(
        &mut self,
        right: Vec<Timed<B>>,
        left: Vec<Timed<B>>,
        fresh: Fresh,
        _meet: u64,
    ) -> Box<dyn Iterator<Item = C>> {
        let bodies = |batches: Vec<Timed<B>>| batches.into_iter().map(Timed::into_body).collect::<Vec<B>>();
        let (fresh, mut changes, accepted) = match fresh {
            Fresh::Input0 => (Side::Right, bodies(right), bodies(left)),
            Fresh::Input1 => (Side::Left, bodies(left), bodies(right)),
        };
        // The driver hands over fresh batches one by one.
        match changes.pop() {
            Some(changes) => self.0.pairs(fresh, changes, accepted),
            None => Box::new(std::iter::empty()),
        }
    }
}

/// Joins two gathered sides. The containers count for the driver's fuel, 1,000,000 of their `record_count` per side and
/// activation; then the operators behind it get their turn.
pub(crate) fn join<'scope, B, C, J>(
    right: Gathered<'scope, B>,
    left: Gathered<'scope, B>,
    pairs: J,
) -> Stream<'scope, u64, C>
where
    B: Body,
    C: Container + 'static,
    J: HalfJoin<B, C>,
{
    join_with_tactic(right.arranged(), left.arranged(), Tactic(pairs))
}
