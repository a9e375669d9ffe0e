//! Reports for people.

mod erased;
mod run;
mod stages;
mod table;

pub use erased::erased;
pub use run::run_report;
pub use table::Table;
pub use vardelta_engine::display::grouped;
