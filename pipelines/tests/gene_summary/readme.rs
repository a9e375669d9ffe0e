use std::{fs, path::Path};

use crate::Copy;

/// Takes the figures that differ from run to run out of a report.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.split_once(" committed (") {
        Some((what, _)) => format!("{what} committed"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}

#[test]
fn the_output_in_the_readme_is_what_its_commands_print() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("README.md");
    let copy = Copy::new();
    let (mut printed, mut commands, mut blocks) = (String::new(), 0, 0);
    for fenced in readme.split("```").skip(1).step_by(2) {
        let (language, body) = fenced.split_once('\n').expect("a fenced block");
        match language {
            "console" => {
                let Some(command) = body.trim().strip_prefix("$ cargo run --release -p vardelta -- ") else { continue };
                let command = command.replace("pipelines/", "");
                let outcome = copy.vardelta(&command.split(' ').collect::<Vec<&str>>());
                assert_eq!(outcome.code, 0, "{}", outcome.stderr);
                printed = without_times(&outcome.stdout);
                commands += 1;
            }
            "text" => {
                let shown = without_times(body);
                assert!(printed.contains(&shown), "README.md shows\n{shown}\nprinted was\n{printed}");
                blocks += 1;
            }
            _ => {}
        }
    }
    assert_eq!((commands, blocks), (3, 4), "README.md shows other commands or outputs than this test looks for");
}
