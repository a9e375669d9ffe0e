//! Writing one epoch's changes to one table, in key order: new rows in slices by LOAD DATA or multi-row inserts, changed
//! rows by multi-row upserts, gone rows by a join with their keys or batched deletes. After every statement the rows it touched are counted.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use arrow_array::RecordBatch;
use mysql::{Row, Value, prelude::Queryable};
use vardelta_engine::contract::sink::{ChangeBatch, Offender, Op, SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    history::is_history,
    ledger::Epoch,
    sql::mysql::{
        self as sql,
        constraint::{Constraint, Letter},
        layout::TableLayout,
        table::{MySqlTable, RowValue},
    },
};

use crate::sinks::{
    mysql::{
        error::{
            LARGE_ENTRY, LARGE_ROW, explain, is_about_a_value, is_referred_to, refuses_local_infile, server_words,
            violated,
        },
        gather::{Gatherer, STATEMENT_ROWS, Slice, Work},
        ledger::integer,
        link::{Link, take},
        local_infile,
        values::RowReader,
    },
    shared::{
        constraints::Refused,
        unique::UNIQUE_HINT,
        values::{column_readers, show_key},
    },
};

/// Slices that are ready while the server works on another one.
const SLICES_READY: usize = 1;
/// Parameters that a prepared statement can have.
const PARAMETERS_MAX: usize = 65_535;
const MISFIT_HINT: &str = "Filter or convert such values in a stage before the table, or see `text_characters`.";
const PARTITION_HINT: &str = "List the value in the sink's `partitions` and run `vardelta migrate`, or keep such rows out: by a \
    `filter`, or by `unknown_contigs = \"reject\"` on the source.";
/// A server's note that a statement is logged as a row rather than as text: nothing was altered.
const UNSAFE_STATEMENT: u16 = 1592;

/// What it means that the server leaves rows to update as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untouched {
    /// It takes new values for the old ones: the rows are of this very epoch, or it would change their `changed_epoch`.
    SameToServer,
    /// Somebody has been at them.
    Wrong,
    /// They may be as they are to be, all of them: what became of an earlier attempt is not known.
    Written,
}

/// How rows get into a table.
pub(super) struct Target<'a> {
    pub(super) location: &'a str,
    pub(super) link: &'a mut Link,
    pub(super) table: &'a TableSchema,
    pub(super) layout: &'a TableLayout,
    /// The time of the epoch, as the server takes it.
    pub(super) epoch_time: &'a str,
    pub(super) sql: MySqlTable<'a>,
    /// Whether new rows go by LOAD DATA; becomes false, with a notice, when the server refuses.
    pub(super) local_infile: &'a mut bool,
    pub(super) notices: &'a mut Vec<String>,
    pub(super) untouched: Untouched,
    /// New rows that the database does not take; without it the first one ends the run.
    pub(super) offenders: Option<&'a mut Vec<Offender>>,
}

/// Applies changes to a table; every change touches exactly one row. The next slice is made ready while the server works on
/// the one before.
pub(super) fn apply(
    target: Target<'_>,
    epoch: Epoch,
    changes: &mut dyn Iterator<Item = Result<ChangeBatch, SinkError>>,
) -> Result<(), SinkError> {
    let epoch = integer(epoch.number()).map_err(explain(target.location, "write to"))?;
    let (works, to_do) = sync_channel(SLICES_READY);
    let (give_back, spare) = channel();
    let as_text = target.local_infile.then(|| target.sql.row());
    let keys_as_text = target.local_infile.then(|| target.sql.key());
    // Rows of a history are never named again: LOAD DATA takes them whatever their size, a statement does not.
    let is_bounded = !is_history(target.table) || !*target.local_infile;
    let packet_bytes = is_bounded.then_some(target.link.packet_bytes);
    let (table, layout) = (target.table, target.layout);
    let gatherer = Gatherer { table, layout, epoch, packet_bytes, as_text, keys_as_text, works, spare };
    let writer = Writer { target, epoch, text: Vec::new(), meets_marks: false, revived: 0 };
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| writer.work(to_do, &give_back));
        let gathered = gatherer.gather(changes);
        let written = writing.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        written.and(gathered)
    })
}

