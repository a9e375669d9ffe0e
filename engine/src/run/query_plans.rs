//! What the database says of typical queries of the pipeline's tables: how it would find the rows. Nothing is run.

use serde::Serialize;
use vardelta_schemas::{
    TableSchema,
    ledger::Epoch,
    sql::{Dialect, typical},
};

use crate::{
    contract::sink::{Access, AccessPath, QueryPlan},
    error::{RunError, RunErrorKind},
    plan::{Plan, StageIndex},
};

/// A typical query, and how the database would run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedQuery {
    /// The table that it reads.
    pub table: String,
    /// What it asks for, in words.
    pub purpose: String,
    /// The query.
    pub sql: String,
    /// How rows are found.
    pub access: AccessPath,
    /// The index that is used.
    pub index: Option<String>,
    /// Rows that the database expects to look at, where it says.
    pub rows: Option<u64>,
}

/// Asks the database how it would run the typical queries of every table, view and index.
///
/// # Errors
/// When the database cannot be asked, or nothing has been loaded yet.
pub fn query_plans(plan: &Plan) -> Result<Vec<PlannedQuery>, RunError> {
    let dialect = plan.sink().server().dialect;
    let mut sink = plan.sink().connect(Access::Read)?;
    let epoch = sink.ledger(&plan.pipeline.name)?.epoch;
    if epoch == Epoch::NONE {
        let message = format!("nothing has been loaded into {} yet", plan.sink().location());
        return Err(RunError::new(RunErrorKind::Sink, message)
            .with_hint("Run the pipeline once: a database plans queries of tables that it has."));
    }
    let mut planned = Vec::new();
    for Typical { table, purpose, sql } in typical_queries(plan, dialect, epoch) {
        let QueryPlan { access, index, rows } = sink.query_plan(&sql)?;
        planned.push(PlannedQuery { table, purpose, sql, access, index, rows });
    }
    Ok(planned)
}

struct Typical {
    table: String,
    purpose: String,
    sql: String,
}

fn typical_queries(plan: &Plan, dialect: Dialect, epoch: Epoch) -> Vec<Typical> {
    let (tables, stages) = (plan.tables(), &plan.stages[plan.sink].inputs);
    let indexes = plan.sink().indexes();
    let mut queries = Vec::new();
    for (table, stage) in tables.iter().zip(stages) {
        let names = |places: &[usize]| {
            let names: Vec<&str> = places.iter().map(|place| table.schema.columns()[*place].name.as_str()).collect();
            names.join(", ")
        };
        let mut add = |purpose: String, sql: String| queries.push(Typical { table: table.name.clone(), purpose, sql });
        let equal = |places: &[usize]| typical::select_equal(dialect, table, &[], places);
        if !table.key.is_empty() {
            add(format!("a row by its key ({})", names(&table.key)), equal(&table.key));
        }
        if table.key.len() > 1 {
            add(format!("rows by {}", names(&table.key[..1])), equal(&table.key[..1]));
        }
        for (view, view_stage) in tables.iter().zip(stages) {
            let is_base = plan.stages[*stage].is_table() && !plan.stages[*view_stage].is_table();
            if is_base
                && derives_from(plan, *view_stage, *stage)
                && let Some(columns) = columns_of(table, view)
                && !table.key.starts_with(&columns)
            {
                add(format!("rows behind one of `{}`, by {}", view.name, names(&columns)), equal(&columns));
            }
        }
        for index in indexes.iter().filter(|index| index.table == table.name) {
            let sql = typical::select_equal(dialect, table, &index.columns, &index.columns[..1]);
            add(format!("what the index {} has, by {}", index.name, names(&index.columns[..1])), sql);
        }
        let since = Epoch::new(epoch.number().saturating_sub(1));
        add("rows that the last epoch changed".into(), typical::select_changed_since(dialect, table, since));
    }
    queries
}

/// Whether a stage reads another one, by whatever way.
fn derives_from(plan: &Plan, stage: StageIndex, from: StageIndex) -> bool {
    plan.stages[stage].inputs.iter().any(|input| *input == from || derives_from(plan, *input, from))
}

/// The key columns of a view as columns of a table that has all of them.
fn columns_of(table: &TableSchema, view: &TableSchema) -> Option<Vec<usize>> {
    let places = view.key.iter().map(|place| table.schema.index_of(&view.schema.columns()[*place].name));
    places.collect::<Option<Vec<usize>>>().filter(|places| !places.is_empty())
}
