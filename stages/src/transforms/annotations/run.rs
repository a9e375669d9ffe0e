//! Decoding a batch.

use std::{any::Any, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array, builder::StringBuilder, new_null_array};
use arrow_schema::DataType;
use arrow_select::take::take;
use vardelta_engine::contract::{
    batch::Batch,
    reason::Reason,
    stage::{Emit, StageError, TransformRun},
};

use crate::{
    columns,
    transforms::annotations::{
        ANNOTATION_ALLELE_AMBIGUOUS, ANNOTATION_ALLELE_UNMATCHED, ANNOTATION_ELSEWHERE, ANNOTATION_FORMAT_MISSING,
        ANNOTATION_PART_BAD, ANNOTATION_PART_MISSING, ANNOTATION_PARTS_MISMATCH, ANNOTATION_PICK_MISSING,
        CONSEQUENCE_UNKNOWN, Pick, Places, PlannedAnnotations,
        alleles::{RowAllele, shortens},
        decode::{Entries, decode, unescape},
        header::{description, is_percent_encoded},
        layout::{Family, Layout, OUTPUTS},
        parts::PartBuilder,
        pick::Picker,
        split_records::Record,
        tape::{EntryAt, Field, Tape},
    },
};

/// An annotations stage at work on one worker.
pub(super) struct Annotator {
    plan: PlannedAnnotations,
    /// Which of the added columns somebody reads.
    wanted: [bool; OUTPUTS.len()],
    /// The layout that the header of the drop at work declares.
    declared: Option<Declared>,
    /// Used again from row to row.
    tape: Tape,
    entries: Entries,
    picker: Picker,
}

/// A drop's header and the layout it declares.
struct Declared {
    header: Arc<dyn Any + Send + Sync>,
    layout: Option<Arc<Layout>>,
}

impl Annotator {
    pub(super) fn new(plan: PlannedAnnotations, wanted: [bool; OUTPUTS.len()]) -> Annotator {
        Annotator {
            plan,
            wanted,
            declared: None,
            tape: Tape::default(),
            entries: Entries::default(),
            picker: Picker::default(),
        }
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
}

/// Which of a row's entries are of its allele.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    Written,
    Shortened,
    /// They may be another allele's.
    Open,
}

/// The row's allele as the annotator saw it; `None` where the row has no ALT.
fn row_allele<'a>(places: &Places, batch: &'a Batch, row: usize) -> Option<RowAllele<'a>> {
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

/// The alleles of a row's record, as its line writes them; `None` after a table.
fn record(batch: &Batch, row: usize) -> Option<Record<'_>> {
    let origin = batch.origins.as_ref()?[row];
    Record::of_line(batch.provenance.as_ref()?.record(origin)?)
}

/// Sorts a row's entries and says which of them are of its allele.
fn sort_entries(
    plan: &PlannedAnnotations,
    (batch, row): (&Batch, usize),
    field: Field<'_>,
    layout: &Layout,
    entries: &mut Entries,
) -> Own {
    let allele = row_allele(&plan.places, batch, row);
    entries.sort(field, layout, allele, true);
    let own_number = allele.and_then(|allele| allele.number);
    let mut is_by_number = entries.greatest_number > 0 && own_number.is_some();
    // An allele number that the record cannot have was given before its alleles were split into records.
    if entries.greatest_number > own_number.unwrap_or(i64::MAX)
        && record(batch, row).is_some_and(|record| entries.greatest_number > record.alternate_count() as i64)
    {
        entries.sort(field, layout, allele, false);
        is_by_number = false;
    }
    let own = match (entries.written.is_empty(), entries.shortened.is_empty()) {
        (true, _) => Own::Shortened,
        (false, true) => Own::Written,
        // Both can only be where another allele of the record is spelled like this one; what VEP did with it follows from
        // the record's other alleles, if they are still there.
        (false, false) => match record(batch, row).filter(|_| plan.family == Family::Declared) {
            Some(record) if record.has_one_alternate() && !is_by_number => Own::Open,
            Some(record) if shortens(record.reference, record.alternates) => Own::Shortened,
            _ => Own::Written,
        },
    };
    let is_found = !entries.written.is_empty() || !entries.shortened.is_empty();
    if !is_found || entries.others.is_empty() || is_by_number || layout.allele.is_none() {
        return own;
    }
    let others = entries.others.iter().map(|other| field.part(*other, layout.allele));
    match allele.zip(record(batch, row)) {
        Some((allele, record)) if record.leaves_open(allele, others) => Own::Open,
        _ => own,
    }
}

