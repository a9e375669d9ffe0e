//! Expressions as a pipeline author meets them: text in; type, values, failures or problems out.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use crate::display::value_text;
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray,
    builder::{ListBuilder, StringBuilder},
    types::Int64Type,
};
use vardelta_schemas::{Column, ColumnType, Schema};

mod field;
mod limits;

use super::Expression;
use crate::{
    contract::options::Spanned,
    diagnostics::{Diagnostic, Diagnostics},
};

/// The columns that the design names, and a few for arithmetic.
fn schema() -> Schema {
    let decimal = ColumnType::Decimal { precision: 5, scale: 2 };
    Schema::new(vec![
        Column::required("chrom", ColumnType::Text),
        Column::required("pos", ColumnType::Int64),
        Column::nullable("id", ColumnType::Text),
        Column::required("ref", ColumnType::Text),
        Column::required("alt", ColumnType::Text),
        Column::nullable("qual", ColumnType::Float64),
        Column::nullable("filter", ColumnType::Text),
        Column::nullable("info_ann", ColumnType::Text),
        Column::nullable("info_clnsig", ColumnType::Text),
        Column::nullable("info_dp", ColumnType::Int64),
        Column::required("sample", ColumnType::Text),
        Column::nullable("gt", ColumnType::Text),
        Column::nullable("dp", ColumnType::Int64),
        Column::nullable("gq", ColumnType::Int64),
        Column::nullable("ad", ColumnType::List(Box::new(ColumnType::Int64))),
        Column::nullable("gene_symbol", ColumnType::Text),
        Column::nullable("gene_id", ColumnType::Text),
        Column::nullable("feature_id", ColumnType::Text),
        Column::nullable("biotype", ColumnType::Text),
        Column::nullable("consequence", ColumnType::Text),
        Column::nullable("impact", ColumnType::Text),
        Column::nullable("hgvs_c", ColumnType::Text),
        Column::nullable("hgvs_p", ColumnType::Text),
        Column::nullable("start", ColumnType::Int64),
        Column::nullable("end", ColumnType::Int64),
        Column::nullable("position", ColumnType::Int64),
        Column::nullable("date", ColumnType::Date),
        Column::nullable("interval", ColumnType::Text),
        Column::nullable("quality", decimal),
        Column::nullable("type", ColumnType::Text),
        Column::nullable("value", ColumnType::Float64),
        Column::nullable("left", ColumnType::Text),
        Column::nullable("flag", ColumnType::Bool),
        Column::nullable("Mixed", ColumnType::Int64),
    ])
}

/// Three rows; what is not named is NULL where it may be.
fn batch() -> RecordBatch {
    let schema = schema();
    let columns = schema.columns().iter().map(|column| -> ArrayRef {
        match (column.name.as_str(), &column.column_type) {
            ("chrom", _) => Arc::new(StringArray::from(vec!["chr1", "chr2", "chrX"])),
            ("pos", _) => Arc::new(Int64Array::from(vec![1, i64::MAX, i64::MIN])),
            ("ref", _) => Arc::new(StringArray::from(vec!["A", "CT", "G"])),
            ("alt", _) => Arc::new(StringArray::from(vec!["T", "C", "*"])),
            ("sample", _) => Arc::new(StringArray::from(vec!["s1", "s2", "s3"])),
            ("qual", _) => Arc::new(Float64Array::from(vec![Some(99.5), Some(1e6), None])),
            ("filter", _) => Arc::new(StringArray::from(vec![Some("PASS"), Some("q10;s50"), None])),
            ("info_dp", _) => Arc::new(Int64Array::from(vec![Some(0), Some(7), None])),
            ("dp", _) => Arc::new(Int64Array::from(vec![Some(10), Some(20), Some(30)])),
            ("gq", _) => Arc::new(Int64Array::from(vec![Some(0), Some(0), Some(4)])),
            ("end", _) => Arc::new(Int64Array::from(vec![Some(5), None, Some(9)])),
            ("id", _) => Arc::new(StringArray::from(vec![Some("12"), Some("rs5"), None])),
            ("date", _) => Arc::new(Date32Array::from(vec![Some(19_753), None, Some(0)])),
            ("quality", _) => Arc::new(
                Decimal128Array::from(vec![Some(12_345), Some(-5), None]).with_precision_and_scale(5, 2).unwrap(),
            ),
            ("flag", _) => Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            ("ad", _) => Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
                Some(vec![Some(1), Some(2)]),
                None,
                Some(vec![]),
            ])),
            ("Mixed", _) => Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3)])),
            (_, other) => arrow_array::new_null_array(&other.to_arrow(), 3),
        }
    });
    RecordBatch::try_new(schema.to_arrow(), columns.collect()).unwrap()
}

