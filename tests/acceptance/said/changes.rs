//! How many changed rows are shown, how long their values may be, and the file that has them all.

use serde_json::Value;
use vardelta_tests::{database::texts, project::Project};

use super::pipeline;

fn project_of(records: usize) -> Project {
    let project = Project::new(&pipeline(""));
    let lines: Vec<String> = (1..=records).map(|pos| format!("1 {pos} . A C 9 PASS .")).collect();
    project.write_drop("many", "", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    project
}

fn lines_of(project: &Project, file: &str) -> Vec<Value> {
    let bytes = project.bytes(file);
    let text = std::str::from_utf8(&bytes).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

#[test]
fn the_json_of_a_dry_run_lists_the_first_thousand_rows_and_says_so() {
    for (records, listed) in [(1_000, 1_000), (1_001, 1_000)] {
        let project = project_of(records);
        let report = project.vardelta("run", &["--dry-run", "--json"]).expect(0).json();
        assert_eq!(report["tables"][0]["inserted"], records);
        let rows = report["changes"]["variants"].as_array().expect("a list");
        assert_eq!((rows.len(), &rows[0]["new"]["pos"]), (listed, &1.into()));
        let omitted = report["changes_omitted"].get("variants").and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(omitted as usize, records - listed);
        let notices = report["notices"].to_string();
        assert_eq!(notices.contains("the first 1,000 of 1,001 changed rows are listed"), omitted > 0, "{notices}");
    }
}

#[test]
fn the_file_has_every_change_of_run_and_withdrawal() {
    let project = project_of(1_500);
    project.vardelta("run", &["--dry-run", "--json", "--changes", "dry.ndjson"]).expect(0);
    project.vardelta("run", &["--changes", "run.ndjson"]).expect(0);
    project.vardelta("withdraw", &["many", "--changes", "gone.ndjson"]).expect(0);
    assert_eq!(project.bytes("dry.ndjson"), project.bytes("run.ndjson"));
    let (added, gone) = (lines_of(&project, "run.ndjson"), lines_of(&project, "gone.ndjson"));
    assert_eq!((added.len(), gone.len()), (1_500, 1_500));
    for (at, (added, gone)) in added.iter().zip(&gone).enumerate() {
        assert_eq!(
            (&added["table"], &added["op"], &gone["op"]),
            (&"variants".into(), &"insert".into(), &"delete".into())
        );
        assert_eq!(added["key"]["pos"], at + 1);
        assert_eq!((&added["new"], &added["old"]), (&gone["old"], &Value::Null));
    }
    assert!(texts(&project.path("said.sqlite"), "SELECT chrom FROM variants").is_empty());

    // A run that changes nothing has an empty file, which the next one may replace; what is no such file stays.
    project.vardelta("run", &["--changes", "none.ndjson", "drops/many.vcf"]).expect(0);
    project.vardelta("run", &["--changes", "none.ndjson"]).expect(0);
    assert!(project.bytes("none.ndjson").is_empty());
    for kept in ["pipeline.toml", "said.sqlite", "drops/many.vcf", "drops"] {
        let before = project.bytes(kept);
        project.vardelta("run", &["--changes", kept]).expect(2).says(&[kept]);
        assert!(project.bytes(kept) == before, "{kept}");
    }
}

#[test]
fn a_long_value_is_cut_in_reports_and_whole_in_the_file() {
    let project = Project::new(&pipeline(""));
    let long = "A".repeat(500_000);
    project.write_drop("long", "", &[&format!("1 5 . {long} A 9 PASS ."), &format!("1 6 . {long}! A 9 PASS .")]);
    for arguments in [&["--dry-run"][..], &["-v", "--changes", "all.ndjson"]] {
        let said = project.vardelta("run", arguments).expect(0).says(&["ref=AAAAAAAA", "(500000 characters)"]);
        assert!(said.stdout.len() < 5_000 && said.stderr.len() < 5_000, "{} bytes", said.stdout.len());
    }
    assert_eq!(lines_of(&project, "all.ndjson")[0]["new"]["ref"], long);
    // An error says no more of it.
    let strict = Project::new(&pipeline("").replace("max_reject_share = 1.0", ""));
    strict.write_drop("long", "", &[&format!("1 6 . {long}! A 9 PASS .")]);
    assert!(strict.vardelta("run", &[]).expect(5).stderr.len() < 2_000);
}
