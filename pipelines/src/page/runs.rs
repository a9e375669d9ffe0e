//! The runs: what committed, what failed, how long each took and what it changed.

use maud::{Markup, html};

use crate::{
    operate::clock::seconds_of,
    page::{
        address::Address,
        chart::{Point, sparkline},
        facts::{Facts, FailedRun, Run, Running},
        parts, show,
    },
};

/// Runs that sparklines show.
const SPARK_RUNS: usize = 60;
/// Failed runs that are listed.
const FAILED_LISTED: usize = 20;
/// Drops of a run under way that are named.
const DROPS_NAMED: usize = 5;
/// Tables that a row names; the others are counted.
const TABLES_NAMED: usize = 3;

/// The pipeline at a glance, then these of its runs.
pub fn view(facts: &Facts, shown: &[Run], address: &Address) -> Markup {
    html! {
        (at_a_glance(facts))
        @if let Some(running) = &facts.running { (under_way(running)) }
        @if let Some(trouble) = &facts.trouble { p.trouble { (show::whole(trouble)) } }
        @if facts.runs.is_empty() {
            (parts::nothing("Nothing has been loaded yet."))
        } @else {
            (sparklines(facts))
            (parts::scrolling("Runs that committed an epoch", table(facts, shown, address)))
        }
        @if !facts.failed.is_empty() { (failed(&facts.failed)) }
    }
}

fn at_a_glance(facts: &Facts) -> Markup {
    let last = facts.runs.first();
    let rows: u64 = facts.tables.iter().filter_map(|table| table.rows).sum();
    let age = last.and_then(|run| seconds_of(&run.committed_at)).map(|then| facts.read_s.saturating_sub(then));
    // Times of the ledger are to the second, and so are those of figures.
    let has_failed = facts
        .failed
        .first()
        .is_some_and(|failed| last.is_none_or(|run| seconds_of(&failed.ended_at) > seconds_of(&run.committed_at)));
    parts::glance(&[
        (
            "Last run",
            match (has_failed, last) {
                _ if facts.running.is_some() => parts::state("good", "running"),
                (true, _) => parts::state("bad", "failed"),
                (false, Some(_)) => parts::state("good", "committed"),
                (false, None) => parts::state("quiet", "none yet"),
            },
        ),
        ("Epoch", html! { (show::number(facts.epoch.number())) }),
        ("Committed", html! { @match age { Some(age) => { (show::age(age)) " before this" }, None => "never" } }),
        ("Drops", html! { (show::number(facts.standing() as u64)) }),
        ("Rows", html! { (show::number(rows)) }),
    ])
}

fn sparklines(facts: &Facts) -> Markup {
    let runs: Vec<&Run> = facts.runs.iter().take(SPARK_RUNS).rev().collect();
    let rows: Vec<Point> = runs
        .iter()
        .map(|run| Point {
            value: run.rows_changed() as f64,
            words: format!("epoch {}: {}", run.epoch, show::counted(run.rows_changed(), "row")),
        })
        .collect();
    let durations: Vec<Point> = runs
        .iter()
        .filter_map(|run| Some((run.epoch, run.figures.as_ref()?.seconds)))
        .map(|(epoch, seconds)| Point { value: seconds, words: format!("epoch {epoch}: {}", show::seconds(seconds)) })
        .collect();
    html! {
        div.sparks {
            figure { figcaption { "Rows changed, last " (show::counted(rows.len() as u64, "epoch")) }
                (sparkline("Rows changed by the last epochs", &rows)) }
            @if !durations.is_empty() {
                figure { figcaption { "Duration, last " (show::counted(durations.len() as u64, "run")) }
                    (sparkline("Duration of the last runs", &durations)) }
            }
        }
    }
}

fn table(facts: &Facts, shown: &[Run], address: &Address) -> Markup {
    let lacks_figures = shown.iter().any(|run| run.figures.is_none());
    html! {
        table {
            caption { "Runs that committed an epoch, the newest first: " (show::number(facts.runs.len() as u64)) " in all."
                @if lacks_figures { " A duration that nobody kept is left empty." } }
            thead { tr {
                th.number scope="col" { "Epoch" } th scope="col" { "Committed at" } th.number scope="col" { "Duration" }
                th scope="col" { "Drops" } th.number scope="col" { "Rows changed" } th scope="col" { "By table" }
            } }
            tbody { @for run in shown { tr {
                th.number scope="row" { (parts::link(address.run(run.epoch), &run.epoch.to_string())) }
                td.time { (show::time(&run.committed_at)) }
                td.number { @if let Some(figures) = &run.figures { (show::seconds(figures.seconds)) } }
                td.middle { (actions(run)) }
                td.number { (show::number(run.rows_changed())) }
                td.wide { (by_table(run)) }
            } } }
        }
    }
}

/// What was done with drops: `2 added, 1 replaced`; of an epoch that is about no drop its name.
pub fn actions(run: &Run) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for event in &run.events {
        match counts.iter_mut().find(|(action, _)| *action == event.action) {
            Some((_, count)) => *count += 1,
            None => counts.push((&event.action, 1)),
        }
    }
    let is_whole = run.events.iter().all(|event| event.drop_id.is_none());
    let words: Vec<String> = counts
        .iter()
        .map(|(action, count)| {
            let action = show::text(action).replace('_', " ");
            if is_whole { action } else { format!("{} {action}", show::number(*count)) }
        })
        .collect();
    words.join(", ")
}

fn by_table(run: &Run) -> String {
    let mut tables: Vec<_> = run.tables.iter().filter(|counts| counts.changed_rows() > 0).collect();
    tables.sort_by_key(|counts| std::cmp::Reverse(counts.changed_rows()));
    let words = tables.iter().take(TABLES_NAMED).map(|counts| {
        let parts = [("+", counts.inserted), ("~", counts.updated), ("−", counts.deleted)];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(sign, count)| format!("{sign}{}", show::number(*count)))
            .collect();
        format!("{} {}", show::text(&counts.name), parts.join(" "))
    });
    let mut words: Vec<String> = words.collect();
    if tables.len() > TABLES_NAMED {
        words.push(format!("{} more", show::counted((tables.len() - TABLES_NAMED) as u64, "table")));
    }
    words.join("; ")
}

fn failed(failed: &[FailedRun]) -> Markup {
    html! {
        h3 { "Runs that failed" }
        (parts::scrolling("Runs that failed", html! { table {
            caption { "The newest first of " (show::number(failed.len() as u64)) " that are known. What runs of other processes said is in the log." }
            thead { tr { th scope="col" { "Ended at" } th scope="col" { "Kind of error" } th.number scope="col" { "After" }
                th scope="col" { "What it said" } } }
            tbody { @for run in failed.iter().take(FAILED_LISTED) { tr {
                td.time { (show::time(&run.ended_at)) }
                td { (parts::state("bad", &show::text(&run.kind))) }
                td.number { (show::seconds(run.seconds)) }
                td.wide { (show::whole(run.message.as_deref().unwrap_or_default())) }
            } } }
        } }))
    }
}

fn under_way(running: &Running) -> Markup {
    let drops: Vec<String> = running.drops.iter().take(DROPS_NAMED).map(|drop| show::text(drop)).collect();
    let more = running.drops.len().saturating_sub(DROPS_NAMED) as u64;
    html! {
        p { (parts::state("good", "running")) " since " (show::time(&running.started_at)) " (" (show::seconds(running.seconds)) "): "
            (show::counted(running.records, "record")) " read"
            @if !drops.is_empty() { " of " (drops.join(", ")) @if more > 0 { " and " (show::counted(more, "other")) } } "." }
    }
}
