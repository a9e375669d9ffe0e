//! `test`: expectations that are wrong fail, and say where and by what; what cannot fail is no test. And how it is called.

use serde_json::json;
use vardelta_tests::project::{Project, Said, vardelta_in};

/// Two sources, a table of each.
const PIPELINE: &str = r#"[pipeline]
name = "two"
max_reject_share = 0.5

[stages.calls]
type = "vcf"
path = "calls/*.vcf"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.good]
type = "filter"
input = "alleles"
where = "qual >= 20"
[stages.variants]
type = "table"
input = "good"
key = ["chrom", "pos", "ref", "alt"]

[stages.others]
type = "vcf"
path = "others/*.vcf"
[stages.other_alleles]
type = "normalize"
input = "others"
[stages.sites]
type = "table"
input = "other_alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.warehouse]
type = "sqlite"
path = "two.sqlite"
tables = ["variants", "sites"]
"#;

/// A test of one step, which delivers to both sources; its expectations begin at line 13 after the pipeline.
fn with(expectations: &str) -> Project {
    Project::new(&format!(
        "{PIPELINE}
[[tests]]
name = \"both\"
[[tests.steps]]
add = [
    {{ calls = \"day1\", records = \"\"\"
chr1 5 . A C 50 PASS .
chr1 6 . A C 10 PASS .
chr1 x . A C 50 PASS .
\"\"\" }},
    {{ others = \"other1\", records = \"chr1 9 . G T 50 PASS .\" }},
]
{expectations}
"
    ))
}

#[track_caller]
fn test(project: &Project, arguments: &[&str], code: i32) -> Said {
    project.vardelta("test", arguments).expect(code)
}

const RIGHT: &str = "expect.rows.variants = [{ pos = 5 }]\nexpect.rows.sites = [{ pos = 9 }]
expect.counts = { read = 4, loaded = 2, filtered = 1, rejected = 1 }\nexpect.rejects = { bad_position = 1 }";

#[test]
fn a_wrong_expectation_fails_with_its_line_and_what_differs() {
    test(&with(RIGHT), &[], 0).says(&["ok    both", "1 passed, 0 failed"]);
    let place = format!("pipeline.toml:{}:", PIPELINE.lines().count() + 13);
    for (expectation, says) in [
        // How many there are is part of what is expected: a row too many and a row too few.
        ("expect.rows.variants = []", &["rows of `variants`", "+ chrom=chr1 pos=5"][..]),
        ("expect.rows.variants = [{ pos = 5 }, { pos = 5 }]", &["- pos=5"]),
        ("expect.rows.variants = [{ pos = 6 }]", &["- pos=6", "+ chrom=chr1 pos=5"]),
        // One source's rows do not stand for the other's.
        ("expect.rows.sites = [{ pos = 5 }]", &["rows of `sites`", "- pos=5", "+ chrom=chr1 pos=9"]),
        ("expect.rows.sites = []", &["+ chrom=chr1 pos=9"]),
        // What the source did is reported like everything else.
        ("expect.counts = { read = 3 }", &["`read`", "- 3", "+ 4"]),
        ("expect.counts = { filtered = 0 }", &["`filtered`", "- 0", "+ 1"]),
        ("expect.rejects = {}", &["rejects", "+ bad_position 1"]),
        ("expect.rejects = { bad_ref = 1 }", &["- bad_ref 1", "+ bad_position 1"]),
        ("expect.warnings = { half_call = 1 }", &["warnings", "- half_call 1"]),
        ("expect.changes.variants = []", &["changes of `variants`", "+ + chrom=chr1 pos=5"]),
        ("expect.changes.variants = [\"- pos=5\"]", &["- - pos=5"]),
        ("expect.exit_code = 5", &["the exit code", "- 5", "+ 0: it was done"]),
        ("expect.rows.sight = []", &["the sink has no table `sight`; it has", "+ sites"]),
        ("expect.rows.sites = [{ position = 9 }]", &["the table has no column", "- position"]),
    ] {
        let said = test(&with(expectation), &[], 7);
        assert!(said.stdout.contains("FAIL  both") && said.stdout.contains(&place), "{expectation}: {}", said.stdout);
        said.says(says).says(&["0 passed, 1 failed"]);
    }
    // A run that ends otherwise than expected is a failure of its step.
    let strict = with(RIGHT);
    test(&strict, &["--set", "pipeline.max_reject_share=0.1"], 7).says(&["the exit code", "- 0", "+ 5: "]);
}

#[test]
fn a_run_that_fails_ends_no_other_test() {
    let broken = "[[tests]]\nname = \"no VCF\"\n[[tests.steps]]\nexpect.exit_code = 4
add = { calls = \"day1\", records = \"##fileformat=VCFv4.2\" }\n";
    let sound = |number: usize| {
        format!("[[tests]]\nname = \"sound {number}\"\n[[tests.steps]]
add = {{ calls = \"day1\", records = \"chr1 {number} . A C 50 PASS .\" }}\nexpect.rows.variants = [{{ pos = {number} }}]\n")
    };
    let tests: String = (1..9)
        .map(|number| format!("{}{}", broken.replace("no VCF", &format!("no VCF {number}")), sound(number)))
        .collect();
    let said = test(&Project::new(&format!("{PIPELINE}\n{tests}")), &[], 0).says(&["16 passed, 0 failed"]);
    // Whoever runs them, they are listed in the order of the file.
    let told: Vec<&str> = said.stdout.lines().filter(|line| line.contains("ok  ")).collect();
    assert!(told.iter().enumerate().all(|(at, line)| line.contains(["no VCF", "sound"][at % 2])), "{told:?}");
    assert!(told[15].contains("sound 8"), "{told:?}");
}

#[test]
fn what_cannot_fail_or_does_nothing_is_no_test() {
    for (tests, says) in [
        ("[[tests]]\nname = \"a\"\nsteps = []", "the test `a` expects nothing, so it cannot fail"),
        ("[[tests]]\nname = \"a\"\n[[tests.steps]]\nwithdraw = \"x\"", "expects nothing"),
        ("[[tests]]\nname = \"a\"\n[[tests.steps]]\nwithdraw = \"x\"\nexpect = {}", "expects nothing"),
        ("[[tests]]\nname = \"a\"\n[[tests.steps]]\nexpect.rows.sites = []", "the step does nothing"),
        ("[[tests]]\n[[tests.steps]]\nwithdraw = \"x\"\nexpect.rows.sites = []", "the test has no name"),
    ] {
        test(&Project::new(&format!("{PIPELINE}\n{tests}\n")), &[], 3).says(&[says]);
    }
    test(&Project::new(PIPELINE), &[], 2).says(&["there are no tests"]);
    test(&with(RIGHT), &["--name", "neither"], 2).says(&["no test has such a name"]);
}

#[test]
fn failed_expectations_are_rewritten_and_then_hold() {
    let wrong = "expect.rows.variants = [{ pos = 7 }]\nexpect.counts = { read = 9 }\nexpect.rejects = {}
expect.changes.sites = [\"- pos=9\"]";
    let project = with(wrong);
    test(&project, &["--update"], 7).says(&["4 expectations rewritten"]);
    test(&project, &[], 0).says(&["1 passed, 0 failed"]);
    let text = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8");
    let (before, _) = text.split_once("expect.").expect("expectations");
    assert!(String::from_utf8_lossy(&with(wrong).bytes("pipeline.toml")).starts_with(before), "{text}");
    assert!(text.contains("expect.counts = { read = 4 }") && text.contains("{ pos = 5 }"), "{text}");
}

#[test]
fn outcomes_are_told_to_programs_and_build_servers() {
    let project = with("expect.rows.sites = [{ pos = 5 }]");
    let said = test(&project, &["--json", "--junit", "outcomes.xml"], 7).json();
    assert_eq!((&said["passed"], &said["failed"]), (&json!(0), &json!(1)));
    let failure = &said["tests"][0]["failures"][0];
    assert_eq!((&failure["step"], &failure["missing"]), (&json!(1), &json!(["pos=5"])));
    assert_eq!(failure["line"], json!(PIPELINE.lines().count() + 13), "{failure}");
    let junit = String::from_utf8(project.bytes("outcomes.xml")).expect("UTF-8");
    assert!(junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("<failure message=\"rows of `sites`\">"));
}

#[test]
fn without_a_file_the_tests_of_the_folder_are_run_and_options_are_replaced() {
    let project = with(RIGHT);
    let in_folder = |arguments: &[&str]| vardelta_in(project.directory(), &[&["test"], arguments].concat());
    // Beside files that are no pipelines, or have no tests.
    project.write("Cargo.toml", b"[package]\nname = \"x\"\n[[test]]\nname = \"y\"\n");
    project.write("fragment.toml", b"[parameters]\na = \"b\"\n");
    project.write("untested.toml", PIPELINE.as_bytes());
    let said = in_folder(&[]).expect(0).says(&["1 passed, 0 failed"]);
    assert!(said.stdout.starts_with("pipeline.toml\n") && !said.stdout.contains("untested"), "{}", said.stdout);
    project.write("a_second.toml", &project.bytes("pipeline.toml"));
    let said = in_folder(&["--json"]).expect(0).json();
    let files: Vec<_> = said["tests"].as_array().expect("a list").iter().map(|test| test["file"].clone()).collect();
    assert_eq!(files, ["a_second.toml", "pipeline.toml"]);
    // A file that has tests and is wrong is not passed over.
    let wrong = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8").replace("\"filter\"", "\"filtre\"");
    project.write("a_second.toml", wrong.as_bytes());
    in_folder(&[]).expect(3).says(&["filtre"]);
    project.write("a_second.toml", b"");

    // Another threshold, another outcome.
    in_folder(&["--set", "stages.good.where=qual >= 5"]).expect(7).says(&["+ chrom=chr1 pos=6"]);
    test(&project, &["--set", "stages.good.where=qual >= 30"], 0);
    test(&project, &["--set", "stages.god.where=qual >= 5"], 3).says(&["Did you mean `good`?"]);
    test(&project, &["--set", "stages.good.where"], 2).says(&["the override has no `=`"]);

    let empty = Project::new(PIPELINE);
    vardelta_in(empty.directory(), &["test"]).expect(2).says(&["no pipeline file of this folder has tests"]);
}
