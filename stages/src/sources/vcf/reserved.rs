//! The specification's reserved keys: the type and number that a field has unless the pipeline file says otherwise.

use vardelta_schemas::Number;

use crate::sources::vcf::kind::{Shape, ValueKind};

const A: Number = Number::PerAlternate;
const R: Number = Number::PerAllele;
const G: Number = Number::PerGenotype;
const DOT: Number = Number::Unknown;
const FLAG: Number = Number::Count(0);
const ONE: Number = Number::Count(1);
const TWO: Number = Number::Count(2);
const FOUR: Number = Number::Count(4);

use ValueKind::{Flag, Float, Integer, String as Text};

/// Reserved INFO keys: VCF 4.3, table 1 and section 3 (structural variants). `SVLEN` has one value per alternate allele,
/// as the text of 4.3 and the table of 4.4 say.
const INFO: &[(&str, ValueKind, Number)] = &[
    ("1000G", Flag, FLAG),
    ("AA", Text, ONE),
    ("AC", Integer, A),
    ("AD", Integer, R),
    ("ADF", Integer, R),
    ("ADR", Integer, R),
    ("AF", Float, A),
    ("AN", Integer, ONE),
    ("BKPTID", Text, DOT),
    ("BQ", Float, ONE),
    ("CICN", Integer, TWO),
    ("CICNADJ", Integer, DOT),
    ("CIEND", Integer, TWO),
    ("CIGAR", Text, A),
    ("CILEN", Integer, TWO),
    ("CIPOS", Integer, TWO),
    ("CN", Integer, ONE),
    ("CNADJ", Integer, DOT),
    ("DB", Flag, FLAG),
    ("DBRIPID", Text, ONE),
    ("DBVARID", Text, ONE),
    ("DGVID", Text, ONE),
    ("DP", Integer, ONE),
    ("DPADJ", Integer, DOT),
    ("END", Integer, ONE),
    ("EVENT", Text, ONE),
    ("H2", Flag, FLAG),
    ("H3", Flag, FLAG),
    ("HOMLEN", Integer, DOT),
    ("HOMSEQ", Text, DOT),
    ("IMPRECISE", Flag, FLAG),
    ("MATEID", Text, DOT),
    ("MEINFO", Text, FOUR),
    ("METRANS", Text, FOUR),
    ("MQ", Float, ONE),
    ("MQ0", Integer, ONE),
    ("NOVEL", Flag, FLAG),
    ("NS", Integer, ONE),
    ("PARID", Text, ONE),
    ("SB", Integer, FOUR),
    ("SOMATIC", Flag, FLAG),
    ("SVLEN", Integer, A),
    ("SVTYPE", Text, ONE),
    ("VALIDATED", Flag, FLAG),
];

/// Reserved FORMAT keys: VCF 4.3, table 2 and section 4.
const FORMAT: &[(&str, ValueKind, Number)] = &[
    ("AD", Integer, R),
    ("ADF", Integer, R),
    ("ADR", Integer, R),
    ("AHAP", Integer, ONE),
    ("CN", Integer, ONE),
    ("CNL", Float, G),
    ("CNP", Float, G),
    ("CNQ", Float, ONE),
    ("DP", Integer, ONE),
    ("EC", Integer, A),
    ("FT", Text, ONE),
    ("GL", Float, G),
    ("GP", Float, G),
    ("GQ", Integer, ONE),
    ("GT", Text, ONE),
    ("HAP", Integer, ONE),
    ("HQ", Integer, TWO),
    ("MQ", Integer, ONE),
    ("NQ", Integer, ONE),
    ("PL", Integer, G),
    ("PP", Integer, G),
    ("PQ", Integer, ONE),
    ("PS", Integer, ONE),
];

/// The shape of a reserved INFO key.
pub(super) fn info(key: &str) -> Option<Shape> {
    find(INFO, key)
}

/// The shape of a reserved FORMAT key.
pub(super) fn format(key: &str) -> Option<Shape> {
    find(FORMAT, key)
}

/// How a header declares a reserved INFO or FORMAT key: its `Number` and its `Type`.
pub fn declaration(is_format: bool, key: &str) -> Option<(String, &'static str)> {
    let shape = if is_format { format(key) } else { info(key) }?;
    let number = match shape.number? {
        Number::Count(count) => count.to_string(),
        Number::PerAlternate => "A".into(),
        Number::PerAllele => "R".into(),
        Number::PerGenotype => "G".into(),
        Number::Unknown => ".".into(),
    };
    Some((number, shape.kind.as_str()))
}

fn find(table: &[(&str, ValueKind, Number)], key: &str) -> Option<Shape> {
    let (_, kind, number) = table[table.binary_search_by(|(name, ..)| (*name).cmp(key)).ok()?];
    Some(Shape { kind, number: Some(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_consistent() {
        for table in [INFO, FORMAT] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0), "the lookup is a binary search");
            assert!(table.iter().all(|(_, kind, number)| (*kind == Flag) == (*number == FLAG)));
        }
    }

    #[test]
    fn headers_declare_reserved_keys_as_the_specification_does() {
        assert_eq!(declaration(false, "AF"), Some(("A".into(), "Float")));
        assert_eq!(declaration(false, "DB"), Some(("0".into(), "Flag")));
        assert_eq!(declaration(true, "PL"), Some(("G".into(), "Integer")));
        assert_eq!(declaration(true, "CSQ"), None);
    }

    #[test]
    fn finds_reserved_keys_and_leaves_others() {
        assert_eq!(info("AF"), Some(Shape { kind: Float, number: Some(A) }));
        assert_eq!(info("DB").map(|shape| shape.kind), Some(Flag));
        assert_eq!(info("af"), None, "INFO keys are case-sensitive");
        assert_eq!(info("CSQ"), None);
        assert_eq!(format("PL"), Some(Shape { kind: Integer, number: Some(G) }));
    }
}
