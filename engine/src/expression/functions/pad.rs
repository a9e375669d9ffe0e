//! Texts that grow: padded, repeated, replaced; and texts that lose their ends.

use arrow_array::{Array as _, ArrayRef, cast::AsArray as _, types::Int64Type};

use super::{
    ABSENT, Accepts,
    Database::*,
    Family, Function, Nulls, Parameter, Returns,
    text::{characters, count, cut, start},
};
use crate::expression::{
    call::{Call, Stop},
    node::Typed,
};

/// The longest text, in bytes, that one of these functions makes of a shorter one: one row must not fill the memory.
pub const GROWN_BYTES_MAX: usize = 65_536;

const TRIM: &[Parameter] = &[Parameter::one("text", Accepts::Texts), Parameter::maybe("part", Accepts::Texts)];
const PADDED: &[Parameter] = &[
    Parameter::one("text", Accepts::Texts),
    Parameter::one("length", Accepts::Int),
    Parameter::maybe("pad", Accepts::Texts),
];

const fn text(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Text, name, about)
}

/// Functions that lengthen, shorten and replace.
pub(super) static PAD: &[Function] = &[
    text(
        "lpad",
        "The text with `pad` (a space) before it as often as `length` characters need; the first `length` characters of \
         a longer one. More than 65,536 bytes reject the row.",
    )
    .takes(PADDED)
    .gives(Returns::Text, |call| pad(call, true))
    .fails()
    .nulls(Nulls::Unless(is_padded, "where the length is negative"))
    .examples(&[("lpad('7', 3, '0')", "007"), ("lpad('abcd', 2, 'x')", "ab"), ("lpad('a', 2, '')", "a")])
    .elsewhere(&[(MariaDb, "is NULL where there is nothing to pad with"), (Sqlite, ABSENT)]),
    text("rpad", "As `lpad`, with the padding after the text.")
        .takes(PADDED)
        .gives(Returns::Text, |call| pad(call, false))
        .fails()
        .nulls(Nulls::Unless(is_padded, "where the length is negative"))
        .examples(&[("rpad('7', 3, '0')", "700")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("repeat", "The text `count` times. More than 65,536 bytes reject the row.")
        .takes(&[Parameter::one("text", Accepts::Texts), Parameter::one("count", Accepts::Int)])
        .gives(Returns::Text, |call| {
            let (texts, counts) = (call.text(0), call.int(1));
            call.texts(|row, out| {
                let (text, times) = (texts.at(row), count(counts.at(row)));
                check_growth(text.len().saturating_mul(times), text.len())?;
                (0..times).for_each(|_| out.push_str(text));
                Ok(())
            })
        })
        .fails()
        .examples(&[("repeat('ab', 3)", "ababab"), ("repeat('ab', -1)", "")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("space", "So many spaces. More than 65,536 reject the row.")
        .takes(&[Parameter::one("count", Accepts::Int)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let times = count(call.int(0).at(row));
                check_growth(times, 0)?;
                out.extend(std::iter::repeat_n(' ', times));
                Ok(())
            })
        })
        .fails()
        .examples(&[("concat(space(2), 'x')", "  x")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("replace", "The text with every `from` replaced by `to`; the text itself where `from` is empty.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("from", Accepts::Texts),
            Parameter::one("to", Accepts::Texts),
        ])
        .gives(Returns::Text, replace)
        .fails()
        .examples(&[
            ("replace('Likely_pathogenic', '_', ' ')", "Likely pathogenic"),
            ("replace('', 'a', NULL)", "NULL"),
            ("replace('a', '', NULL)", "NULL"),
        ])
        .elsewhere(&[
            (MariaDb, "leaves an empty text as it is, also where another argument is NULL"),
            (Sqlite, "leaves a text as it is where `from` is empty, also where `to` is NULL"),
        ]),
    text("translate", "The text with every character of `from` replaced by the one in the same place of `to`, or removed.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("from", Accepts::Texts),
            Parameter::one("to", Accepts::Texts),
        ])
        .gives(Returns::Text, |call| {
            let (texts, from, to) = (call.text(0), call.text(1), call.text(2));
            call.texts(|row, out| {
                for letter in texts.at(row).chars() {
                    match from.at(row).chars().position(|other| other == letter) {
                        None => out.push(letter),
                        Some(at) => out.extend(to.at(row).chars().nth(at)),
                    }
                }
                Ok(())
            })
        })
        .examples(&[("translate('ACGT', 'ACGT', 'TGCA')", "TGCA")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text("insert", "The text with the `count` characters from `start` on replaced by `new`.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("start", Accepts::Int),
            Parameter::one("count", Accepts::Int),
            Parameter::one("new", Accepts::Texts),
        ])
        .gives(Returns::Text, insert)
        .examples(&[("insert('abcdef', 2, 3, 'X')", "aXef"), ("insert('abc', 9, 1, 'X')", "abc")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("overlay", "The text with the characters from `start` on replaced by `new`; also `OVERLAY(… PLACING … FROM … FOR …)`.")
        .takes(&[
            Parameter::one("text", Accepts::Texts),
            Parameter::one("new", Accepts::Texts),
            Parameter::one("start", Accepts::Int),
            Parameter::maybe("count", Accepts::Int),
        ])
        .gives(Returns::Text, |call| {
            let (texts, new, starts) = (call.text(0), call.text(1), call.int(2));
            call.texts(|row, out| {
                let (text, new) = (texts.at(row), new.at(row));
                let skip = count(starts.at(row).saturating_sub(1));
                let taken = if call.arguments() > 3 { count(call.int(3).at(row)) } else { characters(new) };
                out.push_str(cut(text, 0, skip));
                out.push_str(new);
                out.push_str(cut(text, skip.saturating_add(taken), usize::MAX));
                Ok(())
            })
        })
        .examples(&[("overlay('abcdef', 'X', 2, 3)", "aXef")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text(
        "trim",
        "The text without spaces at its ends, or without `part` as often as it occurs there: \
         `trim(BOTH 'x' FROM text)`, LEADING and TRAILING.",
    )
    .takes(TRIM)
    .gives(Returns::Text, |call| trim(call, true, true))
    .examples(&[("trim('  a ')", "a"), ("trim(BOTH 'ab' FROM 'abxab')", "x")])
    .elsewhere(&[(Sqlite, "is written `trim(text, characters)`, with a set of characters")]),
    text("ltrim", "The text without spaces, or without `part`, at its beginning.")
        .takes(TRIM)
        .gives(Returns::Text, |call| trim(call, true, false))
        .examples(&[("ltrim('  a ')", "a ")]),
    text("rtrim", "The text without spaces, or without `part`, at its end.")
        .takes(TRIM)
        .gives(Returns::Text, |call| trim(call, false, true))
        .examples(&[("rtrim('  a ')", "  a")]),
    text("btrim", "The text without any of the characters of `set` (spaces) at its ends.")
        .takes(&[Parameter::one("text", Accepts::Texts), Parameter::maybe("set", Accepts::Texts)])
        .gives(Returns::Text, |call| {
            let texts = call.text(0);
            let sets = (call.arguments() > 1).then(|| call.text(1));
            call.parts(|row| {
                let set = sets.map_or(" ", |sets| sets.at(row));
                Ok(texts.at(row).trim_matches(|letter| set.contains(letter)))
            })
        })
        .examples(&[("btrim('xax', 'x')", "a")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
];

/// Whether the length is known and not negative.
fn is_padded(arguments: &[Typed]) -> bool {
    let length = arguments[1].as_constant().filter(|length| length.is_valid(0));
    length.is_some_and(|length| length.as_primitive::<Int64Type>().value(0) >= 0)
}

/// Refuses a result that is much longer than what it is made of.
pub(super) fn check_growth(bytes: usize, before: usize) -> Result<(), Stop> {
    match bytes <= GROWN_BYTES_MAX || bytes <= before {
        true => Ok(()),
        false => Err(Stop::overflow(format!("the text would have {bytes} bytes, more than {GROWN_BYTES_MAX}"))),
    }
}

fn pad(call: &Call<'_>, before: bool) -> ArrayRef {
    let (texts, lengths) = (call.text(0), call.int(1));
    let pads = (call.arguments() > 2).then(|| call.text(2));
    call.texts(|row, out| {
        let (text, pad) = (texts.at(row), pads.map_or(" ", |pads| pads.at(row)));
        let Ok(length) = usize::try_from(lengths.at(row)) else { return Err(Stop::Null) };
        let missing = length.saturating_sub(characters(text));
        if missing == 0 {
            out.push_str(cut(text, 0, length));
            return Ok(());
        }
        if pad.is_empty() {
            out.push_str(text);
            return Ok(());
        }
        let widest = pad.chars().map(char::len_utf8).max().unwrap_or(1);
        check_growth(text.len().saturating_add(missing.saturating_mul(widest)), text.len())?;
        let padding = pad.chars().cycle().take(missing);
        if before {
            out.extend(padding);
            out.push_str(text);
        } else {
            out.push_str(text);
            out.extend(padding);
        }
        Ok(())
    })
}

fn replace(call: &Call<'_>) -> ArrayRef {
    let (texts, from, to) = (call.text(0), call.text(1), call.text(2));
    call.texts(|row, out| {
        let (text, from, to) = (texts.at(row), from.at(row), to.at(row));
        if from.is_empty() {
            out.push_str(text);
            return Ok(());
        }
        let mut end = 0;
        for (at, found) in text.match_indices(from) {
            out.push_str(&text[end..at]);
            out.push_str(to);
            end = at + found.len();
            check_growth(out.len() + text.len() - end, text.len())?;
        }
        out.push_str(&text[end..]);
        Ok(())
    })
}

fn insert(call: &Call<'_>) -> ArrayRef {
    let (texts, starts, counts, new) = (call.text(0), call.int(1), call.int(2), call.text(3));
    call.texts(|row, out| {
        let text = texts.at(row);
        let length = characters(text);
        match start(text, starts.at(row).max(0)).filter(|skip| *skip < length) {
            None => out.push_str(text),
            Some(skip) => {
                // A negative count takes the rest, as in MySQL.
                let taken = usize::try_from(counts.at(row)).unwrap_or(usize::MAX);
                out.push_str(cut(text, 0, skip));
                out.push_str(new.at(row));
                out.push_str(cut(text, skip.saturating_add(taken), usize::MAX));
            }
        }
        Ok(())
    })
}

fn trim(call: &Call<'_>, leading: bool, trailing: bool) -> ArrayRef {
    let texts = call.text(0);
    let parts = (call.arguments() > 1).then(|| call.text(1));
    call.parts(|row| {
        let (mut text, part) = (texts.at(row), parts.map_or(" ", |parts| parts.at(row)));
        if part.is_empty() {
            return Ok(text);
        }
        while let Some(rest) = text.strip_prefix(part).filter(|_| leading) {
            text = rest;
        }
        while let Some(rest) = text.strip_suffix(part).filter(|_| trailing) {
            text = rest;
        }
        Ok(text)
    })
}
