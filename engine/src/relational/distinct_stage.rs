//! The stage type `distinct`: an aggregate that computes nothing but its groups.

use super::{Relational, plan_aggregate};
use crate::options;
use crate::{
    contract::{
        options::{NamedTexts, Spanned},
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    example_after_variants,
};

options! {
    /// Options of `distinct`.
    pub struct DistinctOptions {
        /// The columns that are kept; they are the key of the result. Default: all columns of the input.
        "columns" => columns: Option<Vec<Spanned<String>>> = None, "all",
    }
}

/// The stage type `distinct`.
pub struct DistinctStage;

/// For the registry.
pub static DISTINCT: DistinctStage = DistinctStage;

impl StageType for DistinctStage {
    fn name(&self) -> &'static str {
        "distinct"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("distinct_stage/manual.md"),
            example: example_after_variants!(
                "contigs_seen",
                r#"[stages.contigs]
type = "distinct"
input = "variants"
columns = ["chrom"]
"#,
                r#"["contigs"]"#
            ),
            options: DistinctOptions::DOCS,
        }
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let place = request.options.span.clone();
        let options = DistinctOptions::read(request.options, diagnostics)?;
        let input = request.inputs.into_iter().next()?;
        let all = || {
            let name =
                |column: &vardelta_schemas::Column| Spanned { value: column.name.clone(), span: input.span.clone() };
            input.schema.columns().iter().map(name).collect()
        };
        let columns: Vec<Spanned<String>> = options.columns.unwrap_or_else(all);
        if columns.is_empty() {
            diagnostics
                .error(place, format!("stage `{}` keeps no column", request.name))
                .hint("Name at least one column, or leave `columns` out to keep all.");
            return None;
        }
        let spec = plan_aggregate(&columns, &NamedTexts::default(), input.schema, request.functions, diagnostics)?;
        Some(Planned::Relational(Relational::Aggregate(spec)))
    }
}
