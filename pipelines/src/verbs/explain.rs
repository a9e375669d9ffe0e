//! `explain`: the plan in words; on request with the figures of a dry run, and with what the database says of queries.

use std::path::PathBuf;

use serde_json::{Value, json};
use vardelta_engine::{
    plan::{Plan, explain},
    run::{self, PlannedQuery, RunOptions},
};

use crate::{
    analysis,
    arguments::PipelineArguments,
    failure::Failure,
    output::Output,
    pipeline_file,
    report::{Table, grouped},
    verbs::execution,
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

    /// Carry the plan out as a dry run, which writes nothing, and put the figures beside it.
    #[arg(long)]
    analyze: bool,

    /// With --analyze: files to load, relative to the working directory. Without any: what is new or changed where the
    /// sources' paths lead.
    #[arg(value_name = "FILE", requires = "analyze")]
    files: Vec<PathBuf>,

    /// The source stage the files go to; needed when there are several.
    #[arg(long, value_name = "STAGE", requires = "files")]
    into: Option<String>,

    /// With --analyze: worker threads, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", requires = "analyze", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let queries = if self.server { Some(run::query_plans(&plan)?) } else { None };
        let (mut object, mut text) = match self.analyze {
            true => self.analyzed(output, &plan)?,
            false => (json!(explain::explanation(&plan)), explain::explain(&plan)),
        };
        if let Some(queries) = queries {
            object["queries"] = json!(queries);
            text += &queries_text(&queries);
        }
        if output.is_json() {
            output.json(&object)?
        } else {
            output.text(&text)?
        }
        Ok(0)
    }

    /// The plan with the figures of a dry run, for programs and for people.
    fn analyzed(&self, output: &mut Output, plan: &Plan) -> Result<(Value, String), Failure> {
        let options = RunOptions {
            files: self.files.clone(),
            into: self.into.clone(),
            workers: self.workers.map(usize::from),
            dry_run: true,
            ..RunOptions::default()
        };
        let report = execution::unlisted(output, plan, |context| run::run(context, &options))?;
        Ok((analysis::json(plan, &report)?, analysis::text(plan, &report)))
    }
}

/// The queries with how their rows are found, for people.
fn queries_text(queries: &[PlannedQuery]) -> String {
    let mut table = Table::titled(["table", "query", "rows are found by", "index", "rows looked at"]);
    for query in queries {
        table.row().text(&query.table).text(&query.purpose).text(query.access.as_str());
        table.text(query.index.as_deref().unwrap_or("-"));
        table.text(query.rows.map_or_else(|| "-".into(), grouped));
    }
    format!("\nQueries, as the database plans them\n{}", table.render())
}