pub(super) struct Writer<'a> {
    pub(super) target: Target<'a>,
    pub(super) epoch: i64,
    /// A slice of LOAD DATA; empty where it is still to be written.
    pub(super) text: Vec<u8>,
    /// Whether the last slice of new rows took the place of marked ones.
    pub(super) meets_marks: bool,
    /// How many did so.
    pub(super) revived: u64,
}

/// Rows of one statement, as the statement saw them.
#[derive(Clone, Copy)]
pub(super) struct Sent<'r, 'a> {
    pub(super) batches: &'r [RecordBatch],
    pub(super) readers: &'r [RowReader<'a>],
    pub(super) rows: &'r [(usize, usize)],
}

impl Sent<'_, '_> {
    fn key(&self, at: usize) -> String {
        let (batch, row) = self.rows[at];
        show_key(self.readers[batch].table, &self.readers[batch].columns, row)
    }

    pub(super) fn bind(&self, values: &[RowValue], at: usize, parameters: &mut Vec<Value>) {
        let (batch, row) = self.rows[at];
        self.readers[batch].bind(values, row, parameters);
    }
}

impl Writer<'_> {
    fn work(mut self, to_do: Receiver<Work>, give_back: &Sender<Vec<u8>>) -> Result<(), SinkError> {
        for work in to_do {
            match work {
                Work::Rows(op, slice) => self.slice(op, slice)?,
                Work::Misfit { op, column, key, row, why, is_too_large } => {
                    let hint = match self.target.layout.partition_column {
                        _ if is_too_large && is_history(self.target.table) => LARGE_ENTRY,
                        _ if is_too_large => LARGE_ROW,
                        Some(partitions) if partitions == column => PARTITION_HINT,
                        _ => MISFIT_HINT,
                    };
                    self.offends(op, &key, row, &why, hint)?;
                }
            }
            let mut text = std::mem::take(&mut self.text);
            if text.capacity() > 0 {
                // Rows that went by statements instead are still in it.
                text.clear();
                // Where nobody gathers any more, nobody needs it.
                let _ = give_back.send(text);
            }
        }
        Ok(())
    }

    /// The database does not take a row: the end of the run, or one more offender.
    fn offends(&mut self, op: Op, key: &str, row: RecordBatch, why: &str, hint: &str) -> Result<(), SinkError> {
        let table = &self.target.table.name;
        Refused { table, op, key, row, why, hint }.judge(self.target.offenders.as_deref_mut())
    }

    fn slice(&mut self, op: Op, slice: Slice) -> Result<(), SinkError> {
        let (table, layout, epoch) = (self.target.table, self.target.layout, self.epoch);
        let readers = slice
            .batches
            .iter()
            .map(|batch| Ok(RowReader { table, layout, columns: column_readers(table, batch)?, epoch }))
            .collect::<Result<Vec<_>, SinkError>>()?;
        self.text = slice.text;
        self.write(op, &Sent { batches: &slice.batches, readers: &readers, rows: &slice.rows })
    }

    fn write(&mut self, op: Op, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        match op {
            Op::Insert if *self.target.local_infile => self.load(sent),
            Op::Delete if self.goes_by_join(sent) => self.join(sent),
            _ => self.statements(op, sent),
        }
    }

    /// New rows, by LOAD DATA.
    fn load(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        if self.meets_marks {
            return self.revive(sent);
        }
        self.write_text(&self.target.sql.row(), sent);
        self.savepoint()?;
        let statement = self.target.sql.load_data();
        match local_infile::load(self.target.link, &statement, &mut self.text) {
            Ok(loaded) => {
                let rows = sent.rows.len() as u64;
                if loaded.warnings > 0 {
                    self.check_warnings(sent)?;
                }
                if loaded.deleted > 0 && self.has_marks() {
                    return self.revive_instead(sent);
                }
                if loaded.deleted > 0 && !self.target.layout.unique.is_empty() {
                    return self.statements_instead(sent);
                }
                let as_sent = loaded.records == rows && loaded.affected == rows;
                if as_sent && loaded.deleted == 0 && loaded.skipped == 0 {
                    Ok(())
                } else {
                    Err(self.disagreement(Op::Insert, sent))
                }
            }
            Err(error) if refuses_local_infile(&error) => {
                *self.target.local_infile = false;
                self.target.notices.push(format!(
                    "{} refuses LOAD DATA LOCAL, so new rows went by INSERT, which is slower: {}",
                    self.target.link.server,
                    server_words(&error)
                ));
                self.statements(Op::Insert, sent)
            }
            // A marked row is in the way, and something refers to it.
            Err(error) if is_referred_to(&error) && self.has_marks() => self.revive_instead(sent),
            Err(error) => self.refused(Op::Insert, sent, error),
        }
    }

    /// Writes the text of a part of a slice that was refused; that of a whole slice is there.
    pub(super) fn write_text(&mut self, values: &[RowValue], sent: &Sent<'_, '_>) {
        let mut scratch = String::new();
        if self.text.is_empty() {
            for (batch, row) in sent.rows {
                sent.readers[*batch].write_line(values, *row, &mut self.text, &mut scratch);
            }
        }
    }

    /// Multi-row statements.
    pub(super) fn statements(&mut self, op: Op, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        let values = match op {
            Op::Insert | Op::Update => self.target.sql.row(),
            Op::Delete => self.target.sql.key(),
        };
        let rows_max = STATEMENT_ROWS.min(PARAMETERS_MAX / values.len().max(1)).max(1);
        // Half of it, for what the protocol adds.
        let bytes_max = self.target.link.packet_bytes / 2;
        let mut from = 0;
        while from < sent.rows.len() {
            let (mut to, mut bytes) = (from, 0);
            while to < sent.rows.len() && to - from < rows_max && (to == from || bytes < bytes_max) {
                let (batch, row) = sent.rows[to];
                bytes += sent.readers[batch].bytes(row);
                to += 1;
            }
            // The row that went over the limit waits for the next statement, unless it is alone.
            if bytes >= bytes_max && to - from > 1 {
                to -= 1;
            }
            let sent = Sent { rows: &sent.rows[from..to], ..*sent };
            // A row that is there and whose key may be more than a statement holds.
            match op == Op::Delete && to - from == 1 && bytes >= bytes_max {
                true => {
                    self.statement(op, &self.target.sql.key_by_digest(), self.target.sql.delete_by_digest(), &sent)?
                }
                false => self.statement(op, &values, self.text_of(op, to - from), &sent)?,
            }
            from = to;
        }
        Ok(())
    }

    /// The statement for this many rows.
    fn text_of(&self, op: Op, rows: usize) -> String {
        match op {
            Op::Insert if self.has_marks() => self.target.sql.revive(rows),
            Op::Insert => self.target.sql.insert(rows),
            Op::Update => self.target.sql.update(rows),
            Op::Delete => self.target.sql.delete(rows),
        }
    }

    fn statement(
        &mut self,
        op: Op,
        values: &[RowValue],
        statement: String,
        sent: &Sent<'_, '_>,
    ) -> Result<(), SinkError> {
        let rows = sent.rows.len();
        let mut parameters = Vec::with_capacity(rows * values.len() + 2);
        if op == Op::Delete {
            parameters.extend(self.marking());
        }
        (0..rows).for_each(|at| sent.bind(values, at, &mut parameters));
        self.savepoint()?;
        if let Err(error) = self.target.link.conn.exec_drop(&statement, parameters) {
            return self.refused(op, sent, error);
        }
        let affected = self.target.link.conn.affected_rows();
        if self.target.link.conn.warnings() > 0 {
            self.check_warnings(sent)?;
        }
        // An upsert counts every row that it changes twice.
        let expected = rows as u64 * if op == Op::Update { 2 } else { 1 };
        let untouched = self.target.untouched;
        // One transaction wrote all of them or none.
        let stands = untouched == Untouched::Written && op == Op::Update && affected == 0;
        let revived = if op == Op::Insert && self.has_marks() { rows as u64 } else { 0 };
        self.revived += affected.saturating_sub(expected);
        let as_sent = (expected..=expected + revived).contains(&affected);
        match as_sent || stands {
            true => Ok(()),
            false
                if op == Op::Update
                    && untouched == Untouched::SameToServer
                    && self.find_disagreement(op, sent)?.is_none() =>
            {
                self.replace(sent)
            }
            false => Err(self.disagreement(op, sent)),
        }
    }

    /// Rows that are all there, but of which the server has left some as they were: a row of this very epoch whose new values
    /// it takes for the old ones, as 0.0 for -0.0. Nothing of the statement is written when they are looked for.
    fn replace(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        let (key, row) = (self.target.sql.key(), self.target.sql.row());
        let rows = sent.rows.len();
        self.statement(Op::Delete, &key, self.text_of(Op::Delete, rows), sent)?;
        self.statement(Op::Insert, &row, self.text_of(Op::Insert, rows), sent)
    }

    /// What is bound of the marks of rows that go, where they are marked.
    pub(super) fn marking(&self) -> Vec<Value> {
        match self.target.sql.is_marking() {
            true => vec![Value::Int(self.epoch), Value::from(self.target.epoch_time)],
            false => Vec::new(),
        }
    }

    pub(super) fn savepoint(&mut self) -> Result<(), SinkError> {
        self.target.link.conn.query_drop(sql::SAVEPOINT).map_err(explain(self.target.location, "write to"))
    }

    /// A warning means that a value was altered or left out; nothing of that is kept.
    fn check_warnings(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        let failed = explain(self.target.location, "write to");
        let warnings: Vec<Row> = self.target.link.conn.query(sql::WARNINGS).map_err(failed)?;
        for mut row in warnings {
            let (code, text): (u16, String) = (take(&mut row, 1).map_err(failed)?, take(&mut row, 2).map_err(failed)?);
            if code != UNSAFE_STATEMENT {
                return Err(SinkError::new(
                    SinkErrorKind::Value,
                    format!(
                        "table `{}` in {} would not keep rows as they are, {}: {text} (warning {code})",
                        self.target.table.name,
                        self.target.location,
                        between(sent)
                    ),
                )
                .with_hint("Nothing of this run was kept. See what somebody has changed about the table."));
            }
        }
        Ok(())
    }

    /// An error of the server about the rows of one statement. Where a row is at fault it is looked for by halves, after the
    /// savepoint, with two statements for each halving; rows that the server takes stay written.
    pub(super) fn refused(&mut self, op: Op, sent: &Sent<'_, '_>, error: mysql::Error) -> Result<(), SinkError> {
        let shared = violated(&error, &self.target.layout.unique).cloned();
        let is_duplicate = super::error::code(&error) == Some(super::error::DUPLICATE) && shared.is_none();
        if is_duplicate || is_null_epoch(&error) {
            return Err(self.disagreement(op, sent));
        }
        if shared.is_none() && !is_about_a_value(&error) {
            let doing = format!("write {} of table `{}` to", between(sent), self.target.table.name);
            return Err(explain(self.target.location, &doing)(error));
        }
        let failed = explain(self.target.location, "write to");
        self.target.link.conn.query_drop(sql::ROLLBACK_TO_SAVEPOINT).map_err(failed)?;
        if let ([(batch, row)], Some(index)) = (sent.rows, &shared) {
            let why = self.shared_values(index, sent)?;
            return self.offends(op, &sent.key(0), sent.batches[*batch].slice(*row, 1), &why, UNIQUE_HINT);
        }
        if let [(batch, row)] = *sent.rows {
            let why = self.words(&error);
            let hint = failed(error).hint.unwrap_or_default();
            return self.offends(op, &sent.key(0), sent.batches[batch].slice(row, 1), &why, &hint);
        }
        let (first, second) = sent.rows.split_at(sent.rows.len() / 2);
        self.write(op, &Sent { rows: first, ..*sent })?;
        self.write(op, &Sent { rows: second, ..*sent })
    }

    /// The server's words, and those of the pipeline file for the constraint that they name.
    fn words(&self, error: &mysql::Error) -> String {
        let words = server_words(error);
        let named = |constraint: &&Constraint| {
            [Letter::A, Letter::B].into_iter().any(|letter| words.contains(&constraint.name(letter)))
        };
        match self.target.layout.constraints.iter().find(named) {
            Some(constraint) => format!("constraint `{}`: {words}", constraint.said),
            None => words,
        }
    }

    /// The sink does not hold what the state says it holds: finds the first such key.
    pub(super) fn disagreement(&mut self, op: Op, sent: &Sent<'_, '_>) -> SinkError {
        let found = self.find_disagreement(op, sent);
        let (key, what) = match found {
            Ok(Some(found)) => found,
            Ok(None) => (between(sent), "another number of rows was touched than there are changes"),
            Err(error) => return error,
        };
        SinkError::new(
            SinkErrorKind::Value,
            format!(
                "table `{}` in {} and the state disagree at {key}: {what}",
                self.target.table.name, self.target.location
            ),
        )
        .with_hint(
            "Somebody has changed the table: see what differs with `vardelta verify`, and make it from scratch with \
             `vardelta rebuild`. Nothing of this run was kept.",
        )
    }

    fn find_disagreement(&mut self, op: Op, sent: &Sent<'_, '_>) -> Result<Option<(String, &'static str)>, SinkError> {
        let failed = explain(self.target.location, "look for a key in");
        let conn = &mut self.target.link.conn;
        conn.query_drop(sql::ROLLBACK_TO_SAVEPOINT).map_err(failed)?;
        let (exists, taken) = (self.target.sql.exists(), self.target.sql.place_taken());
        let (key, place) = (self.target.sql.key(), self.target.sql.place());
        let mut places = std::collections::HashSet::new();
        for at in 0..sent.rows.len() {
            let bound = |values: &[RowValue]| {
                let mut parameters = Vec::new();
                sent.bind(values, at, &mut parameters);
                parameters
            };
            let there = conn.exec_first::<Row, _, _>(&exists, bound(&key)).map_err(failed)?.is_some();
            match (op, there) {
                (Op::Insert, true) => return Ok(Some((sent.key(at), "a row to insert is there already"))),
                (Op::Update, false) => return Ok(Some((sent.key(at), "the row to update is not there"))),
                (Op::Delete, false) => return Ok(Some((sent.key(at), "the row to delete is not there"))),
                _ => {}
            }
            let other = conn.exec_first::<Row, _, _>(&taken, bound(&place)).map_err(failed)?.is_some();
            let shown: String = bound(&place).iter().map(|value| value.as_sql(false)).collect::<Vec<_>>().join(",");
            if op == Op::Insert && (other || !places.insert(shown)) {
                return Ok(Some((sent.key(at), "another key has the same key_hash")));
            }
        }
        Ok(None)
    }
}

/// The keys of a statement in words: the first and the last one.
fn between(sent: &Sent<'_, '_>) -> String {
    match sent.rows.len() {
        0 => "no row".into(),
        1 => sent.key(0),
        rows => format!("one of {rows} rows from {} to {}", sent.key(0), sent.key(rows - 1)),
    }
}

/// Whether an upsert met a row of another key: see [`MySqlTable::update`].
fn is_null_epoch(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error)
        if error.code == 1048 && error.message.contains(TableSchema::CHANGED_EPOCH))
}
