//! What a browser sees: the pipelines with what is known of each, and where the rest is.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use maud::{DOCTYPE, Markup, html};
use vardelta_engine::clock::utc;

use super::{
    reply::{self, Reply},
    served::Served,
};
use crate::live::LivePipeline;

fn whole(title: &str, body: Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
            }
            body { (body) }
        }
    }
    .into_string()
}

/// `/`: every pipeline in a few words.
pub async fn overview(State(served): State<Arc<Served>>) -> Reply {
    let body = html! {
        h1 { "vardelta" }
        p { "Watching since " (utc(served.board.started_s)) "." }
        @for pipeline in &served.board.pipelines {
            h2 { (pipeline.plan.pipeline.name) }
            (state(pipeline))
        }
        p {
            a href="/health" { "health" } " · " a href="/metrics" { "metrics" } " · "
            a href="/api/runs" { "runs" } " · " a href="/api/drops" { "drops" } " · " a href="/api/graph" { "graph" }
        }
    };
    reply::html(StatusCode::OK, whole("vardelta", body))
}

fn state(pipeline: &LivePipeline) -> Markup {
    let now = pipeline.now();
    let set_aside = now.pending.iter().filter(|drop| drop.set_aside.is_some()).count();
    html! {
        ul {
            @match &now.run {
                Some(run) => li { "loading for " (format!("{:.0}", run.seconds())) " s: " (run.records) " records read" },
                None => li { "waiting for files" },
            }
            @if let Some(trouble) = &now.trouble {
                li { "nothing can be loaded since " (utc(trouble.since_s)) ": " (trouble.message) }
            }
            li { (now.pending.len() - set_aside) " files wait, " (set_aside) " are set aside" }
            @if now.scans > 0 { li { "folders were looked at last at " (utc(now.scanned_s)) } }
        }
    }
}

/// Where the token is handed in.
pub fn login() -> String {
    let form = html! {
        h1 { "vardelta" }
        form method="post" action="/login" {
            label { "Token " input type="password" name="token" autocomplete="current-password" autofocus; }
            " " button { "Show" }
        }
    };
    whole("vardelta: token", form)
}
