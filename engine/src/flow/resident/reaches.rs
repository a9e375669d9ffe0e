//! The stretches of the left side that a changed model has to look at again, as ranges of encoded entries.

use arrow_array::{ArrayRef, Int64Array, StringArray};

use super::layout::place_converter;
use crate::{error::RunError, relational::Reach};

/// Merges reaches that overlap; in order of contig and position.
pub(super) fn merged(mut reaches: Vec<Reach>) -> Vec<Reach> {
    reaches.sort_unstable();
    let mut merged: Vec<Reach> = Vec::new();
    for reach in reaches {
        match merged.last_mut() {
            Some(last) if last.contig == reach.contig && reach.from <= last.to.saturating_add(1) => {
                last.to = last.to.max(reach.to);
            }
            _ => merged.push(reach),
        }
    }
    merged
}

/// The first key of a range, and the first one after it.
pub(super) type KeyRange = (Vec<u8>, Vec<u8>);

/// The ranges of entries that begin in these reaches or at most `long_bp` before them: the first entry, and the first after them.
pub(super) fn ranges(reaches: &[Reach], long_bp: i64) -> Result<Vec<KeyRange>, RunError> {
    let earlier = |reach: &Reach| Reach { from: reach.from.saturating_sub(long_bp), ..reach.clone() };
    let reaches = merged(reaches.iter().map(earlier).collect());
    let converter = place_converter()?;
    let encode = |position: fn(&Reach) -> i64| {
        let contigs = StringArray::from_iter_values(reaches.iter().map(|reach| &reach.contig));
        let positions = Int64Array::from_iter_values(reaches.iter().map(position));
        let columns: [ArrayRef; 2] = [std::sync::Arc::new(contigs), std::sync::Arc::new(positions)];
        converter.convert_columns(&columns).map_err(RunError::internal)
    };
    let (from, to) = (encode(|reach| reach.from)?, encode(|reach| reach.to.saturating_add(1))?);
    Ok((0..reaches.len()).map(|at| (from.row(at).data().to_vec(), to.row(at).data().to_vec())).collect())
}

#[cfg(test)]
mod tests {
    use super::{merged, ranges};
    use crate::relational::Reach;

    fn reach(contig: &str, from: i64, to: i64) -> Reach {
        Reach { contig: contig.to_owned(), from, to }
    }

    #[test]
    fn stretches_that_touch_are_one() {
        let reaches =
            vec![reach("2", 5, 9), reach("1", 20, 30), reach("1", 1, 10), reach("1", 11, 12), reach("1", 2, 3)];
        assert_eq!(merged(reaches), [reach("1", 1, 12), reach("1", 20, 30), reach("2", 5, 9)]);
    }

    #[test]
    fn ranges_begin_as_early_as_a_row_that_is_not_long() {
        let found = ranges(&[reach("1", 100, 200), reach("1", 205, 210)], 10).expect("encodes");
        let expected = ranges(&[reach("1", 90, 210)], 0).expect("encodes");
        assert_eq!(found, expected);
        assert!(found[0].0 < found[0].1);
    }
}
