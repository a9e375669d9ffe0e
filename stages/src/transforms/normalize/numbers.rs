//! Splitting the lists of fields that have a value per allele (VCF 4.3, section 1.4.2: `Number` A, R and G).

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, UInt64Array,
    builder::StringBuilder,
};
use arrow_schema::ArrowError;
use arrow_select::take::take;
use vardelta_schemas::{Column, ColumnType, Number};

/// One allele that leaves the stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct AlleleOfRow {
    /// The row of the input.
    pub row: usize,
    /// The allele among the row's alternates, 0-based.
    pub allele: usize,
    /// How many alternates the row has, all kinds counted.
    pub alternates: usize,
}

/// What a list column becomes when its rows are split by allele; `None` where it stays a list.
pub(super) fn split_column(column: &Column) -> Option<Column> {
    let ColumnType::List(item) = &column.column_type else { return None };
    let column_type = match column.number? {
        Number::PerAlternate | Number::PerAllele => (**item).clone(),
        Number::PerGenotype => ColumnType::Text,
        Number::Count(_) | Number::Unknown => return None,
    };
    Some(Column { column_type, nullable: true, number: Some(Number::Count(1)), ..column.clone() })
}

/// Takes each allele's value. A row with another number of values than its alleles ask for gets NULL
/// and is listed.
pub(super) fn split(
    lists: &ListArray,
    number: Number,
    alleles: &[AlleleOfRow],
) -> Result<(ArrayRef, Vec<usize>), ArrowError> {
    let mut mismatches: Vec<usize> = Vec::new();
    let offsets = lists.value_offsets();
    // The first of a row's values, if there are as many as there must be.
    let mut first_value = |of: &AlleleOfRow, expected: usize| {
        let (first, count) = (offsets[of.row] as usize, (offsets[of.row + 1] - offsets[of.row]) as usize);
        let missing = lists.is_null(of.row) || count == 0 || (count == 1 && lists.values().is_null(first));
        if count == expected && !lists.is_null(of.row) {
            return Some(first);
        }
        if !missing {
            // Once, however many of its alleles ask.
            if mismatches.last() != Some(&of.row) {
                mismatches.push(of.row);
            }
        }
        None
    };
    let values: ArrayRef = match number {
        Number::PerGenotype => {
            let mut texts = StringBuilder::new();
            for of in alleles {
                let count = (offsets[of.row + 1] - offsets[of.row]) as usize;
                // Where no ploidy has so many genotypes, no count is right.
                let ploidy = ploidy(count, of.alternates + 1);
                match (first_value(of, ploidy.map_or(usize::MAX, |_| count)), ploidy) {
                    (Some(first), Some(ploidy)) => {
                        texts.append_value(genotype_values(lists.values(), first, of.allele + 1, ploidy));
                    }
                    _ => texts.append_null(),
                }
            }
            Arc::new(texts.finish())
        }
        _ => {
            let before = usize::from(number == Number::PerAllele);
            let items: UInt64Array = alleles
                .iter()
                .map(|of| first_value(of, of.alternates + before).map(|first| (first + before + of.allele) as u64))
                .collect();
            take(lists.values(), &items, None)?
        }
    };
    Ok((values, mismatches))
}

/// The ploidy at which that many alleles, at least two, have this number of genotypes.
fn ploidy(genotypes: usize, alleles: usize) -> Option<usize> {
    let counts = (1..=genotypes).map(|ploidy| (ploidy, choose(alleles + ploidy - 1, ploidy)));
    counts.take_while(|(_, count)| *count <= genotypes).find(|(_, count)| *count == genotypes).map(|(ploidy, _)| ploidy)
}

/// The values of the genotypes of the reference and one alternate, from no copy of the alternate to as many as there are
/// copies. Of alleles a1 <= a2 <= … the genotype is at C(a1, 1) + C(a2 + 1, 2) + … (VCF 4.3, section 1.6.2).
fn genotype_values(values: &dyn Array, first: usize, allele: usize, ploidy: usize) -> String {
    let mut place = first;
    let mut shown = value_text(values, first);
    for copy in (1..=ploidy).rev() {
        place += choose(allele + copy - 1, copy);
        shown.push(',');
        shown.push_str(&value_text(values, place));
    }
    shown
}

