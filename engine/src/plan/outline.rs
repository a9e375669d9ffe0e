//! The stages as they are written: name, type, and the stages they name as inputs. Nothing is looked up yet but the type.

use std::ops::Range;

use crate::{
    contract::{
        options::{OptionReader, wrong_type},
        stage::{Kind, StageType},
    },
    diagnostics::Diagnostics,
    spec::{Entry, Node, SpecFile, Value},
    suggest::nearest,
};

/// The keys that the planner reads itself.
const PLANNER_KEYS: [&str; 4] = ["type", "input", "inputs", "tables"];

/// One stage of the file.
pub(super) struct Outline<'a> {
    /// The stage's name and table.
    pub entry: &'a Entry,
    /// What the table holds; empty where it is no table.
    pub entries: &'a [Entry],
    /// Its type, where it is known.
    pub stage_type: Option<&'a dyn StageType>,
    /// The stages it names as inputs, in order.
    pub references: Vec<Reference<'a>>,
    /// Whether every input could be read and found, so that the stage can be planned.
    pub sound: bool,
    /// Whether there is a syntax error in it, so that what seems to be missing may be there.
    pub damaged: bool,
}

/// An input as a stage names it.
pub(super) struct Reference<'a> {
    /// The name.
    pub name: &'a str,
    /// Where it is.
    pub span: Range<usize>,
    /// The stage of that name: an index into the outlines.
    pub target: Option<usize>,
}

impl<'a> Outline<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        &self.entry.key
    }

    /// Its kind, where the type is known.
    pub fn kind(&self) -> Option<Kind> {
        self.stage_type.map(|stage_type| stage_type.kind())
    }

    /// The place of its header.
    pub fn span(&self) -> Range<usize> {
        self.entry.node.span.clone()
    }

    /// The stage in words, for messages.
    pub fn owner(&self) -> String {
        match self.stage_type {
            Some(stage_type) => format!("stage `{}` ({})", self.name(), stage_type.name()),
            None => format!("stage `{}`", self.name()),
        }
    }

    /// Its options: everything but what the planner reads itself.
    pub fn option_entries(&self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.entries.iter().filter(|entry| !PLANNER_KEYS.contains(&entry.key.as_str()))
    }

    /// A reader of its options.
    pub fn options(&self) -> OptionReader<'a> {
        OptionReader::new(self.owner(), self.span(), self.option_entries())
    }
}

/// Reads every stage's name, type and inputs.
pub(super) fn read<'a>(
    spec: &'a SpecFile,
    stages: &'a [Entry],
    registry: &[&'a dyn StageType],
    problems: &mut Diagnostics,
) -> Vec<Outline<'a>> {
    let pipeline = spec.root.iter().filter(|entry| entry.key == "pipeline");
    let damaged = spec.damaged(stages.iter().chain(pipeline));
    let outline = |(entry, damaged): (&'a Entry, bool)| {
        check_name(entry, problems);
        let Value::Table(entries) = &entry.node.value else {
            problems
                .error(entry.node.span.clone(), format!("stage `{}` is {}", entry.key, entry.node.value.type_name()))
                .label("a stage is a table")
                .hint(format!("Write `[stages.{}]` and the options below it.", entry.key));
            return Outline { entry, entries: &[], stage_type: None, references: vec![], sound: false, damaged };
        };
        let mut outline = Outline { entry, entries, stage_type: None, references: vec![], sound: !damaged, damaged };
        outline.stage_type = read_type(spec, &outline, registry, problems);
        outline.sound &= outline.stage_type.is_some();
        read_references(spec, &mut outline, problems);
        outline
    };
    stages.iter().zip(damaged).map(outline).collect()
}

fn check_name(entry: &Entry, problems: &mut Diagnostics) {
    let name = entry.key.as_str();
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !starts || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        problems
            .error(entry.key_span.clone(), format!("`{name}` is not a stage name"))
            .label("not an identifier")
            .hint("A stage may become a table: use ASCII letters, digits and `_`, and no digit in front.");
    } else if name.to_ascii_lowercase().starts_with("vardelta_") {
        problems
            .error(entry.key_span.clone(), format!("the stage name `{name}` is reserved"))
            .label("`vardelta_…` are the tables of the ledger")
            .hint("Choose a name that does not start with `vardelta_`.");
    }
}

fn read_type<'a>(
    spec: &SpecFile,
    outline: &Outline<'a>,
    registry: &[&'a dyn StageType],
    problems: &mut Diagnostics,
) -> Option<&'a dyn StageType> {
    let name = outline.name();
    let Some(entry) = outline.entries.iter().find(|entry| entry.key == "type") else {
        if !outline.damaged {
            problems
                .error(outline.span(), format!("stage `{name}` has no type"))
                .label("`type` is missing")
                .hint(format!("Add `type = \"…\"`, one of: {}.", names(registry)));
        }
        return None;
    };
    let Value::Text(text) = &entry.node.value else {
        return wrong_type(&entry.node, "a text", problems);
    };
    let found = registry.iter().find(|stage_type| stage_type.name() == text).copied();
    if found.is_none() && !spec.is_unreadable(&entry.node.span) {
        let suggests = problems.wants_suggestions();
        let problem = problems.error(entry.node.span.clone(), format!("there is no stage type `{text}`"));
        problem.label("unknown type");
        let types = || registry.iter().map(|stage_type| stage_type.name());
        match suggests.then(|| nearest(text, types())).flatten() {
            Some(near) => problem.hint(format!("Did you mean \"{near}\"? `vardelta stages` lists every type.")),
            None => problem.hint(format!("The types are: {}.", names(registry))),
        };
    }
    found
}

