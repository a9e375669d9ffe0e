//! The drops: what stands, what was replaced and withdrawn, and when.

use maud::{Markup, html};
use vardelta_schemas::ledger::{Epoch, WithdrawnMember};

use crate::page::{
    address::Address,
    facts::{DropFacts, Facts, Waiting},
    parts, show,
};

/// Files that are not loaded and listed.
const WAITING_LISTED: usize = 200;
/// The width of a timeline.
const WIDTH: f64 = 160.0;
/// Events of a drop that are named in words; of more, the last ones.
const EVENTS_NAMED: usize = 4;

/// Counts, then these drops.
pub fn view(facts: &Facts, shown: &[DropFacts], address: &Address) -> Markup {
    let of = |action: &str| {
        let has = |drop: &&DropFacts| drop.events.iter().any(|(_, known)| known == action);
        facts.drops.iter().filter(has).count() as u64
    };
    html! {
        (parts::glance(&[
            ("Standing", html! { (show::number(facts.standing() as u64)) }),
            ("Ever replaced", html! { (show::number(of("replaced"))) }),
            ("Gone", html! { (show::number((facts.drops.len() - facts.standing()) as u64)) }),
            ("Not loaded", html! { (show::number(facts.waiting.len() as u64)) }),
            ("Samples taken back", html! { (show::number(facts.members.len() as u64)) }),
        ]))
        @if !facts.waiting.is_empty() { (waiting(&facts.waiting)) }
        @if facts.drops.is_empty() { (parts::nothing("Nothing has been loaded yet.")) }
        @else { (table(facts, shown, address)) }
        @if !facts.members.is_empty() { (members(&facts.members)) }
    }
}

/// A table of drops.
pub fn table(facts: &Facts, shown: &[DropFacts], address: &Address) -> Markup {
    parts::scrolling(
        "Drops",
        html! { table {
            thead { tr { th scope="col" { "Drop" } th scope="col" { "Source" } th scope="col" { "State" }
                th scope="col" { "Epochs" } th scope="col" { "Timeline" } th.number scope="col" { "Read" }
                th.number scope="col" { "Loaded" } th.number scope="col" { "Filtered" } th.number scope="col" { "Rejected" }
                th.number scope="col" { "Duplicates" } th.number scope="col" { "Reject share" } th scope="col" { "File" } } }
            tbody { @for drop in shown { tr {
                th scope="row" { (show::text(&drop.name)) }
                td { (show::text(&drop.source)) }
                td { (state(drop)) }
                td.middle { (epochs(drop, address)) }
                td { (timeline(facts.epoch, drop)) }
                @match &drop.row {
                    Some(row) => {
                        td.number { (show::number(row.counts.read)) } td.number { (show::number(row.counts.loaded)) }
                        td.number { (show::number(row.counts.filtered)) } td.number { (show::number(row.counts.rejected)) }
                        td.number { (show::number(row.counts.duplicates)) }
                        td.number { (show::share(row.counts.rejected, row.counts.read)) }
                        td.path { (show::text(&row.path)) }
                    },
                    None => td colspan="7" {},
                }
            } } }
        } },
    )
}

/// Files that are not loaded.
fn waiting(waiting: &[Waiting]) -> Markup {
    html! {
        h3 { "Files that are not loaded" }
        (parts::scrolling("Files that are not loaded", html! { table {
            @if waiting.len() > WAITING_LISTED { caption { "The first " (WAITING_LISTED) " of " (show::number(waiting.len() as u64)) "." } }
            thead { tr { th scope="col" { "Drop" } th scope="col" { "Source" } th scope="col" { "State" } th scope="col" { "Since" }
                th scope="col" { "Why" } th.number scope="col" { "Attempts" } th scope="col" { "Next try" } } }
            tbody { @for file in waiting.iter().take(WAITING_LISTED) { tr {
                th scope="row" { (show::text(&file.name)) } td { (show::text(&file.source)) }
                td { @if file.set_aside.is_some() { (parts::state("bad", "set aside")) } @else { (parts::state("quiet", "waiting")) } }
                td.time { (show::time(&file.since)) } td.wide { (show::whole(&file.reason)) }
                td.number { @if let Some((attempts, _)) = &file.set_aside { (show::number(*attempts)) } }
                td.time { @if let Some((_, next)) = &file.set_aside { (show::time(next)) } }
            } } }
        } }))
    }
}

