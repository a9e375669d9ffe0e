//! A project's folder is moved as a whole.

use std::fs;

use super::{pipeline, vcf};
use vardelta_tests::project::vardelta_in;

#[test]
fn a_project_that_was_moved_knows_its_drops() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let (here, there) = (directory.path().join("proj"), directory.path().join("moved"));
    for folder in ["drops", "later"] {
        fs::create_dir_all(here.join(folder)).expect("a folder can be made");
    }
    let write = |path: &str, text: &str| fs::write(here.join(path), text).expect("a file can be written");
    write("pipeline.toml", &pipeline("path = \"drops/*.vcf\""));
    write("drops/a.vcf", &vcf([1]));
    write("later/b.vcf", &vcf([2]));
    fs::write(directory.path().join("elsewhere.vcf"), vcf([3])).expect("a file can be written");
    let run = |arguments: &[&str]| vardelta_in(directory.path(), arguments).expect(0);
    run(&["run", "proj/pipeline.toml"]);
    run(&["run", "proj/pipeline.toml", "proj/later/b.vcf"]);
    run(&["run", "proj/pipeline.toml", "elsewhere.vcf"]);
    fs::rename(&here, &there).expect("a folder can be moved");
    let said = run(&["run", "moved/pipeline.toml", "--prune", "--json"]).json();
    assert_eq!(said["committed"], false, "{said}");
    let drops = run(&["drops", "moved/pipeline.toml", "--json"]).json();
    for drop in drops["drops"].as_array().expect("drops") {
        let path = drop["path"].as_str().expect("a path");
        assert!(std::path::Path::new(path).is_absolute() && fs::exists(path).expect("readable"), "{drop}");
    }
    fs::remove_file(there.join("later/b.vcf")).expect("removed");
    let said = run(&["run", "moved/pipeline.toml", "--prune-all", "--json"]).json();
    assert_eq!(said["drops"].as_array().map(Vec::len), Some(2), "{said}");
    run(&["verify", "moved/pipeline.toml"]);
}
