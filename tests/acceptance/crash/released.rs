//! What is released has no fail points: they are compiled without debug assertions, as release builds are, and the variables
//! then mean nothing.

use std::{fs, path::Path, process::Command};

use vardelta_tests::{
    binary::root,
    project::{Said, finish},
};

/// A program that comes by a point of each kind.
fn program() -> String {
    format!(
        "#![allow(dead_code)]\n#[path = {:?}] mod failpoint;\nfn main() {{ failpoint::panics(\"a:b\"); \
         failpoint::hit(\"a:b\"); println!(\"lived\"); println!(\"{{}}\", failpoint::fails(\"a:b\")); }}\n",
        root().join("engine/src/failpoint/mod.rs")
    )
}

/// Builds the program and runs it with a point armed.
fn run(directory: &Path, debug_assertions: &str, log: &Path) -> (Said, Vec<u8>) {
    let (source, built) = (directory.join("main.rs"), directory.join(format!("built-{debug_assertions}")));
    fs::write(&source, program()).expect("a scratch directory");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compiler = Command::new(rustc);
    compiler.args(["--edition", "2024", "-C", &format!("debug-assertions={debug_assertions}"), "-o"]);
    finish(compiler.arg(&built).arg(&source)).expect(0);
    let mut command = Command::new(&built);
    let said = finish(command.env("VARDELTA_FAILPOINT", "a:b").env("VARDELTA_FAILPOINT_LOG", log));
    (said, fs::read(&built).expect("it was built"))
}

#[test]
fn a_build_without_debug_assertions_ignores_the_variables() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let log = directory.path().join("log");
    let knows = |built: &[u8]| built.windows(18).any(|bytes| bytes == b"VARDELTA_FAILPOINT");

    let (said, built) = run(directory.path(), "no", &log);
    assert_eq!((said.code, said.stdout.as_str()), (0, "lived\nfalse\n"), "{}", said.stderr);
    assert!(!log.exists() && !knows(&built), "nothing of a fail point is in it");

    // The same program with debug assertions dies, so the one above could have.
    let (said, built) = run(directory.path(), "yes", &log);
    assert_eq!(said.code, -1, "{}{}", said.stdout, said.stderr);
    assert!(log.exists() && knows(&built));
}

#[test]
fn no_profile_for_others_has_debug_assertions() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    assert!(manifest.contains("[profile.release]") && manifest.contains("[profile.dist]\ninherits = \"release\""));
    assert!(!manifest.contains("debug-assertions"), "a release build keeps what cargo gives it: none");
}
