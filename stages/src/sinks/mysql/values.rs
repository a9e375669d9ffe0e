//! Rows as text for LOAD DATA and as parameters of statements, and the hash of a key.

use mysql::Value;
use sha2::Digest as _;
use vardelta_schemas::{
    TableSchema,
    sql::mysql::{
        layout::{KEY_HASH_CHARACTERS, TableLayout},
        table::RowValue,
    },
    value_text::{write_date, write_decimal},
};
use xxhash_rust::xxh3::Xxh3;

pub(super) use crate::base64::base64;
use crate::sinks::shared::values::ColumnReader;

/// What a statement about one row has beside the row, in bytes, at the most.
const STATEMENT_BYTES: usize = 4096;

/// A row of a batch on its way into a table.
pub(super) struct RowReader<'a> {
    pub(super) table: &'a TableSchema,
    pub(super) layout: &'a TableLayout,
    pub(super) columns: Vec<ColumnReader<'a>>,
    pub(super) epoch: i64,
}

impl RowReader<'_> {
    /// The first column that cannot hold its value, and why.
    pub(super) fn misfit(&self, row: usize) -> Option<(usize, String)> {
        self.columns.iter().enumerate().find_map(|(index, column)| {
            if let Some(why) = column.misfit(row) {
                return Some((index, why));
            }
            if column.is_null(row) && !self.table.schema.columns()[index].nullable {
                return Some((index, "it is NULL, and the column is NOT NULL".into()));
            }
            if let Some(why) = self.has_no_partition(index, row) {
                return Some((index, why));
            }
            let (ColumnReader::Text(array), Some(limit)) = (column, self.layout.characters[index]) else { return None };
            let text = array.value(row);
            if column.is_null(row) || text.len() <= limit || text.chars().count() <= limit {
                return None;
            }
            let (count, shown) = (text.chars().count(), column.show(row));
            Some((index, format!("{shown} has {count} characters, and the column holds {limit}")))
        })
    }

    /// MySQL takes no row whose value no partition lists.
    fn has_no_partition(&self, index: usize, row: usize) -> Option<String> {
        let by = self.layout.partitioning.as_ref().filter(|_| self.layout.partition_column == Some(index))?;
        let ColumnReader::Text(array) = &self.columns[index] else { return None };
        (!by.takes(array.value(row))).then(|| format!("{} has no partition", self.columns[index].show(row)))
    }

    /// Bytes that a row takes in a statement, about.
    pub(super) fn bytes(&self, row: usize) -> usize {
        let of_column = |column: &ColumnReader<'_>| match column {
            ColumnReader::Text(array) if !column.is_null(row) => array.value(row).len() + 9,
            ColumnReader::Decimal { .. } => 42,
            _ => 12,
        };
        self.columns.iter().map(of_column).sum::<usize>() + KEY_HASH_CHARACTERS
    }

    /// Appends the row as a line of LOAD DATA.
    pub(super) fn write_line(&self, values: &[RowValue], row: usize, line: &mut Vec<u8>, scratch: &mut String) {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                line.push(b'\t');
            }
            match value {
                RowValue::Column(index) => write_field(&self.columns[*index], row, line, scratch),
                RowValue::KeyHash => line.extend_from_slice(self.key_hash(row).as_bytes()),
                RowValue::Digest(index) => line.extend_from_slice(self.digest(*index, row).as_bytes()),
                RowValue::Epoch => {
                    scratch.clear();
                    push(scratch, self.epoch);
                    line.extend_from_slice(scratch.as_bytes());
                }
            }
        }
        line.push(b'\n');
    }

    /// Appends the row's values as parameters.
    pub(super) fn bind(&self, values: &[RowValue], row: usize, parameters: &mut Vec<Value>) {
        parameters.extend(values.iter().map(|value| match value {
            RowValue::Column(index) => parameter(&self.columns[*index], row),
            RowValue::KeyHash => Value::Bytes(self.key_hash(row).into_bytes()),
            RowValue::Digest(index) => match self.columns[*index].is_null(row) {
                true => Value::NULL,
                false => Value::Bytes(self.digest(*index, row).into_bytes()),
            },
            RowValue::Epoch => Value::Int(self.epoch),
        }));
    }

    /// SHA-256 of a text, as the server's SHA2 writes it; empty for what is no text.
    fn digest(&self, column: usize, row: usize) -> String {
        let ColumnReader::Text(array) = &self.columns[column] else { return String::new() };
        let digest = sha2::Sha256::digest(array.value(row).as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Why a row cannot be written where the server takes statements of so many bytes: it could go in by LOAD DATA, but
    /// nothing that names it could be sent any more. With the column that has most of it.
    pub(super) fn too_large(&self, row: usize, packet_bytes: usize) -> Option<(usize, String)> {
        let bytes = self.bytes(row);
        if bytes + STATEMENT_BYTES + 4 * self.columns.len() <= packet_bytes {
            return None;
        }
        let text_bytes = |column: &ColumnReader<'_>| match column {
            ColumnReader::Text(array) if !column.is_null(row) => array.value(row).len(),
            _ => 0,
        };
        let largest = (0..self.columns.len()).max_by_key(|index| text_bytes(&self.columns[*index]))?;
        let why = format!("the row has {bytes} bytes, and the server takes {packet_bytes} (max_allowed_packet)");
        Some((largest, why))
    }

    /// The hash of a row's key: xxh3-128 over each of its values, with a mark for NULL and lengths for text, so that no
    /// two keys have the same bytes. It is kept in the table, so it never changes.
    fn key_hash(&self, row: usize) -> String {
        let mut hash = Xxh3::new();
        for index in &self.table.key {
            let column = &self.columns[*index];
            if column.is_null(row) {
                hash.update(&[0]);
                continue;
            }
            hash.update(&[1]);
            match column {
                ColumnReader::Bool(array) => hash.update(&[u8::from(array.value(row))]),
                ColumnReader::Int64(array) => hash.update(&array.value(row).to_le_bytes()),
                ColumnReader::Float64(array) => hash.update(&array.value(row).to_bits().to_le_bytes()),
                ColumnReader::Decimal { array, .. } => hash.update(&array.value(row).to_le_bytes()),
                ColumnReader::Text(array) => {
                    let text = array.value(row).as_bytes();
                    hash.update(&(text.len() as u64).to_le_bytes());
                    hash.update(text);
                }
                ColumnReader::Date(array) => hash.update(&array.value(row).to_le_bytes()),
            }
        }
        base64(hash.digest128())
    }
}

