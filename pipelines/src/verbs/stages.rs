//! `stages`: the catalogue, made from the registry.

use serde_json::{Value, json};
use vardelta_engine::{
    contract::{
        options::OptionDoc,
        reason::{Reason, Severity},
        stage::StageType,
    },
    error::{RunError, RunErrorKind},
    expression::{
        functions::{Function, Functions},
        manual::manual as expressions_manual,
    },
    suggest::nearest,
};
use vardelta_stages::REGISTRY;

use crate::{failure::Failure, output::Output, report::Table};

/// Arguments of `stages`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// A stage type to explain in full, or `expressions`, the SQL of filters and columns.
    #[arg(value_name = "TYPE")]
    stage_type: Option<String>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match self.stage_type.as_deref() {
            None if output.is_json() => {
                let stages: Vec<Value> = REGISTRY.iter().map(|stage| stage_json(*stage)).collect();
                output.json(&json!({ "stages": stages }))?;
            }
            None => output.text(&catalogue())?,
            Some("expressions") => {
                let functions = Functions::with(REGISTRY.iter().map(|stage| stage.functions()));
                match output.is_json() {
                    true => output.json(&json!({ "expressions": expressions_json(&functions) }))?,
                    false => output.text(&expressions_manual(&functions))?,
                }
            }
            Some(name) => {
                let stage = find(name)?;
                match output.is_json() {
                    true => output.json(&stage_json(stage))?,
                    false => output.text(&manual(stage))?,
                }
            }
        }
        Ok(0)
    }
}

fn find(name: &str) -> Result<&'static dyn StageType, RunError> {
    REGISTRY.iter().find(|stage| stage.name() == name).copied().ok_or_else(|| {
        let error = RunError::new(RunErrorKind::Usage, format!("there is no stage type `{name}`"));
        match nearest(name, REGISTRY.iter().map(|stage| stage.name())) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint("`vardelta stages` lists them."),
        }
    })
}

fn summary(stage: &dyn StageType) -> &'static str {
    stage.manual().lines().next().unwrap_or_default()
}

fn catalogue() -> String {
    let mut table = Table::titled(["type", "kind", "what it does"]);
    for stage in REGISTRY {
        table.row().text(stage.name()).text(stage.kind().as_str()).text(summary(*stage));
    }
    format!(
        "{}\n`vardelta stages TYPE` explains one, `vardelta stages expressions` the SQL of filters and columns.\n",
        table.render()
    )
}

fn manual(stage: &dyn StageType) -> String {
    let mut text = format!("{} ({})\n\n{}\n", stage.name(), stage.kind().as_str(), stage.manual().trim_end());
    text += "\nOptions:\n";
    if stage.options().is_empty() {
        text += "  none of its own\n";
    }
    for option in stage.options() {
        let default = option.default.map_or("required".to_owned(), |default| format!("default: {default}"));
        text += &format!("  {}: {} ({default})\n", option.name, option.expects);
        for line in paragraph(option) {
            text += &format!("      {line}\n");
        }
    }
    text += &reasons(stage);
    text + &format!("\nExample:\n\n{}\n", stage.example().trim_end())
}

/// What the stage rejects and warns of.
fn reasons(stage: &dyn StageType) -> String {
    let mut text = String::new();
    for (severity, title) in
        [(Severity::Reject, "Rejects rows for"), (Severity::Warning, "Adapts, counts and warns of")]
    {
        let of_this: Vec<&Reason> =
            stage.reasons().into_iter().filter(|reason| reason.severity() == severity).collect();
        if !of_this.is_empty() {
            text += &format!("\n{title}:\n");
        }
        for reason in of_this {
            text += &format!("  {}: {}\n      {}\n", reason.code(), reason.meaning(), reason.remedy());
        }
    }
    text
}

/// An option's doc comment without the blanks that begin its lines.
fn paragraph(option: &OptionDoc) -> impl Iterator<Item = &'static str> {
    option.doc.trim().lines().map(str::trim)
}

fn stage_json(stage: &dyn StageType) -> Value {
    let option = |option: &OptionDoc| {
        let schema: Value = serde_json::from_str(&(option.json_schema)()).unwrap_or(Value::Null);
        json!({
            "name": option.name,
            "expects": option.expects,
            "default": option.default,
            "required": option.default.is_none(),
            "doc": paragraph(option).collect::<Vec<&str>>().join(" "),
            "schema": schema,
        })
    };
    let reason = |reason: &Reason| {
        json!({
            "code": reason.code(),
            "severity": reason.severity().as_str(),
            "meaning": reason.meaning(),
            "remedy": reason.remedy(),
        })
    };
    json!({
        "name": stage.name(),
        "kind": stage.kind().as_str(),
        "summary": summary(stage),
        "manual": stage.manual(),
        "options": stage.options().iter().map(option).collect::<Vec<Value>>(),
        "reasons": stage.reasons().into_iter().map(reason).collect::<Vec<Value>>(),
        "example": stage.example(),
    })
}

fn expressions_json(functions: &Functions) -> Vec<Value> {
    let of = |function: &Function| {
        let examples = function.examples.iter().map(|(sql, result)| json!({ "sql": sql, "result": result }));
        let elsewhere = function.elsewhere.iter().map(|(database, what)| (database.name().to_owned(), json!(what)));
        json!({
            "name": function.name,
            "aliases": function.aliases,
            "family": function.family.title(),
            "signature": function.signature(),
            "returns": function.returns.name(),
            "about": function.about,
            "examples": examples.collect::<Vec<Value>>(),
            "elsewhere": elsewhere.collect::<serde_json::Map<String, Value>>(),
        })
    };
    functions.all().into_iter().map(of).collect()
}
