//! The pages of a server: what an address asks for, and the document that answers it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use vardelta_engine::{clock, edge::escape, run::why::Why};
use vardelta_schemas::ledger::{Epoch, EpochDetails};

use crate::page::{
    address::{Address, KEY_PREFIX, View, query},
    changes::{self, ChangesOfEpoch},
    document::{self, Document},
    drops,
    facts::{DropFacts, Facts},
    graph, lookups, pager, parts, run, runs, show, tables, why,
};

pub use document::{ICON, STYLE};

/// Runs of a page.
const RUNS_PAGE: usize = 50;
/// Drops of a page.
const DROPS_PAGE: usize = 100;
/// While a run is under way, its page is asked for again after so many seconds.
const REFRESH_S: u32 = 5;

/// What is asked for of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A view as a whole.
    View(View),
    /// One run.
    Run(Epoch),
}

impl Asked {
    /// What a path asks for, after the pipeline's part of it; `None` for one that there is not.
    pub fn of(path: &str) -> Option<Asked> {
        match path.trim_matches('/').split_once('/') {
            None if path.trim_matches('/').is_empty() => Some(Asked::View(View::Runs)),
            None => View::ALL.into_iter().find(|view| view.name() == path.trim_matches('/')).map(Asked::View),
            Some(("runs", epoch)) => epoch.parse().ok().map(Epoch::new).map(Asked::Run),
            Some(_) => None,
        }
    }

    fn view(&self) -> View {
        match self {
            Asked::View(view) => *view,
            Asked::Run(_) => View::Runs,
        }
    }
}

/// Parameters of an address.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn page(&self) -> usize {
        self.get("page").and_then(|page| page.parse().ok()).unwrap_or(1)
    }

    /// The epoch that is named.
    pub fn epoch(&self) -> Option<Epoch> {
        self.get("epoch").and_then(|epoch| epoch.trim().parse().ok()).map(Epoch::new)
    }

    /// The columns of a key.
    pub fn key(&self) -> Vec<(String, String)> {
        let column =
            |(name, value): &(String, String)| Some((name.strip_prefix(KEY_PREFIX)?.to_owned(), value.clone()));
        self.0.iter().filter_map(column).collect()
    }
}

/// What is read for one page beside the facts; a text says why it cannot be.
pub enum Extra {
    /// Nothing.
    None,
    /// Rejects and warnings of a run.
    Details(Result<EpochDetails, String>),
    /// What an epoch changed.
    Changes(Result<ChangesOfEpoch, String>),
    /// An explanation.
    Why(Result<Why, String>),
}

/// Where pages are.
pub struct Site {
    /// Where links lead.
    pub address: Address,
    /// Where the other pipelines are, if there are any.
    pub others: Option<String>,
}

impl Site {
    /// The page that was asked for; `None` where there is no such run.
    pub fn page(&self, facts: &Facts, asked: &Asked, parameters: &Parameters, extra: &Extra) -> Option<String> {
        let main = match (asked, extra) {
            (Asked::Run(epoch), Extra::Details(details)) => self.run(facts, *epoch, details)?,
            (Asked::View(view), _) => html! { h1 { (view.title()) } (self.view(facts, *view, parameters, extra)) },
            (Asked::Run(_), _) => return None,
        };
        let title = match asked {
            Asked::Run(epoch) => format!("{}: run {epoch}", facts.pipeline),
            Asked::View(view) => format!("{}: {}", facts.pipeline, view.title()),
        };
        let refresh_s = (facts.running.is_some() && *asked == Asked::View(View::Runs)).then_some(REFRESH_S);
        Some(self.document(&facts.pipeline, Some(asked.view()), &title, facts.read_s, refresh_s, main))
    }

    /// A page that says why there is no other.
    pub fn trouble(&self, pipeline: &str, read_s: u64, title: &str, message: &str) -> String {
        let main = html! { h1 { (title) } p.trouble { (show::whole(message)) } };
        self.document(pipeline, None, title, read_s, None, main)
    }

