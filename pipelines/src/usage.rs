//! Arguments that make no sense, and the requests for help and version, which come the same way.

use std::{ffi::OsString, io::Write as _};

use vardelta_engine::error::{RunError, RunErrorKind};

use crate::{
    failure::Failure,
    output::{self, Output},
};

/// Tells what clap found, and gives the exit code: 0 for help and version, otherwise 2.
pub fn report(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let asked_for = !error.use_stderr();
    // The arguments could not be read, so `--json` has to be looked for by hand; after `--` it is a file's name.
    let json = arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json");
    if json && !asked_for {
        let text = error.render().to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // What is wrong comes first, what to do about it after.
        let is_advice = |line: &&str| ["tip:", "Usage:", "For more"].iter().any(|start| line.starts_with(start));
        let advice = lines.iter().position(is_advice).unwrap_or(lines.len());
        let message = lines[..advice].join(" ").trim_start_matches("error: ").to_owned();
        let usage = RunError::new(RunErrorKind::Usage, message).with_hint(lines[advice..].join(" "));
        return Failure::from(usage).report(&mut Output::new(true, false, 0));
    }
    // Nobody may be listening any more, which is no reason to fail.
    let plain = error.render().to_string();
    let safe = output::safe(&plain);
    let _ = if asked_for || safe == plain { error.print() } else { write!(std::io::stderr(), "{safe}") };
    if asked_for { 0 } else { RunErrorKind::Usage.exit_code() }
}
