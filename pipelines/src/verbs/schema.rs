//! `schema`: the JSON Schema of a pipeline file.

use vardelta_engine::plan::json_schema::pipeline_json_schema;
use vardelta_stages::REGISTRY;

use crate::{failure::Failure, output::Output};

/// Arguments of `schema`.
#[derive(clap::Args, Debug)]
pub struct Arguments {}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        output.text(&format!("{}\n", pipeline_json_schema(REGISTRY)))?;
        Ok(0)
    }
}
