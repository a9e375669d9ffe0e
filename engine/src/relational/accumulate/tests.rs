//! Accumulators against results computed by hand and against an accumulator that never saw what was removed.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::{Decimal128Array, StringArray};
use vardelta_schemas::{Column, Schema};
use vardelta_testrandom::{Random, seed};

use super::*;
use crate::{
    contract::options::{NamedTexts, Spanned},
    diagnostics::Diagnostics,
    display::value_text,
    expression::functions::Functions,
    relational::plan_aggregate,
};

const CALLS: &[&str] = &[
    "count(*)",
    "count(i)",
    "count(*) FILTER (WHERE i > 0)",
    "sum(i)",
    "avg(i)",
    "sum(d)",
    "avg(d)",
    "sum(f)",
    "avg(f)",
    "bool_and(b)",
    "bool_or(b)",
    "min(t)",
    "count(DISTINCT t)",
    "count_if(b)",
    "sum(b)",
    "avg(b)",
    "var_pop(i)",
    "stddev_samp(d)",
    "var_samp(f)",
    "stddev(f)",
];

fn spec(calls: &[&str]) -> AggregateSpec {
    let input = Schema::new(vec![
        Column::nullable("i", ColumnType::Int64),
        Column::nullable("d", ColumnType::Decimal { precision: 38, scale: 2 }),
        Column::nullable("f", ColumnType::Float64),
        Column::nullable("b", ColumnType::Bool),
        Column::required("t", ColumnType::Text),
        Column::nullable("s", ColumnType::Decimal { precision: 5, scale: 2 }),
    ]);
    let named = calls.iter().enumerate().map(|(at, sql)| {
        let spanned = |value: String| Spanned { span: 0..value.len() + 2, value };
        (spanned(format!("c{at}")), spanned(sql.to_string()))
    });
    let mut diagnostics = Diagnostics::default();
    let spec = plan_aggregate(&[], &NamedTexts(named.collect()), &input, Functions::built_in(), &mut diagnostics);
    spec.unwrap_or_else(|| panic!("{:?}", diagnostics.into_sorted()))
}

/// Rows of `i`, `d`, `f` and `b`.
type Row = (Option<i64>, Option<i128>, Option<f64>, Option<bool>);

struct Group {
    spec: AggregateSpec,
    layout: Layout,
    cells: Cells,
}

impl Group {
    fn new() -> Group {
        let spec = spec(CALLS);
        Group { layout: Layout::new(&spec), spec, cells: Cells::default() }
    }

    fn add(&mut self, rows: &[Row], diff: i64) {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0))),
            Arc::new(Decimal128Array::from_iter(rows.iter().map(|row| row.1)).with_precision_and_scale(38, 2).unwrap()),
            Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2))),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.3))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|_| "x"))),
            Arc::new(Decimal128Array::new_null(rows.len()).with_precision_and_scale(5, 2).unwrap()),
        ];
        let names = ["i", "d", "f", "b", "t", "s"];
        let batch = arrow_array::RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
        let cells = self.cells.values_mut(self.layout.cells());
        for _ in rows {
            self.layout.add_rows(diff, cells);
        }
        for (at, call) in self.spec.calls.iter().enumerate() {
            let argument = call.argument().map(|argument| argument.evaluate(&batch).values);
            let filter = call.filter.as_ref().map(|filter| filter.evaluate(&batch).values);
            let contributions = self.layout.contributions(at, argument.as_ref(), filter.as_ref());
            (0..rows.len()).for_each(|row| contributions.add(row, diff, cells));
        }
    }

    fn results(&self) -> Vec<String> {
        let calls = self.spec.calls.iter().enumerate();
        calls.map(|(at, call)| show(self.layout.finish(at, self.cells.values()), &call.result)).collect()
    }
}

