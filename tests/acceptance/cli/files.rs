//! Where drops come from: paths, standard input, names, several sources.

use vardelta_tests::{
    drop_file::{self, Packing},
    project::{Project, vardelta_in},
    story,
};

#[test]
fn standard_input_is_a_drop_with_a_name() {
    let project = Project::new(story::PIPELINE.text);
    let lines = story::lines(1, 30);
    let text = drop_file::text(&lines, 0);
    for (packing, action) in [(Packing::Gzip, "added"), (Packing::Plain, "unchanged"), (Packing::Bgzf, "unchanged")] {
        let input = packing.pack(text.as_bytes());
        let report = project.vardelta_reading("run", &["-", "--as", "typed", "--json"], &input).expect(0).json();
        assert_eq!((&report["drops"][0]["name"], &report["drops"][0]["action"]), (&"typed".into(), &action.into()));
        assert_eq!(report["epoch"], 1);
    }
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&lines]));
    // A drop that came from nowhere is not gone.
    story::write_drop(&project, "alpha", &story::lines(2, 10));
    let report = project.vardelta("run", &["--prune-all", "--json"]).expect(0).json();
    assert_eq!(report["drops"].as_array().map(Vec::len), Some(1), "{report}");
    project.vardelta("withdraw", &["typed"]).expect(0);
    let alpha = story::lines(2, 10);
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&alpha]));
}

#[test]
fn an_empty_standard_input_is_an_error() {
    let project = Project::new(story::PIPELINE.text);
    project.vardelta_reading("run", &["-", "--as", "typed"], b"").expect(4);
}

#[test]
fn a_named_drop_is_replaced_under_its_name() {
    let project = Project::new(story::PIPELINE.text);
    let (one, two) = (story::lines(1, 20), story::lines(2, 20));
    let write = |name: &str, lines| project.write(name, drop_file::text(lines, 0).as_bytes());
    write("one.vcf", &one);
    write("two.vcf", &two);
    project.vardelta("run", &["one.vcf", "--as", "sample"]).expect(0);
    let report = project.vardelta("run", &["two.vcf", "--as", "sample", "--json"]).expect(0).json();
    assert_eq!(report["drops"][0]["action"], "replaced");
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&two]));
}

#[test]
fn paths_do_not_depend_on_where_the_command_is_run() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 20));
    let elsewhere = tempfile::tempdir().expect("a temporary directory can be made");
    std::fs::write(elsewhere.path().join("beta.vcf"), drop_file::text(&story::lines(2, 20), 0)).expect("writable");
    let pipeline = project.path("pipeline.toml");
    let pipeline = pipeline.to_str().expect("a temporary path is UTF-8");
    vardelta_in(elsewhere.path(), &["run", pipeline]).expect(0);
    assert!(project.path(story::PIPELINE.database).exists(), "the sink lies beside the pipeline file");
    assert!(project.path(".vardelta").exists(), "and so does the state");
    // A file named on the command line is relative to the working directory.
    vardelta_in(elsewhere.path(), &["run", pipeline, "beta.vcf"]).expect(0);
    let names: Vec<_> = std::fs::read_dir(elsewhere.path()).expect("it is there").collect();
    assert_eq!(names.len(), 1, "nothing is left in the working directory");
    // The same file, named from elsewhere.
    let beta = elsewhere.path().join("beta.vcf");
    let report =
        vardelta_in(project.directory(), &["run", pipeline, beta.to_str().expect("UTF-8"), "--json"]).expect(0);
    assert_eq!(report.json()["drops"][0]["action"], "unchanged");
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn an_override_says_where_drops_lie() {
    let project = Project::new(story::PIPELINE.text);
    std::fs::create_dir(project.path("other")).expect("a directory can be made");
    project.write("other/alpha.vcf", drop_file::text(&story::lines(1, 20), 0).as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(report["epoch"], 0);
    assert!(report["notices"][0].as_str().is_some_and(|notice| notice.contains("no file matches")), "{report}");
    project.vardelta("run", &["--set", "stages.calls.path=other/*.vcf"]).expect(0);
    assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["drops"][0]["name"], "alpha");
}

#[test]
fn two_files_of_one_name_are_refused() {
    let project = Project::new(story::PIPELINE.text);
    let text = drop_file::text(&story::lines(1, 5), 0);
    project.write("drops/alpha.vcf", text.as_bytes());
    project.write("drops/alpha.vcf.gz", &Packing::Gzip.pack(text.as_bytes()));
    project.vardelta("run", &[]).expect(4).says(&["alpha.vcf", "alpha.vcf.gz", "--as"]);
}

#[test]
fn with_two_sources_the_user_says_which() {
    let second = "[stages.late]\ntype = \"vcf\"\ninfo = [\"ANN\", \"CLNSIG\", \"DP\"]\n\n\
        [stages.both]\ntype = \"union\"\ninputs = [\"calls\", \"late\"]\n\n[stages.alleles]";
    let text =
        story::PIPELINE.text.replace("input = \"calls\"", "input = \"both\"").replace("[stages.alleles]", second);
    let project = Project::new(&text);
    let (one, two) = (story::lines(1, 20), story::lines(2, 20));
    project.write("same.vcf", drop_file::text(&one, 0).as_bytes());
    project.vardelta("run", &["same.vcf"]).expect(2).says(&["--into", "calls", "late"]);
    project.vardelta("run", &["same.vcf", "--into", "calls"]).expect(0);
    project.write("same.vcf", drop_file::text(&two, 0).as_bytes());
    project.vardelta("run", &["same.vcf", "--into", "late"]).expect(0);
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&one, &two]));
    // One name, two drops.
    project.vardelta("withdraw", &["same"]).expect(2).says(&["calls:same", "late:same"]);
    project.vardelta("withdraw", &["calls:same"]).expect(0);
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&two]));
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn what_loads_nothing_is_said_aloud() {
    let project = Project::new(story::PIPELINE.text);
    project.write("drops/header.vcf", drop_file::HEADER.as_bytes());
    project.vardelta("run", &[]).expect(0).says(&["header", "no records"]);
    let kept_out = "1\t1\t.\tA\tC\t5\tPASS\t.\n";
    project.write("drops/kept_out.vcf", format!("{}{kept_out}", drop_file::HEADER).as_bytes());
    project.vardelta("run", &[]).expect(0).says(&["nothing of drop `kept_out` was loaded"]);
}
