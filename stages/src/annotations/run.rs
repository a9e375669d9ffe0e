//! Decoding a batch.

use std::{any::Any, borrow::Cow, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array, builder::StringBuilder, new_null_array};
use arrow_schema::DataType;
use arrow_select::take::take;
use vardelta_engine::{
    batch::Batch,
    stage::{Emit, StageError, TransformRun},
};

use super::{
    ANNOTATION_ALLELE_UNMATCHED, ANNOTATION_FORMAT_MISSING, Field, Pick, PlannedAnnotations,
    alleles::{RowAllele, shortens},
    decode::{Entries, decode, worst},
    header::description,
    layout::{Layout, OUTPUTS},
};
use crate::columns;

/// An annotations stage at work on one worker.
pub(super) struct Annotator {
    plan: PlannedAnnotations,
    /// The layout that the header of the drop at work declares.
    declared: Option<Declared>,
}

/// A drop's header and the layout it declares.
struct Declared {
    header: Arc<dyn Any + Send + Sync>,
    layout: Option<Arc<Layout>>,
}

impl Annotator {
    pub(super) fn new(plan: PlannedAnnotations) -> Annotator {
        Annotator { plan, declared: None }
    }

    /// How the field is laid out in this batch's drop; `None` where a `CSQ` header does not say it.
    fn layout(&mut self, batch: &Batch) -> Option<Arc<Layout>> {
        if let Some(layout) = &self.plan.layout {
            return Some(layout.clone());
        }
        let header = batch.provenance.as_ref()?.header();
        match &self.declared {
            Some(declared) if Arc::ptr_eq(&declared.header, &header) => declared.layout.clone(),
            _ => {
                let declared = description(&*header, self.plan.field.as_str());
                let layout = declared.and_then(Layout::from_description).map(Arc::new);
                self.declared = Some(Declared { header, layout: layout.clone() });
                layout
            }
        }
    }

    /// The row's allele as the annotator saw it; `None` where the row has no ALT.
    fn row_allele<'a>(&self, batch: &'a Batch, row: usize) -> Option<RowAllele<'a>> {
        let places = &self.plan.places;
        let text = |column: Option<usize>| {
            let texts = columns::text(&batch.columns, column?);
            texts.is_valid(row).then(|| texts.value(row))
        };
        let number = places.allele_number.and_then(|column| {
            let numbers = columns::int64(&batch.columns, column);
            numbers.is_valid(row).then(|| numbers.value(row))
        });
        Some(RowAllele { reference: text(places.reference), alternate: text(places.alternate)?, number })
    }

    /// Whether VEP shortened the alleles of a row's record: the record itself has to say, as its other alleles decide.
    fn record_is_shortened(&self, batch: &Batch, row: usize) -> bool {
        let place = batch
            .provenance
            .as_ref()
            .zip(batch.origins.as_ref())
            .map(|(provenance, origins)| provenance.place(origins[row]));
        let Some(raw) = place.and_then(|place| place.raw) else { return false };
        let mut fields = raw.split('\t').skip(3);
        fields.next().zip(fields.next()).is_some_and(|(reference, alternates)| shortens(reference, alternates))
    }
}

impl TransformRun for Annotator {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let texts = columns::text(&batch.columns, self.plan.places.field);
        let layout = self.layout(batch);
        let mut rows: Vec<u64> = Vec::with_capacity(batch.rows());
        let mut output = Output::new(layout.as_deref(), batch.rows());
        let mut entries = Entries::default();
        let mut parts = Vec::new();
        let (mut unmatched, mut undeclared) = (0, 0);
        for row in 0..batch.rows() {
            let text = if texts.is_valid(row) { texts.value(row) } else { "" };
            let Some(layout) = layout.as_deref().filter(|_| !text.is_empty()) else {
                undeclared += u64::from(!text.is_empty());
                rows.push(row as u64);
                output.append_nothing();
                continue;
            };
            entries.sort(text, layout, self.row_allele(batch, row));
            let own = match (entries.written.is_empty(), entries.shortened.is_empty()) {
                (true, _) => &entries.shortened,
                (false, true) => &entries.written,
                // Both can only be where another allele of the record is spelled like this one.
                (false, false) if self.plan.field == Field::Csq && self.record_is_shortened(batch, row) => {
                    &entries.shortened
                }
                (false, false) => &entries.written,
            };
            unmatched += u64::from(own.is_empty() && entries.others > 0);
            let picked = match self.plan.pick {
                Pick::Worst => worst(own, layout).map_or(&[][..], |entry| {
                    parts.clear();
                    parts.push(entry);
                    parts.as_slice()
                }),
                Pick::All => own.as_slice(),
            };
            if picked.is_empty() {
                rows.push(row as u64);
                output.append_nothing();
            }
            let mut split = Vec::with_capacity(layout.parts_needed());
            for entry in picked {
                rows.push(row as u64);
                output.append(&decode(entry, layout, &mut split));
            }
        }
        emit.warn(ANNOTATION_ALLELE_UNMATCHED, unmatched);
        emit.warn(ANNOTATION_FORMAT_MISSING, undeclared);
        if rows.is_empty() {
            return Ok(());
        }
        // Every row yields at least one, so as many rows as before are the same rows.
        if rows.len() == batch.rows() {
            let mut columns = batch.columns.columns().to_vec();
            columns.extend(output.finish());
            emit.batch(batch.with_columns(RecordBatch::try_new(self.plan.arrow_schema.clone(), columns)?));
        } else {
            let indexes = UInt64Array::from(rows.clone());
            let along = batch.columns.columns().iter().map(|column| take(column, &indexes, None));
            let mut columns = along.collect::<Result<Vec<_>, _>>()?;
            columns.extend(output.finish());
            emit.batch(batch.derive(RecordBatch::try_new(self.plan.arrow_schema.clone(), columns)?, &rows));
        }
        Ok(())
    }
}

/// The added columns while they grow. What the field never carries is made at the end, as NULLs.
struct Output {
    builders: [Option<StringBuilder>; OUTPUTS.len()],
    rows: usize,
}

impl Output {
    fn new(layout: Option<&Layout>, rows: usize) -> Output {
        let carried = |at: usize| {
            layout.is_some_and(|layout| {
                let of_consequence =
                    at == super::layout::IMPACT && layout.outputs[super::layout::CONSEQUENCE].is_some();
                layout.outputs[at].is_some() || of_consequence
            })
        };
        let builders = std::array::from_fn(|at| carried(at).then(|| StringBuilder::with_capacity(rows, rows * 8)));
        Output { builders, rows: 0 }
    }

    fn append(&mut self, decoded: &[Option<&str>; OUTPUTS.len()]) {
        self.rows += 1;
        for (builder, value) in self.builders.iter_mut().zip(decoded) {
            if let Some(builder) = builder {
                builder.append_option(value.map(unescape));
            }
        }
    }

    fn append_nothing(&mut self) {
        self.append(&[None; OUTPUTS.len()]);
    }

    fn finish(self) -> impl Iterator<Item = ArrayRef> {
        let rows = self.rows;
        self.builders.into_iter().map(move |builder| match builder {
            Some(mut builder) => Arc::new(builder.finish()) as ArrayRef,
            None => new_null_array(&DataType::Utf8, rows),
        })
    }
}

/// VEP writes `=` as `%3D` (`p.Leu2%3D`) whatever version of VCF the file has.
fn unescape(value: &str) -> Cow<'_, str> {
    if value.contains("%3D") { Cow::Owned(value.replace("%3D", "=")) } else { Cow::Borrowed(value) }
}
