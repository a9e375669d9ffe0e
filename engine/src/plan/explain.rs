//! The plan in words: what is fused, exchanged, arranged and persisted, and the SQL it will run.

use serde::Serialize;

use crate::{
    contract::{
        sink::Server,
        stage::{Kind, Planned},
    },
    display::grouped,
    plan::{PerStage, Plan, PlannedStage, StageIndex},
    relational::relation::{Input, Workings},
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
    let inputs = plan.stages[plan.sink].inputs.iter().filter(|input| !plan.stages[**input].is_table());
    let view = |input: &StageIndex| {
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
pub fn chains(plan: &Plan) -> Vec<Vec<StageIndex>> {
    let mut readers = PerStage::same(plan.stages.len(), 0);
    plan.stages.iter().flat_map(|stage| &stage.inputs).for_each(|input| readers[*input] += 1);
    let mut chains: Vec<Vec<StageIndex>> = Vec::new();
    let mut chain_of: PerStage<usize> = PerStage::default();
    for (at, stage) in plan.stages.indexed() {
        let before = stage.inputs.first().copied().filter(|input| {
            let fusible = |stage: &PlannedStage| stage.kind == Kind::Transform;
            fusible(stage) && fusible(&plan.stages[*input]) && readers[*input] == 1
        });
        match before {
            Some(before) => {
                let chain = chain_of[before];
                chain_of.push(chain);
            }
            None => {
                chain_of.push(chains.len());
                chains.push(Vec::new());
            }
        }
        chains[chain_of[at]].push(at);
    }
    chains
}

fn operator(plan: &Plan, chain: &[StageIndex]) -> Operator {
    let (first, last) = (&plan.stages[chain[0]], &plan.stages[chain[chain.len() - 1]]);
    let workings = match &last.planned {
        Planned::Relational(relational) => {
            let input = |at: &StageIndex| Input { name: &plan.stages[*at].name, schema: &plan.stages[*at].schema };
            relational.relation().workings(&first.inputs.iter().map(input).collect::<Vec<_>>())
        }
        Planned::Sink(_) => Workings {
            persisted: vec!["in the database: its tables, the rejects and the ledger, in one transaction".into()],
            ..Workings::default()
        },
        Planned::Source(_) | Planned::Transform(_) => Workings::default(),
    };
    let Workings { exchanged_by, arranged, persisted } = workings;
    Operator {
        stages: chain.iter().map(|at| plan.stages[*at].name.clone()).collect(),
        types: chain.iter().map(|at| plan.stages[*at].type_name.to_owned()).collect(),
        kind: first.kind.as_str().into(),
        reads: first.inputs.iter().map(|input| plan.stages[*input].name.clone()).collect(),
        exchanged_by,
        arranged,
        persisted,
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
