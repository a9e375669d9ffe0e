//! The plan: what a pipeline file means, resolved, typed, inert, printable. Making it opens no data.

use std::sync::Arc;

use vardelta_schemas::{Schema, TableSchema};

use crate::{
    diagnostics::Diagnostics,
    sink::SinkStage,
    spec::SpecFile,
    stage::{Kind, PipelineSettings, Planned, StageType},
};

/// A whole pipeline, ready to run.
#[derive(Clone)]
pub struct Plan {
    /// The `[pipeline]` table.
    pub pipeline: PipelineSettings,
    /// The stages: every stage after its inputs, otherwise in the order of the file.
    pub stages: Vec<PlannedStage>,
    /// The one sink, an index into `stages`.
    pub sink: usize,
}

/// One stage of a plan.
#[derive(Clone)]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// Its type's name.
    pub type_name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its inputs: indexes into the plan's stages, all smaller than its own.
    pub inputs: Vec<usize>,
    /// The columns it yields; empty for a sink.
    pub schema: Schema,
    /// Its key, if it is keyed: indexes into the schema's columns. A table and an aggregate are; a filter, select or
    /// other transform over a keyed stage is while every key column passes through.
    pub key: Option<Vec<usize>>,
    /// Whether it comes before every table (its rows are records of a drop) or after (its rows are changes).
    pub before_tables: bool,
    /// What it computes, as text that is the same for the same computation: type, version, options that matter, inputs.
    pub definition: String,
    /// What to run.
    pub planned: Planned,
}

impl Plan {
    /// Resolves a pipeline file against the registry, reporting every problem. `None` when there was one.
    pub fn resolve(spec: &SpecFile, registry: &[&dyn StageType], diagnostics: &mut Diagnostics) -> Option<Plan> {
        let _ = (spec, registry, diagnostics);
        None
    }

    /// The sink.
    pub fn sink(&self) -> &Arc<dyn SinkStage> {
        match &self.stages[self.sink].planned {
            Planned::Sink(sink) => sink,
            _ => unreachable!("the planner puts a sink there"),
        }
    }

    /// The tables the sink keeps, in the order in which the sink lists them.
    pub fn tables(&self) -> Vec<TableSchema> {
        let keep = |stage: &PlannedStage| TableSchema {
            name: stage.name.clone(),
            schema: stage.schema.clone(),
            key: stage.key.clone().unwrap_or_default(),
        };
        self.stages[self.sink].inputs.iter().map(|input| keep(&self.stages[*input])).collect()
    }

    /// A stage by name.
    pub fn stage(&self, name: &str) -> Option<(usize, &PlannedStage)> {
        self.stages.iter().enumerate().find(|(_, stage)| stage.name == name)
    }
}