    fn document(
        &self,
        pipeline: &str,
        view: Option<View>,
        title: &str,
        read_s: u64,
        refresh_s: Option<u32>,
        main: Markup,
    ) -> String {
        let document = Document {
            title,
            pipeline,
            view,
            address: Some(&self.address),
            read_at: &clock::utc(read_s),
            others: self.others.as_deref(),
        };
        document::served(&document, refresh_s, main)
    }

    fn view(&self, facts: &Facts, view: View, parameters: &Parameters, extra: &Extra) -> Markup {
        let address = &self.address;
        match (view, extra) {
            (View::Changes, Extra::Changes(found)) => self.changes(facts, found),
            (View::Why, Extra::Why(found)) => self.why(facts, parameters, Some(found)),
            (View::Why, _) => self.why(facts, parameters, None),
            (View::Graph, _) => graph::view(facts, parameters.epoch()),
            (View::Tables, _) => tables::view(facts, address),
            (View::Drops, _) => self.drops(facts, parameters),
            (View::Lookups, _) => lookups::view(facts),
            (View::Runs | View::Changes, _) => {
                let page = pager::page(&facts.runs, parameters.page(), RUNS_PAGE);
                html! {
                    (runs::view(facts, page.items, address))
                    (pager::links(&page, |number| format!("{}?page={number}", address.view(View::Runs))))
                }
            }
        }
    }

    fn run(&self, facts: &Facts, epoch: Epoch, details: &Result<EpochDetails, String>) -> Option<Markup> {
        let one = facts.run(epoch)?;
        let beside = [
            ("Previous run", epoch.number().checked_sub(1).map(Epoch::new)),
            ("Next run", epoch.number().checked_add(1).map(Epoch::new)),
        ];
        Some(html! {
            h1 { "Run of epoch " (epoch) }
            nav.pager aria-label="Other runs" {
                @for (words, other) in beside {
                    @if let Some(other) = other && facts.run(other).is_some() && let Some(href) = self.address.run(other) {
                        a href=(href) { (words) }
                    }
                }
                a href={ (self.address.view(View::Changes)) "?epoch=" (epoch) } { "Changed rows" }
                @if one.figures.is_some() { a href={ (self.address.view(View::Graph)) "?epoch=" (epoch) } { "Graph" } }
            }
            (run::view(facts, one, details))
        })
    }

    fn drops(&self, facts: &Facts, parameters: &Parameters) -> Markup {
        let wanted = parameters.get("name").unwrap_or_default();
        let found: Vec<DropFacts> =
            facts.drops.iter().filter(|drop| wanted.is_empty() || drop.name.contains(wanted)).cloned().collect();
        let page = pager::page(&found, parameters.page(), DROPS_PAGE);
        let place = self.address.view(View::Drops);
        let href = |number: usize| {
            let name = (!wanted.is_empty()).then(|| ("name".to_owned(), wanted.to_owned()));
            format!("{place}?{}", query(name.into_iter().chain([("page".to_owned(), number.to_string())])))
        };
        html! {
            form method="get" action=(place) role="search" {
                div { label for="name" { "Part of the name" } input id="name" name="name" type="search" value=(show::text(wanted)); }
                button { "Find" }
            }
            @if !wanted.is_empty() { p { (show::counted(found.len() as u64, "drop")) " of " (show::number(facts.drops.len() as u64)) "." } }
            (drops::view(facts, page.items, &self.address))
            (pager::links(&page, href))
        }
    }

    fn changes(&self, facts: &Facts, found: &Result<ChangesOfEpoch, String>) -> Markup {
        let epoch = found.as_ref().map_or(facts.epoch, |found| found.epoch);
        html! {
            form method="get" action=(self.address.view(View::Changes)) {
                div { label for="epoch" { "Epoch, 1 to " (facts.epoch) }
                    input id="epoch" name="epoch" type="number" min="1" max=(facts.epoch) value=(epoch); }
                button { "Show" }
            }
            @match found {
                Ok(_) if facts.epoch == Epoch::NONE => (parts::nothing("Nothing has been loaded yet.")),
                Ok(found) => (changes::view(found, &self.address)),
                Err(message) => (parts::nothing(&show::whole(message))),
            }
        }
    }

