//! What an operator puts out, on its way to those that take it: differential writes it to a trace that nobody reads back.

use std::{cell::RefCell, rc::Rc};

use differential_dataflow::{
    logging::Logger,
    trace::{Batch, BatchReader, Description, ExertionLogic, Merger, Trace, TraceReader},
};
use timely::{
    dataflow::operators::generic::OperatorInfo,
    progress::{Antichain, frontier::AntichainRef},
    scheduling::Activator,
};

use super::STORED;

/// The changes of one interval of times.
pub(super) struct Changes<O> {
    times: Description<u64>,
    changes: Rc<RefCell<Vec<O>>>,
    count: usize,
}

impl<O> Clone for Changes<O> {
    fn clone(&self) -> Changes<O> {
        Changes { times: self.times.clone(), changes: Rc::clone(&self.changes), count: self.count }
    }
}

impl<O> Changes<O> {
    /// The changes between two frontiers.
    pub fn new(lower: Antichain<u64>, upper: Antichain<u64>, changes: Vec<O>) -> Changes<O> {
        let times = Description::new(lower, upper, Antichain::from_elem(STORED));
        Changes { times, count: changes.len(), changes: Rc::new(RefCell::new(changes)) }
    }

    /// Takes the changes out; the second time there are none.
    pub fn take(&self) -> Vec<O> {
        std::mem::take(&mut *self.changes.borrow_mut())
    }
}

impl<O> BatchReader for Changes<O> {
    type Time = u64;

    fn len(&self) -> usize {
        self.count
    }

    fn description(&self) -> &Description<u64> {
        &self.times
    }
}

impl<O: 'static> Batch for Changes<O> {
    type Merger = Never;

    fn empty(lower: Antichain<u64>, upper: Antichain<u64>) -> Changes<O> {
        Changes::new(lower, upper, Vec::new())
    }
}

/// Batches that nobody reads back need no merging.
pub(super) struct Never;

impl<O: 'static> Merger<Changes<O>> for Never {
    fn new(_: &Changes<O>, _: &Changes<O>, _: AntichainRef<'_, u64>) -> Never {
        Never
    }

    fn work(&mut self, _: &Changes<O>, _: &Changes<O>, _: &mut isize) {}

    fn done(self) -> Changes<O> {
        Changes::empty(Antichain::new(), Antichain::new())
    }
}

/// A trace that keeps no more than how far it has come.
pub(super) struct Passing<O> {
    last: Option<Changes<O>>,
    logical: Antichain<u64>,
    physical: Antichain<u64>,
}

impl<O: 'static> TraceReader for Passing<O> {
    type Time = u64;
    type Batch = Changes<O>;

    fn batches_through(&mut self, _: AntichainRef<'_, u64>) -> Option<Vec<Changes<O>>> {
        Some(Vec::new())
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

    fn map_batches<F: FnMut(&Changes<O>)>(&self, each: F) {
        self.last.iter().for_each(each);
    }
}

impl<O: 'static> Trace for Passing<O> {
    fn new(_: OperatorInfo, _: Option<Logger>, _: Option<Activator>) -> Passing<O> {
        Passing { last: None, logical: Antichain::from_elem(STORED), physical: Antichain::from_elem(STORED) }
    }

    fn exert(&mut self) {}

    fn set_exert_logic(&mut self, _: ExertionLogic) {}

    fn insert(&mut self, batch: Changes<O>) {
        self.last = Some(Changes::empty(batch.lower().clone(), batch.upper().clone()));
    }

    fn close(&mut self) {}
}
