//! Every shipped pipeline says what its tables must hold, and holds it.

use std::fs;

use vardelta_tests::{binary::root, project::Project};

/// Its rows wait for a service, which a test has no way to play.
const ASKS_A_SERVICE: &str = "enriched.toml";

#[test]
fn every_shipped_pipeline_has_tests_that_pass() {
    let project = Project::new("");
    let folder = root().join("pipelines");
    let mut tested = 0;
    for entry in fs::read_dir(&folder).expect("pipelines are shipped").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".toml") || ["Cargo.toml", ASKS_A_SERVICE].contains(&name.as_str()) {
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
