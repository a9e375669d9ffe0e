//! Whether the parser checks what it reads. That of every pipeline does. The one that does not exists for the benchmark of
//! what checking costs, and no pipeline can ask for it.
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, ListArray};
use arrow_schema::{DataType, Field, Schema};

use crate::sources::{
    shared::text::text_column,
    vcf::reasons::{Tally, Warning},
};

/// Whether records and values are checked.
pub(super) trait Checks: Send + 'static {
    /// Whether they are.
    const ON: bool;

    /// The columns that are built instead of these.
    fn schema(schema: Arc<Schema>) -> Arc<Schema>;
    /// Makes a column of text out of bytes of the file; undecodable ones are shown as such and counted.
    fn text(bytes: BinaryArray, tally: &mut Tally) -> ArrayRef;
}

/// The same for lists.
pub(super) fn texts<C: Checks>(list: ListArray, tally: &mut Tally) -> ArrayRef {
    let (field, offsets, values, nulls) = list.into_parts();
    let Some(bytes) = values.as_any().downcast_ref::<BinaryArray>() else {
        return Arc::new(ListArray::new(field, offsets, values, nulls));
    };
    let values = C::text(bytes.clone(), tally);
    let field = field.as_ref().clone().with_data_type(values.data_type().clone());
    Arc::new(ListArray::new(Arc::new(field), offsets, values, nulls))
}

/// Everything is checked.
pub(super) enum Checked {}

impl Checks for Checked {
    const ON: bool = true;

    fn schema(schema: Arc<Schema>) -> Arc<Schema> {
        schema
    }

    fn text(bytes: BinaryArray, tally: &mut Tally) -> ArrayRef {
        let (text, undecodable) = text_column(bytes);
        tally.add(Warning::InvalidUtf8, undecodable);
        text
    }
}

/// The file is taken to be sound: no column is counted, no character looked at, no repetition searched for, and text stays
/// bytes. What cannot be read without judging it, numbers above all, is read as it is otherwise.
pub(super) enum Unchecked {}

impl Checks for Unchecked {
    const ON: bool = false;

    fn schema(schema: Arc<Schema>) -> Arc<Schema> {
        let as_bytes = |data_type: &DataType| match data_type {
            DataType::Utf8 => DataType::Binary,
            other => other.clone(),
        };
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| {
                let data_type = match field.data_type() {
                    DataType::List(item) => {
                        let data_type = as_bytes(item.data_type());
                        DataType::List(Arc::new(item.as_ref().clone().with_data_type(data_type)))
                    }
                    other => as_bytes(other),
                };
                field.as_ref().clone().with_data_type(data_type)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    fn text(bytes: BinaryArray, _: &mut Tally) -> ArrayRef {
        Arc::new(bytes)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;

    use super::*;
    use vardelta_engine::contract::stage::Emit;

    #[test]
    fn undecodable_values_are_counted_one_by_one() {
        // The bytes of the second and third value are UTF-8 together, but neither is.
        let values: [Option<&[u8]>; 5] = [Some(b"caf\xc3\xa9"), Some(b"\xc3"), Some(b"\xa9"), None, Some(b"")];
        let mut tally = Tally::default();
        let text = Checked::text(BinaryArray::from_iter(values), &mut tally);
        let expected = StringArray::from(vec![Some("café"), Some("\u{fffd}c3"), Some("\u{fffd}a9"), None, Some("")]);
        assert_eq!(text.as_ref(), &expected as &dyn Array);
        let mut emit = Emit::default();
        tally.report(&mut emit);
        assert_eq!(emit.warnings.counts(), [("invalid_utf8", 2)]);
    }
}
