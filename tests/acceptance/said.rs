//! What is said, and what is not.

mod changes;
mod log;
mod messages;
mod metrics;
mod secrets;
mod terminal;
mod warnings;

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
