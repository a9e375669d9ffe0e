//! One file per verb: its arguments, and what it does.

mod alert;
mod cache;
mod changes;
mod completions;
mod drops;
mod execution;
mod explain;
mod generate;
mod graph;
mod health;
mod history;
mod man;
mod migrate;
mod new;
mod rebuild;
mod run;
mod schema;
mod stages;
mod test;
mod validate;
mod verify;
mod why;
mod withdraw;

use clap::Subcommand;
use serde_json::Value;
use vardelta_schemas::ledger::RecordCounts;

use crate::{failure::Failure, output::Output, report::Table};

/// The verbs, in the order in which help lists them.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented pipeline to start from.
    New(new::Arguments),
    /// Find every problem of a pipeline file; opens no data.
    Validate(validate::Arguments),
    /// Show the stages and the columns on each edge.
    Graph(graph::Arguments),
    /// Show the plan: what is fused, exchanged, arranged, persisted, and the SQL it will run.
    Explain(explain::Arguments),
    /// Load what is new or changed.
    Run(run::Arguments),
    /// Remove what drops asserted, from the state alone.
    Withdraw(withdraw::Arguments),
    /// List what is loaded.
    Drops(drops::Arguments),
    /// List what every epoch did.
    History(history::Arguments),
    /// Show what an epoch did to the rows of tables with a history.
    Changes(changes::Arguments),
    /// Explain a row: the drops that assert it, or the rows that it is made of, and what moved it when.
    Why(why::Arguments),
    /// See to the caches of look-ups.
    Cache(cache::Arguments),
    /// Recompute every view inside the sink and compare; exit code 7 on a mismatch.
    Verify(verify::Arguments),
    /// Change the tables to a changed definition, column by column, and write only rows that differ.
    Migrate(migrate::Arguments),
    /// Recompute state and tables after the pipeline's definition changed.
    Rebuild(rebuild::Arguments),
    /// Check database, disk, memory and freshness; exit code 6 where one of them fails.
    Health(health::Arguments),
    /// Try whether alerts reach those who want them, or look how they stand.
    Alert(alert::Arguments),
    /// Run the tests of pipeline files: sequences of loads with what they must lead to; exit code 7 where one fails.
    Test(test::Arguments),
    /// Make up a drop of any size that looks like the field's; see docs/generate.md.
    Generate(generate::Arguments),
    /// List the stage types, or explain one: its options and an example.
    Stages(stages::Arguments),
    /// Print the JSON Schema of a pipeline file, for editors.
    Schema(schema::Arguments),
    /// Print what a shell needs to complete these commands.
    Completions(completions::Arguments),
    /// Print the manual page, or write those of all verbs.
    Man(man::Arguments),
}

impl Verb {
    /// Does it, and gives the exit code.
    ///
    /// # Errors
    /// Whatever kept it from being done.
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match self {
            Verb::New(arguments) => arguments.execute(output),
            Verb::Validate(arguments) => arguments.execute(output),
            Verb::Graph(arguments) => arguments.execute(output),
            Verb::Explain(arguments) => arguments.execute(output),
            Verb::Run(arguments) => arguments.execute(output),
            Verb::Withdraw(arguments) => arguments.execute(output),
            Verb::Drops(arguments) => arguments.execute(output),
            Verb::History(arguments) => arguments.execute(output),
            Verb::Changes(arguments) => arguments.execute(output),
            Verb::Why(arguments) => arguments.execute(output),
            Verb::Cache(arguments) => arguments.execute(output),
            Verb::Verify(arguments) => arguments.execute(output),
            Verb::Migrate(arguments) => arguments.execute(output),
            Verb::Rebuild(arguments) => arguments.execute(output),
            Verb::Health(arguments) => arguments.execute(output),
            Verb::Alert(arguments) => arguments.execute(output),
            Verb::Test(arguments) => arguments.execute(output),
            Verb::Generate(arguments) => arguments.execute(output),
            Verb::Stages(arguments) => arguments.execute(output),
            Verb::Schema(arguments) => arguments.execute(output),
            Verb::Completions(arguments) => arguments.execute(output),
            Verb::Man(arguments) => arguments.execute(output),
        }
    }
}

/// Adds the accounting of a drop's records to a table's row.
fn accounting(table: &mut Table, counts: &RecordCounts) {
    table.number(counts.read).number(counts.loaded).number(counts.filtered);
    table.number(counts.rejected).number(counts.duplicates);
}

/// A row of the ledger with its accounting beside its other values, as the report of `run` has it.
fn flat(mut row: Value) -> Value {
    if let Some(object) = row.as_object_mut()
        && let Some(Value::Object(counts)) = object.remove("counts")
    {
        object.extend(counts);
    }
    row
}
