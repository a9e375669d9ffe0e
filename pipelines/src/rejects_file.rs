//! `--rejects`: every reject of a run as a line of tab-separated text.
//!
//! Columns: epoch (the one the run makes if it commits), drop, stage, line, contig, pos, reason, detail, raw. A missing value
//! is empty. Within values a tab is written `\t`, a line feed `\n`, a carriage return `\r`, a backslash `\\` and any other
//! character that steers a terminal `\u{1b}`. A value that a spreadsheet would take for a formula has a `'` before it.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use vardelta_engine::{
    edge::escape,
    error::{RunError, RunErrorKind},
    locks::Locked as _,
    plan::Plan,
};
use vardelta_schemas::ledger::{Epoch, RejectRow};

use crate::destination::{self, Kind};

/// The header line.
const HEADER: &str = "epoch\tdrop\tstage\tline\tcontig\tpos\treason\tdetail\traw\n";

/// What may be replaced.
const KIND: Kind =
    Kind { option: "--rejects", what: "a list of rejects", is_own: |start| start.starts_with(HEADER.as_bytes()) };

/// A file being written beside its final place.
pub struct RejectsFile {
    /// The final place; `None` for standard output.
    place: Option<(PathBuf, tempfile::TempPath)>,
    writer: Mutex<BufWriter<Box<dyn Write + Send>>>,
}

impl RejectsFile {
    /// Begins a file. What is at `path` stays until [`RejectsFile::finish`]; it must be an older list of rejects.
    ///
    /// # Errors
    /// When something else lies there or belongs there, and when no file can be made in its directory.
    pub fn create(path: &Path, plan: &Plan) -> Result<RejectsFile, RunError> {
        let is_stdout = path == Path::new("-");
        let path = &if is_stdout { path.to_path_buf() } else { destination::check(path, plan, &KIND)? };
        let (place, writer): (_, Box<dyn Write + Send>) = if is_stdout {
            (None, Box::new(io::stdout()))
        } else {
            let file = destination::begin(path).map_err(|error| unwritable(path, &error))?;
            let (file, temporary) = file.into_parts();
            (Some((path.to_path_buf(), temporary)), Box::new(file))
        };
        let file = RejectsFile { place, writer: Mutex::new(BufWriter::new(writer)) };
        file.put(HEADER).map_err(|error| unwritable(path, &error))?;
        Ok(file)
    }

    /// Writes a reject.
    ///
    /// # Errors
    /// When the file takes no more.
    pub fn write(&self, epoch: Epoch, reject: &RejectRow) -> io::Result<()> {
        self.put(&line(epoch, reject))
    }

    fn put(&self, text: &str) -> io::Result<()> {
        self.writer.locked().write_all(text.as_bytes())
    }

    /// Puts the file into its place, whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), RunError> {
        let mut writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let flushed = writer.flush();
        drop(writer);
        match self.place {
            None => flushed.map_err(|error| unwritable(Path::new("-"), &error)),
            Some((path, temporary)) => {
                flushed.map_err(|error| unwritable(&path, &error))?;
                // The run itself, or somebody else, may have put something there.
                destination::check_again(&path, &KIND)?;
                temporary.persist(&path).map_err(|error| unwritable(&path, &error.error))
            }
        }
    }
}

/// A reject as a line.
fn line(epoch: Epoch, reject: &RejectRow) -> String {
    let number = |number: Option<String>| number.unwrap_or_default();
    let text = |text: Option<&str>| text.map(|text| escape::cell(text).into_owned()).unwrap_or_default();
    format!(
        "{epoch}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
        text(reject.drop_name.as_deref()),
        escape::cell(&reject.stage),
        number(reject.line.map(|line| line.to_string())),
        text(reject.contig.as_deref()),
        text(reject.pos.map(|pos| pos.to_string()).as_deref()),
        reject.reason,
        escape::cell(&reject.detail),
        text(reject.raw.as_deref()),
    )
}

fn unwritable(path: &Path, error: &io::Error) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("the rejects cannot be written to {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_their_columns() {
        let reject = RejectRow {
            drop_name: Some("a".into()),
            stage: "calls".into(),
            line: Some(7),
            reason: "bad_ref".into(),
            detail: "REF `\\`".into(),
            contig: Some("=HYPERLINK(1)".into()),
            pos: Some(-5),
            raw: Some("1\t5\r\nx\u{1b}[2J".into()),
            ..RejectRow::default()
        };
        assert_eq!(
            line(Epoch::new(3), &reject),
            "3\ta\tcalls\t7\t'=HYPERLINK(1)\t'-5\tbad_ref\tREF `\\\\`\t1\\t5\\r\\nx\\u{1b}[2J\n"
        );
    }
}
