//! Types a checked syntax tree and makes it executable.

use std::sync::Arc;

use arrow_array::{BooleanArray, Int64Array, StringArray};
use sqlparser::{
    ast::{
        AccessExpr, BinaryOperator, CastKind, CeilFloorKind, DateTimeField, Expr, Spanned as _, Subscript,
        TrimWhereField, UnaryOperator, Value,
    },
    tokenizer::Span,
};
use vardelta_schemas::{Schema, sql::view::Operation};

use super::{
    arithmetic::{self, Arithmetic, Bits},
    call::Call,
    compare::{self, Comparison},
    convert::{Mode, Target, convert, widen},
    functions::{Functions, dates::Unit, dates::shift, regex},
    like,
    node::{Node, Run, Typed},
    types::{Type, common},
};

mod calls;
mod casts;
mod choices;
mod dates;

/// Why an expression has no type.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where.
    pub(crate) span: Span,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Problem {
    fn new(span: Span, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), hint: Some(hint.into()) }
    }

    /// Two values of different sorts that nothing brings together.
    fn mixed(span: Span, one: &Type, other: &Type) -> Problem {
        let hint = match (one, other) {
            (Type::List(_), _) | (_, Type::List(_)) => {
                "A list is no single value: take an item with list[1], ask with list_contains(list, value), or make a text \
                 of it with list_join(list, ',')."
            }
            (Type::Text, other) | (other, Type::Text) if other.is_number() => {
                "Nothing is converted silently: write CAST(… AS DOUBLE), AS SIGNED or AS CHAR around one side; TRY_CAST \
                 gives NULL where a text is no number."
            }
            (Type::Text, Type::Date | Type::DateTime) | (Type::Date | Type::DateTime, Type::Text) => {
                "Nothing is converted silently: write CAST(… AS DATE) around the text, or str_to_date(text, '%d.%m.%Y')."
            }
            (Type::Bool, _) | (_, Type::Bool) => {
                "A condition is no number here: write CAST(… AS SIGNED) for 1 and 0, or leave out `= 1`."
            }
            _ => "Nothing is converted silently: write CAST(… AS …) around one side.",
        };
        let (first, second) = if *other == Type::Text { (other, one) } else { (one, other) };
        Problem::new(span, format!("{} and {} are mixed", first.sort(), second.sort()), hint)
    }
}

/// Types expressions over a schema.
pub(crate) struct Planner<'a> {
    pub schema: &'a Schema,
    pub functions: &'a Functions,
}

