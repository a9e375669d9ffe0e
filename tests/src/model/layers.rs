//! The model of `layers.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arrival, Counts, Expected, alleles::alleles, count, standing_by};
use crate::{
    database::{Cell, Rows},
    record::Line,
};

/// A row of `hits`.
#[derive(Clone)]
struct Hit {
    /// Contig, position, reference and alternate allele, gene.
    key: Vec<Cell>,
    gene: String,
    consequence: Option<String>,
    depth: Option<i64>,
}

/// A row per annotation of every allele; an allele without any has one all the same.
fn hits(drop: &[Line]) -> Vec<Arrival<Hit>> {
    let mut arrivals = Vec::new();
    for (record, line) in drop.iter().enumerate() {
        for allele in alleles(line).alleles {
            let annotated =
                allele.annotations.iter().map(|(consequence, gene)| (Some(consequence.clone()), gene.clone()));
            let bare = allele.annotations.is_empty().then(|| (None, "none".to_owned()));
            for (consequence, gene) in annotated.chain(bare) {
                let mut key = allele.key.clone();
                key.push(Cell::Text(gene.clone()));
                let row = Hit { key: key.clone(), gene, consequence, depth: allele.depth };
                arrivals.push(Arrival { record, key, row });
            }
        }
    }
    arrivals
}

/// The accounting.
pub fn counts(drop: &[Line]) -> Counts {
    let filtered: Vec<bool> = drop.iter().map(|line| alleles(line).filtered).collect();
    count(&filtered, &[hits(drop).into_iter().map(|arrival| (arrival.record, arrival.key)).collect()])
}

fn number(count: usize) -> Cell {
    Cell::Integer(count as i64)
}

fn depth_sum(rows: &[&Hit]) -> Option<i64> {
    let depths: Vec<i64> = rows.iter().filter_map(|row| row.depth).collect();
    (!depths.is_empty()).then(|| depths.iter().sum())
}

/// The tables.
pub fn expected(drops: &[&[Line]]) -> Expected {
    let arrived: Vec<_> = drops.iter().map(|drop| hits(drop)).collect();
    let table = standing_by(&arrived, |old, new| new.depth >= old.depth);
    let mut genes: BTreeMap<&str, Vec<&Hit>> = BTreeMap::new();
    let mut notable: BTreeMap<(Cell, &str), Vec<&Hit>> = BTreeMap::new();
    for hit in table.values() {
        genes.entry(&hit.gene).or_default().push(hit);
        let is_severe = hit.consequence.as_deref() == Some("stop_gained");
        let is_deep = hit.depth.is_some_and(|depth| depth >= 20);
        for _ in [is_severe, is_deep].into_iter().filter(|is| *is) {
            notable.entry((hit.key[0].clone(), &hit.gene)).or_default().push(hit);
        }
    }
    let label = |hit: &Hit| {
        let consequence = hit.consequence.as_deref().unwrap_or("-");
        let label = format!("{}:{consequence}", hit.gene.to_lowercase());
        vec![Cell::Text(label), Cell::integer(hit.depth.map(|depth| depth / 10))]
    };
    let busy = genes
        .iter()
        .filter(|(_, hits)| hits.len() >= 4)
        .map(|(gene, hits)| (vec![Cell::text(Some(gene))], vec![number(hits.len()), Cell::integer(depth_sum(hits))]));
    let mut sizes: BTreeMap<usize, Vec<Option<i64>>> = BTreeMap::new();
    for hits in genes.values() {
        sizes.entry(hits.len()).or_default().push(depth_sum(hits));
    }
    let sizes = sizes.iter().map(|(hits, sums)| {
        (vec![number(*hits)], vec![number(sums.len()), Cell::integer(sums.iter().flatten().max().copied())])
    });
    let totals = |rows: &[&Hit]| {
        let consequences: BTreeSet<_> = rows.iter().filter_map(|row| row.consequence.as_ref()).collect();
        let share = depth_sum(rows).map(|sum| 100.0 * sum as f64 / rows.len() as f64);
        let position = rows.iter().map(|row| row.key[1].clone()).min();
        vec![
            number(rows.len()),
            number(consequences.len()),
            position.unwrap_or(Cell::Null),
            Cell::real(share.map(|share| (share * 10.0).round() / 10.0)),
        ]
    };
    let rows = |name: &str, rows: Rows| (name.to_owned(), rows);
    Expected::from([
        rows("labels", table.iter().map(|(key, hit)| (key.clone(), label(hit))).collect()),
        rows("busy", busy.collect()),
        rows("sizes", sizes.collect()),
        rows(
            "notable_totals",
            notable
                .iter()
                .map(|((contig, gene), rows)| (vec![contig.clone(), Cell::text(Some(gene))], totals(rows)))
                .collect(),
        ),
    ])
}
