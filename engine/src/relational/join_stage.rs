//! The stage type `join`.

use std::ops::RangeInclusive;

use super::{
    Relational,
    join::{How, On, OneOrEach, plan_joins},
};
use crate::options;
use crate::{
    contract::{
        options::{OptionDoc, Spanned},
        stage::{Kind, PlanRequest, Planned, StageType},
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

    fn manual(&self) -> &'static str {
        "Puts rows of two or more stages side by side where columns are equal.\n\
         \n\
         The first input is the left side. A change on either side rewrites only the output rows that it changes: a new \
         release of an annotation touches the rows whose annotation changed, a new drop of variants the rows of its \
         variants. NULL equals nothing, not even NULL. The compared columns have the same type, which is neither float64 nor \
         a list.\n\
         \n\
         All inputs are keyed: they come from tables. The output's key is the left side's key where the right side has \
         at most one row for given `on` columns (its key is among them); otherwise the right side's other key columns join it, \
         which `left` does not allow, since a left row without a partner would have NULL in its key. Such rows can still be \
         read by an `aggregate`.\n\
         \n\
         What is kept in the state: nothing of a side that is a `table` keyed by the `on` columns, a copy by the `on` columns \
         of any other; `vardelta explain` says which.\n\
         \n\
         With more than two inputs the result of the first two is joined to the third, and so on; the joins on the way are \
         called NAME#1, NAME#2, … in reports."
    }

    fn example(&self) -> &'static str {
        example_after_variants!(
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
        )
    }

    fn options(&self) -> &'static [OptionDoc] {
        JoinOptions::DOCS
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
