//! The edges: every name is looked up, cycles and strays are found, and the stages are put in order.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    ops::Range,
};

use crate::{
    diagnostics::Diagnostics,
    plan::outline::Outline,
    spec::SpecFile,
    stage::Kind,
    suggest::nearest,
};

/// Looks up every stage that another names, and reports what does not fit: unknown names, a sink that is read, a stage
/// that reads itself or the same stage twice, stages that nobody reads, and any number of sinks but one.
pub(super) fn resolve(spec: &SpecFile, stages_span: Range<usize>, outlines: &mut [Outline<'_>], problems: &mut Diagnostics) {
    let places: BTreeMap<&str, usize> = outlines.iter().enumerate().map(|(at, outline)| (outline.name(), at)).collect();
    let kinds: Vec<Option<Kind>> = outlines.iter().map(Outline::kind).collect();
    // What cannot be found may stand where the file could not be read.
    let certain = spec.syntax_errors.is_empty();
    let mut links = Links { read: vec![false; outlines.len()], strays_are_certain: certain };
    for (at, outline) in outlines.iter_mut().enumerate() {
        // A stage of a known type that is not sound here has inputs that could not be read.
        links.strays_are_certain &= outline.sound || kinds[at].is_none();
        links.look_up(at, outline, &places, &kinds, certain, problems);
    }
    let sinks = check_sinks(stages_span, outlines, certain, problems);
    if links.strays_are_certain && sinks > 0 {
        for (outline, read) in outlines.iter().zip(&links.read) {
            if !read && outline.kind().is_some_and(|kind| kind != Kind::Sink) {
                problems
                    .error(outline.span(), format!("nothing reads stage `{}`", outline.name()))
                    .label("its rows go nowhere")
                    .hint("Name it as an input or among the sink's `tables`, or remove it.");
            }
        }
    }
}

struct Links {
    /// Which stages are read, or would be, but for a slip.
    read: Vec<bool>,
    /// Whether a stage that seems to be unread is.
    strays_are_certain: bool,
}

impl Links {
    fn look_up(
        &mut self,
        at: usize,
        outline: &mut Outline<'_>,
        places: &BTreeMap<&str, usize>,
        kinds: &[Option<Kind>],
        certain: bool,
        problems: &mut Diagnostics,
    ) {
        let owner = outline.owner();
        let mut seen = Vec::new();
        for reference in &mut outline.references {
            let (name, span) = (reference.name, reference.span.clone());
            let Some(target) = places.get(name).copied() else {
                outline.sound = false;
                let others = places.keys().copied().filter(|other| {
                    places[other] != at && kinds[places[other]] != Some(Kind::Sink)
                });
                let near = nearest(name, others.clone());
                match near {
                    Some(near) => self.read[places[near]] = true,
                    None => self.strays_are_certain = false,
                }
                if certain {
                    let problem = problems.error(span, format!("there is no stage `{name}`"));
                    problem.label("unknown stage");
                    match near {
                        Some(near) => problem.hint(format!("Did you mean \"{near}\"?")),
                        None => problem.hint(format!("The stages are: {}.", others.collect::<Vec<_>>().join(", "))),
                    };
                }
                continue;
            };
            self.read[target] = true;
            let refusal = if target == at {
                Some((format!("stage `{name}` reads itself"), "Name the stage before it."))
            } else if kinds[target] == Some(Kind::Sink) {
                Some((format!("`{name}` is a sink"), "Nothing reads from a sink; name one of the stages it keeps."))
            } else if seen.contains(&target) {
                Some((format!("{owner} names `{name}` twice"), "Each row would come twice; name it once."))
            } else {
                None
            };
            seen.push(target);
            match refusal {
                Some((message, hint)) => {
                    problems.error(span, message).hint(hint);
                    outline.sound = false;
                }
                None => reference.target = Some(target),
            }
        }
    }
}

/// Reports any number of sinks but one; returns how many there are or may be.
fn check_sinks(
    stages_span: Range<usize>,
    outlines: &[Outline<'_>],
    certain: bool,
    problems: &mut Diagnostics,
) -> usize {
    const LEDGER: &str = "The ledger lives in the sink's own database, in the same transaction as the tables";
    let mut sinks = outlines.iter().filter(|outline| outline.kind() == Some(Kind::Sink));
    let Some(first) = sinks.next() else {
        let all_known = outlines.iter().all(|outline| outline.stage_type.is_some());
        if certain && all_known && !outlines.is_empty() {
            problems
                .error(stages_span, "the pipeline has no sink")
                .hint(format!("Add one, e.g. a stage of type \"sqlite\". {LEDGER}, so a pipeline has exactly one sink."));
        }
        return 0;
    };
    let mut count = 1;
    for other in sinks {
        problems
            .error(other.span(), format!("stage `{}` is a second sink beside `{}`", other.name(), first.name()))
            .label("second sink")
            .hint(format!("{LEDGER}, so a pipeline has exactly one sink: use a second pipeline file for the other."));
        count += 1;
    }
    count
}

/// The stages in an order in which each comes after its inputs, otherwise as the file has them. Stages on or behind a
/// cycle are left out; each cycle is reported.
pub(super) fn order(outlines: &mut [Outline<'_>], problems: &mut Diagnostics) -> Vec<usize> {
    let inputs: Vec<Vec<usize>> =
        outlines.iter().map(|outline| outline.references.iter().filter_map(|reference| reference.target).collect()).collect();
    let mut readers = vec![Vec::new(); inputs.len()];
    for (at, inputs) in inputs.iter().enumerate() {
        inputs.iter().for_each(|input| readers[*input].push(at));
    }
    let order = sort(&inputs, &readers);
    if order.len() < inputs.len() {
        let mut on_cycle = vec![true; inputs.len()];
        order.iter().for_each(|at| on_cycle[*at] = false);
        // What merely stands behind a cycle is no part of it: it is what remains to be peeled off from the other end.
        sort(&readers, &inputs).into_iter().for_each(|at| on_cycle[at] = false);
        report_cycles(outlines, &inputs, &on_cycle, problems);
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

/// Follows from each stage its first input that is on a cycle too: every walk ends in a cycle, and no two overlap.
fn report_cycles(outlines: &mut [Outline<'_>], inputs: &[Vec<usize>], on_cycle: &[bool], problems: &mut Diagnostics) {
    let mut walk_of = vec![usize::MAX; inputs.len()];
    for start in (0..inputs.len()).filter(|at| on_cycle[*at]) {
        let (mut walk, mut at) = (Vec::new(), start);
        while walk_of[at] == usize::MAX {
            walk_of[at] = start;
            walk.push(at);
            let Some(next) = inputs[at].iter().find(|input| on_cycle[**input]) else { break };
            at = *next;
        }
        let Some(entered) = walk.iter().position(|step| *step == at).filter(|_| walk_of[at] == start) else { continue };
        let mut cycle = walk.split_off(entered);
        // The walk went from reader to input; a path reads the other way.
        cycle.reverse();
        let first = cycle.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(place, _)| place);
        cycle.rotate_left(first);
        let before = cycle[cycle.len() - 1];
        let path: Vec<&str> = cycle.iter().chain(&cycle[..1]).map(|at| outlines[*at].name()).collect();
        let reference = outlines[cycle[0]].references.iter().find(|reference| reference.target == Some(before));
        let span = reference.map_or_else(|| outlines[cycle[0]].span(), |reference| reference.span.clone());
        problems
            .error(span, format!("the stages form a cycle: {}", path.join(" -> ")))
            .label("closes the cycle")
            .hint("Rows flow one way, from sources to the sink: let one of these stages read another.");
    }
}
