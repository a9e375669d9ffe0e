//! Reading and writing the ledger's tables, over the few things that every database can do: see [`Database`].

mod details;
mod members;

use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    Identity,
    ledger::{
        Accounts, DropId, DropRow, Epoch, EpochId, EpochRecord, Event, RecordCounts, RejectRow, Snapshot, TableCounts,
    },
    sql::ledger as sql,
};

/// Rejects written by one statement, at the most.
const REJECTS_AT_ONCE: usize = 100;
/// Bytes of text in one statement, about: far below what the most careful server takes.
const STATEMENT_BYTES: usize = 512 << 10;

/// A value of a ledger's table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

/// A row of a ledger's table.
pub(crate) type Cells = Vec<Cell>;

/// What the ledger needs of a database: statements with parameters, and the rows that they yield.
pub(crate) trait Database {
    /// The database in words, without secrets.
    fn location(&self) -> String;

    /// Whether the table [`META_TABLE`](sql::META_TABLE) is there.
    fn has_ledger(&mut self) -> Result<bool, SinkError>;

    /// The rows of a query. `doing` completes "cannot … DATABASE".
    fn rows(&mut self, doing: &str, statement: &str, parameters: &[Cell]) -> Result<Vec<Cells>, SinkError>;

    /// Carries a statement out, and returns how many rows it touched.
    fn execute(&mut self, doing: &str, statement: &str, parameters: &[Cell]) -> Result<u64, SinkError>;

    /// The statement that yields the last epoch and keeps others from adding to it until the transaction ends.
    fn last_epoch_statement(&self) -> &'static str;
}

const READ: &str = "read the ledger of";
pub(super) const WRITE: &str = "write the ledger of";

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Cell {
        Cell::Text(text.clone())
    }
}

impl From<Identity> for Cell {
    fn from(identity: Identity) -> Cell {
        Cell::Text(identity.to_string())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Integer(number)
    }
}

impl<T> From<Option<T>> for Cell
where
    Cell: From<T>,
{
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Cell::from)
    }
}

/// A number as a database keeps it.
///
/// # Errors
/// When it is 2^63 or more.
pub(super) fn number(value: u64) -> Result<Cell, SinkError> {
    let out_of_range = |_| SinkError::new(SinkErrorKind::Value, format!("the ledger cannot hold the number {value}"));
    i64::try_from(value).map(Cell::Integer).map_err(out_of_range)
}

fn optional_number(value: Option<u64>) -> Result<Cell, SinkError> {
    value.map_or(Ok(Cell::Null), number)
}

/// The values of one row, taken one after the other.
pub(super) struct Taking<'a> {
    location: &'a str,
    cells: std::vec::IntoIter<Cell>,
}

