//! Transforms: batch in, batch and rejects out, no memory of earlier batches.

/// The pipeline file of a transform that reads calls: the stages in the file $stages are between a `vcf` source, `calls`, and the sink,
/// which keeps $table.
macro_rules! example_of_calls {
    ($name:literal, $stages:literal, $table:literal) => {
        example_of_calls!($name, "", $stages, $table)
    };
    ($name:literal, $first:literal, $stages:literal, $table:literal) => {
        concat!(
            "[pipeline]\nname = \"",
            $name,
            "_example\"\n\n[stages.calls]\ntype = \"vcf\"\npath = \"drops/*.vcf\"\ninfo = [\"ANN\", \"CLNSIG\", \"DP\"]\n\n",
            $first,
            include_str!($stages),
            "\n[stages.warehouse]\ntype = \"sqlite\"\npath = \"example.sqlite\"\ntables = [\"",
            $table,
            "\"]\n"
        )
    };
}

/// The same of a transform that reads single alleles, `alleles`.
macro_rules! example_of_alleles {
    ($name:literal, $stages:literal, $table:literal) => {
        example_of_calls!($name, "[stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n", $stages, $table)
    };
}

pub mod annotations;
pub mod explode;
pub mod filter;
pub mod normalize;
pub mod select;
