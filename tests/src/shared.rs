//! What lies outside the repository: test data beside it, and tools of the machine. Tests say when they go without.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::binary::root;

/// Says on standard error that a test, or a part of it, did not run, and why.
pub fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
}

/// A path in the shared data beside the repository; `None`, and a line that says so, when it is not there.
pub fn shared(what: &str, path: &str) -> Option<PathBuf> {
    let found = root().parent().map(|parent| parent.join("shared").join(path)).filter(|path| path.exists());
    if found.is_none() {
        skipped(what, &format!("../shared/{path} is not there"));
    }
    found
}

/// Whether a tool can be started; says so when it cannot.
pub fn has_tool(what: &str, tool: &str, argument: &str) -> bool {
    let started = Command::new(tool).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !started {
        skipped(what, &format!("`{tool}` cannot be started"));
    }
    started
}

/// What a tool prints. Panics when it fails: a tool that is there is expected to work.
pub fn tool_output(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).output().expect("the tool was started before");
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
