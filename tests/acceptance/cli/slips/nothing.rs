//! A command that has nothing to work on leaves nothing behind.

use vardelta_tests::project::Project;

use super::{pipeline, project};

fn left(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.directory()).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_pipeline_that_was_never_loaded_is_left_alone() {
    let project = project();
    let cases: [(&str, &[&str], i32); 8] = [
        ("withdraw", &["zz"], 2),
        ("withdraw", &["zz", "--erase"], 2),
        ("withdraw", &["zz", "--dry-run"], 2),
        ("rebuild", &[], 2),
        ("migrate", &[], 2),
        ("verify", &[], 0),
        ("run", &[], 0),
        ("run", &["--prune"], 0),
    ];
    for (verb, arguments, code) in cases {
        project.vardelta(verb, arguments).expect(code);
        assert_eq!(left(&project), ["drops", "pipeline.toml"], "{verb} {arguments:?}");
    }
}

#[test]
fn a_drop_needs_a_name_that_can_be_read_and_an_override_a_value() {
    let project = project();
    let file = super::vcf(1..=3);
    for name in ["", "  ", "a\nb", "\u{1b}[2J"] {
        let said = project.vardelta_reading("run", &["-", "--as", name], file.as_bytes()).expect(2);
        said.says(&["a drop's name cannot"]);
    }
    project.vardelta("run", &["--set", "foo"]).expect(2).says(&["the override has no `=`"]);
    project.vardelta("run", &["--set", "stages.nope.x=1"]).expect(3).says(&["nope"]);
    assert_eq!(left(&project), ["drops", "pipeline.toml"]);
}

#[test]
fn every_drop_can_be_named_whatever_it_is_called() {
    let two = "path = \"none/*.vcf\"\n[stages.rb]\ntype = \"vcf\"\npath = \"none/*.vcf\"\n\
        [stages.both]\ntype = \"union\"\ninputs = [\"ra\", \"rb\"]\n";
    let text = pipeline(two).replace("[stages.calls]", "[stages.ra]").replace("input = \"calls\"", "input = \"both\"");
    let project = Project::new(&text);
    let mut at = 0;
    for source in ["ra", "rb"] {
        for name in ["x", "ra:x"] {
            at += 1;
            let file = super::vcf(at * 10 + 1..=at * 10 + 2);
            project.vardelta_reading("run", &["-", "--into", source, "--as", name], file.as_bytes()).expect(0);
        }
    }
    project.vardelta("withdraw", &["x"]).expect(2).says(&["Name one of `ra:x`, `rb:x`."]);
    let withdraw = |name: &str, source: &str, drop: &str| {
        let report = project.vardelta("withdraw", &[name, "--json"]).expect(0).json();
        assert_eq!((&report["drops"][0]["source"], &report["drops"][0]["name"]), (&source.into(), &drop.into()));
        assert_eq!(report["drops"].as_array().map(Vec::len), Some(1));
    };
    withdraw("ra:x", "ra", "x");
    withdraw("rb:ra:x", "rb", "ra:x");
    withdraw("ra:ra:x", "ra", "ra:x");
    withdraw("x", "rb", "x");
}
