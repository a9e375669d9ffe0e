//! The model of `cohort.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Arrival, Counts, Expected,
    alleles::{Allele, alleles},
    count,
    numbers::{decimal, decimal_mean, mean, narrow, sum, wide},
    standing,
};
use crate::{
    database::{Cell, Rows},
    record::Line,
};

pub(super) fn every_allele(drop: &[Line]) -> Vec<Arrival<Allele>> {
    let of_line = |(record, line): (usize, &Line)| {
        alleles(line).alleles.into_iter().map(move |row| Arrival { record, key: row.key.clone(), row })
    };
    drop.iter().enumerate().flat_map(of_line).collect()
}

fn is_interesting(allele: &Allele) -> bool {
    allele.frequency.is_some_and(|frequency| frequency >= 0.5) || allele.significance.is_some()
}

pub(super) fn interesting(drop: &[Line]) -> Vec<Arrival<Allele>> {
    every_allele(drop).into_iter().filter(|arrival| is_interesting(&arrival.row)).collect()
}

/// The accounting.
pub fn counts(drop: &[Line]) -> Counts {
    let filtered: Vec<bool> = drop.iter().map(|line| alleles(line).filtered).collect();
    let places = |rows: Vec<Arrival<Allele>>| rows.into_iter().map(|arrival| (arrival.record, arrival.key)).collect();
    count(&filtered, &[places(every_allele(drop)), places(interesting(drop))])
}

/// The tables.
pub fn expected(drops: &[&[Line]]) -> Expected {
    let every: Vec<_> = drops.iter().map(|drop| every_allele(drop)).collect();
    let some: Vec<_> = drops.iter().map(|drop| interesting(drop)).collect();
    let (sites, observations) = (standing(&every, false), standing(&some, true));
    let deep: BTreeMap<_, _> = sites.iter().filter(|(_, row)| row.depth.is_some_and(|depth| depth >= 20)).collect();
    let table = |rows: Rows, name: &str| (name.to_owned(), rows);
    Expected::from([
        table(deep.iter().map(|(key, row)| ((*key).clone(), site(row))).collect(), "deep"),
        table(observations.iter().map(|(key, row)| (key.clone(), observation(row))).collect(), "observations"),
        table(groups(deep.values().copied(), |row| row.key[0].clone(), per_chromosome), "per_chromosome"),
        table(groups(sites.values(), |row| Cell::text(row.gene.as_deref()), per_gene), "per_gene"),
        // One row, also over nothing; but no row before the first epoch.
        table(Rows::from([(vec![], everything(&sites.values().collect::<Vec<_>>()))]), "everything"),
        table(
            groups(observations.values(), |row| Cell::text(row.significance.as_deref()), totals),
            "observation_totals",
        ),
    ])
}

fn groups<'a>(
    rows: impl Iterator<Item = &'a Allele>,
    group: impl Fn(&Allele) -> Cell,
    columns: impl Fn(&[&Allele]) -> Vec<Cell>,
) -> Rows {
    let mut groups: BTreeMap<Cell, Vec<&Allele>> = BTreeMap::new();
    for row in rows {
        groups.entry(group(row)).or_default().push(row);
    }
    groups.into_iter().map(|(group, rows)| (vec![group], columns(&rows))).collect()
}

fn passed(row: &Allele) -> Option<bool> {
    row.filter.as_ref().map(|filter| filter == "PASS")
}

fn site(row: &Allele) -> Vec<Cell> {
    vec![
        Cell::real(row.quality),
        Cell::integer(row.depth),
        Cell::boolean(passed(row)),
        Cell::text(row.gene.as_deref()),
        Cell::text(row.significance.as_deref()),
    ]
}

/// Thousandths.
fn observed_quality(row: &Allele) -> Option<i128> {
    row.quality.map(|quality| decimal(quality, 1000.0, 3))
}

fn observation(row: &Allele) -> Vec<Cell> {
    vec![narrow(observed_quality(row), 3), Cell::real(row.frequency), Cell::text(row.significance.as_deref())]
}

fn number(count: usize) -> Cell {
    Cell::Integer(count as i64)
}

fn greatest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.max_by(f64::total_cmp)
}

fn distinct<'a>(values: impl Iterator<Item = Option<&'a String>>) -> usize {
    values.flatten().collect::<BTreeSet<_>>().len()
}

fn per_chromosome(rows: &[&Allele]) -> Vec<Cell> {
    let qualities: Vec<f64> = rows.iter().filter_map(|row| row.quality).collect();
    let passes: Vec<bool> = rows.iter().filter_map(|row| passed(row)).collect();
    let of_passes = |value: bool| Cell::boolean((!passes.is_empty()).then_some(value));
    vec![
        number(rows.len()),
        number(qualities.len()),
        Cell::real(sum(&qualities)),
        Cell::real(mean(&qualities)),
        Cell::integer(rows.iter().filter_map(|row| row.depth).min()),
        Cell::integer(rows.iter().filter_map(|row| row.depth).max()),
        number(distinct(rows.iter().map(|row| row.significance.as_ref()))),
        of_passes(passes.iter().all(|pass| *pass)),
        of_passes(passes.iter().any(|pass| *pass)),
    ]
}

fn per_gene(rows: &[&Allele]) -> Vec<Cell> {
    let depths: Vec<i64> = rows.iter().filter_map(|row| row.depth).collect();
    let depth_sum: i64 = depths.iter().sum();
    let position = |row: &&Allele| match row.key[1] {
        Cell::Integer(position) => Some(position),
        _ => None,
    };
    vec![
        number(rows.len()),
        Cell::integer(rows.iter().filter_map(position).max()),
        Cell::text(rows.iter().filter_map(|row| row.significance.as_deref()).min()),
        Cell::integer((!depths.is_empty()).then_some(depth_sum)),
        wide(decimal_mean(depth_sum.into(), depths.len() as i128, 4), 4),
    ]
}

fn everything(rows: &[&Allele]) -> Vec<Cell> {
    let qualities: Vec<f64> = rows.iter().filter_map(|row| row.quality).collect();
    vec![
        number(rows.len()),
        Cell::real(sum(&qualities)),
        number(distinct(rows.iter().map(|row| row.gene.as_ref()))),
        number(rows.iter().filter(|row| row.significance.as_deref() == Some("Benign")).count()),
        Cell::real(greatest(qualities.into_iter())),
    ]
}

fn totals(rows: &[&Allele]) -> Vec<Cell> {
    let qualities: Vec<i128> = rows.iter().filter_map(|row| observed_quality(row)).collect();
    let quality_sum: i128 = qualities.iter().sum();
    vec![
        number(rows.len()),
        wide((!qualities.is_empty()).then_some(quality_sum), 3),
        narrow(decimal_mean(quality_sum, qualities.len() as i128, 4), 7),
        Cell::real(greatest(rows.iter().filter_map(|row| row.frequency))),
    ]
}
