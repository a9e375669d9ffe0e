//! Differential's own operators on arrangements in memory: what those on the state are compared with.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use differential_dataflow::{ExchangeData, input::InputSession};
use timely::dataflow::operators::probe::Handle;

use crate::locks::Locked as _;

/// Changes of a keyed collection: key and value, with their multiplicity.
pub(crate) type Changes<V> = BTreeMap<(Vec<u8>, V), isize>;

/// What `reduce` makes of a collection that changes step by step: the change of its output in each step. `logic` yields a
/// key's row from its values, which come in order, each as often as it says.
pub(crate) fn reduced<V: ExchangeData + std::hash::Hash + Sync>(
    steps: Vec<Changes<V>>,
    logic: impl Fn(&[(&V, isize)]) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Vec<Changes<Vec<u8>>> {
    let outputs = Arc::new(Mutex::new(vec![Changes::new(); steps.len()]));
    let collected = Arc::clone(&outputs);
    timely::execute_directly(move |worker| {
        let (mut input, probe) = (InputSession::<u64, (Vec<u8>, V), isize>::new(), Handle::new());
        worker.dataflow(|scope| {
            let reduced = input.to_collection(scope).reduce(move |_, values, output| {
                output.extend(logic(values).map(|row| (row, 1isize)));
            });
            let inspected = reduced.inspect(move |(change, step, diff)| {
                let mut outputs = collected.locked();
                *outputs[*step as usize].entry(change.clone()).or_default() += *diff;
            });
            inspected.probe_with(&probe);
        });
        for (step, changes) in steps.into_iter().enumerate() {
            for (change, diff) in changes {
                input.update(change, diff);
            }
            input.advance_to(step as u64 + 1);
            input.flush();
            while probe.less_than(input.time()) {
                worker.step();
            }
        }
    });
    let mut outputs = outputs.locked().clone();
    outputs.iter_mut().for_each(|changes| changes.retain(|_, diff| *diff != 0));
    outputs
}
