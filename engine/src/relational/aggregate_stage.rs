//! The stage type `aggregate`.

use super::{
    Relational,
    aggregate::{CONCAT_MAX_BYTES, plan_bounded},
    aggregate_reasons,
};
use crate::options;
use crate::{
    contract::{
        options::{NamedTexts, Spanned},
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    expression,
};

options! {
    /// Options of `aggregate`.
    pub struct AggregateOptions {
        /// The columns whose equal values make a group; they are the key of the result. With none there is one row over
        /// everything, also when there are no rows at all.
        "group_by" => group_by: Vec<Spanned<String>> = Vec::new(), "[]",
        /// The columns computed per group, by name: SQL expressions of aggregate calls, the columns of `group_by` and
        /// constants.
        "columns" => columns: NamedTexts,
        /// Bytes that the text of a `group_concat` has at the most. A longer one is not cut: its group's row is rejected.
        "group_concat_max_bytes" => group_concat_max_bytes: u64 = CONCAT_MAX_BYTES, "1_048_576",
    }
}

/// The stage type `aggregate`: one row per group, kept up to date by every change of its input.
pub struct Aggregate;

impl StageType for Aggregate {
    fn name(&self) -> &'static str {
        "aggregate"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("aggregate_stage/manual.md"),
            example: include_str!("aggregate_stage/example.toml"),
            options: AggregateOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [expression::REASONS, aggregate_reasons::REASONS].concat()
    }

    fn version(&self) -> u32 {
        // 2: expressions mean what MySQL means by them.
        2
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let place = request.options.span.clone();
        let options = AggregateOptions::read(request.options, diagnostics);
        let input = request.inputs.into_iter().next()?;
        let options = options?;
        if options.group_by.is_empty() && options.columns.0.is_empty() {
            diagnostics
                .error(place, format!("stage `{}` computes nothing", request.name))
                .hint("Add a column to `columns`, such as variant_count = \"count(*)\".");
            return None;
        }
        let spec = plan_bounded(
            &options.group_by,
            &options.columns,
            options.group_concat_max_bytes,
            input.schema,
            request.functions,
            diagnostics,
        )?;
        Some(Planned::Relational(Relational::Aggregate(spec)))
    }
}
