//! Regular expressions. They match in time linear in the text, so there are no back references and no look-around;
//! letters count as they are (`'i'` among the flags: upper and lower case are the same).

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use arrow_array::{Array as _, cast::AsArray as _};
use regex::{Captures, Regex, RegexBuilder};

use super::{
    ABSENT, Accepts,
    Database::*,
    Family, Function, Nulls, Parameter, Returns,
    pad::check_growth,
    text::{characters, count, cut},
};
use crate::expression::{
    call::{Call, Stop},
    node::{Run, Typed},
};

/// The most memory that one regular expression may take, in bytes.
const COMPILED_BYTES_MAX: usize = 4 << 20;

/// How many patterns from a column are kept compiled for a batch.
const KEPT_MAX: usize = 64;

const fn regex(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Regex, name, about).fails()
}

/// Functions of regular expressions.
pub(super) static REGEX: &[Function] = &[
    regex("regexp_like", "Whether the pattern matches anywhere in the text; `text REGEXP pattern` is the same.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("pattern", Accepts::Text),
            Parameter::maybe("flags", Accepts::Text),
        ])
        .prepares(Returns::Bool, |arguments| {
            let patterns = Patterns::new(arguments, 1, 2)?;
            Ok(Arc::new(move |call: &Call<'_>| {
                call.bools(|row| patterns.with(call, row, |regex| Ok(regex.is_match(call.text(0).at(row)))))
            }))
        })
        .examples(&[("regexp_like('Likely_benign', '^likely', 'i')", "1"), ("'abc' REGEXP 'b.'", "1")])
        .elsewhere(&[(MariaDb, "has the operator REGEXP alone"), (Sqlite, "has the operator REGEXP where a program defines it")]),
    regex(
        "regexp_substr",
        "The part that the pattern matches: the `occurrence`-th (1) from the character `start` (1) on.",
    )
    .takes(&[
        Parameter::one("text", Accepts::Texts),
        Parameter::one("pattern", Accepts::Text),
        Parameter::maybe("start", Accepts::Int),
        Parameter::maybe("occurrence", Accepts::Int),
        Parameter::maybe("flags", Accepts::Text),
    ])
    .prepares(Returns::Text, |arguments| {
        let patterns = Patterns::new(arguments, 1, 4)?;
        Ok(Arc::new(move |call: &Call<'_>| {
            call.parts(|row| {
                patterns.with(call, row, |regex| {
                    let text = call.text(0).at(row);
                    let from = from(text, call, row, 2)?;
                    let nth = occurrence(call, row, 3).saturating_sub(1);
                    regex.find_iter(&text[from..]).nth(nth).map(|found| found.as_str()).ok_or(Stop::Null)
                })
            })
        }))
    })
    .nulls(Nulls::Also("where nothing matches"))
    .examples(&[("regexp_substr('a|b|c', '[^|]+', 1, 2)", "b"), ("regexp_substr('abc', 'x')", "NULL")])
    .elsewhere(&[(MariaDb, "takes text and pattern alone, and is empty where nothing matches"), (Sqlite, ABSENT)]),
    regex("regexp_instr", "Where the pattern matches, as the number of a character; 0 where it does not.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("pattern", Accepts::Text),
            Parameter::maybe("start", Accepts::Int),
            Parameter::maybe("occurrence", Accepts::Int),
            Parameter::maybe("after", Accepts::Int),
            Parameter::maybe("flags", Accepts::Text),
        ])
        .prepares(Returns::Int, |arguments| {
            let patterns = Patterns::new(arguments, 1, 5)?;
            Ok(Arc::new(move |call: &Call<'_>| {
                call.ints(|row| {
                    patterns.with(call, row, |regex| {
                        let text = call.text(0).at(row);
                        let from = from(text, call, row, 2)?;
                        let nth = occurrence(call, row, 3).saturating_sub(1);
                        let after = call.arguments() > 4 && call.int(4).at(row) == 1;
                        Ok(regex.find_iter(&text[from..]).nth(nth).map_or(0, |found| {
                            let at = from + if after { found.end() } else { found.start() };
                            characters(&text[..at]) as i64 + 1
                        }))
                    })
                })
            }))
        })
        .examples(&[("regexp_instr('a|b', '[|]')", "2"), ("regexp_instr('a|b', 'x')", "0")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    regex(
        "regexp_replace",
        "The text with every match (or only the `occurrence`-th) from the character `start` on replaced; `$1` or `\\1` is \
         what the first group matched, `\\$` a dollar.",
    )
    .takes(&[
        Parameter::one("text", Accepts::Texts),
        Parameter::one("pattern", Accepts::Text),
        Parameter::one("new", Accepts::Texts),
        Parameter::maybe("start", Accepts::Int),
        Parameter::maybe("occurrence", Accepts::Int),
        Parameter::maybe("flags", Accepts::Text),
    ])
    .prepares(Returns::Text, replace)
    .examples(&[
        ("regexp_replace('Likely|risk', '[|].*', '')", "Likely"),
        ("regexp_replace('aXbX', 'X', '-')", "a-b-"),
    ])
    .elsewhere(&[(Sqlite, ABSENT)]),
    regex("regexp_count", "How often the pattern matches.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("pattern", Accepts::Text),
            Parameter::maybe("start", Accepts::Int),
            Parameter::maybe("flags", Accepts::Text),
        ])
        .prepares(Returns::Int, |arguments| {
            let patterns = Patterns::new(arguments, 1, 3)?;
            Ok(Arc::new(move |call: &Call<'_>| {
                call.ints(|row| {
                    patterns.with(call, row, |regex| {
                        let text = call.text(0).at(row);
                        Ok(regex.find_iter(&text[from(text, call, row, 2)?..]).count() as i64)
                    })
                })
            }))
        })
        .examples(&[("regexp_count('a|b|c', '[|]')", "2")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
];

/// The byte at which a search begins.
fn from(text: &str, call: &Call<'_>, row: usize, argument: usize) -> Result<usize, Stop> {
    if call.arguments() <= argument {
        return Ok(0);
    }
    let start = call.int(argument).at(row);
    let skip = count(start.saturating_sub(1));
    match start >= 1 && skip <= characters(text) {
        true => Ok(cut(text, 0, skip).len()),
        false => Err(Stop::failed(format!("a search cannot begin at character {start} of {}", characters(text)))),
    }
}

fn occurrence(call: &Call<'_>, row: usize, argument: usize) -> usize {
    if call.arguments() > argument { count(call.int(argument).at(row)).max(1) } else { 1 }
}

fn replace(arguments: &[Typed]) -> Result<Run, String> {
    let patterns = Patterns::new(arguments, 1, 5)?;
    Ok(Arc::new(move |call: &Call<'_>| {
        call.texts(|row, out| {
            patterns.with(call, row, |regex| {
                let (text, new) = (call.text(0).at(row), call.text(2).at(row));
                let from = from(text, call, row, 3)?;
                let only = if call.arguments() > 4 { count(call.int(4).at(row)) } else { 0 };
                let mut end = 0;
                for (at, found) in regex.captures_iter(&text[from..]).enumerate() {
                    let Some(whole) = found.get(0) else { continue };
                    if only > 0 && at + 1 != only {
                        continue;
                    }
                    out.push_str(&text[end..from + whole.start()]);
                    expand(new, &found, out);
                    end = from + whole.end();
                    check_growth(out.len() + text.len() - end, text.len())?;
                }
                out.push_str(&text[end..]);
                Ok(())
            })
        })
    }))
}

