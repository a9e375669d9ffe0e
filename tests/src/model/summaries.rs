//! The model of `summaries.toml`: every group's values in lists, everything computed from the lists.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Counts, Expected,
    alleles::Allele,
    cohort::every_allele,
    count,
    numbers::{decimal, decimal_mean, mean, narrow, wide},
    standing,
};
use crate::{
    database::{Cell, Rows},
    record::Line,
};

/// A row of the table.
struct Site {
    key: Vec<Cell>,
    quality: Option<f64>,
    /// Thousandths.
    score: Option<i128>,
    depth: Option<i64>,
    passed: Option<bool>,
    gene: Option<String>,
    significance: Option<String>,
}

impl Site {
    fn of(row: &Allele) -> Site {
        Site {
            key: row.key.clone(),
            quality: row.quality,
            score: row.quality.map(|quality| decimal(quality, 1000.0, 3)),
            depth: row.depth,
            passed: row.filter.as_ref().map(|filter| filter == "PASS"),
            gene: row.gene.clone(),
            significance: row.significance.clone(),
        }
    }

    fn text(&self, column: usize) -> String {
        match &self.key[column] {
            Cell::Text(text) => text.clone(),
            Cell::Integer(number) => number.to_string(),
            other => panic!("{other:?} in a key"),
        }
    }

    fn position(&self) -> i64 {
        self.text(1).parse().expect("a position is a number")
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::real(self.quality),
            narrow(self.score, 3),
            Cell::integer(self.depth),
            Cell::boolean(self.passed),
            Cell::text(self.gene.as_deref()),
            Cell::text(self.significance.as_deref()),
        ]
    }
}

/// The accounting.
pub fn counts(drop: &[Line]) -> Counts {
    let filtered: Vec<bool> = drop.iter().map(|line| super::alleles::alleles(line).filtered).collect();
    let places = every_allele(drop).into_iter().map(|arrival| (arrival.record, arrival.key)).collect();
    count(&filtered, &[places])
}

/// The tables.
pub fn expected(drops: &[&[Line]]) -> Expected {
    let every: Vec<_> = drops.iter().map(|drop| every_allele(drop)).collect();
    // A record's own allele may have come to be at another key than the one it is stored under; the table's key counts.
    let sites: Vec<Site> =
        standing(&every, false).into_iter().map(|(key, row)| Site { key, ..Site::of(&row) }).collect();
    let all: Vec<&Site> = sites.iter().collect();
    let mut genes: BTreeMap<Cell, Vec<&Site>> = BTreeMap::new();
    all.iter().for_each(|site| genes.entry(Cell::text(site.gene.as_deref())).or_default().push(site));
    let groups = |columns: &dyn Fn(&[&Site]) -> Vec<Cell>| -> Rows {
        genes.iter().map(|(gene, sites)| (vec![gene.clone()], columns(sites))).collect()
    };
    let per_gene = groups(&|sites| per_gene(sites));
    let best: Vec<&Site> = genes.values().flat_map(|sites| best(sites)).collect();
    let rows = |sites: &[&Site]| -> Rows { sites.iter().map(|site| (site.key.clone(), site.cells())).collect() };
    let mut busiest: Vec<(&Vec<Cell>, &Vec<Cell>)> = per_gene.iter().collect();
    // NULL comes first among keys, as in `Cell`.
    busiest.sort_by_key(|(key, cells)| (Reverse(cells[0].clone()), (*key).clone()));
    let busiest = busiest.into_iter().take(2).map(|(key, cells)| (key.clone(), cells.clone())).collect();
    let table = |rows: Rows, name: &str| (name.to_owned(), rows);
    Expected::from([
        table(busiest, "busiest"),
        table(groups(&|sites| gene_lists(sites)), "gene_lists"),
        table(groups(&|sites| gene_middles(sites)), "gene_middles"),
        table(Rows::from([(vec![], everything(&all))]), "everything"),
        table(rows(&best), "best"),
        table(rows(&rarest(&all)), "rarest"),
        table(best_lists(&best), "best_lists"),
        table(per_gene, "per_gene"),
    ])
}

fn number(count: usize) -> Cell {
    Cell::Integer(count as i64)
}

fn depths(sites: &[&Site]) -> Vec<i64> {
    sites.iter().filter_map(|site| site.depth).collect()
}

fn distinct<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    values.into_iter().collect::<BTreeSet<T>>().into_iter().collect()
}

