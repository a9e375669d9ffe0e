//! The edges: every name is looked up, strays are found, and the stages are put in order.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    contract::stage::Kind,
    diagnostics::Diagnostics,
    plan::{cycles, outline::Outline},
    spec::{Entry, SpecFile},
    suggest::{listed, nearest},
};

/// Looks up every stage that another names, and puts the stages in an order in which each comes after its inputs,
/// otherwise as the file has them; stages on or after a cycle are left out.
///
/// Reports what does not fit: unknown names, a sink that is read, a stage that reads itself or the same stage twice,
/// cycles, stages that nobody reads, and any number of sinks but one.
pub(super) fn resolve(
    spec: &SpecFile,
    stages: &Entry,
    outlines: &mut [Outline<'_>],
    problems: &mut Diagnostics,
) -> Vec<usize> {
    let places: BTreeMap<&str, usize> = outlines.iter().enumerate().map(|(at, outline)| (outline.name(), at)).collect();
    let kinds: Vec<Option<Kind>> = outlines.iter().map(Outline::kind).collect();
    // What cannot be found may be where the file could not be read.
    let certain = spec.syntax_errors.is_empty();
    let mut links = Links { read: vec![false; outlines.len()], strays_are_certain: certain };
    for (at, outline) in outlines.iter_mut().enumerate() {
        // A stage of a known type that is not sound here has inputs that could not be read.
        links.strays_are_certain &= outline.sound || kinds[at].is_none();
        links.look_up(at, outline, &places, &kinds, certain, problems);
    }
    let order = cycles::order(outlines, problems);
    let sinks = check_sinks(stages.key_span.clone(), outlines, certain, problems);
    if links.strays_are_certain && sinks > 0 && order.len() == outlines.len() {
        for (outline, read) in outlines.iter().zip(&links.read) {
            if !read && outline.kind().is_some_and(|kind| kind != Kind::Sink) {
                problems
                    .error(outline.span(), format!("nothing reads stage `{}`", outline.name()))
                    .label("its rows go nowhere")
                    .hint("Name it as an input or among the sink's `tables`, or remove it.");
            }
        }
    }
    order
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
                let others = places
                    .keys()
                    .copied()
                    .filter(|other| places[other] != at && kinds[places[other]] != Some(Kind::Sink));
                let suggests = problems.wants_suggestions();
                let near = suggests.then(|| nearest(name, others.clone())).flatten();
                match near {
                    Some(near) => self.read[places[near]] = true,
                    None => self.strays_are_certain = false,
                }
                if certain {
                    let problem = problems.error(span, format!("there is no stage `{name}`"));
                    problem.label("unknown stage");
                    match near {
                        Some(near) => problem.hint(format!("Did you mean \"{near}\"?")),
                        None if suggests => problem.hint(format!("The stages are: {}.", listed(others))),
                        None => problem,
                    };
                }
                continue;
            };
            self.read[target] = true;
            // A slip like these hides which stage was meant to be read.
            self.strays_are_certain &= target != at && kinds[target] != Some(Kind::Sink);
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
            problems.error(stages_span, "the pipeline has no sink").hint(format!(
                "Add one, e.g. a stage of type \"sqlite\". {LEDGER}, so a pipeline has exactly one sink."
            ));
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
