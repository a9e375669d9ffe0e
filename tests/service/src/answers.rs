//! What is asked and what is answered, when nothing goes wrong.
//!
//! - `POST /query` with `{"q": [names]}`: a list of rows with `query`, in another order, `notfound` where a gene is not known.
//! - `GET /genes?ids=A,B` and `POST /genes` with the form `ids=A,B`: rows by name, null where one is not known, and the release.
//! - `GET /gene/NAME`: one row, or status 404.

use serde_json::{Map, Value, json};

use crate::{
    exchange::{Request, decoded},
    facts,
};

/// The keys that a request asks for; `None` where it is no request for facts.
pub(crate) fn keys(request: &Request) -> Option<Vec<String>> {
    let split = |text: &str| text.split(',').map(decoded).collect();
    match (request.method.as_str(), request.path()) {
        ("POST", "/query") => {
            let body: Value = serde_json::from_slice(&request.body).ok()?;
            let texts = body["q"].as_array()?.iter();
            Some(texts.filter_map(|key| key.as_str().map(str::to_owned)).collect())
        }
        ("GET", "/genes") => request.parameter("ids").map(split),
        ("POST", "/genes") => {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            form.split('&').find_map(|pair| pair.strip_prefix("ids=")).map(split)
        }
        ("GET", path) => path.strip_prefix("/gene/").map(|key| vec![decoded(key)]),
        _ => None,
    }
}

/// Status and body of the answer for keys.
pub(crate) fn answer(request: &Request, keys: &[String], release: &str) -> (u16, Value) {
    match request.path() {
        "/query" => {
            let rows = keys.iter().rev().map(|key| match facts::of(key) {
                Some(mut row) => {
                    row["query"] = json!(key);
                    row
                }
                None => json!({ "query": key, "notfound": true }),
            });
            (200, rows.collect())
        }
        "/genes" => {
            let rows: Map<String, Value> =
                keys.iter().map(|key| (key.clone(), facts::of(key).unwrap_or_default())).collect();
            (200, json!({ "meta": { "release": release }, "genes": rows }))
        }
        _ => {
            let key = keys.first().map(String::as_str).unwrap_or_default();
            match facts::of(key) {
                Some(mut row) => {
                    row["symbol"] = json!(key);
                    (200, row)
                }
                None => (404, json!({ "message": format!("no gene {key}") })),
            }
        }
    }
}
