//! The command line, told apart by what a user wants of it.

mod definition;
mod dry_run;
mod editors;
mod exit_codes;
mod expected;
mod files;
mod output;
mod rejects;
mod samples;
mod sharing;
mod side_inputs;
mod slips;
mod tested;
mod validate;
