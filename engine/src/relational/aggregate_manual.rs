//! The registry of aggregate functions: their names, and what the manual says of each.

use std::fmt::Write as _;

use crate::expression::{example::Example, functions::Database};

use Database::{MariaDb, MySql, Sqlite};

/// What is said of a form.
pub(super) struct AggregateForm {
    /// The names under which it is called; the first is its own.
    names: &'static [&'static str],
    /// How it is called.
    form: &'static str,
    types: &'static str,
    /// When it is NULL.
    nulls: &'static str,
    about: &'static str,
    /// Over the [sample](SAMPLE): expression and result.
    examples: &'static [(&'static str, &'static str)],
    elsewhere: &'static [(Database, &'static str)],
}

/// The rows over which examples are computed, as SQL and as the manual shows them: names and types of the columns, then
/// the rows.
pub const SAMPLE: (&[(&str, &str)], &[&[&str]]) = (
    &[
        ("pos", "int64"),
        ("gene", "text"),
        ("qual", "decimal(5,2)"),
        ("dp", "int64"),
        ("af", "float64"),
        ("impact", "text"),
    ],
    &[
        &["100", "TP53", "50.50", "10", "0.25", "HIGH"],
        &["200", "TP53", "30.00", "20", "0.5", "LOW"],
        &["300", "BRCA1", "NULL", "20", "0.125", "LOW"],
        &["400", "BRCA1", "99.00", "NULL", "NULL", "NULL"],
        &["500", "TP53", "30.00", "40", "0.5", "HIGH"],
    ],
);

const NOWHERE: &[(Database, &str)] =
    &[(MySql, "has no such function"), (MariaDb, "has no such function"), (Sqlite, "has no such function")];

const PERCENTILES: &[(Database, &str)] = &[
    (MySql, "has no such function"),
    (MariaDb, "has it as a window function alone, `… OVER (PARTITION BY gene)`, of doubles"),
    (Sqlite, "has it only where it is built with its percentiles, with the share as second argument, from 0 to 100"),
];

