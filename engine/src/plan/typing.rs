//! Plans the stages one after the other, each with its inputs' columns and keys, and checks what the whole forbids.

use crate::{
    contract::stage::{Kind, PipelineSettings, PlanRequest, Planned, PlannedInput},
    diagnostics::Diagnostics,
    expression::functions::Functions,
    plan::{
        PlannedStage, StageIndex, Stages,
        definition::{definition, join_definition},
        outline::Outline,
        sink_tables,
    },
    relational::relation::Reads,
};

/// The stages that could be planned, in order.
///
/// A stage that cannot be planned is left out, and so are, without a word, the stages that read it: what could be said
/// of them would be guesses. The names of their options are checked all the same.
pub(super) fn plan(
    outlines: &[Outline<'_>],
    order: &[usize],
    pipeline: &PipelineSettings,
    functions: &Functions,
    problems: &mut Diagnostics,
) -> Stages {
    let mut stages = Stages::default();
    let mut places: Vec<Option<StageIndex>> = vec![None; outlines.len()];
    for at in order {
        let outline = &outlines[*at];
        // Which of the inputs there are, in order; the place of one that could not be planned stays empty.
        let inputs: Vec<Option<StageIndex>> =
            outline.references.iter().map(|reference| reference.target.and_then(|target| places[target])).collect();
        let mut plannable = outline.sound && inputs.iter().all(Option::is_some);
        if outline.kind() == Some(Kind::Sink) {
            plannable &= sink_tables::check(outline, &inputs, &stages, problems);
        }
        if !plannable {
            check_option_names(outline, problems);
        } else if let Some(planned) =
            plan_stage(outline, inputs.into_iter().flatten().collect(), &stages, pipeline, functions, problems)
        {
            places[*at] = stages.add(planned);
        }
    }
    // What is on a cycle or after one has no place in the order.
    let mut ordered = vec![false; outlines.len()];
    order.iter().for_each(|at| ordered[*at] = true);
    for (outline, _) in outlines.iter().zip(ordered).filter(|(_, ordered)| !ordered) {
        check_option_names(outline, problems);
    }
    stages
}

fn check_option_names(outline: &Outline<'_>, problems: &mut Diagnostics) {
    if let Some(stage_type) = outline.stage_type.filter(|_| !outline.damaged) {
        outline.options().check_names(stage_type.options(), problems);
    }
}

/// The stage, and before it the other joins where it is a chain of several.
fn plan_stage(
    outline: &Outline<'_>,
    inputs: Vec<StageIndex>,
    stages: &Stages,
    pipeline: &PipelineSettings,
    functions: &Functions,
    problems: &mut Diagnostics,
) -> Option<Vec<PlannedStage>> {
    let stage_type = outline.stage_type?;
    let planned_inputs = inputs.iter().zip(&outline.references).map(|(input, reference)| PlannedInput {
        name: &stages[*input].name,
        schema: &stages[*input].schema,
        key: stages[*input].key.as_deref(),
        is_table: stages[*input].is_table(),
        span: reference.span.clone(),
    });
    let request = PlanRequest {
        name: outline.name(),
        inputs: planned_inputs.collect(),
        options: outline.options(),
        pipeline,
        functions,
    };
    let planned = stage_type.plan(request, problems)?;
    let before_tables = check_place(outline, &planned, &inputs, stages, problems)?;
    let schema = match &planned {
        Planned::Source(source) => source.schema().clone(),
        Planned::Transform(transform) => transform.schema().clone(),
        Planned::Relational(relational) => relational.relation().schema().clone(),
        Planned::Sink(_) => vardelta_schemas::Schema::default(),
    };
    let key = key(&planned, &inputs, stages);
    let mut stage = PlannedStage {
        name: outline.name().to_owned(),
        type_name: stage_type.name(),
        kind: stage_type.kind(),
        definition: definition(outline, stage_type, &planned, &key_of(&schema, key.as_deref())),
        key,
        inputs,
        schema,
        before_tables,
        planned,
    };
    let mut all = earlier_joins(&mut stage, stages);
    all.push(stage);
    Some(all)
}

/// The joins of a chain before the last one, as stages of their own; the last one then reads the one before it.
fn earlier_joins(stage: &mut PlannedStage, stages: &Stages) -> Vec<PlannedStage> {
    let Planned::Relational(last) = &mut stage.planned else { return Vec::new() };
    let mut chain: Vec<PlannedStage> = Vec::new();
    for (at, spec) in last.take_earlier().into_iter().enumerate() {
        let left = if at == 0 { stage.inputs[0] } else { StageIndex::new(stages.len() + at - 1) };
        let inputs = vec![left, stage.inputs[at + 1]];
        let schema_of = |input: StageIndex| match input.place().checked_sub(stages.len()) {
            None => &stages[input],
            Some(at) => &chain[at],
        };
        let [left, right] = [schema_of(inputs[0]), schema_of(inputs[1])];
        let definition = join_definition(&spec, left, right, &key_of(&spec.schema, spec.key.as_deref()));
        chain.push(PlannedStage {
            name: format!("{}#{}", stage.name, at + 1),
            type_name: stage.type_name,
            kind: stage.kind,
            inputs,
            schema: spec.schema.clone(),
            key: spec.key.clone(),
            before_tables: false,
            definition,
            planned: Planned::Relational(spec.into()),
        });
    }
    if let Some(last) = stage.inputs.last().copied().filter(|_| !chain.is_empty()) {
        stage.inputs = vec![StageIndex::new(stages.len() + chain.len() - 1), last];
    }
    chain
}

/// The names of a key's columns.
fn key_of<'a>(schema: &'a vardelta_schemas::Schema, key: Option<&[usize]>) -> Option<Vec<&'a str>> {
    key.map(|key| key.iter().map(|column| schema.columns()[*column].name.as_str()).collect())
}

