//! The first rows of groups, among all rows of these groups.

use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_row::{RowConverter, SortField};
use arrow_select::take::take_record_batch;

use crate::{error::RunError, relational::TopSpec};

/// Of all rows of some groups those that a `top` puts out. A row that cannot be put in order is in no group.
/// With each row goes what it is made of.
pub(super) fn first_rows<Part: Clone>(
    spec: &TopSpec,
    all: Vec<(RecordBatch, Vec<Part>)>,
) -> Result<Vec<(RecordBatch, Vec<Part>)>, RunError> {
    let of_column = |at: &usize| SortField::new(spec.schema.columns()[*at].column_type.to_arrow());
    let groups = RowConverter::new(spec.by.iter().map(of_column).collect()).map_err(RunError::internal)?;
    let order = spec
        .order
        .iter()
        .map(|(by, order)| SortField::new_with_options(by.column_type.to_arrow(), order.sort_options()));
    let places =
        RowConverter::new(order.chain(spec.key.iter().map(of_column)).collect()).map_err(RunError::internal)?;
    let mut ordered: Vec<(Vec<u8>, Vec<u8>, usize, usize)> = Vec::new();
    for (batch, (rows, _)) in all.iter().enumerate() {
        let columns = |of: &[usize]| of.iter().map(|at| ArrayRef::clone(rows.column(*at))).collect::<Vec<_>>();
        let mut failed = vec![false; rows.num_rows()];
        let mut place = Vec::new();
        for (by, _) in &spec.order {
            let evaluated = by.evaluate(rows);
            evaluated.failures.iter().for_each(|failure| failed[failure.row] = true);
            place.push(evaluated.values);
        }
        place.extend(columns(&spec.key));
        let places = places.convert_columns(&place).map_err(RunError::internal)?;
        let groups = match spec.by.is_empty() {
            true => None,
            false => Some(groups.convert_columns(&columns(&spec.by)).map_err(RunError::internal)?),
        };
        for row in (0..rows.num_rows()).filter(|row| !failed[*row]) {
            let group = groups.as_ref().map_or_else(Vec::new, |groups| groups.row(row).data().to_vec());
            ordered.push((group, places.row(row).data().to_vec(), batch, row));
        }
    }
    ordered.sort_unstable();
    let mut kept: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    for group in ordered.chunk_by(|a, b| a.0 == b.0) {
        let n = usize::try_from(spec.n).unwrap_or(usize::MAX);
        group.iter().take(n).for_each(|(_, _, batch, row)| kept[*batch].push(*row));
    }
    let mut first = Vec::new();
    for ((rows, parts), kept) in all.into_iter().zip(&mut kept).filter(|(_, kept)| !kept.is_empty()) {
        kept.sort_unstable();
        let places: UInt64Array = kept.iter().map(|row| *row as u64).collect();
        let rows = take_record_batch(&rows, &places).map_err(RunError::internal)?;
        first.push((rows, kept.iter().map(|row| parts[*row].clone()).collect()));
    }
    Ok(first)
}
