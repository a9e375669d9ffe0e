//! The secrets of a pipeline file: where they are, so that its lines can be shown without them, and what they are, so
//! that they are in no message.

use std::{borrow::Cow, ops::Range};

use crate::{
    edge::secret::{self, HIDDEN},
    spec::{Entry, Node, SpecFile, Value},
};

/// A value that is secret, or holds a secret.
#[derive(Clone)]
pub(super) struct Secret {
    /// Where the whole value is.
    pub span: Range<usize>,
    /// What of it is not shown.
    pub hidden: Vec<Range<usize>>,
    /// What is not said.
    values: Vec<String>,
    /// As it is written.
    raw: String,
}

impl std::fmt::Debug for Secret {
    /// Leaves everything out but the place.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("span", &self.span).finish_non_exhaustive()
    }
}

impl Secret {
    /// A message about the value, without it: neither whole nor a piece of it in quotation marks.
    pub fn hide(&self, text: &str) -> String {
        let mut safe = text.to_owned();
        for value in self.values.iter().filter(|value| !value.is_empty()) {
            safe = safe.replace(value.as_str(), HIDDEN);
        }
        let pieces = safe.split('`').enumerate();
        let shown = pieces.map(|(at, piece)| match at % 2 == 1 && self.holds(piece) {
            true => HIDDEN,
            false => piece,
        });
        shown.collect::<Vec<_>>().join("`")
    }

    /// Whether a quoted piece is one of the secret. The name of a variable is none.
    fn holds(&self, piece: &str) -> bool {
        let is_variable = [format!("${{{piece}}}"), format!("${{{piece}:-")].iter().any(|name| self.raw.contains(name));
        !piece.is_empty()
            && !is_variable
            && self.hidden.iter().any(|hidden| {
                let start = hidden.start - self.span.start;
                self.raw.get(start..start + hidden.len()).is_some_and(|raw| raw.contains(piece))
            })
    }
}

/// Finds the secrets of a file and its overrides, and remembers them for messages that know nothing of the file.
pub(super) fn find(spec: &SpecFile) -> Vec<Secret> {
    let mut search = Search { spec, found: Vec::new(), public: Vec::new() };
    search.entries(&spec.root, false);
    let Search { mut found, public, .. } = search;
    for value in found.iter().flat_map(|secret| &secret.values) {
        // What is also there where it is no secret would be taken out of every message about that.
        if !public.iter().any(|text| text.contains(value.as_str())) {
            secret::remember(value);
        }
    }
    unread(spec, &mut found);
    found
}

/// Adds what is in lines that are no TOML, in comments and in overrides that could not be read.
fn unread(spec: &SpecFile, found: &mut Vec<Secret>) {
    let mut known: Vec<Range<usize>> = found.iter().flat_map(|secret| secret.hidden.clone()).collect();
    known.sort_by_key(|range| range.start);
    let (mut start, texts) = (0, std::iter::once(&spec.text).chain(&spec.overrides));
    for text in texts {
        for range in secret::unread_secrets(text) {
            let hidden = range.start + start..range.end + start;
            let before = known.partition_point(|known| known.start <= hidden.start);
            // A quotation mark that nothing closes on its line leaves the parser with less than there is.
            let is_torn = text[range.clone()].contains('\n');
            if is_torn || before == 0 || known[before - 1].end <= hidden.start {
                let raw = text[range].to_owned();
                found.push(Secret { span: hidden.clone(), hidden: vec![hidden], values: Vec::new(), raw });
            }
        }
        start += text.len() + 1;
    }
}

struct Search<'a> {
    spec: &'a SpecFile,
    found: Vec<Secret>,
    /// Everything that is no secret.
    public: Vec<Cow<'a, str>>,
}

impl<'a> Search<'a> {
    fn entries(&mut self, entries: &'a [Entry], is_secret: bool) {
        for entry in entries {
            self.public.push(Cow::Borrowed(&entry.key));
            // `{ env = "NAME" }` says where a secret is, and holds none.
            let is_secret = (is_secret && entry.key != "env") || secret::is_secret_name(&entry.key);
            self.node(&entry.node, is_secret);
        }
    }

    fn node(&mut self, node: &'a Node, is_secret: bool) {
        let value = match &node.value {
            Value::Table(entries) => return self.entries(entries, is_secret),
            Value::Array(items) => return items.iter().for_each(|item| self.node(item, is_secret)),
            Value::Text(text) => Cow::Borrowed(text.as_str()),
            Value::Integer(number) => Cow::Owned(number.to_string()),
            Value::Float(number) => Cow::Owned(number.to_string()),
            Value::Bool(_) => return,
        };
        let source = self.spec.source_at(node.span.start);
        let raw = node.span.start.checked_sub(source.start).zip(node.span.end.checked_sub(source.start));
        let raw = raw.and_then(|(start, end)| source.text.get(start..end)).unwrap_or_default().to_owned();
        let is_variable = secret::is_variable(&raw);
        if is_secret {
            let hidden = if is_variable { Vec::new() } else { vec![node.span.clone()] };
            self.found.push(Secret { span: node.span.clone(), hidden, values: vec![value.into_owned()], raw });
            return;
        }
        let ranges = secret::address_secrets(&value, |_| false);
        if ranges.is_empty() {
            self.public.push(value);
            return;
        }
        let mut values = Vec::new();
        for range in &ranges {
            let all = &value[range.clone()];
            let (password, place) = all.rsplit_once('@').unwrap_or((all, ""));
            self.public.push(Cow::Owned(place.to_owned()));
            values.extend([all.to_owned(), password.to_owned(), decoded(password)]);
        }
        values.dedup();
        self.public.push(Cow::Owned(value[..ranges[0].start].to_owned()));
        let body = raw.trim_end_matches(['"', '\'']);
        let mut hidden: Vec<Range<usize>> = secret::address_secrets(body, |_| false)
            .into_iter()
            .map(|range| node.span.start + range.start..node.span.start + range.end)
            .collect();
        // Written with escapes the address does not look like one.
        if hidden.is_empty() && !is_variable {
            hidden.push(node.span.clone());
        }
        self.found.push(Secret { span: node.span.clone(), hidden, values, raw });
    }
}

/// A password as the server gets it: `%21` is `!`.
fn decoded(password: &str) -> String {
    let mut bytes = Vec::with_capacity(password.len());
    let mut rest = password.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