/// In how many ways `k` of `n` can be chosen; a number beyond any list where it is too large to count.
fn choose(n: usize, k: usize) -> usize {
    (1..=k).try_fold(1usize, |ways, at| Some(ways.checked_mul(n - k + at)? / at)).unwrap_or(usize::MAX)
}

/// A value as text; `.` for NULL, as VCF writes it.
fn value_text(values: &dyn Array, at: usize) -> String {
    if values.is_null(at) {
        return ".".to_owned();
    }
    let any = values.as_any();
    if let Some(values) = any.downcast_ref::<Int64Array>() {
        values.value(at).to_string()
    } else if let Some(values) = any.downcast_ref::<Float64Array>() {
        values.value(at).to_string()
    } else if let Some(values) = any.downcast_ref::<StringArray>() {
        values.value(at).to_owned()
    } else if let Some(values) = any.downcast_ref::<BooleanArray>() {
        values.value(at).to_string()
    } else {
        ".".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int64Type;

    use super::*;

    /// Rows as lists; for each row all its alternates leave the stage.
    fn check(number: Number, rows: &[(usize, Option<Vec<Option<i64>>>)], expected: &[Option<&str>], mismatches: u64) {
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(rows.iter().map(|(_, values)| values.clone()));
        let alleles: Vec<AlleleOfRow> = rows
            .iter()
            .enumerate()
            .flat_map(|(row, (alternates, _))| {
                (0..*alternates).map(move |allele| AlleleOfRow { row, allele, alternates: *alternates })
            })
            .collect();
        let (values, counted) = split(&lists, number, &alleles).expect("takes");
        let shown: Vec<Option<String>> =
            (0..values.len()).map(|at| values.is_valid(at).then(|| value_text(&values, at))).collect();
        assert_eq!(shown.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
        assert_eq!(counted.len() as u64, mismatches);
    }

    #[test]
    fn each_allele_gets_its_own_value() {
        let two = |values: &[i64]| (2, Some(values.iter().map(|value| Some(*value)).collect()));
        check(Number::PerAlternate, &[two(&[7, 8])], &[Some("7"), Some("8")], 0);
        check(Number::PerAllele, &[two(&[6, 7, 8])], &[Some("7"), Some("8")], 0);
        check(Number::PerGenotype, &[two(&[0, 1, 2, 3, 4, 5])], &[Some("0,1,2"), Some("0,3,5")], 0);
        check(Number::PerGenotype, &[(1, Some(vec![Some(9), None, Some(0)]))], &[Some("9,.,0")], 0);
    }

    #[test]
    fn values_per_genotype_follow_the_ploidy() {
        let row = |alternates, count: i64| [(alternates, Some((0..count).map(Some).collect()))];
        // Haploid: one value per allele.
        check(Number::PerGenotype, &row(1, 2), &[Some("0,1")], 0);
        check(Number::PerGenotype, &row(2, 3), &[Some("0,1"), Some("0,2")], 0);
        // Triploid: 000 001 011 111 002 012 112 022 122 222.
        check(Number::PerGenotype, &row(1, 4), &[Some("0,1,2,3")], 0);
        check(Number::PerGenotype, &row(2, 10), &[Some("0,1,2,3"), Some("0,4,7,9")], 0);
        // Tetraploid: 15 genotypes of three alleles.
        check(Number::PerGenotype, &row(2, 15), &[Some("0,1,2,3,4"), Some("0,5,9,12,14")], 0);
    }

    #[test]
    fn a_wrong_count_is_null_and_counted_once_per_row() {
        check(Number::PerAlternate, &[(2, Some(vec![Some(7)]))], &[None, None], 1);
        check(Number::PerAllele, &[(2, Some(vec![Some(7), Some(8)]))], &[None, None], 1);
        check(Number::PerGenotype, &[(2, Some(vec![Some(7); 5]))], &[None, None], 1);
    }

    #[test]
    fn what_is_missing_is_null_and_not_counted() {
        check(Number::PerAlternate, &[(2, None), (1, Some(vec![])), (2, Some(vec![None]))], &[None; 5], 0);
        check(Number::PerAlternate, &[(2, Some(vec![Some(1), None]))], &[Some("1"), None], 0);
    }
}
