//! `verify`: rows that were falsified by hand and rules that are wrong are found, on SQLite, MariaDB and MySQL; and it says which
//! table was checked how.

mod events;
mod falsified;
mod means;
mod rules;

use serde_json::Value;

/// The tables of a report: name, by what it was verified, and how many rows differ.
fn tables(report: &Value) -> Vec<(String, String, u64)> {
    let text =
        |table: &Value, key: &str| table[key].as_str().unwrap_or_else(|| panic!("{table} has a {key}")).to_owned();
    let tables = report["tables"].as_array().expect("a report has tables").iter();
    tables
        .map(|table| (text(table, "name"), text(table, "by"), table["differences"].as_u64().expect("a number")))
        .collect()
}

/// The tables of which rows differ, and by what that was found.
fn differing(report: &Value) -> Vec<(String, String)> {
    let differing = tables(report).into_iter().filter(|(.., differences)| *differences > 0);
    differing.map(|(name, by, _)| (name, by)).collect()
}
