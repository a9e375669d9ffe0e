//! The graph of what modules import: it has no circle, so that every file can be read, tested and moved with only what it
//! uses.
//!
//! A module and the modules below it in its own folder count as one room with a door: a parent may name its children and
//! a child its parent. Everything else that closes a circle is found. What only tests use is left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    is_for_tests, nothing, read, rust_files,
    source::{code_and_texts, without_tests},
};

/// A module's path inside its crate: empty for the crate itself.
type Module = Vec<String>;

/// Every module of a crate with the modules that it imports.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The module of a file: `src/a/mod.rs` and `src/a.rs` are both `a`.
fn module_of(file: &Path, sources: &Path) -> Module {
    let inside = file.strip_prefix(sources).unwrap_or(file).with_extension("");
    let mut parts: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] || parts == ["main"] {
        parts.pop();
    }
    parts
}

/// The paths that a `use` tree names: `a::{b, c::{self, d}}` is `a::b`, `a::c::self`, `a::c::d`.
fn paths_of_tree(tree: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    walk_tree(&[], tree.trim(), &mut paths);
    paths
}

fn walk_tree(prefix: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let parts = |text: &str| -> Vec<String> {
        text.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    match tree.find('{') {
        Some(open) => {
            let prefix = [prefix, &parts(&tree[..open])].concat();
            let inner = tree[open + 1..].trim_end().strip_suffix('}').unwrap_or(&tree[open + 1..]);
            let (mut depth, mut start) = (0_usize, 0);
            for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
                match letter {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    ',' if depth == 0 => {
                        let part = inner[start..at].trim();
                        if !part.is_empty() {
                            walk_tree(&prefix, part, paths);
                        }
                        start = at + 1;
                    }
                    _ => {}
                }
            }
        }
        None => {
            let name = tree.split(" as ").next().unwrap_or(tree);
            paths.push([prefix, &parts(name)].concat());
        }
    }
}

/// Every path that a file's code names and that may lead to a module of its own crate, `use` lines first.
fn named_paths(code: &str) -> Vec<Vec<String>> {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    let mut statement: Option<String> = None;
    for line in code.lines() {
        let trimmed = line.trim_start();
        let visible = trimmed.strip_prefix("pub ").or_else(|| {
            let after = trimmed.strip_prefix("pub(")?;
            after.split_once(") ").map(|(_, after)| after)
        });
        if statement.is_none() && visible.unwrap_or(trimmed).starts_with("use ") {
            statement = Some(String::new());
        }
        match &mut statement {
            Some(text) => {
                text.push_str(line);
                text.push(' ');
                if line.trim_end().ends_with(';') {
                    let tree = text.split_once("use ").map_or("", |(_, tree)| tree).trim().trim_end_matches(';');
                    paths.extend(paths_of_tree(tree));
                    statement = None;
                }
            }
            None => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
    }
    let is_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    for word in rest.split(|letter| !is_path(letter)).filter(|word| word.contains("::")) {
        paths.extend(paths_of_tree(word.trim_matches(':')));
    }
    paths
}

/// The module that a path leads to, as written in another module.
fn resolve(path: &[String], from: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let first = path.first()?;
    let absolute: Module = match first.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => [from.as_slice(), &path[1..]].concat(),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let base = from.get(..from.len().checked_sub(ups)?)?;
            [base, &path[ups..]].concat()
        }
        _ => {
            let child = [from.as_slice(), std::slice::from_ref(first)].concat();
            if !modules.contains(&child) {
                return None;
            }
            [from.as_slice(), path].concat()
        }
    };
    (0..=absolute.len()).rev().map(|length| absolute[..length].to_vec()).find(|module| modules.contains(module))
}

fn graph(name: &str) -> Graph {
    let sources = vardelta_tests::binary::root().join(name).join("src");
    let files: BTreeMap<Module, _> = rust_files(&format!("{name}/src"))
        .into_iter()
        .filter(|path| !is_for_tests(path))
        .map(|path| (module_of(&path, &sources), path))
        .collect();
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    let one_room = |a: &Module, b: &Module| a.starts_with(b) || b.starts_with(a);
    let mut graph = Graph::new();
    for (module, path) in &files {
        let text = read(path);
        let (code, _) = code_and_texts(without_tests(&text));
        let named = named_paths(&code);
        let imported = named.iter().filter_map(|path| resolve(path, module, &modules));
        graph.insert(module.clone(), imported.filter(|other| !one_room(other, module)).collect());
    }
    graph
}