    fn why(&self, facts: &Facts, parameters: &Parameters, found: Option<&Result<Why, String>>) -> Markup {
        let asked = parameters.get("table");
        let values: BTreeMap<String, String> = parameters.key().into_iter().collect();
        html! {
            @match found {
                Some(Ok(found)) => (why::view(found, &self.address)),
                Some(Err(message)) => p.trouble { (show::whole(message)) },
                None => p { "Every row comes from records of drops. Which row is it?" },
            }
            @for table in &facts.tables {
                details open[asked == Some(table.name.as_str())] {
                    summary { (show::text(&table.name)) }
                    form method="get" action=(self.address.view(View::Why)) {
                        input type="hidden" name="table" value=(table.name);
                        @for column in &table.key {
                            @let id = format!("{}-{column}", table.name);
                            // What steers a terminal is in no page, not even where it would be handed back.
                            @let value = values.get(column).filter(|value| {
                                asked == Some(table.name.as_str()) && !value.chars().any(escape::steers)
                            });
                            div { label for=(id) { (show::text(column)) }
                                input id=(id) name={ (KEY_PREFIX) (column) } value=[value] required; }
                        }
                        button { "Why" }
                    }
                }
            }
        }
    }
}

/// A pipeline of several, in a few words.
pub struct Watched<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its pages are.
    pub href: String,
    /// The class and the word of its state.
    pub state: (&'static str, &'static str),
    /// What there is to say of it.
    pub words: String,
}

/// The pipelines of a process that watches since a time in seconds since 1970, each with the way to its pages.
pub fn chooser(pipelines: &[Watched<'_>], since_s: u64, read_s: u64) -> String {
    let main = html! {
        h1 { "Pipelines" }
        p { "Watched since " (show::time(&clock::utc(since_s))) "." }
        (parts::scrolling("Pipelines", html! { table {
            thead { tr { th scope="col" { "Pipeline" } th scope="col" { "State" } th scope="col" { "Now" } } }
            tbody { @for one in pipelines { tr {
                th scope="row" { a href=(one.href) { (show::text(one.name)) } }
                td { (parts::state(one.state.0, one.state.1)) }
                td.wide { (show::whole(&one.words)) }
            } } }
        } }))
    };
    document::alone("vardelta", read_s, main)
}

/// There is no such page.
pub fn nothing(read_s: u64) -> String {
    let main = html! { h1 { "There is nothing here" } p { a href="/" { "To the first page" } } };
    document::alone("vardelta", read_s, main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_views_and_runs() {
        assert_eq!(Asked::of("/"), Some(Asked::View(View::Runs)));
        assert_eq!(Asked::of(""), Some(Asked::View(View::Runs)));
        assert_eq!(Asked::of("/lookups"), Some(Asked::View(View::Lookups)));
        assert_eq!(Asked::of("/runs/12"), Some(Asked::Run(Epoch::new(12))));
        for path in ["/nothing", "/runs/x", "/runs/1/2", "/drops/1", "/runs/-1"] {
            assert_eq!(Asked::of(path), None, "{path}");
        }
    }

    #[test]
    fn what_an_address_says_is_text() {
        let site = Site { address: Address::Served { base: String::new() }, others: None };
        let parameters = Parameters(vec![("name".into(), "\"><script>alert(1)</script>\u{1b}".into())]);
        let asked = Asked::View(View::Drops);
        let page = site.page(&Facts::default(), &asked, &parameters, &Extra::None).unwrap_or_default();
        assert!(page.contains("&lt;script&gt;") && page.contains("\\u{1b}"), "{page}");
        assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains("http"), "{page}");
        let nothing = Extra::Details(Ok(EpochDetails::default()));
        assert_eq!(site.page(&Facts::default(), &Asked::Run(Epoch::new(9)), &parameters, &nothing), None);
    }
}