fn show(result: Result<Option<Scalar>, ResultTooLarge>, of: &ColumnType) -> String {
    match result {
        Ok(Some(Scalar::Float(value))) => value.to_string(),
        Ok(Some(value)) => value_text(&scalar_array(&[value], of), 0),
        Ok(None) => "values".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn results_of_a_few_rows() {
    let mut group = Group::new();
    let nothing = ["0", "0", "0", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "values"];
    assert_eq!(group.results()[..12], nothing.map(str::to_string));
    assert_eq!(group.results()[12..], ["0", "0", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"]);
    group.add(
        &[
            (Some(1), Some(125), Some(0.1), Some(true)),
            (Some(-3), Some(-250), Some(0.2), Some(true)),
            (None, None, None, None),
            (Some(6), Some(1), Some(0.3), None),
        ],
        1,
    );
    let expected = ["4", "3", "2", "4", "1.3333", "-1.24", "-0.413333", "0.6", "0.2", "true", "true", "values"];
    // 38 digits of the argument leave no room for more digits in the average.
    let expected: Vec<&str> = expected.iter().map(|text| if *text == "-0.413333" { "-0.41" } else { text }).collect();
    assert_eq!(group.results()[..12], expected);
    // Computed with Python's `fractions`.
    assert_eq!(
        group.results()[13..],
        ["2", "2", "1.0000", "13.555555555555555", "1.910506041166406", "0.009999999999999998", "0.0816496580927726"]
    );
    group.add(&[(Some(1), None, None, Some(false))], 2);
    assert_eq!(group.results()[0], "6");
    assert_eq!(group.results()[9..11], ["false", "true"]);
}

#[test]
fn averages_round_half_away_from_zero() {
    let spec = spec(&["avg(s)", "avg(i)"]);
    let layout = Layout::new(&spec);
    let average = |sum: i128, count: i128| {
        // The cells of the decimal: count, low half, high half; then those of the integer: count, sum.
        let cells = [count, count, i128::from(sum as u64), sum >> 64, count, sum];
        let shown = |call: usize| show(layout.finish(call, &cells), &spec.calls[call].result);
        (shown(0), shown(1))
    };
    assert_eq!(layout.cells(), 6);
    assert_eq!(average(100, 3), ("0.333333".into(), "33.3333".into()));
    assert_eq!(average(200, 3), ("0.666667".into(), "66.6667".into()));
    assert_eq!(average(-200, 3), ("-0.666667".into(), "-66.6667".into()));
    assert_eq!(average(1, 20_000), ("0.000001".into(), "0.0001".into()));
    assert_eq!(average(-1, 20_000), ("-0.000001".into(), "-0.0001".into()));
    assert_eq!(average(1, 20_001), ("0.000000".into(), "0.0000".into()));
}

#[test]
fn results_beyond_their_type_are_errors_until_they_fit_again() {
    let most = 10_i128.pow(38) - 1;
    let mut group = Group::new();
    group.add(&[(Some(i64::MAX), Some(most), Some(f64::MAX), None)], 3);
    let results = group.results();
    assert_eq!(results[3], "the result does not fit int64");
    assert_eq!(results[4], "9223372036854775807.0000");
    assert_eq!(results[5], "the result does not fit decimal(38,2)");
    assert_eq!(results[6], format!("{}.99", "9".repeat(36)));
    assert_eq!(results[7], "the result does not fit float64");
    assert_eq!(results[8], f64::MAX.to_string());
    group.add(&[(Some(i64::MAX), Some(most), Some(f64::MAX), None)], -2);
    assert_eq!(group.results()[3], i64::MAX.to_string());
    assert_eq!(group.results()[5], format!("{}.99", "9".repeat(36)));
    assert_eq!(group.results()[7], f64::MAX.to_string());
}

/// The variance of the integers, by two passes over doubles: near enough to tell a wrong formula.
fn check_spread(held: &[Row], results: &[String]) {
    let values: Vec<f64> = held.iter().filter_map(|row| row.0).map(|value| value as f64).collect();
    if values.is_empty() {
        assert_eq!(results[16], "NULL");
        return;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let expected = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let found: f64 = results[16].parse().unwrap();
    assert!((found - expected).abs() <= expected * 1e-12, "{found} and not {expected}");
}

#[test]
fn any_history_equals_a_fresh_start() {
    let mut numbers = Random::new(seed(11));
    let mut random = move || numbers.bits() >> 17;
    for _ in 0..40 {
        let mut lived = Group::new();
        let mut held: Vec<Row> = Vec::new();
        for _ in 0..60 {
            if !held.is_empty() && random() % 5 < 2 {
                let row = held.swap_remove(random() as usize % held.len());
                lived.add(&[row], -1);
            } else {
                let row = (
                    (random() % 7 > 0).then(|| random() as i64 - (1 << 46)),
                    (random() % 7 > 0).then(|| i128::from(random() as i64 - (1 << 46)) << (random() % 60)),
                    (random() % 7 > 0).then(|| (random() as f64 - 7e13) * (random() as f64 % 900.0 - 450.0).exp2()),
                    (random() % 7 > 0).then(|| random() % 2 == 0),
                );
                held.push(row);
                lived.add(&[row], 1);
            }
        }
        held.reverse();
        let mut fresh = Group::new();
        fresh.add(&held, 1);
        assert_eq!(lived.results(), fresh.results());
        check_spread(&held, &lived.results());
        assert_eq!(lived.cells, fresh.cells);
        let mut bytes = Vec::new();
        lived.cells.encode(&mut bytes);
        assert_eq!(Cells::decode(&bytes), Ok(fresh.cells.clone()));
        let mut gone = Group::new();
        gone.add(&held, -1);
        lived.cells.add(&gone.cells);
        assert!(lived.cells.is_zero());
    }
}

#[test]
fn only_what_is_needed_has_cells() {
    let spec = spec(&["count(*)", "count(t)", "min(i)", "count(DISTINCT i)", "max(f) - min(f)"]);
    let layout = Layout::new(&spec);
    assert_eq!(layout.cells(), 2, "rows, and the distinct values");
    let linear: Vec<bool> = (0..spec.calls.len()).map(|call| layout.is_linear(call)).collect();
    assert_eq!(linear, [true, true, false, false, false, false]);
    assert_eq!(show(layout.finish(1, &[5]), &spec.calls[1].result), "5");
}

#[test]
fn means_of_ordinary_sums_are_those_of_any() {
    let mut random = Random::new(seed(11));
    for _ in 0..20_000 {
        let sum = ((i128::from(random.bits() as i64) << 64) | i128::from(random.bits())) >> random.below(127_u32);
        let (rows, digits) = (1 + (random.bits() >> random.below(64_u32)) / 2, random.below(12_u32));
        let wide = wide_mean(i256::from_i128(sum), rows, digits);
        if let Some(narrow) = narrow_mean(sum, rows, digits) {
            assert_eq!(Some(i256::from_i128(narrow)), wide, "{sum} over {rows}, {digits} digits");
        }
        assert_eq!(mean(i256::from_i128(sum), rows, digits), wide, "{sum} over {rows}, {digits} digits");
    }
}