fn distinct_sum(values: &[i64]) -> Option<i64> {
    let distinct = distinct(values.iter().copied());
    (!distinct.is_empty()).then(|| distinct.iter().sum())
}

fn passing<'a>(sites: &[&'a Site]) -> Vec<&'a Site> {
    sites.iter().copied().filter(|site| site.passed == Some(true)).collect()
}

/// The variance of small integers: both sides of the one division are doubles.
fn variance(values: &[i64], is_sample: bool) -> Option<f64> {
    let count = values.len() as i64;
    let divisor = count * (count - i64::from(is_sample));
    let (sum, squares) = (values.iter().sum::<i64>(), values.iter().map(|value| value * value).sum::<i64>());
    (divisor > 0).then(|| (count * squares - sum * sum) as f64 / divisor as f64)
}

/// The deviation of doubles in the plainest way, to six digits, which is what the table keeps.
fn deviation(values: &[f64], is_sample: bool) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let distances: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let divisor = count - f64::from(u8::from(is_sample));
    (divisor > 0.0).then(|| ((distances / divisor).sqrt() * 1e6).round() / 1e6)
}

/// The value at the least or greatest of another one; of equal ones the least value, NULL last.
fn by<T: Ord + Clone, By: PartialOrd + Copy>(
    rows: impl Iterator<Item = (Option<T>, Option<By>)>,
    is_before: impl Fn(By, By) -> bool,
) -> Option<T> {
    let mut best: Option<(Option<T>, By)> = None;
    for (value, by) in rows {
        let Some(by) = by else { continue };
        let wins = match &best {
            None => true,
            Some((_, known)) if is_before(by, *known) => true,
            Some((old, known)) if by == *known => (value.is_none(), &value) < (old.is_none(), old),
            Some(_) => false,
        };
        if wins {
            best = Some((value, by));
        }
    }
    best.and_then(|(value, _)| value)
}

fn best_position(sites: &[&Site]) -> Cell {
    let rows = sites.iter().map(|site| (Some(site.position()), site.quality));
    Cell::integer(by(rows, |new, old| new > old))
}

fn per_gene(sites: &[&Site]) -> Vec<Cell> {
    let depths = depths(sites);
    let different = distinct(depths.iter().copied());
    let passes: Vec<bool> = sites.iter().filter_map(|site| site.passed).collect();
    let passed = passes.iter().filter(|passed| **passed).count();
    let kinds = distinct(sites.iter().filter_map(|site| Some((site.significance.as_ref()?, site.passed?))));
    let scores = distinct(sites.iter().filter_map(|site| site.score));
    let qualities: Vec<f64> = sites.iter().filter_map(|site| site.quality).collect();
    let distinct_qualities: Vec<f64> =
        distinct(qualities.iter().map(|quality| quality.to_bits())).into_iter().map(f64::from_bits).collect();
    let doubles: Vec<f64> = sites.iter().filter_map(|site| Some(site.score? as f64 / 1e3)).collect();
    let shallow = by(sites.iter().map(|site| (site.significance.clone(), site.depth)), |new, old| new < old);
    vec![
        number(sites.len()),
        number(kinds.len()),
        number(depths.iter().filter(|depth| **depth > 20).count()),
        Cell::integer(distinct_sum(&depths)),
        wide(decimal_mean(different.iter().copied().map(i128::from).sum(), different.len() as i128, 4), 4),
        wide((!scores.is_empty()).then(|| scores.iter().sum()), 3),
        Cell::real(mean(&distinct_qualities)),
        Cell::integer((!passes.is_empty()).then_some(passed as i64)),
        narrow(decimal_mean(passed as i128, passes.len() as i128, 4), 4),
        Cell::real(variance(&depths, false)),
        Cell::real(variance(&self::depths(&passing(sites)), true)),
        Cell::real(deviation(&doubles, true)),
        Cell::real(deviation(&qualities.iter().copied().filter(|quality| *quality < 1e5).collect::<Vec<_>>(), false)),
        Cell::text(sites.iter().filter_map(|site| site.significance.as_deref()).min()),
        best_position(sites),
        Cell::text(shallow.as_deref()),
    ]
}

fn joined(texts: &[String], separator: &str) -> Cell {
    if texts.is_empty() { Cell::Null } else { Cell::Text(texts.join(separator)) }
}

