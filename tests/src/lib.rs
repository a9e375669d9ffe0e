//! What the acceptance tests have in common: processes, databases read back, drops written, and a model of the promise
//! that shares no code with the engine.

pub mod binary;
pub mod cost;
pub mod database;
pub mod deaths;
pub mod drop_file;
pub mod folder;
pub mod golden;
pub mod held;
pub mod in_process;
pub mod listening;
pub mod mail_sink;
pub mod model;
pub mod older;
pub mod pipelines;
pub mod process;
pub mod project;
pub mod proxy;
pub use vardelta_testrandom as random;
pub mod record;
pub mod report;
pub mod scripted;
pub mod server_database;
pub mod server_project;
pub mod shared;
pub mod shipped;
pub mod story;
pub mod waiting;
pub mod watching;
pub mod web_sink;
