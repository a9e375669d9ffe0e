//! What lies outside the repository: test data beside it, and tools of the machine. Tests say when they go without.

use std::process::{Command, Stdio};

pub use vardelta_test_servers::{shared_data as shared, skipped};

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
