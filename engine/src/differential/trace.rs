//! Batches that say when they happened, and the trace of them that differential's drivers read.

use std::{cell::RefCell, rc::Rc};

use differential_dataflow::{
    operators::arrange::Arranged,
    trace::{BatchReader, Description, TraceReader},
};
use timely::{
    dataflow::StreamVec,
    order::PartialOrder,
    progress::{Antichain, frontier::AntichainRef},
};

use crate::flow::{INCOMING, STORED};

/// What a batch holds.
pub(crate) trait Body: Clone + 'static {
    /// How many changes: none if and only if there is nothing to meet.
    fn len(&self) -> usize;
}

/// A batch and the times it covers.
#[derive(Clone)]
pub(crate) struct Timed<B> {
    at: Description<u64>,
    body: B,
}

impl<B> Timed<B> {
    /// All that the state knew.
    pub fn stored(body: B) -> Timed<B> {
        Timed::over(body, Antichain::from_elem(STORED), Antichain::from_elem(INCOMING))
    }

    /// All that the chunk changes.
    pub fn incoming(body: B) -> Timed<B> {
        Timed::over(body, Antichain::from_elem(INCOMING), Antichain::new())
    }

    fn over(body: B, lower: Antichain<u64>, upper: Antichain<u64>) -> Timed<B> {
        Timed { at: Description::new(lower, upper, Antichain::from_elem(STORED)), body }
    }

    /// What it holds.
    pub fn into_body(self) -> B {
        self.body
    }
}

impl<B: Body> BatchReader for Timed<B> {
    type Time = u64;
    fn len(&self) -> usize {
        self.body.len()
    }
    fn description(&self) -> &Description<u64> {
        &self.at
    }
}

/// The batches so far, shared by the operator that gathers them and the driver that reads them.
#[derive(Clone)]
pub(crate) struct StateTrace<B> {
    batches: Rc<RefCell<Vec<Timed<B>>>>,
    logical: Antichain<u64>,
    physical: Antichain<u64>,
}

impl<B: Body> StateTrace<B> {
    /// A trace of what the state knew.
    pub fn stored(body: B) -> StateTrace<B> {
        StateTrace {
            batches: Rc::new(RefCell::new(vec![Timed::stored(body)])),
            logical: Antichain::from_elem(STORED),
            physical: Antichain::from_elem(STORED),
        }
    }

    /// Adds a batch. To be done before it is sent: the driver asks the trace for what it has heard of.
    pub fn push(&self, batch: Timed<B>) {
        self.batches.borrow_mut().push(batch);
    }
}

impl<B: Body> TraceReader for StateTrace<B> {
    type Time = u64;
    type Batch = Timed<B>;

    fn batches_through(&mut self, upper: AntichainRef<u64>) -> Option<Vec<Timed<B>>> {
        let is_before = |batch: &&Timed<B>| PartialOrder::less_equal(&batch.upper().borrow(), &upper);
        Some(self.batches.borrow().iter().filter(is_before).cloned().collect())
    }
    fn set_logical_compaction(&mut self, frontier: AntichainRef<u64>) {
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
    fn map_batches<F: FnMut(&Timed<B>)>(&self, each: F) {
        self.batches.borrow().iter().for_each(each);
    }
}

/// A collection by key: the batches as they come, and the trace of them.
pub(crate) struct Gathered<'scope, B: Body> {
    pub stream: StreamVec<'scope, u64, Timed<B>>,
    pub trace: StateTrace<B>,
}

impl<'scope, B: Body> Gathered<'scope, B> {
    pub(super) fn arranged(self) -> Arranged<'scope, StateTrace<B>> {
        Arranged { stream: self.stream, trace: self.trace }
    }
}
