//! The options of a `delimited` source.

use std::ops::Range;

use vardelta_engine::{
    choices,
    contract::options::{OptionReader, OptionValue, Spanned, wrong_type},
    diagnostics::Diagnostics,
    options,
    spec::{Node, Value},
};
use vardelta_schemas::ColumnType;

use crate::sources::shared::{files::PathGlob, naming::DropNaming};

options! {
    /// Options of `delimited`.
    pub struct DelimitedOptions {
        /// The files, as a glob relative to the pipeline file (`drugs/*.tsv`). A run loads what is new or changed here;
        /// without it, files are named on the command line. Hidden files, checksums and copies that are
        /// not complete (`.part`, `.tmp`, …) are left alone.
        "path" => path: Option<Spanned<PathGlob>> = None, "\"\"",
        /// What drops are called: a text with `{stem}` (the file's name without extensions), `{name}` (with them),
        /// `{parent}` and `{grandparent}` (its folders), such as `"{parent}_{stem}"`; or
        /// `{ match = 'runs/(?<sample>[^/]+)/', name = "{sample}" }`, where `match` is a regular expression that is looked
        /// for in the path from the pipeline file's directory. A file that is loaded keeps its name.
        "drop_name" => drop_name: Option<DropNaming> = None, "\"{stem}\"",
        /// The name of a further column, the last, that holds the name of the row's drop.
        "drop_column" => drop_column: Option<Spanned<String>> = None, "none",
        /// The columns to read, in the order of the rows: `name = "type"`, or
        /// `name = { from = "header", type = "type", required = true }` where the header spells it otherwise or a record
        /// without a value is to be rejected. Types are text, int64, float64, decimal(p,s), bool and date. A column that
        /// is not required may be NULL.
        "columns" => columns: ColumnOptions,
        /// What separates two fields: `tab`, `comma`, `semicolon`, `pipe`, or one ASCII character. Without it the
        /// file's extension decides: .tsv, .tab and .txt are separated by tabs, .csv by commas, .psv by pipes.
        "separator" => separator: Option<Separator> = None, "by the extension",
        /// Whether `"` quotes fields: `double`, or `none` where it is a character like any other.
        "quote" => quote: Quote = Quote::Double, "\"double\"",
        /// What comment lines begin with, such as `#`. They are skipped. Without it there are none.
        "comment" => comment: Spanned<String> = Spanned { value: String::new(), span: 0..0 }, "\"\"",
        /// Values that mean NULL, as the file writes them.
        "null_values" => null_values: Vec<String> = vec![String::new()], "[\"\"]",
        /// Whether a BGZF file may lack the end-of-file block. Such a file may have been cut off.
        "allow_missing_eof" => allow_missing_eof: bool = false, "false",
    }
}

choices! {
    /// What quotes fields.
    pub enum Quote {
        /// `"`.
        Double = "double",
        /// Nothing.
        None = "none",
    }
}

impl Quote {
    /// The byte, if there is one.
    pub(super) fn byte(self) -> Option<u8> {
        match self {
            Quote::Double => Some(b'"'),
            Quote::None => None,
        }
    }
}

/// What is between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator(pub(super) u8);

/// The separators that have names.
pub(super) const NAMED_SEPARATORS: [(&str, u8); 4] =
    [("tab", b'\t'), ("comma", b','), ("semicolon", b';'), ("pipe", b'|')];

impl OptionValue for Separator {
    const EXPECTS: &'static str = "tab, comma, semicolon, pipe, or one ASCII character";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        if let Some((_, byte)) = NAMED_SEPARATORS.iter().find(|(name, _)| *name == text) {
            return Some(Separator(*byte));
        }
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !b"\"\r\n\0".contains(byte) => Some(Separator(*byte)),
            _ => {
                diagnostics
                    .error(node.span.clone(), format!("`{}` is no separator", text.escape_debug()))
                    .hint(format!("Write {}; a quote or a line end separates nothing.", Self::EXPECTS));
                None
            }
        }
    }

    fn json_schema() -> String {
        r#"{"type":"string","minLength":1}"#.into()
    }
}

