//! The model of `carriers.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Arrival, Counts, Expected,
    alleles::{Allele, alleles},
    count, standing,
};
use crate::{
    database::{Cell, Rows},
    record::{Call, Line},
};

/// The samples' names in the rows; the files call the second `s2`.
const NAMES: [&str; 2] = ["s1", "two"];

/// A sample's genotype at an allele.
#[derive(Clone, Debug)]
struct Genotype {
    sample: &'static str,
    text: Option<String>,
    zygosity: Option<&'static str>,
    copies: Option<i64>,
    gene: Option<String>,
}

fn genotype(call: &Call, allele: &Allele, sample: usize) -> Genotype {
    let none = Genotype { sample: NAMES[sample], text: None, zygosity: None, copies: None, gene: allele.gene.clone() };
    let Some(genotypes) = &call.genotypes else { return none };
    let written = genotypes[sample].as_str();
    if written == "." {
        return Genotype { zygosity: Some("missing"), ..none };
    }
    let numbers: Vec<Option<usize>> = written.split(['/', '|']).map(|number| number.parse().ok()).collect();
    let called: Vec<usize> = numbers.iter().flatten().copied().collect();
    if called.iter().any(|number| *number > call.alternates.len()) {
        return none;
    }
    let zygosity = match &called[..] {
        [] => "missing",
        called if called.iter().all(|number| *number == 0) && called.len() < numbers.len() => "missing",
        called if called.iter().all(|number| *number == 0) => "hom_ref",
        [_] if numbers.len() == 1 => "hemi",
        called if called.len() == numbers.len() && called.iter().all(|number| *number == called[0]) => "hom_alt",
        _ => "het",
    };
    let own = |number: &usize| *number == allele.number + 1;
    let copies = called.iter().filter(|number| own(number)).count() as i64;
    let mut text = String::new();
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            text.push(if written.contains('|') { '|' } else { '/' });
        }
        text.push_str(match number {
            None => ".",
            Some(number) if own(number) => "1",
            Some(_) => "0",
        });
    }
    Genotype { text: Some(text), zygosity: Some(zygosity), copies: (zygosity != "missing").then_some(copies), ..none }
}

fn genotypes(drop: &[Line]) -> Vec<Arrival<Genotype>> {
    let mut rows = Vec::new();
    for (record, line) in drop.iter().enumerate() {
        let Line::Call(call) = line else { continue };
        for allele in alleles(line).alleles {
            for sample in 0..NAMES.len() {
                let row = genotype(call, &allele, sample);
                let key = allele.key.iter().cloned().chain([Cell::text(Some(row.sample))]).collect();
                rows.push(Arrival { record, key, row });
            }
        }
    }
    rows
}

/// The accounting.
pub fn counts(drop: &[Line]) -> Counts {
    let filtered: Vec<bool> = drop.iter().map(|line| alleles(line).filtered).collect();
    let places = genotypes(drop).into_iter().map(|arrival| (arrival.record, arrival.key)).collect();
    count(&filtered, &[places])
}

/// The tables.
pub fn expected(drops: &[&[Line]]) -> Expected {
    let all: Vec<_> = drops.iter().map(|drop| genotypes(drop)).collect();
    let table = standing(&all, false);
    let row = |row: &Genotype| {
        vec![
            Cell::text(row.text.as_deref()),
            Cell::text(row.zygosity),
            Cell::integer(row.copies),
            Cell::text(row.gene.as_deref()),
        ]
    };
    let rows: Vec<&Genotype> = table.values().collect();
    Expected::from([
        ("genotypes".to_owned(), table.iter().map(|(key, genotype)| (key.clone(), row(genotype))).collect()),
        ("per_gene".to_owned(), groups(&rows, |row| Cell::text(row.gene.as_deref()), per_gene)),
        ("per_zygosity".to_owned(), groups(&rows, |row| Cell::text(row.zygosity), per_zygosity)),
    ])
}

fn groups(rows: &[&Genotype], group: impl Fn(&Genotype) -> Cell, columns: impl Fn(&[&Genotype]) -> Vec<Cell>) -> Rows {
    let mut groups: BTreeMap<Cell, Vec<&Genotype>> = BTreeMap::new();
    for row in rows {
        groups.entry(group(row)).or_default().push(row);
    }
    groups.into_iter().map(|(group, rows)| (vec![group], columns(&rows))).collect()
}

fn number(count: usize) -> Cell {
    Cell::Integer(count as i64)
}

fn samples<'a>(rows: impl Iterator<Item = &'a &'a Genotype>) -> Cell {
    number(rows.map(|row| row.sample).collect::<BTreeSet<_>>().len())
}

fn per_gene(rows: &[&Genotype]) -> Vec<Cell> {
    let carries = |row: &&&Genotype| row.copies.is_some_and(|copies| copies > 0);
    let carried_as =
        |zygosity: &str| number(rows.iter().filter(carries).filter(|row| row.zygosity == Some(zygosity)).count());
    let known: Vec<i64> = rows.iter().filter_map(|row| row.copies).collect();
    vec![
        samples(rows.iter().filter(carries)),
        carried_as("het"),
        carried_as("hom_alt"),
        number(rows.iter().filter(|row| row.copies.is_none()).count()),
        Cell::integer((!known.is_empty()).then(|| known.iter().sum())),
    ]
}

fn per_zygosity(rows: &[&Genotype]) -> Vec<Cell> {
    vec![number(rows.len()), samples(rows.iter())]
}
