//! What a sink is: a database that takes one epoch's changes and the ledger row in one transaction.

mod answers;
mod checks;
mod details;
mod erase;
mod lookups;
mod migrate;
mod part;
mod query_plan;
mod set_aside;

use std::{error::Error, fmt, path::PathBuf, sync::Arc};
use vardelta_schemas::ledger::{DropId, Epoch};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use vardelta_schemas::{
    TableSchema, ledger,
    sql::{
        Dialect,
        view::{Relation, Statement, Unsayable},
    },
};

use crate::cause::Cause;

pub use self::{
    answers::{AnswerName, AnswerStore, KeptAnswer},
    checks::Check,
    details::{DetailLimits, Details},
    erase::Erase,
    lookups::{KeptLookups, Lookups},
    migrate::{Fill, Migrate},
    part::Part,
    query_plan::{AccessPath, NamedIndex, QueryPlan, QueryPlans},
    set_aside::SetAside,
};

/// A planned sink.
pub trait SinkStage: Send + Sync {
    /// Where the state lies when the pipeline file does not say: beside the sink's file, if it has one.
    fn default_state_dir(&self) -> Option<PathBuf>;

    /// The files that the database is in, should it be one in files: nothing else may be written there.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The database in words, without secrets, for messages.
    fn location(&self) -> String;

    /// The database as lineage names it: where it is, without user and password, and what is before the names of its
    /// tables there (<https://openlineage.io/docs/spec/naming>).
    fn namespace(&self) -> Namespace {
        Namespace { location: self.location(), database: None }
    }

    /// Opens the database.
    ///
    /// # Errors
    /// When it cannot be reached, or (with [`Access::Read`]) does not exist.
    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError>;

    /// The tables of which it keeps a history, by name.
    fn history(&self) -> &[String] {
        &[]
    }

    /// The conditions that its database keeps, for runs that do not ask it.
    fn checks(&self) -> &[Check] {
        &[]
    }

    /// Whether its database also keeps rules that only it can judge (FOREIGN KEYs, unique columns).
    fn asks_database(&self) -> bool {
        false
    }

    /// The indexes that it keeps beside the primary keys.
    fn indexes(&self) -> Vec<NamedIndex> {
        Vec::new()
    }

    /// Opens the place beside the ledger where answers of look-ups are kept; made when it is missing. `None` for a sink
    /// that has none.
    ///
    /// # Errors
    /// When the database cannot be reached.
    fn open_answers(&self) -> Result<Option<Box<dyn AnswerStore>>, SinkError> {
        Ok(None)
    }

    /// Makes an empty database of this name on the sink's server, for what must not touch the pipeline's own. False for a sink
    /// that has no server.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not let it: nothing is made then.
    fn make_database(&self, name: &str) -> Result<bool, SinkError> {
        let _ = name;
        Ok(false)
    }

    /// Drops such a database with all that is in it; one that is not there is no error.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not let it.
    fn drop_database(&self, name: &str) -> Result<(), SinkError> {
        let _ = name;
        Ok(())
    }

    /// The server whose SQL it speaks.
    fn server(&self) -> Server;

    /// The statements it will run for these tables, for `explain`.
    fn statements(&self, tables: &[TableSchema], dialect: Dialect) -> Vec<String>;

    /// The statement that computes a view from the tables as they are planned, for `explain`.
    ///
    /// # Errors
    /// As [`Relation::statement`].
    fn view(&self, view: &Relation, dialect: Dialect) -> Result<Statement, Unsayable>;
}

/// A database as lineage names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Where it is: `mysql://host:3306`.
    pub location: String,
    /// The database there, if the names of tables begin with it.
    pub database: Option<String>,
}

/// A database server, or the library that is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it speaks.
    pub dialect: Dialect,
    /// It in words: `MariaDB 10.11.6`; or that it could not be asked.
    pub words: String,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only: nothing is created, not even the file.
    Read,
    /// A run: the file, the ledger's tables and missing sink tables are created.
    Write,
}

/// A connection to a sink's database.
///
/// One epoch is written by `begin`, any number of `apply` and `rejects`, then `commit`. Dropping the connection, or
/// `rollback`, leaves the database as it was before `begin`.
pub trait Sink: Migrate + Erase + Lookups + QueryPlans + SetAside + Details + Send {
    /// The ledger of a pipeline as of now. A database without ledger tables, or without this pipeline, has epoch 0 and no drops.
    ///
    /// # Errors
    /// When the database cannot be read, or its ledger was written by a newer vardelta.
    fn ledger(&mut self, pipeline: &str) -> Result<ledger::Snapshot, SinkError>;

    /// Every event of a pipeline, in order of epoch.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn history(&mut self, pipeline: &str) -> Result<Vec<ledger::Event>, SinkError>;

