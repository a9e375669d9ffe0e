//! `explain`: the plan in words, and what the database says of queries.

use serde_json::json;
use vardelta_engine::{
    plan::explain,
    run::{self, PlannedQuery},
};

use crate::{
    arguments::PipelineArguments,
    failure::Failure,
    output::Output,
    pipeline_file,
    report::{Table, grouped},
};

/// Arguments of `explain`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Also ask the database how it would run typical queries of every table, view and index: covered by an index, a
    /// look-up, a range or a scan. Nothing is run.
    #[arg(long)]
    server: bool,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let queries = if self.server { Some(run::query_plans(&plan)?) } else { None };
        if output.is_json() {
            let mut explanation = json!(explain::explanation(&plan));
            if let Some(queries) = queries {
                explanation["queries"] = json!(queries);
            }
            output.json(&explanation)?;
        } else {
            output.text(&explain::explain(&plan))?;
            if let Some(queries) = queries {
                output.text(&text(&queries))?;
            }
        }
        Ok(0)
    }
}

/// The queries with how their rows are found, for people.
fn text(queries: &[PlannedQuery]) -> String {
    let mut table = Table::titled(["table", "query", "rows are found by", "index", "rows looked at"]);
    for query in queries {
        table.row().text(&query.table).text(&query.purpose).text(query.access.as_str());
        table.text(query.index.as_deref().unwrap_or("-"));
        table.text(query.rows.map_or_else(|| "-".into(), grouped));
    }
    format!("\nQueries, as the database plans them\n{}", table.render())
}
