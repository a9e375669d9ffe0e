//! What the tests of a file came to, for people and for programs.

use std::{ops::Range, path::PathBuf};

use serde_json::{Value as Json, json};
use vardelta_engine::{diagnostics::locate, spec::SpecFile};

/// The tests of one file.
pub struct FileOutcome {
    /// The file.
    pub path: PathBuf,
    /// As it was read.
    pub spec: SpecFile,
    /// In the order of the file.
    pub tests: Vec<TestOutcome>,
}

/// One test.
pub struct TestOutcome {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// In what it failed; nothing where it passed.
    pub failures: Vec<Failed>,
}

/// Something that is not as expected.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The step, 1-based.
    pub step: usize,
    /// Where the expectation is.
    pub span: Range<usize>,
    /// What it is about.
    pub what: String,
    /// Expected, not there.
    pub missing: Vec<String>,
    /// There, not expected.
    pub unexpected: Vec<String>,
    /// What would have to be written for it to be as expected.
    pub replacement: Option<String>,
    /// Whether later steps say nothing any more.
    pub ends_the_test: bool,
}

impl FileOutcome {
    /// Tests that passed, and tests that failed.
    pub fn counts(&self) -> (usize, usize) {
        let failed = self.tests.iter().filter(|test| !test.failures.is_empty()).count();
        (self.tests.len() - failed, failed)
    }

    /// File, line and column of an expectation.
    fn place(&self, failed: &Failed) -> (String, usize, usize) {
        let source = self.spec.source_at(failed.span.start);
        let (line, column) = locate(source.text, failed.span.start - source.start);
        (source.name, line + source.first_line - 1, column)
    }

    /// A line per test; below a failed one, what differs: `-` expected and not there, `+` there and not expected.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.path.display());
        for test in &self.tests {
            let word = if test.failures.is_empty() { "ok  " } else { "FAIL" };
            text += &format!("  {word}  {} ({:.0} ms)\n", test.name, test.seconds * 1_000.0);
            for failed in &test.failures {
                let (file, line, column) = self.place(failed);
                text += &format!("        step {}, {file}:{line}:{column}: {}\n", failed.step, failed.what);
                failed.missing.iter().for_each(|line| text += &format!("          - {line}\n"));
                failed.unexpected.iter().for_each(|line| text += &format!("          + {line}\n"));
            }
        }
        text
    }

    /// The same for programs.
    pub fn json(&self) -> Vec<Json> {
        let failure = |failed: &Failed| {
            let (file, line, column) = self.place(failed);
            json!({
                "step": failed.step, "file": file, "line": line, "column": column, "what": failed.what,
                "missing": failed.missing, "unexpected": failed.unexpected,
            })
        };
        let test = |test: &TestOutcome| {
            json!({
                "file": self.path.display().to_string(),
                "name": test.name,
                "passed": test.failures.is_empty(),
                "seconds": test.seconds,
                "failures": test.failures.iter().map(failure).collect::<Vec<_>>(),
            })
        };
        self.tests.iter().map(test).collect()
    }

    /// What a failed test says, for other reports.
    pub fn message(&self, failed: &Failed) -> String {
        let (file, line, column) = self.place(failed);
        let mut text = format!("step {}, {file}:{line}:{column}: {}", failed.step, failed.what);
        failed.missing.iter().for_each(|line| text += &format!("\n- {line}"));
        failed.unexpected.iter().for_each(|line| text += &format!("\n+ {line}"));
        text
    }
}
