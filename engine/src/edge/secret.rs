//! Passwords and tokens, kept out of everything that is printed.
//!
//! What is secret: the value of an option whose name says so, or nearly says so (a slip must not show it), all that follows
//! `://user:` in an address, and the value of a parameter of an address whose name says so. Reading a pipeline file
//! [remembers](remember) the secrets in it, so that also the words of a driver or a panic can be searched for them.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{PoisonError, RwLock},
};

/// What is printed instead.
pub const HIDDEN: &str = "***";

/// A name that holds one of these, its letters and digits alone, is a secret's.
const WORDS: [&str; 8] =
    ["password", "passwd", "passphrase", "apikey", "accesskey", "privatekey", "credential", "authorization"];
/// A name that has one of these among its parts is a secret's. Inside of other words they mean nothing: a protein is
/// `secreted`.
const PARTS: [&str; 8] = ["secret", "secrets", "token", "tokens", "pwd", "auth", "webhook", "webhooks"];
/// These are known also when they are written a little wrong.
const MISSPELT: [&str; 5] = ["password", "passwd", "passphrase", "credential", "authorization"];
/// A word of so many letters is known with any two slips, a shorter one only with a letter left out or two exchanged.
const LONG_LETTERS: usize = 8;
/// A remembered secret that is shorter is only hidden where it is known to be: it may be an everyday word.
const TELLING_CHARACTERS: usize = 6;

/// The secrets of the pipeline files that this process has read.
static REMEMBERED: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Whether an option of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut parts = lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    let plain: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let slips = |word: &str| is_slip(&plain, word);
    WORDS.iter().any(|word| plain.contains(word))
        || MISSPELT.into_iter().any(slips)
        || parts.any(|part| PARTS.iter().any(|word| part == *word || is_slip(part, word)))
}

/// Whether somebody who wrote this may have meant that.
fn is_slip(written: &str, word: &str) -> bool {
    // Both are ASCII. Most names differ more in their lengths alone than a slip does.
    if written.len().abs_diff(word.len()) > 2 {
        return false;
    }
    let distance = || strsim::damerau_levenshtein(written, word);
    if word.len() >= LONG_LETTERS {
        return distance() <= 2;
    }
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let is_exchange = written.len() == word.len() && sorted(written) == sorted(word);
    word.len() > 3 && (written.len() + 1 == word.len() || is_exchange) && distance() == 1
}

/// Has a secret taken out of what is printed from now on, unless it is too short to be told apart from an everyday word.
pub fn remember(secret: &str) {
    if secret.chars().count() < TELLING_CHARACTERS {
        return;
    }
    let mut remembered = REMEMBERED.write().unwrap_or_else(PoisonError::into_inner);
    if !remembered.iter().any(|known| known == secret) {
        remembered.push(secret.to_owned());
        // A secret that holds another goes first.
        remembered.sort_by_key(|known| std::cmp::Reverse(known.len()));
    }
}

/// The text without secrets: the remembered ones, and what the form of addresses shows.
pub fn hide(text: &str) -> Cow<'_, str> {
    let mut safe = Cow::Borrowed(text);
    for secret in REMEMBERED.read().unwrap_or_else(PoisonError::into_inner).iter() {
        if safe.contains(secret.as_str()) {
            safe = Cow::Owned(safe.replace(secret.as_str(), HIDDEN));
        }
    }
    match safe {
        Cow::Borrowed(text) => without(text, &address_secrets(text, is_address_end)),
        Cow::Owned(text) => Cow::Owned(without(&text, &address_secrets(&text, is_address_end)).into_owned()),
    }
}

