//! Every shipped pipeline says what its tables must hold, and holds it.

use std::{fs, process::Command};

use vardelta_tests::{
    binary::{binary, root},
    project::Project,
    web_sink::WebSink,
};

#[test]
fn every_shipped_pipeline_has_tests_that_pass() {
    let project = Project::new("");
    let folder = root().join("pipelines");
    let mut tested = 0;
    for entry in fs::read_dir(&folder).expect("pipelines are shipped").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".toml") || name == "Cargo.toml" {
            continue;
        }
        let path = entry.path().display().to_string();
        let said =
            vardelta_tests::project::vardelta_in(project.directory(), &["--json", "test", &path]).expect(0).json();
        assert!(said["passed"].as_u64() > Some(0) && said["failed"] == 0, "{name}: {said}");
        tested += 1;
    }
    assert!(tested >= 5, "only {tested} pipelines were tested");
}

#[test]
fn a_variable_that_is_not_set_is_its_default_or_a_text() {
    let project = Project::new("");
    let pipeline = fs::read_to_string(root().join("pipelines/gene_summary.toml")).expect("a pipeline");
    let path = "path = \"gene_summary/drops/*.vcf*\"";
    for (written, column) in [("${NO_SUCH_VARIABLE:-G_SYMBOL}", "G_SYMBOL"), ("${NO_SUCH_VARIABLE}", "unset")] {
        assert!(pipeline.contains(path), "the pipeline has {path}");
        let pipeline = pipeline.replace(path, &format!("{path}\ndrop_column = \"{written}\""));
        project.write(
            "variable.toml",
            pipeline.replace("quality = \"CAST", &format!("named = \"{column}\"\nquality = \"CAST")).as_bytes(),
        );
        vardelta_tests::project::vardelta_in(project.directory(), &["test", "variable.toml"]).expect(0);
    }
}

#[test]
fn a_test_asks_no_service_and_leaves_no_cache() {
    let project = Project::new("");
    let pipelines = root().join("pipelines");
    for part in ["enriched.toml", "fragments"] {
        let copied = Command::new("cp").arg("-r").arg(pipelines.join(part)).arg(project.directory()).status();
        assert!(copied.expect("coreutils").success());
    }
    let service = WebSink::start();
    let mut command = Command::new(binary());
    command.args(["test", "enriched.toml"]).current_dir(project.directory()).env("GENE_FACTS_URL", service.url(""));
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(service.posted().is_empty(), "the service was asked");
    assert!(!project.path("enriched_cache").exists(), "a cache is left");

    // What is reported must fit the look-up.
    let text = fs::read_to_string(project.path("enriched.toml")).expect("it was copied");
    for (told, wrong, says) in [
        (
            "answers = { gene_facts = [{ gene_symbol = \"BRCA1\"",
            "answers = { genes = [{ gene_symbol = \"BRCA1\"",
            "no look-up `genes`",
        ),
        ("entrez_id = 7157, gene_name", "entrez_id = \"7157\", gene_name", "cannot have `entrez_id` = a text"),
        ("{ gene_symbol = \"TP53\", entrez_id", "{ entrez_id", "lacks its key"),
    ] {
        assert!(text.contains(told), "{told}");
        project.write("wrong.toml", text.replace(told, wrong).as_bytes());
        let said = vardelta_tests::project::vardelta_in(project.directory(), &["test", "wrong.toml"]).expect(7);
        assert!(said.stdout.contains(says) || said.stderr.contains(says), "{says}: {} {}", said.stdout, said.stderr);
    }
}