impl Taking<'_> {
    fn unreadable(&self, found: &str) -> SinkError {
        let message = format!("the ledger in {} cannot be read: {found}", self.location);
        SinkError::new(SinkErrorKind::Unreadable, message).with_hint(DAMAGED_HINT)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>, SinkError> {
        match self.cells.next() {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            other => Err(self.unreadable(&format!("{other:?} instead of a text"))),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, SinkError> {
        self.optional_text()?.ok_or_else(|| self.unreadable("NULL instead of a text"))
    }

    fn optional_number(&mut self) -> Result<Option<u64>, SinkError> {
        match self.cells.next() {
            Some(Cell::Integer(value)) => match u64::try_from(value) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(self.unreadable(&format!("the negative number {value}"))),
            },
            Some(Cell::Null) => Ok(None),
            other => Err(self.unreadable(&format!("{other:?} instead of a number"))),
        }
    }

    fn optional_integer(&mut self) -> Result<Option<i64>, SinkError> {
        match self.cells.next() {
            Some(Cell::Integer(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other => Err(self.unreadable(&format!("{other:?} instead of a number"))),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, SinkError> {
        self.optional_number()?.ok_or_else(|| self.unreadable("NULL instead of a number"))
    }

    fn identity(&mut self) -> Result<Option<Identity>, SinkError> {
        let text = self.optional_text()?;
        text.map(|text| text.parse().map_err(|error| self.unreadable(&format!("{error}")))).transpose()
    }

    fn table_counts(&mut self, epoch: Epoch) -> Result<Vec<TableCounts>, SinkError> {
        let text = self.text()?;
        let unreadable =
            |error| self.unreadable(&format!("the table counts of epoch {epoch} are no such JSON: {error}"));
        serde_json::from_str(&text).map_err(unreadable)
    }

    fn counts(&mut self) -> Result<RecordCounts, SinkError> {
        Ok(RecordCounts {
            read: self.number()?,
            loaded: self.number()?,
            filtered: self.number()?,
            rejected: self.number()?,
            duplicates: self.number()?,
            no_alternate: self.number()?,
            reference_blocks: self.number()?,
        })
    }
}

const DAMAGED_HINT: &str = "Put a sound copy of the database back; somebody has changed the ledger's tables.";

/// The seven counts, in the order in which [`Taking::counts`] takes them.
fn count_cells(counts: &RecordCounts) -> Result<Vec<Cell>, SinkError> {
    let RecordCounts { read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks } = *counts;
    [read, loaded, filtered, rejected, duplicates, no_alternate, reference_blocks].into_iter().map(number).collect()
}

/// The ledger in a database.
pub(crate) struct Ledger<D>(pub(crate) D);

impl<D: Database> Ledger<D> {
    /// The version of the ledger's tables; `None` where there are none, or where making them was cut short.
    pub(crate) fn version(&mut self) -> Result<Option<u32>, SinkError> {
        if !self.0.has_ledger()? {
            return Ok(None);
        }
        let Some(text) = self.first(sql::SELECT_VERSION, &[], |row| row.text())? else { return Ok(None) };
        let location = self.0.location();
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
            .with_hint(DAMAGED_HINT)),
        }
    }

    pub(super) fn all<T>(
        &mut self,
        statement: &str,
        parameters: &[Cell],
        mut take: impl FnMut(&mut Taking<'_>) -> Result<T, SinkError>,
    ) -> Result<Vec<T>, SinkError> {
        let location = self.0.location();
        let rows = self.0.rows(READ, statement, parameters)?;
        rows.into_iter().map(|row| take(&mut Taking { location: &location, cells: row.into_iter() })).collect()
    }

    fn first<T>(
        &mut self,
        statement: &str,
        parameters: &[Cell],
        take: impl FnMut(&mut Taking<'_>) -> Result<T, SinkError>,
    ) -> Result<Option<T>, SinkError> {
        Ok(self.all(statement, parameters, take)?.into_iter().next())
    }

    /// The ledger of one pipeline; empty where there is none.
    pub(crate) fn snapshot(&mut self, pipeline: &str) -> Result<Snapshot, SinkError> {
        let Some(version) = self.version()? else { return Ok(Snapshot::default()) };
        let parameter = [Cell::from(pipeline)];
        let last = self.first(&sql::select_at(sql::SELECT_LAST_EPOCH, version), &parameter, |row| {
            let epoch = Epoch::new(row.number()?);
            Ok((epoch, row.table_counts(epoch)?, row.identity()?))
        })?;
        let (epoch, tables, identity) = last.unwrap_or_default();
        let pipeline_identity = match version >= sql::VERSION_WITH_IDENTITIES {
            true => self.first(sql::SELECT_PIPELINE, &parameter, |row| row.identity())?.flatten(),
            false => None,
        };
        let twice = [Cell::from(pipeline), Cell::from(pipeline)];
        let drops = self.all(&sql::select_at(sql::SELECT_DROPS, version), &parameter, drop_row)?;
        Ok(Snapshot {
            epoch,
            identity,
            pipeline_identity,
            last_drop_id: self
                .first(sql::SELECT_LAST_DROP, &twice, |row| row.optional_number())?
                .flatten()
                .map_or(DropId::default(), DropId::new),
            definition: self.definition(pipeline)?,
            drops,
            tables,
            withdrawn_members: self.members(pipeline, version)?,
        })
    }

    /// What the ledger says that was written.
    pub(crate) fn accounts(&mut self, pipeline: &str) -> Result<Accounts, SinkError> {
        if self.version()?.is_none() {
            return Ok(Accounts::default());
        }
        Ok(Accounts {
            epochs: self.all(sql::SELECT_EPOCHS, &[pipeline.into()], |row| {
                let epoch = Epoch::new(row.number()?);
                Ok((epoch, row.table_counts(epoch)?))
            })?,
            made: self.all(sql::SELECT_MADE, &[pipeline.into()], |row| Ok((row.text()?, Epoch::new(row.number()?))))?,
        })
    }

    fn definition(&mut self, pipeline: &str) -> Result<String, SinkError> {
        Ok(self.first(sql::SELECT_DEFINITION, &[pipeline.into()], |row| row.text())?.unwrap_or_default())
    }

    /// Every event of a pipeline, in order.
    pub(crate) fn history(&mut self, pipeline: &str) -> Result<Vec<Event>, SinkError> {
        let Some(version) = self.version()? else { return Ok(Vec::new()) };
        self.all(&sql::select_at(sql::SELECT_EVENTS, version), &[pipeline.into()], |row| {
            Ok(Event {
                epoch: Epoch::new(row.number()?),
                committed_at: row.text()?,
                drop_id: row.optional_number()?.map(DropId::new),
                source: row.text()?,
                name: row.text()?,
                action: row.text()?,
                counts: row.counts()?,
            })
        })
    }

    /// Fails with [`SinkErrorKind::Stale`] unless the pipeline's last epoch is this one, by number and identity; keeps others
    /// from adding to it until the transaction ends.
    pub(crate) fn check_epoch(&mut self, pipeline: &str, expected: &EpochId) -> Result<(), SinkError> {
        // Where a migration is only planned, the tables may be of an earlier version.
        let version = self.version()?.unwrap_or(sql::VERSION);
        let statement = sql::select_at(self.0.last_epoch_statement(), version);
        let last = self.first(&statement, &[pipeline.into()], |row| {
            let (epoch, _, identity) = (Epoch::new(row.number()?), row.text()?, row.identity()?);
            Ok((epoch, identity))
        })?;
        let (epoch, identity) = last.unwrap_or_default();
        if (epoch, identity) == (expected.number, expected.identity) {
            return Ok(());
        }
        let found = match epoch == expected.number {
            true => format!("another epoch {epoch}"),
            false => format!("epoch {epoch}, not {}", expected.number),
        };
        Err(SinkError::new(
            SinkErrorKind::Stale,
            format!(
                "the ledger of pipeline `{pipeline}` in {} is at {found}: another run has committed since this one began",
                self.0.location()
            ),
        )
        .with_hint("Run again; it starts from what the other run has left."))
    }

    /// Writes rejects.
    pub(crate) fn rejects(&mut self, pipeline: &str, epoch: Epoch, rejects: &[RejectRow]) -> Result<(), SinkError> {
        let mut rest = rejects;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |reject: &&RejectRow| {
                bytes += reject.detail.len() + reject.raw.as_ref().map_or(0, String::len);
                bytes <= STATEMENT_BYTES
            };
            let count = rest.iter().take(REJECTS_AT_ONCE).take_while(fits).count().max(1);
            let (some, others) = rest.split_at(count);
            let mut cells = Vec::with_capacity(11 * count);
            for reject in some {
                cells.extend([
                    pipeline.into(),
                    number(epoch.number())?,
                    optional_number(reject.drop_id.map(DropId::number))?,
                    reject.drop_name.as_ref().into(),
                    Cell::from(&reject.stage),
                    optional_number(reject.line)?,
                    reject.contig.as_ref().into(),
                    reject.pos.into(),
                    Cell::from(&reject.reason),
                    Cell::from(&reject.detail),
                    reject.raw.as_ref().into(),
                ]);
            }
            self.0.execute("write the rejects to", &sql::insert_rejects(count), &cells)?;
            rest = others;
        }
        Ok(())
    }

    /// Writes an epoch that comes after `expected`, its drops and its events.
    pub(crate) fn write(&mut self, expected: &EpochId, record: &EpochRecord) -> Result<(), SinkError> {
        let pipeline = record.pipeline.as_str();
        let table_counts = serde_json::to_string(&record.tables).map_err(|error| {
            SinkError::new(
                SinkErrorKind::Unreadable,
                format!("the counts of the tables cannot be written as JSON: {error}"),
            )
        })?;
        let definition = if self.definition(pipeline)? == record.definition { "" } else { &record.definition };
        let epoch = [
            pipeline.into(),
            number(record.epoch.number())?,
            Cell::from(&record.committed_at),
            definition.into(),
            Cell::from(&table_counts),
            record.identity.into(),
        ];
        if let Err(error) = self.0.execute(WRITE, sql::INSERT_EPOCH, &epoch) {
            // Where nobody had committed before, there was no row to keep from others; the key does.
            if error.kind == SinkErrorKind::Value {
                self.check_epoch(pipeline, expected)?;
            }
            return Err(error);
        }
        self.write_pipeline(record)?;
        self.write_drops(record)?;
        self.write_members(record)?;
        for (ordinal, event) in (0_i64..).zip(&record.events) {
            let mut cells = vec![
                pipeline.into(),
                number(record.epoch.number())?,
                ordinal.into(),
                optional_number(event.drop_id.map(DropId::number))?,
                Cell::from(&event.source),
                Cell::from(&event.name),
                Cell::from(&event.action),
            ];
            cells.extend(count_cells(&event.counts)?);
            self.0.execute(WRITE, sql::INSERT_EVENT, &cells)?;
        }
        self.write_warnings(record)?;
        self.write_lookups(record)
    }

    fn write_warnings(&mut self, record: &EpochRecord) -> Result<(), SinkError> {
        for (ordinal, warning) in (0_i64..).zip(&record.warnings) {
            let first = warning.first.clone().unwrap_or_default();
            let cells = [
                record.pipeline.as_str().into(),
                number(record.epoch.number())?,
                ordinal.into(),
                optional_number(warning.drop_id.map(DropId::number))?,
                warning.drop.as_ref().into(),
                Cell::from(&warning.stage),
                Cell::from(&warning.reason),
                warning.field.as_ref().into(),
                number(warning.count)?,
                optional_number(first.line)?,
                first.contig.as_ref().into(),
                first.pos.into(),
            ];
            self.0.execute(WRITE, sql::INSERT_WARNING, &cells)?;
        }
        Ok(())
    }

    fn write_pipeline(&mut self, record: &EpochRecord) -> Result<(), SinkError> {
        let pipeline = record.pipeline.as_str();
        match self.first(sql::SELECT_PIPELINE, &[pipeline.into()], |row| row.identity())?.flatten() {
            Some(found) if found == record.pipeline_identity => Ok(()),
            Some(_) => {
                let message = format!(
                    "the pipeline `{pipeline}` in {} is another one than when this run began",
                    self.0.location()
                );
                Err(SinkError::new(SinkErrorKind::Stale, message)
                    .with_hint("Somebody has put another database in its place; run again."))
            }
            None => {
                let cells = [pipeline.into(), record.pipeline_identity.into()];
                self.0.execute(WRITE, sql::INSERT_PIPELINE, &cells).map(|_| ())
            }
        }
    }

    fn write_drops(&mut self, record: &EpochRecord) -> Result<(), SinkError> {
        let pipeline = record.pipeline.as_str();
        // Old rows go first: a name may pass from one drop to another within an epoch.
        let upserted = record.upserted_drops.iter().map(|drop| &drop.drop_id);
        for drop_id in record.withdrawn_drops.iter().chain(upserted) {
            self.0.execute(WRITE, sql::DELETE_DROP, &[pipeline.into(), number(drop_id.number())?])?;
        }
        for drop in &record.upserted_drops {
            let mut cells = vec![
                pipeline.into(),
                number(drop.drop_id.number())?,
                Cell::from(&drop.source),
                Cell::from(&drop.name),
                Cell::from(&drop.path),
                Cell::from(&drop.bytes_digest),
                Cell::from(&drop.content_digest),
                number(drop.added_epoch.number())?,
                number(drop.loaded_epoch.number())?,
            ];
            cells.extend(count_cells(&drop.counts)?);
            cells.push(drop.identity.into());
            self.0.execute(WRITE, sql::INSERT_DROP, &cells)?;
        }
        Ok(())
    }

    /// Sets the bytes digest and the path of a drop.
    pub(crate) fn refresh_delivery(
        &mut self,
        pipeline: &str,
        drop_id: DropId,
        bytes_digest: &str,
        path: &str,
    ) -> Result<(), SinkError> {
        let cells = [bytes_digest.into(), path.into(), pipeline.into(), number(drop_id.number())?];
        // A server counts changed rows: a drop that said so already counts as none.
        if self.0.execute("write to", sql::UPDATE_DELIVERY, &cells)? == 1 {
            return Ok(());
        }
        let version = self.version()?.unwrap_or(sql::VERSION);
        let drops = self.all(&sql::select_at(sql::SELECT_DROPS, version), &[pipeline.into()], drop_row)?;
        if drops.iter().any(|drop| drop.drop_id == drop_id) {
            return Ok(());
        }
        let message = format!("drop {drop_id} of pipeline `{pipeline}` is no longer in {}", self.0.location());
        Err(SinkError::new(SinkErrorKind::Stale, message).with_hint("Another run has withdrawn it; run again."))
    }
}

fn drop_row(row: &mut Taking<'_>) -> Result<DropRow, SinkError> {
    Ok(DropRow {
        drop_id: DropId::new(row.number()?),
        source: row.text()?,
        name: row.text()?,
        path: row.text()?,
        bytes_digest: row.text()?,
        content_digest: row.text()?,
        added_epoch: Epoch::new(row.number()?),
        loaded_epoch: Epoch::new(row.number()?),
        counts: row.counts()?,
        identity: row.identity()?,
    })
}
