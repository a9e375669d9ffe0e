//! Rows as bytes: how a row of a batch becomes a key and a value that sort, compare and hash as bytes, and back.
//!
//! The encoding is `arrow-row`'s: order-preserving and canonical, so equal bytes are equal rows, and byte order is key
//! order.

mod batch;
mod cut;
mod hash;
mod order;

use std::{borrow::Borrow, ops::Deref, sync::Arc};

use arrow_array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions, make_array, new_null_array};
use arrow_row::{RowConverter, RowParser, Rows, SortField};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vardelta_schemas::{Schema, TableSchema};

use crate::{display::value_text, edge::escape, error::RunError};

pub(crate) use self::{
    batch::{RowBatch, RowRef},
    cut::BatchCutter,
    hash::RowMap,
    order::{Entry, sort},
};

/// An encoded row, or the part of one that is its key or its value, where it is kept by itself: rows that travel together are
/// a [`RowBatch`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(Arc<[u8]>);

impl Deref for Row {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Row {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Row {
    fn from(bytes: &[u8]) -> Row {
        Row(bytes.into())
    }
}

impl From<Vec<u8>> for Row {
    fn from(bytes: Vec<u8>) -> Row {
        Row(bytes.into())
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Row, D::Error> {
        Vec::deserialize(deserializer).map(Row::from)
    }
}

/// Splits the rows of one stage into key and value and puts them together again.
pub struct RowLayout {
    schema: SchemaRef,
    key: Part,
    value: Part,
    /// The column by which rows of one key are ranked, if any.
    rank: Option<Part>,
}

/// One of the two parts: which columns, and their converter.
struct Part {
    columns: Vec<usize>,
    /// `None` for a part without columns, which is the empty row.
    converter: Option<RowConverter>,
    parser: Option<RowParser>,
}

impl Part {
    fn new(schema: &SchemaRef, columns: Vec<usize>) -> Result<Part, ArrowError> {
        let fields: Vec<SortField> =
            columns.iter().map(|column| SortField::new(schema.field(*column).data_type().clone())).collect();
        let converter = if fields.is_empty() { None } else { Some(RowConverter::new(fields)?) };
        let parser = converter.as_ref().map(RowConverter::parser);
        Ok(Part { columns, converter, parser })
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Option<Rows>, ArrowError> {
        let Some(converter) = &self.converter else { return Ok(None) };
        let columns: Vec<ArrayRef> = self.columns.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        converter.convert_columns(&columns).map(Some)
    }

    fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>, ArrowError> {
        match (&self.converter, &self.parser) {
            (Some(converter), Some(parser)) => converter.convert_rows(rows.map(|row| parser.parse(row))),
            _ => Ok(Vec::new()),
        }
    }
}

/// A batch's rows, encoded.
pub struct EncodedRows {
    key: Option<Rows>,
    value: Option<Rows>,
    rank: Option<Rows>,
}

impl EncodedRows {
    /// The rank of a row among those of its key, the greatest last in byte order; `None` where rows have none.
    pub fn rank(&self, row: usize) -> Option<&[u8]> {
        self.rank.as_ref().map(|rows| rows.row(row).data())
    }

    /// The key of a row.
    pub fn key(&self, row: usize) -> &[u8] {
        self.key.as_ref().map_or(&[], |rows| rows.row(row).data())
    }

    /// The value of a row: all columns that are not in the key.
    pub fn value(&self, row: usize) -> &[u8] {
        self.value.as_ref().map_or(&[], |rows| rows.row(row).data())
    }
}

impl RowLayout {
    /// The layout of a schema with this key. Without a key, all columns are the key and the value is empty: a row is
    /// then identified by all it holds.
    ///
    /// # Errors
    /// For a column type that `arrow-row` does not encode; the planner lets none through.
    pub fn new(schema: &Schema, key: Option<&[usize]>) -> Result<RowLayout, ArrowError> {
        let arrow = schema.to_arrow();
        let columns = 0..arrow.fields().len();
        let (key, value) = match key {
            Some(key) => (key.to_vec(), columns.filter(|column| !key.contains(column)).collect()),
            None => (columns.collect(), Vec::new()),
        };
        Ok(RowLayout { key: Part::new(&arrow, key)?, value: Part::new(&arrow, value)?, rank: None, schema: arrow })
    }

