//! What is said, and what is not.

mod changes;
mod log;
mod messages;
mod metrics;
mod secrets;
mod terminal;
mod warnings;

use vardelta_tests::project::Project;

/// A pipeline that keeps alleles in SQLite, with these lines under its source.
fn pipeline(source: &str) -> String {
    format!(
        r#"
[pipeline]
name = "said"
max_reject_share = 1.0

[stages.calls]
type = "vcf"
path = "drops/*.vcf"
{source}

[stages.alleles]
type = "normalize"
input = "calls"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.warehouse]
type = "sqlite"
path = "said.sqlite"
tables = ["variants"]
"#
    )
}

/// A drop of these `##` lines and these records, separated by blanks.
fn write_drop(project: &Project, name: &str, meta: &str, records: &[&str]) {
    let records: String = records.iter().map(|record| format!("{}\n", record.replace(' ', "\t"))).collect();
    let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    project.write(&format!("drops/{name}.vcf"), format!("##fileformat=VCFv4.2\n{meta}{columns}{records}").as_bytes());
}