fn spanned(sql: &str) -> Spanned<String> {
    Spanned { value: sql.to_string(), span: 100..100 + sql.len() + 2 }
}

fn compile_over(sql: &str, schema: &Schema) -> Result<Expression, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let compiled = Expression::compile(&spanned(sql), schema, &mut diagnostics);
    let problems = diagnostics.into_sorted();
    match compiled {
        Some(expression) => {
            assert!(problems.is_empty(), "{sql}: compiled with problems {problems:?}");
            Ok(expression)
        }
        None => {
            assert!(!problems.is_empty(), "{sql}: refused without a problem");
            Err(problems)
        }
    }
}

fn compile(sql: &str) -> Expression {
    compile_over(sql, &schema()).unwrap_or_else(|problems| panic!("{problems:?}: {sql}"))
}

/// `type: value value value`, `type?` where nullable, `!reason` for a row that failed.
fn run(sql: &str) -> String {
    let expression = compile(sql);
    let evaluated = expression.evaluate(&batch());
    assert_eq!(evaluated.values.data_type(), &expression.column_type.to_arrow(), "{sql}");
    assert_eq!(evaluated.values.len(), 3, "{sql}");
    let shown = (0..3).map(|row| match evaluated.failures.iter().find(|failure| failure.row == row) {
        Some(failure) => {
            assert!(evaluated.values.is_null(row), "{sql}: a failed row has a value");
            format!("!{}", failure.reason.code())
        }
        None if evaluated.values.is_null(row) => "NULL".to_string(),
        None => value_text(&evaluated.values, row),
    });
    let null = if expression.nullable { "?" } else { "" };
    format!("{}{null}: {}", expression.column_type, shown.collect::<Vec<_>>().join(" "))
}

/// The problems of an expression: `part it points at | message | hint`.
fn problems(sql: &str) -> Vec<String> {
    let found = match compile_over(sql, &schema()) {
        Ok(expression) => panic!("{sql}: compiled to {}", expression.column_type),
        Err(problems) => problems,
    };
    let file = format!("\"{sql}\"");
    found
        .iter()
        .map(|problem| {
            let part = &file[problem.span.start - 100..problem.span.end - 100];
            format!("{part} | {} | {}", problem.message, problem.hint.as_deref().unwrap_or(""))
        })
        .collect()
}

fn problem(sql: &str) -> String {
    let mut all = problems(sql);
    assert_eq!(all.len(), 1, "{sql}: {all:?}");
    all.remove(0)
}

#[test]
fn every_column_is_found_under_its_plain_name() {
    let schema = schema();
    for (at, column) in schema.columns().iter().enumerate() {
        let name = &column.name;
        let alone = compile(name);
        assert_eq!(alone.as_column(), Some(at), "{name}");
        assert_eq!((&alone.column_type, alone.nullable), (&column.column_type, column.nullable), "{name}");
        for sql in [
            format!("{name} IS NOT NULL AND {name} IS NULL"),
            format!("CASE WHEN {name} IS NULL THEN {name} ELSE {name} END IS NULL"),
            format!("({name}) IS NULL OR NOT ({name} IS NULL)"),
        ] {
            assert_eq!(compile(&sql).column_type, ColumnType::Bool, "{sql}");
        }
        if column.column_type.is_scalar() {
            for sql in [
                format!("CASE {name} WHEN {name} THEN 1 ELSE 2 END"),
                format!("nullif({name}, {name})"),
                format!("{name} = {name} AND {name} IN ({name}, {name})"),
                format!("CAST({name} AS TEXT)"),
                format!("{name} BETWEEN {name} AND {name}"),
                format!("\"{name}\" = {name}"),
            ] {
                compile(&sql);
            }
        }
    }
}

