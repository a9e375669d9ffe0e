//! The place that a quarantined row's reject names: that of the record where the table holds it, else that of the variant.

use vardelta_tests::project::Project;

/// Two sources, so that the place is looked for through a union, a transform that makes several rows, and a renaming.
fn pipeline(columns: &str) -> String {
    format!(
        r#"
[pipeline]
name = "places"
max_reject_share = 1.0
[stages.first]
type = "vcf"
path = "drops/*.vcf"
info = ["GENES"]
[stages.second]
type = "vcf"
path = "second/*.vcf"
info = ["GENES"]
[stages.both]
type = "union"
inputs = ["first", "second"]
[stages.alleles]
type = "normalize"
input = "both"
[stages.genes]
type = "explode"
input = "alleles"
column = "info_genes"
separator = ","
[stages.named]
type = "select"
input = "genes"
[stages.named.columns]
chromosome = "chrom"
position = "pos"
alternate = "alt"
gene = "coalesce(info_genes, '')"
{columns}
[stages.variants]
type = "table"
input = "named"
key = ["chromosome", "position", "alternate", "gene"]
[stages.warehouse]
type = "sqlite"
path = "w.sqlite"
tables = ["variants"]
checks = {{ variants = ["gene <> 'BAD'"] }}
on_constraint = "quarantine"
"#
    )
}

const DROP: &str = "##fileformat=VCFv4.2\n##INFO=<ID=GENES,Number=.,Type=String,Description=\"x\">\n##contig=<ID=7>\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n7\t10\t.\tAC\tAG\t1\tPASS\tGENES=GOOD,BAD\n";

#[test]
fn the_reject_tells_the_records_place_as_far_as_the_table_does() {
    for (columns, place) in [
        ("", "7|11"),
        ("written = \"orig_pos\"", "7|10"),
        // A text is no position, and what is computed is nobody's.
        ("written = \"CAST(orig_pos AS TEXT)\"", "7|11"),
    ] {
        let project = Project::new(&pipeline(columns));
        project.write("drops/a.vcf", DROP.as_bytes());
        let report = project.vardelta("run", &["--json"]).expect(0).json();
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":1}");
        let connection = rusqlite::Connection::open(project.path("w.sqlite")).expect("it opens");
        let query = "select contig || '|' || pos || ' ' || line from vardelta_rejects";
        let found: String = connection.query_row(query, [], |row| row.get(0)).expect("one reject");
        assert_eq!(found, format!("{place} 5"), "{columns}");
        assert_eq!(connection.query_row("select gene from variants", [], |row| row.get(0)), Ok("GOOD".to_owned()));
    }
}

#[test]
fn what_no_column_tells_is_left_open() {
    let text = pipeline("").replace("chromosome = \"chrom\"", "chromosome = \"concat('chr', chrom)\"");
    let project = Project::new(&text.replace("position = \"pos\"", "position = \"pos - 1\""));
    project.write("drops/a.vcf", DROP.as_bytes());
    project.vardelta("run", &[]).expect(0);
    let connection = rusqlite::Connection::open(project.path("w.sqlite")).expect("it opens");
    let query = "select contig is null and pos is null and line = 5 from vardelta_rejects";
    assert_eq!(connection.query_row(query, [], |row| row.get(0)), Ok(true));
}
