//! `LIKE`: `%` for any text, `_` for one character, an escape before what is meant literally.

use std::sync::Arc;

use memchr::memmem::Finder;
use vardelta_schemas::sql::view::{LikePart, Operation};

use super::{
    call::{Call, Stop},
    node::{Run, Typed},
    types::Type,
};

/// What escapes where nothing else is said.
pub(crate) const ESCAPE: char = '\\';

/// `value LIKE pattern`, or its negation. Where `folds`, upper and lower case are the same (`ILIKE`).
pub(crate) fn like(value: Typed, pattern: Typed, escape: Option<char>, folds: bool, negated: bool) -> Typed {
    if let Some(text) = pattern.as_text()
        && let Ok(pattern) = Pattern::new(text, escape, folds)
    {
        let run: Run = Arc::new(move |call: &Call<'_>| {
            let texts = call.text(0);
            call.tests(|row| pattern.matches(texts.at(row)) != negated)
        });
        let typed = Typed::strict(run, vec![value], Type::Bool, false);
        return if folds { typed } else { typed.says(Operation::Like { parts: parts(text, escape), negated }) };
    }
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let (texts, patterns) = (call.text(0), call.text(1));
        call.bools(|row| Ok(Pattern::new(patterns.at(row), escape, folds)?.matches(texts.at(row)) != negated))
    });
    Typed::strict(run, vec![value, pattern], Type::Bool, true)
}

/// A pattern, taken apart.
#[derive(Debug)]
enum Pattern {
    /// Neither `%` nor `_`.
    Equal(String),
    /// `text%`.
    Prefix(String),
    /// `%text`.
    Suffix(String),
    /// `%text%`.
    Contains(Box<Finder<'static>>),
    /// Anything else.
    Parts { parts: Vec<LikePart>, folds: bool },
}

/// The pieces of a pattern.
fn parts(text: &str, escape: Option<char>) -> Vec<LikePart> {
    let mut parts = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            letter if Some(letter) == escape => {
                // One at the end stands for itself.
                LikePart::One(letters.next().unwrap_or(letter))
            }
            '%' if parts.last() == Some(&LikePart::Any) => continue,
            '%' => LikePart::Any,
            '_' => LikePart::AnyOne,
            letter => LikePart::One(letter),
        });
    }
    parts
}

impl Pattern {
    fn new(text: &str, escape: Option<char>, folds: bool) -> Result<Pattern, Stop> {
        let parts = if folds { parts(&text.to_lowercase(), escape) } else { parts(text, escape) };
        let literal = |parts: &[LikePart]| -> Option<String> {
            parts.iter().map(|part| if let LikePart::One(letter) = part { Some(*letter) } else { None }).collect()
        };
        if !folds {
            if let Some(text) = literal(&parts) {
                return Ok(Pattern::Equal(text));
            }
            match parts.as_slice() {
                [LikePart::Any, inner @ .., LikePart::Any] => {
                    if let Some(text) = literal(inner) {
                        return Ok(Pattern::Contains(Box::new(Finder::new(text.as_bytes()).into_owned())));
                    }
                }
                [inner @ .., LikePart::Any] => {
                    if let Some(text) = literal(inner) {
                        return Ok(Pattern::Prefix(text));
                    }
                }
                [LikePart::Any, inner @ ..] => {
                    if let Some(text) = literal(inner) {
                        return Ok(Pattern::Suffix(text));
                    }
                }
                _ => {}
            }
        }
        Ok(Pattern::Parts { parts, folds })
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Equal(pattern) => text == pattern,
            Pattern::Prefix(pattern) => text.starts_with(pattern.as_str()),
            Pattern::Suffix(pattern) => text.ends_with(pattern.as_str()),
            Pattern::Contains(finder) => finder.find(text.as_bytes()).is_some(),
            Pattern::Parts { parts, folds: true } => wild(parts, &text.to_lowercase()),
            Pattern::Parts { parts, folds: false } => wild(parts, text),
        }
    }
}

/// Matches with one place to go back to: the last `%`, which is tried one character further. So the time is at most the
/// product of both lengths.
fn wild(parts: &[LikePart], text: &str) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        let next = text[at..].chars().next();
        match (parts.get(part), next) {
            (None, None) => return true,
            (Some(LikePart::Any), _) => {
                back = Some((part + 1, at));
                part += 1;
                continue;
            }
            (Some(LikePart::AnyOne), Some(letter)) => {
                part += 1;
                at += letter.len_utf8();
                continue;
            }
            (Some(LikePart::One(expected)), Some(letter)) if *expected == letter => {
                part += 1;
                at += letter.len_utf8();
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = back else { return false };
        let Some(skipped) = text[from..].chars().next() else { return false };
        back = Some((after, from + skipped.len_utf8()));
        (part, at) = (after, from + skipped.len_utf8());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_sql() {
        let matches =
            |text: &str, pattern: &str| Pattern::new(pattern, Some(ESCAPE), false).expect("a pattern").matches(text);
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("aüc", "a_c", true),
            ("abc", "a_", false),
            ("", "%", true),
            ("", "_", false),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("aXbXc", "a%X%c", true),
            ("mississippi", "m%iss%ip%i", true),
            ("mississippi", "m%iss%ix%i", false),
            ("a\\", "a\\", true),
            ("ABC", "abc", false),
            ("abcabc", "%abc_", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%a%c", false),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} LIKE {pattern}");
        }
        assert!(Pattern::new("%PATH%", None, true).expect("a pattern").matches("likely_pathogenic"));
    }
}