#[test]
fn a_keyword_is_still_a_keyword_where_one_belongs() {
    assert_eq!(run("CASE WHEN pos > 0 THEN end ELSE end END"), "int64?: 5 NULL 9");
    assert_eq!(run("CASE WHEN filter = 'PASS' THEN start ELSE end END"), "int64?: NULL NULL 9");
    assert_eq!(run("DATE '2024-01-31' > date"), "bool?: false NULL true");
    assert_eq!(run("left(ref, 1)"), "text: A C G");
    assert_eq!(run("position('T' IN ref)"), "int64: 0 2 0");
    assert_eq!(run("left IS NULL AND position IS NULL"), "bool: true true true");
    assert_eq!(run("CAST(date AS date) = date"), "bool?: true NULL true");
}

#[test]
fn the_design_s_own_expressions() {
    assert_eq!(run("qual >= 20 AND filter = 'PASS' AND gene_symbol IS NOT NULL"), "bool?: false false false");
    assert_eq!(run("CAST(least(qual, 100.0) AS DECIMAL(5,2))"), "decimal(5,2)?: 99.50 100.00 NULL");
}

#[test]
fn nulls_follow_sql() {
    assert_eq!(run("filter = 'PASS'"), "bool?: true false NULL");
    assert_eq!(run("filter IN ('PASS', NULL)"), "bool?: true NULL NULL");
    assert_eq!(run("NOT (filter = 'PASS')"), "bool?: false true NULL");
    assert_eq!(run("filter = 'PASS' OR pos = 1"), "bool?: true false NULL");
    assert_eq!(run("flag AND dp > 5"), "bool?: true false NULL");
    assert_eq!(run("coalesce(filter, '.')"), "text: PASS q10;s50 .");
    assert_eq!(run("ifnull(qual, 0.0)"), "float64: 99.5 1000000.0 0.0");
    assert_eq!(run("least(dp, gq)"), "int64?: 0 0 4");
    assert_eq!(run("least(info_dp, pos)"), "int64?: 0 7 NULL");
    assert_eq!(run("greatest(qual, CAST(info_dp AS DOUBLE), 1.5)"), "float64?: 99.5 1000000.0 NULL");
    assert_eq!(run("least(pos, 3)"), "int64: 1 3 -9223372036854775808");
    assert_eq!(run("nullif(ref, 'A')"), "text?: NULL CT G");
}

#[test]
fn integers_never_wrap() {
    assert_eq!(run("pos + 1"), "int64: 2 !overflow -9223372036854775807");
    assert_eq!(run("pos - 1"), "int64: 0 9223372036854775806 !overflow");
    assert_eq!(run("pos * 2"), "int64: 2 !overflow !overflow");
    assert_eq!(run("-pos"), "int64: -1 -9223372036854775807 !overflow");
    assert_eq!(run("abs(pos)"), "int64: 1 9223372036854775807 !overflow");
    assert_eq!(run("pos DIV -1"), "int64: -1 -9223372036854775807 !overflow");
    assert_eq!(run("coalesce(pos + 1, 0)"), "int64: 2 !overflow -9223372036854775807");
    assert_eq!(run("CASE WHEN pos < 5 THEN pos - 1 ELSE 0 END"), "int64: 0 0 !overflow");
}

