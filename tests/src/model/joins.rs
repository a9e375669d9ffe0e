//! The model of `joins.toml`: the base tables record by record, everything else by the database's own joins over them.

use super::{
    Arrival, Counts, Expected,
    alleles::{Allele, alleles},
    cohort::{every_allele, interesting},
    count,
    sql::Memory,
    standing,
};
use crate::{
    database::{Cell, Rows},
    record::Line,
};

/// The place of an allele: position and chromosome.
fn by_place(arrivals: Vec<Arrival<Allele>>) -> Vec<Arrival<Allele>> {
    let place = |arrival: Arrival<Allele>| {
        let key = vec![arrival.key[1].clone(), arrival.key[0].clone()];
        Arrival { key, ..arrival }
    };
    arrivals.into_iter().map(place).collect()
}

/// The accounting.
pub fn counts(drop: &[Line]) -> Counts {
    let filtered: Vec<bool> = drop.iter().map(|line| alleles(line).filtered).collect();
    let places = |rows: Vec<Arrival<Allele>>| rows.into_iter().map(|arrival| (arrival.record, arrival.key)).collect();
    let tables = [every_allele(drop), interesting(drop), by_place(interesting(drop))].map(places);
    count(&filtered, &tables)
}

/// The tables.
pub fn expected(drops: &[&[Line]]) -> Expected {
    let of = |rows: fn(&[Line]) -> Vec<Arrival<Allele>>| drops.iter().map(|drop| rows(drop)).collect::<Vec<_>>();
    let sites = standing(&of(every_allele), false);
    let observations = standing(&of(interesting), true);
    let places = standing(&of(|drop| by_place(interesting(drop))), true);
    let text = |text: &Option<String>| Cell::text(text.as_deref());
    let sites: Rows = sites
        .into_iter()
        .map(|(key, row)| (key, vec![text(&row.gene), Cell::integer(row.depth), text(&row.significance)]))
        .collect();
    let observations: Rows = observations
        .into_iter()
        .map(|(key, row)| (key, vec![Cell::real(row.frequency), text(&row.significance)]))
        .collect();
    let places: Rows =
        places.into_iter().map(|(key, row)| (key, vec![text(&row.significance), row.key[3].clone()])).collect();
    let memory = Memory::default();
    memory.table("sites", "chromosome, position, reference, alternate, gene, depth, significance", &sites);
    memory.table("observations", "chromosome, position, reference, alternate, frequency, significance", &observations);
    memory.table("places", "pos, chrom, significance, allele", &places);

    const SITE: &str = "s.chromosome, s.position, s.reference, s.alternate, s.gene, s.depth, s.significance";
    const BY_PLACE: &str = "LEFT JOIN places p ON s.chromosome = p.chrom AND s.position = p.pos";
    const GENES: &str = "(SELECT gene, count(*) sites, max(depth) depth_max FROM sites GROUP BY gene) g";
    let by_gene = format!("JOIN {GENES} ON s.gene = g.gene");
    let queries = [
        ("sites", 4, format!("SELECT {SITE} FROM sites s")),
        ("places", 2, "SELECT pos, chrom, significance, allele FROM places".to_owned()),
        ("placed_sites", 4, format!("SELECT {SITE}, p.significance, p.allele FROM sites s {BY_PLACE}")),
        ("gene_sites", 4, format!("SELECT {SITE}, g.sites, g.depth_max FROM sites s LEFT {by_gene}")),
        ("known_gene_sites", 4, format!("SELECT {SITE}, g.sites, g.depth_max FROM sites s {by_gene}")),
        (
            "observed",
            4,
            format!(
                "SELECT {SITE}, o.frequency, o.significance FROM sites s LEFT JOIN observations o ON s.chromosome = o.chromosome \
                 AND s.position = o.position AND s.reference = o.reference AND s.alternate = o.alternate"
            ),
        ),
        (
            "rivals",
            6,
            "SELECT p.pos, p.chrom, o.chromosome, o.position, o.reference, o.alternate, p.significance, p.allele, o.frequency \
             FROM places p JOIN observations o ON p.significance = o.significance"
                .to_owned(),
        ),
        (
            "chained",
            4,
            format!(
                "SELECT {SITE}, p.significance, p.allele, g.sites, g.depth_max FROM sites s {BY_PLACE} LEFT {by_gene}"
            ),
        ),
        (
            "chained_known",
            4,
            format!(
                "SELECT {SITE}, p.significance, p.allele, g.sites, g.depth_max FROM sites s {BY_PLACE} LEFT {by_gene} \
                 WHERE g.sites > 1 AND p.significance IS NOT NULL"
            ),
        ),
        (
            "alike_counts",
            1,
            "SELECT s.chromosome, count(*), count(o.chromosome), max(o.frequency) FROM sites s LEFT JOIN observations o ON \
             s.significance = o.significance GROUP BY s.chromosome"
                .to_owned(),
        ),
        (
            "place_sizes",
            2,
            format!(
                "SELECT q.pos, q.chrom, q.significance, q.allele, a.sites FROM places q JOIN (SELECT p.allele, count(*) sites \
                 FROM sites s {BY_PLACE} GROUP BY p.allele) a ON q.allele = a.allele"
            ),
        ),
        (
            "both",
            5,
            "SELECT 'site_alleles', chromosome, position, reference, alternate, significance FROM sites UNION ALL \
             SELECT 'observation_alleles', chromosome, position, reference, alternate, significance FROM observations"
                .to_owned(),
        ),
        (
            "significances",
            2,
            "SELECT significance, 'site_alleles' FROM sites UNION SELECT significance, 'observation_alleles' FROM observations"
                .to_owned(),
        ),
    ];
    queries.into_iter().map(|(name, key, query)| (name.to_owned(), memory.rows(key, &query))).collect()
}