impl Planner<'_> {
    /// Types a syntax tree whose columns and functions are known.
    pub(crate) fn plan(&self, tree: &Expr) -> Result<Typed, Problem> {
        match tree {
            Expr::Nested(inner) => self.plan(inner),
            Expr::Identifier(name) => self.column(&name.value, tree.span()),
            Expr::Value(value) => literal(&value.value, tree.span()),
            Expr::TypedString(typed) => {
                let text = typed.value.value.clone().into_string().unwrap_or_default();
                let target = casts::target(&typed.data_type)
                    .map_err(|(message, hint)| Problem::new(tree.span(), message, hint))?;
                dates::literal(&text, &target.of).ok_or_else(|| {
                    Problem::new(tree.span(), format!("'{text}' is not a {}", target.of), dates::WRITTEN)
                })
            }
            Expr::UnaryOp { op, expr } => self.unary(op, expr, tree.span()),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, tree.span()),
            Expr::IsNull(inner) => Ok(compare::is_null(self.plan(inner)?, false)),
            Expr::IsNotNull(inner) => Ok(compare::is_null(self.plan(inner)?, true)),
            Expr::IsUnknown(inner) => Ok(compare::is_null(self.condition(inner)?, false)),
            Expr::IsNotUnknown(inner) => Ok(compare::is_null(self.condition(inner)?, true)),
            Expr::IsTrue(inner) => Ok(compare::is_truth(self.condition(inner)?, true, false)),
            Expr::IsNotTrue(inner) => Ok(compare::is_truth(self.condition(inner)?, true, true)),
            Expr::IsFalse(inner) => Ok(compare::is_truth(self.condition(inner)?, false, false)),
            Expr::IsNotFalse(inner) => Ok(compare::is_truth(self.condition(inner)?, false, true)),
            Expr::IsDistinctFrom(left, right) => self.null_safe(left, right, true, tree.span()),
            Expr::IsNotDistinctFrom(left, right) => self.null_safe(left, right, false, tree.span()),
            Expr::Between { expr, negated, low, high } => {
                let value = self.plan(expr)?;
                let from = self.compare(Comparison::GreaterOrEqual, value.clone(), self.plan(low)?, tree.span())?;
                let to = self.compare(Comparison::LessOrEqual, value, self.plan(high)?, tree.span())?;
                Ok(negate_if(*negated, logic(false, from, to)))
            }
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated, tree.span()),
            Expr::Like { negated, expr, pattern, escape_char, .. } => {
                self.like(expr, pattern, escape_char.as_ref().map(|value| &value.value), false, *negated, tree.span())
            }
            Expr::ILike { negated, expr, pattern, escape_char, .. } => {
                self.like(expr, pattern, escape_char.as_ref().map(|value| &value.value), true, *negated, tree.span())
            }
            Expr::RLike { negated, expr, pattern, .. } => self.regex(expr, pattern, "", *negated),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), tree.span())
            }
            Expr::Cast { kind, expr, data_type, .. } => {
                let mode =
                    if matches!(kind, CastKind::TryCast | CastKind::SafeCast) { Mode::Try } else { Mode::Strict };
                self.cast(expr, data_type, mode, tree.span())
            }
            Expr::Convert { expr, data_type: Some(data_type), .. } => {
                self.cast(expr, data_type, Mode::Strict, tree.span())
            }
            Expr::Ceil { expr, field } => self.round("ceiling", expr, field, tree.span()),
            Expr::Floor { expr, field } => self.round("floor", expr, field, tree.span()),
            Expr::Position { expr, r#in } => self.call_of("position", &[expr, r#in], tree.span()),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let first = Expr::value(Value::Number("1".into(), false));
                let mut arguments = vec![&**expr, substring_from.as_deref().unwrap_or(&first)];
                arguments.extend(substring_for.as_deref());
                self.call_of("substr", &arguments, tree.span())
            }
            Expr::Trim { expr, trim_where, trim_what, .. } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    _ => "trim",
                };
                let mut arguments = vec![&**expr];
                arguments.extend(trim_what.as_deref());
                self.call_of(name, &arguments, tree.span())
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut arguments = vec![&**expr, &**overlay_what, &**overlay_from];
                arguments.extend(overlay_for.as_deref());
                self.call_of("overlay", &arguments, tree.span())
            }
            Expr::Extract { field, expr, .. } => {
                let part = Expr::value(Value::SingleQuotedString(field.to_string().to_lowercase()));
                self.call_of("date_part", &[&part, expr], tree.span())
            }
            Expr::CompoundFieldAccess { root, access_chain } => match access_chain.as_slice() {
                [AccessExpr::Subscript(Subscript::Index { index })] => {
                    self.call_of("list_item", &[root, index], tree.span())
                }
                _ => Err(Problem::new(
                    tree.span(),
                    format!("`{tree}` is a form of expression that is not available"),
                    "An item of a list is list[1].",
                )),
            },
            Expr::Function(function) => self.function(function, tree.span()),
            Expr::Interval(_) => Err(Problem::new(
                tree.span(),
                "an interval is no value of its own",
                "It is added to a date or taken from it: date + INTERVAL 1 DAY.",
            )),
            other => Err(Problem::new(
                other.span(),
                format!("`{other}` is a form of expression that is not available"),
                "`vardelta stages expressions` is the manual.",
            )),
        }
    }

    fn column(&self, name: &str, span: Span) -> Result<Typed, Problem> {
        let Some(at) = self.schema.index_of(name) else {
            return Err(Problem::new(span, format!("there is no column `{name}`"), ""));
        };
        let column = &self.schema.columns()[at];
        let of = Type::of_column(&column.column_type);
        Ok(Typed { node: Node::Column(at), of, nullable: column.nullable, fails: false })
    }

    /// A part that must be a boolean.
    fn condition(&self, tree: &Expr) -> Result<Typed, Problem> {
        let typed = self.plan(tree)?;
        match typed.of {
            Type::Bool | Type::Null => Ok(widen(typed, &Type::Bool)),
            _ => Err(Problem::new(
                tree.span(),
                format!("this is {}, not a condition", typed.of),
                "Compare it with something: `dp > 0`, say.",
            )),
        }
    }

    fn unary(&self, op: &UnaryOperator, expr: &Expr, span: Span) -> Result<Typed, Problem> {
        if let (UnaryOperator::Minus, Expr::Value(value)) = (op, expr)
            && let Value::Number(digits, _) = &value.value
        {
            // The least integer has no positive counterpart.
            return number(&format!("-{digits}"), span);
        }
        if matches!(op, UnaryOperator::Not | UnaryOperator::BangNot) {
            return Ok(negate_if(true, self.condition(expr)?));
        }
        let value = self.plan(expr)?;
        let of = value.of.clone();
        let typed = match op {
            UnaryOperator::Minus => arithmetic::negate(value),
            UnaryOperator::Plus => Some(value).filter(|value| value.of.is_number() || value.of == Type::Null),
            _ => arithmetic::invert(value),
        };
        typed.ok_or_else(|| {
            Problem::new(span, format!("`{op}` is applied to {of}"), "It takes a number: write CAST(… AS DOUBLE), say.")
        })
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr, span: Span) -> Result<Typed, Problem> {
        use BinaryOperator as Op;
        match op {
            Op::And | Op::Or => Ok(logic(*op == Op::Or, self.condition(left)?, self.condition(right)?)),
            Op::Xor => {
                let sides = vec![self.condition(left)?, self.condition(right)?];
                let run: Run =
                    Arc::new(|call: &Call<'_>| call.bools(|row| Ok(call.bool(0).at(row) != call.bool(1).at(row))));
                Ok(Typed::strict(run, sides, Type::Bool, false).says(Operation::Xor))
            }
            Op::Plus | Op::Minus if matches!(right, Expr::Interval(_)) => self.shifted(left, right, *op == Op::Minus),
            Op::Plus if matches!(left, Expr::Interval(_)) => self.shifted(right, left, false),
            Op::Spaceship => self.null_safe(left, right, false, span),
            Op::StringConcat => self.call_of("concat", &[left, right], span),
            Op::PGRegexMatch => self.regex(left, right, "", false),
            Op::PGRegexIMatch => self.regex(left, right, "i", false),
            Op::PGRegexNotMatch => self.regex(left, right, "", true),
            Op::PGRegexNotIMatch => self.regex(left, right, "i", true),
            Op::Arrow => self.call_of("json_extract", &[left, right], span),
            Op::LongArrow => self.call_of("json_text", &[left, right], span),
            _ => self.between_values(self.plan(left)?, op, self.plan(right)?, span),
        }
    }

    fn between_values(&self, left: Typed, op: &BinaryOperator, right: Typed, span: Span) -> Result<Typed, Problem> {
        use BinaryOperator as Op;
        let comparison = match op {
            Op::Eq => Some(Comparison::Equal),
            Op::NotEq => Some(Comparison::NotEqual),
            Op::Lt => Some(Comparison::Less),
            Op::LtEq => Some(Comparison::LessOrEqual),
            Op::Gt => Some(Comparison::Greater),
            Op::GtEq => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            return self.compare(comparison, left, right, span);
        }
        let (one, other) = (left.of.clone(), right.of.clone());
        let bits = match op {
            Op::BitwiseAnd => Some(Bits::And),
            Op::BitwiseOr => Some(Bits::Or),
            Op::BitwiseXor => Some(Bits::Xor),
            Op::PGBitwiseShiftLeft => Some(Bits::Left),
            Op::PGBitwiseShiftRight => Some(Bits::Right),
            _ => None,
        };
        if let Some(bits) = bits {
            return arithmetic::bits(bits, left, right).ok_or_else(|| {
                Problem::new(
                    span,
                    format!("`{op}` is applied to {one} and {other}"),
                    "It takes integers: write CAST(… AS SIGNED) around what is none.",
                )
            });
        }
        let arithmetic = match op {
            Op::Plus => Arithmetic::Plus,
            Op::Minus => Arithmetic::Minus,
            Op::Multiply => Arithmetic::Times,
            Op::Divide => Arithmetic::Divide,
            Op::MyIntegerDivide => Arithmetic::IntegerDivide,
            _ => Arithmetic::Modulo,
        };
        if arithmetic == Arithmetic::Minus
            && let Some(days) = dates::difference(&left, &right)
        {
            return Ok(days);
        }
        arithmetic::arithmetic(arithmetic, left, right).ok_or_else(|| match (&one, &other) {
            (Type::Date | Type::DateTime, other) | (other, Type::Date | Type::DateTime) if other.is_number() => {
                Problem::new(
                    span,
                    "date and number are mixed",
                    "Write date + INTERVAL 1 DAY, or datediff(later, earlier).",
                )
            }
            (one, other) if one.sort() != other.sort() => Problem::mixed(span, one, other),
            _ => Problem::new(
                span,
                format!("`{op}` is applied to {one} and {other}"),
                "It takes numbers: write CAST(… AS DOUBLE), say; texts are joined with ||.",
            ),
        })
    }

    fn compare(&self, op: Comparison, left: Typed, right: Typed, span: Span) -> Result<Typed, Problem> {
        let (left, right) = dates::meet(left, right, span)?;
        let (one, other) = (left.of.clone(), right.of.clone());
        compare::compare(op, left, right).ok_or_else(|| Problem::mixed(span, &one, &other))
    }

    fn null_safe(&self, left: &Expr, right: &Expr, negated: bool, span: Span) -> Result<Typed, Problem> {
        let (left, right) = dates::meet(self.plan(left)?, self.plan(right)?, span)?;
        let (one, other) = (left.of.clone(), right.of.clone());
        compare::null_safe_equal(left, right, negated).ok_or_else(|| Problem::mixed(span, &one, &other))
    }

    fn in_list(&self, expr: &Expr, list: &[Expr], negated: bool, span: Span) -> Result<Typed, Problem> {
        let value = self.plan(expr)?;
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            let (_, item) = dates::meet(value.clone(), self.plan(item)?, span)?;
            if common(&value.of, &item.of).is_none() {
                return Err(Problem::mixed(span, &value.of, &item.of));
            }
            items.push(item);
        }
        let known: Vec<_> = items.iter().filter(|item| item.of == value.of && !item.nullable).collect();
        let constants: Option<Vec<_>> = known.iter().map(|item| item.as_constant().cloned()).collect();
        let nulls = items.iter().filter(|item| item.of == Type::Null).count();
        if let Some(constants) = constants
            && known.len() + nulls == items.len()
            && let Some(typed) = compare::in_constants(value.clone(), &constants, nulls > 0, negated)
        {
            return Ok(typed);
        }
        let mut tests = Vec::with_capacity(items.len());
        for item in items {
            tests.push(self.compare(Comparison::Equal, value.clone(), item, span)?);
        }
        // As deep as its logarithm.
        while tests.len() > 1 {
            let mut pairs = tests.into_iter();
            let mut joined = Vec::new();
            while let Some(one) = pairs.next() {
                joined.push(match pairs.next() {
                    Some(other) => logic(true, one, other),
                    None => one,
                });
            }
            tests = joined;
        }
        match tests.pop() {
            Some(test) => Ok(negate_if(negated, test)),
            None => Err(Problem::new(span, "IN (…) has no values", "Write at least one.")),
        }
    }

    fn like(
        &self,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&Value>,
        folds: bool,
        negated: bool,
        span: Span,
    ) -> Result<Typed, Problem> {
        let escape = match escape {
            None => Some(like::ESCAPE),
            Some(value) => {
                let text = value.clone().into_string().unwrap_or_default();
                let mut letters = text.chars();
                match (letters.next(), letters.next()) {
                    (escape, None) => escape,
                    _ => return Err(Problem::new(span, "ESCAPE takes one character", "Write ESCAPE '!', say.")),
                }
            }
        };
        let (value, pattern) = (self.text(expr)?, self.text(pattern)?);
        Ok(like::like(value, pattern, escape, folds, negated))
    }

    fn regex(&self, expr: &Expr, pattern: &Expr, flags: &'static str, negated: bool) -> Result<Typed, Problem> {
        let (value, typed) = (self.text(expr)?, self.text(pattern)?);
        regex::matches(value, typed, flags, negated).map_err(|message| {
            Problem::new(
                pattern.span(),
                message,
                "There are no back references and no look-around; \\d, \\w, \\b and (?i) are known.",
            )
        })
    }

    /// A part that must be a text.
    fn text(&self, tree: &Expr) -> Result<Typed, Problem> {
        let typed = self.plan(tree)?;
        match typed.of {
            Type::Text | Type::Null => Ok(widen(typed, &Type::Text)),
            _ => Err(Problem::mixed(tree.span(), &typed.of, &Type::Text)),
        }
    }

    fn round(&self, name: &str, expr: &Expr, field: &CeilFloorKind, span: Span) -> Result<Typed, Problem> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => self.call_of(name, &[expr], span),
            _ => Err(Problem::new(
                span,
                format!("`{name}` takes one number"),
                "Write round(x, digits) or truncate(x, digits); date_trunc('month', date) for dates.",
            )),
        }
    }
}

