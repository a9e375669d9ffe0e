//! What the language has beside functions, for the manual: operators, forms, literals and conversions.

use super::functions::Database::{self, *};

/// An operator, a form or a conversion, as the manual lists it.
#[derive(Clone, Copy)]
pub struct Form {
    /// How it is written.
    pub form: &'static str,
    /// What it takes and gives.
    pub types: &'static str,
    /// When it is NULL.
    pub nulls: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Expressions and their results; all are run by the tests, here and in the databases.
    pub examples: &'static [(&'static str, &'static str)],
    /// What differs in a database.
    pub elsewhere: &'static [(Database, &'static str)],
}

/// What the servers make of operators on bits.
const UNSIGNED: &str = "gives an integer without a sign, from which no more can be taken than it is";

const ARGUMENTS: &str = "where an operand is";

const fn form(form: &'static str, types: &'static str, about: &'static str) -> Form {
    Form { form, types, nulls: ARGUMENTS, about, examples: &[], elsewhere: &[] }
}

impl Form {
    const fn nulls(mut self, nulls: &'static str) -> Form {
        self.nulls = nulls;
        self
    }

    const fn examples(mut self, examples: &'static [(&'static str, &'static str)]) -> Form {
        self.examples = examples;
        self
    }

    const fn elsewhere(mut self, elsewhere: &'static [(Database, &'static str)]) -> Form {
        self.elsewhere = elsewhere;
        self
    }
}