fn state(drop: &DropFacts) -> Markup {
    let last = drop.events.last().map(|(_, action)| action.as_str()).unwrap_or_default();
    match (&drop.row, last) {
        (Some(_), "erasing_sample") => parts::state("bad", "erasure of a sample pending"),
        (Some(row), _) if row.loaded_epoch > row.added_epoch => parts::state("good", "replaced"),
        (Some(_), _) => parts::state("good", "loaded"),
        (None, "withdrawn") => parts::state("quiet", "withdrawn"),
        (None, "erasing") => parts::state("bad", "erasure pending"),
        (None, other) => parts::state("quiet", &show::text(other)),
    }
}

fn epochs(drop: &DropFacts, address: &Address) -> Markup {
    let skipped = drop.events.len().saturating_sub(EVENTS_NAMED);
    html! {
        @if skipped > 0 { (show::number(skipped as u64)) " earlier, " }
        @for (at, (epoch, action)) in drop.events[skipped..].iter().enumerate() {
            @if at > 0 { ", " }
            (show::text(action).replace('_', " ")) " in " (parts::link(address.run(*epoch), &epoch.to_string()))
        }
    }
}

/// From the first epoch to the last: a line while the drop stood, a mark where something was done with it.
fn timeline(last: Epoch, drop: &DropFacts) -> Markup {
    let Some((first, _)) = drop.events.first() else { return html! {} };
    let before = |epoch: Epoch| epoch.number().saturating_sub(1);
    let at = |epoch: Epoch| 4.0 + (WIDTH - 8.0) * before(epoch) as f64 / before(last).max(1) as f64;
    let end = match drop.row {
        Some(_) => WIDTH,
        None => at(drop.events.last().map_or(*first, |(epoch, _)| *epoch)),
    };
    let words: Vec<String> =
        drop.events.iter().map(|(epoch, action)| format!("{} in {epoch}", show::text(action))).collect();
    html! {
        svg.timeline role="img" aria-label=(words.join(", ")) width=(WIDTH) height="14" viewBox=(format!("0 0 {WIDTH} 14")) {
            line.all x1="0" y1="7" x2=(WIDTH) y2="7" {}
            line.stood x1=(chart_x(at(*first))) y1="7" x2=(chart_x(end)) y2="7" {}
            @for ((epoch, action), words) in drop.events.iter().zip(&words) {
                circle class=(mark(action)) cx=(chart_x(at(*epoch))) cy="7" r="3.5" { title { (words) } }
            }
        }
    }
}

fn chart_x(x: f64) -> f64 {
    crate::page::chart::round(x)
}

/// The class of a mark.
fn mark(action: &str) -> &'static str {
    match action {
        "added" => "added",
        "replaced" => "replaced",
        "withdrawn" | "erased" | "erasing" | "sample_withdrawn" | "erasing_sample" | "sample_erased" => "gone",
        _ => "other",
    }
}

fn members(members: &[WithdrawnMember]) -> Markup {
    html! {
        h3 { "Samples that are withdrawn" }
        (parts::scrolling("Samples that are withdrawn", html! { table {
            thead { tr { th scope="col" { "Sample" } th scope="col" { "Source" } th scope="col" { "Drop" }
                th.number scope="col" { "Withdrawn in" } } }
            tbody { @for member in members { tr {
                th scope="row" { (show::text(&member.name)) } td { (show::text(&member.source)) }
                td { (member.drop.as_deref().map_or_else(|| "(all)".to_owned(), show::text)) }
                td.number { (show::number(member.epoch.number())) }
            } } }
        } }))
    }
}
