//! `completions`: what a shell needs to complete commands.

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use crate::{arguments::CommandLine, failure::Failure, output::Output};

/// The shells.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

/// Arguments of `completions`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The shell. Bash: write it to `~/.local/share/bash-completion/completions/vardelta`; zsh: to `_vardelta` in a folder of
    /// `fpath`; fish: to `~/.config/fish/completions/vardelta.fish`.
    #[arg(value_enum)]
    shell: Known,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let shell = match self.shell {
            Known::Bash => Shell::Bash,
            Known::Zsh => Shell::Zsh,
            Known::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut CommandLine::command(), "vardelta", &mut script);
        if output.is_json() {
            let script = String::from_utf8_lossy(&script);
            output.json(&serde_json::json!({ "shell": shell.to_string(), "script": script }))?;
        } else {
            output.copy(&mut script.as_slice())?;
        }
        Ok(0)
    }
}
