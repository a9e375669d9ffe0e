//! `bench`, `run --trace` and `explain --analyze`: what they measure, what they name, and what they leave alone.

mod bottleneck;
mod compare;
mod figures;
mod files;
mod interrupt;
mod others;
mod server;
mod trace;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use vardelta_tests::{
    binary::binary,
    project::{Said, finish},
    shipped,
};

/// A copy of a shipped pipeline, and a directory for temporary files of its own.
struct Bench {
    file: &'static str,
    shipped: tempfile::TempDir,
    temporary: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench::of("gene_summary.toml", &["gene_summary"], &["gene_summary_mysql.toml"])
    }

    /// Of this pipeline, with these folders and files beside it.
    fn of(file: &'static str, folders: &[&str], files: &[&str]) -> Bench {
        let shipped = shipped::copied(folders, &[&[file], files].concat());
        Bench { file, shipped, temporary: tempfile::tempdir().expect("a temporary directory can be made") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.shipped.path().join(name)
    }

    /// A verb over the pipeline.
    fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.arg(verb).arg(self.file).args(arguments);
        command.current_dir(self.shipped.path()).env("TMPDIR", self.temporary.path()).stdin(Stdio::null());
        command
    }

    fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        finish(&mut self.command(verb, arguments))
    }

    /// `bench --json` with these arguments.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        self.vardelta("bench", &arguments).expect(0).json()
    }

    /// Every file of the user's, byte for byte.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.shipped.path().to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(&directory).expect("a directory can be read").flatten() {
                match entry.path().is_dir() {
                    true => open.push(entry.path()),
                    false => drop(files.insert(entry.path(), std::fs::read(entry.path()).expect("a file"))),
                }
            }
        }
        files
    }

    /// Panics if a scratch place is left.
    #[track_caller]
    fn leaves_nothing(&self) {
        assert_eq!(names(self.temporary.path()), Vec::<String>::new(), "scratch places are left");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory can be read").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is no list: {value}"))
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("`{key}` is no number: {value}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("`{key}` is no text: {value}"))
}
