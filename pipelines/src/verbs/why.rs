//! `why`: where a row comes from.

use vardelta_engine::{
    observer::Unobserved,
    run::{
        Context,
        why::{WhyRequest, why},
    },
};

use crate::{arguments::PipelineArguments, explained, failure::Failure, interrupt, output::Output, pipeline_file};

/// Arguments of `why`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// The table, one of the sink's.
    #[arg(value_name = "TABLE")]
    table: String,

    /// The row's key: COLUMN=VALUE for each column of it, NULL for none.
    #[arg(value_name = "COLUMN=VALUE", required = true, value_parser = pair)]
    key: Vec<(String, String)>,

    /// Rows of each table and drop that are named; the others are counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    rows: usize,
}

/// What is before and after the first equals sign.
fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(column, _)| !column.is_empty());
    pair.map(|(column, value)| (column.to_owned(), value.to_owned()))
        .ok_or_else(|| "write COLUMN=VALUE, for example gene_symbol=TP53".to_owned())
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let abort = interrupt::watch();
        let request = WhyRequest { table: self.table.clone(), key: self.key.clone(), rows: self.rows };
        let found = why(Context { plan: &plan, abort: &abort, observer: &Unobserved }, &request)?;
        match output.is_json() {
            true => output.json(&explained::json(&found))?,
            false => output.text(&explained::text(&found))?,
        }
        Ok(0)
    }
}
