//! The only thing that travels on an edge: an Arrow `RecordBatch` with a multiplicity per row.

use std::{any::Any, sync::Arc};

use arrow_array::{Array as _, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::ArrowError;
use arrow_select::{filter::FilterBuilder, take::take_record_batch};

/// Where rows came from, asked for only when one of them is rejected.
pub trait Provenance: Send + Sync {
    /// The place and raw text of the record with this origin (see [`Batch::origins`]).
    fn place(&self, origin: u64) -> Place;

    /// The whole text of the record with this origin, without its line end; `None` where it is not kept. For what few
    /// records need: whatever many need is a column.
    fn record(&self, origin: u64) -> Option<&[u8]>;

    /// The header of the drop, as its source's reader made it ([`ChunkReader::header`](crate::contract::source::ChunkReader::header)).
    fn header(&self) -> Arc<dyn Any + Send + Sync>;
}

/// The place of a record in its drop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line in the decompressed text, 1-based; for a binary format the number of the record.
    pub line: Option<u64>,
    /// The contig as the file writes it.
    pub contig: Option<String>,
    /// The position, 1-based.
    pub pos: Option<i64>,
    /// The raw text, at most 4 KiB of it.
    pub raw: Option<String>,
}

/// Rows with their multiplicities, and, before a table, the records they came from.
#[derive(Clone)]
pub struct Batch {
    /// The columns, laid out as the stage's schema says.
    pub columns: RecordBatch,
    /// A multiplicity per row: `+1` asserts, `-1` retracts. `None` means `+1` throughout.
    pub diffs: Option<Vec<i64>>,
    /// Between a source and a table: for each row its record's origin, which grows along the drop and names the
    /// record uniquely in it (the 1-based line number for text, the 1-based record number otherwise).
    pub origins: Option<Vec<u64>>,
    /// Resolves origins to places.
    pub provenance: Option<Arc<dyn Provenance>>,
}

impl Batch {
    /// Rows that a source asserts.
    pub fn asserted(columns: RecordBatch, origins: Vec<u64>, provenance: Arc<dyn Provenance>) -> Batch {
        debug_assert_eq!(columns.num_rows(), origins.len());
        Batch { columns, diffs: None, origins: Some(origins), provenance: Some(provenance) }
    }

    /// Rows with multiplicities, as they leave a relational operator.
    pub fn changes(columns: RecordBatch, diffs: Vec<i64>) -> Batch {
        debug_assert_eq!(columns.num_rows(), diffs.len());
        Batch { columns, diffs: Some(diffs), origins: None, provenance: None }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.num_rows()
    }

    /// The rows at these indexes, in this order; an index may come more than once.
    ///
    /// # Errors
    /// What Arrow's `take` reports, for an index out of range.
    pub fn take(&self, indexes: &[u64]) -> Result<Batch, ArrowError> {
        let columns = take_record_batch(&self.columns, &UInt64Array::from(indexes.to_vec()))?;
        Ok(Batch { columns, ..self.take_lineage(indexes) })
    }

    /// This batch's multiplicities and origins at these indexes, around columns that a transform made itself
    /// (row `i` of `columns` came from row `indexes[i]` of this batch).
    pub fn derive(&self, columns: RecordBatch, indexes: &[u64]) -> Batch {
        debug_assert_eq!(columns.num_rows(), indexes.len());
        Batch { columns, ..self.take_lineage(indexes) }
    }

    /// Other columns over the same rows.
    pub fn with_columns(&self, columns: RecordBatch) -> Batch {
        debug_assert_eq!(columns.num_rows(), self.rows());
        Batch { columns, diffs: self.diffs.clone(), origins: self.origins.clone(), provenance: self.provenance.clone() }
    }

    /// The rows where `keep` is true (NULL counts as false).
    ///
    /// # Errors
    /// For a mask of another length.
    pub fn filter(&self, keep: &BooleanArray) -> Result<Batch, ArrowError> {
        if keep.len() != self.rows() {
            return Err(ArrowError::InvalidArgumentError(format!("{} rows, a mask of {}", self.rows(), keep.len())));
        }
        let kept = |i: usize| keep.is_valid(i) && keep.value(i);
        fn sieve<T: Copy>(values: &Option<Vec<T>>, kept: impl Fn(usize) -> bool) -> Option<Vec<T>> {
            values
                .as_ref()
                .map(|values| values.iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, value)| *value).collect())
        }
        let predicate = FilterBuilder::new(keep).optimize().build();
        // What nobody reads is NULL throughout, and any of its rows are those that are kept.
        let column = |column: &ArrayRef| match column.null_count() == column.len() {
            true => Ok(column.slice(0, predicate.count())),
            false => predicate.filter(column),
        };
        let columns = self.columns.columns().iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(predicate.count()));
        Ok(Batch {
            columns: RecordBatch::try_new_with_options(self.columns.schema(), columns, &options)?,
            diffs: sieve(&self.diffs, kept),
            origins: sieve(&self.origins, kept),
            provenance: self.provenance.clone(),
        })
    }

    /// The multiplicity of a row.
    pub fn diff(&self, row: usize) -> i64 {
        self.diffs.as_ref().map_or(1, |diffs| diffs[row])
    }

    fn take_lineage(&self, indexes: &[u64]) -> Batch {
        fn pick<T: Copy>(values: &Option<Vec<T>>, indexes: &[u64]) -> Option<Vec<T>> {
            values.as_ref().map(|values| indexes.iter().map(|i| values[*i as usize]).collect())
        }
        Batch {
            columns: RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty())),
            diffs: pick(&self.diffs, indexes),
            origins: pick(&self.origins, indexes),
            provenance: self.provenance.clone(),
        }
    }
}
