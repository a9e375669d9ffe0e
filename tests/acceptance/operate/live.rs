//! The view of a run on a terminal: what it shows, in which characters, and that nothing of it is there where there is none.

use std::process::Command;

use vardelta_tests::{binary::binary, held::Held, process::until, project::Project, shared::has_tool};

use super::{META, project};

/// A run on a terminal of this size, held at a point until the view shows these words; what the terminal got.
fn on_terminal(project: &Project, point: &str, words: &str, size: &str, variables: &[(&str, &str)]) -> String {
    let typescript = project.path("typescript");
    let run = format!("stty {size}; exec {} run pipeline.toml", binary().display());
    let mut command = Command::new("script");
    command.args(["-qefc", &run]).arg(&typescript).current_dir(project.directory());
    command.env("TERM", "xterm").env_remove("NO_COLOR").envs(variables.iter().copied());
    let held = Held::at(point, &[], command);
    let shown = || String::from_utf8_lossy(&std::fs::read(&typescript).unwrap_or_default()).into_owned();
    until(&format!("the view shows `{words}`"), || shown().contains(words));
    held.go_on().expect(0);
    shown()
}

fn loaded() -> Project {
    let project = project("");
    project.write_drop(
        "one",
        META,
        &["1 5 . A C 9 PASS CLNSIG=odd;AC=1", "1 x . A C 9 PASS .", "1 6 . A C 9 PASS AC=x"],
    );
    project
}

#[test]
fn a_view_is_drawn_and_goes_before_the_report() {
    if !has_tool("a terminal", "script", "--version") {
        return;
    }
    let shown = on_terminal(&loaded(), "commit:begin", "writing", "cols 100 rows 30", &[("LC_ALL", "C.UTF-8")]);
    for words in ["writing", "3 records", "rejected  1", "bad_position 1", "adapted"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // The file may be read to its end before the first frame is drawn.
    assert!(shown.contains(['░', '█']) && shown.contains("\u{1b}[31m  rejected"), "{shown}");
    // What the terminal shows at the end is the report alone.
    let report = shown.rfind("told: epoch 1").unwrap_or_else(|| panic!("no report: {shown}"));
    let last = shown.rfind("writing").expect("it was there");
    assert!(last < report && shown[last..report].contains("\u{1b}["), "the view is taken away: {shown}");
}

/// A run whose file is read, on a terminal that has neither colour nor Unicode.
fn while_reading() -> String {
    // More than one chunk, of which the reader is held before it hands the second one over.
    let project = project("");
    let records: Vec<String> = (1..60_000).map(|at| format!("1 {at} . A C 9 PASS CLNSIG=Pathogenic;AC={at}")).collect();
    project.write_drop("large", META, &records.iter().map(String::as_str).collect::<Vec<_>>());
    let waits = "workers wait for readers";
    on_terminal(&project, "reader:chunk:2", waits, "cols 120 rows 30", &[("LC_ALL", "C"), ("NO_COLOR", "1")])
}

#[test]
fn while_files_are_read_it_shows_stages_and_who_waits_for_whom() {
    if !has_tool("a terminal", "script", "--version") {
        return;
    }
    let shown = while_reading();
    for words in ["loading", "  large  #", "rows in", "  variants  ", "  queue  ......", " 0 of "] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn without_colour_and_without_unicode_there_is_none() {
    if !has_tool("a terminal", "script", "--version") {
        return;
    }
    let shown = while_reading();
    let (view, _) = shown.split_once("told: epoch 1").unwrap_or((&shown, ""));
    assert!(view.contains("loading  #"), "{shown}");
    // Commands that move the cursor and take lines away, and none that colours.
    assert!(view.is_ascii() && !view.contains("[36m") && !view.contains("[2m") && !view.contains("[31m"), "{view:?}");
}

#[test]
fn where_there_is_no_terminal_nothing_is_drawn() {
    let said = loaded().vardelta("run", &[]).expect(0);
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    if !has_tool("a terminal", "script", "--version") {
        return;
    }
    // A terminal that can take no line back, and somebody who wants quiet.
    for arguments in ["TERM=dumb", "TERM=xterm QUIET=-q"] {
        let run = format!("{arguments}; export TERM; {} run pipeline.toml $QUIET", binary().display());
        let project = loaded();
        let output = Command::new("script").args(["-qec", &run, "/dev/null"]).current_dir(project.directory()).output();
        let shown = String::from_utf8_lossy(&output.expect("script can be started").stdout).into_owned();
        assert!(!shown.contains("\u{1b}["), "{arguments}: {shown:?}");
    }
}
