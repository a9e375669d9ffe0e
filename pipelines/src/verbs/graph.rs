//! `graph`: the stages and the columns on each edge.

use clap::ValueEnum;
use vardelta_engine::plan::graph::{self, Format};

use crate::{arguments::PipelineArguments, failure::Failure, graph_json, output::Output, pipeline_file};

/// Arguments of `graph`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// How to draw it; `--json` gives the stages as data instead.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Drawing,
}

/// How the graph is drawn.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Drawing {
    /// For a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown renderers.
    Mermaid,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        if output.is_json() {
            output.json(&graph_json::of(&plan))?;
            return Ok(0);
        }
        let format = match self.format {
            Drawing::Text => Format::Text,
            Drawing::Dot => Format::Dot,
            Drawing::Mermaid => Format::Mermaid,
        };
        output.text(&graph::render(&plan, format))?;
        Ok(0)
    }
}
