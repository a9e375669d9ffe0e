//! Where a row comes from: what asserts it or what it is made of, and what moved it when.

use arrow_array::ArrayRef;
use maud::{Markup, html};
use vardelta_engine::run::why::{Asserted, Because, Cells, Contribution, DropName, Happened, Why};

use crate::{
    changes::cells,
    page::{address::Address, parts, show},
};

/// An explanation.
pub fn view(why: &Why, address: &Address) -> Markup {
    html! {
        p { code { (show::text(&why.table)) } " " strong { (words(&why.key)) } ", as of epoch " (why.epoch) }
        @match &why.row {
            Some(row) => dl.row { @for (name, value) in row { div { dt { (show::text(name)) } dd { (value_of(value)) } } } },
            None => (parts::nothing("There is no such row now.")),
        }
        @if !why.assertions.is_empty() { (assertions(why)) }
        @if !why.contributions.is_empty() { (contributions(&why.contributions)) }
        @if !why.happened.is_empty() { (happened(&why.happened, address)) }
        p.through { "Through "
            @for (at, (name, type_name)) in why.stages.iter().enumerate() {
                @if at > 0 { ", " } (show::text(name)) " (" (show::text(type_name)) ")"
            } "." }
        @for notice in &why.notices { p.through { (show::whole(notice)) } }
    }
}

fn value_of(value: &ArrayRef) -> String {
    show::text(&cells::text(value, 0))
}

fn words(row: &Cells) -> String {
    let words: Vec<String> =
        row.iter().map(|(name, value)| format!("{}={}", show::text(name), value_of(value))).collect();
    words.join(" ")
}

fn place(drop: &DropName, origin: u64) -> String {
    format!("{} {}", if drop.is_binary { "record" } else { "line" }, show::number(origin))
}

fn assertions(why: &Why) -> Markup {
    let others = |one: &Asserted| -> Cells {
        one.row.iter().filter(|(name, _)| !why.key.iter().any(|key| key.0 == *name)).cloned().collect()
    };
    html! {
        (parts::scrolling("Drops that assert the row", html! { table {
            caption { "Asserted by, in ledger order." }
            thead { tr { th scope="col" { "Drop" } th scope="col" { "Source" } th scope="col" { "Place" }
                th.number scope="col" { "Loaded in" } th scope="col" { "Stands" } th scope="col" { "Row" } } }
            tbody { @for one in &why.assertions { tr {
                th scope="row" { (show::text(&one.drop.name)) } td { (show::text(&one.drop.source)) }
                td { (place(&one.drop, one.origin)) } td.number { (show::number(one.loaded_epoch.number())) }
                td { @if one.stands { (parts::state("good", "yes")) } @else { (parts::state("quiet", "no")) } }
                td { (words(&others(one))) }
            } } }
        } }))
    }
}

fn contributions(contributions: &[Contribution]) -> Markup {
    html! {
        p { "Made of:" }
        ul.made { @for one in contributions { li {
            (show::counted(one.rows, "row")) " of " code { (show::text(&one.table)) } " from drop " strong { (show::text(&one.drop.name)) }
            ul { @for (key, origin) in &one.first { li { (words(key)) ", " (place(&one.drop, *origin)) } }
                @let more = one.rows.saturating_sub(one.first.len() as u64);
                @if more > 0 { li { "and " (show::number(more)) " more" } }
            }
        } } }
    }
}

fn happened(happened: &[Happened], address: &Address) -> Markup {
    html! {
        p { "What became of it:" }
        ol.happened { @for one in happened { li {
            "Epoch " (parts::link(address.run(one.epoch), &one.epoch.to_string())) ", " (show::time(&one.changed_at)) ": "
            (show::text(&one.operation)) " "
            @if !one.drops.is_empty() { "by " (parts::drops(&one.drops)) " " }
            div { (moved(&one.operation, &one.moved)) }
            @if !one.because.is_empty() { ul { @for because in &one.because { li { (since(because)) } } } }
        } } }
    }
}

fn since(because: &Because) -> Markup {
    html! {
        "since " (show::text(&because.operation)) " in " code { (show::text(&because.table)) } ": " (words(&because.key)) " "
        (moved(&because.operation, &because.moved))
    }
}

fn moved(operation: &str, moved: &[(String, ArrayRef, ArrayRef)]) -> Markup {
    html! {
        @for (at, (name, old, new)) in moved.iter().enumerate() {
            @if at > 0 { ", " }
            span.column { (show::text(name)) } " "
            @match operation {
                "insert" => (value_of(new)),
                "delete" => (value_of(old)),
                _ => { (value_of(old)) " → " strong { (value_of(new)) } },
            }
        }
    }
}