/// `left AND right`, or `left OR right`.
fn logic(or: bool, left: Typed, right: Typed) -> Typed {
    let (nullable, fails) = (left.nullable || right.nullable, left.fails || right.fails);
    Typed { node: Node::Logic { or, sides: Box::new([left, right]) }, of: Type::Bool, nullable, fails }
}

fn negate_if(negated: bool, condition: Typed) -> Typed {
    if !negated {
        return condition;
    }
    let run: Run = Arc::new(|call: &Call<'_>| {
        let bools = call.bool(0);
        call.tests(|row| !bools.at(row))
    });
    Typed::strict(run, vec![condition], Type::Bool, false).says(Operation::Not)
}

fn literal(value: &Value, span: Span) -> Result<Typed, Problem> {
    Ok(match value {
        Value::Number(digits, _) => number(digits, span)?,
        Value::SingleQuotedString(text) => {
            Typed::constant(Arc::new(StringArray::from(vec![text.as_str()])), Type::Text)
        }
        Value::Boolean(value) => Typed::constant(Arc::new(BooleanArray::from(vec![*value])), Type::Bool),
        _ => Typed::null(Type::Null),
    })
}

/// A number in the text: an integer, an exact number with a point, a double with an exponent.
fn number(digits: &str, span: Span) -> Result<Typed, Problem> {
    if let Ok(value) = digits.parse::<i64>() {
        return Ok(Typed::constant(Arc::new(Int64Array::from(vec![value])), Type::Int));
    }
    let text = Typed::constant(Arc::new(StringArray::from(vec![digits])), Type::Text);
    let of = match digits.contains(['e', 'E']) {
        true => Type::Float,
        false => {
            let (whole, fraction) = digits.trim_start_matches('-').split_once('.').unwrap_or((digits, ""));
            let whole = whole.trim_start_matches(['-', '0']).len();
            match (u8::try_from(whole), u8::try_from(fraction.len())) {
                (Ok(whole), Ok(fraction)) if whole + fraction <= super::types::DIGITS_MAX => {
                    Type::decimal(whole, fraction)
                }
                _ => {
                    return Err(Problem::new(
                        span,
                        "this number has over 38 digits",
                        "Write it with an exponent, 1e40, if a double is meant.",
                    ));
                }
            }
        }
    };
    let problem =
        || Problem::new(span, format!("{digits} is no number that a column can hold"), "A double reaches to 1.8e308.");
    let typed = convert(text, &Target::from(of), Mode::Strict).ok_or_else(problem)?;
    if typed.as_constant().is_none() { Err(problem()) } else { Ok(typed) }
}
