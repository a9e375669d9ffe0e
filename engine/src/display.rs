//! Values of columns and counts as text, for people and messages.

use std::fmt::Write as _;

use arrow_array::{
    Array as _, ArrayRef,
    cast::AsArray as _,
    types::{Date32Type, Decimal128Type, Float64Type, Int64Type},
};
use arrow_schema::DataType;
use vardelta_schemas::value_text::{write_date, write_decimal};

/// The value with every digit that it has; `NULL` where there is none. A double has a point or an exponent, so that it is
/// not taken for an integer; a date outside of the years 0 to 9999 is its days since 1970-01-01.
pub fn value_text(column: &ArrayRef, row: usize) -> String {
    let mut text = String::new();
    if column.is_null(row) {
        text.push_str("NULL");
        return text;
    }
    // Writing to a text cannot fail.
    let _ = match column.data_type() {
        DataType::Utf8 => write!(text, "{}", column.as_string::<i32>().value(row)),
        DataType::Int64 => write!(text, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => write!(text, "{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => write!(text, "{}", column.as_boolean().value(row)),
        DataType::Decimal128(_, scale) => {
            write_decimal(column.as_primitive::<Decimal128Type>().value(row), *scale, &mut text);
            Ok(())
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            if write_date(days, &mut text) { Ok(()) } else { write!(text, "{days}") }
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items: Vec<String> = (0..items.len()).map(|item| value_text(&items, item)).collect();
            write!(text, "[{}]", items.join(", "))
        }
        _ => write!(text, "{:?}", column.slice(row, 1)),
    };
    text
}

/// A number with its thousands apart: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Date32Array, Decimal128Array, Float64Array, ListArray, types::Int64Type};

    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn values_keep_every_digit() {
        let decimals = Decimal128Array::from(vec![Some(-1250), None]).with_precision_and_scale(10, 3).expect("fits");
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1), None])]);
        let shown: [(ArrayRef, usize, &str); 6] = [
            (Arc::new(decimals.clone()), 0, "-1.250"),
            (Arc::new(decimals), 1, "NULL"),
            (Arc::new(Float64Array::from(vec![0.1 + 0.2])), 0, "0.30000000000000004"),
            (Arc::new(Float64Array::from(vec![1e6])), 0, "1000000.0"),
            (Arc::new(Date32Array::from(vec![19_753])), 0, "2024-01-31"),
            (Arc::new(list), 0, "[1, NULL]"),
        ];
        for (column, row, expected) in &shown {
            assert_eq!(value_text(column, *row), *expected);
        }
    }
}
