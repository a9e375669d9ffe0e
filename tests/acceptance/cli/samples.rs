//! Samples from one drop to the next: one that comes in two drops, a pedigree that changes, records without a variant.

use vardelta_tests::{
    database::{self, Cell},
    project::Project,
    report::warnings_of,
};

fn pipeline(conflict: &str, options: &str) -> String {
    format!(
        r#"[pipeline]
name = "samples"
assembly = "GRCh38"

[stages.calls]
type = "vcf"
path = "drops/*.vcf"
samples = "long"
{options}

[stages.alleles]
type = "normalize"
input = "calls"

[stages.named]
type = "select"
input = "alleles"
[stages.named.columns]
pos = "pos"
alt = "alt"
sample = "sample"
zygosity = "zygosity"
copies = "allele_count"

[stages.genotypes]
type = "table"
input = "named"
key = ["pos", "alt", "sample"]
conflict = "{conflict}"

[stages.warehouse]
type = "sqlite"
path = "samples.sqlite"
tables = ["genotypes"]
"#
    )
}

/// A drop of chromosome X; records as `pos ref alt genotypes…`.
fn write_drop(project: &Project, name: &str, samples: &str, records: &[&str]) {
    let mut text = format!(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\n",
        samples.replace(' ', "\t")
    );
    for record in records {
        let [pos, reference, alternates, genotypes] = record.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("no record: {record}")
        };
        text += &format!("X\t{pos}\t.\t{reference}\t{alternates}\t.\t.\t.\tGT\t{}\n", genotypes.replace(' ', "\t"));
    }
    project.write(&format!("drops/{name}.vcf"), text.as_bytes());
}

/// The rows of the table: `pos alt sample zygosity copies`.
fn rows(project: &Project) -> Vec<String> {
    let path = project.path("samples.sqlite");
    let tables = database::read_tables(&path, &[("genotypes", &["pos", "alt", "sample"])]);
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let row =
        |(key, values): (&Vec<Cell>, &Vec<Cell>)| key.iter().chain(values).map(text).collect::<Vec<_>>().join(" ");
    tables.rows["genotypes"].iter().map(row).collect()
}

#[test]
fn a_sample_in_two_drops_follows_the_tables_rule() {
    let first = ["5000000 C a het 1", "5000000 C b hom_ref 0", "6000000 G a hom_alt 2", "6000000 G b het 1"];
    for (conflict, both) in [
        ("latest_drop", ["5000000 C a hom_alt 2", first[1], first[2], first[3], "7000000 T a het 1"]),
        ("first_drop", [first[0], first[1], first[2], first[3], "7000000 T a het 1"]),
    ] {
        let project = Project::new(&pipeline(conflict, ""));
        write_drop(&project, "one", "a b", &["5000000 A C 0/1 0/0", "6000000 A G 1/1 0/1"]);
        project.vardelta("run", &[]).expect(0);
        assert_eq!(rows(&project), first, "{conflict}");
        write_drop(&project, "two", "a", &["5000000 A C 1/1", "7000000 A T 0/1"]);
        project.vardelta("run", &[]).expect(0);
        assert_eq!(rows(&project), both, "{conflict}");
        // What the other drop said comes back, whichever of them goes.
        project.vardelta("withdraw", &["two"]).expect(0);
        assert_eq!(rows(&project), first, "{conflict}");
        project.vardelta("run", &[]).expect(0);
        project.vardelta("withdraw", &["one"]).expect(0);
        assert_eq!(rows(&project), ["5000000 C a hom_alt 2", "7000000 T a het 1"], "{conflict}");
        project.vardelta("verify", &[]).expect(0);
    }
}

/// A record that occurs twice, as joined files have it: the last one stands, and whom it makes no carrier any more is named.
#[test]
fn a_carrier_that_a_duplicate_takes_away_is_told_with_its_sample() {
    let project = Project::new(&pipeline("latest_drop", ""));
    write_drop(&project, "one", "a b", &["5000000 A C 0/1 0/0", "5000000 A C 0/0 0/0", "6000000 A C 0/1 0/1"]);
    let said = project.vardelta("run", &[]).expect(0);
    said.says(&["1 row gave way to a later row of the same key", "sample=a (line 3, then 4)"]);
    let rest = ["6000000 C a het 1", "6000000 C b het 1"];
    assert_eq!(rows(&project), ["5000000 C a hom_ref 0", "5000000 C b hom_ref 0", rest[0], rest[1]]);
    // Records that say the same are duplicates and nothing else.
    let other = Project::new(&pipeline("latest_drop", ""));
    write_drop(&other, "one", "a", &["5000000 A C 0/1", "5000000 A C 0/1"]);
    let said = other.vardelta("run", &[]).expect(0);
    assert!(!format!("{}{}", said.stdout, said.stderr).contains("gave way"), "{}", said.stdout);
}

#[test]
fn another_pedigree_is_another_definition() {
    let project = Project::new(&pipeline("latest_drop", "ped = \"family.ped\""));
    project.write("family.ped", b"f a 0 0 1 1\n");
    write_drop(&project, "one", "a", &["5000000 A C 0/1"]);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(rows(&project), ["5000000 C a hemi 1"]);
    project.write("family.ped", b"f a 0 0 2 1\n");
    project.vardelta("run", &[]).expect(6).says(&["stage `calls` changed: the content of `ped`", "family.ped"]);
    project.vardelta("rebuild", &[]).expect(0);
    assert_eq!(rows(&project), ["5000000 C a het 1"]);
    // A malformed one is named with its line, and nothing is written.
    project.write("family.ped", b"f a 0 0 2 1\nf b\n");
    project.vardelta("rebuild", &[]).says(&["family.ped:2: 2 columns where a PED file has six"]);
    assert_eq!(rows(&project), ["5000000 C a het 1"]);
}

