//! The JSON Schema as editors use it: Taplo, behind the TOML support of most of them, reads it by the line `#:schema`.

use std::{fs, path::Path, process::Command};

use vardelta_tests::{
    binary::{binary, root},
    shared::{has_tool, tool_output},
};

/// The first line of a pipeline file that an editor is to help with.
const HEADER: &str = "#:schema ./vardelta.schema.json";

/// Whether Taplo takes a file, and what it says.
fn lint(directory: &Path, name: &str, text: &str) -> (bool, String) {
    fs::write(directory.join(name), format!("{HEADER}\n{text}")).expect("a file can be written");
    let output = Command::new("taplo").args(["lint", "--colors", "never", name]).current_dir(directory).output();
    let output = output.expect("Taplo was started before");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn taplo_takes_every_shipped_pipeline_and_underlines_what_is_wrong() {
    if !has_tool("the JSON Schema in editors", "taplo", "--version") {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let schema = tool_output(&binary().display().to_string(), &["schema"]);
    fs::write(directory.path().join("vardelta.schema.json"), schema).expect("a file can be written");
    let mut shipped = 0;
    for entry in fs::read_dir(root().join("pipelines")).expect("pipelines are shipped").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !name.ends_with(".toml") || name == "Cargo.toml" {
            continue;
        }
        let (is_sound, said) = lint(directory.path(), &name, &fs::read_to_string(&path).expect("a pipeline"));
        assert!(is_sound, "{name}: {said}");
        shipped += 1;
    }
    assert!(shipped >= 6, "only {shipped} pipelines are shipped");
    let sound = fs::read_to_string(root().join("pipelines/gene_summary.toml")).expect("a pipeline");
    for (right, wrong, says) in [
        ("pick = \"worst\"", "pik = \"worst\"", "'pik' was unexpected"),
        ("type = \"filter\"", "type = \"filtre\"", "\"filtre\" is not one of"),
        ("key = [", "key = 5 # [", "5 is not of type \"array\""),
        ("[pipeline]\nname", "[pipeline]\nnome", "'nome' was unexpected"),
    ] {
        assert!(sound.contains(right), "the pipeline has {right}");
        let (is_sound, said) = lint(directory.path(), "wrong.toml", &sound.replacen(right, wrong, 1));
        assert!(!is_sound && said.contains(says), "{wrong}: {said}");
    }
}
