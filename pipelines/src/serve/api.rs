//! What programs ask for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::timeout};
use vardelta_engine::clock::utc;
use vardelta_schemas::ledger::{Epoch, Event};

use super::{
    query::parameter,
    reply::{self, Reply},
    served::Served,
    written::Written,
};
use crate::{
    graph_json,
    live::LivePipeline,
    operate::{clock::seconds_of, health::Check},
};

/// How long an answer that needs the database may take. Health has asked for two seconds by then, and says so.
const ANSWER_WITHIN: Duration = Duration::from_millis(2_400);
/// Epochs that `/api/runs` lists for a pipeline, at the most.
const EPOCHS_LISTED: usize = 500;

/// `/livez`: whether every loop is alive.
pub async fn livez(State(served): State<Arc<Served>>) -> Reply {
    let is_alive = served.board.is_alive();
    served.livez.reply(Some(is_alive), Vec::new(), |_| match is_alive {
        true => (StatusCode::OK, json!({ "status": "ok" })),
        false => (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "failing" })),
    })
}

/// `/readyz`: whether every folder has been looked at, and all is well.
pub async fn readyz(State(served): State<Arc<Served>>) -> Reply {
    checked(&served, &served.readyz, Some(served.board.has_looked())).await
}

/// `/health`: the checks of every pipeline.
pub async fn health(State(served): State<Arc<Served>>) -> Reply {
    checked(&served, &served.health, None).await
}

/// What one of the three above is answered by, as it goes over a connection: where that is written already, and what it was made of is
/// what is known now.
pub fn written(served: &Served, path: &str, is_last: bool) -> Option<Vec<u8>> {
    let (written, looked) = match path {
        "/livez" => return served.livez.text(Some(served.board.is_alive()), &[], is_last),
        "/readyz" => (&served.readyz, Some(served.board.has_looked())),
        "/health" => (&served.health, None),
        _ => return None,
    };
    let known = served.board.pipelines.iter().map(|pipeline| pipeline.known_checks()).collect::<Option<Vec<_>>>()?;
    written.text(looked, &known, is_last)
}

/// The checks of every pipeline, and where it is asked for whether every folder has been looked at.
async fn checked(served: &Served, written: &Written, has_looked: Option<bool>) -> Reply {
    // All are asked at once: several databases that are away cost the time of one. What is known still costs no other thread.
    let ask = |pipeline: &Arc<LivePipeline>| tokio::spawn(blocking(Arc::clone(pipeline), |pipeline| pipeline.checks()));
    let pipelines = &served.board.pipelines;
    let asked: Vec<_> = pipelines.iter().map(|pipeline| pipeline.known_checks().ok_or_else(|| ask(pipeline))).collect();
    let mut found = Vec::with_capacity(asked.len());
    for asked in asked {
        found.push(match asked {
            Ok(known) => known,
            Err(asked) => asked.await.ok().flatten().unwrap_or_else(|| Arc::new(vec![Check::late()])),
        });
    }
    written.reply(has_looked, found, |found| {
        let looked = has_looked.map(|has_looked| match has_looked {
            true => json!({ "name": "watching", "status": "ok", "message": "every folder has been looked at" }),
            false => {
                json!({ "name": "watching", "status": "failing", "message": "not every folder has been looked at yet" })
            }
        });
        let of_pipelines = pipelines.iter().zip(found).flat_map(|(pipeline, checks)| {
            checks.iter().map(|check| {
                let mut check = json!(check);
                check["pipeline"] = pipeline.plan.pipeline.name.as_str().into();
                check
            })
        });
        let checks: Vec<Value> = looked.into_iter().chain(of_pipelines).collect();
        let is_ok = checks.iter().all(|check| check["status"] == "ok");
        let (code, status) = if is_ok { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "failing") };
        (code, json!({ "status": status, "checks": checks }))
    })
}

/// Asks on a thread that may wait; `None` when there is no answer in time.
async fn blocking<T: Send + 'static>(
    pipeline: Arc<LivePipeline>,
    ask: impl FnOnce(&LivePipeline) -> T + Send + 'static,
) -> Option<T> {
    timeout(ANSWER_WITHIN, spawn_blocking(move || ask(&pipeline))).await.ok()?.ok()
}

