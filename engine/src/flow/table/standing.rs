//! The rows that stand, read from a table's state by others: by the joins that a table is a side of.

use super::{Assertion, corrupt};
use crate::{error::RunError, relational::Conflict, rows::Row, state::Reader};

/// The value of the row that stands for a key.
pub(crate) fn standing(
    reader: &mut Reader,
    key: &[u8],
    conflict: Conflict,
    stage: &str,
) -> Result<Option<Row>, RunError> {
    let Some(bytes) = reader.get(key)? else { return Ok(None) };
    let list = Assertion::decode(&bytes).ok_or_else(|| corrupt(stage))?;
    Ok(Assertion::winner(&list, conflict).map(|winner| winner.value.clone()))
}
