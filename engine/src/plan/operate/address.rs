//! Addresses that alerts are sent to. Those that hold a secret are never printed.

use std::{fmt, net::IpAddr};

use crate::{contract::options::OptionValue, diagnostics::Diagnostics, edge::secret::HIDDEN, spec::Node};

/// The address of a Slack webhook, all of which is secret.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(pub String);

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookUrl").field(&HIDDEN).finish()
    }
}

impl OptionValue for WebhookUrl {
    const EXPECTS: &'static str = "an address, `https://hooks.slack.com/services/…`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        if is_webhook(&text) {
            return Some(WebhookUrl(text));
        }
        diagnostics.error(node.span.clone(), "`webhook` is no address that vardelta can post to").hint(
            "Write `https://…`, best from a variable: `${VARDELTA_SLACK_WEBHOOK}`; without TLS only on this machine.",
        );
        None
    }
    fn json_schema() -> String {
        r#"{"type":"string","minLength":1}"#.into()
    }
}

fn is_webhook(text: &str) -> bool {
    let is_sound = |rest: &str| !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_graphic());
    match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => is_sound(rest) && !host_of(rest).is_empty(),
        (_, Some(rest)) => is_sound(rest) && is_loopback(host_of(rest)),
        _ => false,
    }
}

/// The host of what follows `://`, without a port.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Not at all: only to a server on this machine.
    None,
    /// By STARTTLS, without which nothing is sent.
    StartTls,
    /// From the first byte.
    Tls,
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// The host, an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// User and password, where the server wants them.
    pub login: Option<(String, String)>,
    /// How the connection is encrypted.
    pub security: SmtpSecurity,
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpUrl").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl OptionValue for SmtpUrl {
    const EXPECTS: &'static str = "an address, `smtps://user:password@host:465`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let url = smtp(&text);
        if url.is_none() {
            diagnostics.error(node.span.clone(), "`smtp` is no address of a mail server").hint(
                "Write `smtps://user:password@host:465`, or `smtp://host:587` for STARTTLS, best from a variable: \
                 `${VARDELTA_SMTP_URL}`. In user and password write `@`, `/`, `:` and `%` as %40, %2F, %3A and %25.",
            );
        }
        url
    }
    fn json_schema() -> String {
        r#"{"type":"string","minLength":1}"#.into()
    }
}

fn smtp(text: &str) -> Option<SmtpUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, place) = match rest.rsplit_once('@') {
        None => (None, rest),
        Some((login, place)) => {
            let (user, password) = login.split_once(':')?;
            (Some((decoded(user)?, decoded(password)?)), place)
        }
    };
    let host = host_of(place).to_owned();
    let port_text = place.strip_prefix('[').map_or(place, |inner| inner.split_once(']').map_or("", |(_, after)| after));
    let port = port_text.split_once(':').map(|(_, port)| port.parse::<u16>());
    let security = match scheme {
        "smtps" => SmtpSecurity::Tls,
        "smtp" if is_loopback(&host) => SmtpSecurity::None,
        "smtp" => SmtpSecurity::StartTls,
        _ => return None,
    };
    let usual = match security {
        SmtpSecurity::Tls => 465,
        SmtpSecurity::StartTls => 587,
        SmtpSecurity::None => 25,
    };
    let is_sound = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_sound) || place.contains(['/', '?', '#']) {
        return None;
    }
    Some(SmtpUrl { host, port: port.transpose().ok()?.unwrap_or(usual), login, security })
}

/// A part of an address with its `%40` written out; `None` where a `%` begins no such code or the bytes are not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let code = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Somebody's address: `name@host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress(pub String);

impl OptionValue for MailAddress {
    const EXPECTS: &'static str = "a mail address";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let is_sound =
            |letter: char| letter.is_ascii_graphic() && !matches!(letter, '<' | '>' | ',' | ';' | '"' | '(' | ')');
        match text.split_once('@') {
            Some((name, host))
                if !name.is_empty() && !host.is_empty() && !host.contains('@') && text.chars().all(is_sound) =>
            {
                Some(MailAddress(text))
            }
            _ => {
                diagnostics
                    .error(node.span.clone(), "this is no mail address")
                    .hint("Write the address alone, `oncall@example.org`.");
                None
            }
        }
    }
    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^[^@\\s]+@[^@\\s]+$"}"#.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_servers_are_encrypted_unless_they_are_here() {
        let of = |text: &str| smtp(text).map(|url| (url.host, url.port, url.security));
        assert_eq!(of("smtp://127.0.0.1:2525"), Some(("127.0.0.1".into(), 2_525, SmtpSecurity::None)));
        assert_eq!(of("smtp://[::1]:2525/"), Some(("::1".into(), 2_525, SmtpSecurity::None)));
        assert_eq!(of("smtp://mail.example.org"), Some(("mail.example.org".into(), 587, SmtpSecurity::StartTls)));
        assert_eq!(of("smtps://me:hush@mail"), Some(("mail".into(), 465, SmtpSecurity::Tls)));
        let login = smtp("smtps://me%40x:hu%2Fsh@mail").and_then(|url| url.login);
        assert_eq!(login, Some(("me@x".into(), "hu/sh".into())));
        for text in [
            "mail:25",
            "http://mail",
            "smtp://",
            "smtp://m ail",
            "smtps://me@mail",
            "smtp://mail:x",
            "smtp://mail?tls=none",
            "smtps://a:%zz@m",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert!(!format!("{:?}", smtp("smtps://me:hush@mail")).contains("hush"));
    }

    #[test]
    fn webhooks_are_encrypted_unless_they_are_here() {
        for text in
            ["https://hooks.slack.com/services/T/B/x", "http://127.0.0.1:1/x", "http://localhost/x", "http://[::1]:1/"]
        {
            assert!(is_webhook(text), "{text}");
        }
        for text in [
            "",
            "https://",
            "http://example.org/x",
            "hooks.slack.com/x",
            "https://a b",
            "http://127.0.0.1.example.org/",
        ] {
            assert!(!is_webhook(text), "{text}");
        }
        assert!(!format!("{:?}", WebhookUrl("https://hush".into())).contains("hush"));
    }
}
