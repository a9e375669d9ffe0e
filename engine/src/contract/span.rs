//! Lengths of time as they are written: a number and its unit, `"5s"`, `"7d"`. A bare number has no unit and is refused.

use std::time::Duration;

use crate::{
    contract::options::{OptionValue, wrong_type},
    diagnostics::Diagnostics,
    spec::{Node, Value},
};

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

const UNITS_MS: [(&str, f64); 7] =
    [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("min", 6e4), ("h", 3.6e6), ("d", 8.64e7), ("w", 6.048e8)];
/// A hundred years: nothing after it can overflow.
const LONGEST_MS: f64 = 3.2e12;

impl Span {
    /// Reads a length of time.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Span, String> {
        let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..digits], text[digits..].trim());
        let units = || UNITS_MS.map(|(name, _)| name).join(", ");
        let Some((_, factor)) = UNITS_MS.iter().find(|(name, _)| *name == unit) else {
            return Err(match unit {
                "" => format!("`{text}` has no unit: one of {}", units()),
                _ => format!("`{unit}` is no unit of time: one of {}", units()),
            });
        };
        match number.parse::<f64>() {
            Ok(number) if number * factor <= LONGEST_MS => {
                Ok(Span(Duration::from_micros((number * factor * 1e3).round() as u64)))
            }
            Ok(_) => Err(format!("`{text}` is more than a hundred years")),
            Err(_) => Err(format!("`{number}` is no number")),
        }
    }
}

impl OptionValue for Span {
    const EXPECTS: &'static str = "a length of time with its unit, \"30s\"";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Text(text) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        match Span::parse(text) {
            Ok(span) => Some(span),
            Err(why) => {
                diagnostics
                    .error(node.span.clone(), why)
                    .hint("Write a number and its unit: \"500ms\", \"30s\", \"7d\".");
                None
            }
        }
    }
    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^[0-9]+(\\.[0-9]+)? ?(ms|s|m|min|h|d|w)$"}"#.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        for (text, ms) in [
            ("5s", 5_000),
            ("1.5s", 1_500),
            ("250ms", 250),
            ("2min", 120_000),
            ("15m", 900_000),
            ("7d", 604_800_000),
            ("0s", 0),
        ] {
            assert_eq!(Span::parse(text), Ok(Span(Duration::from_millis(ms))), "{text}");
        }
        for (text, why) in [
            ("5", "no unit"),
            ("", "no unit"),
            ("5 fortnights", "no unit of time"),
            ("s", "no number"),
            ("1.2.3s", "no number"),
            ("999999w", "hundred years"),
            ("-1s", "no unit"),
        ] {
            let said = Span::parse(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