    /// The same with rows ranked by a column, NULL first.
    ///
    /// # Errors
    /// As [`RowLayout::new`].
    pub fn ranked_by(self, column: Option<usize>) -> Result<RowLayout, ArrowError> {
        let rank = column.map(|column| Part::new(&self.schema, vec![column])).transpose()?;
        Ok(RowLayout { rank, ..self })
    }

    /// The Arrow schema of the rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Encodes every row of a batch laid out as the schema says.
    ///
    /// # Errors
    /// When a column has another type than the schema says.
    pub fn encode(&self, batch: &RecordBatch) -> Result<EncodedRows, ArrowError> {
        let rank = match &self.rank {
            Some(rank) => rank.encode(batch)?,
            None => None,
        };
        Ok(EncodedRows { key: self.key.encode(batch)?, value: self.value.encode(batch)?, rank })
    }

    /// Decodes rows into one batch.
    ///
    /// # Errors
    /// When the bytes were not made by a layout of the same schema and key.
    pub fn decode<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> Result<RecordBatch, ArrowError> {
        let count = rows.len();
        let keys = self.key.decode(rows.clone().map(|(key, _)| key))?;
        let values = self.value.decode(rows.map(|(_, value)| value))?;
        self.assemble(keys, values, count)
    }

    fn assemble(&self, keys: Vec<ArrayRef>, values: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.schema.fields().len()];
        for (column, array) in self.key.columns.iter().zip(keys).chain(self.value.columns.iter().zip(values)) {
            columns[*column] = Some(array);
        }
        let columns: Vec<ArrayRef> = columns.into_iter().flatten().collect();
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }

    /// Decodes the rows of a batch.
    ///
    /// # Errors
    /// As [`RowLayout::decode`].
    pub(crate) fn decode_batch(&self, rows: &RowBatch) -> Result<RecordBatch, ArrowError> {
        self.decode(rows.rows().map(|RowRef { key, value, .. }| (key, value)))
    }

    /// The key's columns of rows, in the order of the key.
    ///
    /// # Errors
    /// As [`RowLayout::decode`].
    pub(crate) fn decode_keys<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>, ArrowError> {
        self.key.decode(keys)
    }

    /// As [`RowLayout::decode_batch`], for who reads only some of the columns: the others hold anything. A part of the rows of
    /// which no column is read is not looked at.
    ///
    /// # Errors
    /// As [`RowLayout::decode`].
    pub(crate) fn decode_live(&self, rows: &RowBatch, is_read: &[bool]) -> Result<RecordBatch, ArrowError> {
        let of = |part: &Part, bytes: fn(RowRef<'_>) -> &[u8]| match part.columns.iter().any(|column| is_read[*column])
        {
            true => part.decode(rows.rows().map(bytes)),
            false => {
                part.columns.iter().map(|column| anything(self.schema.field(*column).data_type(), rows.len())).collect()
            }
        };
        let (keys, values) = (of(&self.key, |row| row.key)?, of(&self.value, |row| row.value)?);
        self.assemble(keys, values, rows.len())
    }

    /// A row's key in words, for messages: `chromosome=chr7 position=55019017 …`.
    pub fn describe_key(&self, key: &[u8]) -> String {
        let Ok(arrays) = self.key.decode(std::iter::once(key)) else { return "(unreadable key)".into() };
        let describe = |(column, array): (&usize, &ArrayRef)| {
            format!("{}={}", self.schema.field(*column).name(), escape::cut(&value_text(array, 0)))
        };
        let words: Vec<String> = self.key.columns.iter().zip(&arrays).map(describe).collect();
        if words.is_empty() { "the only row".into() } else { words.join(" ") }
    }
}

impl RowLayout {
    /// A row's columns that are not in the key, in words; `None` when it cannot be decoded.
    pub fn describe_row(&self, key: &[u8], value: &[u8]) -> Option<String> {
        let batch = self.decode(std::iter::once((key, value))).ok()?;
        let describe = |column: &usize| {
            let array = batch.column(*column);
            format!("{}={}", self.schema.field(*column).name(), escape::cut(&value_text(array, 0)))
        };
        Some(self.value.columns.iter().map(describe).collect::<Vec<_>>().join(" "))
    }
}

/// A column of this many values of which it does not matter what they are; none is NULL, since the column may not allow it.
fn anything(data_type: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
    let nulls = new_null_array(data_type, rows).to_data();
    Ok(make_array(nulls.into_builder().nulls(None).build()?))
}

/// A table as it may stand while it is brought to another definition: outside the key every column allows NULL.
pub(crate) fn lax_table(table: &TableSchema) -> TableSchema {
    let mut columns = table.schema.columns().to_vec();
    for (index, column) in columns.iter_mut().enumerate() {
        column.nullable |= !table.key.contains(&index);
    }
    TableSchema { schema: Schema::new(columns), ..table.clone() }
}

/// The layout of a [`lax_table`]. It encodes rows as the planned one does.
pub(crate) fn lax_layout(lax: &TableSchema) -> Result<RowLayout, RunError> {
    RowLayout::new(&lax.schema, Some(&lax.key)).map_err(RunError::internal)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray};
    use vardelta_schemas::{Column, ColumnType, Schema};

