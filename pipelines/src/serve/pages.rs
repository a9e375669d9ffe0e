//! What a browser sees. Pages are read off the server's thread, a few at a time and within a time limit, and are good for
//! some seconds: whoever looks cannot hurt the database, nor keep `/health` from answering.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, Uri},
};
use tokio::{sync::oneshot, time::timeout};
use vardelta_engine::{
    abort::Abort,
    clock::utc,
    error::RunError,
    observer::Unobserved,
    run::{
        Context,
        why::{WhyRequest, why},
    },
};
use vardelta_schemas::ledger::Epoch;
use vardelta_stages::address::encoded;

use super::{
    query::pairs,
    recent::Pages,
    reply::{self, Reply},
    served::Served,
};
use crate::{
    live::LivePipeline,
    operate::clock::now_s,
    page::{
        address::{Address, View},
        changes::ChangesOfEpoch,
        facts::{self, Facts, FailedRun, Running, Waiting},
        show as shown,
        site::{self, Asked, Extra, Parameters, Site, Watched},
    },
};

/// How long a page waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(3);
/// How long reading may take.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Rows that an explanation names of each table and drop.
const ROWS_NAMED: usize = 20;

/// `/style.css`.
pub async fn style() -> Reply {
    reply::of(StatusCode::OK, "text/css; charset=utf-8", site::STYLE)
}

/// `/icon.svg`.
pub async fn icon() -> Reply {
    reply::of(StatusCode::OK, "image/svg+xml", site::ICON)
}

/// A page: `/`, `/runs/7` of the one pipeline, `/p/NAME/runs/7` where there are several.
pub async fn show(State(served): State<Arc<Served>>, uri: Uri) -> Reply {
    let pipelines = &served.board.pipelines;
    let (live, path) = match uri.path().strip_prefix("/p/") {
        Some(rest) => {
            let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
            (pipelines.iter().find(|live| encoded(&live.plan.pipeline.name) == name), path)
        }
        None => match &pipelines[..] {
            [one] => (Some(one), uri.path()),
            _ if uri.path() == "/" => return reply::html(StatusCode::OK, chooser(&served)),
            _ => (None, ""),
        },
    };
    let nothing = || reply::html(StatusCode::NOT_FOUND, site::nothing(now_s()));
    let (Some(live), Some(asked)) = (live, Asked::of(path)) else { return nothing() };
    let key = format!("{} {uri}", live.plan.pipeline.name);
    if let Some(known) = served.pages.answers.get(&key) {
        return reply::html(StatusCode::OK, known.to_string());
    }
    let parameters = Parameters(pairs(uri.query().unwrap_or_default()));
    let read = Read { served: Arc::clone(&served), live: Arc::clone(live), asked, parameters, abort: Abort::default() };
    match within(&served.pages, read).await {
        Ok(Some(page)) => {
            let page: Arc<str> = page.into();
            served.pages.answers.put(&key, Arc::clone(&page));
            reply::html(StatusCode::OK, page.to_string())
        }
        Ok(None) => nothing(),
        Err(message) => {
            let name = &live.plan.pipeline.name;
            let page = site_of(&served, live).trouble(name, now_s(), "This cannot be shown now", &message);
            reply::html(StatusCode::SERVICE_UNAVAILABLE, page)
        }
    }
}

/// Reads a page on a thread of its own, when it is its turn. A thread that is late is told to end and keeps its turn until then.
async fn within(pages: &Pages, read: Read) -> Result<Option<String>, String> {
    const BUSY: &str = "Too many pages are asked for at the same time, or the database does not answer.";
    const LATE: &str =
        "Reading this takes too long for a page; the command line has no such limit (changes, why, report).";
    let turn = timeout(TURN_WITHIN, Arc::clone(&pages.turns).acquire_owned()).await;
    let turn = turn.map_err(|_| BUSY)?.map_err(|_| BUSY)?;
    let (abort, (tell, told)) = (read.abort.clone(), oneshot::channel());
    let thread = std::thread::Builder::new().name("page".into()).spawn(move || {
        let _turn = turn;
        // Who asked may have gone away.
        let _ = tell.send(read.page());
    });
    thread.map_err(|error| format!("the system gives no thread: {error}"))?;
    match timeout(READ_WITHIN, told).await {
        Ok(Ok(page)) => page,
        Ok(Err(_)) => Err("Making this page has failed; standard error says how.".to_owned()),
        Err(_) => {
            abort.raise(RunError::interrupted());
            Err(LATE.to_owned())
        }
    }
}

/// A page to be read.
struct Read {
    served: Arc<Served>,
    live: Arc<LivePipeline>,
    asked: Asked,
    parameters: Parameters,
    abort: Abort,
}

