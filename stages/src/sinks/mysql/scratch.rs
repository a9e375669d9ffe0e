//! Databases on the sink's server that are made for a while, so that what is tried out does not touch the pipeline's own.

use mysql::prelude::Queryable;
use vardelta_engine::contract::sink::{Access, SinkError};
use vardelta_schemas::sql::mysql as sql;

use crate::sinks::mysql::{error::explain, link::Link, settings::Settings};

/// Makes an empty database.
pub(super) fn make(settings: &Settings, name: &str) -> Result<(), SinkError> {
    let mut link = Link::connect(settings, Access::Write)?;
    let statement = sql::create_database(link.dialect, name);
    link.conn.query_drop(statement).map_err(|error| {
        explain(&settings.location, "make a scratch database on the server of")(error).with_hint(format!(
            "The user needs all rights on `{name}`: GRANT ALL ON `vardelta\\_bench\\_%`.* TO the user."
        ))
    })
}

/// Drops a database with all that is in it.
pub(super) fn drop(settings: &Settings, name: &str) -> Result<(), SinkError> {
    let mut link = Link::connect(settings, Access::Write)?;
    let statement = sql::drop_database(link.dialect, name);
    link.conn.query_drop(statement).map_err(explain(&settings.location, "drop a scratch database on the server of"))
}
