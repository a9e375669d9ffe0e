//! Which address gives what. Pages are mounted in [`pages_of`].

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    routing::{get, post},
};

use super::{
    api, page, pages,
    query::parameter,
    reply::{self, Reply},
    served::Served,
};

/// Bytes of a request's body, at most: there is none but a token.
const BODY_BYTES_MAX: usize = 4_096;

/// All addresses.
pub fn router(served: Arc<Served>) -> Router {
    Router::new()
        .route("/livez", get(api::livez))
        .route("/readyz", get(api::readyz))
        .route("/health", get(api::health))
        .route("/metrics", get(api::metrics))
        .route("/api/runs", get(api::runs))
        .route("/api/drops", get(api::drops))
        .route("/api/graph", get(api::graph))
        .route("/login", post(login))
        .merge(pages_of())
        .fallback(async || reply::of(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "there is nothing here\n"))
        .layer(from_fn_with_state(Arc::clone(&served), admit))
        .with_state(served)
}

/// What people look at.
fn pages_of() -> Router<Arc<Served>> {
    let routes = [
        "/",
        "/{view}",
        "/runs/{epoch}",
        "/p/{pipeline}",
        "/p/{pipeline}/",
        "/p/{pipeline}/{view}",
        "/p/{pipeline}/runs/{epoch}",
    ];
    let shown = routes.into_iter().fold(Router::new(), |router, route| router.route(route, get(pages::show)));
    shown.route("/style.css", get(pages::style)).route("/icon.svg", get(pages::icon))
}

/// Answers only who may ask, and adds to every answer what it says about itself.
async fn admit(State(served): State<Arc<Served>>, request: Request, next: Next) -> Reply {
    let answer = match served.gate.admits(request.headers()) {
        true => next.run(request).await,
        false => refuse(&served, request, next).await,
    };
    reply::guarded(answer)
}

async fn refuse(served: &Served, request: Request, next: Next) -> Reply {
    if !served.gate.is_locked() {
        let text = "this server answers only by a name of this machine\n";
        return reply::of(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", text);
    }
    if request.method() == Method::POST && request.uri().path() == "/login" {
        return next.run(request).await;
    }
    if let Some(token) = parameter(request.uri().query().unwrap_or_default(), "token")
        && served.gate.knows(&token)
    {
        return reply::see_other(&without_token(request.uri()), Some(&served.gate.cookie()));
    }
    let mut answer = reply::html(StatusCode::UNAUTHORIZED, page::login());
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    answer
}

/// The form hands the token in.
async fn login(State(served): State<Arc<Served>>, body: Body) -> Reply {
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let token = parameter(&String::from_utf8_lossy(&body), "token").unwrap_or_default();
    match served.gate.knows(&token) {
        true => reply::see_other("/", Some(&served.gate.cookie())),
        false => reply::html(StatusCode::UNAUTHORIZED, page::login()),
    }
}

/// The address without the token, so that it is in no history. Only paths of this server.
fn without_token(uri: &Uri) -> String {
    let kept =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("token="));
    let query = kept.collect::<Vec<_>>().join("&");
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_token_and_never_leads_elsewhere() {
        let of = |text: &str| without_token(&text.parse().expect("an address"));
        assert_eq!(of("/?token=abc"), "/");
        assert_eq!(of("/api/runs?a=1&token=abc&b=2"), "/api/runs?a=1&b=2");
        assert_eq!(of("//evil.example/?token=abc"), "/evil.example/");
    }
}