/// A JSON text whose strings hold no secrets.
pub fn hide_json(text: &str) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(open) = text[at..].find('"').map(|found| at + found) {
        let Some(end) = string_end(text, open) else { break };
        at = end;
        let Ok(value) = serde_json::from_str::<String>(&text[open..end]) else { continue };
        if let Cow::Owned(hidden) = hide(&value) {
            safe.push_str(&text[copied..open]);
            safe.push_str(&serde_json::Value::from(hidden).to_string());
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// The place after the quote that ends the string which begins at `open`.
fn string_end(text: &str, open: usize) -> Option<usize> {
    let mut escaped = false;
    let closing = text.as_bytes()[open + 1..].iter().position(|byte| {
        let closes = !escaped && *byte == b'"';
        escaped = !escaped && *byte == b'\\';
        closes
    })?;
    Some(open + 1 + closing + 1)
}

/// The text with each of these ranges, which are in order and apart, replaced.
pub fn without<'a>(text: &'a str, ranges: &[Range<usize>]) -> Cow<'a, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut safe, mut copied) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        safe.push_str(&text[copied..range.start]);
        safe.push_str(HIDDEN);
        copied = range.end;
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// Where secrets are in the addresses of a text; an address goes on until `ends`. In order and apart.
pub fn address_secrets(text: &str, ends: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (scheme, _) in text.match_indices("://") {
        let start = scheme + 3;
        if found.last().is_some_and(|last| start < last.end) {
            continue;
        }
        // A password may hold what ends an address elsewhere: what comes before an `@` is still part of it.
        let word =
            text[start..].find(|letter: char| letter.is_whitespace() && ends(letter)).unwrap_or(text.len() - start);
        let host = text[start..start + word].rfind('@').map_or(start, |at| start + at + 1);
        let end = text[host..].find(&ends).map_or(text.len(), |length| host + length);
        match user_info(&text[start..end]) {
            Some(user) => found.push(start + user..end),
            None => found.extend(secret_parameters(text, start..end)),
        }
    }
    found
}

/// Where free text ends an address.
fn is_address_end(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '»' | '”')
}

/// How the examples in our own words go on after `://`.
const EXAMPLES: [&str; 2] = ["user:password@host", "host:port"];

/// The length of `user:` at the beginning of what follows `://`, where it is that and not `host:port`.
fn user_info(address: &str) -> Option<usize> {
    if EXAMPLES.iter().any(|example| address.starts_with(example)) {
        return None;
    }
    let colon = address.find([':', '/', '?', '#', '@']).filter(|at| address.as_bytes()[*at] == b':')?;
    let rest = &address[colon + 1..];
    // In brackets an IPv6 address, whose colons are no password's.
    if address.starts_with('[') && !address.contains('@') {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_port = digits <= 5
        && matches!(rest.as_bytes().get(digits), None | Some(b'/' | b'?' | b'#' | b',' | b'.' | b';' | b':'));
    (!is_port || rest.contains('@')).then_some(colon + 1)
}

/// The values of an address's parameters whose names are a secret's.
fn secret_parameters(text: &str, address: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some(query) = text[address.clone()].find('?') else { return found };
    let mut at = address.start + query + 1;
    for parameter in text[at..address.end].split('&') {
        if let Some((name, value)) = parameter.split_once('=')
            && !value.is_empty()
            && is_secret_name(name)
        {
            found.push(at + name.len() + 1..at + parameter.len());
        }
        at += parameter.len() + 1;
    }
    found
}

/// Where secrets are in lines that could not be read as TOML: values of secret names, with a quotation mark that is not
/// closed up to the next such mark, and addresses to the end of the line, because nobody knows where the value ends. In
/// order and apart.
pub fn unread_secrets(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut at): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let (start, body) = (at, line.trim_end_matches(['\n', '\r']));
        at += line.len();
        if found.last().is_some_and(|last| start < last.end) {
            continue;
        }
        match secret_value(body) {
            Some(value) => found.push(start + value..secret_end(text, start + value, start + body.len())),
            None => match broken_address(text, start..start + body.len()) {
                Some(range) => found.push(range),
                None => found.extend(
                    address_secrets(body, |_| false).into_iter().map(|range| start + range.start..start + range.end),
                ),
            },
        }
    }
    found
}

/// The rest of an address that a line break has cut: its quotation mark is closed in a later line.
fn broken_address(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let body = &text[line.clone()];
    let address = body.find("://")? + 3;
    let scheme = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    let mark = body[..address - 3].trim_end_matches(scheme).chars().last()?;
    if !matches!(mark, '"' | '\'') || body[address..].contains(mark) {
        return None;
    }
    let closing = text[line.end..].find(mark)?;
    Some(line.start + address..line.end + closing)
}

/// Where a secret value ends that begins at `start`, in a line that ends at `end`.
fn secret_end(text: &str, start: usize, end: usize) -> usize {
    let value = &text[start..end];
    match value.chars().next() {
        Some(mark @ ('"' | '\'')) if !value[1..].contains(mark) => {
            text[end..].find(mark).map_or(text.len(), |length| end + length + 1)
        }
        _ => end,
    }
}

