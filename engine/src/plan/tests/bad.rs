//! Bad pipeline files and what is said of them, in `bad.txt`.
//!
//! Each case is an edit of `GOOD` (`- ` a line of it, `+ ` what is there instead; `+ ` alone: at the end), or a whole
//! file (`| `); `set ` is an override, `env ` a variable that is set. What is expected follows `---`, and is written by hand: what
//! the product says is no measure of what it should say.

use std::collections::BTreeMap;

use crate::{
    diagnostics::{Diagnostics, located},
    plan::{Plan, fakes::REGISTRY, tests::GOOD},
    spec::SpecFile,
};

/// What is wrong with the file a case describes, a line or two per problem.
fn found(case: &str) -> String {
    let (mut text, mut whole) = (GOOD.to_owned(), String::new());
    let (mut overrides, mut environment) = (Vec::new(), BTreeMap::new());
    let mut lines = case.lines().skip(1).peekable();
    while let Some(line) = lines.next() {
        if let Some(old) = line.strip_prefix("- ") {
            let mut new = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with("+ ")) {
                new.push(&line[2..]);
            }
            let edited = text.replacen(&format!("\n{old}\n"), &format!("\n{}\n", new.join("\n")), 1);
            assert_ne!(edited, text, "no line `{old}` in case {case}");
            text = edited;
        } else if let Some(new) = line.strip_prefix("+ ") {
            text = format!("{text}{new}\n");
        } else if let Some(line) = line.strip_prefix("| ").or(line.strip_prefix('|')) {
            whole = format!("{whole}{line}\n");
        } else if let Some(text) = line.strip_prefix("set ") {
            overrides.push(text.to_owned());
        } else if let Some((name, value)) = line.strip_prefix("env ").and_then(|line| line.split_once('=')) {
            environment.insert(name.to_owned(), value.to_owned());
        } else {
            panic!("`{line}` in case {case}");
        }
    }
    let text = if whole.is_empty() { text } else { whole };
    let mut diagnostics = Diagnostics::default();
    let environment = |name: &str| environment.get(name).cloned();
    let spec = SpecFile::parse("p.toml".into(), text, &overrides, &environment, &mut diagnostics);
    let plan = Plan::resolve(&spec, REGISTRY, &mut diagnostics);
    assert!(plan.is_none(), "nothing is wrong with {case}");
    located(&spec, &diagnostics.into_sorted())
        .into_iter()
        .map(|problem| {
            let label = if problem.label.is_empty() { String::new() } else { format!(" [{}]", problem.label) };
            let hint = problem.hint.map(|hint| format!("    {hint}\n")).unwrap_or_default();
            let end = if problem.line == problem.end_line {
                problem.end_column.to_string()
            } else {
                format!("{}:{}", problem.end_line, problem.end_column)
            };
            format!("{}:{}:{}-{end} {}{label}\n{hint}", problem.file, problem.line, problem.column, problem.message)
        })
        .collect()
}

#[test]
fn bad_files_are_refused_with_place_and_hint() {
    let cases = include_str!("bad.txt");
    let mut count = 0;
    for case in cases.split("=== ").skip(1) {
        let (before, expected) = case.split_once("---\n").unwrap_or((case, ""));
        assert_eq!(found(before).trim_end(), expected.trim_end(), "case {before}");
        count += 1;
    }
    assert!(count >= 40, "only {count} cases");
}
