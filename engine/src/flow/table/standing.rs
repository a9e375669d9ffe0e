//! The rows that stand, read from a table's state by others: by the joins and the like that a table is a side of.

use super::{Assertion, corrupt};
use crate::{error::RunError, relational::Conflict, rows::Row, state::Reader};

/// The value of the row that stands for a key.
pub(crate) fn standing(
    reader: &mut Reader,
    key: &[u8],
    conflict: Conflict,
    stage: &str,
) -> Result<Option<Row>, RunError> {
    match reader.get(key)? {
        Some(bytes) => value(&bytes, conflict, stage),
        None => Ok(None),
    }
}

/// Adds the rows that stand, key and value in order, from one key up to another, which is left out; all that follow where
/// there is none. So many at the most: the key to go on from, where there may be more.
pub(crate) fn standing_rows(
    reader: &mut Reader,
    (from, before): (&[u8], Option<&[u8]>),
    limit: usize,
    (conflict, stage): (Conflict, &str),
    rows: &mut Vec<(Row, Row)>,
) -> Result<Option<Vec<u8>>, RunError> {
    let mut scan = reader.scan(from)?;
    for taken in 0.. {
        match scan.next_borrowed()? {
            Some((key, _)) if before.is_some_and(|before| key >= before) => break,
            Some((key, _)) if taken == limit => return Ok(Some(key.to_vec())),
            Some((key, bytes)) => rows.extend(value(bytes, conflict, stage)?.map(|value| (key.into(), value))),
            None => break,
        }
    }
    Ok(None)
}

fn value(bytes: &[u8], conflict: Conflict, stage: &str) -> Result<Option<Row>, RunError> {
    let list = Assertion::decode(bytes).ok_or_else(|| corrupt(stage))?;
    Ok(Assertion::winner(&list, conflict).map(|winner| conflict.row(&winner.value).into()))
}
