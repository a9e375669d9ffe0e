//! The types a VCF field can have, and the column that holds one.

use vardelta_engine::choices;
use vardelta_schemas::{Column, ColumnType, Number};

choices! {
    /// The type of an INFO or FORMAT field (VCF 4.3, section 1.4.2).
    pub enum ValueKind {
        /// A whole number; read as 64 bits.
        Integer = "Integer",
        /// A decimal number; read as a double.
        Float = "Float",
        /// There or not.
        Flag = "Flag",
        /// One character; read as text.
        Character = "Character",
        /// Text.
        String = "String",
    }
}

impl ValueKind {
    /// The kind that a header's `Type` names; `None` for a word that the specification does not know.
    pub fn from_header(text: &str) -> Option<ValueKind> {
        [Self::Integer, Self::Float, Self::Flag, Self::Character, Self::String]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// The count that a header's `Number` names; `None` for one that it does not know (`P`, `LA` and the like of VCF 4.5
/// included: their length follows from other fields).
pub(super) fn number_from_text(text: &str) -> Option<Number> {
    Some(match text {
        "A" => Number::PerAlternate,
        "R" => Number::PerAllele,
        "G" => Number::PerGenotype,
        "." => Number::Unknown,
        _ => Number::Count(text.parse().ok()?),
    })
}

/// Whether a header may say this of a field's number of values, in any version: VCF 4.5 has added `P`, `LA`, `LR`, `LG` and
/// `M` (section 1.4.2), and files of before 4.0 have -1 for what is not fixed.
pub(super) fn is_number(text: &str) -> bool {
    number_from_text(text).is_some() || matches!(text, "P" | "LA" | "LR" | "LG" | "M" | "-1")
}

/// How a header writes a count.
pub(super) fn number_to_text(number: Number) -> String {
    match number {
        Number::PerAlternate => "A".into(),
        Number::PerAllele => "R".into(),
        Number::PerGenotype => "G".into(),
        Number::Unknown => ".".into(),
        Number::Count(count) => count.to_string(),
    }
}

/// How a field is decoded: its type and whether its column is a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The type.
    pub kind: ValueKind,
    /// How many values; `None` for the raw text, never split.
    pub number: Option<Number>,
}

impl Shape {
    /// The whole value as text, whatever separators it holds.
    pub const RAW: Shape = Shape { kind: ValueKind::String, number: None };

    /// Whether the column is a list: everything but flags, single values and raw text.
    pub fn is_list(self) -> bool {
        self.kind != ValueKind::Flag && !matches!(self.number, None | Some(Number::Count(0 | 1)))
    }

    /// The column that holds such a field.
    pub fn column(self, name: String, doc: String) -> Column {
        let item = match self.kind {
            ValueKind::Integer => ColumnType::Int64,
            ValueKind::Float => ColumnType::Float64,
            ValueKind::Flag => ColumnType::Bool,
            ValueKind::Character | ValueKind::String => ColumnType::Text,
        };
        let column = match (self.kind, self.is_list()) {
            (ValueKind::Flag, _) => Column::required(name, item),
            (_, true) => Column::nullable(name, ColumnType::List(Box::new(item))),
            (_, false) => Column::nullable(name, item),
        };
        Column { number: self.number, ..column }.with_doc(doc)
    }
}

/// An INFO or FORMAT field to decode.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// Its key, as the file writes it.
    pub key: String,
    /// How it is decoded.
    pub shape: Shape,
}
