//! The look-ups: what their tiers hold, which keys have an answer, and which wait.

use maud::{Markup, html};

use crate::page::{
    facts::{Facts, Lookup},
    parts, show,
};

/// All look-up stages.
pub fn view(facts: &Facts) -> Markup {
    html! {
        @if facts.lookups.is_empty() { (parts::nothing("This pipeline looks nothing up.")) }
        @for lookup in &facts.lookups { (one(lookup)) }
    }
}

fn one(lookup: &Lookup) -> Markup {
    let waiting: u64 = lookup.keys.iter().filter(|keys| keys.status == "waiting").map(|keys| keys.count).sum();
    let all: u64 = lookup.keys.iter().map(|keys| keys.count).sum();
    html! {
        h3 { (show::text(&lookup.stage)) }
        p {
            @if waiting > 0 { (parts::state("bad", "degraded")) " " (show::counted(waiting, "key")) " of "
                (show::number(all)) " wait for an answer; the next run asks again." }
            @else if all > 0 { (parts::state("good", "complete")) " every key has an answer." }
            @else { (parts::state("quiet", "unused")) " no key is wanted." }
        }
        @if !lookup.keys.is_empty() {
            (parts::scrolling("Keys by status", html! { table {
                caption { "Keys by what is known of them." }
                thead { tr { th scope="col" { "Status" } th.number scope="col" { "Keys" } th scope="col" { "Last asked at" }
                    th scope="col" { "Not before" } th scope="col" { "Why, of one of them" } } }
                tbody { @for keys in &lookup.keys { tr {
                    th scope="row" { (show::text(&keys.status)) }
                    td.number { (show::number(keys.count)) }
                    td.time { @if let Some(at) = &keys.asked_at { (show::time(at)) } }
                    td.time { @if let Some(at) = &keys.next_try { (show::time(at)) } }
                    td { (show::text(keys.last_error.as_deref().unwrap_or_default())) }
                } } }
            } }))
        }
        @if lookup.tiers.is_empty() { (parts::nothing("It keeps no answers in a tier.")) } @else {
            (parts::scrolling("Tiers", html! { table {
                caption { "What is kept of answers, so that nobody is asked twice." }
                thead { tr { th scope="col" { "Tier" } th.number scope="col" { "Answers" } th.number scope="col" { "Size" } } }
                tbody { @for (name, size) in &lookup.tiers { tr {
                    th scope="row" { (show::text(name)) }
                    @match size {
                        Ok((entries, bytes)) => { td.number { (show::number(*entries)) } td.number { (show::bytes(*bytes)) } },
                        Err(message) => td.trouble colspan="2" { (show::whole(message)) },
                    }
                } } }
            } }))
        }
    }
}
