#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::diagnostics::located;

/// Parses files of which the first, `p.toml`, is the pipeline; the tree, and the problems with their places.
fn parse(files: &[(&str, &str)], overrides: &[&str]) -> (SpecFile, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut diagnostics = Diagnostics::default();
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let environment = |name: &str| (name == "A").then(|| "one".to_owned());
    let path = folder.path().join("p.toml");
    let spec = SpecFile::parse(path, files[0].1.to_owned(), &overrides, &environment, &mut diagnostics);
    let root = folder.path().canonicalize().unwrap();
    let shown = located(&spec, &diagnostics.into_sorted()).into_iter().map(|problem| {
        let text = format!(
            "{}:{}:{} {} | {}",
            problem.file,
            problem.line,
            problem.column,
            problem.message,
            problem.hint.unwrap_or_default()
        );
        text.replace(&format!("{}/", folder.path().display()), "").replace(&format!("{}/", root.display()), "")
    });
    let shown = shown.collect();
    (spec, shown)
}

/// An option of a stage.
fn option<'a>(spec: &'a SpecFile, stage: &str, key: &str) -> &'a Value {
    let table = |entries: &'a [Entry], key: &str| &entries.iter().find(|entry| entry.key == key).unwrap().node.value;
    let Value::Table(stages) = table(&spec.root, "stages") else { panic!("no table") };
    let Value::Table(options) = table(stages, stage) else { panic!("no table") };
    table(options, key)
}

fn stages(spec: &SpecFile) -> Vec<&str> {
    let Some(Entry { node: Node { value: Value::Table(stages), .. }, .. }) =
        spec.root.iter().find(|entry| entry.key == "stages")
    else {
        return Vec::new();
    };
    stages.iter().map(|stage| stage.key.as_str()).collect()
}

const FRAGMENT: &str = "[parameters]\npath = \"clinvar/*.vcf\"\nfields = [\"CLNSIG\"]\nlimit = 3\n\n\
    [stages.clinvar_rows]\ntype = \"vcf\"\npath = \"${path}\"\ninfo = \"${fields}\"\nnote = \"${A}-${path}-${limit}-$${path}\"\n";

#[test]
fn stages_of_a_fragment_come_before_the_own_ones_with_its_parameters_put_in() {
    let with = "include = [{ file = \"f/c.toml\", with = { path = \"${A}/x\", fields = [\"B\", \"C\"] } }]\n\
                [stages.own]\ntype = \"table\"\n";
    let (spec, problems) = parse(&[("p.toml", with), ("f/c.toml", FRAGMENT)], &[]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(stages(&spec), ["clinvar_rows", "own"]);
    assert_eq!(option(&spec, "clinvar_rows", "path"), &Value::Text("one/x".into()));
    let Value::Array(fields) = option(&spec, "clinvar_rows", "info") else { panic!("no list") };
    assert_eq!(fields.len(), 2);
    assert_eq!(option(&spec, "clinvar_rows", "note"), &Value::Text("one-one/x-3-${path}".into()));
    let (spec, problems) = parse(&[("p.toml", "include = [\"f/c.toml\"]\n"), ("f/c.toml", FRAGMENT)], &[]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(option(&spec, "clinvar_rows", "path"), &Value::Text("clinvar/*.vcf".into()));
}

#[test]
fn overrides_reach_included_stages() {
    let files = [("p.toml", "include = [\"f/c.toml\"]\n"), ("f/c.toml", "[stages.a]\npath = \"${UNSET}\"\n")];
    let (spec, problems) = parse(&files, &["stages.a.path=other"]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(option(&spec, "a", "path"), &Value::Text("other".into()));
    let (_, problems) = parse(&files, &["stages.a.b.c=1"]);
    assert!(problems[0].starts_with("f/c.toml:2:9 the environment variable `UNSET` is not set"), "{problems:?}");
    assert!(problems[1].starts_with("--set:1:"), "{problems:?}");
}

#[test]
fn fragments_include_others_relative_to_themselves_and_each_once() {
    let files = [
        ("p.toml", "include = [\"f/a.toml\", \"f/b.toml\"]\n"),
        ("f/a.toml", "include = [\"g/c.toml\"]\n[stages.a]\nx = 1\n"),
        ("f/b.toml", "include = [\"g/c.toml\"]\n[stages.b]\nx = 1\n"),
        ("f/g/c.toml", "[stages.c]\nx = 1\n"),
    ];
    let (spec, problems) = parse(&files, &[]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(stages(&spec), ["c", "a", "b"]);
}

#[test]
fn problems_are_told_at_their_place_in_their_file() {
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[("p.toml", "x = 1\ninclude = [\"no.toml\"]\n")], "p.toml:2:12 the fragment `no.toml` cannot be read"),
        (&[("p.toml", "include = \"a.toml\"\n")], "p.toml:1:11 expected a list of fragments, found a text"),
        (&[("p.toml", "include = [1]\n")], "p.toml:1:12 expected a fragment's path"),
        (&[("p.toml", "include = [{ with = {} }]\n")], "p.toml:1:12 this include names no file"),
        (&[("p.toml", "include = [{ file = \"a\", set = 1 }]\n")], "p.toml:1:26 an include has no `set`"),
        (
            &[
                ("p.toml", "include = [{ file = \"a.toml\", with = { pth = 1 } }]\n"),
                ("a.toml", "[parameters]\npath = 1\n"),
            ],
            "p.toml:1:40 the fragment `a.toml` has no parameter `pth` | Did you mean `path`?",
        ),
        (
            &[
                ("p.toml", "include = [{ file = \"a.toml\", with = { path = 1 } }]\n"),
                ("a.toml", "[parameters]\npath = \"x\"\n"),
            ],
            "p.toml:1:47 the parameter `path` is a text, not a whole number",
        ),
        (
            &[("p.toml", "include = [\"a.toml\"]\n"), ("a.toml", "[parameters]\nl = []\n[stages.a]\nx = \"a ${l}\"\n")],
            "a.toml:4:5 the parameter `l` is a list, and this a text",
        ),
        (
            &[("p.toml", "include = [\"a.toml\"]\n"), ("a.toml", "\n[pipeline]\n")],
            "a.toml:2:2 a fragment has no `pipeline`",
        ),
        (&[("p.toml", "include = [\"a.toml\"]\n"), ("a.toml", "[stages.a]\nx = \n")], "a.toml:2:"),
        (
            &[
                ("p.toml", "include = [\"a.toml\"]\n"),
                ("a.toml", "include = [\"b.toml\"]\n"),
                ("b.toml", "\ninclude = [\"a.toml\"]\n"),
            ],
            "b.toml:2:12 the fragments include each other in a circle: `p.toml` → `a.toml` → `b.toml` → `a.toml`",
        ),
        (&[("p.toml", "include = [\"p.toml\"]\n")], "p.toml:1:12 the fragments include each other in a circle"),
        (
            &[("p.toml", "include = [\"a.toml\"]\n[stages.a]\nx = 1\n"), ("a.toml", "\n[stages.a]\nx = 1\n")],
            "p.toml:2:9 the stage `a` is there twice | It is also at a.toml:2:9.",
        ),
        (
            &[("p.toml", "include = [\"a.toml\"]\n"), ("a.toml", "[parameters]\n\"a b\" = 1\n")],
            "a.toml:2:1 `a b` is not the name of a parameter",
        ),
    ];
    for (files, expected) in cases {
        let (_, problems) = parse(files, &[]);
        assert!(problems.first().is_some_and(|problem| problem.starts_with(expected)), "{expected}: {problems:?}");
    }
}
