//! The plan: what a pipeline file means, resolved, typed, inert, printable. Making it opens no data.

pub mod columns;
pub(crate) mod content;
mod cycles;
mod definition;
pub(crate) mod dimensions;
pub mod explain;
#[cfg(test)]
pub(crate) mod fakes;
pub mod graph;
pub mod json_schema;
mod links;
pub(crate) mod liveness;
pub(crate) mod member;
mod operate;
mod outline;
mod pipeline;
pub(crate) mod place;
pub(crate) mod sink_tables;
pub(crate) mod stamp;
pub(crate) mod table_index;
mod typing;
pub(crate) mod view;

use std::sync::Arc;

use vardelta_schemas::{Schema, TableSchema, history::history_table};

use crate::{
    contract::{
        lookup::Lookup,
        sink::SinkStage,
        source::Source,
        stage::{Kind, PipelineSettings, Planned, StageType},
    },
    diagnostics::Diagnostics,
    error::RunError,
    expression::{depth::with_room, functions::Functions},
    relational::{AggregateSpec, LookupSpec, Relation, TableSpec},
    rows::RowLayout,
    spec::{Entry, SpecFile, Value},
    suggest::nearest,
};

pub(crate) use definition::{changed_stages, definition_changes, key_changes};
pub use operate::{
    AlertOptions, EmailOptions, GatewayUrl, HealthOptions, LineageTarget, LogForm, MailAddress, OperateOptions,
    ReclassificationOptions, Severity, SlackOptions, SmtpSecurity, SmtpUrl, WebhookUrl,
};
pub use pipeline::{ChunkRecords, PipelineName, PipelineOptions, Share, Workers};
pub use table_index::TableIndex;

pub use crate::stage_index::{PerStage, StageIndex};

/// The stages of a plan: every stage after its inputs, otherwise in the order of the file.
pub type Stages = PerStage<PlannedStage>;

/// A whole pipeline, ready to run.
#[derive(Clone)]
pub struct Plan {
    /// The `[pipeline]` table.
    pub pipeline: PipelineSettings,
    /// The `[operate]` table.
    pub operate: OperateOptions,
    /// The stages: every stage after its inputs, otherwise in the order of the file.
    pub stages: Stages,
    /// The one sink.
    pub sink: StageIndex,
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
    /// Its inputs, which all come before it.
    pub inputs: Vec<StageIndex>,
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
    /// Has every look-up answered by somebody else, who is told the stage's name and what it would ask: a test asks no service.
    pub fn answer_lookups(&mut self, by: &dyn Fn(&str, &LookupSpec) -> Arc<dyn Lookup>) {
        for PlannedStage { name, planned, .. } in self.stages.iter_mut() {
            if let Planned::Relational(relational) = planned {
                relational.answer_by(&|spec| by(name, spec));
            }
        }
    }
}

impl PlannedStage {
    /// By which columns its rows are encoded: what tells one row from another. `None` where all columns do.
    pub(crate) fn identity(&self) -> Option<&[usize]> {
        match &self.planned {
            Planned::Relational(relational) => relational.relation().identity(),
            _ => self.key.as_deref(),
        }
    }

    /// How its rows are encoded.
    ///
    /// # Errors
    /// When a column has a type that is never encoded, which planning does not let through.
    pub(crate) fn layout(&self) -> Result<RowLayout, RunError> {
        RowLayout::new(&self.schema, self.identity()).map_err(RunError::internal)
    }

    /// The relational operator that it is.
    pub(crate) fn relation(&self) -> Option<&dyn Relation> {
        match &self.planned {
            Planned::Relational(relational) => Some(relational.relation()),
            _ => None,
        }
    }

    /// Whether it is a table: records come in, rows that drops assert come out.
    pub fn is_table(&self) -> bool {
        self.as_table().is_some()
    }

    /// The table that it is.
    pub(crate) fn as_table(&self) -> Option<&TableSpec> {
        self.relation().and_then(|relation| relation.as_table())
    }

    /// The aggregate that it is.
    pub fn as_aggregate(&self) -> Option<&AggregateSpec> {
        self.relation().and_then(|relation| relation.as_aggregate())
    }

    /// The look-up that it is.
    pub fn as_lookup(&self) -> Option<&LookupSpec> {
        self.relation().and_then(|relation| relation.as_lookup())
    }
}

