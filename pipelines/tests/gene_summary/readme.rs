use std::{fs, path::Path};

use rusqlite::{Connection, types::Value as Cell};
use vardelta_tests::folder;

use crate::Copy;

/// Takes the figures that differ from run to run out of a report.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.split_once(" committed (") {
        Some((what, _)) => format!("{what} committed"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}

/// What `sqlite3` prints for a query.
fn query_rows(copy: &Copy, query: &str) -> String {
    let connection = Connection::open(copy.path("clinical.sqlite")).expect("database");
    let mut statement = connection.prepare(query).expect("valid SQL");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cell = |at| match row.get(at)? {
            Cell::Integer(value) => Ok(value.to_string()),
            Cell::Text(value) => Ok(value),
            other => panic!("no such value is shown: {other:?}"),
        };
        (0..columns).map(cell).collect::<Result<Vec<String>, rusqlite::Error>>()
    });
    rows.expect("rows").map(|row| format!("{}\n", row.expect("row").join("|"))).collect()
}

#[test]
fn the_output_in_the_readme_is_what_its_commands_print() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("README.md");
    let copy = Copy::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["clinical", "cohort", "fragments"] {
        folder::copy(&shipped.join(name), &copy.path(name));
    }
    for file in ["clinical.toml", "cohort.toml"] {
        fs::copy(shipped.join(file), copy.path(file)).expect("pipeline");
    }
    let (mut printed, mut commands, mut blocks) = (String::new(), 0, 0);
    for fenced in readme.split("```").skip(1).step_by(2) {
        let (language, body) = fenced.split_once('\n').expect("a fenced block");
        match language {
            "console" => {
                if let Some(query) = body.trim().strip_prefix("$ sqlite3 pipelines/clinical.sqlite ") {
                    printed = query_rows(&copy, query.trim_matches('"'));
                    commands += 1;
                    continue;
                }
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
    assert_eq!((commands, blocks), (10, 9), "README.md shows other commands or outputs than this test looks for");
}
