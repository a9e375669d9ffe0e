//! The plan in words: what is fused, exchanged, arranged and persisted, and the SQL it will run.

use serde::Serialize;

use crate::{
    contract::{
        sink::Server,
        stage::{Kind, Planned},
    },
    display::grouped,
    plan::{Plan, PlannedStage, graph::key_names, is_table},
    relational::{JoinSide, Kept, Relational},
};

/// What a run of a plan does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The pipeline's name.
    pub pipeline: String,
    /// Worker threads.
    pub workers: usize,
    /// Records per dataflow.
    pub chunk_records: u64,
    /// The operators, in the order in which rows reach them.
    pub operators: Vec<Operator>,
    /// The sink's database in words.
    pub database: String,
    /// The server that it is, or why it could not be asked.
    pub server: String,
    /// The statements the sink runs.
    pub statements: Vec<String>,
    /// What `verify` has the database compute, view by view.
    pub views: Vec<ExplainedView>,
}

/// How `verify` computes a view a second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedView {
    /// Its table.
    pub table: String,
    /// The statement that the database runs.
    pub sql: Option<String>,
    /// Why there is none, so that the view is replayed.
    pub not_sql: Option<String>,
}

/// One operator of the dataflow: a stage, or transforms that run as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// Its stages; several where transforms are fused.
    pub stages: Vec<String>,
    /// Their types, stage by stage.
    pub types: Vec<String>,
    /// `source`, `transform`, `relational` or `sink`.
    pub kind: String,
    /// The stages whose rows it takes.
    pub reads: Vec<String>,
    /// By which columns rows are sent to the worker that owns them; `None` where they stay where they are.
    pub exchanged_by: Option<String>,
    /// What it keeps in memory while a chunk is worked on.
    pub arranged: Vec<String>,
    /// What it keeps in the state on disk.
    pub persisted: Vec<String>,
}

/// What a run of this plan does, as data.
pub fn explanation(plan: &Plan) -> Explanation {
    let operators = chains(plan).into_iter().map(|chain| operator(plan, &chain)).collect();
    let sink = plan.sink();
    let server = sink.server();
    Explanation {
        pipeline: plan.pipeline.name.clone(),
        workers: plan.pipeline.workers,
        chunk_records: plan.pipeline.chunk_records,
        operators,
        database: sink.location(),
        statements: sink.statements(&plan.kept_tables(), server.dialect),
        views: views(plan, &server),
        server: server.words,
    }
}

fn views(plan: &Plan, server: &Server) -> Vec<ExplainedView> {
    let inputs = plan.stages[plan.sink].inputs.iter().filter(|input| !is_table(&plan.stages[**input].planned));
    let view = |input: &usize| {
        let said = |whole| plan.defined(*input, whole).and_then(|view| plan.sink().view(&view, server.dialect));
        let table = plan.stages[*input].name.clone();
        match said(true).or_else(|error| said(false).map_err(|_| error)) {
            Ok(statement) => ExplainedView { table, sql: Some(statement.text), not_sql: None },
            Err(error) => ExplainedView { table, sql: None, not_sql: Some(format!("not said in SQL: {error}")) },
        }
    };
    inputs.map(view).collect()
}

/// The stages as operators: transforms of which each is the only reader of the one before run as one. Indexes into the
/// plan's stages; operators in the order of their first stage.
pub fn chains(plan: &Plan) -> Vec<Vec<usize>> {
    let mut readers = vec![0; plan.stages.len()];
    plan.stages.iter().flat_map(|stage| &stage.inputs).for_each(|input| readers[*input] += 1);
    let mut chains: Vec<Vec<usize>> = Vec::new();
    let mut chain_of: Vec<usize> = Vec::with_capacity(plan.stages.len());
    for (at, stage) in plan.stages.iter().enumerate() {
        let before = stage.inputs.first().copied().filter(|input| {
            let fusible = |stage: &PlannedStage| stage.kind == Kind::Transform;
            fusible(stage) && fusible(&plan.stages[*input]) && readers[*input] == 1
        });
        match before {
            Some(before) => chain_of.push(chain_of[before]),
            None => {
                chain_of.push(chains.len());
                chains.push(Vec::new());
            }
        }
        chains[chain_of[at]].push(at);
    }
    chains
}