#[test]
fn a_failure_is_its_row_s_alone() {
    assert_eq!(run("dp / gq"), "decimal(23,4)?: !division_by_zero !division_by_zero 7.5000");
    assert_eq!(run("dp DIV gq"), "int64?: !division_by_zero !division_by_zero 7");
    assert_eq!(run("dp % gq"), "int64?: !division_by_zero !division_by_zero 2");
    assert_eq!(run("CAST(id AS BIGINT)"), "int64?: 12 !bad_cast NULL");
    assert_eq!(run("TRY_CAST(id AS BIGINT)"), "int64?: 12 NULL NULL");
    assert_eq!(run("CAST(pos AS INT)"), "int64: 1 9223372036854775807 -9223372036854775808");
    assert_eq!(run("CAST(pos AS SMALLINT)"), "int64: 1 !bad_cast !bad_cast");
    assert_eq!(run("CAST(qual AS DECIMAL(5,2))"), "decimal(5,2)?: 99.50 !overflow NULL");
    assert_eq!(run("qual / info_dp"), "float64?: !not_finite 142857.14285714287 NULL");
    assert_eq!(run("ln(info_dp)"), "float64?: !not_finite 1.9459101490553132 NULL");
    assert_eq!(run("quality * 99999 + quality"), "decimal(11,2)?: 12345000.00 -5000.00 NULL");
}

#[test]
fn guards_hold_on_every_row() {
    assert_eq!(run("CASE WHEN gq <> 0 THEN dp DIV gq END"), "int64?: NULL NULL 7");
    assert_eq!(run("gq <> 0 AND dp / gq > 2"), "bool?: false false true");
    assert_eq!(run("gq = 0 OR dp / gq > 8"), "bool?: true true false");
    assert_eq!(run("coalesce(end, 10 DIV info_dp)"), "int64?: 5 1 9");
    assert_eq!(run("coalesce(end, 10 / info_dp)"), "decimal(23,4)?: 5.0000 1.4286 9.0000");
    assert_eq!(run("flag AND gq <> 0 AND dp / gq > 2"), "bool?: false false NULL");
    assert_eq!(run("flag OR dp / gq > 2"), "bool?: true !division_by_zero true");
    // NULL does not decide, so the right side is needed.
    assert_eq!(run("flag AND CAST(alt AS BIGINT) > 0"), "bool?: !bad_cast false !bad_cast");
}

#[test]
fn many_guarded_rows_need_no_bisection() {
    // Half of the rows are guarded: evaluated by halves down to single rows this would take minutes.
    let schema = Schema::new(vec![Column::required("a", ColumnType::Int64), Column::required("b", ColumnType::Int64)]);
    let rows = 1 << 20;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..rows)),
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row % 2))),
    ];
    let batch = RecordBatch::try_new(schema.to_arrow(), columns).unwrap();
    let evaluated = compile_over("b <> 0 AND a / b > 100", &schema).unwrap().evaluate(&batch);
    assert!(evaluated.failures.is_empty());
    assert_eq!(evaluated.values.len(), rows as usize);
}

#[test]
fn few_bad_rows_among_many_are_found() {
    let schema = Schema::new(vec![Column::required("a", ColumnType::Int64)]);
    let rows = 100_000;
    let bad = [0, 7, 8, 49_999, 50_000, 99_999];
    let values = (0..rows).map(|row| if bad.contains(&row) { i64::MAX } else { row });
    let batch =
        RecordBatch::try_new(schema.to_arrow(), vec![Arc::new(Int64Array::from_iter_values(values)) as _]).unwrap();
    let evaluated = compile_over("a + 1", &schema).unwrap().evaluate(&batch);
    assert_eq!(evaluated.failures.iter().map(|failure| failure.row as i64).collect::<Vec<_>>(), bad);
    let sums = evaluated.values.as_any().downcast_ref::<Int64Array>().unwrap();
    for row in 0..rows {
        let expected = (!bad.contains(&row)).then_some(row + 1);
        assert_eq!(sums.is_valid(row as usize).then(|| sums.value(row as usize)), expected);
    }
}

#[test]
fn an_empty_batch_has_no_values_and_no_failures() {
    let evaluated = compile("dp / gq").evaluate(&batch().slice(0, 0));
    assert_eq!((evaluated.values.len(), evaluated.failures.len()), (0, 0));
}

