//! The `vardelta` binary.

use std::process::ExitCode;

/// Rows are many small allocations on many threads, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    vardelta::speak_safely_of_panics();
    ExitCode::from(vardelta::command_line(std::env::args_os()))
}