fn operator(plan: &Plan, chain: &[usize]) -> Operator {
    let (first, last) = (&plan.stages[chain[0]], &plan.stages[chain[chain.len() - 1]]);
    let input = first.inputs.first().map(|input| &plan.stages[*input]);
    let mut operator = Operator {
        stages: chain.iter().map(|at| plan.stages[*at].name.clone()).collect(),
        types: chain.iter().map(|at| plan.stages[*at].type_name.to_owned()).collect(),
        kind: first.kind.as_str().into(),
        reads: first.inputs.iter().map(|input| plan.stages[*input].name.clone()).collect(),
        exchanged_by: None,
        arranged: Vec::new(),
        persisted: Vec::new(),
    };
    match (&last.planned, input) {
        (Planned::Relational(Relational::Table(table)), _) => {
            let key = key_names(&table.schema, &table.key);
            operator.arranged = vec![format!("the chunk's rows by ({key}), with their drops")];
            operator.persisted = vec![
                format!("({key}), drop, ordinal -> row"),
                format!("drop, ({key}), so that a drop can be taken back"),
            ];
            operator.exchanged_by = Some(key);
        }
        (Planned::Relational(Relational::Aggregate(aggregate)), Some(input)) => {
            let group = key_names(&input.schema, &aggregate.group_by);
            operator.arranged = vec![format!("the touched groups by ({group})")];
            operator.persisted = vec![format!("({group}) -> counts and exact sums")];
            let keeps = |what: &dyn Fn(Kept) -> bool| aggregate.calls.iter().any(|call| what(call.function.kept()));
            if keeps(&|kept| kept == Kept::Distinct) {
                operator.persisted.push(format!("({group}), value -> how often, for DISTINCT"));
            }
            if keeps(&|kept| kept == Kept::First) {
                operator.persisted.push(format!("({group}), value -> how often, in order, for min and max"));
            }
            if keeps(&|kept| kept == Kept::All) {
                operator.persisted.push(format!("({group}), order, text -> how often, for group_concat"));
            }
            if keeps(&|kept| matches!(kept, Kept::Halves(_))) {
                operator
                    .persisted
                    .push(format!("({group}), value -> how often, below and above the place of a percentile"));
            }
            operator.exchanged_by = Some(group);
        }
        (Planned::Relational(Relational::Top(top)), Some(input)) => {
            let group = key_names(&input.schema, &top.by);
            operator.arranged = vec![format!("the touched groups by ({group})")];
            operator.persisted =
                vec![format!("({group}), order, key -> row, of which the first {} are put out", top.n)];
            operator.exchanged_by = Some(group);
        }
        (Planned::Relational(Relational::Join(join)), _) => {
            let [left, right] = [0, 1].map(|port| &plan.stages[first.inputs[port]]);
            let names = |stage: &PlannedStage, side: &JoinSide| key_names(&stage.schema, &side.on);
            operator.arranged = vec!["the chunk's changes of both sides, the right side's first".into()];
            operator.persisted = vec![side(left, &join.left, "left"), side(right, &join.right, "right")];
            operator.exchanged_by = Some(format!("{} = {}", names(left, &join.left), names(right, &join.right)));
        }
        (Planned::Relational(Relational::Resident(resident)), _) => {
            let [left, right] = [0, 1].map(|port| &plan.stages[first.inputs[port]]);
            let place = key_names(&left.schema, &resident.place);
            operator.arranged =
                vec![format!("the model of `{}`, whole, before and after the chunk; the chunk's changes", right.name)];
            let stored = |which: &str, input: &PlannedStage, is_shared: bool| match is_shared {
                true => format!("{which}: nothing of its own, shared with table `{}`", input.name),
                false => format!("{which}: its own copy of `{}`", input.name),
            };
            operator.persisted = vec![
                format!("{}, by ({place})", stored("left", left, resident.is_left_shared)),
                stored("right", right, resident.is_right_shared),
                "the keys of long left rows".into(),
            ];
            operator.exchanged_by = Some(format!("key of `{}`; `{}` goes to every worker", left.name, right.name));
        }
        (Planned::Relational(Relational::Lookup(lookup)), _) => {
            let key = key_names(&lookup.schema, &lookup.key);
            operator.arranged =
                vec![format!("how often the chunk's rows want each ({key}), and the answers that came")];
            operator.persisted = vec![
                format!("({key}) -> how many rows want it"),
                format!("({key}) -> its answer, kept until the last row that wants it goes"),
                format!("the ({key}) that wait for an answer, and when answers grow old"),
            ];
            operator.exchanged_by = Some(key);
        }
        (Planned::Sink(_), _) => {
            operator.persisted =
                vec!["in the database: its tables, the rejects and the ledger, in one transaction".into()];
        }
        _ => {}
    }
    operator
}

/// Where a join finds the rows of one side.
fn side(input: &PlannedStage, side: &JoinSide, which: &str) -> String {
    let (name, on) = (&input.name, key_names(&input.schema, &side.on));
    let unique = match side.own_key.is_empty() {
        true => "one row at the most for each",
        false => "any number of rows for each",
    };
    match side.is_shared {
        true => format!("{which}: nothing of its own, shared with table `{name}`, which has it by ({on}), {unique}"),
        false => format!("{which}: its own copy of `{name}` by ({on}), {unique}"),
    }
}

/// What a run of this plan does, as text.
pub fn explain(plan: &Plan) -> String {
    let Explanation { pipeline, workers, chunk_records, operators, database, server, statements, views } =
        explanation(plan);
    let mut text = format!(
        "pipeline {pipeline}: {workers} worker{}, {} records per dataflow\n",
        if workers == 1 { "" } else { "s" },
        grouped(chunk_records)
    );
    for (number, operator) in operators.iter().enumerate() {
        let stages: Vec<String> =
            operator.stages.iter().zip(&operator.types).map(|(stage, kind)| format!("{stage} ({kind})")).collect();
        text += &format!("\n{}. {}: {}\n", number + 1, operator.kind, stages.join(" -> "));
        let mut line = |word: &str, what: &str| text += &format!("   {word:<10} {what}\n");
        if !operator.reads.is_empty() {
            line("reads", &operator.reads.join(", "));
        }
        if operator.stages.len() > 1 {
            line("fused", &format!("{} transforms run as one operator", operator.stages.len()));
        }
        if let Some(columns) = &operator.exchanged_by {
            line("exchanged", &format!("by hash of ({columns})"));
        }
        operator.arranged.iter().for_each(|what| line("arranged", what));
        operator.persisted.iter().for_each(|what| line("persisted", what));
    }
    let indented = |statement: &str| statement.lines().map(|line| format!("  {line}\n")).collect::<String>();
    text += &format!("\nSQL on {database}, {server}:\n");
    statements.iter().for_each(|statement| text += &indented(statement));
    for ExplainedView { table, sql, not_sql } in views {
        text += &match (sql, not_sql) {
            (Some(sql), _) => format!("\n`verify` has {table} computed there:\n{}", indented(&sql)),
            (None, why) => format!("\n`verify` replays {table}: {}\n", why.unwrap_or_default()),
        };
    }
    text
}

#[cfg(test)]
mod tests;
