//! Views as the server computes them from its own tables.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use mysql::prelude::Queryable;
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    TableSchema,
    sql::{
        marks::Marks,
        mysql as sql,
        view::{Place, Relation, Statement, Unsayable},
    },
};

use crate::sinks::mysql::{error::explain, link::Link, marks, read, settings::Settings, swap};

/// The statement that computes a view from the tables as they stand.
pub(super) fn statement(
    settings: &Settings,
    link: &mut Link,
    view: &Relation,
) -> Result<Result<Statement, Unsayable>, SinkError> {
    let mut places = BTreeMap::new();
    for table in view.tables() {
        let name = swap::current_name(&settings.location, link, &table.name)?;
        let marks = marks::found(settings, link, table, &name)?;
        places.insert(table.name.as_str(), Place { name, marks });
    }
    let planned = |table: &TableSchema| Place { name: table.name.clone(), marks: Marks::None };
    let place = |table: &TableSchema| places.get(table.name.as_str()).cloned().unwrap_or_else(|| planned(table));
    Ok(view.statement(link.dialect, &place))
}

/// Runs such a statement.
pub(super) fn query(
    location: &str,
    link: &mut Link,
    statement: &str,
    table: &TableSchema,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let doing = format!("compute `{}` in", table.name);
    link.conn.query_drop(sql::SORT_LONG_TEXTS).map_err(explain(location, &doing))?;
    read::query(location, link, table, statement, &doing, each)
}
