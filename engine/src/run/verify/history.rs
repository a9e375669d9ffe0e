//! Histories compared with their tables and with the ledger: every epoch has as many rows as the ledger says that it changed,
//! and the last row of a key says what the table holds.
//!
//! Where tables were rebuilt or brought to another definition, histories do not say what became of rows; where drops were
//! erased, rows of histories went. There less can be asked, see [`Known`]. And of epochs in which the pipeline asked for no history
//! nothing is in it, see [`Gaps`].

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

use arrow_array::{Array as _, Int64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use vardelta_schemas::{
    TableSchema,
    ledger::{Accounts, Epoch, Event, TableCounts},
    sql::erase::{ERASED, ERASING, ERASING_SAMPLE, SAMPLE_ERASED},
};

use crate::{
    changes::{Change, ChangeLog},
    contract::sink::{Sink, SinkError, SinkErrorKind},
    epoch::gaps::{self, missing},
    error::RunError,
    plan::TableIndex,
    report::Action,
    rows::{RowLayout, lax_layout, lax_table},
    run::verify::{
        compare::{Runs, unavailable},
        report::{Means, VerifiedTable, VerifyReport},
    },
};

/// What the ledger knows that a history must fit.
pub(super) struct Known {
    accounts: Accounts,
    /// The epochs that rebuilt tables or brought them to another definition.
    blind: Vec<Epoch>,
    /// The epochs of which rows of histories may be gone: from the first of an erased drop to that of its erasure.
    erased: Vec<RangeInclusive<Epoch>>,
}

impl Known {
    /// What the ledger's events and accounts say.
    pub(super) fn of(events: &[Event], accounts: Accounts) -> Known {
        Known { accounts, blind: blind(events), erased: erased(events) }
    }

    fn made(&self, table: &str) -> Option<Epoch> {
        self.accounts.made.iter().find(|(name, _)| name.eq_ignore_ascii_case(table)).map(|(_, epoch)| *epoch)
    }

    /// The last epoch up to which the last row of a key need not be what the table holds.
    fn last_unsure(&self) -> Epoch {
        self.blind.iter().chain(self.erased.iter().map(RangeInclusive::end)).max().copied().unwrap_or(Epoch::NONE)
    }
}

fn blind(events: &[Event]) -> Vec<Epoch> {
    let is_blind = |event: &&Event| [Action::Rebuilt, Action::Migrated].iter().any(|it| it.as_str() == event.action);
    events.iter().filter(is_blind).map(|event| event.epoch).collect()
}

fn erased(events: &[Event]) -> Vec<RangeInclusive<Epoch>> {
    let is_erasure = |event: &&Event| [ERASING, ERASED, ERASING_SAMPLE, SAMPLE_ERASED].contains(&event.action.as_str());
    let range = |erasure: &Event| {
        let of_drop = events.iter().filter(|event| event.drop_id == erasure.drop_id);
        of_drop.map(|event| event.epoch).min().unwrap_or(erasure.epoch)..=erasure.epoch
    };
    events.iter().filter(is_erasure).map(range).collect()
}

/// Rows of one epoch's history, by what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rows {
    inserted: u64,
    updated: u64,
    deleted: u64,
}

impl Rows {
    fn of(counts: &TableCounts) -> Rows {
        Rows { inserted: counts.inserted, updated: counts.updated, deleted: counts.deleted }
    }

    fn is_within(self, other: Rows) -> bool {
        self.inserted <= other.inserted && self.updated <= other.updated && self.deleted <= other.deleted
    }

    fn words(self) -> String {
        format!("{} rows inserted, {} updated, {} deleted", self.inserted, self.updated, self.deleted)
    }
}

/// A history as it is compared.
pub(super) struct Compared<'a> {
    /// The table that it is about, and its place among the sink's tables.
    pub(super) table: &'a TableSchema,
    pub(super) at: TableIndex,
    pub(super) history: &'a TableSchema,
}

/// Compares a history with its table's rows, as `found` has them, and with the ledger. `kept` takes its rows.
pub(super) fn compare(
    sink: &mut dyn Sink,
    known: &Known,
    compared: &Compared<'_>,
    kept: &ChangeLog,
    found: &ChangeLog,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let Compared { table, history, .. } = compared;
    // The first epoch after a history is asked for makes it.
    let Some(made) = known.made(&history.name) else { return Ok(()) };
    let layout = lax_layout(&lax_table(table))?;
    let (rows, counts) = read(sink, table, history, &layout, kept)?;
    let before = report.difference_count;
    let gaps = Gaps::of(known, compared, made, &counts);
    report.notices.extend(gaps.notices(compared));
    compare_counts(known, compared, made, &counts, &gaps, report);
    let last_unsure = known.last_unsure().max(gaps.last());
    compare_rows(last_unsure, compared, &layout, kept, found, report)?;
    let differences = report.difference_count - before;
    report.tables.push(VerifiedTable {
        rows,
        differences,
        ..VerifiedTable::new(&history.name, Means::Ledger, "the ledger and the table's rows")
    });
    Ok(())
}

