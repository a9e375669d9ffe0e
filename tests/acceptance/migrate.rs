//! Schema evolution: `migrate` brings tables to another definition, on SQLite, MariaDB and MySQL alike. Whatever it does, and
//! wherever it is killed, the tables end as those of a fresh run with the new definition.

mod batches;
pub mod columns;
mod deaths;
mod histories;
mod indexes;
pub mod store;
