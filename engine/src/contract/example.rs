//! The pipeline files of manuals, put together around what is a stage's own.

/// The pipeline file of a stage that reads a table of calls, `variants`, with the columns of a `vcf`: $stages is between
/// that table and the sink, which keeps $tables.
#[macro_export]
macro_rules! example_after_variants {
    ($name:literal, $stages:literal, $tables:literal) => {
        concat!(
            "[pipeline]\nname = \"",
            $name,
            r#""

[stages.calls]
type = "vcf"
path = "drops/*.vcf"

[stages.alleles]
type = "normalize"
input = "calls"

[stages.located]
type = "filter"
input = "alleles"
where = "alt IS NOT NULL"

[stages.variants]
type = "table"
input = "located"
key = ["chrom", "pos", "ref", "alt"]

"#,
            $stages,
            "\n[stages.warehouse]\ntype = \"sqlite\"\npath = \"",
            $name,
            ".sqlite\"\ntables = ",
            $tables,
            "\n"
        )
    };
}
