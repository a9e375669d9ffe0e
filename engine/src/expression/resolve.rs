//! Checks a syntax tree before it is typed: every column known, every function known, nothing that is not a function of
//! one row. Each problem is reported at the identifier it is about.

use sqlparser::{
    ast::{
        BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned as _,
        UnaryOperator, Value,
    },
    tokenizer::Span,
};
use vardelta_schemas::Schema;

use super::{
    foreign,
    functions::{self, Functions, Known},
    spans::Source,
    walk::children,
};
use crate::{
    diagnostics::Diagnostics,
    suggest::{listed, nearest},
};

/// What to say of a column that is not in the schema, if it is something other than "no such column": message and hint.
pub(crate) type Explain<'a> = &'a dyn Fn(&str) -> Option<(String, String)>;

/// Reports every problem of a syntax tree; returns whether there was none.
pub(crate) fn check(
    expr: &Expr,
    source: &Source<'_>,
    schema: &Schema,
    functions: &Functions,
    explain: Explain<'_>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let before = diagnostics.len();
    Checker { source, schema, functions, explain, diagnostics }.walk(expr);
    diagnostics.len() == before
}

/// The name of a function as it is looked up, if it is a single word.
pub(crate) fn function_name(function: &Function) -> Option<String> {
    match function.name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_lowercase()),
        _ => None,
    }
}

struct Checker<'a, 'd> {
    source: &'a Source<'a>,
    schema: &'a Schema,
    functions: &'a Functions,
    explain: Explain<'a>,
    diagnostics: &'d mut Diagnostics,
}

impl Checker<'_, '_> {
    fn walk(&mut self, expr: &Expr) {
        self.check(expr);
        children(expr).into_iter().for_each(|part| self.walk(part));
    }

