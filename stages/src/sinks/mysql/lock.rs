//! Named locks, which keep two loaders of one pipeline apart. The server gives them back when their connection ends, so
//! that having one also means that no earlier connection of the pipeline can still commit.

use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::sql::mysql as sql;

use crate::sinks::mysql::{
    error::{NO_SUCH_CONNECTION, code, explain},
    link::Link,
    settings::Settings,
    values::base64,
};

/// How long to wait for another run: long enough for one that is just finishing, short enough to hear of it soon.
const LOCK_SECONDS: u64 = 2;

/// The lock of a pipeline in a database. Names have 64 characters at the most, so the two are hashed.
fn name(link: &Link, pipeline: &str) -> String {
    let whole = format!("{}\0{pipeline}", link.database);
    format!("vardelta:{}", base64(xxhash_rust::xxh3::xxh3_128(whole.as_bytes())))
}

fn get(settings: &Settings, link: &mut Link, name: &str, seconds: u64) -> Result<bool, SinkError> {
    let taken: Option<Option<i64>> =
        link.conn.exec_first(sql::GET_LOCK, (name, seconds)).map_err(explain(&settings.location, "lock"))?;
    Ok(taken.flatten() == Some(1))
}

fn owner(settings: &Settings, link: &mut Link, name: &str) -> Result<Option<u64>, SinkError> {
    let owner: Option<Option<u64>> =
        link.conn.exec_first(sql::LOCK_OWNER, (name,)).map_err(explain(&settings.location, "lock"))?;
    Ok(owner.flatten())
}

/// Takes the lock of a pipeline, for as long as the connection lives.
pub(super) fn take(settings: &Settings, link: &mut Link, pipeline: &str) -> Result<(), SinkError> {
    let name = name(link, pipeline);
    if get(settings, link, &name, LOCK_SECONDS)? {
        return Ok(());
    }
    let by = owner(settings, link, &name)?.map(|id| format!(" (connection {id})")).unwrap_or_default();
    Err(SinkError::new(
        SinkErrorKind::Locked,
        format!("cannot write to {}: another run of pipeline `{pipeline}`{by} is writing to it", settings.location),
    )
    .with_hint("Wait until that is done, then run again."))
}

/// Takes the lock of a pipeline from a connection that was lost. The server may not have noticed the loss, so a
/// connection of that number which holds this very lock is ended.
pub(super) fn take_over(
    settings: &Settings,
    link: &mut Link,
    pipeline: &str,
    lost: u64,
    deadline: Instant,
) -> Result<(), SinkError> {
    let name = name(link, pipeline);
    loop {
        if get(settings, link, &name, 0)? {
            return Ok(());
        }
        match owner(settings, link, &name)? {
            Some(id) if id == lost => match link.conn.query_drop(sql::kill(id)) {
                Err(error) if code(&error) != Some(NO_SUCH_CONNECTION) => {
                    return Err(explain(&settings.location, "end the lost connection to")(error));
                }
                _ => {}
            },
            Some(id) if Instant::now() >= deadline => {
                return Err(SinkError::new(
                    SinkErrorKind::Locked,
                    format!(
                        "cannot go on with {}: another run of pipeline `{pipeline}` (connection {id}) is writing to it",
                        settings.location
                    ),
                )
                .with_hint("Wait until that is done, then run again."));
            }
            _ if Instant::now() >= deadline => {
                return Err(SinkError::new(
                    SinkErrorKind::Unavailable,
                    format!("cannot lock pipeline `{pipeline}` in {} again", settings.location),
                ));
            }
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The lock under which tables are made: several pipelines may share a database.
pub(super) fn with_definitions<T>(
    settings: &Settings,
    link: &mut Link,
    work: impl FnOnce(&mut Link) -> Result<T, SinkError>,
) -> Result<T, SinkError> {
    let name = format!("vardelta-ddl:{}", base64(xxhash_rust::xxh3::xxh3_128(link.database.as_bytes())));
    if !get(settings, link, &name, settings.lock_wait_seconds)? {
        return Err(SinkError::new(
            SinkErrorKind::Contention,
            format!("cannot prepare the tables of {}: another run is making tables there", settings.location),
        ));
    }
    let result = work(link);
    // A connection that is gone has given it back by itself.
    let _ = link.conn.exec_drop(sql::RELEASE_LOCK, (name,));
    result
}
