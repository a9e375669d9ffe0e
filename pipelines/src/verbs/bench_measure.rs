//! `bench-measure`: one measurement of `bench`, in a process of its own. Hidden: `bench` starts it.

use std::io::Read as _;

use vardelta_engine::error::{RunError, RunErrorKind};

use crate::{
    bench::{self, Request},
    failure::Failure,
    interrupt,
    output::Output,
};

/// Arguments of `bench-measure`; what is measured comes by standard input.
#[derive(clap::Args, Debug)]
pub struct Arguments {}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let mut asked = String::new();
        let request = std::io::stdin().read_to_string(&mut asked).map_err(|error| error.to_string());
        let request = request.and_then(|_| serde_json::from_str::<Request>(&asked).map_err(|error| error.to_string()));
        let request = request.map_err(|error| {
            RunError::new(RunErrorKind::Usage, format!("standard input holds no measurement to be made: {error}"))
                .with_hint("`vardelta bench PIPELINE` is the command to use.")
        })?;
        let abort = interrupt::watch();
        output.json(&bench::measure_here(&request, &abort)?)?;
        Ok(0)
    }
}
