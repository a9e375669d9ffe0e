//! The stage type `distinct`: an aggregate that computes nothing but its groups.

use super::{Relational, plan_aggregate};
use crate::options;
use crate::{
    contract::{
        options::{NamedTexts, OptionDoc, Spanned},
        stage::{Kind, PlanRequest, Planned, StageType},
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

    fn manual(&self) -> &'static str {
        "Each row once, however often the input has it.\n\
         \n\
         It is an `aggregate` grouped by these columns that computes nothing: a row is there while any input row asserts it, \
         and goes with the last one. NULLs count as equal. The kept columns are the key of the result. The input comes from a \
         `table`; what has to be made alike first (case, blanks) is made alike by a `select` between."
    }

    fn example(&self) -> &'static str {
        example_after_variants!(
            "contigs_seen",
            r#"[stages.contigs]
type = "distinct"
input = "variants"
columns = ["chrom"]
"#,
            r#"["contigs"]"#
        )
    }

    fn options(&self) -> &'static [OptionDoc] {
        DistinctOptions::DOCS
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
