//! An allele of half a megabase: the report is a screen that says how long the value is.

use vardelta_tests::{database::texts, project::vardelta_in, shared::shared};

use super::copied;

/// Its own command looks at the size of the report alone.
pub const CASE: &str = "101-report-prints-whole-allele";

/// Bases of its reference allele.
const BASES: usize = 500_000;

#[test]
fn a_long_allele_is_cut_in_the_report_and_whole_in_the_table() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    let scratch = copied(&folder.join(CASE));
    let said = vardelta_in(scratch.path(), &["run", "pipeline.toml"]).expect(0);
    let row = said.stdout.lines().find(|line| line.trim_start().starts_with("+ chrom=chr1 pos=1000 ref=AC"));
    let row = row.unwrap_or_else(|| panic!("the row is not listed: {}", said.stdout));
    let cut = row.split(" ref=").nth(1).and_then(|rest| rest.split(" alt=").next()).expect("the allele is there");
    let bases = texts(&scratch.path().join("out.sqlite"), "SELECT CAST(length(ref) AS TEXT) FROM variants");
    let bases: usize = bases.first().and_then(|text| text.parse().ok()).expect("the row is in the table");
    assert!(bases >= BASES, "the table has {bases} bases");
    assert!(cut.len() < 120, "{} bytes of the allele are printed", cut.len());
    assert!(cut.contains(&bases.to_string()), "its length is not said: {cut}");
    assert!(said.stdout.len() < 4_096, "the report has {} bytes", said.stdout.len());
}
