//! What is built in: every package costs whoever builds vardelta.

use std::{collections::BTreeSet, process::Command};

use vardelta_tests::binary::root;

/// Packages that the command is built from, at the most. Before one is added, see what leaves with it or is there already.
const PACKAGES_MAX: usize = 240;

#[test]
fn the_command_is_built_from_few_packages() {
    let text = tree("vardelta", "{p}");
    let names: BTreeSet<&str> =
        text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).collect();
    assert!(names.contains("timely") && names.contains("vardelta-engine"), "{names:?}");
    assert!(names.len() <= PACKAGES_MAX, "{} packages: {names:?}", names.len());
    // Names of hosts outside ASCII would bring Unicode's tables in 21 packages: Cargo.lock holds `idna_adapter` at 1.0, which does
    // without them. After `cargo update`: `cargo update -p idna_adapter --precise 1.0.0`.
    assert!(!names.iter().any(|name| name.starts_with("icu_")), "{names:?}");
}

#[test]
fn the_benchmarks_compile_no_package_of_the_command_a_second_time() {
    // With other features a package is another one to cargo.
    let (command, benchmarks) = (tree("vardelta", "{p} {f}"), tree("vardelta-benches", "{p} {f}"));
    let benchmarks: BTreeSet<&str> = benchmarks.lines().collect();
    let others: Vec<&str> = command.lines().filter(|line| !benchmarks.contains(line)).collect();
    assert!(others.is_empty(), "built with other features for the benchmarks: {others:?}");
}

/// What a package of the workspace is built from, a line each.
fn tree(package: &str, format: &str) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = Command::new(cargo);
    tree.args(["tree", "--package", package, "--format", format, "--edges", "normal,build", "--prefix", "none"]);
    let output = tree.args(["--no-dedupe", "--locked", "--offline"]).current_dir(root()).output();
    let output = output.expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
