//! The stages as a drawing, with the rows that went over each edge and who waited for whom, and the same as a table.

mod layout;

use maud::{Markup, html};
use vardelta_schemas::ledger::Epoch;

use self::layout::{Layout, Measures, place};
use crate::{
    operate::figures::{Figures, StageFigures},
    page::{
        chart::round,
        facts::{Facts, Stage},
        parts, show,
    },
};

const MEASURES: Measures = Measures { node_width: 184.0, node_height: 46.0, column_gap: 84.0, row_gap: 18.0 };
/// Room around the drawing.
const MARGIN: f64 = 14.0;
/// Characters of a name that a node has room for.
const NAME_CHARACTERS: usize = 21;

/// The drawing of the plan, with the figures of a run, or of the last one that read something.
pub fn view(facts: &Facts, epoch: Option<Epoch>) -> Markup {
    let chosen = epoch.and_then(|epoch| facts.run(epoch)).and_then(|run| Some((run, run.figures.as_ref()?)));
    let last = chosen.or_else(|| facts.last_figures());
    let figures = last.map(|(_, figures)| figures);
    html! {
        p { @match last {
            Some((run, figures)) => { "Rows and times are those of epoch " (show::number(run.epoch.number())) ", which took "
                (show::seconds(figures.seconds)) "." },
            None => "No run has left figures, so the drawing is without rows and times.",
        } }
        ul.legend { li.starved { "the reader of the edge waited for rows" } li.held { "files waited for the pipeline" }
            li.busy { "most work" } }
        (parts::scrolling("The stages as a drawing, from left to right", drawing(facts, figures)))
        (parts::scrolling("The stages as a table", table(facts, figures)))
    }
}

fn of<'a>(figures: Option<&'a Figures>, stage: &Stage) -> Option<&'a StageFigures> {
    figures?.stages.iter().find(|known| known.name == stage.name)
}

/// The stage that worked longest.
fn busiest<'a>(facts: &'a Facts, figures: Option<&Figures>) -> Option<&'a str> {
    let worked = facts.stages.iter().filter_map(|stage| Some((stage, of(figures, stage)?.seconds)));
    let most = worked.max_by(|a, b| a.1.total_cmp(&b.1));
    most.filter(|(_, seconds)| *seconds > 0.0).map(|(stage, _)| stage.name.as_str())
}

fn drawing(facts: &Facts, figures: Option<&Figures>) -> Markup {
    let inputs: Vec<Vec<usize>> = facts.stages.iter().map(|stage| stage.inputs.clone()).collect();
    let layout = place(&inputs, &MEASURES);
    let (width, height) = (round(layout.width + 2.0 * MARGIN), round(layout.height + 2.0 * MARGIN));
    let label = format!("{} stages and what they read; the table below says the same", facts.stages.len());
    html! {
        svg.graph role="img" aria-label=(label) width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) {
            g transform=(format!("translate({MARGIN} {MARGIN})")) {
                (edges(facts, figures, &layout))
                (nodes(facts, figures, &layout))
            }
        }
    }
}

fn edges(facts: &Facts, figures: Option<&Figures>, layout: &Layout) -> Markup {
    let pairs = facts.stages.iter().flat_map(|to| to.inputs.iter().map(move |from| (&facts.stages[*from], to)));
    let edges: Vec<_> = pairs.zip(&layout.edges).collect();
    html! {
        @for ((from, to), points) in &edges {
            path class=(edge_class(figures, from, to)) d=(path(points)) fill="none" {
                title { (words(figures, from, to)) }
            }
        }
        @for (stage, (x, y)) in facts.stages.iter().zip(&layout.nodes) {
            @if let Some(known) = of(figures, stage) && stage.kind != "sink" {
                text.rows x=(round(x + MEASURES.node_width + 5.0)) y=(round(y + MEASURES.node_height / 2.0 - 5.0)) {
                    (short(known.rows_out))
                }
            }
        }
    }
}

/// How an edge is drawn: by who waited for whom.
fn edge_class(figures: Option<&Figures>, from: &Stage, to: &Stage) -> &'static str {
    let reader = figures.and_then(|figures| figures.readers.iter().find(|reader| reader.name == from.name));
    let waited = |figures: &StageFigures| figures.wait_s > figures.seconds && figures.rows_in > 0;
    match of(figures, to) {
        _ if reader.is_some_and(waited) => "edge held",
        Some(reading) if waited(reading) => "edge starved",
        _ => "edge",
    }
}

fn words(figures: Option<&Figures>, from: &Stage, to: &Stage) -> String {
    let mut words = format!("{} to {}", show::text(&from.name), show::text(&to.name));
    if let Some(known) = of(figures, from) {
        words += &format!(": {}", show::counted(known.rows_out, "row"));
        if let Some(seconds) = figures.map(|figures| figures.seconds).filter(|seconds| *seconds > 0.0) {
            words += &format!(", {} a second of the run", show::number((known.rows_out as f64 / seconds) as u64));
        }
    }
    if let Some(known) = of(figures, to) {
        let name = show::text(&to.name);
        words += &format!("; {name} worked {}, waited {}", show::seconds(known.seconds), show::seconds(known.wait_s));
    }
    words
}

