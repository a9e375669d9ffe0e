//! The text of a `group_concat`, put together from a group's values in order.

use std::collections::HashSet;

use crate::{relational::Concat, rows::Row};

/// A text that grows.
pub(super) struct Joined<'a> {
    concat: &'a Concat,
    text: String,
    has_any: bool,
    is_too_long: bool,
    seen: HashSet<String>,
}

impl Joined<'_> {
    /// Nothing yet.
    pub fn new(concat: &Concat) -> Joined<'_> {
        Joined { concat, text: String::new(), has_any: false, is_too_long: false, seen: HashSet::new() }
    }

    /// Adds a text, so often.
    pub fn push(&mut self, text: &str, count: i64) {
        if count <= 0 || self.is_too_long || self.concat.distinct && !self.seen.insert(text.to_owned()) {
            return;
        }
        for _ in 0..if self.concat.distinct { 1 } else { count } {
            if self.has_any {
                self.text.push_str(&self.concat.separator);
            }
            self.text.push_str(text);
            self.has_any = true;
            if self.text.len() as u64 > self.concat.max_bytes {
                (self.is_too_long, self.text) = (true, String::new());
                return;
            }
        }
    }

    /// Whether nothing that comes makes a difference.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// What the group's row is made of: a byte that says whether there is a text, then the text.
    pub fn answer(self) -> Option<Row> {
        let bytes = [&[u8::from(!self.is_too_long)][..], self.text.as_bytes()].concat();
        self.has_any.then(|| bytes.into())
    }
}

/// The text of an [answer](Joined::answer); `None` where it is too long.
pub(super) fn text_of(answer: &[u8]) -> Option<&str> {
    match answer.split_first() {
        Some((1, text)) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(concat: &Concat, texts: &[(&str, i64)]) -> Option<Option<String>> {
        let mut joined = Joined::new(concat);
        texts.iter().for_each(|(text, count)| joined.push(text, *count));
        joined.answer().map(|answer| text_of(&answer).map(str::to_owned))
    }

    #[test]
    fn texts_are_joined_up_to_the_bound() {
        let concat = Concat { distinct: false, order: Vec::new(), separator: ", ".into(), max_bytes: 10 };
        assert_eq!(joined(&concat, &[]), None);
        assert_eq!(joined(&concat, &[("gone", 0)]), None);
        assert_eq!(joined(&concat, &[("", 1)]), Some(Some(String::new())));
        assert_eq!(joined(&concat, &[("ab", 2), ("cd", 1)]), Some(Some("ab, ab, cd".into())));
        assert_eq!(joined(&concat, &[("ab", 2), ("cd", 1), ("", 1)]), Some(None), "two bytes more than ten");
        let distinct = Concat { distinct: true, ..concat };
        assert_eq!(joined(&distinct, &[("b", 3), ("a", 1), ("b", 1)]), Some(Some("b, a".into())));
    }
}