#[test]
fn results_have_our_types() {
    assert_eq!(run("upper(chrom)"), "text: CHR1 CHR2 CHRX");
    assert_eq!(run("substr(chrom, 4)"), "text: 1 2 X");
    assert_eq!(run("substring(chrom FROM 1 FOR 3)"), "text: chr chr chr");
    assert_eq!(run("substring(chrom, 4, 1)"), "text: 1 2 X");
    assert_eq!(run("replace(chrom, 'chr', '')"), "text: 1 2 X");
    assert_eq!(run("trim(LEADING 'c' FROM chrom)"), "text: hr1 hr2 hrX");
    assert_eq!(run("length(ref)"), "int64: 1 2 1");
    assert_eq!(run("chrom || ':' || dp"), "text?: chr1:10 chr2:20 chrX:30");
    assert_eq!(run("concat(chrom, ':', dp)"), "text?: chr1:10 chr2:20 chrX:30");
    assert_eq!(run("CAST(dp AS VARCHAR)"), "text?: 10 20 30");
    assert_eq!(run("CAST('x' AS STRING)"), "text: x x x");
    assert_eq!(run("split_part(filter, ';', 2)"), "text?:  s50 NULL");
    assert_eq!(run("qual * 2"), "float64?: 199.0 2000000.0 NULL");
    assert_eq!(run("CAST(dp AS FLOAT) / 3"), "float64?: 3.3333333333333335 6.666666666666667 10.0");
    assert_eq!(run("quality + 1"), "decimal(6,2)?: 124.45 0.95 NULL");
    assert_eq!(run("round(qual / 3, 2)"), "float64?: 33.17 333333.33 NULL");
    assert_eq!(run("date - DATE '2024-01-01'"), "int64?: 30 NULL -19723");
    assert_eq!(run("date >= '2024-01-31'"), "bool?: true NULL false");
    assert_eq!(run("chrom ~ '^chr[0-9]+$'"), "bool: true true false");
    assert_eq!(run("filter LIKE 'q%'"), "bool?: false true NULL");
    assert_eq!(run("TRUE"), "bool: true true true");
    assert_eq!(run("Mixed"), "int64?: 1 2 3");
    assert_eq!(run("ref IS DISTINCT FROM 'A'"), "bool: false true true");
    assert_eq!(run("dp & 16"), "int64?: 0 16 16");
    assert_eq!(run("ceil(qual)"), "float64?: 100.0 1000000.0 NULL");
}

#[test]
fn lists_pass_through_only() {
    assert_eq!(compile("ad").column_type, ColumnType::List(Box::new(ColumnType::Int64)));
    assert_eq!(run("ad IS NULL"), "bool: false true false");
    let mut builder = ListBuilder::new(StringBuilder::new());
    builder.append_value([Some("A")]);
    let list = Schema::new(vec![Column::required("alt", ColumnType::List(Box::new(ColumnType::Text)))]);
    let problems = compile_over("alt = 'A'", &list).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn casts_to_decimal_round_half_away_from_zero() {
    let schema = Schema::new(vec![
        Column::required("f", ColumnType::Float64),
        Column::required("d", ColumnType::Decimal { precision: 10, scale: 4 }),
        Column::required("t", ColumnType::Text),
    ]);
    let floats = [0.125, -0.125, 2.5, 1.005, -999.994, 999.995];
    let decimals = [1250, -1250, 25_000, 10_050, -9_999_940, 9_999_950];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from(floats.to_vec())),
        Arc::new(Decimal128Array::from(decimals.to_vec()).with_precision_and_scale(10, 4).unwrap()),
        Arc::new(StringArray::from(vec!["0.125", "-0.125", "2.5", "1.005", "-999.994", "999.995"])),
    ];
    let batch = RecordBatch::try_new(schema.to_arrow(), columns).unwrap();
    let shown = |column: &str| {
        let expression = compile_over(&format!("CAST({column} AS DECIMAL(5,2))"), &schema).unwrap();
        let evaluated = expression.evaluate(&batch);
        let mut shown: Vec<String> = (0..6).map(|row| value_text(&evaluated.values, row)).collect();
        evaluated.failures.iter().for_each(|failure| shown[failure.row] = format!("!{}", failure.reason.code()));
        shown.join(" ")
    };
    // The double nearest to 1.005 is below it, but its shortest text is 1.005, which is what MySQL rounds.
    assert_eq!(shown("f"), "0.13 -0.13 2.50 1.01 -999.99 !overflow");
    assert_eq!(shown("d"), "0.13 -0.13 2.50 1.01 -999.99 !overflow");
    assert_eq!(shown("t"), "0.13 -0.13 2.50 1.01 -999.99 !overflow");
}

