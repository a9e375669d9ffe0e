//! The shipped pipeline with its sample drops, run as a user runs it: the binary in a copy of the directory.

/// What every exit code stands for.
mod exit_codes;
/// What programs read: one JSON object, whatever happens.
mod json;
/// The README shows what its commands print.
mod readme;
/// The same pipeline with its tables in a server, as far as none is needed.
mod server;
/// The README's story: a drop, the same again, a second drop, its withdrawal.
mod story;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use rusqlite::{Connection, OpenFlags, types::Value as Cell};
use serde_json::Value;
use vardelta_tests::shipped::copied;

/// A copy of the shipped pipeline in a directory of its own.
struct Copy {
    directory: tempfile::TempDir,
}

impl Copy {
    /// The pipeline as shipped: one drop in `drops/`, a second one in `later/`.
    fn new() -> Copy {
        Copy { directory: copied(&["gene_summary"], &["gene_summary.toml", "gene_summary_mysql.toml"]) }
    }

    /// A path in the copy.
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts the second drop where the pipeline looks for drops.
    fn deliver_day2(&self) {
        fs::copy(self.path("gene_summary/later/day2.vcf"), self.path("gene_summary/drops/day2.vcf")).expect("day2");
    }

    /// Runs `vardelta` in the copy.
    fn vardelta(&self, arguments: &[&str]) -> Outcome {
        Outcome::from(self.command(arguments).output().expect("vardelta runs"))
    }

    /// The same, not yet started.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vardelta"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Runs a verb with `--json` that must succeed, and gives the object it prints.
    fn json(&self, arguments: &[&str]) -> Value {
        let outcome = self.vardelta(&[arguments, &["--json"]].concat());
        assert_eq!(outcome.code, 0, "{arguments:?}: {}", outcome.stderr);
        outcome.json()
    }

    /// The sink's tables, row by row in key order, without the epoch that last changed each row.
    fn dump(&self) -> Vec<Vec<Cell>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.path("gene_summary.sqlite"), flags).expect("database");
        let mut rows = Vec::new();
        for table in ["variants", "mutation_summary"] {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).expect(table);
            let kept: Vec<usize> =
                (0..statement.column_count()).filter(|at| statement.column_name(*at) != Ok("changed_epoch")).collect();
            let found = statement
                .query_map([], |row| kept.iter().map(|at| row.get(*at)).collect::<Result<Vec<Cell>, _>>())
                .expect(table);
            rows.extend(found.map(|row| row.expect(table)));
        }
        rows
    }

    /// Columns of the summary of some genes.
    fn summary(&self, genes: &[&str]) -> Vec<(String, i64, f64, i64, i64)> {
        let connection = Connection::open(self.path("gene_summary.sqlite")).expect("database");
        let sql =
            "SELECT gene_symbol, variant_count, avg_quality, pathogenic_count, changed_epoch FROM mutation_summary";
        let mut statement = connection.prepare(sql).expect("summary");
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .expect("summary");
        rows.map(|row: Result<(String, i64, f64, i64, i64), _>| row.expect("row"))
            .filter(|row| genes.is_empty() || genes.contains(&row.0.as_str()))
            .collect()
    }
}

/// What a process did.
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        Outcome {
            code: output.status.code().expect("not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Outcome {
    /// Standard output as the one JSON object that it must be.
    fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        });
        assert!(value.is_object(), "{value}");
        value
    }
}
