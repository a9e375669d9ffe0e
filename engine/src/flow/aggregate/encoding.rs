//! The values that a call keeps, as bytes that sort, and back.

use arrow_array::{Array as _, ArrayRef, new_null_array};
use arrow_row::{RowConverter, RowParser, Rows, SortField};

use crate::{
    error::RunError,
    relational::{AggregateCall, Kept},
};

/// The encoding of a call's arguments: the wanted value sorts first.
pub(crate) struct Encoding {
    converter: RowConverter,
    parser: RowParser,
    /// The row on which every argument is NULL.
    null: Vec<u8>,
    /// Which arguments must not be NULL.
    needed: Vec<bool>,
}

impl Encoding {
    /// That of a call; `None` for one that keeps no values.
    pub fn of(call: &AggregateCall) -> Result<Option<Encoding>, RunError> {
        if call.function.kept() == Kept::Nothing {
            return Ok(None);
        }
        let (mut fields, mut nulls) = (Vec::new(), Vec::new());
        for (argument, order) in call.arguments.iter().zip(call.orders()) {
            let arrow = argument.column_type.to_arrow();
            nulls.push(new_null_array(&arrow, 1));
            fields.push(SortField::new_with_options(arrow, order.sort_options()));
        }
        let converter = RowConverter::new(fields).map_err(RunError::internal)?;
        let null = converter.convert_columns(&nulls).map_err(RunError::internal)?.row(0).data().to_vec();
        let needed = (0..call.arguments.len()).map(|argument| call.leaves_out(argument)).collect();
        Ok(Some(Encoding { parser: converter.parser(), converter, null, needed }))
    }

    /// The values of these columns.
    pub fn encode(&self, columns: &[ArrayRef]) -> Result<Rows, RunError> {
        self.converter.convert_columns(columns).map_err(RunError::internal)
    }

    /// Whether these columns have a value on a row, rather than a NULL.
    pub fn holds(&self, columns: &[ArrayRef], row: usize) -> bool {
        columns.iter().zip(&self.needed).all(|(column, needed)| !needed || column.is_valid(row))
    }

    /// The columns of these values, of which `None` is NULL.
    pub fn decode<'a>(&'a self, values: impl Iterator<Item = Option<&'a [u8]>>) -> Result<Vec<ArrayRef>, RunError> {
        let rows = values.map(|value| self.parser.parse(value.unwrap_or(&self.null)));
        self.converter.convert_rows(rows).map_err(RunError::internal)
    }
}
