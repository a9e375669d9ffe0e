//! Answers, and what all of them say about themselves.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::Value;
use vardelta_engine::edge::{escape, secret};

/// An answer.
pub type Reply = Response<Body>;

/// The type of JSON.
pub const JSON: &str = "application/json";

/// JSON without secrets, and without what would steer a terminal.
pub fn json(status: StatusCode, value: &Value) -> Reply {
    of(status, JSON, safe(value))
}

/// The text of JSON without secrets, and without what would steer a terminal.
pub fn safe(value: &Value) -> String {
    let text = value.to_string();
    let safe = escape::json(&secret::hide_json(&text)).into_owned();
    format!("{safe}\n")
}

/// Text of a type.
pub fn of(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A page.
pub fn html(status: StatusCode, body: impl Into<Body>) -> Reply {
    of(status, "text/html; charset=utf-8", body)
}

/// Sends a browser elsewhere, perhaps with a cookie. A place is a path of this server.
pub fn see_other(place: &str, cookie: Option<&str>) -> Reply {
    let mut reply = of(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    let headers = reply.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/")));
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    reply
}

/// Adds what every answer says: nothing of another origin is loaded, the type is what it is, nothing is kept.
pub fn guarded(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}