/// `/metrics`, in the classic text format.
pub async fn metrics(State(served): State<Arc<Served>>) -> Reply {
    reply::of(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", served.board.metrics())
}

/// The pipelines that a request is about: the one that it names, else all; `None` where it names one that there is not.
fn meant(served: &Served, query: Option<&str>) -> Option<Vec<Arc<LivePipeline>>> {
    match parameter(query.unwrap_or_default(), "pipeline") {
        None => Some(served.board.pipelines.clone()),
        Some(name) => Some(vec![Arc::clone(served.board.pipeline(&name)?)]),
    }
}

/// Nothing is known of the pipeline that a request is about.
fn unknown() -> Reply {
    reply::json(StatusCode::NOT_FOUND, &json!({ "error": "no such pipeline is watched" }))
}

/// The ledger does not answer.
fn unavailable(why: &str) -> Reply {
    reply::json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": why }))
}

const LATE: &str = "the database has not answered in time";

/// `/api/runs`: what is under way, what failed in this process, and what the ledger knows, the newest first.
pub async fn runs(State(served): State<Arc<Served>>, RawQuery(query): RawQuery) -> Reply {
    let Some(pipelines) = meant(&served, query.as_deref()) else { return unknown() };
    let mut runs: Vec<(u64, Value)> = Vec::new();
    for pipeline in &pipelines {
        let name = pipeline.plan.pipeline.name.as_str();
        runs.extend(of_process(pipeline, name));
        match blocking(Arc::clone(pipeline), |pipeline| pipeline.events()).await {
            None => return unavailable(LATE),
            Some(Err(why)) => return unavailable(&why),
            Some(Ok((events, accounts))) => {
                let tables: BTreeMap<Epoch, _> = accounts.epochs.into_iter().collect();
                runs.extend(epochs(pipeline, &events, |epoch| json!(tables.get(&epoch))));
            }
        }
    }
    runs.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    reply::json(StatusCode::OK, &Value::Array(runs.into_iter().map(|(_, run)| run).collect()))
}

/// The run under way, and the failed ones of this process, each with when it belongs.
fn of_process(pipeline: &LivePipeline, name: &str) -> Vec<(u64, Value)> {
    let now = pipeline.now();
    let failed = now.finished.iter().filter_map(|run| {
        let (kind, message) = run.failed.as_ref()?;
        let told = json!({
            "pipeline": name, "state": "failed", "epoch": null, "started_at": utc(run.started_s),
            "ended_at": utc(run.ended_s), "seconds": run.seconds, "kind": kind.as_str(), "message": message,
        });
        Some((run.ended_s, told))
    });
    let under_way = now.run.as_ref().map(|run| {
        let drops = run.drops.iter().map(|(source, name)| json!({ "name": name, "source": source }));
        let told = json!({
            "pipeline": name, "state": "running", "epoch": null, "started_at": utc(run.started_s), "ended_at": null,
            "seconds": run.seconds(), "records_processed": run.records, "drops": drops.collect::<Vec<_>>(),
        });
        (u64::MAX, told)
    });
    failed.chain(under_way).collect()
}

/// The newest epochs of a ledger. How long one took is known of those that this process committed.
fn epochs(pipeline: &LivePipeline, events: &[Event], tables: impl Fn(Epoch) -> Value) -> Vec<(u64, Value)> {
    let name = pipeline.plan.pipeline.name.as_str();
    let seconds: BTreeMap<Epoch, (f64, String)> = {
        let now = pipeline.now();
        let committed = now.finished.iter().filter(|run| run.failed.is_none());
        committed.filter_map(|run| Some((run.report.as_ref()?.epoch, (run.seconds, utc(run.started_s))))).collect()
    };
    let mut epochs: BTreeMap<Epoch, Vec<&Event>> = BTreeMap::new();
    for event in events {
        epochs.entry(event.epoch).or_default().push(event);
    }
    let newest = epochs.into_iter().rev().take(EPOCHS_LISTED);
    newest
        .map(|(epoch, events)| {
            let ended_at = events.first().map(|event| event.committed_at.clone()).unwrap_or_default();
            let at = seconds_of(&ended_at).unwrap_or(0);
            let known = seconds.get(&epoch);
            let drops = events.iter().map(|event| {
                let mut drop = json!(event.counts);
                drop["name"] = event.name.as_str().into();
                drop["source"] = event.source.as_str().into();
                drop["action"] = event.action.as_str().into();
                drop
            });
            let told = json!({
                "pipeline": name, "state": "committed", "epoch": epoch,
                "started_at": known.map(|(_, started_at)| started_at), "ended_at": ended_at,
                "seconds": known.map(|(seconds, _)| seconds), "drops": drops.collect::<Vec<_>>(),
                "tables": tables(epoch),
            });
            (at, told)
        })
        .collect()
}

/// `/api/drops`: what is loaded, what waits, what is set aside.
pub async fn drops(State(served): State<Arc<Served>>, RawQuery(query): RawQuery) -> Reply {
    let Some(pipelines) = meant(&served, query.as_deref()) else { return unknown() };
    let mut drops = Vec::new();
    for pipeline in &pipelines {
        let name = pipeline.plan.pipeline.name.as_str();
        let loaded = match blocking(Arc::clone(pipeline), |pipeline| pipeline.drops()).await {
            None => return unavailable(LATE),
            Some(Err(why)) => return unavailable(&why),
            Some(Ok(ledger)) => ledger.drops,
        };
        for drop in &loaded {
            drops.push(json!({
                "pipeline": name, "source": drop.source, "name": drop.name, "state": "loaded", "reason": null,
                "next_try": null, "path": drop.path, "loaded_epoch": drop.loaded_epoch,
            }));
        }
        for drop in &pipeline.now().pending {
            let state = if drop.set_aside.is_some() { "set_aside" } else { "waiting" };
            let next_try = drop.set_aside.map(|aside| utc(aside.next_try_s));
            // A new delivery of a drop that is loaded is there twice: what is loaded, and what is to take its place.
            drops.push(json!({
                "pipeline": name, "source": drop.source, "name": drop.name, "state": state, "reason": drop.reason,
                "next_try": next_try, "path": drop.path, "since": utc(drop.since_s),
                "attempts": drop.set_aside.map(|aside| aside.attempts),
            }));
        }
    }
    reply::json(StatusCode::OK, &Value::Array(drops))
}

/// `/api/graph`: the stages of a pipeline as `graph --json` gives them; of the first one where none is named.
pub async fn graph(State(served): State<Arc<Served>>, RawQuery(query): RawQuery) -> Reply {
    match meant(&served, query.as_deref()).unwrap_or_default().first() {
        Some(pipeline) => reply::json(StatusCode::OK, &graph_json::of(&pipeline.plan)),
        None => unknown(),
    }
}
