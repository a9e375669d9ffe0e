//! What expressions may not do: grow without end, mix types, panic, or be known to fail before they run.

use super::*;

#[test]
fn texts_that_grow_are_bounded() {
    assert_eq!(run("lpad(chrom, 6, '0')"), "text: 00chr1 00chr2 00chrX");
    assert_eq!(run("lpad(chrom, pos, '0')"), "text?: c !overflow NULL");
    assert_eq!(run("length(repeat(chrom, 16384))"), "int64: 65536 65536 65536");
    assert_eq!(run("repeat(chrom, pos)"), "text: chr1 !overflow ");
    assert_eq!(run("length(replace(repeat('a', 65536), 'a', chrom))"), "int64: !overflow !overflow !overflow");
    assert_eq!(run("space(pos)"), "text:   !overflow ");
}

#[test]
fn text_and_number_are_not_mixed() {
    let refused = problem("chrom = 'chr1' AND qual > 'abc'");
    assert!(
        refused.starts_with("qual > 'abc' | text and number are mixed | Nothing is converted silently"),
        "{refused}"
    );
    for sql in [
        "chrom = 1",
        "chrom IN (1, 2)",
        "pos IN ('1', '2')",
        "pos BETWEEN '1' AND '2'",
        "CASE WHEN flag THEN 1 ELSE 'a' END",
        "CASE chrom WHEN 1 THEN 1 END",
        "coalesce(qual, 'none')",
        "least(qual, ref)",
        "flag = 1",
        "'1' + 1",
        "qual IS DISTINCT FROM ref",
        "flag + 1",
        "date > 'yesterday'",
        "ad = 1",
    ] {
        problem(sql);
    }
    assert_eq!(run("CAST(id AS DOUBLE) > 5"), "bool?: true !bad_cast NULL");
    assert_eq!(run("CAST(dp AS TEXT) = '10'"), "bool?: true false false");
}

#[test]
fn what_no_column_can_hold_is_refused() {
    assert!(problem("NULL").contains("always NULL"));
    assert!(problem("CAST(date AS TIMESTAMP)").contains("no column can hold"));
    problem("CAST(quality AS DECIMAL(50,2))");
    assert_eq!(run("CAST(NULL AS TEXT)"), "text?: NULL NULL NULL");
}

#[test]
fn a_constant_that_always_fails_is_found_before_running() {
    assert!(problem("1 / 0").contains("fails on every row"));
    assert!(problem("CAST('abc' AS BIGINT)").contains("fails on every row"));
    assert_eq!(run("CASE WHEN dp > 100 THEN 1 DIV 0 ELSE 1 END"), "int64: 1 1 1");
}

#[test]
fn long_and_deep_expressions_do_not_exhaust_the_stack() {
    let long = (0..4_000).map(|n| format!("pos = {n}")).collect::<Vec<_>>().join(" OR ");
    assert_eq!(compile(&long).column_type, ColumnType::Bool);
    assert!(compile(&long).evaluate(&batch()).failures.is_empty());
    let sum = compile(&vec!["dp"; 115].join(" + ")).evaluate(&batch());
    assert_eq!(value_text(&sum.values, 0), "1150");
    assert!(problem(&vec!["dp"; 3_000].join(" + ")).contains("nested too deeply"));
    let deep = format!("{}pos{}", "(".repeat(300), ")".repeat(300));
    assert!(problem(&deep).contains("nested too deeply"));
    assert!(problem(&vec!["pos"; 12_000].join(" + ")).contains("words, more than"));
}

/// Every function on awkward arguments: refused, failed on a row or answered, but never a panic.
#[test]
fn no_function_panics() {
    let arguments = ["pos", "id", "qual", "quality", "-1", "5", "NULL"];
    let batch = batch();
    let schema = schema();
    let (mut compiled, mut panicked) = (0, Vec::new());
    for name in crate::expression::functions::Functions::built_in().names() {
        let mut lists: Vec<String> = vec![String::new()];
        lists.extend(arguments.iter().map(|one| one.to_string()));
        for one in ["pos", "qual", "id"] {
            lists.extend(arguments.iter().map(|two| format!("{one}, {two}")));
        }
        for three in ["pos", "''", "-1"] {
            lists.extend(["pos", "-1", "''"].iter().map(|two| format!("chrom, {two}, {three}")));
        }
        for list in lists {
            let mut diagnostics = Diagnostics::default();
            let sql = format!("{name}({list})");
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let expression = Expression::compile(&spanned(&sql), &schema, &mut diagnostics)?;
                Some(expression.evaluate(&batch).values.len())
            }));
            match outcome {
                Ok(Some(rows)) => {
                    compiled += 1;
                    assert_eq!(rows, 3, "{sql}");
                }
                Ok(None) => {}
                Err(_) => panicked.push(sql),
            }
        }
    }
    assert_eq!(panicked, Vec::<String>::new());
    assert!(compiled > 500, "{compiled}");
}
