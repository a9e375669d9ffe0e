//! Reading and writing the ledger's tables.

use mysql::{Error, Row, Value, prelude::Queryable};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    ledger::{DropRow, EpochRecord, Event, RecordCounts, RejectRow, Snapshot},
    sql::{ledger as sql, mysql as mysql_sql, mysql::ledger as mysql_ledger},
};

use crate::sinks::mysql::{
    error::{DUPLICATE, code, explain},
    link::{Link, take},
};

/// An unsigned number as a BIGINT keeps it.
pub(super) fn integer(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::FromValueError(Value::UInt(value)))
}

fn optional_integer(value: Option<u64>) -> Result<Option<i64>, Error> {
    value.map(integer).transpose()
}

fn unsigned(row: &mut Row, index: usize) -> Result<u64, Error> {
    let value: i64 = take(row, index)?;
    u64::try_from(value).map_err(|_| Error::FromValueError(Value::Int(value)))
}

/// The version of the ledger's tables; `None` where there are none, or where making them was cut short.
pub(super) fn version(location: &str, link: &mut Link) -> Result<Option<u32>, SinkError> {
    let failed = explain(location, "read the ledger of");
    let found: Option<Row> = link.conn.exec_first(mysql_sql::SELECT_OBJECT, (sql::META_TABLE,)).map_err(failed)?;
    if found.is_none() {
        return Ok(None);
    }
    let text: Option<String> = link.conn.query_first(sql::SELECT_VERSION).map_err(failed)?;
    let Some(text) = text else { return Ok(None) };
    match text.parse::<u32>() {
        Ok(version) if version <= sql::VERSION => Ok(Some(version)),
        Ok(version) => Err(SinkError::new(
            SinkErrorKind::Layout,
            format!(
                "the ledger in {location} has version {version}, and this vardelta knows versions up to {}",
                sql::VERSION
            ),
        )
        .with_hint("Use the newer vardelta that wrote it.")),
        Err(_) => Err(SinkError::new(
            SinkErrorKind::Layout,
            format!("the ledger in {location} has the version `{text}`, which is no number"),
        )
        .with_hint("Put a sound copy of the database back; somebody has changed the table vardelta_meta.")),
    }
}

/// The ledger of one pipeline; empty where there is none.
pub(super) fn snapshot(location: &str, link: &mut Link, pipeline: &str) -> Result<Snapshot, SinkError> {
    let Some(version) = version(location, link)? else { return Ok(Snapshot::default()) };
    let mut read = || -> Result<Snapshot, Error> {
        let last: Option<(i64, String, String)> = link.conn.exec_first(sql::SELECT_LAST_EPOCH, (pipeline,))?;
        let (epoch, definition, tables) = last.unwrap_or_default();
        let epoch = u64::try_from(epoch).map_err(|_| Error::FromValueError(Value::Int(epoch)))?;
        let tables = serde_json::from_str(&tables).unwrap_or_default();
        let rows: Vec<Row> = link.conn.exec(sql::select_at(sql::SELECT_DROPS, version), (pipeline,))?;
        let drops = rows.into_iter().map(drop_row).collect::<Result<_, _>>()?;
        Ok(Snapshot { epoch, definition, drops, tables })
    };
    read().map_err(explain(location, "read the ledger of"))
}

/// Every event of a pipeline, in order.
pub(super) fn history(location: &str, link: &mut Link, pipeline: &str) -> Result<Vec<Event>, SinkError> {
    let Some(version) = version(location, link)? else { return Ok(Vec::new()) };
    let mut read = || -> Result<Vec<Event>, Error> {
        let rows: Vec<Row> = link.conn.exec(sql::select_at(sql::SELECT_EVENTS, version), (pipeline,))?;
        rows.into_iter().map(event).collect()
    };
    read().map_err(explain(location, "read the ledger of"))
}