#[test]
fn samples_that_are_not_there_are_said() {
    let project = Project::new(&pipeline("latest_drop", "include_samples = [\"a\", \"z\"]"));
    write_drop(&project, "one", "a b", &["5000000 A C 0/1 0/0"]);
    write_drop(&project, "two", "b", &["6000000 A C 0/1"]);
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(warnings_of(&report, "sample_not_in_file"), 3);
    assert_eq!(report["drops"][1]["filtered"], 1);
    assert_eq!(rows(&project), ["5000000 C a het 1"]);
}

/// A sample without a record, without a genotype in it, or with half of one, is no evidence that it lacks the allele.
#[test]
fn missing_data_is_never_taken_as_hom_ref() {
    let project = Project::new(&pipeline("latest_drop", ""));
    let text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\te\n\
        X\t5000000\t.\tA\tC\t.\t.\t.\tGT:DP\t./.:9\t.\t./0:9\t0/0:9\t0|1:9\n\
        X\t6000000\t.\tA\tC\t.\t.\t.\tDP\t9\t9\t9\t9\t9\n";
    project.write("drops/one.vcf", text.as_bytes());
    // `e` alone is in the second drop.
    write_drop(&project, "two", "e", &["7000000 A C 1/1"]);
    project.vardelta("run", &[]).expect(0);
    let found = rows(&project);
    let hom_ref: Vec<&String> = found.iter().filter(|row| row.contains("hom_ref") || row.ends_with(" 0")).collect();
    assert_eq!(hom_ref, ["5000000 C d hom_ref 0"], "{found:?}");
    let carriers: Vec<&String> = found.iter().filter(|row| row.ends_with(" 1") || row.ends_with(" 2")).collect();
    assert_eq!(carriers, ["5000000 C e het 1", "7000000 C e hom_alt 2"], "{found:?}");
    // Whoever has no genotype has a row of the record, with nothing in it; who has no record has none.
    for unknown in ["5000000 C a missing NULL", "5000000 C b missing NULL", "6000000 C d NULL NULL"] {
        assert!(found.iter().any(|row| row == unknown), "no row `{unknown}` in {found:?}");
    }
    assert!(!found.iter().any(|row| row.starts_with("7000000 C a")), "{found:?}");
}

/// Fields that callers write otherwise than the specification says, and keys that differ in case alone.
#[test]
fn a_field_is_read_as_it_is_declared_and_named_in_the_file() {
    let options = "info = [\"DP\", { name = \"dp\", type = \"Integer\", as = \"lower_dp\" }]\n\
        format = [{ name = \"GQ\", type = \"Float\", as = \"gq\" }, { name = \"DP\", type = \"Float\" }, \
        { name = \"AD\", type = \"Float\", number = \"R\" }, { name = \"ID\", type = \"String\", as = \"call_id\" }, \
        { name = \"QUAL\", type = \"Float\", as = \"call_qual\" }]";
    let more = "copies = \"allele_count\"\nquality = \"gq\"\ndepth = \"dp\"\nupper = \"info_dp\"\nlower = \"lower_dp\"\n\
        depths = \"ad\"\ncall_id = \"call_id\"\ncall_qual = \"call_qual\"";
    let project = Project::new(&pipeline("latest_drop", options).replace("copies = \"allele_count\"", more));
    let text = "##fileformat=VCFv4.2\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n\
        ##FORMAT=<ID=GQ,Number=1,Type=Float,Description=\"d\">\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n\
        X\t5000000\t.\tA\tC\t.\t.\tDP=7;dp=8\tGT:GQ:DP:AD:ID:QUAL\t0/1:20.5:9.25:3.5,4.5:sv1:33.5\n";
    project.write("drops/one.vcf", text.as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(warnings_of(&report, "bad_format_value"), 0, "{report}");
    // Of AD, the depth of the row's allele.
    let values = "SELECT quality || ' ' || depth || ' ' || upper || ' ' || lower || ' ' || depths || ' ' || call_id || ' ' \
        || call_qual FROM genotypes";
    assert_eq!(database::texts(&project.path("samples.sqlite"), values), ["20.5 9.25 7 8 4.5 sv1 33.5"]);
}

#[test]
fn reference_blocks_are_counted_apart() {
    let project = Project::new(&pipeline("latest_drop", ""));
    let records =
        ["1 A <NON_REF> 0/0", "2 A . 0/0", "3 A C,<NON_REF> 0/1", "4 A <*> ./.", "5 A * 0/1", "6 A <*>,<NON_REF> 0/0"];
    write_drop(&project, "one", "a", &records);
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    let drop = &report["drops"][0];
    let counts = ["read", "loaded", "filtered", "no_alternate", "reference_blocks"].map(|key| drop[key].as_u64());
    assert_eq!(counts, [6, 1, 5, 4, 3].map(Some));
    assert_eq!(rows(&project), ["3 C a het 1"]);
    let connection = database::open(&project.path("samples.sqlite"));
    let counted: i64 = connection
        .query_row("SELECT records_reference_blocks FROM vardelta_drops", [], |row| row.get(0))
        .expect("valid SQL");
    assert_eq!(counted, 3);
}
