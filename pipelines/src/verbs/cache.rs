//! `cache`: what the caches of look-ups hold, and what is to be in them before a load.

mod clear;
mod stats;
mod tiers;
mod warm;

use clap::Subcommand;

use crate::{failure::Failure, output::Output};

/// Arguments of `cache`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

/// What is done with caches.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Show how many answers the tiers hold, whoever keeps them there.
    Stats(stats::Arguments),
    /// Take answers out of the tiers, for everybody who shares them; what the state holds stays.
    Clear(clear::Arguments),
    /// Ask for what a load would look up, so that its caches have it; writes no table.
    Warm(warm::Arguments),
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.verb {
            Verb::Stats(arguments) => arguments.execute(output),
            Verb::Clear(arguments) => arguments.execute(output),
            Verb::Warm(arguments) => arguments.execute(output),
        }
    }
}
