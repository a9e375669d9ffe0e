//! Reading and writing the ledger's tables.

use std::path::Path;

use rusqlite::{Connection, Error, OptionalExtension as _, Row};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    ledger::{DropRow, EpochRecord, Event, RecordCounts, RejectRow, Snapshot, WarningRow},
    sql::{Dialect, ledger as sql, sqlite},
};

use crate::sinks::sqlite::error::explain;

/// An unsigned number as SQLite keeps it.
///
/// # Errors
/// When it is 2^63 or more.
pub(super) fn integer(value: u64) -> rusqlite::Result<i64> {
    i64::try_from(value).map_err(|cause| Error::ToSqlConversionFailure(cause.into()))
}

fn optional_integer(value: Option<u64>) -> rusqlite::Result<Option<i64>> {
    value.map(integer).transpose()
}

pub(super) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| Error::IntegralValueOutOfRange(index, value))
}

/// The version of the ledger's tables; `None` where there are none.
pub(super) fn version(path: &Path, connection: &Connection) -> Result<Option<u32>, SinkError> {
    let failed = explain(path, "read the ledger of");
    let found =
        connection.query_row(sqlite::SELECT_OBJECT, [sql::META_TABLE], |_| Ok(())).optional().map_err(failed)?;
    if found.is_none() {
        return Ok(None);
    }
    let text: Option<String> =
        connection.query_row(sql::SELECT_VERSION, [], |row| row.get(0)).optional().map_err(failed)?;
    let text = text.unwrap_or_default();
    match text.parse::<u32>() {
        Ok(version) if version <= sql::VERSION => Ok(Some(version)),
        Ok(version) => Err(SinkError::new(
            SinkErrorKind::Layout,
            format!(
                "the ledger in {} has version {version}, and this vardelta knows versions up to {}",
                path.display(),
                sql::VERSION
            ),
        )
        .with_hint("Use the newer vardelta that wrote it.")),
        Err(_) => Err(SinkError::new(
            SinkErrorKind::Layout,
            format!("the ledger in {} has the version `{text}`, which is no number", path.display()),
        )
        .with_hint("Put a sound copy of the database back; somebody has changed the table vardelta_meta.")),
    }
}

