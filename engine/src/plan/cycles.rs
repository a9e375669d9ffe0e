//! The order of the stages, and the cycles that forbid one.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{diagnostics::Diagnostics, plan::outline::Outline};

/// The stages in an order in which each comes after its inputs, otherwise as the file has them. Stages on or after a
/// cycle are left out; cycles are reported, at least one for every set of stages that all reach each other.
pub(super) fn order(outlines: &[Outline<'_>], problems: &mut Diagnostics) -> Vec<usize> {
    let targets = |outline: &Outline<'_>| outline.references.iter().filter_map(|reference| reference.target).collect();
    let inputs: Vec<Vec<usize>> = outlines.iter().map(targets).collect();
    let mut readers = vec![Vec::new(); inputs.len()];
    for (at, inputs) in inputs.iter().enumerate() {
        inputs.iter().for_each(|input| readers[*input].push(at));
    }
    let order = sort(&inputs, &readers);
    if order.len() < inputs.len() {
        report(outlines, &inputs, &components(&inputs, &readers), problems);
    }
    order
}

/// Kahn's algorithm; of the stages that may come next the first of the file does.
fn sort(inputs: &[Vec<usize>], readers: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = inputs.iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<_> = (0..inputs.len()).filter(|at| waiting[*at] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(inputs.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for reader in &readers[at] {
            waiting[*reader] -= 1;
            if waiting[*reader] == 0 {
                ready.push(Reverse(*reader));
            }
        }
    }
    order
}

/// For each stage the number of its component: stages have the same when each reaches the other (Kosaraju's algorithm).
fn components(inputs: &[Vec<usize>], readers: &[Vec<usize>]) -> Vec<usize> {
    let (mut seen, mut finished) = (vec![false; inputs.len()], Vec::with_capacity(inputs.len()));
    for start in 0..inputs.len() {
        // A stage and how many of its inputs have been looked at: a stack of our own, for files of any depth.
        let mut stack = vec![(start, 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match inputs[at].get(next) {
                Some(input) => stack.extend([(at, next + 1), (*input, 0)]),
                None => finished.push(at),
            }
        }
    }
    let mut component = vec![usize::MAX; inputs.len()];
    for start in finished.into_iter().rev() {
        let mut stack = vec![start];
        while let Some(at) = stack.pop().filter(|_| component[start] == usize::MAX || component[start] == start) {
            if component[at] == usize::MAX {
                component[at] = start;
                stack.extend(readers[at].iter().filter(|reader| component[**reader] == usize::MAX));
            }
        }
    }
    component
}

/// Follows from each stage its first input in the same component: every walk ends in a cycle, and no two overlap.
fn report(outlines: &[Outline<'_>], inputs: &[Vec<usize>], component: &[usize], problems: &mut Diagnostics) {
    const UNSEEN: usize = usize::MAX;
    let next = |at: usize| inputs[at].iter().copied().find(|input| component[*input] == component[at]);
    let mut walk_of = vec![UNSEEN; inputs.len()];
    for start in 0..inputs.len() {
        let (mut walk, mut at) = (Vec::new(), start);
        while walk_of[at] == UNSEEN {
            walk_of[at] = start;
            walk.push(at);
            at = match next(at) {
                Some(input) => input,
                None => break,
            };
        }
        // The walk came to a stage of an earlier walk, or was no more than a stage on no cycle.
        if walk_of[at] != start || next(at).is_none() {
            continue;
        }
        let Some(entered) = walk.iter().position(|step| *step == at) else { continue };
        let mut cycle = walk.split_off(entered);
        // The walk went from reader to input; a path reads the other way, from the first stage of the file.
        cycle.reverse();
        let first = cycle.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(place, _)| place);
        cycle.rotate_left(first);
        let path: Vec<&str> = cycle.iter().chain(&cycle[..1]).map(|at| outlines[*at].name()).collect();
        let (first, before) = (&outlines[cycle[0]], cycle[cycle.len() - 1]);
        let reference = first.references.iter().find(|reference| reference.target == Some(before));
        problems
            .error(
                reference.map_or_else(|| first.span(), |reference| reference.span.clone()),
                format!("the stages form a cycle: {}", path.join(" -> ")),
            )
            .label("closes the cycle")
            .hint("Rows flow one way, from sources to the sink: let one of these stages read another.");
    }
}
