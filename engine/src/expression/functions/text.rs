//! Parts of texts, letters, and joined texts. Positions and lengths count characters, from 1.

use arrow_array::{Array as _, ArrayRef};

use super::{ABSENT, Accepts, Database::*, Family, Function, Nulls, Parameter, Returns};
use crate::{
    display::value_text,
    expression::{
        call::{Call, Stop},
        convert::write_value,
    },
};

const TEXT_ONE: &[Parameter] = &[Parameter::one("text", Accepts::Texts)];
const TEXT_COUNT: &[Parameter] = &[Parameter::one("text", Accepts::Texts), Parameter::one("count", Accepts::Int)];

const fn text(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Text, name, about)
}

/// Functions of texts.
pub(super) static TEXT: &[Function] = &[
    text("upper", "The text in upper case, by Unicode's simple rules.")
        .or(&["ucase"])
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| case(call, |letter| single(letter.to_uppercase())))
        .examples(&[("upper('Likely_ü')", "LIKELY_Ü")])
        .elsewhere(&[(Sqlite, "`ucase` is not known, and only ASCII letters change")]),
    text("lower", "The text in lower case, by Unicode's simple rules.")
        .or(&["lcase"])
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| case(call, |letter| single(letter.to_lowercase())))
        .examples(&[("lower('PASSÉ')", "passé")])
        .elsewhere(&[(Sqlite, "`lcase` is not known, and only ASCII letters change")]),
    text("initcap", "Every word with a capital first letter and small other ones.")
        .takes(TEXT_ONE)
        .gives(Returns::Text, initcap)
        .examples(&[("initcap('abc def-ghi')", "Abc Def-Ghi")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text("length", "The bytes of the text in UTF-8. `char_length` counts characters.")
        .or(&["octet_length"])
        .takes(TEXT_ONE)
        .gives(Returns::Int, |call| call.ints(|row| Ok(call.text(0).at(row).len() as i64)))
        .examples(&[("length('ACGT')", "4"), ("length('ü')", "2")])
        .elsewhere(&[(Sqlite, "counts characters; `octet_length` counts bytes")]),
    text("char_length", "The characters of the text.")
        .or(&["character_length"])
        .takes(TEXT_ONE)
        .gives(Returns::Int, |call| call.ints(|row| Ok(characters(call.text(0).at(row)) as i64)))
        .examples(&[("char_length('ü')", "1")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("bit_length", "Eight times the bytes of the text.")
        .takes(TEXT_ONE)
        .gives(Returns::Int, |call| call.ints(|row| Ok(call.text(0).at(row).len() as i64 * 8)))
        .examples(&[("bit_length('ab')", "16")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("left", "The first `count` characters; none where the count is not positive.")
        .takes(TEXT_COUNT)
        .gives(Returns::Text, |call| {
            let (texts, counts) = (call.text(0), call.int(1));
            call.parts(|row| Ok(cut(texts.at(row), 0, count(counts.at(row)))))
        })
        .examples(&[("left('Likely', 3)", "Lik"), ("left('Likely', -1)", "")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("right", "The last `count` characters; none where the count is not positive.")
        .takes(TEXT_COUNT)
        .gives(Returns::Text, |call| {
            let (texts, counts) = (call.text(0), call.int(1));
            call.parts(|row| {
                let text = texts.at(row);
                Ok(cut(text, characters(text).saturating_sub(count(counts.at(row))), usize::MAX))
            })
        })
        .examples(&[("right('risk_factor', 6)", "factor")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text(
        "substr",
        "The characters from `start` on, `count` of them or all. A negative start counts from the end; 0 is before the \
         text, and what begins there is empty. Also written `substring(text FROM start FOR count)`.",
    )
    .or(&["substring", "mid"])
    .takes(&[
        Parameter::one("text", Accepts::Texts),
        Parameter::one("start", Accepts::Int),
        Parameter::maybe("count", Accepts::Int),
    ])
    .gives(Returns::Text, substr)
    .examples(&[
        ("substr('Likely_pathogenic', 8)", "pathogenic"),
        ("substr('Likely_pathogenic', -10, 4)", "path"),
        ("substr('abc', 0, 2)", ""),
    ])
    .elsewhere(&[(
        Sqlite,
        "a start of 0 is the place before the first character, and a negative count takes what is before it",
    )]),
    text(
        "substring_index",
        "What is before the `count`-th separator from the left; where `count` is negative, what is after the one that \
         is counted from the right. The whole text where there are fewer.",
    )
    .takes(&[
        Parameter::one("text", Accepts::Texts),
        Parameter::one("separator", Accepts::Texts),
        Parameter::one("count", Accepts::Int),
    ])
    .gives(Returns::Text, |call| {
        let (texts, separators, counts) = (call.text(0), call.text(1), call.int(2));
        call.parts(|row| Ok(substring_index(texts.at(row), separators.at(row), counts.at(row))))
    })
    .examples(&[("substring_index('a|b|c', '|', 2)", "a|b"), ("substring_index('a|b|c', '|', -1)", "c")])
    .elsewhere(&[(Sqlite, ABSENT)]),
    text(
        "split_part",
        "The `n`-th part between separators, from 1 or from the end with -1; empty where there is none.",
    )
    .takes(&[
        Parameter::one("text", Accepts::Texts),
        Parameter::one("separator", Accepts::Texts),
        Parameter::one("n", Accepts::Int),
    ])
    .gives(Returns::Text, split_part)
    .fails()
    .examples(&[("split_part('a|b|c', '|', 2)", "b"), ("split_part('a|b|c', '|', 9)", "")])
    .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text("concat", "The texts of the values, one after the other. `a || b` is the same.")
        .takes(&[Parameter::many("value", Accepts::Any)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| (0..call.arguments()).try_for_each(|at| write_value(call, at, row, out)))
        })
        .examples(&[("concat('chr', 1, ':', 100)", "chr1:100"), ("concat('a', NULL)", "NULL")])
        .elsewhere(&[(Sqlite, "skips NULLs")]),
    text("concat_ws", "The texts of the values that are not NULL, with a separator between them.")
        .takes(&[Parameter::one("separator", Accepts::Texts), Parameter::many("value", Accepts::Any)])
        .gives(Returns::Text, concat_ws)
        .nulls(Nulls::First("values that are NULL are left out"))
        .examples(&[("concat_ws('-', 'chr1', 100, NULL, 'A')", "chr1-100-A")]),
    text("reverse", "The characters from the last to the first.")
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                out.extend(call.text(0).at(row).chars().rev());
                Ok(())
            })
        })
        .examples(&[("reverse('ACGT')", "TGCA")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("strcmp", "-1, 0 or 1: how two texts compare, byte by byte.")
        .takes(&[Parameter::one("a", Accepts::Texts), Parameter::one("b", Accepts::Texts)])
        .gives(Returns::Int, |call| {
            let (one, other) = (call.text(0), call.text(1));
            call.ints(|row| Ok(one.at(row).cmp(other.at(row)) as i64))
        })
        .examples(&[("strcmp('a', 'b')", "-1")])
        .elsewhere(&[(Sqlite, ABSENT)]),
];

/// A number of characters; none where it is negative.
pub(super) fn count(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// How many characters.
pub(super) fn characters(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.chars().count(),
    }
}

/// `count` characters after the first `skip`.
pub(super) fn cut(text: &str, skip: usize, count: usize) -> &str {
    if text.is_ascii() {
        let start = skip.min(text.len());
        return &text[start..start + count.min(text.len() - start)];
    }
    let mut bounds = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let Some(start) = bounds.nth(skip) else { return "" };
    let end = match count {
        0 => start,
        _ => bounds.nth(count - 1).unwrap_or(text.len()),
    };
    &text[start..end]
}

/// The place of the first character that a start names: from 1, or negative from the end; None before the text.
pub(super) fn start(text: &str, start: i64) -> Option<usize> {
    match start {
        0 => None,
        start if start > 0 => Some(count(start - 1)),
        start => characters(text).checked_sub(usize::try_from(start.unsigned_abs()).ok()?),
    }
}

/// Changes every letter that has one counterpart, so that a text keeps its characters (ß, which MySQL leaves alone too).
fn case(call: &Call<'_>, change: fn(char) -> Option<char>) -> ArrayRef {
    let texts = call.text(0);
    call.texts(|row, out| {
        out.extend(texts.at(row).chars().map(|letter| change(letter).unwrap_or(letter)));
        Ok(())
    })
}

/// The one letter, if it is one.
fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

fn initcap(call: &Call<'_>) -> ArrayRef {
    let texts = call.text(0);
    call.texts(|row, out| {
        let mut inside = false;
        for letter in texts.at(row).chars() {
            match inside {
                true => out.extend(letter.to_lowercase()),
                false => out.extend(letter.to_uppercase()),
            }
            inside = letter.is_alphanumeric();
        }
        Ok(())
    })
}

fn substr(call: &Call<'_>) -> ArrayRef {
    let (texts, starts) = (call.text(0), call.int(1));
    let counts = (call.arguments() > 2).then(|| call.int(2));
    call.parts(|row| {
        let text = texts.at(row);
        let Some(skip) = start(text, starts.at(row)) else { return Ok("") };
        Ok(cut(text, skip, counts.map_or(usize::MAX, |counts| count(counts.at(row)))))
    })
}

fn substring_index<'t>(text: &'t str, separator: &str, count: i64) -> &'t str {
    if separator.is_empty() || count == 0 {
        return "";
    }
    let nth = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) - 1;
    match count > 0 {
        true => text.match_indices(separator).nth(nth).map_or(text, |(at, _)| &text[..at]),
        false => text.rmatch_indices(separator).nth(nth).map_or(text, |(at, found)| &text[at + found.len()..]),
    }
}

fn split_part(call: &Call<'_>) -> ArrayRef {
    let (texts, separators, numbers) = (call.text(0), call.text(1), call.int(2));
    call.parts(|row| {
        let (text, separator, n) = (texts.at(row), separators.at(row), numbers.at(row));
        let nth = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
        match (n, separator) {
            (0, _) => Err(Stop::failed("parts are counted from 1, or from -1 at the end")),
            (1 | -1, "") => Ok(text),
            (_, "") => Ok(""),
            (1.., _) => Ok(text.split(separator).nth(nth - 1).unwrap_or("")),
            _ => Ok(text.rsplit(separator).nth(nth - 1).unwrap_or("")),
        }
    })
}

fn concat_ws(call: &Call<'_>) -> ArrayRef {
    let separator = call.argument(0);
    call.texts(|row, out| {
        if separator.is_null(row) {
            return Err(Stop::Null);
        }
        let mut first = true;
        for at in 1..call.arguments() {
            if call.argument(at).is_null(row) {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                out.push_str(call.text(0).at(row));
            }
            write_value(call, at, row, out)?;
        }
        Ok(())
    })
}

/// Whether a text is there, for lists of texts.
pub(super) fn item_text(items: &ArrayRef, at: usize) -> Option<String> {
    items.is_valid(at).then(|| value_text(items, at))
}
