//! Which stages are only there to be joined to others.
//!
//! In whatever order both sides of a join come, the result is the same. But where the right side comes first, left rows come
//! out once: with their partners rather than first without and then with them.

use crate::{
    contract::stage::Planned,
    plan::{PerStage, Plan},
};

/// How the rows of a stage are used further on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// By the sink alone.
    Kept,
    /// As the right side of something.
    Right,
    /// In any other way.
    Other,
}

/// For each stage whether its rows are, beside being kept, only the right side of joins and the like.
pub(crate) fn right_sides(plan: &Plan) -> PerStage<bool> {
    let mut uses = PerStage::same(plan.stages.len(), Use::Kept);
    // Readers come after what they read.
    for (at, stage) in plan.stages.indexed().rev() {
        for (port, input) in stage.inputs.iter().enumerate() {
            let of_reader = match &stage.planned {
                Planned::Sink(_) => Use::Kept,
                Planned::Relational(relational) if relational.relation().has_right_side() => {
                    if port == 0 {
                        Use::Other
                    } else {
                        Use::Right
                    }
                }
                // A table that is only kept is what a run is about.
                _ if uses[at] == Use::Kept => Use::Other,
                _ => uses[at],
            };
            uses[*input] = uses[*input].max(of_reader);
        }
    }
    uses.iter().map(|of_stage| *of_stage == Use::Right).collect()
}

#[cfg(test)]
mod tests {
    use super::right_sides;
    use crate::plan::fakes::resolve;

    #[test]
    fn a_stage_that_is_only_joined_to_others_is_told() {
        let text = r#"
[pipeline]
name = "sides"
[stages.calls]
type = "events"
columns = { id = "int64", gene = "text?" }
[stages.variants]
type = "table"
input = "calls"
key = ["id"]
[stages.gene_rows]
type = "events"
columns = { gene = "text", note = "text?" }
[stages.genes]
type = "table"
input = "gene_rows"
key = ["gene"]
[stages.counts]
type = "count_by"
input = "variants"
group_by = ["gene"]
[stages.annotated]
type = "join"
inputs = ["variants", "genes", "counts"]
on = [["gene"], ["gene"]]
[stages.warehouse]
type = "memory"
tables = ["variants", "genes", "annotated"]
"#;
        let plan = resolve(text).unwrap_or_else(|problems| panic!("{problems}"));
        let sides = right_sides(&plan);
        let told: Vec<&str> =
            plan.stages.iter().zip(sides.iter()).filter(|(_, is)| **is).map(|(stage, _)| stage.name.as_str()).collect();
        assert_eq!(told, ["gene_rows", "genes", "counts"]);
    }
}