fn names(registry: &[&dyn StageType]) -> String {
    registry.iter().map(|stage_type| stage_type.name()).collect::<Vec<_>>().join(", ")
}

/// Reads `input`, `inputs` and `tables`, whichever the kind of stage takes.
fn read_references<'a>(spec: &SpecFile, outline: &mut Outline<'a>, problems: &mut Diagnostics) {
    let before = problems.len();
    let entries = outline.entries;
    let mut given: Option<&str> = None;
    for entry in entries.iter().filter(|entry| PLANNER_KEYS[1..].contains(&entry.key.as_str())) {
        if refuse_key(outline, entry, given, problems) {
            continue;
        }
        given = Some(&entry.key);
        match (&entry.node.value, entry.key.as_str()) {
            (Value::Text(_), "input") => add_reference(spec, outline, &entry.node, problems),
            (Value::Array(_), "input") => {
                wrong_type::<()>(&entry.node, "the name of one stage", problems);
            }
            (Value::Array(items), _) => {
                items.iter().for_each(|item| add_reference(spec, outline, item, problems));
            }
            (_, "input") => {
                wrong_type::<()>(&entry.node, "the name of a stage", problems);
            }
            _ => {
                wrong_type::<()>(&entry.node, "a list of stage names", problems);
            }
        }
    }
    if problems.len() > before {
        outline.sound = false;
    } else if outline.sound {
        check_number(outline, problems);
    }
}

/// Reports a key that this kind of stage does not take, or that comes beside another; true when it is refused.
fn refuse_key(outline: &Outline<'_>, entry: &Entry, given: Option<&str>, problems: &mut Diagnostics) -> bool {
    let (owner, key) = (outline.owner(), entry.key.as_str());
    let refusal = match (outline.kind(), key) {
        (Some(Kind::Source), _) => {
            Some((format!("{owner} has no option `{key}`"), "A source reads files, not stages: remove it."))
        }
        (Some(Kind::Sink), "input" | "inputs") => {
            Some((format!("{owner} has no option `{key}`"), "A sink lists what it keeps: `tables = [\"…\"]`."))
        }
        (Some(Kind::Transform | Kind::Relational), "tables") => {
            Some((format!("{owner} has no option `tables`"), "Only a sink has tables; write `input = \"…\"`."))
        }
        (_, "input" | "inputs") => given.filter(|given| *given != "tables").map(|given| {
            (
                format!("{owner} has both `{given}` and `{key}`"),
                "Keep one: `input` names one stage, `inputs` lists several.",
            )
        }),
        _ => None,
    };
    if let Some((message, hint)) = &refusal {
        problems.error(entry.key_span.clone(), message).label("not here").hint(*hint);
    }
    refusal.is_some()
}

fn add_reference<'a>(spec: &SpecFile, outline: &mut Outline<'a>, node: &'a Node, problems: &mut Diagnostics) {
    match &node.value {
        // An unset variable has been reported; which stage is meant nobody can tell.
        Value::Text(_) if spec.is_unreadable(&node.span) => outline.sound = false,
        Value::Text(name) => outline.references.push(Reference { name, span: node.span.clone(), target: None }),
        _ => {
            wrong_type::<()>(node, "the name of a stage", problems);
        }
    }
}

/// Reports too few or too many inputs.
fn check_number(outline: &mut Outline<'_>, problems: &mut Diagnostics) {
    let Some(stage_type) = outline.stage_type else { return };
    let (allowed, count) = (stage_type.inputs(), outline.references.len());
    if count < *allowed.start() {
        let (key, hint) = match outline.kind() {
            Some(Kind::Sink) => ("tables", "Add `tables = [\"…\"]`: the keyed stages whose rows it keeps."),
            _ if *allowed.end() > 1 => ("inputs", "Add `inputs = [\"…\", \"…\"]`: the stages it reads."),
            _ => ("input", "Add `input = \"…\"`: the stage it reads."),
        };
        problems
            .error(outline.span(), format!("{} needs `{key}`", outline.owner()))
            .label(format!("`{key}` is missing"))
            .hint(hint);
        outline.sound = false;
    } else if count > *allowed.end() {
        let most = allowed.end();
        let stages = if *most == 1 { "one stage".into() } else { format!("{most} stages") };
        problems
            .error(outline.references[*most].span.clone(), format!("{} reads {stages}, not {count}", outline.owner()))
            .label("one too many")
            .hint("Put the inputs together with a `union` stage first.");
        outline.sound = false;
    }
}
