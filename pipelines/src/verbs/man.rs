//! `man`: the manual pages.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use vardelta_engine::error::{RunError, RunErrorKind};

use crate::{arguments::CommandLine, destination, failure::Failure, output::Output};

/// How every page begins.
const START: &[u8] = b".ie \\n(.g .ds Aq";
const KIND: destination::Kind =
    destination::Kind { option: "--out", what: "a manual page", is_own: |start| start.starts_with(START) };

/// Arguments of `man`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Write the pages of all verbs into this folder: `vardelta.1`, `vardelta-run.1` and so on.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let mut command = CommandLine::command();
        command.build();
        let Some(folder) = &self.out else {
            let page = page(&command)?;
            if output.is_json() {
                output.json(&serde_json::json!({ "page": String::from_utf8_lossy(&page) }))?;
            } else {
                output.copy(&mut page.as_slice())?;
            }
            return Ok(0);
        };
        let written = write_all(&command, folder)?;
        if !output.is_quiet() && !output.is_json() {
            output.text(&format!("{written} pages are in {}\n", folder.display()))?;
        }
        if output.is_json() {
            output.json(&serde_json::json!({ "pages": written }))?;
        }
        Ok(0)
    }
}

/// Writes the page of a command and those of the verbs below it; yields how many.
fn write_all(command: &Command, folder: &Path) -> Result<usize, RunError> {
    let man = Man::new(command.clone());
    let path = destination::check_alone(&folder.join(man.get_filename()), &KIND)?;
    std::fs::write(&path, page(command)?).map_err(|error| unwritable(&path.display().to_string(), &error))?;
    let mut written = 1;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        written += write_all(verb, folder)?;
    }
    Ok(written)
}

fn page(command: &Command) -> Result<Vec<u8>, RunError> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(|error| unwritable("memory", &error))?;
    Ok(page)
}

fn unwritable(place: &str, error: &std::io::Error) -> RunError {
    RunError::new(RunErrorKind::Usage, format!("the manual page cannot be written to {place}: {error}"))
        .with_hint("Name a folder that is there with `--out`.")
}