/// Whether the stage comes before every table. `None` after reporting that it cannot be where it is.
fn check_place(
    outline: &Outline<'_>,
    planned: &Planned,
    inputs: &[StageIndex],
    stages: &Stages,
    problems: &mut Diagnostics,
) -> Option<bool> {
    let before_tables = inputs.iter().all(|input| stages[*input].before_tables);
    let odd = inputs.iter().position(|input| stages[*input].before_tables != stages[inputs[0]].before_tables);
    let first = outline.references.first().map_or_else(|| outline.span(), |reference| reference.span.clone());
    let owner = outline.owner();
    let (span, message, label, hint) = match planned {
        Planned::Source(_) => return Some(true),
        Planned::Sink(_) => return Some(false),
        Planned::Relational(relational) => match relational.relation().reads() {
            Reads::Records if before_tables => return Some(false),
            Reads::Records => (
                first,
                format!("{owner} comes after another table"),
                "already rows of a table",
                "A table turns records of drops into rows, once: let it read a source, a transform or a union before \
                 every table, or drop it and use this stage as it is.",
            ),
            Reads::Rows => {
                let of_records = inputs.iter().position(|input| stages[*input].before_tables);
                let Some(at) = of_records else { return Some(false) };
                let reference = &outline.references[at];
                let which = if inputs.len() > 1 { format!(" its input `{}`", reference.name) } else { " it".into() };
                (
                    reference.span.clone(),
                    format!("{owner} has no table before{which}"),
                    "records of drops, which nobody could take back",
                    "Put a `table` stage between: it remembers which drop asserted which row.",
                )
            }
            Reads::Either => match odd {
                None => return Some(before_tables),
                Some(odd) => (
                    outline.references[odd].span.clone(),
                    format!("{owner} mixes records of drops with rows of tables"),
                    if stages[inputs[odd]].before_tables { "records of drops" } else { "rows of a table" },
                    "Put stages before every table together, or stages after tables, not both.",
                ),
            },
        },
        Planned::Transform(transform) if transform.needs_provenance() && !before_tables => (
            first,
            format!("{owner} needs the drop's own records"),
            "rows of a table, which come from no single drop",
            "Move the stage before the table.",
        ),
        Planned::Transform(_) => return Some(before_tables),
    };
    problems.error(span, message).label(label).hint(hint);
    None
}

/// The key of what a stage yields.
fn key(planned: &Planned, inputs: &[StageIndex], stages: &Stages) -> Option<Vec<usize>> {
    match planned {
        Planned::Relational(relational) => relational.relation().key().map(<[usize]>::to_vec),
        Planned::Transform(transform) => {
            let input = &stages[*inputs.first()?];
            let key = input.key.as_ref()?;
            // The one row of an aggregate over everything has no key columns. It stays one row while any column shows
            // that rows are not multiplied.
            if key.is_empty() {
                let single = (0..input.schema.columns().len()).any(|column| transform.passes_through(column).is_some());
                return single.then(Vec::new);
            }
            key.iter().map(|column| transform.passes_through(*column)).collect()
        }
        Planned::Source(_) | Planned::Sink(_) => None,
    }
}
