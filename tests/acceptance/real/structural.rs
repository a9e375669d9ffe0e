//! Structural variants that share position and alleles stay apart: a table keyed by `end_pos` and `sv_len` too has a row
//! for each distinct allele, END and SVLEN that bcftools lists.

use std::collections::BTreeSet;

use vardelta_tests::{
    database,
    project::Project,
    shared::{has_tool, skipped},
};

use super::{Key, argument, is_observed, key, known};

const PIPELINE: &str = r#"[pipeline]
name = "structural"

[stages.calls]
type = "vcf"

[stages.normalized]
type = "normalize"
input = "calls"

[stages.named]
type = "select"
input = "normalized"
[stages.named.columns]
chrom = "chrom"
pos = "pos"
ref = "ref"
alt = "alt"
end_pos = "end_pos"
sv_len = "sv_len"

[stages.variants]
type = "table"
input = "named"
key = ["chrom", "pos", "ref", "alt", "end_pos", "sv_len"]

[stages.warehouse]
type = "sqlite"
path = "structural.sqlite"
tables = ["variants"]
"#;

/// The distinct alleles of a file: symbolic ones with END and SVLEN as INFO writes them (SVLEN without its sign, which
/// differs between versions), others without.
fn listed(lines: &str) -> BTreeSet<(Key, String, String)> {
    let mut alleles = BTreeSet::new();
    for line in lines.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [contig, position, reference, alternates, end, lengths] = columns[..] else { panic!("{line}") };
        let alternates: Vec<&str> = alternates.split(',').collect();
        let lengths: Vec<&str> = lengths.split(',').collect();
        for (at, alternate) in alternates.iter().enumerate().filter(|(_, alternate)| is_observed(alternate)) {
            let Some(key) = key(contig, position, reference, alternate) else { continue };
            let length = if lengths.len() == alternates.len() { lengths[at].trim_start_matches('-') } else { "." };
            let extent = if alternate.starts_with('<') { (end, length) } else { (".", ".") };
            alleles.insert((key, extent.0.to_owned(), extent.1.to_owned()));
        }
    }
    alleles
}

#[test]
fn alleles_of_one_position_stay_apart_by_their_extent() {
    let Some(mut files) = known("structural variants", &["vcf_sv/"]) else { return };
    if !has_tool("structural variants as bcftools lists them", "bcftools", "--version") {
        return;
    }
    files.retain(|file| file.meant.starts_with("valid"));
    let (mut compared, mut told_apart) = (0, 0);
    for file in &files {
        let query = |format: &str| {
            let arguments = ["query", "-u", "-f", format, argument(&file.path)];
            let output = std::process::Command::new("bcftools").args(arguments).output().expect("bcftools starts");
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let Some(lines) = query("%CHROM\\t%POS\\t%REF\\t%ALT\\t%INFO/END\\t%INFO/SVLEN\\n") else {
            skipped(&file.name, "this bcftools does not read the file");
            continue;
        };
        let expected = listed(&lines);
        let keys: BTreeSet<&Key> = expected.iter().map(|(key, ..)| key).collect();
        told_apart += expected.len() - keys.len();

        let project = Project::new(PIPELINE);
        project.vardelta("run", &[argument(&file.path)]).expect(0);
        let connection = database::open(&project.path("structural.sqlite"));
        let rows: i64 = connection.query_row("SELECT count(*) FROM variants", [], |row| row.get(0)).expect("valid SQL");
        assert_eq!(rows, expected.len() as i64, "{}", file.name);
        compared += 1;
    }
    eprintln!("{compared} files; {told_apart} alleles are told apart by END and SVLEN alone");
    assert!(compared >= 10 && told_apart > 100, "{compared} files, {told_apart} alleles told apart");
}
