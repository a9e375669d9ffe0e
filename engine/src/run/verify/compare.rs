//! Rows as they should be against rows as they are.

use std::{cmp::Ordering, io};

use arrow_array::{Array as _, RecordBatch, cast::AsArray as _, types::Float64Type};
use arrow_schema::DataType;

use super::report::VerifyReport;
use crate::{
    changes::{Change, ChangeLog, NetChanges, RunBuilder},
    epoch::plane::{Plane, What},
    error::{RunError, RunErrorKind},
    plan::TableIndex,
    rows::{RowBatch, RowLayout},
};

/// Rows in one sorted run of a table that is read back.
const RUN_ROWS: usize = 100_000;

pub(super) fn unavailable(error: &dyn std::fmt::Display) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("rows cannot be kept for comparison: {error}"))
        .with_hint("Make room in the state directory, or in TMPDIR where that may not be written to.")
}

/// Collects rows in sorted runs.
pub(super) struct Runs<'a> {
    log: &'a ChangeLog,
    table: TableIndex,
    rows: RowBatch,
}

impl<'a> Runs<'a> {
    pub(super) fn new(log: &'a ChangeLog, table: TableIndex) -> Runs<'a> {
        Runs { log, table, rows: RowBatch::default() }
    }

    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.rows.push(key, value, 1);
        if self.rows.len() >= RUN_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let twice = |_| io::Error::new(io::ErrorKind::InvalidData, "a key comes twice");
        let run = RunBuilder::fold(std::slice::from_ref(&self.rows)).map_err(twice)?;
        self.rows.clear();
        self.log.push(self.table, 0, run)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Where rows are read from.
#[derive(Clone, Copy)]
pub(super) enum ReadFrom<'a> {
    /// They were read back, and kept.
    Kept(&'a ChangeLog),
    /// They were computed.
    Computed(&'a dyn Plane),
}

/// The rows of a table, one side of a comparison.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) from: ReadFrom<'a>,
    /// The table's place there.
    pub(super) at: TableIndex,
    pub(super) layout: &'a RowLayout,
}

impl Rows<'_> {
    fn net(self) -> Result<NetChanges, RunError> {
        match self.from {
            ReadFrom::Kept(log) => log.net(self.at).map_err(|error| unavailable(&error)),
            ReadFrom::Computed(plane) => plane.net(self.at, What::All),
        }
    }
}

/// What two rows of one key may differ in.
#[derive(Clone, Copy)]
pub(super) enum Strictness<'a> {
    /// Nothing.
    Exact,
    /// The sign of a zero; and in these columns by what the expected rows say after all columns.
    Numbers(&'a [usize]),
}

/// Compares, and reports what differs.
pub(super) fn compare(
    table: &str,
    expected: Rows<'_>,
    found: Rows<'_>,
    strictness: Strictness<'_>,
    report: &mut VerifyReport,
) -> Result<(), RunError> {
    let next = |net: &mut NetChanges| net.next().map_err(|error| unavailable(&error));
    let (mut wanted, mut had) = (expected.net()?, found.net()?);
    let (mut left, mut right) = (next(&mut wanted)?, next(&mut had)?);
    while left.is_some() || right.is_some() {
        let order = match (&left, &right) {
            (Some(left), Some(right)) => left.key.cmp(&right.key),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let (mut want, mut have) = (None, None);
        if order.is_le() {
            want = left.take();
            left = next(&mut wanted)?;
        }
        if order.is_ge() {
            have = right.take();
            right = next(&mut had)?;
        }
        let is_same = match (&want, &have) {
            (Some(want), Some(have)) => want.new == have.new || alike(want, have, expected, found, strictness),
            _ => false,
        };
        if is_same {
            continue;
        }
        report.differ(table, || {
            let key = want.as_ref().or(have.as_ref()).map(|change| found.layout.describe_key(&change.key));
            let shown = |change: Option<Change>, rows: Rows<'_>| {
                change.and_then(|row| rows.layout.describe_row(&row.key, row.new.as_deref()?))
            };
            (key.unwrap_or_default(), shown(want, expected), shown(have, found))
        });
    }
    Ok(())
}

/// Whether two rows of one key, whose bytes differ, say the same.
fn alike(want: &Change, have: &Change, expected: Rows<'_>, found: Rows<'_>, strictness: Strictness<'_>) -> bool {
    let Strictness::Numbers(tolerant) = strictness else { return false };
    let decode = |change: &Change, rows: Rows<'_>| {
        let value = change.new.as_deref()?;
        rows.layout.decode(std::iter::once((&*change.key, value))).ok()
    };
    let (Some(want), Some(have)) = (decode(want, expected), decode(have, found)) else { return false };
    (0..have.num_columns()).all(|column| {
        let (one, other) = (want.column(column), have.column(column));
        if *other.data_type() != DataType::Float64 || one.is_null(0) || other.is_null(0) {
            return one == other;
        }
        let (one, other) = (one.as_primitive::<Float64Type>().value(0), other.as_primitive::<Float64Type>().value(0));
        let last = tolerant.iter().position(|at| *at == column).map(|at| have.num_columns() + at);
        one == other || last.is_some_and(|column| (one - other).abs() <= tolerance(&want, column))
    })
}

fn tolerance(row: &RecordBatch, column: usize) -> f64 {
    let tolerance = row.column(column).as_primitive::<Float64Type>();
    if tolerance.is_null(0) { 0.0 } else { tolerance.value(0) }
}
