//! The report to mail: every view in one file that needs nothing else.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use maud::{Markup, html};
use vardelta_engine::{
    clock,
    error::RunError,
    run::{
        Context,
        why::{Why, WhyRequest, why},
    },
};
use vardelta_schemas::ledger::{Epoch, EpochDetails};

use crate::page::{
    address::{Address, RowKey, View},
    changes::{self, ChangesOfEpoch},
    document::{self, Document},
    drops,
    facts::{self, DropFacts, Facts, Run},
    graph, lookups, parts, run, runs, show, tables, why as why_view,
};

pub use document::BEGINNING;

/// Runs that are listed.
const RUNS_LISTED: usize = 500;
/// Runs that have a place of their own.
const RUNS_DETAILED: usize = 20;
/// Drops of one block; every block but the first is folded.
const DROPS_BLOCK: usize = 200;
/// Drops that are listed.
const DROPS_LISTED: usize = 20_000;
/// Changed rows of each table that are explained.
const ROWS_EXPLAINED_EACH: usize = 3;
/// After so long no further row is explained.
const EXPLAIN_AT_MOST: Duration = Duration::from_secs(20);
/// Rows that an explanation names of each table and drop.
const ROWS_NAMED: usize = 10;

/// What a report has.
pub struct Content {
    facts: Facts,
    details: BTreeMap<Epoch, Result<EpochDetails, String>>,
    changes: Result<ChangesOfEpoch, String>,
    rows: Vec<(RowKey, Result<Why, String>)>,
}

/// Reads what a report of a pipeline has: its last runs with all that is known of them, what the last epoch changed, and where
/// the first of those rows come from.
///
/// # Errors
/// When the sink cannot be read, or the command is interrupted.
pub fn gather(context: Context<'_>) -> Result<Content, RunError> {
    let plan = context.plan;
    let facts = facts::read(plan)?;
    let mut details = BTreeMap::new();
    for run in facts.runs.iter().take(RUNS_DETAILED) {
        context.abort.check()?;
        details.insert(run.epoch, facts::details(plan, run.epoch).map_err(|error| error.to_string()));
    }
    let changes = ChangesOfEpoch::read(plan, facts.epoch, context.abort).map_err(|error| show::error(&error));
    let started = Instant::now();
    let mut rows = Vec::new();
    for row in changes.iter().flat_map(|changes| changes.first(ROWS_EXPLAINED_EACH)) {
        context.abort.check()?;
        if started.elapsed() > EXPLAIN_AT_MOST {
            break;
        }
        let request = WhyRequest { table: row.0.clone(), key: row.1.clone(), rows: ROWS_NAMED };
        rows.push((row, why(context, &request).map_err(|error| show::error(&error))));
    }
    Ok(Content { facts, details, changes, rows })
}

impl Content {
    /// The epoch that the report is of.
    pub fn epoch(&self) -> Epoch {
        self.facts.epoch
    }

    /// The file.
    pub fn html(&self) -> String {
        let facts = &self.facts;
        let address = Address::File {
            runs: self.details.keys().copied().collect(),
            rows: self.rows.iter().map(|(row, _)| row.clone()).collect(),
        };
        let document = Document {
            title: &format!("{}: epoch {}", facts.pipeline, facts.epoch),
            pipeline: &facts.pipeline,
            view: None,
            address: Some(&address),
            read_at: &clock::utc(facts.read_s),
            others: None,
        };
        let section = |view: View, inner: Markup| {
            html! { section id=(view.name()) aria-labelledby={ (view.name()) "-title" } {
                h2 id={ (view.name()) "-title" } { (view.title()) } (inner)
            } }
        };
        let main = html! {
            h1 { "Report of " (show::text(&facts.pipeline)) }
            (section(View::Runs, self.runs(&address)))
            (section(View::Graph, graph::view(facts, None)))
            (section(View::Tables, tables::view(facts, &address)))
            (section(View::Drops, self.drops(&address)))
            (section(View::Lookups, lookups::view(facts)))
            (section(View::Changes, self.changes(&address)))
            (section(View::Why, self.why(&address)))
        };
        document::self_contained(&document, main)
    }

    fn runs(&self, address: &Address) -> Markup {
        let facts = &self.facts;
        let shown = &facts.runs[..facts.runs.len().min(RUNS_LISTED)];
        let detailed = |run: &&Run| self.details.contains_key(&run.epoch);
        html! {
            (runs::view(facts, shown, address))
            @if shown.len() < facts.runs.len() { p { "The newest " (RUNS_LISTED) " of them; " code { "vardelta history" } " lists all." } }
            @for (at, one) in facts.runs.iter().filter(detailed).enumerate() {
                @if let Some(details) = self.details.get(&one.epoch) {
                    details.run id={ "run-" (one.epoch) } open[at == 0] {
                        summary { h3 { "Run of epoch " (one.epoch) } }
                        (run::view(facts, one, details))
                    }
                }
            }
            @if self.details.len() < facts.runs.len() {
                p { "Of older runs than these the database keeps the same; the page of " code { "vardelta watch --listen" } " shows it." }
            }
        }
    }

    fn drops(&self, address: &Address) -> Markup {
        let facts = &self.facts;
        let listed = &facts.drops[..facts.drops.len().min(DROPS_LISTED)];
        let blocks: Vec<&[DropFacts]> = listed.chunks(DROPS_BLOCK).collect();
        html! {
            (drops::view(facts, blocks.first().copied().unwrap_or_default(), address))
            @for (at, block) in blocks.iter().enumerate().skip(1) {
                details {
                    summary { "Drops " (show::number((at * DROPS_BLOCK + 1) as u64)) " to "
                        (show::number((at * DROPS_BLOCK + block.len()) as u64)) }
                    (drops::table(facts, block, address))
                }
            }
            @if listed.len() < facts.drops.len() { p { "The first " (show::number(DROPS_LISTED as u64)) " of "
                (show::number(facts.drops.len() as u64)) "; " code { "vardelta drops" } " lists all that are loaded." } }
        }
    }

    fn changes(&self, address: &Address) -> Markup {
        match &self.changes {
            Ok(_) if self.facts.epoch == Epoch::NONE => parts::nothing("Nothing has been loaded yet."),
            Ok(found) => changes::view(found, address),
            Err(message) => parts::nothing(&show::whole(message)),
        }
    }

    fn why(&self, address: &Address) -> Markup {
        html! {
            @if self.rows.is_empty() {
                (parts::nothing("There is no changed row to explain; `vardelta why` explains any row."))
            } @else {
                p { "The first rows that the last epoch changed; " code { "vardelta why" } " explains any row." }
            }
            @for (at, (row, explained)) in self.rows.iter().enumerate() {
                article id={ "why-" (at) } {
                    h3 { (show::text(&row.0)) ": " (changes::words(row)) }
                    @match explained {
                        Ok(why) => (why_view::view(why, address)),
                        Err(message) => p.trouble { (show::whole(message)) },
                    }
                }
            }
        }
    }
}
