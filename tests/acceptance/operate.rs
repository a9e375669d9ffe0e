//! What is reported beside the report.

mod alerts;
mod channels;
mod digest;
mod lineage;
mod live;
mod mail;
mod screen;
mod shells;

use vardelta_tests::project::Project;

/// A pipeline that keeps classified alleles in SQLite with their history, with these lines of `[operate]` after it.
fn project(operate: &str) -> Project {
    Project::new(&format!(
        r#"
[pipeline]
name = "told"
max_reject_share = 0.5

[stages.calls]
type = "vcf"
path = "drops/*.vcf"
info = ["CLNSIG", "AC"]

[stages.alleles]
type = "normalize"
input = "calls"

[stages.classified]
type = "select"
input = "alleles"
[stages.classified.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "alt"
clinical_rank = "clinvar_rank(info_clnsig)"
carrier_count = "info_ac"

[stages.variants]
type = "table"
input = "classified"
key = ["chromosome", "position", "reference", "alternate"]

[stages.summary]
type = "aggregate"
input = "variants"
group_by = ["chromosome"]
[stages.summary.columns]
variant_count = "count(*)"
pathogenic_count = "count(*) FILTER (WHERE clinical_rank > 0)"

[stages.warehouse]
type = "sqlite"
path = "told.sqlite"
tables = ["variants", "summary"]
history = ["variants"]

{operate}
"#
    ))
}

/// The declarations of the fields that the pipeline reads.
const META: &str = "##contig=<ID=1>\n##contig=<ID=2>\n##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"x\">\n\
                    ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"x\">\n";