/// The aggregate functions.
const AGGREGATES: &[AggregateForm] = &[
    AggregateForm {
        names: &["count"],
        form: "count(*), count(x)",
        types: "any → int64",
        nulls: "never",
        about: "The group's rows; those on which `x` is not NULL.",
        examples: &[("count(*)", "5"), ("count(impact)", "4")],
        elsewhere: &[],
    },
    AggregateForm {
        names: &["count"],
        form: "count(DISTINCT x, …)",
        types: "any single values → int64",
        nulls: "never",
        about: "How many different values there are, or combinations of values of which none is NULL.",
        examples: &[("count(DISTINCT impact)", "2"), ("count(DISTINCT gene, impact)", "3")],
        elsewhere: &[(Sqlite, "takes one value")],
    },
    AggregateForm {
        names: &["count_if", "countif"],
        form: "count_if(c)",
        types: "bool → int64",
        nulls: "never",
        about: "The rows on which a condition is true: `count(*) FILTER (WHERE c)`.",
        examples: &[("count_if(dp > 15)", "3")],
        elsewhere: NOWHERE,
    },
    AggregateForm {
        names: &["sum"],
        form: "sum(x)",
        types: "int64 → int64; decimal(p,s) → decimal(38,s); float64 → float64; bool → int64",
        nulls: "over no value",
        about: "The exact sum; that of doubles is rounded once. Of booleans how many are true.",
        examples: &[("sum(dp)", "90"), ("sum(qual)", "209.50"), ("sum(dp > 15)", "3")],
        elsewhere: &[],
    },
    AggregateForm {
        names: &["sum"],
        form: "sum(DISTINCT x)",
        types: "numbers, as `sum(x)`",
        nulls: "over no value",
        about: "The exact sum of the different values.",
        examples: &[("sum(DISTINCT dp)", "70")],
        elsewhere: &[],
    },
    AggregateForm {
        names: &["avg", "mean"],
        form: "avg(x)",
        types: "int64 → decimal(24,4); decimal(p,s) → 4 digits more; float64 → float64; bool → decimal(5,4)",
        nulls: "over no value",
        about: "The exact sum by the number of values, rounded once: a decimal half away from zero.",
        examples: &[("avg(dp)", "22.5000"), ("avg(qual)", "52.375000"), ("avg(dp > 15)", "0.7500")],
        elsewhere: &[],
    },
    AggregateForm {
        names: &["avg"],
        form: "avg(DISTINCT x)",
        types: "numbers, as `avg(x)`",
        nulls: "over no value",
        about: "The mean of the different values.",
        examples: &[("avg(DISTINCT dp)", "23.3333")],
        elsewhere: &[(Sqlite, "is a double")],
    },
    AggregateForm {
        names: &["min", "max"],
        form: "min(x), max(x)",
        types: "any single value → the same",
        nulls: "over no value",
        about: "The least, the greatest; texts by their bytes.",
        examples: &[("min(gene)", "BRCA1"), ("max(qual)", "99.00")],
        elsewhere: &[],
    },
    AggregateForm {
        names: &["any_value"],
        form: "any_value(x)",
        types: "any single value → the same",
        nulls: "over no value",
        about: "Of values any of which would do the least, so that it is the same in every run: `min(x)`.",
        examples: &[("any_value(gene)", "BRCA1")],
        elsewhere: &[
            (MySql, "is the value of any row, also a NULL"),
            (MariaDb, "has no such function"),
            (Sqlite, "has no such function"),
        ],
    },
    AggregateForm {
        names: &["min_by", "max_by"],
        form: "min_by(x, y), max_by(x, y)",
        types: "any two single values → as `x`",
        nulls: "over no `y`; where `x` is",
        about: "`x` of the row with the least or greatest `y`. Rows whose `y` is NULL are left out; of several with the same \
                `y` the least `x`, NULL only where it is all there is.",
        examples: &[("min_by(pos, qual)", "200"), ("max_by(gene, dp)", "TP53")],
        elsewhere: NOWHERE,
    },
    AggregateForm {
        names: &["bool_and", "bool_or", "every"],
        form: "bool_and(c), every(c), bool_or(c)",
        types: "bool → bool",
        nulls: "over no value",
        about: "Whether all values are true; whether one is.",
        examples: &[("bool_and(dp > 15)", "0"), ("bool_or(dp > 15)", "1")],
        elsewhere: NOWHERE,
    },
    AggregateForm {
        names: &["group_concat"],
        form: "group_concat([DISTINCT] x, … [ORDER BY y [DESC], …] [SEPARATOR ';'])",
        types: "any single values → text",
        nulls: "over no value",
        about: "The texts of the values with `,` or another text between them; several values of a row are one text, and a row \
                with a NULL among them is left out. In the order of `y`, NULL first unless DESC or NULLS LAST is said, equal ones \
                and where no order is said by the bytes of the text. With DISTINCT a text keeps the place where it comes \
                first. A text of more than `group_concat_max_bytes` (an option of the stage, 1 MiB unless it is said) rejects \
                the group's row (`group_concat_too_long`); MySQL cuts it at 1,024 bytes and MariaDB at 1 MiB.",
        examples: &[
            ("group_concat(impact ORDER BY pos)", "HIGH,LOW,LOW,HIGH"),
            ("group_concat(DISTINCT gene ORDER BY gene DESC SEPARATOR '; ')", "TP53; BRCA1"),
            ("group_concat(gene, ':', pos ORDER BY qual, pos DESC)", "BRCA1:300,TP53:500,TP53:200,TP53:100,BRCA1:400"),
            ("group_concat(pos ORDER BY 15 - dp, pos)", "400,500,200,300,100"),
        ],
        elsewhere: &[
            (MySql, "takes a NULL in this ORDER BY for 0"),
            (MariaDb, "takes a NULL in this ORDER BY for 0"),
            (Sqlite, "takes one value, and the separator as second argument"),
        ],
    },
    AggregateForm {
        names: &["var_pop", "variance"],
        form: "var_pop(x), variance(x)",
        types: "numbers → float64",
        nulls: "over no value",
        about: "The mean of the squared distances from the mean, computed exactly and rounded once: the same whatever came \
                and went before.",
        examples: &[("var_pop(dp)", "118.75"), ("variance(af)", "0.0263671875")],
        elsewhere: &[(Sqlite, "has no such function")],
    },
    AggregateForm {
        names: &["var_samp"],
        form: "var_samp(x)",
        types: "numbers → float64",
        nulls: "over fewer than two values",
        about: "The variance of a sample: the sum of the squared distances by one less than the number of values.",
        examples: &[("var_samp(dp)", "158.33333333333334")],
        elsewhere: &[(Sqlite, "has no such function")],
    },
    AggregateForm {
        names: &["stddev_pop", "stddev", "std"],
        form: "stddev_pop(x), stddev(x), std(x)",
        types: "numbers → float64",
        nulls: "over no value",
        about: "The root of `var_pop(x)`, rounded once.",
        examples: &[("stddev(dp)", "10.897247358851684")],
        elsewhere: &[(Sqlite, "has no such function")],
    },
    AggregateForm {
        names: &["stddev_samp"],
        form: "stddev_samp(x)",
        types: "numbers → float64",
        nulls: "over fewer than two values",
        about: "The root of `var_samp(x)`, rounded once.",
        examples: &[("stddev_samp(dp)", "12.583057392117917")],
        elsewhere: &[(Sqlite, "has no such function")],
    },
    AggregateForm {
        names: &["median"],
        form: "median(x)",
        types: "numbers, as `avg(x)`",
        nulls: "over no value",
        about: "`percentile_cont(0.5) WITHIN GROUP (ORDER BY x)`.",
        examples: &[("median(dp)", "20.0000"), ("median(qual)", "40.250000")],
        elsewhere: PERCENTILES,
    },
    AggregateForm {
        names: &["percentile_cont"],
        form: "percentile_cont(p) WITHIN GROUP (ORDER BY x [DESC])",
        types: "a share from 0 to 1; numbers, as `avg(x)`",
        nulls: "over no value",
        about: "The value at this share of the way from the first value to the last; between two values it is interpolated, \
                exactly, and rounded once.",
        examples: &[("percentile_cont(0.9) WITHIN GROUP (ORDER BY dp)", "34.0000")],
        elsewhere: PERCENTILES,
    },
    AggregateForm {
        names: &["percentile_disc"],
        form: "percentile_disc(p) WITHIN GROUP (ORDER BY x [DESC])",
        types: "a share from 0 to 1; any single values → as `x`",
        nulls: "over no value",
        about: "The first value up to which there is at least this share of the values.",
        examples: &[
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY gene)", "TP53"),
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY dp DESC)", "20"),
        ],
        elsewhere: PERCENTILES,
    },
];

