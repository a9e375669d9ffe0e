//! Regions: which records a source reads, judged by `bcftools view`, with and without an index.

use serde_json::Value;
use vardelta_tests::project::Project;

use super::{pipeline, project, rows, write_drop};

/// The report of a run with these lines under its source.
fn run(project: &Project) -> Value {
    project.vardelta("run", &["--json"]).expect(0).json()
}

const RECORDS: [&str; 6] = [
    "1 100 . A C 9 PASS .",
    "1 198 . ACGT A 9 PASS .",
    "1 201 . A C 9 PASS .",
    "1 150 . A <DEL> 9 PASS SVTYPE=DEL;END=200",
    "chr2 5 . A C 9 PASS .",
    "3 5 . A C 9 PASS .",
];

#[test]
fn records_that_cover_a_region_are_read() {
    for (source, expected) in [
        ("regions = [\"1:200-200\"]", &["1:150 A><DEL>", "1:198 ACGT>A"][..]),
        ("regions = [\"1:200\", \"2\"]", &["1:150 A><DEL>", "1:198 ACGT>A", "2:5 A>C"]),
        ("regions = [\"chr1:201-\"]", &["1:198 ACGT>A", "1:201 A>C"]),
        ("regions = [\"NC_000001.10:99-101\"]\nregions_file = \"panel.bed\"", &["1:100 A>C", "3:5 A>C"]),
    ] {
        let project = project(&pipeline("assembly = \"GRCh37\"", source), &[("a", "", &RECORDS)]);
        project.write("panel.bed", b"track name=x\nchr3\t4\t5\n");
        let report = run(&project);
        assert_eq!(rows(&project), expected, "{source}");
        let outside = RECORDS.len() - expected.len();
        assert_eq!(report["warnings"]["outside_regions"], outside, "{source}");
        assert_eq!(report["drops"][0]["read"], expected.len(), "{source}");
        // What lies outside is no part of the content.
        let mut more = RECORDS.to_vec();
        more.insert(5, "2 900000000 . A C 9 PASS .");
        if !source.contains("\"2\"") {
            write_drop(&project, "a", "", &more);
            assert_eq!(run(&project)["drops"][0]["action"], "unchanged", "{source}");
        }
    }
}

#[test]
fn nothing_inside_is_said_aloud() {
    let project = project(&pipeline("", "regions = [\"chr9:1-5\"]"), &[("a", "", &RECORDS)]);
    project.vardelta("run", &[]).expect(0).says(&["drop `a` has no records within its regions"]);
}

#[test]
fn other_regions_are_another_definition() {
    let project = project(&pipeline("", "regions_file = \"panel.bed\""), &[("a", "", &RECORDS)]);
    project.vardelta("run", &[]).expect(4).says(&["panel.bed", "`regions_file` of stage `calls`"]);
    project.write("panel.bed", b"1\t99\t100\nx\n");
    project.vardelta("run", &[]).expect(4).says(&["panel.bed:2:", "0-based"]);
    project.write("panel.bed", b"1\t99\t100\n");
    run(&project);
    assert_eq!(rows(&project), ["1:100 A>C"]);
    project.write("panel.bed", b"1\t99\t101\n");
    project.vardelta("run", &[]).expect(6).says(&["stage `calls` changed: the content of `regions_file`", "panel.bed"]);
    project.vardelta("rebuild", &[]).expect(0);
    project.write("pipeline.toml", pipeline("", "regions = [\"1:100-101\"]").as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["option `regions` (added)", "option `regions_file` (removed)"]);
}

#[test]
fn what_is_no_region_is_found_before_anything_runs() {
    let said = Project::new(&pipeline("", "regions = [\"chr7:9-5\"]")).vardelta("validate", &[]).expect(3);
    said.says(&["`chr7:9-5` is no region: it ends at 5 before it starts at 9", "pipeline.toml:10:"]);
}
