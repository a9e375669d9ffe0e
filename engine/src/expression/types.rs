//! Types a checked syntax tree and makes it executable: planned and coerced by DataFusion, with the coercions that SQL
//! users regret (text to number and back) refused.

use std::{mem, sync::Arc};

use arrow_schema::DataType;
use datafusion_common::{
    DFSchema, DataFusionError, ScalarValue,
    tree_node::{Transformed, TransformedResult as _, TreeNode as _, TreeNodeRecursion},
};
use datafusion_expr::{
    BinaryExpr, Cast, Expr, ExprSchemable as _, Operator, TryCast,
    execution_props::ExecutionProps,
    physical_planning_context::PhysicalPlanningContext,
    simplify::{ExprSimplifyResult, SimplifyContext},
    when,
};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion_sql::{
    planner::{ParserOptions, PlannerContext, SqlToRel},
    sqlparser::ast,
};

use super::{
    functions::{Functions, null_only_for_null},
    logic::harden,
};

/// The alias that marks a cast which the user wrote, so that the ones added by coercion can be told apart.
const WRITTEN: &str = "__written";

/// Why an expression has no type.
pub(crate) struct Problem {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

/// A typed expression.
pub(crate) struct Typed {
    /// What to evaluate.
    pub(crate) physical: Arc<dyn PhysicalExpr>,
    /// The type of its values.
    pub(crate) data_type: DataType,
    /// Whether it may yield NULL.
    pub(crate) nullable: bool,
}

/// Types a syntax tree whose columns and functions are known.
pub(crate) fn type_tree(tree: &ast::Expr, schema: &DFSchema) -> Result<Typed, Problem> {
    let options = ParserOptions::new()
        .with_enable_ident_normalization(false)
        // The length of VARCHAR(10) would be ignored: better refused.
        .with_support_varchar_with_length(false)
        .with_map_string_types_to_utf8view(false);
    let mut tree = tree.clone();
    name_substring(&mut tree);
    let planner = SqlToRel::new_with_options(&Functions, options);
    let planned = planner.sql_to_expr(tree, schema, &mut PlannerContext::new())?;
    let marked = planned.transform_up(mark_written_casts).data()?;
    let coerced = ExprSimplifier::new(SimplifyContext::default()).coerce(marked, schema)?;
    check_coercions(&coerced, schema)?;
    let lowered = coerced.transform_up(|expr| lower(expr, schema)).data()?;
    let nullable = is_nullable(&lowered, schema)?;
    let data_type = lowered.get_type(schema)?;
    let physical = create_physical_expr(&lowered, schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())?;
    Ok(Typed { physical: harden(physical)?, data_type, nullable })
}

/// Writes `SUBSTRING(x FROM 2 FOR 3)` as `substr(x, 2, 3)`, which is what the planner knows.
fn name_substring(tree: &mut ast::Expr) {
    let _ = ast::visit_expressions_mut(tree, |expr| {
        if let ast::Expr::Substring { expr: text, substring_from, substring_for, .. } = expr {
            let nothing = || Box::new(ast::Expr::value(ast::Value::Null));
            let one = || Box::new(ast::Expr::value(ast::Value::Number("1".into(), false)));
            let mut args = vec![mem::replace(text, nothing()), substring_from.take().unwrap_or_else(one)];
            args.extend(substring_for.take());
            let argument = |arg: Box<ast::Expr>| ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(*arg));
            *expr = ast::Expr::Function(ast::Function {
                name: ast::ObjectName::from(ast::Ident::new("substr")),
                uses_odbc_syntax: false,
                parameters: ast::FunctionArguments::None,
                args: ast::FunctionArguments::List(ast::FunctionArgumentList {
                    duplicate_treatment: None,
                    args: args.into_iter().map(argument).collect(),
                    clauses: Vec::new(),
                }),
                filter: None,
                null_treatment: None,
                over: None,
                within_group: Vec::new(),
            });
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
}

/// Marks the casts that stand in the text. FLOAT and REAL mean double here: columns have one kind of float, and passing
/// through 32 bits would silently change the value.
fn mark_written_casts(expr: Expr) -> Result<Transformed<Expr>, DataFusionError> {
    let wide = |data_type: &DataType| match data_type {
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        other => other.clone(),
    };
    Ok(match expr {
        Expr::Cast(Cast { expr, field }) => {
            Transformed::yes(Expr::Cast(Cast::new(expr, wide(field.data_type()))).alias(WRITTEN))
        }
        Expr::TryCast(TryCast { expr, field }) => {
            Transformed::yes(Expr::TryCast(TryCast::new(expr, wide(field.data_type()))).alias(WRITTEN))
        }
        other => Transformed::no(other),
    })
}

/// Sorts of values between which nothing is converted unless the expression says so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Null,
    Bool,
    Number,
    Text,
    Date,
    List,
    Other,
}

impl Sort {
    fn of(data_type: &DataType) -> Sort {
        match data_type {
            DataType::Null => Sort::Null,
            DataType::Boolean => Sort::Bool,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Sort::Text,
            DataType::Date32 | DataType::Date64 => Sort::Date,
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Sort::List,
            other if other.is_numeric() => Sort::Number,
            _ => Sort::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Sort::Null => "NULL",
            Sort::Bool => "boolean",
            Sort::Number => "number",
            Sort::Text => "text",
            Sort::Date => "date",
            Sort::List => "list",
            Sort::Other => "other type",
        }
    }
}

/// Refuses casts that coercion added between different sorts of values.
fn check_coercions(expr: &Expr, schema: &DFSchema) -> Result<(), Problem> {
    let mut problem = None;
    expr.apply(|node| {
        if matches!(node, Expr::Alias(alias) if alias.name == WRITTEN) {
            // The cast itself is the user's; what it is applied to is looked at in turn.
            return Ok(TreeNodeRecursion::Continue);
        }
        node.apply_children(|child| {
            if let Expr::Cast(Cast { expr: from, field }) = child
                && !matches!(node, Expr::Alias(_))
            {
                problem = mixed(node, from, field.data_type(), schema)?;
            }
            Ok(if problem.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    match problem {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// What is wrong with an added cast of `from`, used by `user`, if anything is.
fn mixed(user: &Expr, from: &Expr, to: &DataType, schema: &DFSchema) -> Result<Option<Problem>, DataFusionError> {
    let (from_sort, to_sort) = (Sort::of(&from.get_type(schema)?), Sort::of(to));
    if from_sort == to_sort || from_sort == Sort::Null {
        return Ok(None);
    }
    if to_sort == Sort::Text && joins_texts(user) && from_sort != Sort::List {
        return Ok(None);
    }
    if let (Expr::Literal(literal, _), Sort::Text, Sort::Date) = (from, from_sort, to_sort) {
        return Ok(literal.cast_to(to).err().map(|_| Problem {
            message: format!("{literal} is not a date"),
            hint: Some("Dates are written as '2024-01-31'.".into()),
        }));
    }
    let (one, other) = (from_sort.name(), to_sort.name());
    let hint = match (from_sort, to_sort) {
        (Sort::Text, Sort::Number) | (Sort::Number, Sort::Text) => {
            "Nothing is converted silently: write CAST(… AS DOUBLE), AS BIGINT or AS TEXT around one side; TRY_CAST \
             gives NULL where a text is no number."
        }
        (Sort::List, _) | (_, Sort::List) => "A list is compared with nothing; `normalize` makes `alt` a text per row.",
        _ => "Nothing is converted silently: write CAST(… AS …) around one side.",
    };
    Ok(Some(Problem { message: format!("{one} and {other} are mixed"), hint: Some(hint.into()) }))
}

/// Whether an expression makes a text of whatever it is given.
fn joins_texts(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(binary) => binary.op == Operator::StringConcat,
        Expr::ScalarFunction(call) => matches!(call.func.name(), "concat" | "concat_ws"),
        _ => false,
    }
}

/// Rewrites what has no executable form or not the meaning it should: `coalesce` and its kin become CASE (which evaluates
/// only the branch it needs); the negation of an integer, which would wrap at the least one, becomes a checked
/// subtraction; and `least` and `greatest` become NULL where an argument is, as in MySQL and SQLite (PostgreSQL and
/// DataFusion skip it, so that `least(qual, 100.0)` would make the best quality of a missing one).
fn lower(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>, DataFusionError> {
    match expr {
        Expr::ScalarFunction(mut call) if matches!(call.func.name(), "coalesce" | "nvl") => {
            match call.func.simplify(mem::take(&mut call.args), &SimplifyContext::default())? {
                // `nvl` becomes `coalesce` first.
                ExprSimplifyResult::Simplified(simpler) => simpler.transform_up(|expr| lower(expr, schema)),
                ExprSimplifyResult::Original(args) => {
                    call.args = args;
                    Ok(Transformed::no(Expr::ScalarFunction(call)))
                }
            }
        }
        Expr::ScalarFunction(call) if matches!(call.func.name(), "least" | "greatest") => {
            let mut missing = None;
            for arg in &call.args {
                if is_nullable(arg, schema)? {
                    let null = arg.clone().is_null();
                    missing = Some(match missing {
                        Some(missing) => Expr::or(missing, null),
                        None => null,
                    });
                }
            }
            let call = Expr::ScalarFunction(call);
            match missing {
                Some(missing) => {
                    let null = Expr::Literal(ScalarValue::try_new_null(&call.get_type(schema)?)?, None);
                    Ok(Transformed::yes(when(missing, null).otherwise(call)?))
                }
                None => Ok(Transformed::no(call)),
            }
        }
        Expr::Negative(inner) => {
            let data_type = inner.get_type(schema)?;
            if data_type.is_integer() {
                let zero = Expr::Literal(ScalarValue::new_zero(&data_type)?, None);
                Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(zero), Operator::Minus, inner))))
            } else {
                Ok(Transformed::no(Expr::Negative(inner)))
            }
        }
        other => Ok(Transformed::no(other)),
    }
}

/// Whether an expression may be NULL: DataFusion's answer, sharpened for functions that are NULL only for NULL.
fn is_nullable(expr: &Expr, schema: &DFSchema) -> Result<bool, DataFusionError> {
    let any = |exprs: &mut dyn Iterator<Item = &Expr>| -> Result<bool, DataFusionError> {
        for expr in exprs {
            if is_nullable(expr, schema)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match expr {
        Expr::Alias(alias) => is_nullable(&alias.expr, schema),
        Expr::Cast(cast) => is_nullable(&cast.expr, schema),
        Expr::Not(inner) | Expr::Negative(inner) => is_nullable(inner, schema),
        Expr::BinaryExpr(binary) if !matches!(binary.op, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom) => {
            any(&mut [&*binary.left, &*binary.right].into_iter())
        }
        Expr::ScalarFunction(call) if call.func.name() == "concat" => Ok(false),
        Expr::ScalarFunction(call) if null_only_for_null(call.func.name()) => any(&mut call.args.iter()),
        other => other.nullable(schema),
    }
}

impl From<DataFusionError> for Problem {
    fn from(error: DataFusionError) -> Problem {
        let text = error.strip_backtrace();
        let mut message = text.lines().next().unwrap_or_default().trim();
        for prefix in
            ["Error during planning: ", "This feature is not implemented: ", "Schema error: ", "Execution error: "]
        {
            message = message.strip_prefix(prefix).unwrap_or(message);
        }
        let mut chars = message.chars();
        let lower = chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default();
        let hint = text
            .contains("Candidate functions")
            .then(|| "Check the number and the types of the arguments; CAST(… AS …) converts.".to_string());
        Problem { message: lower, hint }
    }
}
