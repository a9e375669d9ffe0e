//! The aggregate functions, as the manual lists them.

/// What is said of one: form, types, what it leaves out, meaning.
const AGGREGATES: &[[&str; 4]] = &[
    ["count(*)", "→ int64", "never", "The group's rows."],
    [
        "count(x), count(DISTINCT x)",
        "any single value → int64",
        "never",
        "The values that are not NULL; how many different ones.",
    ],
    [
        "sum(x)",
        "int64 → int64; decimal(p,s) → decimal(38,s); float64 → float64",
        "over no value",
        "The exact sum; that of doubles is rounded once.",
    ],
    [
        "avg(x), mean(x)",
        "int64 → decimal(24,4); decimal(p,s) → 4 digits more; float64 → float64",
        "over no value",
        "The exact sum by the number of values, rounded once.",
    ],
    [
        "min(x), max(x)",
        "any single value → the same",
        "over no value",
        "The least, the greatest; texts by their bytes.",
    ],
    [
        "bool_and(x), every(x), bool_or(x)",
        "bool → bool",
        "over no value",
        "Whether all values are true; whether one is.",
    ],
];

/// The aggregate functions, in Markdown.
pub(crate) fn aggregates_manual() -> String {
    let mut page = "Calls in the columns of an `aggregate` stage. They leave NULLs out; `FILTER (WHERE …)` after a call leaves out \
                    rows, as in SQLite (MySQL: `count(CASE WHEN … THEN 1 END)`).\n\n\
                    | form | types | NULL | meaning |\n|---|---|---|---|\n"
        .to_string();
    for [form, types, nulls, about] in AGGREGATES {
        page += &format!("| `{form}` | {types} | {nulls} | {about} |\n");
    }
    page
}
