//! A whole HTML document.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::page::{
    address::{Address, View},
    show,
};

/// The style of every page: one file, light and dark, from a telephone's width on.
pub const STYLE: &str = include_str!("style.css");

/// What a document is about.
pub struct Document<'a> {
    /// Its title.
    pub title: &'a str,
    /// The pipeline.
    pub pipeline: &'a str,
    /// The view that it is of, if it is of one.
    pub view: Option<View>,
    /// Where links lead.
    pub address: &'a Address,
    /// When what it shows was read, UTC.
    pub read_at: &'a str,
}

/// What every report of vardelta begins with, by which it is known again.
pub const BEGINNING: &str = "<!DOCTYPE html><!-- vardelta report -->";

/// A document of its own that needs nothing else.
pub fn self_contained(document: &Document<'_>, main: Markup) -> String {
    let head = html! {
        // Whatever a file's content might be taken for: nothing is loaded and no script runs.
        meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
        style { (PreEscaped(STYLE)) }
    };
    whole(document, "<!-- vardelta report -->", head, main)
}

fn whole(document: &Document<'_>, mark: &str, head: Markup, main: Markup) -> String {
    let Document { title, pipeline, view, address, read_at } = document;
    let markup = html! {
        (DOCTYPE) (PreEscaped(mark))
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "vardelta " (env!("CARGO_PKG_VERSION")) };
                title { (show::text(title)) }
                (head)
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    p.name { (show::text(pipeline)) }
                    nav aria-label="Views" { ul {
                        @for known in View::ALL {
                            li { a href=(address.view(known)) aria-current=[(*view == Some(known)).then_some("page")] { (known.title()) } }
                        }
                    } }
                }
                main id="main" tabindex="-1" { (main) }
                footer { p { "vardelta " (env!("CARGO_PKG_VERSION")) ", read at " (show::time(read_at)) } }
            }
        }
    };
    markup.into_string()
}
