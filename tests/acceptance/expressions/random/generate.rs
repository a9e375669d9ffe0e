//! Random expressions, each of a type.

use vardelta_tests::random::Random;

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Decimal,
    Float,
    Text,
    Bool,
    Date,
}

/// An expression.
pub struct Sample {
    pub sql: String,
    pub kind: Kind,
    /// Whether it means the same in SQLite.
    pub sqlite: bool,
}

/// Makes expressions.
pub struct Generator<'r> {
    random: &'r mut Random,
    sqlite: bool,
}

impl<'r> Generator<'r> {
    pub fn new(random: &'r mut Random) -> Generator<'r> {
        Generator { random, sqlite: true }
    }

    /// An expression of any type.
    pub fn sample(mut self) -> Sample {
        let kinds = [Kind::Int, Kind::Decimal, Kind::Float, Kind::Text, Kind::Bool, Kind::Bool, Kind::Date];
        let kind = *self.random.pick(&kinds);
        let depth = 1 + self.random.below(4);
        let sql = match self.random.below(8) {
            0 if kind == Kind::Int => self.chain(),
            0 if kind == Kind::Bool => self.bool_chain(),
            _ => self.any(kind, depth),
        };
        Sample { sql, kind, sqlite: self.sqlite }
    }

    fn any(&mut self, kind: Kind, depth: usize) -> String {
        if depth > 0 && self.random.percent(15) {
            return self.choice(kind, depth - 1);
        }
        match kind {
            Kind::Int => self.int(depth),
            Kind::Decimal => self.decimal(depth),
            Kind::Float => self.float(depth),
            Kind::Text => self.text(depth),
            Kind::Bool => self.bool(depth),
            Kind::Date => self.date(depth),
        }
    }

    /// It means something else in SQLite, or nothing.
    fn not_in_sqlite(&mut self) {
        self.sqlite = false;
    }

    /// A value of a kind that is chosen.
    fn choice(&mut self, kind: Kind, depth: usize) -> String {
        let (one, other) = (self.any(kind, depth), self.any(kind, depth));
        match self.random.below(6) {
            0 => format!("coalesce({one}, {other})"),
            1 => format!("nullif({one}, {other})"),
            2 => format!("CASE WHEN {} THEN {one} ELSE {other} END", self.bool(depth)),
            3 => format!("CASE WHEN {} THEN {one} END", self.bool(depth)),
            4 if kind != Kind::Bool => {
                format!("{}({one}, {other})", if self.random.percent(50) { "greatest" } else { "least" })
            }
            _ => {
                self.not_in_sqlite();
                format!("if({}, {one}, {other})", self.bool(depth))
            }
        }
    }

    fn small(&mut self) -> i64 {
        self.random.below(12) as i64 - 3
    }

    fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.random.below(5) {
                0 => "i".into(),
                1 | 2 => "j".into(),
                3 => self.random.pick(&["9223372036854775807", "0", "-1", "4294967296"]).to_string(),
                _ => format!("({})", self.small()),
            };
        }
        let depth = depth - 1;
        match self.random.below(16) {
            at @ 0..=2 => format!("({} {} {})", self.int(depth), ["+", "-", "*"][at], self.int(depth)),
            3 => format!("({} % {})", self.int(depth), self.int(depth)),
            4 => {
                self.not_in_sqlite();
                format!("({} DIV {})", self.int(depth), self.int(depth))
            }
            5 => format!("abs({})", self.int(depth)),
            6 => format!("instr({}, {})", self.text(depth), self.text(0)),
            7 => format!("(- {})", self.int(depth)),
            at => {
                self.not_in_sqlite();
                match at {
                    8 => format!("char_length({})", self.text(depth)),
                    9 => format!("length({})", self.text(depth)),
                    10 => format!("locate({}, {}, {})", self.part(), self.text(depth), self.small()),
                    11 => format!("CAST({} AS SIGNED)", self.decimal(depth)),
                    12 => format!("datediff({}, {})", self.date(depth), self.date(0)),
                    13 => {
                        let part = *self.random.pick(&[
                            "year",
                            "month",
                            "day",
                            "quarter",
                            "dayofyear",
                            "weekday",
                            "dayofweek",
                            "to_days",
                        ]);
                        format!("{part}({})", self.date(depth))
                    }
                    14 => format!("field({}, {}, {})", self.text(depth), self.text(0), self.text(0)),
                    _ => format!("find_in_set({}, {})", self.text(0), self.text(depth)),
                }
            }
        }
    }

    /// Integers and operators without parentheses: what binds closer.
    fn chain(&mut self) -> String {
        self.not_in_sqlite();
        let mut sql = (1 + self.random.below(9)).to_string();
        for _ in 0..1 + self.random.below(6) {
            let op = *self.random.pick(&["+", "-", "*", "DIV", "%", "|", "&", "^", "<<", ">>", "+", "*"]);
            sql += &format!(" {op} {}", 1 + self.random.below(9));
        }
        sql
    }

    fn bool_chain(&mut self) -> String {
        self.not_in_sqlite();
        let mut sql = String::new();
        for at in 0..1 + self.random.below(4) {
            if at > 0 {
                sql += *self.random.pick(&[" AND ", " OR ", " XOR "]);
            }
            if self.random.percent(25) {
                sql += "NOT ";
            }
            sql += &match self.random.below(5) {
                0 => format!("{} BETWEEN {} AND {}", self.chain(), self.chain(), self.chain()),
                1 => format!("{} IN ({}, {})", self.chain(), self.chain(), self.chain()),
                2 => format!("{} > {} IS TRUE", self.chain(), self.chain()),
                3 => format!("{} <=> {}", self.chain(), self.chain()),
                _ => format!(
                    "{} {} {}",
                    self.chain(),
                    self.random.pick(&["=", "<", ">=", "<>"]).to_owned(),
                    self.chain()
                ),
            };
        }
        sql
    }

    fn decimal(&mut self, depth: usize) -> String {
        self.not_in_sqlite();
        if depth == 0 {
            return self.random.pick(&["d", "d", "0.5", "2.50", "(-1.005)", "123456.789"]).to_string();
        }
        let depth = depth - 1;
        match self.random.below(9) {
            at @ 0..=2 => format!("({} {} {})", self.decimal(depth), ["+", "-", "*"][at], self.decimal(depth)),
            3 => {
                // With the digits that it has: fewer would be rounded twice, here and in MySQL, and once in MariaDB.
                let (left, scale) =
                    *self.random.pick(&[("d", 3), ("0.5", 1), ("2.50", 2), ("(-1.005)", 3), ("123456.789", 3)]);
                format!("CAST({left} / {} AS DECIMAL(30,{}))", self.decimal(0), scale + 4)
            }
            4 => format!("round({}, {})", self.decimal(depth), self.small()),
            5 => format!("truncate({}, {})", self.decimal(depth), self.small()),
            6 => format!("abs({})", self.decimal(depth)),
            7 => format!("({} % {})", self.decimal(depth), self.decimal(0)),
            _ => format!("CAST({} AS DECIMAL(25,2))", self.int(depth)),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.random.pick(&["f", "f", "1.5e0", "1e-3", "0e0"]).to_string();
        }
        let depth = depth - 1;
        match self.random.below(10) {
            at @ 0..=3 => format!("({} {} {})", self.float(depth), ["+", "-", "*", "/"][at], self.float(depth)),
            4 => format!("abs({})", self.float(depth)),
            5 => format!("CAST({} AS DOUBLE)", self.int(depth)),
            at => {
                self.not_in_sqlite();
                format!("{}({})", ["sqrt", "floor", "ceiling", "round"][at - 6], self.float(depth))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.random.pick(&["s", "u", "s", "'a'", "','", "'_'", "'abc'", "''"]).to_string();
        }
        let depth = depth - 1;
        match self.random.below(20) {
            0 | 1 => format!("({} || {})", self.text(depth), self.text(depth)),
            2 => format!("substr({}, {}, {})", self.text(depth), 1 + self.random.below(5), self.random.below(5)),
            3 => format!("{}({})", *self.random.pick(&["trim", "ltrim", "rtrim"]), self.text(depth)),
            4 => format!("replace({}, {}, {})", self.text(depth), self.part(), self.part()),
            at => {
                self.not_in_sqlite();
                match at {
                    5 => format!("upper({})", self.text(depth)),
                    6 => format!("lower({})", self.text(depth)),
                    7 => format!("substr({}, {}, {})", self.text(depth), self.small(), self.small()),
                    8 => format!("left({}, {})", self.text(depth), self.small()),
                    9 => format!("right({}, {})", self.text(depth), self.small()),
                    10 => format!("reverse({})", self.text(depth)),
                    11 => format!("lpad({}, {}, '_x')", self.text(depth), self.small()),
                    12 => format!("rpad({}, {}, '_x')", self.text(depth), self.small()),
                    13 => format!("repeat({}, {})", self.text(depth), self.small()),
                    14 => format!("substring_index({}, {}, {})", self.text(depth), self.text(0), self.small()),
                    15 => format!("insert({}, {}, {}, {})", self.text(depth), self.small(), self.small(), self.text(0)),
                    16 => format!("CAST({} AS CHAR)", self.int(depth)),
                    17 => format!("date_format({}, '%Y-%m-%d %W %j')", self.date(depth)),
                    18 => format!("sha2({}, 256)", self.text(depth)),
                    _ => format!("concat_ws({}, {}, {})", self.text(0), self.text(depth), self.text(depth)),
                }
            }
        }
    }

    /// A text that is neither empty nor NULL.
    fn part(&mut self) -> &'static str {
        self.random.pick::<&'static str>(&["'a'", "','", "'_'", "'abc'"])
    }

    fn bool(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        let op = *self.random.pick(&["=", "<>", "<", "<=", ">", ">="]);
        match self.random.below(18) {
            0 | 1 => format!("({} {op} {})", self.int(depth), self.int(depth)),
            2 => format!("({} {op} {})", self.text(depth), self.text(depth)),
            3 => format!("({} {op} {})", self.float(depth), self.float(depth)),
            4 => format!("({} {op} {})", self.decimal(depth), self.decimal(depth)),
            5 => format!("({} {op} {})", self.decimal(depth), self.int(depth)),
            6 => {
                self.not_in_sqlite();
                format!("({} {op} {})", self.date(depth), self.date(depth))
            }
            7 => format!("({} AND {})", self.bool(depth), self.bool(depth)),
            8 => format!("({} OR {})", self.bool(depth), self.bool(depth)),
            9 => format!("(NOT {})", self.bool(depth)),
            10 => {
                let kind = *self.random.pick(&[Kind::Int, Kind::Text, Kind::Float]);
                format!("({} IS {}NULL)", self.any(kind, depth), if self.random.percent(50) { "NOT " } else { "" })
            }
            11 => {
                let pattern = *self.random.pick(&["%a%", "a%", "%c", "_", "a_c", "%,%", "", "%", "%1%", "ü%"]);
                format!("({} LIKE '{pattern}')", self.text(depth))
            }
            12 => format!("({} IN ({}, {}, 3))", self.int(depth), self.int(0), self.small()),
            13 => format!("({} BETWEEN {} AND {})", self.int(depth), self.int(0), self.int(0)),
            14 => format!("({} IN ('a', {}, 'abc'))", self.text(depth), self.text(0)),
            15 => format!("({} IS TRUE)", self.bool(depth)),
            16 => {
                self.not_in_sqlite();
                let pattern = *self.random.pick(&["^a", "c$", "[A-Z]+[0-9]", "a|b", "^$", ".,.", "(ab)c"]);
                format!("({} REGEXP '{pattern}')", self.text(depth))
            }
            _ => {
                self.not_in_sqlite();
                format!("({} <=> {})", self.int(depth), self.int(depth))
            }
        }
    }

    fn date(&mut self, depth: usize) -> String {
        self.not_in_sqlite();
        if depth == 0 {
            return self.random.pick(&["t", "t", "t", "DATE '2024-02-29'", "DATE '2026-03-15'"]).to_string();
        }
        let depth = depth - 1;
        match self.random.below(4) {
            0 => format!("last_day({})", self.date(depth)),
            1 => format!("date_sub({}, INTERVAL {} MONTH)", self.date(depth), self.small()),
            _ => {
                let unit = *self.random.pick(&["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]);
                format!("({} + INTERVAL {} {unit})", self.date(depth), self.small())
            }
        }
    }
}
