//! Where a text occurs in another one, or in a list. Positions count characters, from 1; 0 is nowhere.

use arrow_array::{Array as _, ArrayRef, cast::AsArray as _};
use arrow_schema::DataType;

use super::{
    ABSENT, Accepts,
    Database::*,
    Family, Function, Nulls, Parameter, Returns,
    text::{characters, count, cut, item_text},
};
use crate::expression::{
    call::{Call, Stop},
    convert::write_value,
};

const IN_TEXT: &[Parameter] = &[Parameter::one("text", Accepts::Texts), Parameter::one("part", Accepts::Texts)];

const fn text(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Text, name, about)
}

/// Functions that look for something.
pub(super) static SEARCH: &[Function] = &[
    text("locate", "Where `part` first occurs in the text, from the character `start` (1) on; 0 where it does not.")
        .takes(&[
            Parameter::one("part", Accepts::Texts),
            Parameter::one("text", Accepts::Texts),
            Parameter::maybe("start", Accepts::Int),
        ])
        .gives(Returns::Int, |call| {
            let (parts, texts) = (call.text(0), call.text(1));
            let starts = (call.arguments() > 2).then(|| call.int(2));
            call.ints(|row| Ok(locate(parts.at(row), texts.at(row), starts.map_or(1, |starts| starts.at(row)))))
        })
        .examples(&[("locate('|', 'a|b|c')", "2"), ("locate('|', 'a|b|c', 3)", "4"), ("locate('', 'a', 2)", "2")])
        .elsewhere(&[(MariaDb, "finds no empty part past the last character"), (Sqlite, ABSENT)]),
    text("instr", "Where `part` first occurs in the text; 0 where it does not.")
        .takes(IN_TEXT)
        .gives(Returns::Int, |call| call.ints(|row| Ok(locate(call.text(1).at(row), call.text(0).at(row), 1))))
        .examples(&[("instr('a|b', '|')", "2"), ("instr('ab', 'x')", "0")]),
    text("position", "Where `part` first occurs in the text, written `position(part IN text)`.")
        .takes(&[Parameter::one("part", Accepts::Texts), Parameter::one("text", Accepts::Texts)])
        .gives(Returns::Int, |call| call.ints(|row| Ok(locate(call.text(0).at(row), call.text(1).at(row), 1))))
        .examples(&[("position('|' IN 'a|b')", "2")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("strpos", "As `instr`.")
        .takes(IN_TEXT)
        .gives(Returns::Int, |call| call.ints(|row| Ok(locate(call.text(1).at(row), call.text(0).at(row), 1))))
        .examples(&[("strpos('a|b', '|')", "2")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text("contains", "Whether `part` occurs in the text.")
        .takes(IN_TEXT)
        .gives(Returns::Bool, |call| call.bools(|row| Ok(call.text(0).at(row).contains(call.text(1).at(row)))))
        .examples(&[("contains('risk_factor', 'risk')", "1")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text("starts_with", "Whether the text begins with `part`.")
        .takes(IN_TEXT)
        .gives(Returns::Bool, |call| call.bools(|row| Ok(call.text(0).at(row).starts_with(call.text(1).at(row)))))
        .examples(&[("starts_with('Likely_benign', 'Likely')", "1")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text("ends_with", "Whether the text ends with `part`.")
        .takes(IN_TEXT)
        .gives(Returns::Bool, |call| call.bools(|row| Ok(call.text(0).at(row).ends_with(call.text(1).at(row)))))
        .examples(&[("ends_with('risk_factor', 'risk')", "0")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    text(
        "find_in_set",
        "The place of an item in a text of items with commas between them, or in a list; 0 where it is not.",
    )
    .takes(&[Parameter::one("item", Accepts::Texts), Parameter::one("set", Accepts::TextOrList)])
    .gives(Returns::Int, find_in_set)
    .examples(&[("find_in_set('TP53', 'BRCA1,TP53')", "2"), ("find_in_set('X', '')", "0")])
    .elsewhere(&[(Sqlite, ABSENT)]),
    text("field", "The place of the first value among the others that equals it; 0 where none does.")
        .takes(&[Parameter::one("value", Accepts::Common), Parameter::many("other", Accepts::Common)])
        .gives(Returns::Int, field)
        .nulls(Nulls::Never)
        .examples(&[("field('b', 'a', 'b')", "2"), ("field(NULL, 'a')", "0")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("elt", "The `n`-th of the texts.")
        .takes(&[Parameter::one("n", Accepts::Int), Parameter::many("text", Accepts::Texts)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let at = count(if call.argument(0).is_null(row) { 0 } else { call.int(0).at(row) });
                if at == 0 || at >= call.arguments() || call.argument(at).is_null(row) {
                    return Err(Stop::Null);
                }
                write_value(call, at, row, out)
            })
        })
        .nulls(Nulls::Own("NULL where there is no such text, or where it is NULL"))
        .examples(&[("elt(2, 'a', 'b')", "b"), ("elt(3, 'a', 'b')", "NULL")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    text("levenshtein", "How many characters must be changed, added or removed to make one text of the other.")
        .takes(&[Parameter::one("a", Accepts::Texts), Parameter::one("b", Accepts::Texts)])
        .gives(Returns::Int, |call| {
            call.ints(|row| Ok(strsim::levenshtein(call.text(0).at(row), call.text(1).at(row)) as i64))
        })
        .examples(&[("levenshtein('BRCA1', 'BRCA2')", "1")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
];

fn locate(part: &str, text: &str, start: i64) -> i64 {
    let skip = start.saturating_sub(1);
    if skip < 0 || count(skip) > characters(text) {
        return 0;
    }
    let rest = cut(text, count(skip), usize::MAX);
    rest.find(part).map_or(0, |at| skip + characters(&rest[..at]) as i64 + 1)
}

fn find_in_set(call: &Call<'_>) -> ArrayRef {
    let items = call.text(0);
    match call.type_of(1) {
        DataType::List(_) => call.ints(|row| {
            let list = call.list(1).at(row);
            let found = (0..list.len()).position(|at| item_text(&list, at).as_deref() == Some(items.at(row)));
            Ok(found.map_or(0, |at| at as i64 + 1))
        }),
        _ => call.ints(|row| {
            let (item, set) = (items.at(row), call.text(1).at(row));
            let found = if set.is_empty() { None } else { set.split(',').position(|one| one == item) };
            Ok(found.map_or(0, |at| at as i64 + 1))
        }),
    }
}

fn field(call: &Call<'_>) -> ArrayRef {
    let value = call.argument(0);
    call.ints(|row| {
        if value.is_null(row) {
            return Ok(0);
        }
        let equal = |at: usize| {
            if call.argument(at).is_null(row) {
                return false;
            }
            match call.type_of(0) {
                DataType::Utf8 => call.text(0).at(row) == call.text(at).at(row),
                DataType::Int64 => call.int(0).at(row) == call.int(at).at(row),
                DataType::Float64 => call.float(0).at(row) == call.float(at).at(row),
                DataType::Decimal128(..) => call.decimal(0).at(row) == call.decimal(at).at(row),
                DataType::Date32 => call.date(0).at(row) == call.date(at).at(row),
                DataType::Boolean => {
                    value.array.as_boolean().value(if value.constant { 0 } else { row }) == call.bool(at).at(row)
                }
                _ => false,
            }
        };
        Ok((1..call.arguments()).find(|at| equal(*at)).unwrap_or(0) as i64)
    })
}