    /// What the ledger says that was written, epoch by epoch.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn accounts(&mut self, pipeline: &str) -> Result<ledger::Accounts, SinkError>;

    /// Starts the transaction of one epoch, taking the database's write lock. Creates the ledger's and the sink's tables
    /// that are missing (inside the transaction where the dialect can), and refuses a table whose columns are not the
    /// planned ones.
    ///
    /// # Errors
    /// [`SinkErrorKind::Locked`] when another run holds the lock, [`SinkErrorKind::Stale`] when the pipeline's epoch is
    /// not the expected one.
    fn begin(&mut self, start: &EpochStart<'_>) -> Result<(), SinkError>;

    /// Applies changes to one table, in key order; `changed_epoch` becomes `epoch` in every row inserted or updated.
    ///
    /// # Errors
    /// When a statement fails, or touches another number of rows than the changes say.
    fn apply(
        &mut self,
        table: &TableSchema,
        epoch: Epoch,
        changes: &mut dyn Iterator<Item = Result<ChangeBatch, SinkError>>,
    ) -> Result<(), SinkError>;

    /// The order in which the changes of these tables are applied: table and part. Where tables refer to each other, new
    /// rows come before those that refer to them, and old rows after.
    fn order(&self, tables: &[TableSchema]) -> Vec<(usize, Part)> {
        (0..tables.len()).map(|table| (table, Part::All)).collect()
    }

    /// Whether `apply` goes on after a new row that the database does not take: see [`Sink::take_offenders`].
    fn quarantines(&self) -> bool {
        false
    }

    /// The new rows that the database did not take since `begin`, with its words. Where there are any, the transaction is
    /// to be rolled back.
    fn take_offenders(&mut self) -> Vec<Offender> {
        Vec::new()
    }

    /// Writes rejects of this epoch.
    ///
    /// # Errors
    /// When a statement fails.
    fn rejects(&mut self, pipeline: &str, epoch: Epoch, rejects: &[ledger::RejectRow]) -> Result<(), SinkError>;

    /// Writes the epoch, its drops and events, and commits. After an error nothing may be assumed: the caller reads the
    /// ledger again.
    ///
    /// # Errors
    /// When the epoch in the ledger is not the one `begin` saw, or the commit fails.
    fn commit(&mut self, record: &ledger::EpochRecord) -> Result<(), SinkError>;

    /// Gives the transaction up.
    ///
    /// # Errors
    /// When the connection is gone (which gives it up as well).
    fn rollback(&mut self) -> Result<(), SinkError>;

    /// After [`SinkErrorKind::ConnectionLost`]: connects again, for as long as the sink's settings say, and reads the
    /// pipeline's ledger once the lost connection can no longer commit. What the ledger then says is final.
    ///
    /// # Errors
    /// When the database cannot be reached in that time; whether the transaction was committed is then unknown.
    fn recover(&mut self, pipeline: &str) -> Result<ledger::Snapshot, SinkError>;

    /// How often a transaction that met [`SinkErrorKind::Contention`], or lost its connection, is run again.
    fn retries(&self) -> u32 {
        0
    }

    /// Does what cannot be part of the transaction and waits until the epoch is in state and sink: indexes of tables
    /// that were just filled. What a killed run leaves undone the next one does.
    ///
    /// # Errors
    /// When a statement fails. The epoch is committed all the same.
    fn settle(&mut self, pipeline: &str, tables: &[TableSchema]) -> Result<(), SinkError>;

    /// The triggers of the database, as far as the user may see them. One on a table of vardelta's may change rows behind its
    /// back.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn triggers(&mut self) -> Result<Vec<Trigger>, SinkError>;

    /// Things worth saying about how the rows were written, once each.
    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Reads a whole table, in any order, in batches laid out as its schema says (without `changed_epoch`).
    ///
    /// # Errors
    /// When the table cannot be read, or holds a value that its column type cannot.
    fn scan(
        &mut self,
        table: &TableSchema,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<(), SinkError>;

    /// The statement that computes a view from the tables as they stand.
    ///
    /// # Errors
    /// When the database cannot be read. Where the view cannot be said in its SQL, that is the inner error.
    fn statement(&mut self, view: &Relation) -> Result<Result<Statement, Unsayable>, SinkError>;

    /// Runs a statement that [`Sink::statement`] made, and hands on what it yields as [`Sink::scan`] does; `table` has its columns.
    ///
    /// # Errors
    /// When it ends with an error, or yields a value that its column's type cannot hold.
    fn query(
        &mut self,
        statement: &str,
        table: &TableSchema,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<(), SinkError>;

    /// Brings the bytes digest and the path of an unchanged drop up to date, outside of any epoch.
    ///
    /// # Errors
    /// When the statement fails.
    fn refresh_delivery(
        &mut self,
        pipeline: &str,
        drop_id: DropId,
        bytes_digest: &str,
        path: &str,
    ) -> Result<(), SinkError>;
}

/// What a sink must know at the start of an epoch's transaction.
#[derive(Clone, Copy, Debug)]
pub struct EpochStart<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// The epoch that the ledger must have, by number and identity; the one that starts is the next.
    pub expected: ledger::EpochId,
    /// The UTC time that the ledger is to have for it, RFC 3339.
    pub committed_at: &'a str,
    /// The tables that the pipeline keeps.
    pub tables: &'a [TableSchema],
    /// The tables that hold their history. Nothing but [`Erase::erase`] takes rows out of them, and only a missing table is
    /// made.
    pub history: &'a [TableSchema],
    /// Whether `tables` are rebuilt, and tables of the pipeline that are neither in `tables` nor in `history` dropped.
    pub replace_tables: bool,
}

/// Something that the database does by itself when a row of a table changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
}

/// What happens to one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The key is new.
    Insert,
    /// The key stays, another column changed.
    Update,
    /// The key is gone.
    Delete,
}

