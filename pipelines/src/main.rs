//! The `vardelta` binary.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: vardelta::Counting = vardelta::Counting;

fn main() -> ExitCode {
    vardelta::speak_safely_of_panics();
    ExitCode::from(vardelta::command_line(std::env::args_os()))
}
