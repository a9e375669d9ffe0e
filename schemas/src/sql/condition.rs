//! Conditions on one row, apart from any database: what a CHECK constraint says, written in the dialect of its database.

use super::Dialect;

/// A condition on one row, or a value in one. What it can say means the same in every [`Dialect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The row's value of this column.
    Column(String),
    /// A text.
    Text(String),
    /// A number, in the digits of the pipeline file.
    Number(String),
    /// TRUE or FALSE.
    Bool(bool),
    /// Turns true and false around.
    Not(Box<Condition>),
    /// Turns the sign around.
    Negate(Box<Condition>),
    /// A number of characters.
    Characters(Box<Condition>),
    /// A number of bytes.
    Bytes(Box<Condition>),
    /// Two conditions or values and what joins them.
    Binary(Box<Condition>, Operator, Box<Condition>),
    /// Whether a value is NULL.
    IsNull(Box<Condition>),
    /// Whether a value lies between two others, both included.
    Between(Box<Condition>, Box<Condition>, Box<Condition>),
    /// Whether a value is one of a list.
    In(Box<Condition>, Vec<Condition>),
}

/// What joins two conditions or values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Both are true.
    And,
    /// At least one is true.
    Or,
    /// Both are the same.
    Equal,
    /// They differ.
    NotEqual,
    /// The left one is smaller.
    Less,
    /// The left one is not larger.
    LessOrEqual,
    /// The left one is larger.
    Greater,
    /// The left one is not smaller.
    GreaterOrEqual,
    /// Their sum.
    Plus,
    /// Their difference.
    Minus,
    /// Their product.
    Times,
}

impl Operator {
    fn text(self) -> &'static str {
        match self {
            Operator::And => "AND",
            Operator::Or => "OR",
            Operator::Equal => "=",
            Operator::NotEqual => "<>",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Plus => "+",
            Operator::Minus => "-",
            Operator::Times => "*",
        }
    }
}

impl Condition {
    /// The columns that it names, each as often as it does.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Condition::Column(name) => vec![name],
            Condition::Text(_) | Condition::Number(_) | Condition::Bool(_) => Vec::new(),
            Condition::Not(inner)
            | Condition::Negate(inner)
            | Condition::Characters(inner)
            | Condition::Bytes(inner)
            | Condition::IsNull(inner) => inner.columns(),
            Condition::Binary(left, _, right) => [left.columns(), right.columns()].concat(),
            Condition::Between(value, low, high) => [value.columns(), low.columns(), high.columns()].concat(),
            Condition::In(value, list) => {
                list.iter().fold(value.columns(), |columns, item| [columns, item.columns()].concat())
            }
        }
    }

    /// The condition as SQL: identifiers quoted, every part in parentheses of its own, so that no precedence matters.
    pub fn sql(&self, dialect: Dialect) -> String {
        let of = |part: &Condition| part.sql(dialect);
        match self {
            Condition::Column(name) => dialect.identifier(name),
            Condition::Text(text) => dialect.text(text),
            Condition::Number(digits) => digits.clone(),
            Condition::Bool(true) => "TRUE".into(),
            Condition::Bool(false) => "FALSE".into(),
            Condition::Not(inner) => format!("(NOT {})", of(inner)),
            Condition::Negate(inner) => format!("(- {})", of(inner)),
            Condition::Characters(inner) => match dialect {
                Dialect::Sqlite => format!("length({})", of(inner)),
                Dialect::MySql | Dialect::MariaDb => format!("char_length({})", of(inner)),
            },
            Condition::Bytes(inner) => match dialect {
                // SQLite's length counts characters.
                Dialect::Sqlite => format!("length(CAST({} AS BLOB))", of(inner)),
                Dialect::MySql | Dialect::MariaDb => format!("length({})", of(inner)),
            },
            Condition::Binary(left, operator, right) => format!("({} {} {})", of(left), operator.text(), of(right)),
            Condition::IsNull(inner) => format!("({} IS NULL)", of(inner)),
            Condition::Between(value, low, high) => format!("({} BETWEEN {} AND {})", of(value), of(low), of(high)),
            Condition::In(value, list) => {
                let list: Vec<String> = list.iter().map(of).collect();
                format!("({} IN ({}))", of(value), list.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_end_their_quotes() {
        let column = Box::new(Condition::Column("a`b\"c".into()));
        let text = Box::new(Condition::Text(r"it's \".into()));
        let condition = Condition::Not(Box::new(Condition::Binary(column, Operator::Equal, text)));
        assert_eq!(condition.sql(Dialect::MySql), r#"(NOT (`a``b"c` = 'it''s \\'))"#);
        assert_eq!(condition.sql(Dialect::Sqlite), r#"(NOT ("a`b""c" = 'it''s \'))"#);
    }

    #[test]
    fn every_part_has_its_parentheses() {
        let column = || Box::new(Condition::Column("q".into()));
        let number = |digits: &str| Box::new(Condition::Number(digits.into()));
        let between = Condition::Between(column(), number("0"), Box::new(Condition::Negate(number("1"))));
        let either = Condition::Binary(Box::new(between), Operator::Or, Box::new(Condition::IsNull(column())));
        assert_eq!(either.columns(), ["q", "q"]);
        assert_eq!(either.sql(Dialect::MariaDb), "((`q` BETWEEN 0 AND (- 1)) OR (`q` IS NULL))");
        let list = Condition::In(Box::new(Condition::Characters(column())), vec![Condition::Number("1".into())]);
        assert_eq!(list.sql(Dialect::MariaDb), "(char_length(`q`) IN (1))");
        assert_eq!(list.sql(Dialect::Sqlite), "(length(\"q\") IN (1))");
        let bytes = Condition::Bytes(column());
        assert_eq!(bytes.columns(), ["q"]);
        assert_eq!(bytes.sql(Dialect::MySql), "length(`q`)");
        assert_eq!(bytes.sql(Dialect::Sqlite), "length(CAST(\"q\" AS BLOB))");
    }
}
