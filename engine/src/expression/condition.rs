//! Conditions that a database is to keep: typed like every expression, then told apart from any database.

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned as _, UnaryOperator, Value,
};
use vardelta_schemas::{
    ColumnType, Schema,
    sql::condition::{Condition, Operator},
};

use super::{Expression, depth, parse, resolve::function_name, spans::Source};
use crate::{contract::options::Spanned, diagnostics::Diagnostics};

/// Reads a condition over a table's columns. What is no condition, names no column, or has another meaning in some
/// database than in this language (division, casts, most functions) is reported at its place.
pub fn read_condition(sql: &Spanned<String>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<Condition> {
    let compiled = Expression::compile(sql, schema, diagnostics)?;
    if compiled.column_type != ColumnType::Bool {
        diagnostics
            .error(sql.span.clone(), format!("this is {}, not a condition", compiled.column_type))
            .hint("Compare it with something: `position >= 0`.");
        return None;
    }
    depth::with_room(|| {
        let source = Source::new(sql);
        let tree = parse::parse(&source, schema, diagnostics)?;
        match condition(&tree) {
            Ok(condition) => Some(condition),
            Err(part) => {
                diagnostics
                    .error(source.place(part.span()), format!("`{part}` cannot be part of a constraint"))
                    .label("databases disagree about it")
                    .hint(
                        "Constraints know columns, numbers, texts, comparisons, AND, OR, NOT, + - *, BETWEEN, IN, IS NULL, \
                         length() and char_length(); filter by anything else in a stage.",
                    );
                None
            }
        }
    })
}

/// The condition, or the part that cannot be said.
fn condition(tree: &Expr) -> Result<Condition, &Expr> {
    let not = |negated: bool, inner: Condition| if negated { Condition::Not(inner.into()) } else { inner };
    Ok(match tree {
        Expr::Identifier(name) => Condition::Column(name.value.clone()),
        Expr::Nested(inner) => condition(inner)?,
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) => Condition::Number(digits.to_string()),
            Value::SingleQuotedString(text) => Condition::Text(text.clone()),
            Value::Boolean(value) => Condition::Bool(*value),
            _ => return Err(tree),
        },
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Condition::Not(condition(expr)?.into()),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Condition::Negate(condition(expr)?.into()),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => condition(expr)?,
        Expr::BinaryOp { left, op, right } => {
            let operator = operator(op).ok_or(tree)?;
            Condition::Binary(condition(left)?.into(), operator, condition(right)?.into())
        }
        Expr::IsNull(inner) => Condition::IsNull(condition(inner)?.into()),
        Expr::IsNotNull(inner) => Condition::Not(Condition::IsNull(condition(inner)?.into()).into()),
        Expr::Between { expr, negated, low, high } => {
            not(*negated, Condition::Between(condition(expr)?.into(), condition(low)?.into(), condition(high)?.into()))
        }
        Expr::InList { expr, list, negated } if !list.is_empty() => {
            let list = list.iter().map(condition).collect::<Result<_, _>>()?;
            not(*negated, Condition::In(condition(expr)?.into(), list))
        }
        Expr::Function(function) => {
            let count: fn(Box<Condition>) -> Condition = match function_name(function).as_deref() {
                Some("length" | "octet_length") => Condition::Bytes,
                Some("char_length" | "character_length") => Condition::Characters,
                _ => return Err(tree),
            };
            let FunctionArguments::List(arguments) = &function.args else { return Err(tree) };
            let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = arguments.args.as_slice() else {
                return Err(tree);
            };
            count(condition(argument)?.into())
        }
        _ => return Err(tree),
    })
}

fn operator(operator: &BinaryOperator) -> Option<Operator> {
    Some(match operator {
        BinaryOperator::And => Operator::And,
        BinaryOperator::Or => Operator::Or,
        BinaryOperator::Eq => Operator::Equal,
        BinaryOperator::NotEq => Operator::NotEqual,
        BinaryOperator::Lt => Operator::Less,
        BinaryOperator::LtEq => Operator::LessOrEqual,
        BinaryOperator::Gt => Operator::Greater,
        BinaryOperator::GtEq => Operator::GreaterOrEqual,
        BinaryOperator::Plus => Operator::Plus,
        BinaryOperator::Minus => Operator::Minus,
        BinaryOperator::Multiply => Operator::Times,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use vardelta_schemas::{Column, sql::Dialect};

    use super::*;

    fn read(sql: &str) -> Result<String, Vec<String>> {
        let schema = Schema::new(vec![
            Column::required("position", ColumnType::Int64),
            Column::nullable("quality", ColumnType::Float64),
            Column::nullable("filter", ColumnType::Text),
        ]);
        let mut diagnostics = Diagnostics::default();
        let text = Spanned { value: sql.to_owned(), span: 0..sql.len() + 2 };
        let read = read_condition(&text, &schema, &mut diagnostics);
        let messages: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
        read.map(|condition| condition.sql(Dialect::MySql)).ok_or(messages)
    }

    #[test]
    fn conditions_are_written_in_the_dialect() {
        assert_eq!(read("position >= 0").as_deref(), Ok("(`position` >= 0)"));
        assert_eq!(read("quality NOT BETWEEN -1 AND 1e3").as_deref(), Ok("(NOT (`quality` BETWEEN (- 1) AND 1e3))"));
        assert_eq!(
            read("filter IN ('PASS', 'it''s') OR filter IS NULL").as_deref(),
            Ok("((`filter` IN ('PASS', 'it''s')) OR (`filter` IS NULL))")
        );
        assert_eq!(read("length(filter) < position * 2").as_deref(), Ok("(length(`filter`) < (`position` * 2))"));
        assert_eq!(read("char_length(filter) < 2").as_deref(), Ok("(char_length(`filter`) < 2)"));
    }

    #[test]
    fn what_databases_disagree_about_is_refused() {
        for sql in ["position / 2 > 1", "upper(filter) = 'PASS'", "CAST(position AS TEXT) = '1'", "filter ~ 'x'"] {
            let messages = read(sql).expect_err("it is refused");
            assert!(
                messages.iter().any(|message| message.contains("cannot be part of a constraint")),
                "{sql}: {messages:?}"
            );
        }
        assert!(read("position + 1").expect_err("no condition")[0].contains("not a condition"));
        assert!(read("positon > 1").expect_err("no column")[0].contains("positon"));
    }
}
