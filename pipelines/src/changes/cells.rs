//! One value, as people and as programs read it. Programs get all of it.

use arrow_array::{
    Array as _, ArrayRef,
    cast::AsArray as _,
    types::{Float64Type, Int64Type},
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType};
use serde_json::Value;
use vardelta_engine::edge::escape;

/// A value for people; of a long one the beginning and its length. Text that could be taken for something else is quoted, control characters escaped.
///
/// # Errors
/// When Arrow cannot print the type, which no table's column has.
pub fn text(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    if column.is_null(row) {
        return Ok("NULL".into());
    }
    let whole = formatted(column, row)?;
    let (shown, length) = match escape::beginning(&whole) {
        None => (whole.as_str(), String::new()),
        Some((shown, characters)) => (shown, format!("… ({characters} characters)")),
    };
    let ambiguous =
        |letter: char| letter.is_whitespace() || escape::steers(letter) || matches!(letter, '"' | '=' | ',');
    let quote = *column.data_type() == DataType::Utf8
        && (shown.is_empty() || shown == "NULL" || shown == "->" || shown.chars().any(ambiguous));
    // Quoted as JSON does it; what JSON leaves as it is and a terminal would obey is escaped as well.
    let text = if quote { escape::json(&Value::from(shown).to_string()).into_owned() } else { shown.to_owned() };
    Ok(text + &length)
}

/// A value for programs: booleans, integers and floats as such, decimals and dates as texts, which keep every digit.
///
/// # Errors
/// As [`text`].
pub fn json(column: &ArrayRef, row: usize) -> Result<Value, ArrowError> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        _ => formatted(column, row)?.into(),
    })
}

fn formatted(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default())?.value(row).try_to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};

    use super::{json, text};

    #[test]
    fn text_tells_values_apart() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![
            Some("BRCA1"),
            Some(""),
            Some("NULL"),
            Some("a b"),
            Some("a\u{1b}\u{9b}\u{202e}"),
            None,
        ]));
        let shown: Vec<String> = (0..6).map(|row| text(&texts, row).expect("text")).collect();
        assert_eq!(shown, ["BRCA1", "\"\"", "\"NULL\"", "\"a b\"", "\"a\\u001b\\u009b\\u202e\"", "NULL"]);
    }

    #[test]
    fn numbers_keep_every_digit() {
        let decimals = Decimal128Array::from(vec![123_456_789_012_345_678_901_234_567_890_i128])
            .with_precision_and_scale(38, 6)
            .expect("decimal");
        let columns: [(ArrayRef, &str); 4] = [
            (Arc::new(Int64Array::from(vec![i64::MAX])), "9223372036854775807"),
            (Arc::new(Float64Array::from(vec![0.1 + 0.2])), "0.30000000000000004"),
            (Arc::new(decimals), "\"123456789012345678901234.567890\""),
            (Arc::new(Date32Array::from(vec![0])), "\"1970-01-01\""),
        ];
        for (column, expected) in &columns {
            assert_eq!(json(column, 0).expect("json").to_string(), *expected);
            assert_eq!(text(column, 0).expect("text"), expected.trim_matches('"'));
        }
    }
}
