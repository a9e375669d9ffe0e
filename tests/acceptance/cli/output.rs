//! What is printed: JSON, the ledger's views, the catalogue; and the rejects, which are rows.

use serde_json::Value;
use vardelta_tests::{
    database, drop_file,
    project::{Project, vardelta_in},
    story,
};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[track_caller]
fn has_keys(value: &Value, expected: &[&str]) {
    let found = keys(value);
    for key in expected {
        assert!(found.contains(key), "`{key}` is not among {found:?}");
    }
}

#[test]
fn every_verb_prints_one_json_object() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    let run = project.vardelta("run", &["--json"]).expect(0).json();
    has_keys(&run, &["pipeline", "epoch", "drops", "tables", "rejects", "stages", "seconds"]);
    has_keys(
        &run["drops"][0],
        &["name", "action", "read", "loaded", "filtered", "rejected", "duplicates", "no_alternate", "reference_blocks"],
    );
    has_keys(&run["tables"][0], &["name", "inserted", "updated", "deleted"]);
    has_keys(&run["stages"][0], &["name", "rows_in", "rows_out", "seconds", "p50_us", "p99_us"]);
    for verb in ["validate", "graph", "explain", "drops", "history", "verify", "rebuild"] {
        project.vardelta(verb, &["--json"]).expect(0).json();
    }
    for format in ["text", "dot", "mermaid"] {
        assert!(!project.vardelta("graph", &["--format", format]).expect(0).stdout.is_empty());
    }
    project.vardelta("withdraw", &["alpha", "--json"]).expect(0).json();
    vardelta_in(project.directory(), &["stages", "--json"]).expect(0).json();
    vardelta_in(project.directory(), &["stages", "filter", "--json"]).expect(0).json();
    // Failures, too.
    for arguments in [&["no_such_file.vcf", "--json"][..], &["--into", "nowhere", "x.vcf", "--json"]] {
        let said = project.vardelta("run", arguments);
        assert!(said.code != 0);
        has_keys(&said.json(), &["error"]);
    }
}

#[test]
fn drops_and_history_tell_what_happened() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    story::write_drop(&project, "beta", &story::lines(2, 30));
    project.vardelta("run", &[]).expect(0);
    story::write_drop(&project, "alpha", &story::lines(3, 30));
    project.vardelta("run", &[]).expect(0);
    project.vardelta("withdraw", &["beta"]).expect(0);

    let history = project.vardelta("history", &["--json"]).expect(0).json();
    let events = history["events"].as_array().expect("a list");
    let told: Vec<(u64, &str, &str)> = events
        .iter()
        .map(|event| {
            let text = |key: &str| event[key].as_str().expect("a text");
            (event["epoch"].as_u64().expect("a number"), text("name"), text("action"))
        })
        .collect();
    assert_eq!(told, [(1, "alpha", "added"), (1, "beta", "added"), (2, "alpha", "replaced"), (3, "beta", "withdrawn")]);
    let drops = project.vardelta("drops", &["--json"]).expect(0).json();
    assert_eq!(drops["epoch"], 3);
    let alpha = &drops["drops"][0];
    assert_eq!(
        (&alpha["name"], &alpha["added_epoch"], &alpha["loaded_epoch"]),
        (&"alpha".into(), &1.into(), &2.into())
    );
    let counts = (story::PIPELINE.counts)(&story::lines(3, 30));
    assert_eq!((alpha["read"].as_u64(), alpha["loaded"].as_u64()), (Some(counts.read), Some(counts.loaded)));
    assert_eq!(drops["drops"].as_array().map(Vec::len), Some(1));
}

#[test]
fn rejects_are_rows_with_their_place_and_text() {
    let project = Project::new(story::PIPELINE.text);
    let bad = "1\tten\t.\tA\tC\t50\tPASS\t.";
    let good = "1\t1\t.\tA\tC\t50\tPASS\tANN=C|stop_gained|HIGH|TP53";
    project.write("drops/mixed.vcf", format!("{}{good}\n{bad}\n", drop_file::HEADER).as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(report["rejects"], serde_json::json!({ "bad_position": 1 }));
    let connection = database::open(&project.path(story::PIPELINE.database));
    let row: (String, String, i64, String, String) = connection
        .query_row("SELECT drop_name, stage, line, reason, raw FROM vardelta_rejects", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .expect("one reject");
    let line = drop_file::HEADER.lines().count() as i64 + 2;
    assert_eq!(row, ("mixed".into(), "calls".into(), line, "bad_position".into(), bad.into()));
}

#[test]
fn quiet_is_quiet_and_standard_output_carries_the_report_alone() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    let said = project.vardelta("run", &["-q"]).expect(0);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""));
    story::write_drop(&project, "beta", &story::lines(2, 30));
    let said = project.vardelta("run", &["--json"]).expect(0);
    assert_eq!(said.stderr, "", "progress is for terminals");
    assert_eq!(said.stdout.trim().lines().count(), 1, "one object, one line");
}

/// Rows that went to the sink before the run's last record was read are listed, or counted, as any others.
#[test]
fn changed_rows_are_listed_the_same_in_one_piece_and_in_several() {
    let in_pieces = ["--workers", "1", "--set", "pipeline.chunk_records=1"];
    for (records, listed) in [(4, "+ "), (60, "too many to list")] {
        let said = [&["--workers", "1"][..], &in_pieces].map(|arguments| {
            let project = Project::new(story::PIPELINE.text);
            for (seed, name) in [(1, "alpha"), (2, "beta"), (3, "gamma")] {
                story::write_drop(&project, name, &story::lines(seed, records));
            }
            let arguments: Vec<&str> = arguments.to_vec();
            let said = project.vardelta("run", &arguments).expect(0).stdout;
            // The first line says how long it took.
            said.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
        });
        assert_eq!(said[0], said[1]);
        assert!(said[0].contains(listed), "{}", said[0]);
    }
    let project = Project::new(story::PIPELINE.text);
    for (seed, name) in [(1, "alpha"), (2, "beta")] {
        story::write_drop(&project, name, &story::lines(seed, 4));
    }
    let report = project.vardelta("run", &[&in_pieces[..], &["--json"]].concat()).expect(0).json();
    assert!(report["rows_ahead"].as_u64().is_some_and(|rows| rows > 0), "{report}");
}
