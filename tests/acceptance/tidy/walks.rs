//! The walks of ARCHITECTURE.md: ten lines each, and every file they lead through is there.

use vardelta_tests::binary::root;

use super::{nothing, read};

/// How many walks there are, and the lines of each.
const WALKS: usize = 3;
const LINES: usize = 10;

#[test]
fn the_walks_lead_through_files_of_the_tree() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let (_, section) = page.split_once("## Three walks\n").expect("the page has the walks");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines: Vec<&str> =
        section.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())).collect();
    assert_eq!(lines.len(), WALKS * LINES, "{WALKS} walks of {LINES} lines");
    let mut missing = Vec::new();
    for line in lines {
        let files = line.split('`').skip(1).step_by(2).filter(|text| text.ends_with(".rs"));
        let files: Vec<&str> = files.collect();
        assert!(!files.is_empty(), "no file is named: {line}");
        missing.extend(files.iter().filter(|file| !root().join(file).is_file()).map(|file| format!("{file}: {line}")));
    }
    nothing("who follows a walk finds every file", &missing);
}
