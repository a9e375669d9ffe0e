//! Small files made after what people reported of other tools, each with what must come of it. They lie beside the
//! repository; the expectations are here.

mod advised;
mod expected;
mod held_open;
mod long_values;
mod wide;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use vardelta_tests::{
    binary::binary,
    shared::{shared, skipped, tool_output},
};

use expected::{CASES, Case};

/// A copy of a case's folder that may be changed.
fn copied(folder: &Path) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("a temporary directory can be made");
    for (tool, arguments) in [("cp", ["-a", "--"]), ("chmod", ["-R", "u+w"])] {
        let mut command = Command::new(tool);
        command.args(arguments);
        if tool == "cp" {
            command.arg(folder.join("."));
        }
        let status = command.arg(scratch.path()).status().expect("the tool can be started");
        assert!(status.success(), "{} cannot be copied", folder.display());
    }
    scratch
}

/// Runs a case's command in a copy of its folder, and then its query; everything that was said, and the query's rows.
fn play(folder: &Path) -> String {
    let scratch = copied(folder);
    fs::create_dir_all(scratch.path().join("drops")).expect("a directory can be made");
    // What it puts aside lies elsewhere, where everybody may go: a case may become somebody else, or lock its own folder.
    let aside = tempfile::tempdir().expect("a temporary directory can be made");
    fs::create_dir(aside.path().join("vardelta_field")).expect("a directory can be made");
    fs::set_permissions(aside.path(), fs::Permissions::from_mode(0o1777)).expect("rights can be changed");
    let script = "exec 2>&1; bash ./cmd; echo \"rc=$?\"; \
        if [ -f check.sql ] && [ -f out.sqlite ]; then echo '-- rows'; sqlite3 -nullvalue NULL out.sqlite < check.sql; fi";
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(scratch.path()).stdin(Stdio::null());
    command.env("VARDELTA", binary()).env("TMPDIR", aside.path());
    let output = command.output().expect("bash can be started");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What is wrong with what came. What the command itself says of its parts (`== …`) may hold what must not come.
fn judge(case: &Case, said: &str) -> Vec<String> {
    let came: Vec<&str> = said.lines().filter(|line| !line.starts_with("== ")).collect();
    let came = came.join("\n");
    let missing = case.says.iter().filter(|text| !said.contains(**text)).map(|text| format!("does not say `{text}`"));
    let unwanted = case.never.iter().filter(|text| came.contains(**text)).map(|text| format!("says `{text}`"));
    missing.chain(unwanted).collect()
}

#[test]
fn every_field_case_ends_as_it_must() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    let tools = ["bash", "sqlite3", "bcftools", "bgzip", "tabix"];
    let missing = tools.iter().find(|tool| {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status();
        !found.is_ok_and(|status| status.success())
    });
    if let Some(tool) = missing {
        skipped("field cases", &format!("`{tool}` is not there"));
        return;
    }
    let is_root = tool_output("id", &["-u"]).trim() == "0";
    if !is_root {
        skipped("field cases of the superuser", "only root can become somebody else");
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = CASES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if case.as_root && !is_root {
                        continue;
                    }
                    let said = play(&folder.join(case.name));
                    let problems = judge(case, &said);
                    if !problems.is_empty() {
                        let text = format!("{}: {}\n{said}", case.name, problems.join("; "));
                        wrong.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

#[test]
fn every_case_is_played_and_says_what_must_come() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    for case in CASES {
        assert!(folder.join(case.name).join("cmd").is_file(), "there is no case {}", case.name);
        assert!(!case.says.is_empty(), "{} expects nothing", case.name);
    }
    let elsewhere = [held_open::CASE, long_values::CASE, wide::CASE];
    let cases = fs::read_dir(&folder).expect("the cases can be listed");
    for case in cases.map(|entry| entry.expect("the cases can be listed").file_name()) {
        let is_known = CASES.iter().map(|case| case.name).chain(elsewhere).any(|name| case == name);
        assert!(is_known, "no test plays {}", case.to_string_lossy());
    }
}