impl Plan {
    /// Resolves a pipeline file against the registry, reporting every problem. `None` when there was one, be it found
    /// here or before.
    pub fn resolve(spec: &SpecFile, registry: &[&dyn StageType], diagnostics: &mut Diagnostics) -> Option<Plan> {
        let mut problems = Diagnostics::default();
        let plan = with_room(|| resolve(spec, registry, &mut problems));
        diagnostics.take_over_advice(problems.take_advice().into_iter().map(|mut advice| {
            spec.redact(&mut advice);
            advice
        }));
        // What is wrong with a value that could not be read has been said.
        let mut found: Vec<_> =
            problems.into_sorted().into_iter().filter(|problem| !spec.is_unreadable(&problem.span)).collect();
        found.iter_mut().for_each(|problem| spec.redact(problem));
        diagnostics.extend(found);
        plan.filter(|_| diagnostics.is_empty())
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

    /// The histories that the sink keeps of its tables: for each table its history, if there is one.
    pub fn histories(&self) -> Vec<Option<TableSchema>> {
        let wanted = self.sink().history();
        let of = |table: &TableSchema| wanted.contains(&table.name).then(|| history_table(table));
        self.tables().iter().map(of).collect()
    }

    /// All that the sink keeps: the tables, and after them their histories.
    pub fn kept_tables(&self) -> Vec<TableSchema> {
        self.tables().into_iter().chain(self.histories().into_iter().flatten()).collect()
    }

    /// A stage by name.
    pub fn stage(&self, name: &str) -> Option<(StageIndex, &PlannedStage)> {
        self.stages.indexed().find(|(_, stage)| stage.name == name)
    }
}

fn resolve(spec: &SpecFile, registry: &[&dyn StageType], problems: &mut Diagnostics) -> Option<Plan> {
    check_top_level(spec, problems);
    let table = |name: &str| spec.root.iter().find(|entry| entry.key == name);
    let pipeline = pipeline::read(spec, table("pipeline"), table("stages"), problems);
    let operate = operate::read(table("operate"), problems);
    let (stages_key, stages) = stage_entries(spec, table("stages"), problems)?;

    let mut outlines = outline::read(spec, stages, registry, problems);
    let order = links::resolve(spec, stages_key, &mut outlines, problems);
    // Settings that could not be read do not keep the stages from being checked.
    let settings = pipeline.clone().unwrap_or_default();
    let functions = Functions::with(registry.iter().map(|stage| stage.functions()));
    let stages = typing::plan(&outlines, &order, &settings, &functions, problems);
    let sink = stages.places_where(|stage| stage.kind == Kind::Sink).next()?;
    let plan = Plan { pipeline: pipeline?, operate: operate?, stages, sink };
    operate::check(&plan, problems);
    Some(plan)
}

/// Reports tables that no pipeline file has.
fn check_top_level(spec: &SpecFile, problems: &mut Diagnostics) {
    const KNOWN: [&str; 4] = ["pipeline", "stages", "operate", "tests"];
    for entry in spec.root.iter().filter(|entry| !KNOWN.contains(&entry.key.as_str())) {
        if entry.key == "include" {
            problems
                .error(entry.key_span.clone(), "`include` cannot be overridden")
                .hint("Override the options of the included stages: `--set stages.NAME.OPTION=…`.");
            continue;
        }
        let problem = problems.error(entry.key_span.clone(), format!("a pipeline file has no `{}`", entry.key));
        problem.label("unknown key");
        match nearest(&entry.key, KNOWN.into_iter().chain(["include"])) {
            Some(near) => problem.hint(format!("Did you mean `{near}`?")),
            None => problem.hint(
                "It has a table `[pipeline]` and one table `[stages.NAME]` per stage, and may `include` fragments.",
            ),
        };
    }
}

/// The entry of the stages, and theirs.
fn stage_entries<'a>(
    spec: &SpecFile,
    entry: Option<&'a Entry>,
    problems: &mut Diagnostics,
) -> Option<(&'a Entry, &'a [Entry])> {
    const HINT: &str = "Write one table `[stages.NAME]` per stage, each with a `type`.";
    match entry {
        Some(entry) => match &entry.node.value {
            Value::Table(entries) if !entries.is_empty() => return Some((entry, entries)),
            Value::Table(_) => problems.error(entry.node.span.clone(), "the pipeline has no stages").hint(HINT),
            other => problems
                .error(entry.node.span.clone(), format!("`stages` is {}, not a table", other.type_name()))
                .hint(HINT),
        },
        None if spec.syntax_errors.is_empty() => {
            let end = spec.text.trim_end().len();
            problems.error(end..end, "the pipeline has no stages").hint(HINT)
        }
        None => return None,
    };
    None
}

/// The table stages that read, through transforms, from a source.
pub(crate) fn tables_of(plan: &Plan, source: StageIndex) -> Vec<StageIndex> {
    let mut reached = PerStage::same(plan.stages.len(), false);
    reached[source] = true;
    let mut tables = Vec::new();
    for (at, stage) in plan.stages.indexed() {
        if !stage.inputs.iter().any(|input| reached[*input]) {
            continue;
        }
        if stage.is_table() {
            tables.push(at);
        } else {
            reached[at] = true;
        }
    }
    tables
}

pub(crate) fn source(plan: &Plan, at: StageIndex) -> Result<&dyn Source, RunError> {
    match &plan.stages[at].planned {
        Planned::Source(source) => Ok(source.as_ref()),
        _ => Err(RunError::internal("a drop was delivered to a stage that is no source")),
    }
}

#[cfg(test)]
mod tests;
