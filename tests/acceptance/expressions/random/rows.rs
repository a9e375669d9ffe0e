//! Random rows, as a batch and as statements that put them into a database.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray,
};
use vardelta_engine::{display::value_text, expression::functions::Database};
use vardelta_schemas::{Column, ColumnType, Schema};
use vardelta_tests::random::Random;

/// How many rows a database holds. The batch has one more, with what no database stores.
pub const ROWS: usize = 24;

/// The rows.
pub struct Rows {
    pub schema: Schema,
    pub batch: RecordBatch,
}

const INTS: &[i64] = &[0, 1, -1, 2, 7, -13, 1000, 123_456_789, i64::MAX, i64::MIN, i64::MAX - 1, 1 << 53];
const FLOATS: &[f64] = &[0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 50.5, 1e-5, 1e15, 1e300, -1e300, 0.1, 99.99];
const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "abc",
    "ABC",
    "a b ",
    " x",
    "a,b,c",
    "BRCA1|TP53",
    "ü",
    "Ünïcode",
    "日本",
    "100",
    "it's",
    "%_%",
    "chr1:100",
    "Likely_pathogenic",
    "\\d+",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

impl Rows {
    pub fn new(random: &mut Random) -> Rows {
        let schema = Schema::new(vec![
            Column::required("id", ColumnType::Int64),
            Column::nullable("i", ColumnType::Int64),
            Column::nullable("j", ColumnType::Int64),
            Column::nullable("f", ColumnType::Float64),
            Column::nullable("d", ColumnType::Decimal { precision: 12, scale: 3 }),
            Column::nullable("s", ColumnType::Text),
            Column::nullable("u", ColumnType::Text),
            Column::nullable("b", ColumnType::Bool),
            Column::nullable("t", ColumnType::Date),
        ]);
        fn some<T>(random: &mut Random, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
            if random.percent(15) { None } else { Some(value(random)) }
        }
        let mut of = |make: &mut dyn FnMut(&mut Random) -> Option<i128>| -> Vec<Option<i128>> {
            (0..=ROWS).map(|_| make(random)).collect()
        };
        let wide = of(&mut |random| some(random, |random| i128::from(*random.pick(INTS))));
        let small = of(&mut |random| some(random, |random| random.below(21) as i128 - 10));
        let decimals = of(&mut |random| {
            some(random, |random| match random.below(4) {
                0 => [0, 1, -1, 500, 2_500, -2_500, 999_999_999_999, -999_999_999_999][random.below(8)],
                _ => random.below(2_000_000) as i128 - 1_000_000,
            })
        });
        let bools = of(&mut |random| some(random, |random| random.below(2) as i128));
        let dates = of(&mut |random| {
            some(random, |random| match random.below(5) {
                // 2024-02-29, 2024-01-31, 9999-12-31, 1970-01-01.
                0 => [19_782, 19_753, 2_932_896, 0][random.below(4)],
                _ => random.below(25_000) as i128,
            })
        });
        let mut texts = || -> StringArray { (0..=ROWS).map(|_| some(random, |random| *random.pick(TEXTS))).collect() };
        let (first, second) = (texts(), texts());
        let floats: Float64Array = (0..=ROWS)
            .map(|row| if row == ROWS { Some(f64::NAN) } else { some(random, |random| *random.pick(FLOATS)) })
            .collect();
        let ints = |values: &[Option<i128>]| -> Int64Array {
            values.iter().map(|value| value.map(|value| value as i64)).collect()
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..=ROWS as i64)),
            Arc::new(ints(&wide)),
            Arc::new(ints(&small)),
            Arc::new(floats),
            Arc::new(decimals.into_iter().collect::<Decimal128Array>().with_precision_and_scale(12, 3).expect("fits")),
            Arc::new(first),
            Arc::new(second),
            Arc::new(bools.iter().map(|value| value.map(|value| value == 1)).collect::<BooleanArray>()),
            Arc::new(dates.iter().map(|value| value.map(|value| value as i32)).collect::<Date32Array>()),
        ];
        let batch = RecordBatch::try_new(schema.to_arrow(), columns).expect("the columns are the schema's");
        Rows { schema, batch }
    }

    /// The table in a database.
    pub fn statements(&self, database: Database) -> Vec<String> {
        let (text, double, end) = match database {
            Database::Sqlite => ("TEXT", "REAL", ""),
            Database::MariaDb => ("VARCHAR(300)", "DOUBLE", " DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_nopad_bin"),
            Database::MySql => ("VARCHAR(300)", "DOUBLE", " DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_0900_bin"),
        };
        let mut statements = vec![format!(
            "CREATE TABLE t (id BIGINT PRIMARY KEY, i BIGINT, j BIGINT, f {double}, d DECIMAL(12,3), s {text}, u {text}, \
             b BOOLEAN, t DATE){end}"
        )];
        if database == Database::Sqlite {
            statements.push("PRAGMA case_sensitive_like = ON".into());
        }
        for row in 0..ROWS {
            let values: Vec<String> = (0..self.batch.num_columns()).map(|column| self.literal(column, row)).collect();
            statements.push(format!("INSERT INTO t VALUES ({})", values.join(", ")));
        }
        statements
    }

    fn literal(&self, column: usize, row: usize) -> String {
        let array = self.batch.column(column);
        let text = value_text(array, row);
        match self.schema.columns()[column].column_type {
            _ if array.is_null(row) => "NULL".into(),
            ColumnType::Text | ColumnType::Date => format!("'{}'", text.replace('\'', "''")),
            ColumnType::Float64 => format!("{:e}", text.parse::<f64>().expect("a double")),
            _ => text,
        }
    }

    /// A row, for messages.
    pub fn shown(&self, row: usize) -> String {
        let columns = self.schema.columns().iter().enumerate();
        let shown = columns.map(|(at, column)| format!("{}={}", column.name, value_text(self.batch.column(at), row)));
        shown.collect::<Vec<_>>().join(" ")
    }
}