/// The groups of modules that reach each other (Tarjan's strongly connected components of more than one).
fn circles(graph: &Graph) -> Vec<Vec<Module>> {
    struct Search<'a> {
        graph: &'a Graph,
        order: BTreeMap<&'a Module, usize>,
        lowest: BTreeMap<&'a Module, usize>,
        open: Vec<&'a Module>,
        found: Vec<Vec<Module>>,
    }
    impl<'a> Search<'a> {
        fn visit(&mut self, module: &'a Module) {
            let number = self.order.len();
            self.order.insert(module, number);
            self.lowest.insert(module, number);
            self.open.push(module);
            for other in &self.graph[module] {
                let Some((other, _)) = self.graph.get_key_value(other) else { continue };
                if !self.order.contains_key(other) {
                    self.visit(other);
                    self.lowest.insert(module, self.lowest[module].min(self.lowest[other]));
                } else if self.open.contains(&other) {
                    self.lowest.insert(module, self.lowest[module].min(self.order[other]));
                }
            }
            if self.lowest[module] == number {
                let at = self.open.iter().position(|open| *open == module).unwrap_or_default();
                let group = self.open.split_off(at);
                if group.len() > 1 {
                    self.found.push(group.into_iter().cloned().collect());
                }
            }
        }
    }
    let mut search =
        Search { graph, order: BTreeMap::new(), lowest: BTreeMap::new(), open: Vec::new(), found: Vec::new() };
    for module in graph.keys() {
        if !search.order.contains_key(module) {
            search.visit(module);
        }
    }
    search.found
}

#[test]
fn imports_form_no_circle() {
    let mut found = Vec::new();
    for name in ["schemas", "engine", "stages", "pipelines"] {
        let graph = graph(name);
        for circle in circles(&graph) {
            for module in &circle {
                let others = graph[module].iter().filter(|other| circle.contains(other));
                let others: Vec<String> = others.map(|other| other.join("::")).collect();
                found.push(format!("{name}: {} imports {}", module.join("::"), others.join(", ")));
            }
        }
    }
    nothing("modules that import each other can only be understood together", &found);
}

#[test]
fn rooms_of_the_engine_point_one_way() {
    // What a run is, from what a row is to what a verb does. A room may use those before it.
    let order = ["contract", "plan", "state", "flow", "epoch", "run"];
    let graph = graph("engine");
    let mut found = Vec::new();
    for (module, imported) in &graph {
        let rank = |module: &Module| order.iter().position(|room| module.first().is_some_and(|first| first == room));
        let Some(own) = rank(module) else { continue };
        let later = imported.iter().filter(|other| rank(other).is_some_and(|other| other > own));
        found.extend(later.map(|other| format!("{} imports {}", module.join("::"), other.join("::"))));
    }
    nothing(&format!("each of {order:?} may use those before it"), &found);
}

#[test]
fn circles_are_found_and_trees_are_taken_apart() {
    let module = |name: &str| vec![name.to_owned()];
    let graph: Graph = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
        .into_iter()
        .map(|(from, to)| (module(from), BTreeSet::from([module(to)])))
        .collect();
    let found = circles(&graph);
    assert_eq!(found, [vec![module("a"), module("b"), module("c")]]);

    let paths: Vec<String> =
        named_paths("use crate::{\n    a::{self, b as x},\n    c,\n};\nfn f() { super::d::e() }\n")
            .into_iter()
            .map(|path| path.join("::"))
            .collect();
    assert_eq!(paths, ["crate::a::self", "crate::a::b", "crate::c", "super::d::e"]);

    let modules = BTreeSet::from([vec![], module("a"), vec!["a".to_owned(), "b".to_owned()]]);
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(resolve(&path("super::b::Item"), &path("a::z"), &modules), Some(path("a::b")));
    assert_eq!(resolve(&path("std::fmt"), &module("a"), &modules), None);
}
