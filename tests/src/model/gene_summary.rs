//! The model of `gene_summary.toml`.

use std::collections::BTreeMap;

use super::{
    Arrival, Counts, Expected,
    alleles::{Allele, alleles},
    count,
    numbers::{decimal, decimal_mean, narrow},
    standing,
};
use crate::{database::Cell, record::Line};

/// A row of `variants` outside its key.
#[derive(Clone)]
struct Variant {
    /// In hundredths.
    quality: i128,
    gene: String,
    significance: Option<String>,
}

/// The rows of a drop that pass the filter, and which records lost a row to it.
fn arrivals(drop: &[Line]) -> (Vec<Arrival<Variant>>, Vec<bool>) {
    let (mut rows, mut filtered) = (Vec::new(), Vec::new());
    for (record, line) in drop.iter().enumerate() {
        let made = alleles(line);
        let mut lost = made.filtered;
        for allele in made.alleles {
            let key = allele.key.clone();
            match variant(allele) {
                Some(row) => rows.push(Arrival { record, key, row }),
                None => lost = true,
            }
        }
        filtered.push(lost);
    }
    (rows, filtered)
}

fn variant(allele: Allele) -> Option<Variant> {
    let quality = allele.quality.filter(|quality| *quality >= 20.0)?;
    (allele.filter.as_deref() == Some("PASS")).then_some(())?;
    let gene = allele.gene?;
    Some(Variant { quality: decimal(quality, 100.0, 2), gene, significance: allele.significance })
}

/// The tables.
pub fn expected(drops: &[&[Line]]) -> Expected {
    let arrived: Vec<_> = drops.iter().map(|drop| arrivals(drop).0).collect();
    let variants = standing(&arrived, false);
    let mut genes: BTreeMap<&str, Vec<&Variant>> = BTreeMap::new();
    for variant in variants.values() {
        genes.entry(&variant.gene).or_default().push(variant);
    }
    let cells = |variant: &Variant| {
        vec![
            narrow(Some(variant.quality), 2),
            Cell::Text(variant.gene.clone()),
            Cell::text(variant.significance.as_deref()),
        ]
    };
    let summary = |variants: &[&Variant]| {
        let sum = variants.iter().map(|variant| variant.quality).sum();
        let pathogenic =
            variants.iter().filter(|variant| variant.significance.as_deref() == Some("Pathogenic")).count();
        vec![
            Cell::Integer(variants.len() as i64),
            narrow(decimal_mean(sum, variants.len() as i128, 4), 6),
            Cell::Integer(pathogenic as i64),
        ]
    };
    Expected::from([
        ("variants".to_owned(), variants.iter().map(|(key, row)| (key.clone(), cells(row))).collect()),
        (
            "mutation_summary".to_owned(),
            genes.iter().map(|(gene, rows)| (vec![Cell::text(Some(gene))], summary(rows))).collect(),
        ),
    ])
}

/// The accounting.
pub fn counts(drop: &[Line]) -> Counts {
    let (rows, filtered) = arrivals(drop);
    count(&filtered, &[rows.into_iter().map(|arrival| (arrival.record, arrival.key)).collect()])
}
