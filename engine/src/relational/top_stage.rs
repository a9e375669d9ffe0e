//! The stage type `top`.

use super::{Order, Relational, TopSpec, aggregate::group_columns, aggregate::order_of};
use crate::options;
use crate::{
    contract::{
        options::Spanned,
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, PlannedInput, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    example_after_variants,
    expression::{self, Expression, depth::with_room, functions::Functions, parse, spans::Source},
};

options! {
    /// Options of `top`.
    pub struct TopOptions {
        /// The columns whose equal values make a group. With none all rows are one group.
        "by" => by: Vec<Spanned<String>> = Vec::new(), "[]",
        /// What the rows of a group are ordered by: columns or SQL expressions, each with DESC after it where the greatest
        /// comes first. NULL comes first, and last with DESC, unless NULLS FIRST or NULLS LAST is said. Rows that are
        /// equal in all of it are in the order of the key.
        "order" => order: Vec<Spanned<String>>,
        /// Rows of a group that are kept, at the most.
        "n" => n: Spanned<u64>,
    }
}

/// The stage type `top`.
pub struct TopStage;

/// For the registry.
pub static TOP: TopStage = TopStage;

impl StageType for TopStage {
    fn name(&self) -> &'static str {
        "top"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("top_stage/manual.md"),
            example: example_after_variants!(
                "best_calls",
                r#"[stages.best]
type = "top"
input = "variants"
by = ["chrom"]
order = ["qual DESC", "pos"]
n = 3
"#,
                r#"["variants", "best"]"#
            ),
            options: TopOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        expression::REASONS.to_vec()
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let place = request.options.span.clone();
        let options = TopOptions::read(request.options, diagnostics)?;
        let input = request.inputs.into_iter().next()?;
        let before = diagnostics.len();
        if options.n.value == 0 {
            diagnostics
                .error(options.n.span.clone(), format!("stage `{}` keeps no row", request.name))
                .hint("Say how many rows of each group are kept: n = 1.");
        }
        if options.order.is_empty() {
            diagnostics
                .error(place, format!("stage `{}` orders by nothing", request.name))
                .hint("Say which rows come first: order = [\"qual DESC\"].");
        }
        let by = group_columns(&options.by, input.schema, diagnostics);
        let order = with_room(|| orders(&options.order, &input, request.functions, diagnostics));
        let Some(key) = input.key else {
            diagnostics
                .error(input.span.clone(), format!("the rows of `{}` have no key", input.name))
                .label("equal rows could not be put in order")
                .hint("Let `top` read a `table`, or what keeps its key: a filter, a select with the key's columns.");
            return None;
        };
        let spec = TopSpec { schema: input.schema.clone(), key: key.to_vec(), by, order, n: options.n.value };
        (diagnostics.len() == before).then_some(Planned::Relational(Relational::Top(spec)))
    }
}

/// What rows are ordered by. What is wrong is reported and left out.
fn orders(
    texts: &[Spanned<String>],
    input: &PlannedInput<'_>,
    functions: &Functions,
    diagnostics: &mut Diagnostics,
) -> Vec<(Expression, Order)> {
    let mut orders = Vec::new();
    for text in texts {
        let source = Source::new(text);
        let Some(by) = parse::parse_order(&source, input.schema, diagnostics) else { continue };
        let expression = Expression::from_tree(&by.expr, &source, input.schema, functions, &|_| None, diagnostics);
        let Some(expression) = expression else { continue };
        if !(0..input.schema.columns().len()).any(|column| expression.reads(column)) {
            diagnostics
                .error(text.span.clone(), "this orders nothing: it is the same on every row")
                .hint("Name a column, or write an expression of columns.");
        } else if !expression.column_type.is_scalar() {
            diagnostics
                .error(text.span.clone(), format!("rows cannot be ordered by a {}", expression.column_type))
                .hint("Take one item of it: list_item(list, 1), or list_length(list).");
        } else {
            orders.push((expression, order_of(&by)));
        }
    }
    orders
}

#[cfg(test)]
mod tests;
