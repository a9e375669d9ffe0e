//! Decoding a batch.

use std::{any::Any, borrow::Cow, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array, builder::StringBuilder, new_null_array};
use arrow_schema::DataType;
use arrow_select::take::take;
use vardelta_engine::contract::{
    batch::Batch,
    stage::{Emit, StageError, TransformRun},
};

use crate::{
    columns,
    transforms::annotations::{
        ANNOTATION_ALLELE_UNMATCHED, ANNOTATION_ELSEWHERE, ANNOTATION_FORMAT_MISSING, ANNOTATION_PARTS_MISMATCH,
        ANNOTATION_PICK_MISSING, CONSEQUENCE_UNKNOWN, Pick, PlannedAnnotations,
        alleles::{RowAllele, shortens},
        decode::{Entries, decode},
        header::{description, is_percent_encoded},
        layout::{Family, Layout, OUTPUTS},
        pick::pick,
    },
};

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

    /// How the field is laid out in this batch's drop; `None` where only the header could say it and does not.
    fn layout(&mut self, batch: &Batch) -> Option<Arc<Layout>> {
        let (family, field) = (self.plan.family, self.plan.field.as_str());
        let Some(provenance) = batch.provenance.as_ref().filter(|_| family.is_declared()) else {
            return self.plan.layout.clone();
        };
        let header = provenance.header();
        match &self.declared {
            Some(declared) if Arc::ptr_eq(&declared.header, &header) => declared.layout.clone(),
            _ => {
                let declared = description(&*header, field).and_then(|text| Layout::from_description(family, text));
                let mut layout = declared.map(Arc::new).or_else(|| self.plan.layout.clone());
                if let Some(layout) = &mut layout {
                    Arc::make_mut(layout).percent_encoded = is_percent_encoded(&*header, field);
                }
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

    /// REF and ALT of a row's record, as its line writes them.
    fn alleles_of_record<T>(batch: &Batch, row: usize, read: impl FnOnce(&str, &str) -> T) -> Option<T> {
        let place = batch.provenance.as_ref()?.place(batch.origins.as_ref()?[row]);
        let raw = place.raw?;
        let mut fields = raw.split('\t').skip(3);
        fields.next().zip(fields.next()).map(|(reference, alternates)| read(reference, alternates))
    }

    /// The entries of a row's allele, in `entries`; returns which of the two lists there holds them.
    fn entries_of_allele<'a, 'e>(
        &self,
        batch: &Batch,
        row: usize,
        text: &'a str,
        layout: &Layout,
        entries: &'e mut Entries<'a>,
    ) -> &'e [&'a str] {
        let allele = self.row_allele(batch, row);
        entries.sort(text, layout, allele, true);
        // An allele number that the record cannot have was given before its alleles were split into records.
        let own_number = allele.and_then(|allele| allele.number).unwrap_or(i64::MAX);
        if entries.greatest_number > own_number {
            let alternates = Self::alleles_of_record(batch, row, |_, alternates| alternates.split(',').count());
            if alternates.is_some_and(|alternates| entries.greatest_number > alternates as i64) {
                entries.sort(text, layout, allele, false);
            }
        }
        // Both can only be where another allele of the record is spelled like this one; what VEP did with it follows from
        // the record's other alleles.
        let is_shortened = match (entries.written.is_empty(), entries.shortened.is_empty()) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => {
                self.plan.family == Family::Declared && Self::alleles_of_record(batch, row, shortens).unwrap_or(false)
            }
        };
        if is_shortened { &entries.shortened } else { &entries.written }
    }
}

impl TransformRun for Annotator {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let texts = columns::text(&batch.columns, self.plan.places.field);
        let layout = self.layout(batch);
        let mut rows: Vec<u64> = Vec::with_capacity(batch.rows());
        let mut output = Output::new(layout.as_deref(), batch.rows());
        let (mut picked, mut split) = (Vec::new(), Vec::new());
        let field = self.plan.field.clone();
        let mut warn = |is_met: bool, row: usize, reason| {
            if is_met {
                emit.warn(batch, row, reason, &field);
            }
        };
        let lacks_marks = layout.as_deref().is_some_and(|layout| match self.plan.pick {
            Pick::Mane => !layout.marks_mane(),
            Pick::Canonical => layout.canonical.is_none(),
            Pick::Worst | Pick::WorstPerGene | Pick::All => false,
        });
        let mut entries = Entries::default();
        for row in 0..batch.rows() {
            let text = if texts.is_valid(row) { texts.value(row) } else { "" };
            let Some(layout) = layout.as_deref().filter(|_| !text.is_empty()) else {
                warn(!text.is_empty(), row, ANNOTATION_FORMAT_MISSING);
                rows.push(row as u64);
                output.append_nothing();
                continue;
            };
            let own = self.entries_of_allele(batch, row, text, layout, &mut entries);
            let is_empty = own.is_empty();
            warn(lacks_marks && !is_empty, row, ANNOTATION_PICK_MISSING);
            if let Some(parts) = &layout.parts {
                let count = |entry: &str| entry.matches(layout.part_separator).count() + 1;
                warn(own.iter().any(|entry| !parts.contains(&count(entry))), row, ANNOTATION_PARTS_MISMATCH);
            }
            warn(pick(own, self.plan.pick, layout, &mut picked), row, CONSEQUENCE_UNKNOWN);
            if is_empty {
                warn(entries.others > 0, row, ANNOTATION_ALLELE_UNMATCHED);
                warn(entries.others == 0 && entries.elsewhere > 0, row, ANNOTATION_ELSEWHERE);
                rows.push(row as u64);
                output.append_nothing();
            }
            for entry in &picked {
                rows.push(row as u64);
                output.append(&decode(entry, layout, &mut split));
            }
        }
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
        let carried = |at: usize| layout.is_some_and(|layout| layout.carries(at));
        let builders = std::array::from_fn(|at| carried(at).then(|| StringBuilder::with_capacity(rows, rows * 8)));
        Output { builders, rows: 0 }
    }

    fn append(&mut self, decoded: &[Option<Cow<'_, str>>; OUTPUTS.len()]) {
        self.rows += 1;
        for (builder, value) in self.builders.iter_mut().zip(decoded) {
            if let Some(builder) = builder {
                builder.append_option(value.as_deref());
            }
        }
    }

    fn append_nothing(&mut self) {
        self.append(&[const { None }; OUTPUTS.len()]);
    }

    fn finish(self) -> impl Iterator<Item = ArrayRef> {
        let rows = self.rows;
        self.builders.into_iter().map(move |builder| match builder {
            Some(mut builder) => Arc::new(builder.finish()) as ArrayRef,
            None => new_null_array(&DataType::Utf8, rows),
        })
    }
}
