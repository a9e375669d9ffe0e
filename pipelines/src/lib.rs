//! The command line of vardelta: it reads arguments and pipeline files, calls the engine, and says what happened, to
//! people or (`--json`) to programs. It computes nothing itself.

mod allocations;
mod analysis;
mod arguments;
mod bench;
mod changes;
mod changes_file;
mod destination;
mod explained;
mod failure;
mod generate;
mod graph_json;
mod happened;
mod interrupt;
mod live;
mod operate;
mod output;
mod page;
mod pipeline_file;
mod progress;
mod proposal;
mod rejects_file;
mod report;
mod serve;
mod set_aside;
mod stamp;
mod testing;
mod trace_file;
mod usage;
mod verbs;
mod watch;
mod watcher;

use std::{
    ffi::OsString,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use clap::Parser as _;
use vardelta_engine::error::RunError;

pub use crate::allocations::Counting;
use crate::{arguments::CommandLine, failure::Failure, output::Output};

/// Has panics print their message without secrets and without what would steer a terminal. What ends with one says so by its
/// own error.
pub fn speak_safely_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        let _ = writeln!(std::io::stderr(), "panic{place}: {}", output::safe(message));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            let _ = writeln!(std::io::stderr(), "{}", std::backtrace::Backtrace::force_capture());
        }
    }));
}

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
