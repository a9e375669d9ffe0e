//! The stage type `aggregate`.

use super::{
    Relational,
    aggregate::{CONCAT_MAX_BYTES, plan_bounded},
    aggregate_reasons,
};
use crate::options;
use crate::{
    contract::{
        options::{NamedTexts, OptionDoc, Spanned},
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageType},
    },
    diagnostics::Diagnostics,
    expression,
};

options! {
    /// Options of `aggregate`.
    pub struct AggregateOptions {
        /// The columns whose equal values make a group; they are the key of the result. With none there is one row over
        /// everything, also when there are no rows at all.
        "group_by" => group_by: Vec<Spanned<String>> = Vec::new(), "[]",
        /// The columns computed per group, by name: SQL expressions of aggregate calls, the columns of `group_by` and
        /// constants.
        "columns" => columns: NamedTexts,
        /// Bytes that the text of a `group_concat` has at the most. A longer one is not cut: its group's row is rejected.
        "group_concat_max_bytes" => group_concat_max_bytes: u64 = CONCAT_MAX_BYTES, "1_048_576",
    }
}

/// The stage type `aggregate`: one row per group, kept up to date by every change of its input.
pub struct Aggregate;

impl StageType for Aggregate {
    fn name(&self) -> &'static str {
        "aggregate"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn manual(&self) -> &'static str {
        "One row per group of a table's rows: counts, sums, averages, least and greatest values.

A run touches only the groups whose rows changed, and writes only those whose result did. The result is the one that a
fresh aggregation of all rows gives, bit for bit.

Calls: count(*), count(x), count(DISTINCT x, …), count_if(c), sum(x), avg(x), both also of DISTINCT x, min(x), max(x),
any_value(x), min_by(x, y), max_by(x, y), bool_and(c), bool_or(c), group_concat([DISTINCT] x [ORDER BY y DESC]
[SEPARATOR ';']), var_pop(x), var_samp(x), stddev_pop(x), stddev_samp(x), median(x), percentile_cont(0.9) and
percentile_disc(0.9) WITHIN GROUP (ORDER BY x), each with FILTER (WHERE …) after it if need be. A column may compute with
them: round(avg(qual), 2), sum(a) / count(*). `vardelta stages expressions` has types, examples and the differences to
MySQL, MariaDB and SQLite.

NULLs are left out by every call but count(*). A call over nothing is NULL, a count over nothing 0.

Types: counts are int64. sum of int64 is int64, and a sum that does not fit rejects the group's row; sum of decimal(p,s) is
decimal(38,s). avg of int64 is decimal(24,4); avg of decimal(p,s) has four digits more, as far as 38 allow; both are
rounded half away from zero, and so are median and percentile_cont. sum, avg, median and percentile_cont of float64 are
float64, computed exactly and rounded once; so are variances and deviations of any numbers. min and max have the type of what
they are applied to; texts are ordered by their UTF-8 bytes.

What a changed row costs does not depend on how large its group is, except for group_concat, which reads the group's texts.

The input must be keyed: put a `table` before it, so that a record delivered twice counts once."
    }

    fn example(&self) -> &'static str {
        r#"[pipeline]
name = "gene_summary"
assembly = "GRCh38"

[stages.calls]
type = "vcf"
path = "drops/*.vcf.gz"
info = ["ANN"]

[stages.alleles]
type = "normalize"
input = "calls"

[stages.consequences]
type = "annotations"
input = "alleles"
field = "ANN"
pick = "worst"

[stages.annotated]
type = "select"
input = "consequences"
[stages.annotated.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "alt"
quality = "CAST(least(qual, 100.0) AS DECIMAL(5,2))"
gene_symbol = "coalesce(gene_symbol, 'intergenic')"
impact = "impact"

[stages.variants]
type = "table"
input = "annotated"
key = ["chromosome", "position", "reference", "alternate"]
conflict = "latest_drop"

[stages.mutation_summary]
type = "aggregate"
input = "variants"
group_by = ["gene_symbol"]
[stages.mutation_summary.columns]
variant_count = "count(*)"
avg_quality = "avg(quality)"
high_impact_count = "count(*) FILTER (WHERE impact = 'HIGH')"
first_position = "min(position)"

[stages.warehouse]
type = "sqlite"
path = "gene_summary.sqlite"
tables = ["variants", "mutation_summary"]
"#
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [expression::REASONS, aggregate_reasons::REASONS].concat()
    }

    fn options(&self) -> &'static [OptionDoc] {
        AggregateOptions::DOCS
    }

    fn version(&self) -> u32 {
        // 2: expressions mean what MySQL means by them.
        2
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let place = request.options.span.clone();
        let options = AggregateOptions::read(request.options, diagnostics);
        let input = request.inputs.into_iter().next()?;
        let options = options?;
        if options.group_by.is_empty() && options.columns.0.is_empty() {
            diagnostics
                .error(place, format!("stage `{}` computes nothing", request.name))
                .hint("Add a column to `columns`, such as variant_count = \"count(*)\".");
            return None;
        }
        let spec = plan_bounded(
            &options.group_by,
            &options.columns,
            options.group_concat_max_bytes,
            input.schema,
            request.functions,
            diagnostics,
        )?;
        Some(Planned::Relational(Relational::Aggregate(spec)))
    }
}