/// The columns to read, in order.
#[derive(Clone, Debug)]
pub struct ColumnOptions {
    /// The columns.
    pub columns: Vec<ColumnOption>,
    /// Where they are listed.
    pub span: Range<usize>,
}

/// A column to read.
#[derive(Clone, Debug)]
pub struct ColumnOption {
    /// Its name in the rows.
    pub name: Spanned<String>,
    /// What the header calls it.
    pub from: String,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether a record without a value is rejected.
    pub required: bool,
}

impl OptionValue for ColumnOptions {
    const EXPECTS: &'static str = "a table of columns, each a type or { from = \"header\", type = \"text\" }";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            return wrong_type(node, Self::EXPECTS, diagnostics);
        };
        let read: Vec<Option<ColumnOption>> = entries
            .iter()
            .map(|entry| {
                let name = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
                let (from, column_type, required) = match &entry.node.value {
                    Value::Text(_) => (None, ColumnTypeOption::read(&entry.node, diagnostics), Some(false)),
                    Value::Table(parts) => {
                        let owner = format!("the column `{}`", entry.key);
                        let mut reader = OptionReader::new(owner, entry.node.span.clone(), parts.iter());
                        let from = reader.optional::<Option<String>>("from", None, diagnostics);
                        let column_type = reader.required::<ColumnTypeOption>("type", diagnostics);
                        let required = reader.optional::<bool>("required", false, diagnostics);
                        reader.finish(diagnostics);
                        (from?, column_type, required)
                    }
                    _ => return wrong_type(&entry.node, ColumnTypeOption::EXPECTS, diagnostics),
                };
                let from = from.unwrap_or_else(|| entry.key.clone());
                Some(ColumnOption { name, from, column_type: column_type?.0, required: required? })
            })
            .collect();
        let columns = read.into_iter().collect::<Option<Vec<_>>>()?;
        Some(ColumnOptions { columns, span: node.span.clone() })
    }

    fn json_schema() -> String {
        let column_type = ColumnTypeOption::json_schema();
        format!(
            r#"{{"type":"object","minProperties":1,"additionalProperties":{{"anyOf":[{column_type},{{"type":"object","required":["type"],"additionalProperties":false,"properties":{{"from":{{"type":"string"}},"type":{column_type},"required":{{"type":"boolean"}}}}}}]}}}}"#
        )
    }
}

/// A type as a pipeline file writes it.
struct ColumnTypeOption(ColumnType);

impl OptionValue for ColumnTypeOption {
    const EXPECTS: &'static str = "text, int64, float64, decimal(p,s), bool or date";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let column_type = column_type(&text);
        if column_type.is_none() {
            diagnostics.error(node.span.clone(), format!("`{text}` is no type of a column")).hint(format!(
                "Write {}, such as decimal(10,2): at most 38 digits, 2 of them after the point.",
                Self::EXPECTS
            ));
        }
        column_type.map(ColumnTypeOption)
    }

    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^(text|int64|float64|bool|date|decimal\\( *[0-9]+ *, *[0-9]+ *\\))$"}"#.into()
    }
}

fn column_type(text: &str) -> Option<ColumnType> {
    Some(match text {
        "text" => ColumnType::Text,
        "int64" => ColumnType::Int64,
        "float64" => ColumnType::Float64,
        "bool" => ColumnType::Bool,
        "date" => ColumnType::Date,
        _ => {
            let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
            let precision = precision.trim().parse::<u8>().ok().filter(|precision| (1..=38).contains(precision))?;
            let scale = scale.trim().parse::<i8>().ok().filter(|scale| (0..=precision as i8).contains(scale))?;
            ColumnType::Decimal { precision, scale }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_written() {
        assert_eq!(column_type("decimal(10, 2)"), Some(ColumnType::Decimal { precision: 10, scale: 2 }));
        assert_eq!(column_type("decimal(38,0)"), Some(ColumnType::Decimal { precision: 38, scale: 0 }));
        for wrong in ["decimal", "decimal(39,0)", "decimal(0,0)", "decimal(4,5)", "decimal(4,-1)", "Text", "int", ""] {
            assert_eq!(column_type(wrong), None, "{wrong}");
        }
    }
}
