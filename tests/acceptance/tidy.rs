//! How the repository is kept. Each rule names its reason where it is broken.

mod fail_points;
mod imports;
mod random;
mod source;
mod walks;
mod weight;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use vardelta_tests::{binary::root, shared::skipped};

use self::source::{code_and_texts, without_tests};

/// The four crates of the product, each with those it may use.
const CRATES: [(&str, &[&str]); 4] = [
    ("schemas", &[]),
    ("engine", &["vardelta-schemas"]),
    ("stages", &["vardelta-schemas", "vardelta-engine"]),
    ("pipelines", &["vardelta-schemas", "vardelta-engine", "vardelta-stages"]),
];
/// The crates that judge them.
const JUDGES: [&str; 6] = ["tests", "tests/random", "tests/reading", "tests/servers", "tests/service", "benches"];
/// Lines of a file at the most.
const LINES: usize = 500;
/// Lines of half the files, less than this.
const LINES_OF_HALF: usize = 160;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as it is reported.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Every Rust file below a directory of the repository.
fn rust_files(directory: &str) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![root().join(directory)]);
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for path in entries.map(|entry| entry.expect("a directory can be read").path()) {
            if path.is_dir() {
                // A crate inside a crate's directory has its own turn.
                if !path.join("Cargo.toml").exists() {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Whether a file holds nothing but tests, benchmarks or what they share.
fn is_for_tests(path: &Path) -> bool {
    let inside = shown(path);
    let tests = ["tests", "benches", "tests.rs", "test_support.rs", "fakes.rs"];
    inside.split('/').any(|part| tests.contains(&part))
}

#[track_caller]
fn nothing(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// The names before `=` or `.` in the dependency tables of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_dependency = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            // What only tests use does not reach the product.
            is_dependency = line.contains("dependencies") && !line.contains("dev-dependencies");
        } else if is_dependency && let Some(end) = line.find(['.', ' ', '=']) {
            names.insert(line[..end].to_owned());
        }
    }
    names
}

#[test]
fn dependencies_point_one_way() {
    for (name, allowed) in CRATES {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        let own: Vec<String> =
            dependencies(&manifest).into_iter().filter(|name| name.starts_with("vardelta")).collect();
        let wrong: Vec<String> = own.into_iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        nothing(&format!("{name} may use {allowed:?} only (schemas <- engine <- stages <- pipelines)"), &wrong);
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} takes the workspace's lints");
    }
}

#[test]
fn only_the_engine_names_the_dataflow_runtime() {
    let mut found = Vec::new();
    for (name, _) in CRATES.into_iter().filter(|(name, _)| *name != "engine") {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        let runtimes = dependencies(&manifest);
        found
            .extend(runtimes.into_iter().filter(|name| name.starts_with("timely") || name.starts_with("differential")));
        for path in rust_files(name) {
            let (code, _) = code_and_texts(&read(&path));
            if code.contains("timely::") || code.contains("differential_dataflow") {
                found.push(shown(&path));
            }
        }
    }
    nothing("an upgrade of timely must touch one crate only", &found);
}

#[test]
fn one_room_of_the_engine_names_differential() {
    let room = root().join("engine/src/differential");
    let outside = rust_files("engine").into_iter().filter(|path| !path.starts_with(&room));
    let found: Vec<String> = outside
        .filter(|path| code_and_texts(&read(path)).0.contains("differential_dataflow"))
        .map(|path| shown(&path))
        .collect();
    nothing(
        "operators on the state are `KeyLocal`s; what differential's traits ask lies in engine/src/differential",
        &found,
    );
}

#[test]
fn the_kinds_of_relational_operators_are_told_apart_in_few_places() {
    // Everybody else asks a `Relation`. Where the kinds are named, and why.
    let rooms = [
        ("engine/src/relational", "what they are"),
        ("engine/src/flow", "how each becomes operators of a dataflow"),
        ("engine/src/run/why", "how each is walked back, from a row to the rows that it is made of"),
    ];
    let variants = ["Table", "Aggregate", "Union", "Join", "Resident", "Lookup", "Top"];
    let names_one = |code: &str| {
        code.match_indices("Relational::").any(|(at, name)| {
            let rest = &code[at + name.len()..];
            variants.iter().any(|variant| {
                rest.strip_prefix(variant).is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
            })
        })
    };
    let mut found = Vec::new();
    let mut named = BTreeMap::from(rooms.map(|(room, _)| (room, 0)));
    for path in CRATES.iter().flat_map(|(name, _)| rust_files(name)).filter(|path| !is_for_tests(path)) {
        if !names_one(&code_and_texts(without_tests(&read(&path))).0) {
            continue;
        }
        match rooms.iter().find(|(room, _)| path.starts_with(root().join(room))) {
            Some((room, _)) => *named.entry(*room).or_default() += 1,
            None if path == root().join("engine/src/relational.rs") => {}
            None => found.push(shown(&path)),
        }
    }
    nothing(
        "what depends on the kind of an operator is a method of `Relation` (engine/src/relational/relation.rs)",
        &found,
    );
    assert_eq!(named["engine/src/run/why"], 1, "one walk knows the kinds");
    assert!(named["engine/src/flow"] <= 8, "{named:?}: one file for each kind, the dataflow and its segments");
}

