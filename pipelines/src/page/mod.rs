//! The page: what became of a pipeline's runs, drops, tables and rows, as HTML that needs no script, loads nothing foreign and
//! escapes everything. Rendering is pure: facts in, HTML out.

pub mod address;
pub mod changes;
mod chart;
mod document;
mod drops;
pub mod facts;
pub mod file;
mod graph;
mod lookups;
mod pager;
mod parts;
mod run;
mod runs;
pub mod show;
pub mod site;
mod stage_times;
mod tables;
mod why;