/// Operators and forms, those that bind closest first.
pub static OPERATORS: &[Form] = &[
    form("list[n]", "list, int64 → item", "The `n`-th item, from 1 or from the end with -1: `list_item`."),
    form("json -> path, json ->> path", "text, text → text", "`json_extract`; `json_text`, which is without quotes.")
        .nulls("where an operand is, or the path leads nowhere"),
    form("-x, +x", "number → the same", "The number with the other sign.").examples(&[("-7", "-7"), ("- -2.5", "2.5")]),
    form("~x", "int64 → int64", "The integer with every bit turned.")
        .examples(&[("~7", "-8")])
        .elsewhere(&[(MySql, "gives an integer without a sign"), (MariaDb, "gives an integer without a sign")]),
    form("a || b", "any two values → text", "Their texts joined, as `concat`.")
        .examples(&[("'chr' || 7", "chr7"), ("'a' || NULL", "NULL")]),
    form("a ^ b", "int64 → int64", "The bits that are set in one only.")
        .examples(&[("7 ^ 1", "6"), ("1 - (7 ^ 1)", "-5")])
        .elsewhere(&[(MySql, UNSIGNED), (MariaDb, UNSIGNED), (Sqlite, "has no such operator")]),
    form(
        "a * b",
        "int64 → int64; exact numbers → decimal with the digits of both; with a double → float64",
        "The product. What leaves its range rejects the row, and so it is with every arithmetic.",
    )
    .examples(&[("7 * 6", "42"), ("1.5 * 1.5", "2.25")]),
    form(
        "a / b",
        "exact numbers → decimal with 4 digits more after the point than `a`; with a double → float64",
        "The quotient, rounded half away from zero. A division by zero rejects the row.",
    )
    .examples(&[("7 / 2", "3.5000"), ("1 / 3.0", "0.3333")])
    .elsewhere(&[(Sqlite, "drops the fraction of integers, and is a double otherwise")]),
    form("a DIV b", "numbers → int64", "The quotient without its fraction.")
        .examples(&[("7 DIV 2", "3"), ("-7 DIV 2", "-3")])
        .elsewhere(&[(Sqlite, "has no such operator")]),
    form("a % b, a MOD b, mod(a, b)", "as `a + b`", "The remainder, with the sign of `a`. A division by zero rejects the row.")
        .examples(&[("7 % 2", "1"), ("mod(-7, 2)", "-1"), ("7.5 % 2", "1.5")])
        .elsewhere(&[(Sqlite, "takes the integers of both, and mod is a double")]),
    form(
        "a + b, a - b",
        "int64 → int64; exact numbers → decimal; with a double → float64; date - date → int64 days",
        "Sum and difference.",
    )
    .examples(&[("0.1 + 0.2", "0.3"), ("DATE '2026-03-15' - DATE '2026-01-01'", "73")])
    .elsewhere(&[
        (MySql, "takes dates for numbers, 20260315 - 20260101"),
        (MariaDb, "takes dates for numbers, 20260315 - 20260101"),
        (Sqlite, "a number with a point is a double, and there are no dates"),
    ]),
    form("date + INTERVAL n unit, date - INTERVAL n unit", "date → date, or datetime for hours and less", "`date_add`, `date_sub`."),
    form("a << n, a >> n", "int64 → int64", "The 64 bits moved to the left or the right; those that come in are 0.")
        .examples(&[("7 << 1", "14"), ("7 >> 1", "3"), ("1 - (7 >> 1)", "-2")])
        .elsewhere(&[(MySql, UNSIGNED), (MariaDb, UNSIGNED)]),
    form("a & b", "int64 → int64", "The bits that are set in both.")
        .examples(&[("7 & 3", "3"), ("1 - (7 & 3)", "-2")])
        .elsewhere(&[(MySql, UNSIGNED), (MariaDb, UNSIGNED)]),
    form("a | b", "int64 → int64", "The bits that are set in one or both.")
        .examples(&[("7 | 8", "15"), ("1 - (7 | 8)", "-14")])
        .elsewhere(&[(MySql, UNSIGNED), (MariaDb, UNSIGNED)]),
    form("x BETWEEN a AND b", "comparable → bool", "`x >= a AND x <= b`; also NOT BETWEEN.")
        .nulls("as AND")
        .examples(&[("7 BETWEEN 5 AND 7", "1")]),
    form("x IN (a, b, …)", "comparable → bool", "Whether `x` equals one of them; also NOT IN.")
        .nulls("where `x` is, or where none is equal and one is NULL")
        .examples(&[("7 IN (5, 7)", "1"), ("7 IN (5, NULL)", "NULL")]),
    form("x LIKE pattern [ESCAPE 'c']", "text, text → bool", "`%` is any text, `_` one character, `\\` (or `c`) before one makes it plain; also NOT LIKE.")
        .examples(&[("'Likely_benign' LIKE 'Likely%'", "1"), ("'a_c' LIKE 'a!_c' ESCAPE '!'", "1"), ("'PASS' LIKE 'pass'", "0")])
        .elsewhere(&[(Sqlite, "takes ASCII letters in upper and lower case for the same")]),
    form("x ILIKE pattern", "text, text → bool", "LIKE, with upper and lower case the same.")
        .examples(&[("'PASS' ILIKE 'pa%'", "1")])
        .elsewhere(&[(MySql, "has no such operator"), (MariaDb, "has no such operator"), (Sqlite, "has no such operator")]),
    form("x REGEXP pattern, x RLIKE pattern, x ~ pattern", "text, text → bool", "Whether the regular expression matches anywhere; also NOT REGEXP, `~*` with upper and lower case the same, `!~`, `!~*`.")
        .examples(&[("'chr12' REGEXP '^chr[0-9]+$'", "1"), ("'abc' RLIKE 'B'", "0")])
        .elsewhere(&[(Sqlite, "has REGEXP where a program defines it")]),
    form("= <> != < <= > >=", "comparable → bool", "Numbers compare by value, texts byte by byte, dates in time; a text in the pipeline may stand for a date.")
        .examples(&[("7 = 7.0", "1"), ("'a' = 'A'", "0"), ("'a' = 'a '", "0"), ("NULL = NULL", "NULL"), ("0.1 + 0.2 = 0.3", "1")])
        .elsewhere(&[(Sqlite, "a number with a point is a double")]),
    form("a <=> b, a IS NOT DISTINCT FROM b", "comparable → bool", "Equal, with NULL equal to NULL; IS DISTINCT FROM is its negation.")
        .nulls("never")
        .examples(&[("NULL <=> NULL", "1"), ("7 <=> NULL", "0")])
        .elsewhere(&[(Sqlite, "is written IS NOT DISTINCT FROM, or IS")]),
    form("x IS [NOT] NULL, TRUE, FALSE, UNKNOWN", "any; bool → bool", "What it says.")
        .nulls("never")
        .examples(&[("NULL IS NULL", "1"), ("(NULL > 5) IS TRUE", "0"), ("(7 > 5) IS NOT FALSE", "1")]),
    form("NOT a", "bool → bool", "The other one.").examples(&[("NOT 7 > 5", "0")]),
    form("a AND b", "bool → bool", "`b` is not computed for a row where `a` is false.")
        .nulls("where one is, unless the other is false")
        .examples(&[("NULL AND 7 > 8", "0"), ("NULL AND 7 > 5", "NULL")]),
    form("a XOR b", "bool → bool", "Whether one is true and the other is not.")
        .examples(&[("(7 > 5) XOR (2 > 5)", "1")])
        .elsewhere(&[(Sqlite, "has no such operator")]),
    form("a OR b", "bool → bool", "`b` is not computed for a row where `a` is true.")
        .nulls("where one is, unless the other is true")
        .examples(&[("NULL OR 7 > 5", "1")]),
    form("CASE WHEN c THEN x … [ELSE y] END, CASE v WHEN w THEN x … END", "conditions, values of one type → that type", "The first value whose condition is true. No other is computed.")
        .nulls("where the value is, or no condition is true and there is no ELSE")
        .examples(&[("CASE WHEN 7 > 5 THEN 'high' ELSE 'low' END", "high"), ("CASE 7 WHEN 8 THEN 1 END", "NULL")]),
];