/// The epochs since a history was made that did not keep it.
struct Gaps {
    /// The ledger says so.
    said: Vec<RangeInclusive<Epoch>>,
    /// The ledger is of before it was written down, says that rows changed, and no row of the epoch is in the history.
    unsaid: BTreeSet<Epoch>,
}

impl Gaps {
    fn of(known: &Known, compared: &Compared<'_>, made: Epoch, found: &BTreeMap<Epoch, Rows>) -> Gaps {
        let Compared { table, history, .. } = compared;
        let said = gaps::gaps(&known.accounts, &table.name, &history.name);
        let is_unsaid = |epoch: Epoch, counts: &[TableCounts]| {
            let of_table = counts.iter().find(|counts| counts.name == table.name);
            epoch >= made
                && !found.contains_key(&epoch)
                && of_table.is_some_and(|counts| counts.history.is_none() && counts.changed_rows() > 0)
                && !known.blind.contains(&epoch)
                && !known.erased.iter().any(|range| range.contains(&epoch))
        };
        let unsaid = known.accounts.epochs.iter().filter(|(epoch, counts)| is_unsaid(*epoch, counts));
        Gaps {
            said: said.into_iter().filter(|gap| *gap.end() >= made).collect(),
            unsaid: unsaid.map(|(epoch, _)| *epoch).collect(),
        }
    }

    fn contains(&self, epoch: Epoch) -> bool {
        self.unsaid.contains(&epoch) || self.said.iter().any(|gap| gap.contains(&epoch))
    }

    fn last(&self) -> Epoch {
        self.said.iter().map(RangeInclusive::end).chain(&self.unsaid).max().copied().unwrap_or(Epoch::NONE)
    }

    fn notices(&self, compared: &Compared<'_>) -> impl Iterator<Item = String> {
        let name = &compared.history.name;
        let said = self.said.iter().map(move |gap| format!("`{name}` was not kept all the time: {}", missing(gap)));
        let unsaid = self.unsaid.iter().map(move |epoch| {
            format!(
                "`{name}` has no row of epoch {epoch}, which an older vardelta wrote without saying whether it kept the history"
            )
        });
        said.chain(unsaid)
    }
}

fn compare_counts(
    known: &Known,
    compared: &Compared<'_>,
    made: Epoch,
    found: &BTreeMap<Epoch, Rows>,
    gaps: &Gaps,
    report: &mut VerifyReport,
) {
    let Compared { table, history, .. } = compared;
    let mut expected: BTreeMap<Epoch, Rows> = found.keys().map(|epoch| (*epoch, Rows::default())).collect();
    for (epoch, counts) in known.accounts.epochs.iter().filter(|(epoch, _)| *epoch >= made) {
        let of_table = counts.iter().find(|counts| counts.name == table.name);
        expected.insert(*epoch, of_table.map(Rows::of).unwrap_or_default());
    }
    // A row of an epoch that kept no history is still no row that an epoch wrote.
    let is_judged =
        |epoch: Epoch| !known.blind.contains(&epoch) && (!gaps.contains(epoch) || found.contains_key(&epoch));
    for (epoch, expected) in expected.into_iter().filter(|(epoch, _)| is_judged(*epoch)) {
        let expected = if gaps.contains(epoch) { Rows::default() } else { expected };
        let found = found.get(&epoch).copied().unwrap_or_default();
        let may_lack = known.erased.iter().any(|range| range.contains(&epoch));
        if found != expected && !(may_lack && found.is_within(expected)) {
            let key = format!("epoch {epoch}");
            report.differ(&history.name, || (key, Some(expected.words()), Some(found.words())));
        }
    }
}

