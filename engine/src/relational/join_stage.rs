//! The stage type `join`.

use std::ops::RangeInclusive;

use super::{
    Relational,
    join::{How, On, OneOrEach, plan_joins},
};
use crate::options;
use crate::{
    contract::{
        options::Spanned,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
    example_after_variants,
};

options! {
    /// Options of `join`.
    pub struct JoinOptions {
        /// The columns that must be equal: names that both sides have, or pairs of the left side's and the right side's
        /// column. With more than two inputs a list for each input after the first, or names that all inputs have.
        "on" => on: On,
        /// What becomes of a left row that nothing equals: no row (`inner`), or one with NULL in the right side's columns
        /// (`left`). With more than two inputs one for all, or a list.
        "how" => how: OneOrEach<How> = OneOrEach::one(How::Inner), "\"inner\"",
        /// What goes before the name of every column of the right side. Its `on` columns are left out: they equal the left
        /// side's. Without it, equal names are an error. With more than two inputs one for all, or a list.
        "prefix" => prefix: OneOrEach<Option<Spanned<String>>> = OneOrEach::one(None), "none",
    }
}

/// The stage type `join`.
pub struct JoinStage;

/// For the registry.
pub static JOIN: JoinStage = JoinStage;

impl StageType for JoinStage {
    fn name(&self) -> &'static str {
        "join"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("join_stage/manual.md"),
            example: example_after_variants!(
                "known_variants",
                r#"[stages.known_calls]
type = "vcf"
path = "known/*.vcf"
info = ["CLNSIG"]

[stages.known_alleles]
type = "normalize"
input = "known_calls"

[stages.known_rows]
type = "select"
input = "known_alleles"
[stages.known_rows.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "coalesce(alt, '.')"
significance = "info_clnsig"

[stages.known]
type = "table"
input = "known_rows"
key = ["chromosome", "position", "reference", "alternate"]

[stages.classified]
type = "join"
inputs = ["variants", "known"]
how = "left"
on = [["chrom", "chromosome"], ["pos", "position"], ["ref", "reference"], ["alt", "alternate"]]
prefix = "known_"
"#,
                r#"["variants", "known", "classified"]"#
            ),
            options: JoinOptions::DOCS,
        }
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        2..=usize::MAX
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = JoinOptions::read(request.options, diagnostics)?;
        let spec = plan_joins(&request.inputs, &options, diagnostics)?;
        Some(Planned::Relational(Relational::Join(spec)))
    }
}