#[test]
fn negative_zero_becomes_zero() {
    let schema = Schema::new(vec![Column::required("f", ColumnType::Float64)]);
    let batch =
        RecordBatch::try_new(schema.to_arrow(), vec![Arc::new(Float64Array::from(vec![-0.0, 1.0])) as _]).unwrap();
    for sql in ["f", "f * -1.0 * -1.0"] {
        let evaluated = compile_over(sql, &schema).unwrap().evaluate(&batch);
        let values = evaluated.values.as_any().downcast_ref::<Float64Array>().unwrap();
        assert_eq!(values.value(0).to_bits(), 0, "{sql}");
        assert!(evaluated.failures.is_empty());
    }
}

#[test]
fn unknown_columns_are_reported_each_where_it_stands() {
    assert_eq!(
        problems("qul > 5 AND gene_symbl = 'X' AND FILTER = 'PASS'"),
        [
            "qul | there is no column `qul` | Did you mean `qual`?",
            "gene_symbl | there is no column `gene_symbl` | Did you mean `gene_symbol`?",
            "FILTER | there is no column `FILTER` | Did you mean `filter`? Upper and lower case count.",
        ]
    );
    assert!(problem("zzzzzzzz = 1").starts_with("zzzzzzzz | there is no column `zzzzzzzz` | The columns are: chrom,"));
    assert!(problem("calls.pos = 1").starts_with("calls.pos | `calls.pos` is not a column |"));
    assert!(problem("filter = PASS").starts_with("PASS | there is no column `PASS`"));
}

#[test]
fn syntax_errors_point_at_the_word() {
    assert!(problem("qual >= ").contains("found the end of the expression"), "{}", problem("qual >= "));
    assert!(problem("qual >= 20 30").starts_with("30 | not an SQL expression: expected an operator or the end"));
    for sql in [
        "qual >= 20 WHATEVER pos",
        "s GLOB 'L*'",
        "CASE WHEN flag THEN",
        "pos BETWEEN 1",
        "pos IS 5",
        "CAST(pos AS",
        "1 +* 2",
    ] {
        let problem = problem(sql);
        assert!(problem.contains("not an SQL expression: ") && problem.contains("expected "), "{problem}");
        for debris in ["Token", "Word", "Keyword", "parser", "Expected"] {
            assert!(!problem.contains(debris), "{problem}");
        }
    }
    assert!(problem("flag && flag").starts_with("flag && flag | the operator `&&` is not available"));
    assert!(problem("(qual > 20").contains("not an SQL expression"), "{}", problem("(qual > 20"));
    assert!(problem("filter = 'PASS").contains("not an SQL expression"), "{}", problem("filter = 'PASS"));
    assert!(problem("  ").contains("this expression is empty"));
}

#[test]
fn functions_that_are_not_of_one_row_are_refused() {
    assert_eq!(problem("uper(ref)"), "uper | there is no function `uper` | Did you mean `upper`?");
    assert!(problem("count(*) > 1").starts_with("count | `count` is an aggregate function"));
    assert!(problem("sum(dp)").contains("`aggregate` stage"));
    assert!(problem("row_number() OVER (ORDER BY pos)").contains("window function"));
    assert!(problem("dp > (SELECT 1)").contains("cannot hold a subquery"));
    assert!(problem("dp IN (SELECT dp FROM t)").contains("cannot hold a subquery"));
    assert!(problem("*").contains("`*` is not a value") || problem("*").contains("not an SQL expression"));
    for sql in ["random()", "uuid()", "now()", "current_date", "CURRENT_TIMESTAMP"] {
        assert!(problem(sql).contains("does not depend on its arguments alone"), "{}", problem(sql));
    }
    for sql in ["arrow_typeof(pos)", "version()", "dp + $1", "upper(DISTINCT ref)", "CAST(ref AS VARCHAR(3))"] {
        problem(sql);
    }
}
