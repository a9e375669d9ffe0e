//! What happens when the pipeline file changes: `run` refuses and says what changed, `rebuild` brings the tables along.

use std::fs::{remove_dir_all, remove_file};

use vardelta_tests::{database::read_tables, drop_file, project::Project, story};

fn loaded() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    story::write_drop(&project, "beta", &story::lines(2, 40));
    project.vardelta("run", &[]).expect(0);
    project
}

#[test]
fn a_changed_view_is_rebuilt_without_the_files() {
    let project = loaded();
    let before = story::tables(project.directory());
    remove_dir_all(project.path("drops")).expect("the drops are there");
    let text = story::PIPELINE.text.replace("\"avg(quality)\"", "\"max(quality)\"");
    project.write("pipeline.toml", text.as_bytes());
    for verb in ["run", "verify"] {
        let said = project.vardelta(verb, &[]).expect(6).says(&["mutation_summary", "rebuild"]);
        assert!(!said.stderr.contains("`annotated`"), "what did not change is not listed: {}", said.stderr);
    }
    project.vardelta("withdraw", &["alpha"]).expect(6).says(&["mutation_summary"]);
    assert_eq!(story::tables(project.directory()), before);

    project.vardelta("rebuild", &[]).expect(0);
    let after = story::tables(project.directory());
    assert_eq!(after.rows["variants"], before.rows["variants"]);
    assert_ne!(after.rows["mutation_summary"], before.rows["mutation_summary"]);
    project.vardelta("verify", &[]).expect(0);
    // The drops are what they were, and can go on coming and going.
    project.vardelta("withdraw", &["alpha"]).expect(0);
    std::fs::create_dir(project.path("drops")).expect("a directory can be made");
    let beta = story::lines(2, 40);
    let variants = &(story::PIPELINE.expected)(&[&beta])["variants"];
    assert_eq!(&story::tables(project.directory()).rows["variants"], variants);
    project.vardelta("verify", &[]).expect(0);

    // And back again: the tables are those of a pipeline that never changed.
    project.write("pipeline.toml", story::PIPELINE.text.as_bytes());
    project.vardelta("rebuild", &[]).expect(0);
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&beta]));
}

#[test]
fn a_changed_table_is_rebuilt_from_the_files_and_names_those_that_are_gone() {
    let project = loaded();
    let before = story::tables(project.directory());
    let text = story::PIPELINE.text.replace("qual >= 20 AND", "qual >= 50 AND");
    project.write("pipeline.toml", text.as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["passing", "rebuild"]);

    drop_file::remove(&project.path("drops"), "alpha");
    let said = project.vardelta("rebuild", &[]).expect(4).says(&["alpha"]);
    assert!(!said.stderr.contains("beta.vcf"), "only what is gone is named: {}", said.stderr);
    assert_eq!(story::tables(project.directory()), before, "nothing was written");

    story::write_drop(&project, "alpha", &story::lines(1, 40));
    project.vardelta("rebuild", &[]).expect(0);
    let fresh = Project::new(&text);
    story::write_drop(&fresh, "alpha", &story::lines(1, 40));
    story::write_drop(&fresh, "beta", &story::lines(2, 40));
    fresh.vardelta("run", &[]).expect(0);
    assert_eq!(story::tables(project.directory()).rows, story::tables(fresh.directory()).rows);
    assert_ne!(story::tables(project.directory()).rows, before.rows);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_column_more_changes_the_table() {
    let project = loaded();
    let text = story::PIPELINE.text.replace("alternate = \"alt\"", "alternate = \"alt\"\ndepth = \"info_dp\"");
    project.write("pipeline.toml", text.as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["annotated"]);
    project.vardelta("rebuild", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(report["drops"][0]["action"], "unchanged");
    // And one less again.
    project.write("pipeline.toml", story::PIPELINE.text.as_bytes());
    project.vardelta("rebuild", &[]).expect(0);
    let (one, two) = (story::lines(1, 40), story::lines(2, 40));
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&one, &two]));
}

#[test]
fn a_table_that_the_sink_no_longer_keeps_and_a_new_one() {
    let project = loaded();
    let (one, two) = (story::lines(1, 40), story::lines(2, 40));
    let expected = (story::PIPELINE.expected)(&[&one, &two]);
    let fewer = story::PIPELINE.text.replace("[\"variants\", \"mutation_summary\"]", "[\"mutation_summary\"]");
    project.write("pipeline.toml", fewer.as_bytes());
    project.vardelta("run", &[]).expect(6);
    project.vardelta("rebuild", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(story::tables(project.directory()).rows["mutation_summary"], expected["mutation_summary"]);
    project.vardelta("withdraw", &["beta"]).expect(0);
    project.vardelta("verify", &[]).expect(0);

    let more = "[stages.per_chromosome]\ntype = \"aggregate\"\ninput = \"variants\"\ngroup_by = [\"chromosome\"]\n\
        [stages.per_chromosome.columns]\nvariants = \"count(*)\"\n\n[stages.warehouse]";
    let text = story::PIPELINE
        .text
        .replace("[stages.warehouse]", more)
        .replace("\"mutation_summary\"]", "\"mutation_summary\", \"per_chromosome\"]");
    project.write("pipeline.toml", text.as_bytes());
    project.vardelta("rebuild", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    let found = read_tables(&project.path(story::PIPELINE.database), &[("per_chromosome", &["chromosome"])]);
    assert!(!found.rows["per_chromosome"].is_empty());
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&one]));
}

#[test]
fn what_does_not_matter_is_no_change() {
    let project = loaded();
    let text = story::PIPELINE
        .text
        .replace("[pipeline]", "# A comment.\n[pipeline]\nworkers = 3\nchunk_records = 9")
        .replace("path = \"drops/*.vcf*\"", "path = \"drops/*\"");
    project.write("pipeline.toml", text.as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(report["epoch"], 1);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn rebuild_before_the_first_run_is_a_mistake() {
    let project = Project::new(story::PIPELINE.text);
    project.vardelta("rebuild", &[]).expect(2).says(&["vardelta run"]);
    let _ = remove_file(project.path(story::PIPELINE.database));
}
