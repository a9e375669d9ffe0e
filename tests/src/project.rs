//! A pipeline in a directory of its own, driven by the `vardelta` command line.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::binary::binary;

/// A directory with `pipeline.toml` and `drops/`.
pub struct Project {
    directory: tempfile::TempDir,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Said {
    /// Panics with all that was said unless the exit code is this one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Said {
        assert!(self.code == code, "exit code {} instead of {code}\n{}\n{}", self.code, self.stdout, self.stderr);
        self
    }

    /// Panics with all that was said unless each of these is in standard output or standard error.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Said {
        for text in texts {
            assert!(
                self.stdout.contains(text) || self.stderr.contains(text),
                "`{text}` is not said\n{}\n{}",
                self.stdout,
                self.stderr
            );
        }
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is not one JSON value: {error}\n{}", self.stdout));
        assert!(value.is_object(), "standard output is JSON, but no object:\n{}", self.stdout);
        value
    }
}

impl Project {
    /// A project with this pipeline file.
    pub fn new(pipeline: &str) -> Project {
        let project = Project { directory: tempfile::tempdir().expect("a temporary directory can be made") };
        std::fs::create_dir(project.path("drops")).expect("a directory can be made");
        project.write("pipeline.toml", pipeline.as_bytes());
        project
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A path in the project.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(path);
        std::fs::write(&path, bytes).expect("a file can be written");
        path
    }

    /// Writes a drop of these `##` lines and these records without genotypes, separated by blanks.
    pub fn write_drop(&self, name: &str, meta: &str, records: &[&str]) {
        let records: String = records.iter().map(|record| format!("{}\n", record.replace(' ', "\t"))).collect();
        let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
        self.write(&format!("drops/{name}.vcf"), format!("##fileformat=VCFv4.2\n{meta}{columns}{records}").as_bytes());
    }

    /// A file's bytes; empty when it is not there.
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path(path)).unwrap_or_default()
    }

    /// A command over `pipeline.toml`, to be started in the project's directory: `verb`, the pipeline, the arguments.
    pub fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.arg(verb).arg("pipeline.toml").args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        Said::from(self.command(verb, arguments).output().expect("vardelta can be started"))
    }

    /// Runs a command to its end, with this on standard input.
    pub fn vardelta_reading(&self, verb: &str, arguments: &[&str], input: &[u8]) -> Said {
        let mut command = self.command(verb, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("vardelta can be started");
        // A command that does not read is allowed to close its input early.
        let _ = child.stdin.take().expect("standard input is a pipe").write_all(input);
        Said::from(child.wait_with_output().expect("vardelta ends"))
    }
}

/// Runs a command that was prepared elsewhere to its end.
pub fn finish(command: &mut Command) -> Said {
    Said::from(command.output().expect("the command can be started"))
}

/// The command `vardelta` with these arguments, started in this directory.
pub fn vardelta_in(directory: &Path, arguments: &[&str]) -> Said {
    finish(Command::new(binary()).args(arguments).current_dir(directory).stdin(Stdio::null()))
}
