//! What several views share.

use maud::{Markup, html};

use crate::page::show;

/// A table that scrolls by itself where the screen is narrow, also by keyboard.
pub fn scrolling(label: &str, inner: Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (inner) } }
}

/// A link where there is a place to go to, otherwise the text alone.
pub fn link(href: Option<String>, text: &str) -> Markup {
    html! {
        @match href {
            Some(href) => a href=(href) { (text) },
            None => (text),
        }
    }
}

/// Facts at a glance: what each is and what it is now.
pub fn glance(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.glance { @for (what, value) in facts { div { dt { (what) } dd { (value) } } } }
    }
}

/// Drops by name: of many the first ones, and how many more there are.
pub fn drops(names: &[String]) -> String {
    const NAMED: usize = 5;
    let mut words: Vec<String> = names.iter().take(NAMED).map(|name| show::text(name)).collect();
    if names.len() > NAMED {
        words.push(format!("{} more", show::number((names.len() - NAMED) as u64)));
    }
    words.join(", ")
}

/// A state in a word, coloured by its class.
pub fn state(class: &str, word: &str) -> Markup {
    html! { span class={ "state " (class) } { (word) } }
}

/// Says that there is nothing, and why.
pub fn nothing(words: &str) -> Markup {
    html! { p.nothing { (words) } }
}
