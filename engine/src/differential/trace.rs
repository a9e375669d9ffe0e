//! The state as a trace: what differential's drivers read.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use differential_dataflow::{
    operators::arrange,
    trace::{BatchReader, Description, TraceReader},
};
use timely::{
    ExchangeData, PartialOrder,
    container::CapacityContainerBuilder,
    dataflow::{
        StreamVec,
        channels::pact::{Exchange, Pipeline},
        operators::generic::operator::Operator,
    },
    progress::{Antichain, frontier::AntichainRef},
};

use super::{INCOMING, STORED};
use crate::state::Snapshot;

/// What one worker gathers of a chunk for one operator, ready to be read in key order.
pub(crate) trait Gather: 'static {
    /// What is exchanged between workers.
    type Part: ExchangeData;

    /// Gathers what came, in whatever order it came.
    fn gather(parts: Vec<Self::Part>) -> Self;

    /// How much there is; 0 only where there is nothing.
    fn weight(&self) -> usize;
}

/// A collection that is kept in the state, and what a chunk brings of it.
pub(crate) type Arranged<'scope, G> = arrange::Arranged<'scope, StateTrace<G>>;

/// A part of the trace.
pub(crate) enum Run<G> {
    /// The state before the chunk. Nothing of it is read before an operator asks for a key.
    Stored(Description<u64>, Arc<Snapshot>),
    /// What the chunk brings.
    Incoming(Description<u64>, Rc<G>),
}

impl<G> Clone for Run<G> {
    fn clone(&self) -> Run<G> {
        match self {
            Run::Stored(times, before) => Run::Stored(times.clone(), Arc::clone(before)),
            Run::Incoming(times, gathered) => Run::Incoming(times.clone(), Rc::clone(gathered)),
        }
    }
}

impl<G: Gather> BatchReader for Run<G> {
    type Time = u64;

    fn len(&self) -> usize {
        match self {
            Run::Stored(..) => 1,
            Run::Incoming(_, gathered) => gathered.weight(),
        }
    }

    fn description(&self) -> &Description<u64> {
        match self {
            Run::Stored(times, _) | Run::Incoming(times, _) => times,
        }
    }
}

/// The state before a chunk, and what of the chunk has been gathered since.
pub(crate) struct StateTrace<G> {
    runs: Rc<RefCell<Vec<Run<G>>>>,
    logical: Antichain<u64>,
    physical: Antichain<u64>,
}

impl<G> StateTrace<G> {
    fn new(before: Arc<Snapshot>) -> StateTrace<G> {
        let times = Description::new(
            Antichain::from_elem(STORED),
            Antichain::from_elem(INCOMING),
            Antichain::from_elem(STORED),
        );
        StateTrace {
            runs: Rc::new(RefCell::new(vec![Run::Stored(times, before)])),
            logical: Antichain::from_elem(STORED),
            physical: Antichain::from_elem(STORED),
        }
    }
}

impl<G: Gather> TraceReader for StateTrace<G> {
    type Time = u64;
    type Batch = Run<G>;

    fn batches_through(&mut self, upper: AntichainRef<'_, u64>) -> Option<Vec<Run<G>>> {
        let runs = self.runs.borrow();
        Some(runs.iter().filter(|run| PartialOrder::less_equal(&run.upper().borrow(), &upper)).cloned().collect())
    }

    fn set_logical_compaction(&mut self, frontier: AntichainRef<'_, u64>) {
        self.logical = frontier.to_owned();
    }

    fn get_logical_compaction(&mut self) -> AntichainRef<'_, u64> {
        self.logical.borrow()
    }

    fn set_physical_compaction(&mut self, frontier: AntichainRef<'_, u64>) {
        self.physical = frontier.to_owned();
    }

    fn get_physical_compaction(&mut self) -> AntichainRef<'_, u64> {
        self.physical.borrow()
    }

    fn map_batches<F: FnMut(&Run<G>)>(&self, each: F) {
        self.runs.borrow().iter().for_each(each);
    }
}

