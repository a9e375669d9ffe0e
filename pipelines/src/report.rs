//! Reports for people.

mod run;
mod stages;
mod table;

pub use run::run_report;
pub use table::{Table, grouped};
