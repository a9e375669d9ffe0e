//! Lists: their length, an item, whether one is there, all of them as a text.

use arrow_array::UInt32Array;
use arrow_array::{Array as _, ArrayRef};
use arrow_select::take::take;

use super::{ABSENT, Accepts, Database::*, Family, Function, Nulls, Parameter, Returns, text::item_text};
use crate::expression::{
    call::{Call, Stop},
    convert::write_value,
    node::Typed,
    types::Type,
};

const LIST: &[Parameter] = &[Parameter::one("list", Accepts::List)];

const fn list(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Lists, name, about).elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)])
}

/// Functions of lists.
pub(super) static LISTS: &[Function] = &[
    list("list_length", "How many items the list has.")
        .or(&["array_length", "cardinality"])
        .takes(LIST)
        .gives(Returns::Int, |call| call.ints(|row| Ok(call.list(0).at(row).len() as i64)))
        .examples(&[("list_length(ad)", "2")]),
    list("list_item", "The `n`-th item, from 1 or from the end with -1; `list[n]` is the same.")
        .or(&["element_at"])
        .takes(&[Parameter::one("list", Accepts::List), Parameter::one("n", Accepts::Int)])
        .gives(Returns::Of(item_type, "as the items"), list_item)
        .nulls(Nulls::Also("where there is no such item, or where it is NULL"))
        .examples(&[("list_item(ad, 2)", "7"), ("ad[-1]", "7"), ("ad[9]", "NULL")]),
    list("list_contains", "Whether a value is among the items.")
        .or(&["array_has", "array_contains"])
        .takes(&[Parameter::one("list", Accepts::List), Parameter::one("value", Accepts::Any)])
        .gives(Returns::Bool, |call| {
            let mut text = String::new();
            call.bools(|row| {
                let items = call.list(0).at(row);
                text.clear();
                write_value(call, 1, row, &mut text)?;
                Ok((0..items.len()).any(|at| item_text(&items, at).as_deref() == Some(text.as_str())))
            })
        })
        .examples(&[("list_contains(ad, 7)", "1")]),
    list("list_join", "The items that are not NULL as one text, with a separator between them.")
        .or(&["array_to_string"])
        .takes(&[Parameter::one("list", Accepts::List), Parameter::one("separator", Accepts::Text)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let items = call.list(0).at(row);
                let texts: Vec<String> = (0..items.len()).filter_map(|at| item_text(&items, at)).collect();
                out.push_str(&texts.join(call.text(1).at(row)));
                Ok(())
            })
        })
        .examples(&[("list_join(ad, ',')", "3,7")]),
];

fn item_type(arguments: &[Typed]) -> Type {
    match &arguments[0].of {
        Type::List(item) => (**item).clone(),
        other => other.clone(),
    }
}

fn list_item(call: &Call<'_>) -> ArrayRef {
    use arrow_array::cast::AsArray as _;
    let lists = call.argument(0);
    let array = lists.array.as_list::<i32>();
    let numbers = call.int(1);
    let places: Vec<Option<u32>> = (0..call.rows())
        .map(|row| {
            if lists.is_null(row) || call.argument(1).is_null(row) {
                return None;
            }
            let at = if lists.constant { 0 } else { row };
            let (start, length) = (i64::from(array.value_offsets()[at]), i64::from(array.value_length(at)));
            let n = numbers.at(row);
            let item = match n {
                n if (1..=length).contains(&n) => n - 1,
                n if (-length..0).contains(&n) => length + n,
                _ => return None,
            };
            u32::try_from(start + item).ok()
        })
        .collect();
    match take(array.values(), &UInt32Array::from(places), None) {
        Ok(items) => items,
        // It asks for items that are there.
        Err(error) => call.texts(|_, _| Err(Stop::failed(error.to_string()))),
    }
}
