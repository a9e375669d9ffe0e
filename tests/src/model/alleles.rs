//! From a record to its alleles: split, trimmed, with the gene of the worst consequence.

use crate::{
    database::Cell,
    record::{CONSEQUENCES, Call, Line},
};

/// One alternate allele of a record.
#[derive(Clone, Debug)]
pub struct Allele {
    /// Its place among the record's alternates, from 0.
    pub number: usize,
    /// Contig, position, reference and alternate allele.
    pub key: Vec<Cell>,
    /// QUAL.
    pub quality: Option<f64>,
    /// FILTER.
    pub filter: Option<String>,
    /// INFO/DP.
    pub depth: Option<i64>,
    /// INFO/CLNSIG.
    pub significance: Option<String>,
    /// This allele's INFO/AF.
    pub frequency: Option<f64>,
    /// The gene of the worst consequence, of equals the first by name.
    pub gene: Option<String>,
    /// Consequence and gene of every annotation of this allele, in the order of the file.
    pub annotations: Vec<(String, String)>,
}

/// What `normalize` makes of a line.
#[derive(Clone, Debug, Default)]
pub struct Yield {
    /// The alleles.
    pub alleles: Vec<Allele>,
    /// Whether an allele was filtered (`*`), or there is none.
    pub filtered: bool,
}

/// The alleles of a line.
pub fn alleles(line: &Line) -> Yield {
    let Line::Call(call) = line else { return Yield::default() };
    let mut result = Yield { alleles: Vec::new(), filtered: call.alternates.is_empty() };
    for (number, alternate) in call.alternates.iter().enumerate() {
        if alternate == "*" {
            result.filtered = true;
        } else if *alternate != call.reference {
            result.alleles.push(allele(call, number));
        }
    }
    result
}

fn allele(call: &Call, number: usize) -> Allele {
    let alternate = &call.alternates[number];
    let (shift, reference, trimmed) = match alternate.starts_with('<') {
        true => (0, call.reference.clone(), alternate.clone()),
        false => trim(&call.reference, alternate),
    };
    let frequency = |values: &Vec<String>| {
        // Another number of values than alternates says nothing.
        (values.len() == call.alternates.len()).then(|| values[number].parse().ok()).flatten()
    };
    let severity = |consequence: &String| CONSEQUENCES.iter().position(|known| known == consequence);
    let own = call.annotations.iter().filter(|(allele, _, _)| allele == alternate);
    let annotations: Vec<(String, String)> =
        own.map(|(_, consequence, gene)| (consequence.clone(), gene.clone())).collect();
    Allele {
        number,
        key: vec![
            Cell::Text(call.contig.clone()),
            Cell::Integer(call.position + shift),
            Cell::Text(reference),
            Cell::Text(trimmed),
        ],
        quality: call.quality.as_ref().map(|text| text.parse().expect("QUAL is a number")),
        filter: call.filter.clone(),
        depth: call.depth,
        significance: call.significance.clone(),
        frequency: call.frequencies.as_ref().and_then(frequency),
        gene: annotations
            .iter()
            .min_by_key(|(consequence, gene)| (severity(consequence), gene))
            .map(|(_, gene)| gene.clone()),
        annotations,
    }
}

/// Shared bases go, first at the end, then at the start; one always stays.
pub fn trim(reference: &str, alternate: &str) -> (i64, String, String) {
    let (mut reference, mut alternate, mut shift) = (reference, alternate, 0);
    while reference.len() > 1 && alternate.len() > 1 && reference.chars().last() == alternate.chars().last() {
        reference = &reference[..reference.len() - 1];
        alternate = &alternate[..alternate.len() - 1];
    }
    while reference.len() > 1 && alternate.len() > 1 && reference.chars().next() == alternate.chars().next() {
        reference = &reference[1..];
        alternate = &alternate[1..];
        shift += 1;
    }
    (shift, reference.to_owned(), alternate.to_owned())
}
