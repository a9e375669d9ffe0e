//! Schema evolution: `migrate` brings tables to another definition, on SQLite, MariaDB and MySQL alike. Whatever it does, and
//! wherever it is killed, the tables end as those of a fresh run with the new definition.

pub mod columns;
mod deaths;
mod indexes;
pub mod store;
