//! The genotype as one allele sees it: what `bcftools norm -m -` writes.

use arrow_array::{Array, StringArray, builder::StringBuilder};

use crate::transforms::normalize::numbers::AlleleOfRow;

/// Each allele's genotype: its own number is 1, the reference and every other alternate 0; `.`, phase and ploidy stay.
pub(super) fn split(genotypes: &StringArray, alleles: &[AlleleOfRow]) -> StringArray {
    let mut split = StringBuilder::with_capacity(alleles.len(), alleles.len() * 3);
    let mut text = String::new();
    for of in alleles {
        if genotypes.is_null(of.row) {
            split.append_null();
        } else if of.alternates == 1 {
            split.append_value(genotypes.value(of.row));
        } else {
            text.clear();
            of_allele(genotypes.value(of.row), of.allele + 1, &mut text);
            split.append_value(&text);
        }
    }
    split.finish()
}

fn of_allele(genotype: &str, allele: usize, text: &mut String) {
    let mut rest = genotype;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            text.push(if rest[..digits].parse() == Ok(allele) { '1' } else { '0' });
            rest = &rest[digits..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alternate_gets_its_own_genotype() {
        let cases = [
            ("0/0", "0/0", "0/0"),
            ("0/1", "0/1", "0/0"),
            ("1/2", "1/0", "0/1"),
            ("2|1", "0|1", "1|0"),
            ("2|2", "0|0", "1|1"),
            ("./2", "./0", "./1"),
            ("./.", "./.", "./."),
            ("2", "0", "1"),
            ("0/1/2/3", "0/1/0/0", "0/0/1/0"),
            ("|1|2", "|1|0", "|0|1"),
            ("0/12", "0/0", "0/0"),
        ];
        let genotypes: StringArray = cases.iter().map(|(genotype, ..)| Some(*genotype)).chain([None]).collect();
        let of = |allele| -> Vec<AlleleOfRow> {
            (0..=cases.len()).map(|row| AlleleOfRow { row, allele, alternates: 12 }).collect()
        };
        for (allele, expected) in [(0, cases.map(|case| case.1)), (1, cases.map(|case| case.2))] {
            let split = split(&genotypes, &of(allele));
            assert_eq!(split.iter().flatten().collect::<Vec<_>>(), expected);
            assert!(split.is_null(cases.len()));
        }
        let only = [AlleleOfRow { row: 1, allele: 0, alternates: 1 }];
        assert_eq!(split(&genotypes, &only).value(0), "0/1");
    }
}