    use super::{RowBatch, RowLayout};

    fn sample() -> (Schema, RecordBatch) {
        let schema = Schema::new(vec![
            Column::nullable("gene", ColumnType::Text),
            Column::required("chrom", ColumnType::Text),
            Column::required("pos", ColumnType::Int64),
            Column::nullable("qual", ColumnType::Float64),
        ]);
        let batch = RecordBatch::try_new(
            schema.to_arrow(),
            vec![
                Arc::new(StringArray::from(vec![Some("BRCA2"), None, Some("")])),
                Arc::new(StringArray::from(vec!["chr2", "chr10", "chr2"])),
                Arc::new(Int64Array::from(vec![7, -1, 6])),
                Arc::new(Float64Array::from(vec![Some(0.5), None, Some(-3.0)])),
            ],
        )
        .expect("columns fit");
        (schema, batch)
    }

    #[test]
    fn rows_survive_the_round_trip_in_any_layout() {
        let (schema, batch) = sample();
        for key in [Some(&[1usize, 2][..]), Some(&[2, 0]), Some(&[]), None] {
            let layout = RowLayout::new(&schema, key).expect("layout");
            let rows = layout.encode(&batch).expect("encodes");
            let pairs: Vec<_> = (0..3).map(|row| (rows.key(row), rows.value(row))).collect();
            assert_eq!(layout.decode(pairs.into_iter()).expect("decodes"), batch, "key {key:?}");
        }
    }

    #[test]
    fn what_is_read_is_decoded() {
        let (schema, batch) = sample();
        for key in [Some(&[1usize, 2][..]), Some(&[2, 0]), Some(&[]), None] {
            let layout = RowLayout::new(&schema, key).expect("layout");
            let encoded = layout.encode(&batch).expect("encodes");
            let mut rows = RowBatch::default();
            (0..3).for_each(|row| rows.push(encoded.key(row), encoded.value(row), 1));
            for read in 0..16 {
                let is_read: Vec<bool> = (0..4).map(|column| read & 1 << column != 0).collect();
                let live = layout.decode_live(&rows, &is_read).expect("decodes");
                assert_eq!((live.num_rows(), live.schema()), (3, batch.schema()));
                for column in (0..4).filter(|column| is_read[*column]) {
                    assert_eq!(live.column(column), batch.column(column), "key {key:?}, read {is_read:?}");
                }
            }
        }
    }

    #[test]
    fn byte_order_is_key_order() {
        let (schema, batch) = sample();
        let layout = RowLayout::new(&schema, Some(&[1, 2])).expect("layout");
        let rows = layout.encode(&batch).expect("encodes");
        assert!(rows.key(1) < rows.key(2) && rows.key(2) < rows.key(0));
        assert_eq!(layout.describe_key(rows.key(0)), "chrom=chr2 pos=7");
    }
}
