//! Every file that is meant to be valid is read to its end, and its alleles are those that bcftools lists.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use rusqlite::Connection;
use vardelta_tests::{
    database,
    project::Project,
    shared::{has_tool, skipped, tool_output},
};

use super::{FIELD, Key, Known, MADE, alleles, argument, for_each, known};

const PIPELINE: &str = r#"[pipeline]
name = "alleles"
max_reject_share = 1.0

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

[stages.variants]
type = "table"
input = "named"
key = ["chrom", "pos", "ref", "alt"]

[stages.per_chromosome]
type = "aggregate"
input = "variants"
group_by = ["chrom"]
[stages.per_chromosome.columns]
alleles = "count(*)"

[stages.warehouse]
type = "sqlite"
path = "alleles.sqlite"
tables = ["variants", "per_chromosome"]
"#;

/// Records of valid files that are rejected all the same, and why that is right.
const REJECTED: &[(&str, u64, &str)] = &[
    ("conformance/bcftools-csq/ENST00000341065/splice-acceptor-donor1.vcf", 1, "ALT is REF"),
    ("conformance/bcftools-norm/norm.setref.vcf", 2, "REF is `.`, which is no base"),
    ("conformance/bcftools-norm/norm.vcf", 1, "ALT is `I`, which is no base"),
];
/// Files that pass for valid and cannot be read all the same.
const REFUSED: &[(&str, &str)] =
    &[("conformance/htslib/longrefs__index.expected2.vcf", "records without the line that names their columns")];

/// Loads a file; panics unless all of it is read and accounted for.
fn load(file: &Known) -> Project {
    let project = Project::new(PIPELINE);
    let report = project.vardelta("run", &[argument(&file.path), "--json"]).expect(0).json();
    let number = |key: &str| report["drops"][0][key].as_u64().expect("a number");
    let name = &file.name;
    assert_eq!(number("read"), file.records, "{name}: records read");
    let total = number("loaded") + number("filtered") + number("rejected") + number("duplicates");
    assert_eq!(number("read"), total, "{name}: the records add up");
    let known = REJECTED.iter().find(|(known, _, _)| known == name).map_or(0, |(_, count, _)| *count);
    assert_eq!(number("rejected"), known, "{name}: records rejected {}", report["rejects"]);
    project
}

fn connect(project: &Project) -> Connection {
    database::open(&project.path("alleles.sqlite"))
}

fn counts(connection: &Connection) -> BTreeMap<String, i64> {
    let mut statement = connection.prepare("SELECT chrom, alleles FROM per_chromosome").expect("valid SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("the table can be read");
    rows.map(|row| row.expect("the row can be read")).collect()
}

fn counted<'a>(keys: impl Iterator<Item = &'a Key>) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for (contig, ..) in keys {
        *counts.entry(contig.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn every_valid_file_is_read_to_its_end() {
    let Some(mut files) = known("files from the field", FIELD) else { return };
    files.retain(|file| file.meant.starts_with("valid"));
    assert!(files.len() > 100, "the data is there, but only {} files of it", files.len());
    let has_bcftools = has_tool("alleles as bcftools lists them", "bcftools", "--version");
    let compared = AtomicUsize::new(0);
    for_each(&files, |file| {
        let project = load(file);
        let connection = connect(&project);
        let distinct: i64 =
            connection.query_row("SELECT count(*) FROM variants", [], |row| row.get(0)).expect("valid SQL");
        assert_eq!(counts(&connection).values().sum::<i64>(), distinct, "{}", file.name);
        if !has_bcftools {
            return;
        }
        let listed = std::process::Command::new("bcftools")
            .args(["query", "-f", "%CHROM\\t%POS\\t%REF\\t%ALT\\n", argument(&file.path)])
            .output()
            .expect("bcftools was started before");
        if !listed.status.success() {
            skipped(&format!("alleles of {}", file.name), "this bcftools does not read the file");
            return;
        }
        let listed = alleles(&String::from_utf8_lossy(&listed.stdout));
        assert_eq!(counts(&connection), counted(listed.iter()), "{}: alleles per chromosome", file.name);
        compared.fetch_add(1, Ordering::Relaxed);
    });
    eprintln!("{} files, {} of them compared with bcftools", files.len(), compared.into_inner());
}

/// Files that are wrong, by accident or on purpose: refused with a message, or read with all of it accounted for;
/// never a crash, never silence.
#[test]
fn what_is_not_valid_is_refused_or_accounted_for() {
    let Some(mut files) = known("files that are wrong", &[FIELD, MADE].concat()) else { return };
    files.retain(|file| !file.meant.starts_with("valid"));
    let refused = AtomicUsize::new(0);
    for_each(&files, |file| {
        let project = Project::new(PIPELINE);
        let said = project.vardelta("run", &[argument(&file.path), "--json"]);
        match said.code {
            0 => {
                let report = said.json();
                let number = |key: &str| report["drops"][0][key].as_u64().expect("a number");
                assert_eq!(number("read"), file.records, "{}: records read", file.name);
                let total = number("loaded") + number("filtered") + number("rejected") + number("duplicates");
                assert_eq!(number("read"), total, "{}: the records add up", file.name);
            }
            4 => {
                assert!(said.json()["error"]["message"].is_string(), "{}", file.name);
                refused.fetch_add(1, Ordering::Relaxed);
            }
            code => panic!("{}: exit code {code}\n{}", file.name, said.stderr),
        }
    });
    eprintln!("{} files that are wrong, {} of them refused", files.len(), refused.into_inner());
}

/// The suites that other readers are held to.
#[test]
fn every_valid_file_of_the_conformance_suites_is_loaded() {
    let Some(mut files) = known("conformance suites", MADE) else { return };
    files.retain(|file| file.meant == "valid");
    for_each(&files, |file| match REFUSED.iter().any(|(refused, _)| *refused == file.name) {
        true => drop(Project::new(PIPELINE).vardelta("run", &[argument(&file.path)]).expect(4)),
        false => drop(load(file)),
    });
    eprintln!("{} files", files.len());
}

/// bcftools splits multi-allelic records by itself here.
#[test]
fn alleles_per_chromosome_are_those_of_bcftools_norm() {
    let Some(files) = known("alleles as bcftools norm splits them", FIELD) else { return };
    if !has_tool("alleles as bcftools norm splits them", "bcftools", "--version") {
        return;
    }
    for name in [
        "vcf_annotated/bcftools_split-vep_CSQ.vcf",
        "vcf_large/NA12878_hc_chr21.vcf.gz",
        "vcf_large/NA12878_pg_hg38.bcf",
        "vcf_pgx/pharmcat_100samples.vcf.bgz",
        "vcf_single/HG005_GIAB_v4.2.1_chr6-31.vcf.gz",
    ] {
        let Some(file) = files.iter().find(|file| file.name == name) else {
            skipped(name, "it is not among the data");
            continue;
        };
        let project = load(file);
        let split = project.path("split.vcf");
        tool_output("bcftools", &["norm", "-m", "-any", "-o", argument(&split), argument(&file.path)]);
        let listed = tool_output("bcftools", &["query", "-f", "%CHROM\\t%POS\\t%REF\\t%ALT\\n", argument(&split)]);
        assert!(listed.lines().all(|line| !line.contains(',')), "{name}: norm left a list of alternates");
        let listed = alleles(&listed);
        assert_eq!(counts(&connect(&project)), counted(listed.iter()), "{name}");
    }
}