fn push(scratch: &mut String, value: impl std::fmt::Display) {
    use std::fmt::Write as _;
    write!(scratch, "{value}").expect("writing to a String cannot fail");
}

/// Appends one value. The scratch takes what is no text.
fn write_field(column: &ColumnReader<'_>, row: usize, line: &mut Vec<u8>, scratch: &mut String) {
    if column.is_null(row) {
        line.extend_from_slice(b"\\N");
        return;
    }
    scratch.clear();
    match column {
        ColumnReader::Bool(array) => line.push(if array.value(row) { b'1' } else { b'0' }),
        ColumnReader::Int64(array) => push(scratch, array.value(row)),
        // The shortest digits that read back as the same double.
        ColumnReader::Float64(array) => push(scratch, format_args!("{:e}", array.value(row))),
        ColumnReader::Decimal { array, scale, .. } => write_decimal(array.value(row), *scale, scratch),
        ColumnReader::Text(array) => escape(array.value(row).as_bytes(), line),
        ColumnReader::Date(array) => {
            write_date(array.value(row), scratch);
        }
    }
    line.extend_from_slice(scratch.as_bytes());
}

/// Appends text with what LOAD DATA would take for an end or an escape written as an escape.
fn escape(text: &[u8], line: &mut Vec<u8>) {
    let special = |byte: u8| match byte {
        b'\t' => Some(b't'),
        b'\n' => Some(b'n'),
        b'\\' => Some(b'\\'),
        0 => Some(b'0'),
        _ => None,
    };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| special(*byte).is_some()) {
        line.extend_from_slice(&rest[..at]);
        line.extend(special(rest[at]).map(|letter| [b'\\', letter]).into_iter().flatten());
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
}

fn parameter(column: &ColumnReader<'_>, row: usize) -> Value {
    if column.is_null(row) {
        return Value::NULL;
    }
    let text = |write: &dyn Fn(&mut String)| {
        let mut text = String::new();
        write(&mut text);
        Value::Bytes(text.into_bytes())
    };
    match column {
        ColumnReader::Bool(array) => Value::Int(i64::from(array.value(row))),
        ColumnReader::Int64(array) => Value::Int(array.value(row)),
        ColumnReader::Float64(array) => Value::Double(array.value(row)),
        ColumnReader::Decimal { array, scale, .. } => text(&|text| write_decimal(array.value(row), *scale, text)),
        ColumnReader::Text(array) => Value::Bytes(array.value(row).as_bytes().to_vec()),
        ColumnReader::Date(array) => text(&|text| {
            write_date(array.value(row), text);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_value_is_escaped() {
        let mut line = Vec::new();
        escape(b"a\tb\nc\\d\0e\\N'\"\r\x1a", &mut line);
        assert_eq!(line, b"a\\tb\\nc\\\\d\\0e\\\\N'\"\r\x1a");
    }
}
