//! Drugs of genes as tab-separated text: a gene, a drug, how they interact, how sure that is, who says so.

use super::{
    annotation::symbol,
    random::Random,
    text::{hundredths, padded, put_all},
};

/// The columns.
pub const COLUMNS: [&str; 5] = ["gene_name", "drug_name", "interaction_type", "interaction_score", "source"];
/// The line that names them.
pub const HEADER: &str = "gene_name\tdrug_name\tinteraction_type\tinteraction_score\tsource\n";

const TYPES: [&str; 5] = ["inhibitor", "agonist", "antagonist", "antibody", "NULL"];
const SOURCES: [&str; 4] = ["SourceA", "SourceB", "SourceC", "SourceD"];

/// Appends the lines of a gene: most genes have none, a few have many.
pub fn write(lines: &mut Vec<u8>, seed: u64, edition: u64, gene: u64) -> u64 {
    let mut random = Random::of(&[60, seed, gene]);
    if !random.chance(0.25) {
        return 0;
    }
    // 1, 2, 3 … drugs with probabilities 1/2, 1/6, 1/12 …: the mean is that of a handful, the largest has dozens.
    let drugs = ((1.0 / (1.0 - random.unit())) as u64).clamp(1, 60);
    for drug in 0..drugs {
        let mut random = Random::of(&[61, seed, gene, drug]);
        let name = random.below(5_000);
        symbol(lines, gene);
        lines.extend_from_slice(b"\tDRUG");
        padded(lines, name, 4);
        let edited = (1..=edition).rev().find(|edition| Random::of(&[62, seed, gene, drug, *edition]).chance(0.02));
        let mut scores = Random::of(&[63, seed, gene, drug, edited.unwrap_or(0)]);
        put_all(lines, &["\t", random.pick(&TYPES), "\t"]);
        hundredths(lines, 1 + scores.below(1_500));
        put_all(lines, &["\t", random.pick(&SOURCES), "\n"]);
    }
    drugs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_columns() {
        assert_eq!(HEADER, COLUMNS.join("\t") + "\n");
    }
}