impl TransformRun for Annotator {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let texts = columns::text(&batch.columns, self.plan.places.field);
        let layout = self.layout(batch);
        let Annotator { plan, wanted, tape, entries, picker, .. } = self;
        let mut rows: Vec<u64> = Vec::with_capacity(batch.rows());
        let mut output = Output::new(plan, wanted, layout.as_deref(), batch.rows());
        let mut warn = |is_met: bool, row: usize, reason| {
            if is_met {
                emit.warn(batch, row, reason, &plan.field);
            }
        };
        let lacks_marks = layout.as_deref().is_some_and(|layout| match plan.pick {
            Pick::Mane => !layout.marks_mane(),
            Pick::Canonical => layout.canonical.is_none(),
            Pick::Worst | Pick::WorstPerGene | Pick::All => false,
        });
        for row in 0..batch.rows() {
            let text = if texts.is_valid(row) { texts.value(row) } else { "" };
            let Some(layout) = layout.as_deref().filter(|_| !text.is_empty()) else {
                warn(!text.is_empty(), row, ANNOTATION_FORMAT_MISSING);
                rows.push(row as u64);
                output.append_nothing();
                continue;
            };
            let field = tape.read(text, layout);
            let own = match sort_entries(plan, (batch, row), field, layout, entries) {
                Own::Written => entries.written.as_slice(),
                Own::Shortened => entries.shortened.as_slice(),
                Own::Open => {
                    warn(true, row, ANNOTATION_ALLELE_AMBIGUOUS);
                    rows.push(row as u64);
                    output.append_nothing();
                    continue;
                }
            };
            warn(lacks_marks && !own.is_empty(), row, ANNOTATION_PICK_MISSING);
            if let Some(parts) = &layout.parts {
                let is_other = own.iter().any(|entry| !parts.contains(&field.part_count(*entry)));
                warn(is_other, row, ANNOTATION_PARTS_MISMATCH);
            }
            warn(picker.pick(field, own, plan.pick, layout), row, CONSEQUENCE_UNKNOWN);
            if own.is_empty() {
                let has_others = !entries.others.is_empty();
                warn(has_others, row, ANNOTATION_ALLELE_UNMATCHED);
                warn(!has_others && entries.elsewhere > 0, row, ANNOTATION_ELSEWHERE);
                rows.push(row as u64);
                output.append_nothing();
            }
            for entry in &picker.picked {
                rows.push(row as u64);
                output.append(field, *entry, layout);
            }
        }
        for (row, part, reason) in output.odd_parts.drain(..) {
            emit.warn(batch, rows[row] as usize, reason, &plan.parts[part].name);
        }
        if rows.is_empty() {
            return Ok(());
        }
        // Every row yields at least one, so as many rows as before are the same rows.
        if rows.len() == batch.rows() {
            let mut columns = batch.columns.columns().to_vec();
            columns.extend(output.finish());
            emit.batch(batch.with_columns(RecordBatch::try_new(plan.arrow_schema.clone(), columns)?));
        } else {
            let indexes = UInt64Array::from(rows.clone());
            let along = batch.columns.columns().iter().map(|column| take(column, &indexes, None));
            let mut columns = along.collect::<Result<Vec<_>, _>>()?;
            columns.extend(output.finish());
            emit.batch(batch.derive(RecordBatch::try_new(plan.arrow_schema.clone(), columns)?, &rows));
        }
        Ok(())
    }
}

/// The added columns while they grow. What the field never carries is made at the end, as NULLs.
struct Output {
    builders: [Option<StringBuilder>; OUTPUTS.len()],
    carried: [bool; OUTPUTS.len()],
    /// The further parts: where the layout has each, and its column.
    parts: Vec<(Option<usize>, PartBuilder)>,
    /// Parts that are NULL for a reason: the row, the part, the reason.
    odd_parts: Vec<(usize, usize, &'static Reason)>,
    rows: usize,
}

impl Output {
    fn new(plan: &PlannedAnnotations, wanted: &[bool; OUTPUTS.len()], layout: Option<&Layout>, rows: usize) -> Output {
        let carried = std::array::from_fn(|at| wanted[at] && layout.is_some_and(|layout| layout.carries(at)));
        let builders =
            std::array::from_fn(|at: usize| carried[at].then(|| StringBuilder::with_capacity(rows, rows * 8)));
        let parts = plan.parts.iter().map(|part| {
            let place = layout.and_then(|layout| layout.place(&part.name));
            (place, PartBuilder::new(&part.column_type))
        });
        Output { builders, carried, parts: parts.collect(), odd_parts: Vec::new(), rows: 0 }
    }

    fn append(&mut self, field: Field<'_>, entry: EntryAt, layout: &Layout) {
        self.rows += 1;
        let decoded = decode(field, entry, layout, &self.carried);
        for (builder, value) in self.builders.iter_mut().zip(&decoded) {
            if let Some(builder) = builder {
                builder.append_option(value.as_deref());
            }
        }
        for (part, (place, builder)) in self.parts.iter_mut().enumerate() {
            if place.is_none() {
                self.odd_parts.push((self.rows - 1, part, ANNOTATION_PART_MISSING));
            }
            let text = Some(field.part(entry, *place)).filter(|text| !text.is_empty());
            let text = text.map(|text| unescape(text, field, layout));
            if !builder.append(text.as_deref()) {
                self.odd_parts.push((self.rows - 1, part, ANNOTATION_PART_BAD));
            }
        }
    }

    fn append_nothing(&mut self) {
        self.rows += 1;
        self.builders.iter_mut().flatten().for_each(StringBuilder::append_null);
        for (_, builder) in &mut self.parts {
            builder.append(None);
        }
    }

    fn finish(self) -> impl Iterator<Item = ArrayRef> {
        let rows = self.rows;
        let builders = self.builders.into_iter().map(move |builder| match builder {
            Some(mut builder) => Arc::new(builder.finish()) as ArrayRef,
            None => new_null_array(&DataType::Utf8, rows),
        });
        builders.chain(self.parts.into_iter().map(|(_, mut builder)| builder.finish()))
    }
}
