//! Why a command did not do its work: how it is reported, and the exit code.

use serde_json::{Value, json};
use vardelta_engine::{
    diagnostics::Located,
    error::{RunError, RunErrorKind, Written},
};

use crate::output::Output;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Failure {
    /// The engine, or a file, or a request that makes no sense.
    Run(RunError),
    /// The pipeline file is wrong.
    Invalid {
        /// The problems as people read them.
        text: String,
        /// The problems as programs read them.
        problems: Vec<Located>,
    },
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Failure::Run(error)
    }
}

impl Failure {
    /// The same as an error of a run.
    pub fn into_run_error(self) -> RunError {
        match self {
            Failure::Run(error) => error,
            Failure::Invalid { text, .. } => RunError::new(RunErrorKind::Pipeline, text),
        }
    }

    /// Tells what happened, on standard error or as JSON, and gives the exit code.
    pub fn report(&self, output: &mut Output) -> u8 {
        let error = match self {
            // Also what went wrong after the run itself: what the run has written, it has written.
            Failure::Run(error) => output.told(error.clone()),
            Failure::Invalid { problems, .. } => {
                let s = if problems.len() == 1 { "" } else { "s" };
                RunError::new(RunErrorKind::Pipeline, format!("the pipeline has {} problem{s}", problems.len()))
            }
        };
        if output.is_json() && !output.has_failed() {
            let mut object = json!({ "error": error_json(&error) });
            if let Failure::Invalid { problems, .. } = self {
                object["diagnostics"] = json!(problems);
            }
            // A failure to say what failed leaves the exit code as the only sign.
            let _ = output.json(&object).and_then(|()| output.finish());
            output.log(&error);
        } else {
            // What a run said before it failed comes first.
            let _ = output.finish();
            match self {
                Failure::Run(_) => output.error(&error),
                // The renderer has made it safe, and perhaps coloured it.
                Failure::Invalid { text, .. } => {
                    output.complain_safely(&format!("{}\n\nerror: {error}", text.trim_end()));
                }
            }
        }
        error.kind.exit_code()
    }
}

/// An error as programs read it.
pub fn error_json(error: &RunError) -> Value {
    json!({
        "kind": error.kind.as_str(),
        "message": error.to_string(),
        "hint": error.advice(),
        "written": error.written.map(Written::as_str),
        "exit_code": error.kind.exit_code(),
    })
}
