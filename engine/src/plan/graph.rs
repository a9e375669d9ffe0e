//! The DAG as a picture: as text for a terminal, for Graphviz, and for Mermaid; the columns are written on the edges.

use vardelta_schemas::Schema;

use crate::{
    contract::stage::Kind,
    plan::{PerStage, Plan, PlannedStage},
    relational::relation::names,
};

/// How [`render`] writes the DAG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Readable in a terminal.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid, as Markdown renderers show it.
    Mermaid,
}

/// The DAG with the columns on each edge. A column that may be NULL ends in `?`.
pub fn render(plan: &Plan, format: Format) -> String {
    match format {
        Format::Text => text(plan),
        Format::Dot => dot(plan),
        Format::Mermaid => mermaid(plan),
    }
}

/// The stages that read each stage.
fn readers(plan: &Plan) -> PerStage<Vec<&PlannedStage>> {
    let mut readers = PerStage::same(plan.stages.len(), Vec::new());
    for stage in &plan.stages {
        stage.inputs.iter().for_each(|input| readers[*input].push(stage));
    }
    readers
}

fn text(plan: &Plan) -> String {
    const WIDTH: usize = 96;
    let mut text = plan.pipeline.name.clone();
    if let Some(assembly) = &plan.pipeline.assembly {
        text += &format!(" ({})", assembly.value);
    }
    text.push('\n');
    for (stage, readers) in plan.stages.iter().zip(readers(plan).iter()) {
        text += &format!("\n{}  [{} {}]", stage.name, stage.kind.as_str(), stage.type_name);
        if !stage.inputs.is_empty() {
            let inputs: Vec<&str> = stage.inputs.iter().map(|input| plan.stages[*input].name.as_str()).collect();
            text += &format!("  <- {}", inputs.join(", "));
        }
        text.push('\n');
        if stage.kind == Kind::Sink {
            continue;
        }
        for line in wrap(&columns(&stage.schema), WIDTH) {
            text += &format!("  │ {line}\n");
        }
        if let Some(key) = &stage.key {
            text += &format!("  │ key: {}\n", names(&stage.schema, key));
        }
        for (at, reader) in readers.iter().enumerate() {
            let branch = if at + 1 < readers.len() { "├" } else { "└" };
            text += &format!("  {branch}─> {}\n", reader.name);
        }
    }
    text
}

fn dot(plan: &Plan) -> String {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text =
        format!("digraph \"{}\" {{\n  rankdir = TB;\n  node [fontname = \"monospace\"];\n", quote(&plan.pipeline.name));
    for stage in &plan.stages {
        let shape = match stage.kind {
            Kind::Source => "invhouse",
            Kind::Transform => "box",
            Kind::Relational => "folder",
            Kind::Sink => "cylinder",
        };
        let (name, type_name) = (quote(&stage.name), quote(stage.type_name));
        text += &format!("  \"{name}\" [shape = {shape}, label = \"{name}\\n{type_name}\"];\n");
    }
    for (from, to) in edges(plan) {
        let label: String = labels(from).iter().map(|line| quote(line) + "\\l").collect();
        text += &format!("  \"{}\" -> \"{}\" [label = \"{label}\"];\n", quote(&from.name), quote(&to.name));
    }
    text + "}\n"
}

fn mermaid(plan: &Plan) -> String {
    let quote = |text: &str| text.replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;");
    let mut text = String::from("flowchart TB\n");
    // Names get a prefix because Mermaid has words of its own, such as `end`.
    for stage in &plan.stages {
        let label = format!("\"{}<br/>{}\"", quote(&stage.name), quote(stage.type_name));
        let shape = match stage.kind {
            Kind::Source => format!("[/{label}/]"),
            Kind::Transform => format!("[{label}]"),
            Kind::Relational => format!("[[{label}]]"),
            Kind::Sink => format!("[({label})]"),
        };
        text += &format!("  stage_{}{shape}\n", stage.name);
    }
    for (from, to) in edges(plan) {
        let label: Vec<String> = labels(from).iter().map(|line| quote(line)).collect();
        text += &format!("  stage_{} -->|\"{}\"| stage_{}\n", from.name, label.join("<br/>"), to.name);
    }
    text
}

fn edges(plan: &Plan) -> impl Iterator<Item = (&PlannedStage, &PlannedStage)> {
    plan.stages.iter().flat_map(move |to| to.inputs.iter().map(move |from| (&plan.stages[*from], to)))
}

/// What is on an edge, one line per column, then the key.
fn labels(stage: &PlannedStage) -> Vec<String> {
    let mut labels = columns(&stage.schema);
    labels.extend(stage.key.as_ref().map(|key| format!("key: {}", names(&stage.schema, key))));
    labels
}

fn columns(schema: &Schema) -> Vec<String> {
    let column = |column: &vardelta_schemas::Column| {
        format!("{} {}{}", column.name, column.column_type, if column.nullable { "?" } else { "" })
    };
    schema.columns().iter().map(column).collect()
}

/// The items, comma-separated, in lines of about `width` characters.
fn wrap(items: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let item = if at + 1 < items.len() { format!("{item},") } else { item.clone() };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + item.chars().count() <= width => {
                line.push(' ');
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
