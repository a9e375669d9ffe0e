//! Who may see anything: everybody where no token is given (then only this machine can ask), else whoever shows the token.
//!
//! A program sends it as `Authorization: Bearer TOKEN`. A browser hands it in once, by the form or with `?token=`, and gets a
//! cookie that stands for it until the process ends.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

/// The cookie's name.
const COOKIE: &str = "vardelta_session";
/// Bytes of what the cookie holds.
const SESSION_BYTES: usize = 32;

/// Decides who may see anything.
pub struct Gate {
    token: Option<String>,
    /// What the cookie holds: no token, so that one that leaks is worth nothing to the next process.
    session: String,
}

impl Gate {
    /// Lets in whoever knows this token; everybody of this machine where there is none.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(token: Option<String>) -> Result<Gate, String> {
        let mut bytes = [0; SESSION_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random bytes: {error}"))?;
        Ok(Gate { token, session: bytes.iter().map(|byte| format!("{byte:02x}")).collect() })
    }

    /// Whether a request may be answered.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        if self.token.is_none() {
            return is_for_this_machine(headers);
        }
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut sessions = cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE);
        bearer.is_some_and(|token| self.knows(token)) || sessions.any(|(_, session)| same(session, &self.session))
    }

    /// Whether this is the token.
    pub fn knows(&self, token: &str) -> bool {
        self.token.as_ref().is_some_and(|known| same(token, known))
    }

    /// Whether a token is wanted at all.
    pub fn is_locked(&self) -> bool {
        self.token.is_some()
    }

    /// The header that gives a browser its cookie.
    pub fn cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", self.session)
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// Whether the request names this machine. A page of somebody else's that has its own name point here does not.
fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn a_token_opens_by_header_and_by_cookie() {
        let gate = Gate::new(Some(TOKEN.into())).expect("random bytes");
        assert!(gate.admits(&headers(&[(header::AUTHORIZATION, "Bearer 0123456789abcdef")])));
        let cookie = gate.cookie();
        let session = cookie.split(';').next().expect("a cookie");
        assert!(gate.admits(&headers(&[(header::COOKIE, &format!("a=b; {session}"))])));
        assert!(!cookie.contains(TOKEN) && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        for (name, value) in [
            (header::AUTHORIZATION, "Bearer 0123456789abcdeF"),
            (header::AUTHORIZATION, "Bearer"),
            (header::AUTHORIZATION, "Basic 0123456789abcdef"),
            (header::COOKIE, "vardelta_session=0123456789abcdef"),
            (header::COOKIE, "vardelta_session="),
            (header::HOST, "localhost"),
        ] {
            assert!(!gate.admits(&headers(&[(name, value)])), "{value}");
        }
    }

    #[test]
    fn without_a_token_only_this_machine_is_answered() {
        let gate = Gate::new(None).expect("random bytes");
        for host in ["localhost:9090", "127.0.0.1", "[::1]:9090", "LOCALHOST"] {
            assert!(gate.admits(&headers(&[(header::HOST, host)])), "{host}");
        }
        for host in ["evil.example", "evil.example:9090", "10.0.0.1", "localhost.evil.example"] {
            assert!(!gate.admits(&headers(&[(header::HOST, host)])), "{host}");
        }
    }
}