/// Reads a history: under the table's key and the epoch what happened and the row that came of it.
fn read(
    sink: &mut dyn Sink,
    table: &TableSchema,
    history: &TableSchema,
    layout: &RowLayout,
    kept: &ChangeLog,
) -> Result<(u64, BTreeMap<Epoch, Rows>), RunError> {
    let fail = |error: &dyn std::fmt::Display| {
        SinkError::new(SinkErrorKind::Unavailable, format!("table `{}` cannot be compared: {error}", history.name))
    };
    let lax = lax_table(table).schema.to_arrow();
    let (mut runs, mut rows, mut counts) = (Runs::new(kept, TableIndex::new(0)), 0, BTreeMap::<Epoch, Rows>::new());
    sink.scan(history, &mut |batch: RecordBatch| {
        let parts = Parts::of(table, &batch).map_err(|error| fail(&error))?;
        let new = RecordBatch::try_new(lax.clone(), parts.new).map_err(|error| fail(&error))?;
        let encoded = layout.encode(&new).map_err(|error| fail(&error))?;
        rows += batch.num_rows() as u64;
        for row in 0..batch.num_rows() {
            let epoch = u64::try_from(parts.epochs.value(row)).map_err(|error| fail(&error))?;
            let counts = counts.entry(Epoch::new(epoch)).or_default();
            let (count, is_there) = match parts.operations.value(row) {
                "insert" => (&mut counts.inserted, 1),
                "update" => (&mut counts.updated, 1),
                "delete" => (&mut counts.deleted, 0),
                other => return Err(fail(&format!("`{other}` is no operation"))),
            };
            *count += 1;
            let key = [encoded.key(row), &epoch.to_be_bytes()].concat();
            let value = [&[is_there], encoded.value(row)].concat();
            runs.add(&key, &value).map_err(|error| fail(&error))?;
        }
        Ok(())
    })?;
    runs.finish().map_err(|error| unavailable(&error))?;
    Ok((rows, counts))
}

/// The columns of a history.
struct Parts<'a> {
    epochs: &'a Int64Array,
    operations: &'a StringArray,
    /// The table's columns after the epoch.
    new: Vec<arrow_array::ArrayRef>,
}

impl<'a> Parts<'a> {
    fn of(table: &TableSchema, batch: &'a RecordBatch) -> Result<Parts<'a>, ArrowError> {
        let keys = table.key.len();
        let other = || ArrowError::SchemaError("the history has other columns".to_owned());
        let mut others = 0..;
        let new = (0..table.schema.columns().len()).map(|index| {
            let column = match table.key.iter().position(|key| *key == index) {
                Some(key) => key,
                None => keys + 2 + 2 * others.next().unwrap_or(0) + 1,
            };
            Arc::clone(batch.column(column))
        });
        Ok(Parts {
            new: new.collect(),
            epochs: batch.column(keys).as_any().downcast_ref().ok_or_else(other)?,
            operations: batch.column(keys + 1).as_any().downcast_ref().ok_or_else(other)?,
        })
    }
}

/// The last thing that a history says of a key.
struct Last {
    key: Vec<u8>,
    epoch: Epoch,
    /// The row; `None` where it went.
    row: Option<Vec<u8>>,
}

fn compare_rows(
    last_unsure: Epoch,
    compared: &Compared<'_>,
    layout: &RowLayout,
    kept: &ChangeLog,
    found: &ChangeLog,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let mut rows = found.net(compared.at)?;
    let mut standing = rows.next()?;
    let mut judge = |last: Last| -> Result<(), RunError> {
        while standing.as_ref().is_some_and(|row| *row.key < *last.key) {
            standing = rows.next()?;
        }
        let row = standing.as_ref().filter(|row| *row.key == *last.key).and_then(|row| row.new.as_deref());
        if last.epoch > last_unsure && row != last.row.as_deref() {
            let shown = |row: Option<&[u8]>| row.and_then(|row| layout.describe_row(&last.key, row));
            let key = format!("{}, epoch {}", layout.describe_key(&last.key), last.epoch);
            report.differ(&compared.history.name, || (key, shown(row), shown(last.row.as_deref())));
        }
        Ok(())
    };
    let mut net = kept.net(TableIndex::new(0))?;
    let mut last: Option<Last> = None;
    while let Some(Change { key, new, .. }) = net.next()? {
        let damaged = || RunError::internal(format!("a row of `{}` was kept without its epoch", compared.history.name));
        let (key, epoch) = key.split_last_chunk::<8>().ok_or_else(damaged)?;
        let (is_there, row) = new.as_deref().and_then(<[u8]>::split_first).ok_or_else(damaged)?;
        if let Some(last) = last.take_if(|last| last.key != key) {
            judge(last)?;
        }
        let row = (*is_there == 1).then(|| row.to_vec());
        last = Some(Last { key: key.to_vec(), epoch: Epoch::new(u64::from_be_bytes(*epoch)), row });
    }
    last.map_or(Ok(()), judge)
}