/// Where the value of the first secret name of a line begins.
fn secret_value(line: &str) -> Option<usize> {
    for (at, _) in line.match_indices(['=', ':']) {
        let name = line[..at].trim_end_matches([' ', '\t', '"', '\'']);
        let is_apart = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '-');
        let name = name.rsplit(is_apart).next().unwrap_or_default();
        let value = &line[at + 1..];
        if is_secret_name(name) && !value.trim().is_empty() && !is_variable(value) {
            return Some(at + 1 + (value.len() - value.trim_start().len()));
        }
    }
    None
}

/// Whether a value is one variable and nothing else, which reveals nothing.
pub fn is_variable(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let name = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_also_with_a_slip() {
        for name in [
            "password",
            "db_password",
            "Pasword",
            "passwrd",
            "psasword",
            "api-key",
            "slack.webhook",
            "SECRET",
            "auth_token",
            "tokne",
            "my_tokn",
            "credentials",
            "secrt",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "path",
            "assembly",
            "key",
            "tables",
            "stages",
            "url",
            "sort_key",
            "pass_through",
            "user",
            "accession",
            "secreted",
            "secretory_pathway",
            "taken",
            "keyword",
            "chromosome",
            "gene_symbol",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn nothing_after_a_user_is_printed() {
        for (text, safe) in [
            ("cannot reach mysql://me:hush@db/w: refused", "cannot reach mysql://me:*** refused"),
            ("`mysql://me:hu?sh@db/w` is odd", "`mysql://me:***` is odd"),
            ("mysql://me:12/34@db/w", "mysql://me:***"),
            ("mysql://me:hu#sh", "mysql://me:***"),
            ("mysql://me:", "mysql://me:"),
            ("at mysql://me@db:3306/w, twice", "at mysql://me@db:3306/w, twice"),
            ("http://localhost:9091/metrics", "http://localhost:9091/metrics"),
            ("http://[::1]:9091/", "http://[::1]:9091/"),
            ("mysql://user:password@host:3306/database", "mysql://user:password@host:3306/database"),
            ("`http://host:port`: x", "`http://host:port`: x"),
            ("http://h:80: refused; http://a:b@c", "http://h:80: refused; http://a:***"),
            ("https://h/x?user=a&api_key=hush&n=1", "https://h/x?user=a&api_key=***&n=1"),
            ("https://h/x?Token=hu&sh=1", "https://h/x?Token=***&sh=1"),
        ] {
            assert_eq!(hide(text), safe);
        }
    }

    #[test]
    fn remembered_secrets_are_found_anywhere() {
        remember("hush-hush-1");
        remember("no");
        assert_eq!(hide("no, it is hush-hush-1!"), "no, it is ***!");
        assert_eq!(
            hide_json(r#"{"a":"no","b":"x \"hush-hush-1\"","c":["mysql://u:\"q@h"]}"#),
            r#"{"a":"no","b":"x \"***\"","c":["mysql://u:***"]}"#
        );
        assert!(matches!(hide_json(r#"{"a":"b\\"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn lines_that_are_not_toml_are_searched_too() {
        for (line, safe) in [
            ("pasword = 'hu sh", "pasword = ***"),
            ("pasword = 'hu\nsh'\nb = 1", "pasword = ***\nb = 1"),
            ("\u{feff}pasword\u{feff}= 'é'", "\u{feff}pasword\u{feff}= 'é'"),
            ("é.token = 'é", "é.token = ***"),
            ("x = { token = hush }", "x = { token = ***"),
            ("url = mysql://u:p'w @h/d\nb = 1", "url = mysql://u:***\nb = 1"),
            ("password = \"${PW}\"", "password = \"${PW}\""),
            ("password = \"${PW:-hush}\"", "password = ***"),
            ("path = 'a'", "path = 'a'"),
            ("url = \"mysql://root:\nhush@h/d\"\nb = 1", "url = \"mysql://***\"\nb = 1"),
            ("url = 'mysql://root:\nhush@h", "url = 'mysql://root:\nhush@h"),
            ("# it's at http://h\nb = 'c'", "# it's at http://h\nb = 'c'"),
            ("x_auth = hush", "x_auth = ***"),
        ] {
            assert_eq!(without(line, &unread_secrets(line)), safe);
        }
    }
}
