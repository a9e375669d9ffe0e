//! The shipped clinical pipeline and what it rests on: ClinVar's words, its real releases forth and back, and random histories of
//! all its sources.

mod histories;
mod releases;
mod vocabulary;

use std::{fs, path::Path};

use vardelta_tests::{binary::root, folder, project::Project, shared::tool_output};

/// A project with the shipped fragments beside its pipeline file.
fn project(pipeline: &str) -> Project {
    let project = Project::new(pipeline);
    folder::copy(&root().join("pipelines/fragments"), &project.path("fragments"));
    project
}

/// The text of a file, decompressed.
fn text_of(path: &Path) -> String {
    let path = path.to_string_lossy();
    match path.ends_with(".gz") {
        true => tool_output("gzip", &["-dc", &path]),
        false => fs::read_to_string(&*path).expect("a file of the test data"),
    }
}

/// The value of an INFO field of a record's line.
fn info<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let fields = line.split('\t').nth(7)?.split(';');
    fields.filter_map(|field| field.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| value)
}