/// Every name of an aggregate function.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let mut seen = Vec::new();
    AGGREGATES.iter().flat_map(|form| form.names.iter().copied()).filter(move |name| {
        let is_new = !seen.contains(name);
        seen.push(*name);
        is_new
    })
}

/// Whether there is an aggregate function of this name, in lower case.
pub(super) fn is_ours(name: &str) -> bool {
    names().any(|known| known == name)
}

/// How a function is called, for hints.
pub(super) fn example(name: &str) -> String {
    let forms: Vec<&str> = AGGREGATES.iter().filter(|form| form.names.contains(&name)).map(|form| form.form).collect();
    format!("Write {}, with FILTER (WHERE …) after it if need be.", forms.join(", or "))
}

/// Every example of an aggregate, over the rows of [`SAMPLE`].
pub fn aggregate_examples() -> Vec<Example> {
    let of_form = |form: &'static AggregateForm| {
        form.examples.iter().map(|(sql, result)| Example { of: form.form, sql, result, elsewhere: form.elsewhere })
    };
    AGGREGATES.iter().flat_map(of_form).collect()
}

/// The aggregate functions, in Markdown.
pub(crate) fn aggregates_manual() -> String {
    let mut page = PAGE_START.to_string();
    let (columns, rows) = SAMPLE;
    let names: Vec<String> = columns.iter().map(|(name, of)| format!("{name} ({of})")).collect();
    let _ = writeln!(page, "| {} |\n|{}", names.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
    page += "\n| form | types | NULL | meaning | example | elsewhere |\n|---|---|---|---|---|---|\n";
    for form in AGGREGATES {
        let examples: Vec<String> = form.examples.iter().map(|(sql, result)| format!("`{sql}` = `{result}`")).collect();
        let elsewhere: Vec<String> =
            form.elsewhere.iter().map(|(database, what)| format!("{}: {what}", database.name())).collect();
        let cells = [form.types, form.nulls, form.about, &examples.join("<br>"), &elsewhere.join("<br>")];
        let _ = writeln!(page, "| `{}` | {} |", form.form, cells.join(" | "));
    }
    page
}

const PAGE_START: &str = "Calls in the columns of an `aggregate` stage. They leave NULLs out. `FILTER (WHERE …)` after a \
    call leaves out rows, as in SQLite; MySQL and MariaDB have no such form (`count(CASE WHEN … THEN 1 END)`). What a call gives \
    follows from the rows that are there, not from the order in which they came and went: withdrawing a drop gives the bits \
    that were there before it. An aggregate of another dialect is refused with what says the same here.\n\n\
    The examples are over these rows:\n\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{foreign, functions};

    #[test]
    fn every_aggregate_is_known_where_it_is_misplaced() {
        for name in names() {
            assert!(functions::AGGREGATES.contains(&name), "{name} is not in the list of aggregates");
        }
        assert_eq!(functions::AGGREGATES.len(), names().count());
        assert_eq!(names().find(|name| foreign::is_aggregate(name)), None, "one of ours is foreign");
        for form in AGGREGATES {
            assert!(form.about.ends_with('.') && !form.examples.is_empty(), "{}", form.form);
        }
    }
}
