//! What a stage computes, as JSON text that is the same for the same computation; and what changed between two plans.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::{
    contract::{
        migration::Rename,
        stage::{Kind, Planned, StageType},
    },
    error::RunError,
    plan::{
        Plan, PlannedStage,
        content::{Definitions, FILES, standing, without_times},
        outline::Outline,
    },
    relational::JoinSpec,
    spec::{Node, Value},
};

/// The definition of one stage: type, version, inputs, the pipeline's settings it computes with, and the options as they
/// are written, without the inert ones, without those that name side inputs ([`Definitions`] adds their content) and
/// without those that say what is the default anyway. Of a sink only the tables count: where the rows go does not change
/// what they are, and its options may hold secrets.
pub(super) fn definition(
    outline: &Outline<'_>,
    stage_type: &dyn StageType,
    planned: &Planned,
    key: &Option<Vec<&str>>,
) -> String {
    let inputs: Vec<&str> = outline.references.iter().map(|reference| reference.name).collect();
    if stage_type.kind() == Kind::Sink {
        return json!({ "tables": inputs }).to_string();
    }
    let side_inputs = planned.side_inputs();
    let options: Map<String, Json> = outline
        .option_entries()
        .filter(|entry| !side_inputs.iter().any(|side| side.option == entry.key))
        .filter(|entry| !stage_type.inert_options().contains(&entry.key.as_str()))
        .filter(|entry| !is_default(stage_type, &entry.key, &entry.node))
        .map(|entry| (entry.key.clone(), option(&entry.node)))
        .collect();
    let mut definition = json!({ "type": stage_type.name(), "version": stage_type.version(), "options": options });
    if stage_type.kind() != Kind::Source {
        definition["inputs"] = json!(inputs);
    }
    for (name, value) in planned.settings() {
        definition[name] = json!(value);
    }
    let is_relational = matches!(planned, Planned::Relational(_));
    // That of a look-up names a column of its input, not the columns of its own key.
    let is_list = |node: &Node| matches!(node.value, Value::Array(_));
    let is_spelled =
        outline.option_entries().any(|entry| ["key", "group_by"].contains(&entry.key.as_str()) && is_list(&entry.node));
    // A key that follows from the inputs' is written down, so that its change is seen.
    if let Some(key) = key.as_ref().filter(|key| is_relational && !is_spelled && !key.is_empty()) {
        definition["key"] = json!(key);
    }
    definition.to_string()
}

/// The definition of a join of a chain that is a stage of its own: what is written down of the whole chain is in its last one.
pub(super) fn join_definition(
    spec: &JoinSpec,
    left: &PlannedStage,
    right: &PlannedStage,
    key: &Option<Vec<&str>>,
) -> String {
    let names = |stage: &PlannedStage, columns: &[usize]| -> Vec<String> {
        columns.iter().map(|column| stage.schema.columns()[*column].name.clone()).collect()
    };
    let columns: Vec<&str> = spec.schema.columns().iter().map(|column| column.name.as_str()).collect();
    json!({
        "type": "join",
        "inputs": [left.name, right.name],
        "options": { "how": spec.how.as_str(), "on": [names(left, &spec.left.on), names(right, &spec.right.on)], "columns": columns },
        "key": key,
    })
    .to_string()
}

/// An option's value. A table keeps the order in which it is written (that of `columns` is the order of the columns), so
/// it becomes a list of pairs.
fn option(node: &Node) -> Json {
    match &node.value {
        Value::Table(entries) => entries.iter().map(|entry| json!([entry.key, value(&entry.node)])).collect(),
        _ => value(node),
    }
}

/// A value inside an option, where the order of a table's keys is of no account.
fn value(node: &Node) -> Json {
    match &node.value {
        Value::Bool(value) => json!(value),
        Value::Integer(value) => json!(value),
        // JSON has no infinities.
        Value::Float(value) if !value.is_finite() => json!(value.to_string()),
        Value::Float(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Table(entries) => entries.iter().map(|entry| (entry.key.clone(), value(&entry.node))).collect(),
    }
}

/// Whether an option says in so many words what its default says.
fn is_default(stage_type: &dyn StageType, name: &str, node: &Node) -> bool {
    let documented = stage_type.options().iter().find(|doc| doc.name == name).and_then(|doc| doc.default);
    documented
        .is_some_and(|default| crate::plan::json_schema::toml_to_json(default).is_some_and(|json| json == value(node)))
}

/// What changed since definitions were written down ([`Definitions::to_json`]): one line per stage that was added, removed,
/// or changed, naming what of it changed. Empty where nothing did, and where nothing was written down yet (empty text).
///
/// # Errors
/// As [`standing`].
pub(crate) fn definition_changes(old_json: &str, new: &Definitions) -> Result<Vec<String>, RunError> {
    let Some(old) = standing(old_json)? else { return Ok(Vec::new()) };
    let (old, after) = (without_times(old), without_times(new.stages.clone()));
    let mut changes = Vec::new();
    for (name, after) in &after {
        match old.get(name) {
            None => changes.push(format!("stage `{name}` was added")),
            Some(before) if before != after => {
                let mut differences = differences(before, after);
                differences.extend(other_files(before, after, |option| new.path(name, option)));
                changes.push(format!("stage `{name}` changed: {}", differences.join(", ")));
            }
            Some(_) => {}
        }
    }
    changes
        .extend(old.keys().filter(|name| !after.contains_key(*name)).map(|name| format!("stage `{name}` was removed")));
    changes.sort();
    Ok(changes)
}

/// The stages that were added, removed or changed since definitions were written down.
///
/// # Errors
/// As [`standing`].
pub(crate) fn changed_stages(old_json: &str, new: &Definitions) -> Result<BTreeSet<String>, RunError> {
    let old = without_times(standing(old_json)?.unwrap_or_default());
    let new = without_times(new.stages.clone());
    Ok(old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).cloned().collect())
}

