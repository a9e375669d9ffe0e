//! A key as people write it.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::{Field, Schema};
use vardelta_schemas::{ColumnType, TableSchema, value_text};

use crate::{
    error::{RunError, RunErrorKind},
    suggest::{listed, nearest},
};

/// The key of a row, one row of the table's key columns in the order of the key.
pub(super) fn parse(table: &TableSchema, written: &[(String, String)]) -> Result<RecordBatch, RunError> {
    let column = |at: &usize| &table.schema.columns()[*at];
    let names = || table.key.iter().map(|at| column(at).name.as_str());
    let usage = |message: String| RunError::new(RunErrorKind::Usage, message);
    if let Some((unknown, _)) = written.iter().find(|(name, _)| !names().any(|known| known == name)) {
        let error = usage(format!("`{unknown}` is no column of the key of `{}`", table.name));
        return Err(match nearest(unknown, names()) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint(format!("The key is {}.", listed(names()))),
        });
    }
    let missing: Vec<&str> = names().filter(|name| !written.iter().any(|(known, _)| known == name)).collect();
    if !missing.is_empty() {
        return Err(usage(format!(
            "a row of `{}` is named by its whole key, and {} is missing",
            table.name,
            missing.join(", ")
        ))
        .with_hint(format!("Write COLUMN=VALUE for each of {}.", listed(names()))));
    }
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for at in &table.key {
        let of_key = column(at);
        let given: Vec<&String> =
            written.iter().filter(|(name, _)| *name == of_key.name).map(|(_, value)| value).collect();
        let [value] = given[..] else { return Err(usage(format!("`{}` is given twice", of_key.name))) };
        let Some(array) = array(&of_key.column_type, value, of_key.nullable) else {
            return Err(usage(format!("`{value}` is no {}, which `{}` is", of_key.column_type, of_key.name)));
        };
        fields.push(Field::new(&of_key.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(RunError::internal)
}

/// One value; `None` where the text is none of this type.
fn array(of: &ColumnType, text: &str, nullable: bool) -> Option<ArrayRef> {
    let is_null = nullable && text == "NULL";
    fn value<T>(is_null: bool, parsed: Option<T>) -> Option<Vec<Option<T>>> {
        if is_null { Some(vec![None]) } else { parsed.map(|value| vec![Some(value)]) }
    }
    Some(match of {
        ColumnType::Text => Arc::new(StringArray::from(value(is_null, Some(text))?)),
        ColumnType::Int64 => Arc::new(Int64Array::from(value(is_null, text.parse().ok())?)),
        ColumnType::Float64 => Arc::new(Float64Array::from(value(is_null, text.parse().ok())?)),
        ColumnType::Bool => {
            let parsed = match text {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            };
            Arc::new(BooleanArray::from(value(is_null, parsed)?))
        }
        ColumnType::Date => Arc::new(Date32Array::from(value(is_null, value_text::parse_date(text))?)),
        ColumnType::Decimal { precision, scale } => {
            let scale = *scale;
            // `7` is 7.00.
            let digits = text.split_once('.').map_or(0, |(_, after)| after.len());
            let padded = match usize::from(scale.unsigned_abs()) {
                0 => text.to_owned(),
                wanted if digits == 0 => format!("{}.{}", text.trim_end_matches('.'), "0".repeat(wanted)),
                wanted => format!("{text}{}", "0".repeat(wanted.saturating_sub(digits))),
            };
            let parsed = value_text::parse_decimal(&padded, *precision, scale);
            let decimals = Decimal128Array::from(value(is_null, parsed)?);
            Arc::new(decimals.with_precision_and_scale(*precision, scale).ok()?)
        }
        ColumnType::List(_) => return None,
    })
}
