//! `alert`: whether alerts reach those who want them, and how they stand.

mod check;
mod test;

use clap::Subcommand;
use vardelta_engine::{
    error::{RunError, RunErrorKind},
    plan::{AlertOptions, Plan},
};

use crate::{failure::Failure, output::Output};

/// Arguments of `alert`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

/// What is done with alerts.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Send a message to every channel of a pipeline, and say what each answered; exit code 6 where one fails.
    Test(test::Arguments),
    /// Look at disks and at how old the tables are, send the channels what began or ended, and list every alert.
    Check(check::Arguments),
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.verb {
            Verb::Test(arguments) => arguments.execute(output),
            Verb::Check(arguments) => arguments.execute(output),
        }
    }
}

/// The alerts of a pipeline.
///
/// # Errors
/// Where it has none.
fn options(plan: &Plan) -> Result<&AlertOptions, RunError> {
    plan.operate.alerts.as_ref().ok_or_else(|| {
        let message = format!("the pipeline `{}` has no [operate.alerts]", plan.pipeline.name);
        RunError::new(RunErrorKind::Usage, message).with_hint(
            "Add `[operate.alerts.slack]` with its `webhook`, or `[operate.alerts.email]`; see docs/operate.md.",
        )
    })
}