    fn check(&mut self, expr: &Expr) {
        match expr {
            Expr::Identifier(ident) => self.column(ident),
            Expr::CompoundIdentifier(parts) => {
                let name = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
                self.refuse(
                    expr.span(),
                    format!("`{name}` is not a column"),
                    "There are no tables inside an expression: write the column's name alone, in double quotes if it \
                     holds a point.",
                );
            }
            Expr::Function(function) => self.function(function),
            Expr::Value(value) => match &value.value {
                Value::Number(..) | Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null => {}
                Value::Placeholder(_) => self.refuse(
                    value.span,
                    "placeholders have no value here".to_string(),
                    "Use ${NAME} to insert an environment variable.",
                ),
                other => self.refuse(
                    value.span,
                    format!("`{other}` is not a literal that columns can hold"),
                    "Literals are numbers, 'texts', TRUE, FALSE, NULL and DATE '2024-01-31'.",
                ),
            },
            Expr::BinaryOp { op, .. } => {
                if !is_offered(op) {
                    self.refuse(
                        expr.span(),
                        format!("the operator `{op}` is not available"),
                        match op {
                            BinaryOperator::PGOverlap => "Write AND.",
                            _ => {
                                "Operators are + - * / DIV % || = <> < <= > >= <=> AND OR XOR LIKE REGEXP & | ^ << >>."
                            }
                        },
                    );
                }
            }
            Expr::UnaryOp {
                op: UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not | UnaryOperator::BitwiseNot,
                ..
            }
            | Expr::Nested(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::Between { .. }
            | Expr::Like { any: false, .. }
            | Expr::ILike { any: false, .. }
            | Expr::RLike { .. }
            | Expr::Case { .. }
            | Expr::Cast { array: false, format: None, .. }
            | Expr::TypedString(_)
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { trim_characters: None, .. }
            | Expr::Overlay { .. }
            | Expr::Extract { .. }
            | Expr::Interval(_)
            | Expr::CompoundFieldAccess { .. }
            | Expr::Convert { data_type: Some(_), charset: None, target_before_value: false, .. } => {}
            Expr::Collate { .. } => self.refuse(
                expr.span(),
                "COLLATE is not available".to_string(),
                "Texts compare byte by byte; lower(text) and ILIKE take upper and lower case for the same.",
            ),
            Expr::SimilarTo { .. } => self.refuse(
                expr.span(),
                "SIMILAR TO is not available".to_string(),
                "Write text LIKE 'L%', or text REGEXP '^L'.",
            ),
            Expr::MatchAgainst { .. } => self.refuse(
                expr.span(),
                "MATCH … AGAINST is not available".to_string(),
                "Write text LIKE '%word%', or text REGEXP 'word'.",
            ),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => self.refuse(
                expr.span(),
                "an expression cannot hold a subquery".to_string(),
                "It sees one row. Bring the other table in with a stage of its own.",
            ),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => self.refuse(
                expr.span(),
                "`*` is not a value".to_string(),
                "Name the columns; only count(*) takes a star, in an `aggregate` stage.",
            ),
            other => self.refuse(
                other.span(),
                format!("`{other}` is a form of expression that is not available"),
                "Available are operators, function calls, CASE, CAST, IN, BETWEEN, LIKE and IS NULL; `vardelta stages \
                 expressions` is the manual.",
            ),
        }
    }

    fn column(&mut self, ident: &Ident) {
        if self.schema.index_of(&ident.value).is_some() {
            return;
        }
        if let Some((message, hint)) = (self.explain)(&ident.value) {
            self.refuse(ident.span, message, &hint);
            return;
        }
        let names = || self.schema.columns().iter().map(|column| column.name.as_str());
        let hint = match nearest(&ident.value, names()) {
            Some(near) if near.eq_ignore_ascii_case(&ident.value) => {
                format!("Did you mean `{near}`? Upper and lower case count.")
            }
            Some(near) => format!("Did you mean `{near}`?"),
            None if ident.quote_style == Some('"') => {
                format!("The columns are: {}. Texts are in single quotes.", listed(names()))
            }
            None => format!("The columns are: {}.", listed(names())),
        };
        let place = self.source.place(ident.span);
        self.diagnostics
            .error(place, format!("there is no column `{}`", ident.value))
            .label("unknown column")
            .hint(hint);
    }

    fn function(&mut self, function: &Function) {
        let span = function.name.span();
        let Some(name) = function_name(function) else {
            self.refuse(span, format!("there is no function `{}`", function.name), "Function names are single words.");
            return;
        };
        if function.over.is_some() {
            self.refuse(
                span,
                format!("`{name}(…) OVER` is a window function"),
                "An expression sees one row. Window functions are not available.",
            );
            return;
        }
        if name == "mod" {
            return self.arguments(function, &name);
        }
        match functions::known(&name, self.functions) {
            Known::Scalar => self.arguments(function, &name),
            Known::Aggregate => self.refuse(
                span,
                format!("`{name}` is an aggregate function, and an expression sees one row"),
                "Aggregates are the columns of an `aggregate` stage, where they cannot be nested.",
            ),
            Known::Volatile => self.refuse(
                span,
                format!("`{name}` does not depend on its arguments alone"),
                "A row must have the same value in every run: put the value into the data, or use ${NAME}.",
            ),
            Known::Unknown => {
                let known = || self.functions.names().chain(functions::AGGREGATES.iter().copied());
                let hint = match (foreign::instead(&name), nearest(&name, known())) {
                    (Some(instead), _) => instead.to_string(),
                    (None, Some(near)) => format!("Did you mean `{near}`?"),
                    (None, None) => "`vardelta stages expressions` lists the functions.".to_string(),
                };
                let place = self.source.place(span);
                self.diagnostics
                    .error(place, format!("there is no function `{name}`"))
                    .label("unknown function")
                    .hint(hint);
            }
        }
    }

    fn arguments(&mut self, function: &Function, name: &str) {
        let plain = match &function.args {
            FunctionArguments::List(list) => {
                list.duplicate_treatment.is_none()
                    && list.clauses.is_empty()
                    && list.args.iter().all(|arg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(_))))
            }
            _ => false,
        };
        let bare = matches!(function.parameters, FunctionArguments::None)
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty();
        if !plain || !bare {
            let example =
                format!("Call it as `{name}(…)`, with values between the parentheses and nothing after them.");
            self.refuse(function.name.span(), format!("`{name}` is not called that way"), &example);
        }
    }

    fn refuse(&mut self, span: Span, message: String, hint: &str) {
        let place = self.source.place(span);
        self.diagnostics.error(place, message).hint(hint);
    }
}

fn is_offered(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat
            | Op::Eq
            | Op::NotEq
            | Op::Lt
            | Op::LtEq
            | Op::Gt
            | Op::GtEq
            | Op::And
            | Op::Or
            | Op::BitwiseAnd
            | Op::BitwiseOr
            | Op::BitwiseXor
            | Op::PGBitwiseShiftLeft
            | Op::PGBitwiseShiftRight
            | Op::MyIntegerDivide
            | Op::Spaceship
            | Op::Xor
            | Op::Arrow
            | Op::LongArrow
            | Op::PGRegexMatch
            | Op::PGRegexIMatch
            | Op::PGRegexNotMatch
            | Op::PGRegexNotIMatch
    )
}