/// The ledger of one pipeline; empty where there is none.
pub(super) fn snapshot(path: &Path, connection: &Connection, pipeline: &str) -> Result<Snapshot, SinkError> {
    let Some(version) = version(path, connection)? else { return Ok(Snapshot::default()) };
    let read = || {
        let last = connection
            .query_row(sql::SELECT_LAST_EPOCH, [pipeline], |row| Ok((unsigned(row, 0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (epoch, definition, tables): (_, _, String) = last.unwrap_or_default();
        let tables = serde_json::from_str(&tables).unwrap_or_default();
        let mut statement = connection.prepare(&sql::select_at(sql::SELECT_DROPS, version))?;
        let drops = statement.query_map([pipeline], drop_row)?.collect::<rusqlite::Result<_>>()?;
        Ok(Snapshot { epoch, definition, drops, tables })
    };
    read().map_err(explain(path, "read the ledger of"))
}

/// Every event of a pipeline, in order.
pub(super) fn history(path: &Path, connection: &Connection, pipeline: &str) -> Result<Vec<Event>, SinkError> {
    let Some(version) = version(path, connection)? else { return Ok(Vec::new()) };
    let read = || {
        let mut statement = connection.prepare(&sql::select_at(sql::SELECT_EVENTS, version))?;
        statement.query_map([pipeline], event)?.collect::<rusqlite::Result<_>>()
    };
    read().map_err(explain(path, "read the ledger of"))
}

fn drop_row(row: &Row<'_>) -> rusqlite::Result<DropRow> {
    Ok(DropRow {
        drop_id: unsigned(row, 0)?,
        source: row.get(1)?,
        name: row.get(2)?,
        path: row.get(3)?,
        bytes_digest: row.get(4)?,
        content_digest: row.get(5)?,
        added_epoch: unsigned(row, 6)?,
        loaded_epoch: unsigned(row, 7)?,
        counts: counts(row, 8)?,
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let drop_id: Option<i64> = row.get(2)?;
    Ok(Event {
        epoch: unsigned(row, 0)?,
        committed_at: row.get(1)?,
        drop_id: drop_id.map(|_| unsigned(row, 2)).transpose()?,
        source: row.get(3)?,
        name: row.get(4)?,
        action: row.get(5)?,
        counts: counts(row, 6)?,
    })
}

/// The seven counts that begin at this column.
fn counts(row: &Row<'_>, first: usize) -> rusqlite::Result<RecordCounts> {
    Ok(RecordCounts {
        read: unsigned(row, first)?,
        loaded: unsigned(row, first + 1)?,
        filtered: unsigned(row, first + 2)?,
        rejected: unsigned(row, first + 3)?,
        duplicates: unsigned(row, first + 4)?,
        no_alternate: unsigned(row, first + 5)?,
        reference_blocks: unsigned(row, first + 6)?,
    })
}

/// The seven counts, in the order in which [`counts`] reads them.
fn count_values(counts: &RecordCounts) -> rusqlite::Result<[i64; 7]> {
    let RecordCounts { read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks } = *counts;
    Ok([
        integer(read)?,
        integer(loaded)?,
        integer(filtered)?,
        integer(rejected)?,
        integer(duplicates)?,
        integer(no_alternate)?,
        integer(reference_blocks)?,
    ])
}

/// Brings the ledger's tables to this version, inside the epoch's transaction, and checks the epoch.
pub(super) fn prepare(
    path: &Path,
    connection: &Connection,
    pipeline: &str,
    expected_epoch: u64,
) -> Result<(), SinkError> {
    let found = version(path, connection)?.unwrap_or(0);
    if found < sql::VERSION {
        let migrate = || {
            for migration in sql::migrations(Dialect::Sqlite).iter().filter(|step| step.version > found) {
                for statement in migration.statements {
                    connection.execute_batch(statement)?;
                }
            }
            connection.execute(sql::DELETE_VERSION, [])?;
            connection.execute(sql::INSERT_VERSION, [sql::VERSION.to_string()])
        };
        migrate().map_err(explain(path, "make the ledger's tables in"))?;
    }
    check_epoch(path, connection, pipeline, expected_epoch)
}

/// Fails with [`SinkErrorKind::Stale`] unless the pipeline's last epoch is this one.
pub(super) fn check_epoch(
    path: &Path,
    connection: &Connection,
    pipeline: &str,
    expected_epoch: u64,
) -> Result<(), SinkError> {
    let last = connection
        .query_row(sql::SELECT_LAST_EPOCH, [pipeline], |row| unsigned(row, 0))
        .optional()
        .map_err(explain(path, "read the ledger of"))?
        .unwrap_or(0);
    if last == expected_epoch {
        return Ok(());
    }
    Err(SinkError::new(
        SinkErrorKind::Stale,
        format!(
            "the ledger of pipeline `{pipeline}` in {} is at epoch {last}, not {expected_epoch}: another run has \
             committed since this one began",
            path.display()
        ),
    )
    .with_hint("Run again; it starts from what the other run has left."))
}

/// Writes rejects.
pub(super) fn rejects(
    connection: &Connection,
    pipeline: &str,
    epoch: u64,
    rejects: &[RejectRow],
) -> rusqlite::Result<()> {
    let epoch = integer(epoch)?;
    let mut insert = connection.prepare(sql::INSERT_REJECT)?;
    for reject in rejects {
        insert.execute((
            pipeline,
            epoch,
            optional_integer(reject.drop_id)?,
            &reject.drop_name,
            &reject.stage,
            optional_integer(reject.line)?,
            &reject.contig,
            reject.pos,
            &reject.reason,
            &reject.detail,
            &reject.raw,
        ))?;
    }
    Ok(())
}

/// Writes an epoch, its drops and its events.
pub(super) fn write(connection: &Connection, record: &EpochRecord) -> rusqlite::Result<()> {
    let pipeline = record.pipeline.as_str();
    let epoch = integer(record.epoch)?;
    let table_counts = serde_json::to_string(&record.tables).map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
    connection
        .execute(sql::INSERT_EPOCH, (pipeline, epoch, &record.committed_at, &record.definition, &table_counts))?;
    // Old rows go first: a name may pass from one drop to another within an epoch.
    let mut delete = connection.prepare(sql::DELETE_DROP)?;
    let upserted = record.upserted_drops.iter().map(|drop| &drop.drop_id);
    for drop_id in record.withdrawn_drops.iter().chain(upserted) {
        delete.execute((pipeline, integer(*drop_id)?))?;
    }
    let mut insert = connection.prepare(sql::INSERT_DROP)?;
    for drop in &record.upserted_drops {
        let [read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks] =
            count_values(&drop.counts)?;
        insert.execute((
            pipeline,
            integer(drop.drop_id)?,
            &drop.source,
            &drop.name,
            &drop.path,
            &drop.bytes_digest,
            &drop.content_digest,
            integer(drop.added_epoch)?,
            integer(drop.loaded_epoch)?,
            read,
            loaded,
            filtered,
            rejected,
            duplicates,
            no_alternate,
            reference_blocks,
        ))?;
    }
    let mut insert = connection.prepare(sql::INSERT_EVENT)?;
    for (ordinal, event) in (0_i64..).zip(&record.events) {
        let [read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks] =
            count_values(&event.counts)?;
        let drop_id = optional_integer(event.drop_id)?;
        insert.execute((
            pipeline,
            epoch,
            ordinal,
            drop_id,
            &event.source,
            &event.name,
            &event.action,
            read,
            loaded,
            filtered,
            rejected,
            duplicates,
            no_alternate,
            reference_blocks,
        ))?;
    }
    warnings(connection, pipeline, epoch, &record.warnings)
}

fn warnings(connection: &Connection, pipeline: &str, epoch: i64, warnings: &[WarningRow]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare(sql::INSERT_WARNING)?;
    for (ordinal, warning) in (0_i64..).zip(warnings) {
        let first = warning.first.clone().unwrap_or_default();
        insert.execute((
            pipeline,
            epoch,
            ordinal,
            optional_integer(warning.drop_id)?,
            &warning.drop,
            &warning.stage,
            &warning.reason,
            &warning.field,
            integer(warning.count)?,
            optional_integer(first.line)?,
            first.contig,
            first.pos,
        ))?;
    }
    Ok(())
}

/// Sets the bytes digest and the path of a drop; the number of drops that it found.
pub(super) fn refresh_delivery(
    connection: &Connection,
    pipeline: &str,
    drop_id: u64,
    bytes_digest: &str,
    path: &str,
) -> rusqlite::Result<usize> {
    connection.execute(sql::UPDATE_DELIVERY, (bytes_digest, path, pipeline, integer(drop_id)?))
}
