//! Where a run's time went: of every stage when its first batch began and its last one ended, and the seconds of work and of
//! waiting in between. Stages of a run work at the same time, on all threads, so the two say different things.

use maud::{Markup, html};

use crate::{
    operate::figures::{Figures, StageFigures},
    page::{
        chart,
        facts::{Facts, Run},
        parts, show,
    },
};

/// A stage without rows that worked for less is not listed.
const IDLE_S: f64 = 0.001;

/// The bars of a run's stages, or why there are none.
pub fn view(facts: &Facts, run: &Run) -> Markup {
    match &run.figures {
        Some(figures) => bars(facts, figures),
        None => parts::nothing(
            "The times of this run were not kept. They lie beside the state (runs/figures.ndjson) and not in the ledger: runs of \
             before there was this page have none, nor those made on another machine.",
        ),
    }
}

fn bars(facts: &Facts, figures: &Figures) -> Markup {
    let (rows, idle): (Vec<_>, Vec<_>) =
        rows(facts, figures).into_iter().partition(|(_, _, stage)| stage.rows_in > 0 || stage.seconds >= IDLE_S);
    let most = rows.iter().map(|(_, _, stage)| stage.seconds + stage.wait_s).fold(0.0, f64::max);
    let busiest = rows.iter().max_by(|a, b| a.2.seconds.total_cmp(&b.2.seconds)).map(|(name, ..)| name.clone());
    html! {
        p { (show::seconds(figures.seconds)) " on " (show::counted(figures.workers as u64, "worker"))
            ", of which " (show::seconds(figures.commit_s)) " committing."
            @if let Some(name) = &busiest { " Most work: " strong { (name) } "." } }
        ul.legend { li.work { "work" } li.wait { "waiting" } }
        (parts::scrolling("Work and waiting by stage", html! { table {
            caption { "Seconds summed over threads; all stages work at the same time." }
            thead { tr { th scope="col" { "Stage" } th scope="col" { "What" } th.number scope="col" { "Work" }
                th.number scope="col" { "Waiting" } th scope="col" { "Both" } th.number scope="col" { "Rows in" }
                th.number scope="col" { "Rows out" } } }
            tbody { @for (name, what, stage) in &rows { tr {
                th scope="row" { (name) }
                td { (what) }
                td.number { (show::seconds(stage.seconds)) }
                td.number { (show::seconds(stage.wait_s)) }
                td { (chart::bar(
                    &format!("{} work, {} waiting", show::seconds(stage.seconds), show::seconds(stage.wait_s)),
                    most,
                    &[("work", stage.seconds, format!("work {}", show::seconds(stage.seconds))),
                      ("wait", stage.wait_s, format!("waiting {}", show::seconds(stage.wait_s)))],
                )) }
                td.number { (show::number(stage.rows_in)) }
                td.number { @if *what != "reading" { (show::number(stage.rows_out)) } }
            } } }
        } }))
        (spells(&rows, figures))
        @if !idle.is_empty() { p.nothing { (show::counted(idle.len() as u64, "other stage")) " had nothing to do." } }
    }
}

/// When each stage was at work; nothing where that was not kept.
fn spells(rows: &[(String, String, StageFigures)], figures: &Figures) -> Markup {
    let of_stages = rows.iter().map(|(name, what, stage)| (name.as_str(), what.as_str(), stage.spell_s));
    let commit = std::iter::once(("commit", "", figures.commit_spell_s));
    let spells: Vec<(&str, &str, (f64, f64))> =
        of_stages.chain(commit).filter_map(|(name, what, spell_s)| Some((name, what, spell_s?))).collect();
    let whole = spells.iter().map(|(_, _, (_, ended))| *ended).fold(0.0, f64::max);
    html! {
        @if !spells.is_empty() {
            (parts::scrolling("When stages were at work", html! { table.gantt {
                caption { "From the first batch to the last one, in seconds since the run began to read: " (show::seconds(whole))
                    " in all." }
                thead { tr { th scope="col" { "Stage" } th scope="col" { "What" } th.number scope="col" { "From" }
                    th.number scope="col" { "To" } th scope="col" { "When" } } }
                tbody { @for (name, what, (began, ended)) in &spells { tr {
                    th scope="row" { (name) }
                    td { (what) }
                    td.number { (show::seconds(*began)) }
                    td.number { (show::seconds(*ended)) }
                    td { (chart::spell(
                        &format!("{name}: from {} to {}", show::seconds(*began), show::seconds(*ended)), whole, (*began, *ended),
                    )) }
                } } }
            } }))
        }
    }
}

/// Stages in the order of the plan, readers before their sources.
fn rows(facts: &Facts, figures: &Figures) -> Vec<(String, String, StageFigures)> {
    let mut rows = Vec::new();
    for stage in &figures.stages {
        for reader in figures.readers.iter().filter(|reader| reader.name == stage.name) {
            rows.push((show::text(&reader.name), "reading".to_owned(), reader.clone()));
        }
        let planned = facts.stages.iter().find(|planned| planned.name == stage.name);
        let what = planned.map_or_else(String::new, |planned| show::text(&planned.type_name));
        rows.push((show::text(&stage.name), what, stage.clone()));
    }
    rows
}