/// Chromosome and position of every site, the deepest first.
fn places(sites: &[&Site]) -> Cell {
    let mut ordered: Vec<_> = sites
        .iter()
        .map(|site| {
            let quality = site.quality.map(|quality| quality.to_bits());
            ((site.depth.is_none(), Reverse(site.depth)), quality, format!("{}:{}", site.text(0), site.text(1)))
        })
        .collect();
    // The qualities are not negative, so their bits are in order.
    ordered.sort();
    joined(&ordered.into_iter().map(|(_, _, text)| text).collect::<Vec<_>>(), ",")
}

fn gene_lists(sites: &[&Site]) -> Vec<Cell> {
    let mut significances = distinct(sites.iter().filter_map(|site| site.significance.clone()));
    significances.reverse();
    let mut passing: Vec<String> = depths(&passing(sites)).iter().map(ToString::to_string).collect();
    passing.sort();
    vec![joined(&significances, "|"), places(sites), joined(&passing, ",")]
}

/// The value a share of `tenths` from the first to the last of whole numbers, as a decimal with four digits more.
fn between(mut values: Vec<i128>, tenths: i128) -> Option<i128> {
    values.sort_unstable();
    let place = tenths * values.len().checked_sub(1)? as i128;
    let (low, part) = ((place / 10) as usize, place % 10);
    let high = values[(low + 1).min(values.len() - 1)];
    decimal_mean(values[low] * (10 - part) + high * part, 10, 4)
}

fn gene_middles(sites: &[&Site]) -> Vec<Cell> {
    let whole = |sites: &[&Site]| depths(sites).into_iter().map(i128::from).collect::<Vec<_>>();
    let mut qualities: Vec<f64> = sites.iter().filter_map(|site| site.quality).collect();
    qualities.sort_by(f64::total_cmp);
    let count = qualities.len();
    // Half of a sum is exact, so the sum is what is rounded.
    let median = (count > 0).then(|| (qualities[(count - 1) / 2] + qualities[count / 2]) / 2.0);
    let mut significances: Vec<&str> = sites.iter().filter_map(|site| site.significance.as_deref()).collect();
    significances.sort_unstable_by(|a, b| b.cmp(a));
    let at = |count: usize, numerator: usize, denominator: usize| (count * numerator).div_ceil(denominator).max(1) - 1;
    let scores: Vec<i128> = sites.iter().filter_map(|site| site.score).collect();
    vec![
        wide(between(whole(sites), 5), 4),
        narrow(between(scores, 5), 7),
        Cell::real(median),
        wide(between(whole(&passing(sites)), 9), 4),
        wide(between(whole(sites), 1), 4),
        Cell::real((count > 0).then(|| qualities[at(count, 1, 4)])),
        Cell::text((!significances.is_empty()).then(|| significances[at(significances.len(), 1, 10)])),
    ]
}

fn everything(sites: &[&Site]) -> Vec<Cell> {
    let whole = depths(sites).into_iter().map(i128::from).collect();
    vec![
        Cell::integer(distinct_sum(&depths(sites))),
        Cell::real(variance(&depths(sites), true)),
        places(sites),
        wide(between(whole, 5), 4),
        best_position(sites),
    ]
}

fn best<'a>(sites: &[&'a Site]) -> Vec<&'a Site> {
    let mut ordered = sites.to_vec();
    ordered.sort_by_key(|site| {
        let quality = site.quality.map(|quality| quality.to_bits());
        (quality.is_none(), Reverse(quality), site.depth, site.key.clone())
    });
    ordered.truncate(2);
    ordered
}

fn rarest<'a>(sites: &[&'a Site]) -> Vec<&'a Site> {
    let mut ordered: Vec<&Site> =
        sites.iter().copied().filter(|site| site.depth.is_some_and(|depth| depth > 5)).collect();
    ordered.sort_by_key(|site| {
        let significance = (site.significance.is_none(), site.significance.clone());
        (Reverse(site.depth.map(|depth| depth % 7)), significance, site.key.clone())
    });
    ordered.truncate(3);
    ordered
}

fn best_lists(best: &[&Site]) -> Rows {
    let mut chromosomes: BTreeMap<Cell, Vec<(i64, String)>> = BTreeMap::new();
    for site in best {
        let text = format!("{}{}{}", site.text(1), site.text(2), site.text(3));
        chromosomes.entry(site.key[0].clone()).or_default().push((site.position(), text));
    }
    let mut rows = Rows::new();
    for (chromosome, mut texts) in chromosomes {
        texts.sort();
        let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
        rows.insert(vec![chromosome], vec![joined(&texts, ",")]);
    }
    rows
}