impl Read {
    /// The page; `None` where there is no such thing.
    fn page(&self) -> Result<Option<String>, String> {
        let facts = overlaid(&*self.facts()?, &self.live);
        let extra = match &self.asked {
            Asked::Run(epoch) if facts.run(*epoch).is_none() => return Ok(None),
            Asked::Run(epoch) => {
                Extra::Details(facts::details(&self.live.plan, *epoch).map_err(|error| error.to_string()))
            }
            Asked::View(View::Changes) => Extra::Changes(self.changes(&facts)),
            Asked::View(View::Why) => match self.parameters.get("table") {
                Some(table) => Extra::Why(self.why(table)),
                None => Extra::None,
            },
            Asked::View(_) => Extra::None,
        };
        Ok(site_of(&self.served, &self.live).page(&facts, &self.asked, &self.parameters, &extra))
    }

    fn facts(&self) -> Result<Arc<Facts>, String> {
        let (recent, name) = (&self.served.pages.facts, &self.live.plan.pipeline.name);
        if let Some(known) = recent.get(name) {
            return Ok(known);
        }
        let facts = Arc::new(facts::read(&self.live.plan).map_err(|error| shown::error(&error))?);
        recent.put(name, Arc::clone(&facts));
        Ok(facts)
    }

    fn changes(&self, facts: &Facts) -> Result<ChangesOfEpoch, String> {
        let epoch = self.parameters.epoch().unwrap_or(facts.epoch);
        if epoch > facts.epoch || (epoch == Epoch::NONE && facts.epoch > Epoch::NONE) {
            return Err(format!("There is no epoch {epoch}; the last one is {}.", facts.epoch));
        }
        ChangesOfEpoch::read(&self.live.plan, epoch, &self.abort).map_err(|error| shown::error(&error))
    }

    fn why(&self, table: &str) -> Result<vardelta_engine::run::why::Why, String> {
        let request = WhyRequest { table: table.to_owned(), key: self.parameters.key(), rows: ROWS_NAMED };
        let context = Context { plan: &self.live.plan, abort: &self.abort, observer: &Unobserved };
        why(context, &request).map_err(|error| shown::error(&error))
    }
}

/// The facts of the ledger, with what this process knows of the moment.
fn overlaid(facts: &Facts, live: &LivePipeline) -> Facts {
    let mut facts = facts.clone();
    let now = live.now();
    facts.running = now.run.as_ref().map(|run| Running {
        started_at: utc(run.started_s),
        seconds: run.seconds(),
        records: run.records,
        drops: run.drops.iter().map(|(_, name)| name.clone()).collect(),
    });
    facts.trouble = now.trouble.as_ref().map(|trouble| {
        let (since, next) = (utc(trouble.since_s), utc(trouble.next_try_s));
        format!("Nothing can be loaded since {since}; tried again at {next}: {}", trouble.message)
    });
    if now.scans > 0 {
        let waiting = now.pending.iter().map(|drop| Waiting {
            source: drop.source.clone(),
            name: drop.name.clone(),
            since: utc(drop.since_s),
            reason: drop.reason.clone(),
            set_aside: drop.set_aside.map(|aside| (aside.attempts, utc(aside.next_try_s))),
        });
        facts.waiting = waiting.collect();
    }
    for run in &now.finished {
        let Some((kind, message)) = &run.failed else { continue };
        let (ended_at, kind) = (utc(run.ended_s), kind.as_str().to_owned());
        match facts.failed.iter_mut().find(|known| known.ended_at == ended_at && known.kind == kind) {
            Some(known) => known.message = Some(message.clone()),
            None => {
                facts.failed.push(FailedRun { ended_at, kind, seconds: run.seconds, message: Some(message.clone()) });
            }
        }
    }
    facts.failed.sort_by(|a, b| b.ended_at.cmp(&a.ended_at));
    facts
}

/// Where the pages of a pipeline are.
fn site_of(served: &Served, live: &LivePipeline) -> Site {
    let is_one = served.board.pipelines.len() == 1;
    let base = if is_one { String::new() } else { base(live) };
    Site { address: Address::Served { base }, others: (!is_one).then(|| "/".to_owned()) }
}

fn base(live: &LivePipeline) -> String {
    format!("/p/{}", encoded(&live.plan.pipeline.name))
}

fn chooser(served: &Served) -> String {
    let watched = |live: &Arc<LivePipeline>| {
        let now = live.now();
        let aside = now.pending.iter().filter(|drop| drop.set_aside.is_some()).count();
        let (state, mut words) = match (&now.run, &now.trouble) {
            (Some(run), _) => (("good", "running"), format!("{} records read; ", run.records)),
            (None, Some(trouble)) => (("bad", "held up"), format!("{}; ", trouble.message)),
            (None, None) => (("quiet", "waiting"), String::new()),
        };
        words += &format!("{} files wait, {aside} are set aside", now.pending.len() - aside);
        (live.plan.pipeline.name.clone(), base(live), state, words)
    };
    let all: Vec<_> = served.board.pipelines.iter().map(watched).collect();
    let all: Vec<Watched<'_>> = all
        .iter()
        .map(|(name, href, state, words)| Watched { name, href: href.clone(), state: *state, words: words.clone() })
        .collect();
    site::chooser(&all, served.board.started_s, now_s())
}
