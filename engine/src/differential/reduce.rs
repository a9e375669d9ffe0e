//! Key-local operators under differential's reduce driver.

use std::sync::Arc;

use differential_dataflow::operators::reduce::{ReduceTactic, reduce_with_tactic};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{StreamVec, channels::pact::Pipeline, operators::Operator},
    progress::Antichain,
};

use super::{
    passing::{Changes, Passing},
    trace::{Arranged, Gather, Run},
};
use crate::{abort::Abort, error::RunError, failpoint, state::Snapshot};

/// An operator whose output for a key follows from what the state knew of that key and from what the chunk brings of it.
pub(crate) trait KeyLocal: 'static {
    /// What the chunk brings.
    type Incoming: Gather;
    /// A change of the output, or several.
    type Output: Clone + 'static;

    /// The change of the output; writes the state as it is after it.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    fn changes(&mut self, before: &Snapshot, incoming: &Self::Incoming) -> Result<Vec<Self::Output>, RunError>;
}

/// Reduces a collection that is kept in the state.
pub(crate) fn reduce<'scope, L: KeyLocal>(
    arranged: Arranged<'scope, L::Incoming>,
    name: &str,
    before: Arc<Snapshot>,
    operator: L,
    abort: Abort,
) -> StreamVec<'scope, u64, L::Output> {
    let stage = name.strip_prefix("stage:").unwrap_or(name).to_owned();
    let tactic = Tactic { stage, before, operator, abort };
    let reduced = reduce_with_tactic::<_, Passing<L::Output>, _>(arranged, name, tactic);
    reduced.stream.unary::<CapacityContainerBuilder<Vec<L::Output>>, _, _, _>(Pipeline, name, |_, _| {
        |input, output| {
            input.for_each_time(|time, batches| {
                let mut session = output.session(&time);
                for changes in batches.flat_map(|batch| batch.drain(..)) {
                    session.give_iterator(changes.take().into_iter());
                }
            });
        }
    })
}

/// Does a key-local operator's work where differential's driver says that it is due.
struct Tactic<L: KeyLocal> {
    /// The stage whose work it is.
    stage: String,
    before: Arc<Snapshot>,
    operator: L,
    abort: Abort,
}

impl<L: KeyLocal> ReduceTactic<Run<L::Incoming>, Changes<L::Output>> for Tactic<L> {
    fn retire(
        &mut self,
        _: Vec<Run<L::Incoming>>,
        _: Vec<Changes<L::Output>>,
        input: Vec<Run<L::Incoming>>,
        lower: &Antichain<u64>,
        upper: &Antichain<u64>,
        held: &Antichain<u64>,
    ) -> (Vec<(u64, Changes<L::Output>)>, Antichain<u64>) {
        // What was stored is the output's past; it is read where a key asks for it, so its own batch brings nothing.
        let mut changes = Vec::new();
        for run in &input {
            let Run::Incoming(_, incoming) = run else { continue };
            if incoming.weight() > 0 {
                failpoint::slow("stage", &self.stage);
            }
            match self.operator.changes(&self.before, incoming) {
                Ok(more) => changes.extend(more),
                Err(error) => {
                    self.abort.raise(error);
                    return (Vec::new(), Antichain::new());
                }
            }
        }
        // Nothing is due later: the output at `INCOMING` is all that a chunk changes.
        match held.elements().first() {
            Some(time) if !changes.is_empty() => {
                let batch = Changes::new(lower.clone(), upper.clone(), changes);
                (vec![(*time, batch)], Antichain::new())
            }
            _ => (Vec::new(), Antichain::new()),
        }
    }
}