/// Brings what a chunk changes to the workers that keep it, gathers it there when all has come, and shows it after what the
/// state knew. `to` says which worker is to have a part.
pub(crate) fn arrange<'scope, G: Gather>(
    parts: StreamVec<'scope, u64, G::Part>,
    name: &str,
    before: &Arc<Snapshot>,
    to: impl Fn(&G::Part) -> u64 + 'static,
) -> Arranged<'scope, G> {
    arrange_finished(parts, name, before, to, Some)
}

/// As [`arrange()`]; what was gathered is shown as `finish` leaves it, or not at all where that fails.
pub(crate) fn arrange_finished<'scope, G: Gather>(
    parts: StreamVec<'scope, u64, G::Part>,
    name: &str,
    before: &Arc<Snapshot>,
    to: impl Fn(&G::Part) -> u64 + 'static,
    mut finish: impl FnMut(G) -> Option<G> + 'static,
) -> Arranged<'scope, G> {
    let trace = StateTrace::new(Arc::clone(before));
    let runs = Rc::clone(&trace.runs);
    let stream = parts.unary_frontier::<CapacityContainerBuilder<Vec<Run<G>>>, _, _, _>(
        Exchange::new(to),
        name,
        move |mut capability, _| {
            // At once: the drivers take what comes before `INCOMING` is reached for a part of what was stored.
            capability.downgrade(&INCOMING);
            let (mut capability, mut waiting) = (Some(capability), Vec::new());
            move |(input, frontier), output| {
                input.for_each(|_, parts| waiting.append(parts));
                if !frontier.is_empty() {
                    return;
                }
                let Some(capability) = capability.take() else { return };
                if let Some(gathered) = finish(G::gather(std::mem::take(&mut waiting))) {
                    output.session(&capability).give(shown(gathered, &runs));
                }
            }
        },
    );
    Arranged { stream, trace }
}

/// As [`arrange_finished`], shown only when all of another collection has been.
pub(crate) fn arrange_after<'scope, G: Gather, F: Gather>(
    parts: StreamVec<'scope, u64, G::Part>,
    first: StreamVec<'scope, u64, Run<F>>,
    name: &str,
    before: &Arc<Snapshot>,
    to: impl Fn(&G::Part) -> u64 + 'static,
    mut finish: impl FnMut(G) -> Option<G> + 'static,
) -> Arranged<'scope, G> {
    let trace = StateTrace::new(Arc::clone(before));
    let runs = Rc::clone(&trace.runs);
    let stream = parts.binary_frontier::<_, CapacityContainerBuilder<Vec<Run<G>>>, _, _, _, _>(
        first,
        Exchange::new(to),
        Pipeline,
        name,
        move |mut capability, _| {
            capability.downgrade(&INCOMING);
            let (mut capability, mut waiting) = (Some(capability), Vec::new());
            move |(input, frontier), (first, first_frontier), output| {
                input.for_each(|_, parts| waiting.append(parts));
                first.for_each(|_, runs| runs.clear());
                if !frontier.is_empty() || !first_frontier.is_empty() {
                    return;
                }
                let Some(capability) = capability.take() else { return };
                if let Some(gathered) = finish(G::gather(std::mem::take(&mut waiting))) {
                    output.session(&capability).give(shown(gathered, &runs));
                }
            }
        },
    );
    Arranged { stream, trace }
}

/// The run of what was gathered. It goes into the trace before it is sent: whoever gets it may look there for it.
fn shown<G>(gathered: G, runs: &RefCell<Vec<Run<G>>>) -> Run<G> {
    let times = Description::new(Antichain::from_elem(INCOMING), Antichain::new(), Antichain::from_elem(STORED));
    let run = Run::Incoming(times, Rc::new(gathered));
    runs.borrow_mut().push(run.clone());
    run
}
