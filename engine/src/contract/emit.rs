//! What a source's parser or a transform yields, and why one cannot go on.

use std::{error::Error, fmt, sync::Arc};

use crate::{
    cause::Cause,
    contract::{
        batch::{Batch, Place},
        reason::Reason,
        warning::{Warned, Warnings},
    },
};

/// What a source's parser or a transform makes of its input.
#[derive(Default)]
pub struct Emit {
    /// Batches for the stages that read this one.
    pub batches: Vec<Batch>,
    /// Records, or rows of them, that could not be used.
    pub rejects: Vec<Reject>,
    /// Origins of rows that passed no filter; one entry per row.
    pub filtered: Vec<u64>,
    /// Origins of records that have no alternate allele to yield; one entry per record.
    pub no_alternate: Vec<u64>,
    /// Origins of gVCF reference blocks, which are records without alternate allele too; one entry per record, here alone.
    pub reference_blocks: Vec<u64>,
    /// What was adapted and counted.
    pub warnings: Warnings,
}

impl Emit {
    /// Passes a batch on. Empty batches are dropped.
    pub fn batch(&mut self, batch: Batch) {
        if batch.rows() > 0 {
            self.batches.push(batch);
        }
    }

    /// Rejects one row of a batch.
    pub fn reject(&mut self, batch: &Batch, row: usize, reason: &'static Reason, detail: impl Into<String>) {
        self.rejects.push(Reject {
            origin: batch.origins.as_ref().map(|origins| origins[row]),
            diff: batch.diff(row),
            place: None,
            reason,
            detail: detail.into(),
        });
    }

    /// Says that one row of a batch passed no filter.
    pub fn filter(&mut self, batch: &Batch, row: usize) {
        if let Some(origins) = &batch.origins {
            self.filtered.push(origins[row]);
        }
    }

    /// Says that one row's record has no alternate allele to yield.
    pub fn no_alternate(&mut self, batch: &Batch, row: usize) {
        if let Some(origins) = &batch.origins {
            self.no_alternate.push(origins[row]);
        }
    }

    /// Says that one row's record is a gVCF reference block: it has no alternate allele to yield, only one that stands for
    /// any that was not observed.
    pub fn reference_block(&mut self, batch: &Batch, row: usize) {
        if let Some(origins) = &batch.origins {
            self.reference_blocks.push(origins[row]);
        }
    }

    /// Counts something of one row of a batch that was adapted rather than refused; see [`Warnings::add`] for `field`. Of a
    /// row that is taken back it was said when it came.
    pub fn warn(&mut self, batch: &Batch, row: usize, reason: &'static Reason, field: &str) {
        if batch.diff(row) < 0 {
            return;
        }
        let origin = batch.origins.as_ref().map(|origins| origins[row]);
        self.warnings.add(reason, field, Warned::once(origin));
    }
}

/// A record, or a row of one, that could not be used.
#[derive(Clone, Debug)]
pub struct Reject {
    /// The record's origin; `None` after a table.
    pub origin: Option<u64>,
    /// The row's multiplicity.
    pub diff: i64,
    /// The place, where the rejecting stage knows it; the engine asks the batch's [`Provenance`](crate::contract::batch::Provenance)
    /// otherwise.
    pub place: Option<Place>,
    /// Why.
    pub reason: &'static Reason,
    /// What exactly was wrong.
    pub detail: String,
}

/// Why a stage cannot go on: what, where, and what to do.
#[derive(Clone, Debug)]
pub struct StageError {
    /// What happened and where.
    pub message: String,
    /// What to do, a full sentence.
    pub hint: Option<String>,
    /// What it came from.
    pub cause: Option<Cause>,
    /// Whether it is about a file that the stage computes with, rather than the one that it reads.
    pub is_of_side_input: bool,
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause.as_ref() as &(dyn Error + 'static))
    }
}

impl StageError {
    /// An error without a hint.
    pub fn new(message: impl Into<String>) -> StageError {
        StageError { message: message.into(), hint: None, cause: None, is_of_side_input: false }
    }

    /// Adds what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> StageError {
        self.hint = Some(hint.into());
        self
    }

    /// It is about a file that the stage computes with, whose name is in the message.
    pub fn of_side_input(mut self) -> StageError {
        self.is_of_side_input = true;
        self
    }

    /// Adds what it came from.
    pub fn caused_by(mut self, cause: impl Error + Send + Sync + 'static) -> StageError {
        self.cause = Some(Arc::new(cause));
        self
    }
}

impl From<arrow_schema::ArrowError> for StageError {
    fn from(error: arrow_schema::ArrowError) -> StageError {
        StageError::new(format!("batch kernel failed: {error}")).caused_by(error)
    }
}