/// A line through these points, in curves between columns and straight across them.
fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let (x, y) = (round(*x), round(*y));
        match at {
            0 => path += &format!("M{x} {y}"),
            at if at % 2 == 1 => {
                let (from_x, from_y) = (round(points[at - 1].0), round(points[at - 1].1));
                let middle = round((from_x + x) / 2.0);
                path += &format!(" C{middle} {from_y} {middle} {y} {x} {y}");
            }
            _ => path += &format!(" L{x} {y}"),
        }
    }
    path
}

fn nodes(facts: &Facts, figures: Option<&Figures>, layout: &Layout) -> Markup {
    let busiest = busiest(facts, figures);
    html! {
        @for (stage, (x, y)) in facts.stages.iter().zip(&layout.nodes) {
            @let is_busiest = busiest == Some(stage.name.as_str());
            g class={ "node " (stage.kind) @if is_busiest { " busiest" } } transform=(format!("translate({} {})", round(*x), round(*y))) {
                title { (show::text(&stage.name)) " (" (show::text(&stage.type_name)) ")" }
                rect width=(MEASURES.node_width) height=(MEASURES.node_height) rx="6" {}
                text.name x="10" y="19" { (fitted(&stage.name)) }
                text.type x="10" y="36" { (show::text(&stage.type_name)) @if let Some(known) = of(figures, stage) {
                    " · " (show::seconds(known.seconds)) } }
            }
        }
    }
}

/// A name that fits into its node.
fn fitted(name: &str) -> String {
    let name = show::text(name);
    match name.chars().count() > NAME_CHARACTERS {
        true => name.chars().take(NAME_CHARACTERS - 1).chain(['…']).collect(),
        false => name,
    }
}

/// A count in few characters.
fn short(count: u64) -> String {
    match count as f64 {
        _ if count < 10_000 => show::number(count),
        c if c < 1e6 => format!("{:.0} k", c / 1e3),
        c if c < 1e9 => format!("{:.1} M", c / 1e6),
        c => format!("{:.1} G", c / 1e9),
    }
}

fn table(facts: &Facts, figures: Option<&Figures>) -> Markup {
    html! { table {
        caption { "The stages in the order of the pipeline." }
        thead { tr { th scope="col" { "Stage" } th scope="col" { "Type" } th scope="col" { "Reads" }
            th.number scope="col" { "Columns" } th.number scope="col" { "Rows in" } th.number scope="col" { "Rows out" }
            th.number scope="col" { "Rows/s" } th.number scope="col" { "Work" } th.number scope="col" { "Waiting" } } }
        tbody { @for stage in &facts.stages { @let known = of(figures, stage); tr {
            th scope="row" { (show::text(&stage.name)) }
            td { (show::text(&stage.type_name)) }
            td { (stage.inputs.iter().map(|input| show::text(&facts.stages[*input].name)).collect::<Vec<_>>().join(", ")) }
            td.number { @if stage.columns > 0 { (stage.columns) } }
            @match known {
                Some(known) => {
                    td.number { (show::number(known.rows_in)) } td.number { (show::number(known.rows_out)) }
                    td.number { @if known.seconds > 0.0 { (show::number((known.rows_in as f64 / known.seconds) as u64)) } }
                    td.number { (show::seconds(known.seconds)) } td.number { (show::seconds(known.wait_s)) }
                },
                None => td colspan="5" {},
            }
        } } }
    } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::facts::Run;

    fn facts() -> Facts {
        let stage = |name: &str, kind: &'static str, inputs: Vec<usize>| Stage {
            name: name.into(),
            type_name: kind.into(),
            kind,
            inputs,
            columns: 1,
        };
        let known = |name: &str, seconds: f64, wait_s: f64| StageFigures {
            name: name.into(),
            rows_in: 12_000,
            rows_out: 12_000,
            seconds,
            wait_s,
            spell_s: None,
        };
        let figures = Figures {
            seconds: 2.0,
            stages: vec![known("<calls>", 1.0, 0.0), known("rows", 0.5, 4.0)],
            readers: vec![known("<calls>", 0.1, 0.0)],
            ..Figures::default()
        };
        Facts {
            stages: vec![
                stage("<calls>", "source", vec![]),
                stage("rows", "relational", vec![0]),
                stage("a_sink_with_a_very_long_name", "sink", vec![1]),
            ],
            runs: vec![Run { epoch: Epoch::new(7), figures: Some(figures), ..Run::default() }],
            ..Facts::default()
        }
    }

    #[test]
    fn edges_have_rows_and_who_waits() {
        let text = view(&facts(), None).into_string();
        assert!(text.contains("class=\"edge starved\"") && text.contains("12 k"), "{text}");
        assert!(text.contains("&lt;calls&gt; to rows: 12,000 rows, 6,000 a second of the run"), "{text}");
        assert!(text.contains("class=\"node source busiest\"") && text.contains("a_sink_with_a_very_l…"), "{text}");
        assert!(!text.contains("<calls>") && !text.contains("style=") && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn without_figures_the_drawing_is_bare() {
        let bare = Facts { runs: Vec::new(), ..facts() };
        let text = view(&bare, Some(Epoch::new(7))).into_string();
        assert!(text.contains("No run has left figures") && !text.contains("edge starved"), "{text}");
    }
}
