//! The command line of vardelta: it reads arguments and pipeline files, calls the engine, and says what happened, to
//! people or (`--json`) to programs. It computes nothing itself.

mod arguments;
mod changes;
mod failure;
mod generate;
mod happened;
mod interrupt;
mod output;
mod pipeline_file;
mod progress;
mod proposal;
mod rejects_file;
mod report;
mod testing;
mod usage;
mod verbs;
mod watcher;

use std::{
    ffi::OsString,
    panic::{AssertUnwindSafe, catch_unwind},
};

use clap::Parser as _;
use vardelta_engine::error::RunError;

use crate::{arguments::CommandLine, failure::Failure, output::Output};

/// Runs one command: the program's name and its arguments in, the process's exit code out (0 done, 2 usage, 3 invalid
/// pipeline, 4 unreadable input, 5 reject share exceeded, 6 sink or state trouble, 7 verification mismatch, 70 a defect,
/// 130 interrupted).
pub fn command_line(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match CommandLine::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage::report(&error, &arguments),
    };
    let mut output = Output::new(parsed.json, parsed.quiet, parsed.verbose);
    // Threads of the engine catch their own panics; this is for what remains.
    let result = catch_unwind(AssertUnwindSafe(|| parsed.verb.execute(&mut output)))
        .unwrap_or_else(|payload| Err(RunError::panic("the command line", payload.as_ref()).into()));
    let result = result.and_then(|code| output.finish().map(|()| code).map_err(Failure::from));
    result.unwrap_or_else(|failure| failure.report(&mut output))
}
