//! Which place a record means: contig names, assemblies, regions.

mod assemblies;
mod content;
mod regions;

use vardelta_tests::{database::texts, project::Project};

const HEADER: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// A pipeline that keeps alleles, with these lines under `[pipeline]` and under its source.
fn pipeline(settings: &str, source: &str) -> String {
    format!(
        r#"
[pipeline]
name = "identity"
max_reject_share = 1.0
{settings}

[stages.calls]
type = "vcf"
path = "drops/*.[vb]cf*"
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
path = "identity.sqlite"
tables = ["variants"]
"#
    )
}

/// A project with this pipeline and these drops: name, `##` lines, records separated by blanks.
fn project(pipeline: &str, drops: &[(&str, &str, &[&str])]) -> Project {
    let project = Project::new(pipeline);
    for (name, meta, records) in drops {
        project.write_drop(name, meta, records);
    }
    project
}

/// The rows of the table, `chrom:pos ref>alt`, in order.
fn rows(project: &Project) -> Vec<String> {
    texts(
        &project.path("identity.sqlite"),
        "SELECT chrom || ':' || pos || ' ' || ref || '>' || alt FROM variants ORDER BY 1",
    )
}
