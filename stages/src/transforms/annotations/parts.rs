//! Further parts of the picked entry, by name: `parts = { gnomad_af = { name = "gnomADe_AF", type = "float64" } }`.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array,
    builder::{BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder},
};
use vardelta_engine::{
    contract::options::{OptionReader, OptionValue, Spanned, wrong_type},
    diagnostics::Diagnostics,
    spec::{Node, Value},
};
use vardelta_schemas::{Column, ColumnType};

use crate::typed_text;

/// A part to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct PartOption {
    /// The column.
    pub column: Spanned<String>,
    /// The part's name, as the header lists it; case does not count.
    pub name: String,
    /// The column's type.
    pub column_type: ColumnType,
}

/// The parts of an option.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts(pub Vec<PartOption>);

impl OptionValue for Parts {
    const EXPECTS: &'static str = "a table of parts, such as { lof = \"LoF\" }";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            return wrong_type(node, Self::EXPECTS, diagnostics);
        };
        let read: Vec<Option<PartOption>> = entries
            .iter()
            .map(|entry| {
                let (name, column_type) = match &entry.node.value {
                    Value::Text(name) => (Some(name.clone()), Some(ColumnType::Text)),
                    Value::Table(fields) => {
                        let mut reader = OptionReader::new("a part".into(), entry.node.span.clone(), fields.iter());
                        let name = reader.required::<String>("name", diagnostics);
                        let column_type = reader.optional("type", PartType(ColumnType::Text), diagnostics);
                        reader.finish(diagnostics);
                        (name, column_type.map(|column_type| column_type.0))
                    }
                    _ => return wrong_type(&entry.node, "a part's name, or { name = …, type = … }", diagnostics),
                };
                let column = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
                Some(PartOption { column, name: name?, column_type: column_type? })
            })
            .collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(Parts)
    }

    fn json_schema() -> String {
        let part = format!(
            r#"{{"type":"object","required":["name"],"additionalProperties":false,"properties":{{"name":{{"type":"string"}},"type":{}}}}}"#,
            PartType::json_schema()
        );
        format!(r#"{{"type":"object","additionalProperties":{{"anyOf":[{{"type":"string"}},{part}]}}}}"#)
    }
}

/// A type as pipeline files write it.
struct PartType(ColumnType);

impl PartType {
    fn of_text(text: &str) -> Option<ColumnType> {
        Some(match text {
            "text" => ColumnType::Text,
            "int64" => ColumnType::Int64,
            "float64" => ColumnType::Float64,
            "bool" => ColumnType::Bool,
            "date" => ColumnType::Date,
            _ => {
                let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
                let (precision, scale): (u8, i8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                let is_sound = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
                is_sound.then_some(ColumnType::Decimal { precision, scale })?
            }
        })
    }
}

impl OptionValue for PartType {
    const EXPECTS: &'static str = "one of \"text\", \"int64\", \"float64\", \"decimal(p,s)\", \"bool\", \"date\"";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let column_type = PartType::of_text(&text);
        if column_type.is_none() {
            diagnostics
                .error(node.span.clone(), format!("`{text}` is no type of a part"))
                .hint(format!("Write {}.", Self::EXPECTS));
        }
        column_type.map(PartType)
    }

    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^(text|int64|float64|bool|date|decimal\\([0-9]+, *[0-9]+\\))$"}"#.into()
    }
}

impl PartOption {
    /// The column that holds it.
    pub fn column(&self) -> Column {
        Column::nullable(self.column.value.clone(), self.column_type.clone())
            .with_doc(format!("The part {} of the picked entry.", self.name))
    }
}

/// A column of a part while it grows.
pub(super) enum PartBuilder {
    Text(StringBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Bool(BooleanBuilder),
    Date(Date32Builder),
    Decimal(Decimal128Builder, u8, i8),
}

impl PartBuilder {
    /// An empty column.
    pub fn new(column_type: &ColumnType) -> PartBuilder {
        match column_type {
            ColumnType::Int64 => PartBuilder::Int64(Int64Builder::new()),
            ColumnType::Float64 => PartBuilder::Float64(Float64Builder::new()),
            ColumnType::Bool => PartBuilder::Bool(BooleanBuilder::new()),
            ColumnType::Date => PartBuilder::Date(Date32Builder::new()),
            ColumnType::Decimal { precision, scale } => {
                PartBuilder::Decimal(Decimal128Builder::new(), *precision, *scale)
            }
            ColumnType::Text | ColumnType::List(_) => PartBuilder::Text(StringBuilder::new()),
        }
    }