/// Why the rows of a sink's table cannot keep their places: the stage that decides about its key has other keys than were
/// written down. A key's column may change its name where `renames` says so. `None` where all keys are what they were.
///
/// # Errors
/// As [`standing`].
pub(crate) fn key_changes(
    plan: &Plan,
    old_json: &str,
    new: &Definitions,
    renames: &[Rename],
) -> Result<Option<String>, RunError> {
    let old = standing(old_json)?.unwrap_or_default();
    let renamed = |column: &Json| -> Json {
        let found = renames.iter().find(|rename| column.as_str() == Some(rename.from.as_str()));
        found.map_or_else(|| column.clone(), |rename| json!(rename.to))
    };
    let mut reached = plan.stages[plan.sink].inputs.clone();
    while let Some(at) = reached.pop() {
        let stage = &plan.stages[at];
        let Some((before, after)) = old.get(&stage.name).zip(new.stages.get(&stage.name)) else { continue };
        let written = ["key", "group_by"].map(|option| (option, &before["options"][option], &after["options"][option]));
        // What the planner derived is beside the options.
        for (option, before, after) in written.into_iter().chain([("key", &before["key"], &after["key"])]) {
            let expected = before.as_array().map(|columns| columns.iter().map(renamed).collect::<Vec<Json>>());
            if before != after && expected.as_deref() != after.as_array().map(Vec::as_slice) {
                let why = format!("stage `{}` has another `{option}` than the tables were filled with", stage.name);
                return Ok(Some(why));
            }
        }
        if before["type"] != after["type"] {
            return Ok(Some(format!("stage `{}` is of another type than the tables were filled with", stage.name)));
        }
        // What lies before these does not decide about keys, or is in the key that was derived.
        let decides =
            matches!(&stage.planned, Planned::Relational(relational) if !relational.relation().is_stateless());
        if !decides {
            reached.extend(&stage.inputs);
        }
    }
    Ok(None)
}

/// What differs between two definitions of a stage, in words, without the values.
fn differences(before: &Json, after: &Json) -> Vec<String> {
    let options = |json: &Json| json.get("options").and_then(Json::as_object).cloned().unwrap_or_default();
    let fields = |json: &Json| -> BTreeSet<String> {
        json.as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|key| *key != "options" && *key != FILES)
            .cloned()
            .collect()
    };
    let mut differences = Vec::new();
    for field in fields(before).union(&fields(after)) {
        if before.get(field) != after.get(field) {
            differences.push(match field.as_str() {
                "version" => "what its type computes (another version of vardelta)".to_owned(),
                field => format!("its {field}"),
            });
        }
    }
    let (before, after) = (options(before), options(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        match (before.get(name), after.get(name)) {
            (before, after) if before == after => {}
            (None, _) => differences.push(format!("option `{name}` (added)")),
            (_, None) => differences.push(format!("option `{name}` (removed)")),
            _ => differences.push(format!("option `{name}`")),
        }
    }
    differences
}

/// The side inputs that came, went or have other content, in words.
fn other_files(before: &Json, after: &Json, path: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let files = |json: &Json| json.get(FILES).and_then(Json::as_object).cloned().unwrap_or_default();
    let (before, after) = (files(before), files(after));
    let options: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changed = Vec::new();
    for option in options {
        match (before.get(option), after.get(option)) {
            (before, after) if before == after => {}
            (None, _) => changed.push(format!("option `{option}` (added)")),
            (_, None) => changed.push(format!("option `{option}` (removed)")),
            _ => changed.push(format!("the content of `{option}` ({})", path(option).unwrap_or_default())),
        }
    }
    changed
}