/// Conversions: CAST, and TRY_CAST, which gives NULL where CAST rejects the row.
pub static CASTS: &[Form] = &[
    form("CAST(x AS SIGNED), INT, INTEGER, BIGINT", "number, text, bool → int64", "A double rounds half to even, a decimal half away from zero; a text must be an integer. SMALLINT and TINYINT have their ranges.")
        .examples(&[("CAST('12' AS SIGNED)", "12"), ("CAST(2.5 AS SIGNED)", "3"), ("CAST(CAST(50.5 AS DOUBLE) AS SIGNED)", "50"), ("CAST(7 > 5 AS SIGNED)", "1")])
        .elsewhere(&[(Sqlite, "drops the fraction")]),
    form("CAST(x AS UNSIGNED)", "number, text → int64", "As SIGNED; what is negative rejects the row.")
        .examples(&[("CAST('12' AS UNSIGNED)", "12")]),
    form("CAST(x AS DOUBLE), FLOAT, REAL", "number, text, bool → float64", "All are doubles.")
        .examples(&[("CAST('1e-5' AS DOUBLE)", "0.00001")]),
    form("CAST(x AS DECIMAL(p, s)), NUMERIC, DEC", "number, text, bool → decimal(p,s)", "Rounded half away from zero, a double by its shortest text. DECIMAL alone is DECIMAL(10, 0). At most 38 digits.")
        .examples(&[("CAST(50.55 AS DECIMAL(10, 1))", "50.6"), ("CAST(50.5 AS DECIMAL)", "51"), ("CAST('1e-5' AS DECIMAL(10, 6))", "0.000010")])
        .elsewhere(&[(Sqlite, "is a double, and no digit is dropped")]),
    form("CAST(x AS CHAR), TEXT, VARCHAR", "any single value → text", "A boolean is 1 or 0, a date 2026-03-15, a double its shortest digits. A length would cut: write left(…, 10).")
        .examples(&[("CAST(7 AS CHAR)", "7"), ("CAST(CAST(7 AS DOUBLE) AS CHAR)", "7")]),
    form("CAST(x AS DATE), DATE '2026-03-15'", "text, datetime → date", "2026-03-15, 2026/3/15 and 20260315 are read; a time after it is left out.")
        .examples(&[("CAST('2026-03-15' AS DATE)", "2026-03-15"), ("DATE '2026-03-15'", "2026-03-15")])
        .elsewhere(&[(Sqlite, "has no dates")]),
    form("CAST(x AS DATETIME), TIMESTAMP '2026-03-15 10:30:00'", "text, date → datetime", "No column holds one: take a part of it, or write CAST(… AS DATE) or date_format(…).")
        .examples(&[("hour(CAST('2026-03-15 10:30:00' AS DATETIME))", "10")])
        .elsewhere(&[(Sqlite, "has no dates")]),
    form("CAST(x AS BOOLEAN)", "number, text → bool", "A number is true unless it is 0; a text is true, t, yes, y, on, 1 or false, f, no, n, off, 0.")
        .examples(&[("CAST(7 AS BOOLEAN)", "1")])
        .elsewhere(&[(MySql, "has no such type"), (MariaDb, "has no such type"), (Sqlite, "gives the number")]),
    form("TRY_CAST(x AS type)", "as CAST", "NULL where CAST rejects the row.")
        .nulls("where `x` is, or does not fit the type")
        .examples(&[("TRY_CAST('abc' AS SIGNED)", "NULL")])
        .elsewhere(&[(MySql, "has no such form"), (MariaDb, "has no such form"), (Sqlite, "has no such form")]),
];
