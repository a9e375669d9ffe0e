//! A measurement in a process of its own.

use std::{
    io::{Read as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use vardelta_engine::{
    abort::Abort,
    error::{RunError, RunErrorKind},
};

use super::request::{Measured, Request};

/// The hidden verb that the process is started with.
pub const VERB: &str = "bench-measure";
/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Has a process measure, and waits for it. It ends when the run is to end.
///
/// # Errors
/// Those of the measurement, and when no process can be started.
pub fn measured(request: &Request, abort: &Abort) -> Result<Measured, RunError> {
    abort.check()?;
    let failed = |error: std::io::Error| {
        RunError::new(RunErrorKind::Sink, format!("the process that measures cannot be started or talked to: {error}"))
            .with_hint("`vardelta bench` starts its own program again: it must still be where it was.")
    };
    let program = std::env::current_exe().map_err(failed)?;
    let asked = serde_json::to_vec(request).map_err(RunError::internal)?;
    let mut child = Command::new(program)
        .args(["--json", VERB])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C on a terminal is for its starter, which ends it.
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    // A process that ends before it has read says why on its standard output.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(&asked));
    let output = child.stdout.take();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        output.map(|mut output| output.read_to_string(&mut text)).transpose().map(|_| text)
    });
    let ended = wait(&mut child, abort);
    let said = reading.join().unwrap_or_else(|_| Ok(String::new()));
    ended?;
    answer(&said.map_err(failed)?)
}

fn wait(child: &mut Child, abort: &Abort) -> Result<(), RunError> {
    loop {
        if child.try_wait().map_err(RunError::internal)?.is_some() {
            return abort.check();
        }
        if abort.is_raised() {
            // What it has made lies in the scratch place, which its starter sees to.
            let _ = child.kill();
            let _ = child.wait();
            return abort.check();
        }
        std::thread::sleep(GLANCE);
    }
}

fn answer(said: &str) -> Result<Measured, RunError> {
    let value: Value = serde_json::from_str(said)
        .map_err(|_| RunError::internal("the process that measures ended without an answer"))?;
    let Some(error) = value.get("error") else {
        return serde_json::from_value(value).map_err(RunError::internal);
    };
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let told = RunError::new(kind(&text("kind")), text("message"));
    Err(if error["hint"].is_string() { told.with_hint(text("hint")) } else { told })
}

fn kind(word: &str) -> RunErrorKind {
    use RunErrorKind::{Input, Internal, Interrupted, Mismatch, Pipeline, RejectShare, Sink, Usage};
    let kinds = [Usage, Pipeline, Input, RejectShare, Sink, Mismatch, Interrupted];
    kinds.into_iter().find(|kind| kind.as_str() == word).unwrap_or(Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_process_is_told_as_it_is() {
        let said = r#"{"error":{"kind":"input","message":"it is cut off","hint":"Copy it again.","exit_code":4}}"#;
        let error = answer(said).expect_err("an error");
        assert_eq!((error.kind, error.message.as_str()), (RunErrorKind::Input, "it is cut off"));
        assert_eq!(error.hint.as_deref(), Some("Copy it again."));
        assert_eq!(answer("").expect_err("an error").kind, RunErrorKind::Internal);
        assert!(matches!(answer(r#"{"Delta":[0.5]}"#), Ok(Measured::Delta(seconds)) if seconds == [0.5]));
    }
}