/// Appends a replacement, with the groups that it names.
fn expand(new: &str, found: &Captures<'_>, out: &mut String) {
    let mut letters = new.chars().peekable();
    while let Some(letter) = letters.next() {
        let group = match (letter, letters.peek()) {
            ('$' | '\\', Some(digit)) => digit.to_digit(10),
            _ => None,
        };
        match group {
            Some(group) => {
                letters.next();
                out.push_str(found.get(group as usize).map_or("", |part| part.as_str()));
            }
            None if letter == '\\' => out.extend(letters.next()),
            None => out.push(letter),
        }
    }
}

/// The patterns of a call: one that is in the text is compiled once, those of a column as they come.
struct Patterns {
    fixed: Option<Regex>,
    pattern: usize,
    flags: usize,
}

thread_local! {
    static COMPILED: RefCell<HashMap<(String, String), Regex>> = RefCell::new(HashMap::new());
}

impl Patterns {
    fn new(arguments: &[Typed], pattern: usize, flags: usize) -> Result<Patterns, String> {
        let flag_text = match arguments.get(flags) {
            None => Some(""),
            Some(flags) => flags.as_text(),
        };
        let fixed = match (arguments[pattern].as_text(), flag_text) {
            (Some(pattern), Some(flags)) => Some(compile(pattern, flags)?),
            _ => None,
        };
        Ok(Patterns { fixed, pattern, flags })
    }

    fn with<T>(&self, call: &Call<'_>, row: usize, work: impl FnOnce(&Regex) -> Result<T, Stop>) -> Result<T, Stop> {
        if let Some(regex) = &self.fixed {
            return work(regex);
        }
        let pattern = call.text(self.pattern).at(row);
        let flags = if call.arguments() > self.flags { call.text(self.flags).at(row) } else { "" };
        let key = (pattern.to_string(), flags.to_string());
        let regex = COMPILED.with_borrow_mut(|compiled| {
            if let Some(regex) = compiled.get(&key) {
                return Ok(regex.clone());
            }
            let regex = compile(pattern, flags).map_err(Stop::failed)?;
            if compiled.len() >= KEPT_MAX {
                compiled.clear();
            }
            compiled.insert(key, regex.clone());
            Ok(regex)
        })?;
        work(&regex)
    }
}

/// Compiles a pattern, or says what is wrong with it.
fn compile(pattern: &str, flags: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(COMPILED_BYTES_MAX);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'c' => builder.case_insensitive(false),
            'm' => builder.multi_line(true),
            'n' => builder.dot_matches_new_line(true),
            'u' => &mut builder,
            other => return Err(format!("`{other}` is no flag: they are i, c, m, n and u")),
        };
    }
    builder.build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
        format!("'{pattern}' is no regular expression: {last}")
    })
}

/// `text REGEXP pattern`, or its negation.
pub(crate) fn matches(text: Typed, pattern: Typed, flags: &'static str, negated: bool) -> Result<Typed, String> {
    let fixed = match pattern.as_constant() {
        Some(array) if array.is_valid(0) && pattern.of == crate::expression::types::Type::Text => {
            Some(compile(array.as_string::<i32>().value(0), flags)?)
        }
        _ => None,
    };
    let fails = fixed.is_none();
    let patterns = Patterns { fixed, pattern: 1, flags: usize::MAX };
    let run: Run = Arc::new(move |call: &Call<'_>| {
        call.bools(|row| patterns.with(call, row, |regex| Ok(regex.is_match(call.text(0).at(row)) != negated)))
    });
    Ok(Typed::strict(run, vec![text, pattern], crate::expression::types::Type::Bool, fails))
}