    /// Appends a value; `None` for none. Returns whether the value fits: what does not is NULL.
    pub fn append(&mut self, value: Option<&str>) -> bool {
        match self {
            PartBuilder::Text(builder) => {
                builder.append_option(value);
                true
            }
            PartBuilder::Int64(builder) => append(value, |text| text.parse().ok(), |read| builder.append_option(read)),
            PartBuilder::Float64(builder) => {
                append(value, |text| typed_text::float64(text.as_bytes()), |read| builder.append_option(read))
            }
            PartBuilder::Bool(builder) => {
                append(value, |text| typed_text::boolean(text.as_bytes()), |read| builder.append_option(read))
            }
            PartBuilder::Date(builder) => {
                append(value, |text| typed_text::date(text.as_bytes()), |read| builder.append_option(read))
            }
            PartBuilder::Decimal(builder, precision, scale) => {
                let read = |text: &str| typed_text::decimal(text.as_bytes(), *precision, *scale);
                append(value, read, |read| builder.append_option(read))
            }
        }
    }

    /// The column.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            PartBuilder::Text(builder) => Arc::new(builder.finish()),
            PartBuilder::Int64(builder) => Arc::new(builder.finish()),
            PartBuilder::Float64(builder) => Arc::new(builder.finish()),
            PartBuilder::Bool(builder) => Arc::new(builder.finish()),
            PartBuilder::Date(builder) => Arc::new(builder.finish()),
            PartBuilder::Decimal(builder, precision, scale) => {
                let column: Decimal128Array = builder.finish();
                Arc::new(column.with_data_type(arrow_schema::DataType::Decimal128(*precision, *scale)))
            }
        }
    }
}

fn append<T>(value: Option<&str>, read: impl FnOnce(&str) -> Option<T>, push: impl FnOnce(Option<T>)) -> bool {
    let typed = value.and_then(read);
    let fits = value.is_none() || typed.is_some();
    push(typed);
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_types() {
        assert_eq!(PartType::of_text("float64"), Some(ColumnType::Float64));
        assert_eq!(PartType::of_text("decimal(5, 2)"), Some(ColumnType::Decimal { precision: 5, scale: 2 }));
        for text in ["", "Float", "decimal(5)", "decimal(2,5)", "decimal(39,1)", "list<text>"] {
            assert_eq!(PartType::of_text(text), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_null() {
        for (column_type, good, bad) in [
            (ColumnType::Float64, "1.7e-05", "0.0115&1.7e-05"),
            (ColumnType::Float64, "-0.0", "nan"),
            (ColumnType::Int64, "-5", "5.5"),
            (ColumnType::Bool, "YES", "maybe"),
            (ColumnType::Date, "2026-11-28", "28.11.2026"),
            (ColumnType::Decimal { precision: 3, scale: 2 }, "0.25", "12.345"),
        ] {
            let mut builder = PartBuilder::new(&column_type);
            assert!(builder.append(Some(good)), "{column_type}");
            assert!(!builder.append(Some(bad)), "{column_type}");
            assert!(builder.append(None));
            let column = builder.finish();
            assert_eq!(column.data_type(), &column_type.to_arrow());
            let nulls: Vec<bool> = (0..3).map(|row| column.is_null(row)).collect();
            assert_eq!(nulls, [false, true, true], "{column_type}");
        }
    }

    #[test]
    fn a_decimal_may_be_written_with_fewer_or_more_places() {
        let (mut builder, texts) = (
            PartBuilder::new(&ColumnType::Decimal { precision: 5, scale: 2 }),
            ["0", "0.0", "0.1", "1.5", "5", ".25", "+0.25", "25e-2", "12.340", "-0.5"],
        );
        assert!(texts.iter().all(|text| builder.append(Some(text))));
        let expected = vec![0, 0, 10, 150, 500, 25, 25, 25, 1234, -50];
        let expected = Decimal128Array::from(expected).with_data_type(arrow_schema::DataType::Decimal128(5, 2));
        assert_eq!(builder.finish().as_ref(), &expected as &dyn arrow_array::Array);
    }
}