fn drop_row(mut row: Row) -> Result<DropRow, Error> {
    let row = &mut row;
    Ok(DropRow {
        drop_id: unsigned(row, 0)?,
        source: take(row, 1)?,
        name: take(row, 2)?,
        path: take(row, 3)?,
        bytes_digest: take(row, 4)?,
        content_digest: take(row, 5)?,
        added_epoch: unsigned(row, 6)?,
        loaded_epoch: unsigned(row, 7)?,
        counts: counts(row, 8)?,
    })
}

fn event(mut row: Row) -> Result<Event, Error> {
    let row = &mut row;
    let drop_id: Option<i64> = take(row, 2)?;
    Ok(Event {
        epoch: unsigned(row, 0)?,
        committed_at: take(row, 1)?,
        drop_id: drop_id.map(|id| u64::try_from(id).map_err(|_| Error::FromValueError(Value::Int(id)))).transpose()?,
        source: take(row, 3)?,
        name: take(row, 4)?,
        action: take(row, 5)?,
        counts: counts(row, 6)?,
    })
}

/// The seven counts that begin at this column.
fn counts(row: &mut Row, first: usize) -> Result<RecordCounts, Error> {
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
fn count_values(counts: &RecordCounts) -> Result<[Value; 7], Error> {
    let RecordCounts { read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks } = *counts;
    let mut values = [read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks].map(Value::UInt);
    for value in &mut values {
        if let Value::UInt(count) = *value {
            *value = Value::Int(integer(count)?);
        }
    }
    Ok(values)
}

/// Brings the ledger's tables to this version. Every step can be run again, and the version comes last.
pub(super) fn migrate(location: &str, link: &mut Link) -> Result<(), SinkError> {
    let found = version(location, link)?.unwrap_or(0);
    if found == sql::VERSION {
        return Ok(());
    }
    let mut migrate = || -> Result<(), Error> {
        for migration in sql::migrations(link.dialect).iter().filter(|step| step.version > found) {
            for statement in migration.statements {
                link.conn.query_drop(statement)?;
            }
        }
        link.conn.query_drop(mysql_sql::BEGIN_WRITE)?;
        link.conn.query_drop(sql::DELETE_VERSION)?;
        link.conn.exec_drop(sql::INSERT_VERSION, (sql::VERSION.to_string(),))?;
        link.conn.query_drop(mysql_sql::COMMIT)
    };
    migrate().map_err(explain(location, "make the ledger's tables in"))
}

/// Fails with [`SinkErrorKind::Stale`] unless the pipeline's last epoch is this one, and keeps others from adding to it
/// until the transaction ends.
pub(super) fn check_epoch(
    location: &str,
    link: &mut Link,
    pipeline: &str,
    expected_epoch: u64,
) -> Result<(), SinkError> {
    let last: Option<u64> = link
        .conn
        .exec_first(mysql_ledger::SELECT_LAST_EPOCH_FOR_UPDATE, (pipeline,))
        .map_err(explain(location, "read the ledger of"))?;
    let last = last.unwrap_or(0);
    if last == expected_epoch { Ok(()) } else { Err(stale(location, pipeline, &last.to_string(), expected_epoch)) }
}

fn stale(location: &str, pipeline: &str, last: &str, expected_epoch: u64) -> SinkError {
    SinkError::new(
        SinkErrorKind::Stale,
        format!(
            "the ledger of pipeline `{pipeline}` in {location} is at epoch {last}, not {expected_epoch}: another run has \
             committed since this one began"
        ),
    )
    .with_hint("Run again; it starts from what the other run has left.")
}

/// Writes rejects.
pub(super) fn rejects(link: &mut Link, pipeline: &str, epoch: u64, rejects: &[RejectRow]) -> Result<(), Error> {
    let epoch = integer(epoch)?;
    for reject in rejects {
        link.conn.exec_drop(
            sql::INSERT_REJECT,
            (
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
            ),
        )?;
    }
    Ok(())
}

/// Writes an epoch, its drops and its events.
pub(super) fn write(location: &str, link: &mut Link, record: &EpochRecord) -> Result<(), SinkError> {
    let pipeline = record.pipeline.as_str();
    let table_counts = serde_json::to_string(&record.tables).unwrap_or_default();
    let written = integer(record.epoch).and_then(|epoch| {
        let values = (pipeline, epoch, &record.committed_at, &record.definition, &table_counts);
        link.conn.exec_drop(sql::INSERT_EPOCH, values)
    });
    match written {
        // Where nobody had committed before, there was no row to keep from others; the key does.
        Err(error) if code(&error) == Some(DUPLICATE) => {
            let expected = record.epoch.saturating_sub(1);
            return Err(stale(location, pipeline, &format!("{} or later", record.epoch), expected));
        }
        written => written.map_err(explain(location, "write the ledger of"))?,
    }
    drops_and_events(link, record).map_err(explain(location, "write the ledger of"))
}

fn drops_and_events(link: &mut Link, record: &EpochRecord) -> Result<(), Error> {
    let pipeline = Value::from(record.pipeline.as_str());
    // Old rows go first: a name may pass from one drop to another within an epoch.
    let upserted = record.upserted_drops.iter().map(|drop| &drop.drop_id);
    for drop_id in record.withdrawn_drops.iter().chain(upserted) {
        link.conn.exec_drop(sql::DELETE_DROP, (&record.pipeline, integer(*drop_id)?))?;
    }
    for drop in &record.upserted_drops {
        let mut values = vec![
            pipeline.clone(),
            integer(drop.drop_id)?.into(),
            drop.source.as_str().into(),
            drop.name.as_str().into(),
            drop.path.as_str().into(),
            drop.bytes_digest.as_str().into(),
            drop.content_digest.as_str().into(),
            integer(drop.added_epoch)?.into(),
            integer(drop.loaded_epoch)?.into(),
        ];
        values.extend(count_values(&drop.counts)?);
        link.conn.exec_drop(sql::INSERT_DROP, values)?;
    }
    let epoch = integer(record.epoch)?;
    for (ordinal, event) in (0_i64..).zip(&record.events) {
        let mut values = vec![
            pipeline.clone(),
            epoch.into(),
            ordinal.into(),
            optional_integer(event.drop_id)?.into(),
            event.source.as_str().into(),
            event.name.as_str().into(),
            event.action.as_str().into(),
        ];
        values.extend(count_values(&event.counts)?);
        link.conn.exec_drop(sql::INSERT_EVENT, values)?;
    }
    for (ordinal, warning) in (0_i64..).zip(&record.warnings) {
        let first = warning.first.clone().unwrap_or_default();
        let values: Vec<Value> = vec![
            pipeline.clone(),
            epoch.into(),
            ordinal.into(),
            optional_integer(warning.drop_id)?.into(),
            warning.drop.as_deref().into(),
            warning.stage.as_str().into(),
            warning.reason.as_str().into(),
            warning.field.as_deref().into(),
            integer(warning.count)?.into(),
            optional_integer(first.line)?.into(),
            first.contig.into(),
            first.pos.into(),
        ];
        link.conn.exec_drop(sql::INSERT_WARNING, values)?;
    }
    Ok(())
}

/// Sets the bytes digest and the path of a drop; false where it is no longer there.
pub(super) fn refresh_delivery(
    link: &mut Link,
    pipeline: &str,
    drop_id: u64,
    bytes_digest: &str,
    path: &str,
) -> Result<bool, Error> {
    link.conn.exec_drop(sql::UPDATE_DELIVERY, (bytes_digest, path, pipeline, integer(drop_id)?))?;
    if link.conn.affected_rows() == 1 {
        return Ok(true);
    }
    // The server counts changed rows: a drop that said so already counts as none.
    let drops: Vec<Row> = link.conn.exec(sql::SELECT_DROPS, (pipeline,))?;
    for mut row in drops {
        if unsigned(&mut row, 0)? == drop_id {
            return Ok(true);
        }
    }
    Ok(false)
}