#[test]
fn only_schemas_builds_sql() {
    let is_sql = |text: &str| {
        let statements = ["INSERT INTO", "CREATE TABLE", "DELETE FROM", "DROP TABLE", "ALTER TABLE", "BEGIN IMMEDIATE"];
        let text = text.trim_start();
        statements.iter().any(|statement| text.contains(statement))
            || text.starts_with("PRAGMA ")
            || (text.starts_with("UPDATE ") && text.contains(" SET "))
            || (text.starts_with("SELECT ") && text.contains(" FROM "))
    };
    let mut found = Vec::new();
    for (name, _) in CRATES.into_iter().filter(|(name, _)| *name != "schemas") {
        for path in rust_files(name).into_iter().filter(|path| !is_for_tests(path)) {
            let (_, texts) = code_and_texts(without_tests(&read(&path)));
            let statement = texts.iter().find(|text| is_sql(text));
            found.extend(statement.map(|text| format!("{}: {text}", shown(&path))));
        }
    }
    nothing("SQL is written in schemas, where every dialect is", &found);
}

#[test]
fn files_stay_small() {
    let files = CRATES.iter().map(|(name, _)| *name).chain(JUDGES).flat_map(rust_files);
    let mut lines: Vec<(usize, PathBuf)> = files.map(|path| (read(&path).lines().count(), path)).collect();
    lines.sort();
    let long = lines.iter().filter(|(lines, _)| *lines > LINES);
    let long: Vec<String> = long.map(|(lines, path)| format!("{}: {lines} lines", shown(path))).collect();
    nothing("a file has one purpose, and fits into a head", &long);
    let median = lines[lines.len() / 2].0;
    assert!(median < LINES_OF_HALF, "half the files have {median} lines or more");
}

#[test]
fn nothing_is_left_to_do() {
    // Written so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let macros = [concat!("to", "do!"), concat!("unimplemen", "ted!"), concat!("db", "g!")];
    let mut found = Vec::new();
    for name in CRATES.iter().map(|(name, _)| *name).chain(JUDGES) {
        for path in rust_files(name) {
            let text = read(&path);
            let (code, _) = code_and_texts(&text);
            let mark = marks.iter().find(|mark| text.contains(*mark));
            let call = macros.iter().find(|call| code.contains(*call));
            found.extend(mark.into_iter().chain(call).map(|what| format!("{}: {what}", shown(&path))));
        }
    }
    nothing("what is not done is not begun", &found);
}

/// The files that cargo starts from in a crate.
fn crate_roots(directory: &Path) -> Vec<PathBuf> {
    let manifest = read(&directory.join("Cargo.toml"));
    let named = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
    let mut roots: Vec<PathBuf> = named.map(|path| directory.join(path)).collect();
    roots.extend(["src/lib.rs", "src/main.rs", "build.rs"].map(|path| directory.join(path)));
    for kind in ["tests", "benches", "examples", "src/bin"] {
        for entry in std::fs::read_dir(directory.join(kind)).into_iter().flatten() {
            let path = entry.expect("a directory can be read").path();
            roots.push(if path.is_dir() { path.join("main.rs") } else { path });
        }
    }
    roots.retain(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "rs"));
    roots
}

/// The files that a file's `mod` lines name.
fn modules(path: &Path, is_root: bool) -> Vec<PathBuf> {
    let text = read(path);
    let (code, _) = code_and_texts(&text);
    let parent = path.parent().expect("a file has a directory");
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let directory = if is_root || stem == "mod" { parent.to_path_buf() } else { parent.join(stem) };
    let names = code.lines().filter_map(|line| {
        let rest = line.trim().strip_suffix(';')?;
        let rest = rest.strip_prefix("pub ").or_else(|| rest.strip_prefix("pub(crate) ")).unwrap_or(rest);
        rest.strip_prefix("mod ").map(str::to_owned)
    });
    names
        .flat_map(|name| [directory.join(format!("{name}.rs")), directory.join(&name).join("mod.rs")])
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn every_rust_file_is_compiled() {
    let mut dead = Vec::new();
    for name in CRATES.iter().map(|(name, _)| *name).chain(JUDGES) {
        let directory = root().join(name);
        let mut open: Vec<(PathBuf, bool)> = crate_roots(&directory).into_iter().map(|path| (path, true)).collect();
        let mut reached = BTreeSet::new();
        while let Some((path, is_root)) = open.pop() {
            if reached.insert(path.clone()) {
                open.extend(modules(&path, is_root).into_iter().map(|path| (path, false)));
            }
        }
        dead.extend(rust_files(name).iter().filter(|path| !reached.contains(*path)).map(|path| shown(path)));
    }
    nothing("no `mod` line reaches these files", &dead);
}

#[test]
fn every_crate_says_what_it_is() {
    for name in CRATES.iter().map(|(name, _)| *name).chain(JUDGES) {
        for path in crate_roots(&root().join(name)) {
            let text = read(&path);
            assert!(
                text.starts_with("//! ") && !text.contains("Placeholder"),
                "{} begins with its purpose",
                shown(&path)
            );
        }
    }
}

#[test]
fn no_file_names_a_machine() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        skipped("tracked files without paths of a machine", "git does not list them");
        return;
    };
    // Written so that this file does not find itself.
    let paths = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    let mut found = Vec::new();
    for path in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|path| !path.is_empty()) {
        let Ok(text) = std::fs::read_to_string(root().join(path)) else { continue };
        found
            .extend(paths.iter().filter(|machine| text.contains(*machine)).map(|machine| format!("{path}: {machine}")));
    }
    nothing("what works here must work elsewhere", &found);
}

#[test]
fn the_median_file_is_short() {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for path in CRATES.iter().flat_map(|(name, _)| rust_files(name)) {
        lines.insert(shown(&path), read(&path).lines().count());
    }
    let mut counts: Vec<usize> = lines.into_values().collect();
    counts.sort_unstable();
    let median = counts[counts.len() / 2];
    assert!(median < 160, "half of the files have {median} lines and more");
}