crate::reasons! {
    /// Why a sink rejects rows, where it is to go on without them.
    pub REASONS:
    reject CONSTRAINT = "constraint":
        "the sink's database does not take the row: a constraint, or a value that its column cannot hold"
        => "read the server's message in the detail, and correct the record or the constraint";
}

/// New rows that the database does not take, at the most: beyond, something other than rows is wrong.
pub const OFFENDERS_MAX: usize = 100_000;
/// What to do about a row that the database does not take.
pub const REFUSED_HINT: &str = "Filter or convert such values in a stage before the table, or change the constraint, or have such rows rejected \
     with `on_constraint = \"quarantine\"`.";

/// A new row that the database did not take.
#[derive(Clone, Debug)]
pub struct Offender {
    /// Its table.
    pub table: String,
    /// The row, laid out as its table says.
    pub row: RecordBatch,
    /// The database's words.
    pub message: String,
}

/// Changes of one table, in key order.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    /// What happens, row by row.
    pub ops: Vec<Op>,
    /// The new rows of the inserts and updates, in the order of `ops`.
    pub new: RecordBatch,
    /// The old rows of the updates and deletes, in the order of `ops`.
    pub old: RecordBatch,
}

impl ChangeBatch {
    /// The changes that are marked, one mark each.
    pub(crate) fn keep(&self, kept: &[bool]) -> Result<ChangeBatch, arrow_schema::ArrowError> {
        let mask = |of: &[Op]| -> BooleanArray {
            let marked = self.ops.iter().zip(kept).filter(|(op, _)| of.contains(op));
            marked.map(|(_, kept)| Some(*kept)).collect()
        };
        let new = filter_record_batch(&self.new, &mask(&[Op::Insert, Op::Update]))?;
        let old = filter_record_batch(&self.old, &mask(&[Op::Update, Op::Delete]))?;
        let ops = self.ops.iter().zip(kept).filter(|(_, kept)| **kept).map(|(op, _)| *op).collect();
        Ok(ChangeBatch { ops, new, old })
    }
}

/// Sink or state trouble.
#[derive(Clone, Debug)]
pub struct SinkError {
    /// What sort of trouble.
    pub kind: SinkErrorKind,
    /// What happened and where.
    pub message: String,
    /// What to do, a full sentence.
    pub hint: Option<String>,
    /// What it came from.
    pub cause: Option<Cause>,
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause.as_ref() as &(dyn Error + 'static))
    }
}

/// Sorts of sink trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkErrorKind {
    /// Another run holds the lock.
    Locked,
    /// The ledger has moved on since it was read.
    Stale,
    /// The database's tables are not the ones the pipeline declares.
    Layout,
    /// A value that the column cannot hold, or a constraint that is violated.
    Value,
    /// The transaction gave way to another client's (a deadlock, a lock that was not given back in time). It is rolled
    /// back, and may succeed when it is run again.
    Contention,
    /// The connection is gone, and with it the transaction, unless it was just being committed: see [`Sink::recover`].
    ConnectionLost,
    /// The database holds what vardelta never writes there: a defect, or somebody's hand.
    Unreadable,
    /// Everything else: unreachable, read-only, disk full.
    Unavailable,
}

impl SinkError {
    /// An error without a hint.
    pub fn new(kind: SinkErrorKind, message: impl Into<String>) -> SinkError {
        SinkError { kind, message: message.into(), hint: None, cause: None }
    }

    /// Adds what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> SinkError {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what it came from.
    pub fn caused_by(mut self, cause: impl Error + Send + Sync + 'static) -> SinkError {
        self.cause = Some(Arc::new(cause));
        self
    }
}
