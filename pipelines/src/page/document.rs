//! A whole HTML document.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use vardelta_engine::clock;

use crate::page::{
    address::{Address, View},
    show,
};

/// The style of every page: one file, light and dark, from a telephone's width on.
pub const STYLE: &str = include_str!("style.css");

/// The picture that browsers show beside the title.
pub const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><path fill=\"#2d6cc0\" d=\"M8 2 15 14H1z\"/></svg>";

/// What a document is about.
pub struct Document<'a> {
    /// Its title.
    pub title: &'a str,
    /// The pipeline.
    pub pipeline: &'a str,
    /// The view that it is of, if it is of one.
    pub view: Option<View>,
    /// Where links lead; `None` on a page that is of no pipeline.
    pub address: Option<&'a Address>,
    /// When what it shows was read, UTC.
    pub read_at: &'a str,
    /// Where the other pipelines are, if there are any.
    pub others: Option<&'a str>,
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

/// A document of a server that also gives [`STYLE`] and [`ICON`]. It is asked for again after so many seconds, if that is wanted.
pub fn served(document: &Document<'_>, refresh_s: Option<u32>, main: Markup) -> String {
    let head = html! {
        @if let Some(seconds) = refresh_s { meta http-equiv="refresh" content=(seconds); }
        link rel="stylesheet" href="/style.css";
        link rel="icon" href="/icon.svg" type="image/svg+xml";
    };
    whole(document, "", head, main)
}

/// A document of a server that is of no pipeline.
pub fn alone(title: &str, read_s: u64, main: Markup) -> String {
    let read_at = &clock::utc(read_s);
    served(&Document { title, pipeline: title, view: None, address: None, read_at, others: None }, None, main)
}

fn whole(document: &Document<'_>, mark: &str, head: Markup, main: Markup) -> String {
    let Document { title, pipeline, view, address, read_at, others } = document;
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
                    p.name { @if let Some(others) = others { a href=(others) { "All pipelines" } " / " } (show::text(pipeline)) }
                    @if let Some(address) = address {
                        nav aria-label="Views" { ul {
                            @for known in View::ALL {
                                li { a href=(address.view(known)) aria-current=[(*view == Some(known)).then_some("page")] { (known.title()) } }
                            }
                        } }
                    }
                }
                main id="main" tabindex="-1" { (main) }
                footer { p { "vardelta " (env!("CARGO_PKG_VERSION")) ", read at " (show::time(read_at)) } }
            }
        }
    };
    markup.into_string()
}
