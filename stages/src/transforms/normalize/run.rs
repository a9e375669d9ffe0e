//! Normalising a batch: without touching the rows where every record is a single-base substitution, else allele by allele.

use std::{borrow::Cow, sync::Arc};

use arrow_array::{
    Array, ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, UInt64Array,
    builder::{Int64Builder, StringBuilder},
};
use arrow_select::take::take;
use vardelta_engine::contract::{
    batch::Batch,
    stage::{Emit, StageError, TransformRun},
};
use vardelta_schemas::Number;

use crate::{
    columns,
    sources::vcf::VcfHeader,
    transforms::normalize::{
        BAD_END, CONTIG_NOT_IN_FASTA, NUMBER_MISMATCH, PlannedNormalize, REF_EQUALS_ALT, REF_MISMATCH,
        allele::{Alternate, classify, is_bases, is_unobserved, iupac_set, trim},
        genotypes,
        left_align::{Aligned, left_align},
        numbers::{AlleleOfRow, split},
        reference::{Contig, Reference},
        spans::{Extent, Span, is_symbol},
    },
};

/// Bases of an allele that a message shows.
const SHOWN_BASES: usize = 40;

/// A normalize at work on one worker.
pub(super) struct Normalizer {
    plan: PlannedNormalize,
    reference: Option<Reference>,
}

/// The alleles of a batch, column by column, and where each comes from.
struct Alleles {
    from: Vec<AlleleOfRow>,
    /// Whether allele `i` is the only one of row `i`, for all rows: then other columns pass as they are.
    one_per_row: bool,
    pos: ArrayRef,
    reference: ArrayRef,
    alternate: ArrayRef,
    alternate_as_written: ArrayRef,
    end: ArrayRef,
    sv_length: ArrayRef,
}

/// What the FASTA says of a record's place.
enum Ground {
    /// REF agrees with this contig, or there is nothing to compare.
    Contig(Contig),
    /// There is no FASTA, or none for this place.
    Unknown,
    /// REF disagrees: what the FASTA has.
    Mismatch(String),
}

/// Alleles while they are found.
struct Growing {
    from: Vec<AlleleOfRow>,
    /// For each the place of its ALT among the items of all rows.
    items: Vec<u64>,
    pos: Int64Builder,
    reference: StringBuilder,
    alternate: StringBuilder,
    end: Int64Builder,
    sv_length: Int64Builder,
}

impl Growing {
    fn with_capacity(rows: usize) -> Growing {
        Growing {
            from: Vec::with_capacity(rows),
            items: Vec::with_capacity(rows),
            pos: Int64Builder::with_capacity(rows),
            reference: StringBuilder::with_capacity(rows, rows * 2),
            alternate: StringBuilder::with_capacity(rows, rows * 2),
            end: Int64Builder::with_capacity(rows),
            sv_length: Int64Builder::with_capacity(rows),
        }
    }

    /// One more allele; [`Growing::spell`] says how it is written.
    fn push(&mut self, from: AlleleOfRow, item: usize) {
        self.from.push(from);
        self.items.push(item as u64);
    }

    fn spell(&mut self, pos: i64, reference: &str, alternate: &str) {
        self.spell_span(pos, reference, alternate, Span::of_sequence(pos, reference));
    }

    fn spell_span(&mut self, pos: i64, reference: &str, alternate: &str, span: Span) {
        self.end.append_value(span.end);
        self.sv_length.append_value(span.sv_length);
        self.pos.append_value(pos);
        self.reference.append_value(reference);
        self.alternate.append_value(alternate);
    }

    fn finish(mut self, rows: usize, alternate_as_written: ArrayRef) -> Alleles {
        Alleles {
            one_per_row: self.from.len() == rows && self.from.iter().enumerate().all(|(at, of)| of.row == at),
            from: self.from,
            pos: Arc::new(self.pos.finish()),
            reference: Arc::new(self.reference.finish()),
            alternate: Arc::new(self.alternate.finish()),
            end: Arc::new(self.end.finish()),
            sv_length: Arc::new(self.sv_length.finish()),
            alternate_as_written,
        }
    }
}

impl Normalizer {
    pub(super) fn new(plan: PlannedNormalize, reference: Option<Reference>) -> Normalizer {
        Normalizer { plan, reference }
    }

    /// The batch's alleles if every row is a substitution of one upper-case base by another and agrees with the FASTA:
    /// nothing can be trimmed or moved there. Most batches of most files are so.
    fn single_bases(&mut self, batch: &Batch) -> Result<Option<Alleles>, StageError> {
        let places = self.plan.places;
        let references = columns::text(&batch.columns, places.reference);
        let lists = columns::list(&batch.columns, places.alternate);
        let rows = batch.rows();
        let one_each = |offsets: &[i32]| offsets.windows(2).all(|pair| pair[1] - pair[0] == 1);
        if rows == 0 || lists.null_count() > 0 || !one_each(lists.value_offsets()) {
            return Ok(None);
        }
        let alternate = lists.values().slice(lists.value_offsets()[0] as usize, rows);
        let Some(alternates) = alternate.as_any().downcast_ref::<StringArray>() else { return Ok(None) };
        if alternates.null_count() > 0 || !one_each(alternates.value_offsets()) || !one_each(references.value_offsets())
        {
            return Ok(None);
        }
        let bases = |texts: &StringArray| {
            let start = texts.value_offsets()[0] as usize;
            texts.value_data()[start..start + rows].to_vec()
        };
        let (reference_bases, alternate_bases) = (bases(references), bases(alternates));
        let pairs = || reference_bases.iter().zip(&alternate_bases);
        if !pairs().all(|(r, a)| is_plain(*r) && is_plain(*a) && r != a) {
            return Ok(None);
        }
        if self.reference.is_some() {
            for row in 0..rows {
                if !matches!(self.ground(batch, row, references.value(row))?, Ground::Contig(_)) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(Alleles {
            from: (0..rows).map(|row| AlleleOfRow { row, allele: 0, alternates: 1 }).collect(),
            one_per_row: true,
            pos: batch.columns.column(places.pos).clone(),
            reference: batch.columns.column(places.reference).clone(),
            alternate: alternate.clone(),
            alternate_as_written: alternate,
            // One base each: they end where they begin.
            end: batch.columns.column(places.pos).clone(),
            sv_length: Arc::new(Int64Array::from_value(0, rows)),
        }))
    }

    /// The batch's alleles, one by one; what cannot be used goes to `emit`.
    fn allele_by_allele(&mut self, batch: &Batch, emit: &mut Emit) -> Result<Alleles, StageError> {
        let places = self.plan.places;
        let positions = columns::int64(&batch.columns, places.pos);
        let references = columns::text(&batch.columns, places.reference);
        let lists = columns::list(&batch.columns, places.alternate);
        let texts: &StringArray = lists.values().as_any().downcast_ref().expect("the plan found a list of texts here");
        let written = |item: usize| if texts.is_null(item) { "." } else { texts.value(item) };

        let mut growing = Growing::with_capacity(batch.rows());
        let mut last_without_alternate = None;
        let mut extents = Extents::default();
        for row in 0..batch.rows() {
            let (pos, reference, items) = (positions.value(row), references.value(row), items_of(lists, row));
            let plain = items.len() == 1 && is_substitution(reference, written(items.start));
            if !plain && items.clone().all(|item| classify(written(item)) == Alternate::Absent) {
                // The rows of one record's samples follow each other; the record is said once.
                let origin = batch.origins.as_ref().map(|origins| origins[row]);
                if origin.is_none() || origin != last_without_alternate {
                    if items.clone().any(|item| is_unobserved(written(item))) {
                        emit.reference_block(batch, row);
                    } else {
                        emit.no_alternate(batch, row);
                    }
                    last_without_alternate = origin;
                }
                continue;
            }
            let contig = match self.ground(batch, row, reference)? {
                Ground::Contig(contig) => Some(contig),
                Ground::Unknown => {
                    if self.lacks_contig(batch, row) {
                        let contig = columns::text(&batch.columns, self.plan.places.chrom).value(row);
                        emit.warn(batch, row, CONTIG_NOT_IN_FASTA, contig);
                    }
                    None
                }
                Ground::Mismatch(found) => {
                    let detail = format!("REF is {}, the FASTA has {found}", shown(reference));
                    emit.reject(batch, row, REF_MISMATCH, detail);
                    continue;
                }
            };
            if plain {
                growing.push(AlleleOfRow { row, allele: 0, alternates: 1 }, items.start);
                growing.spell(pos, reference, written(items.start));
                continue;
            }
            let reference_is_bases = is_bases(reference);
            let bases = if reference_is_bases { upper(reference) } else { Cow::Borrowed(reference) };
            for (allele, item) in items.clone().enumerate() {
                let alternate = written(item);
                let kind = classify(alternate);
                if kind == Alternate::Absent {
                    continue;
                }
                if kind == Alternate::Star && !self.plan.keep_star {
                    emit.filter(batch, row);
                    continue;
                }
                if alternate.eq_ignore_ascii_case(reference) {
                    let detail = format!("ALT {} is the same as REF", shown(alternate));
                    emit.reject(batch, row, REF_EQUALS_ALT, detail);
                    continue;
                }
                growing.push(AlleleOfRow { row, allele, alternates: items.len() }, item);
                if kind == Alternate::Bases && reference_is_bases {
                    self.shortest(pos, &bases, &upper(alternate), contig, &mut growing)?;
                } else if is_symbol(alternate) {
                    let extent = extents.of(batch, row, pos, emit);
                    let span = Span::of_symbol(pos, reference, alternate, allele, items.len(), extent);
                    growing.spell_span(pos, &bases, alternate, span);
                } else {
                    growing.spell(pos, &bases, alternate);
                }
            }
        }
        let alternate_as_written = take(lists.values(), &UInt64Array::from(std::mem::take(&mut growing.items)), None)?;
        Ok(growing.finish(batch.rows(), alternate_as_written))
    }

    /// Spells a pair of alleles, in upper case, as short as it can be, and on a contig as far to the left.
    fn shortest(
        &mut self,
        pos: i64,
        reference: &str,
        alternate: &str,
        contig: Option<Contig>,
        growing: &mut Growing,
    ) -> Result<(), StageError> {
        let (prefix, r, a) = trim(reference.as_bytes(), alternate.as_bytes());
        let place = pos.saturating_add(prefix as i64);
        match (contig, self.reference.as_mut()) {
            (Some(contig), Some(fasta)) if r.last() == a.last() => {
                // A contig is known for positions from 1 on only.
                let start = (place - 1) as u64;
                let pair = Aligned { start, reference: r.to_vec(), alternate: a.to_vec() };
                let aligned = left_align(pair, contig, fasta)?;
                let text = |bases| String::from_utf8_lossy(bases);
                growing.spell(aligned.start as i64 + 1, &text(&aligned.reference), &text(&aligned.alternate));
            }
            // What is left begins at `prefix` in both alleles, which are ASCII.
            _ => growing.spell(place, &reference[prefix..prefix + r.len()], &alternate[prefix..prefix + a.len()]),
        }
        Ok(())
    }

    /// What the FASTA says of a row's place. REF at position 0, before the contig's first base, is not compared.
    fn ground(&mut self, batch: &Batch, row: usize, ref_written: &str) -> Result<Ground, StageError> {
        let places = self.plan.places;
        let Some(fasta) = self.reference.as_mut() else { return Ok(Ground::Unknown) };
        let Some(contig) = fasta.contig(columns::text(&batch.columns, places.chrom).value(row)) else {
            return Ok(Ground::Unknown);
        };
        let pos = columns::int64(&batch.columns, places.pos).value(row);
        if pos < 1 || !is_bases(ref_written) {
            return Ok(Ground::Unknown);
        }
        Ok(match fasta.bases(contig, (pos - 1) as u64, ref_written.len() as u64)? {
            Some(found) if agrees(ref_written.as_bytes(), found) => Ground::Contig(contig),
            Some(found) => Ground::Mismatch(shown(&String::from_utf8_lossy(found)).into_owned()),
            None => Ground::Mismatch("fewer bases: the contig ends before".to_owned()),
        })
    }

    /// Whether there is a FASTA, and it has no contig of this row's name.
    fn lacks_contig(&self, batch: &Batch, row: usize) -> bool {
        let chrom = columns::text(&batch.columns, self.plan.places.chrom).value(row);
        self.reference.as_ref().is_some_and(|fasta| fasta.contig(chrom).is_none())
    }

    /// The output: the alleles, the other columns taken along, lists split, the added columns after them.
    fn assemble(&self, batch: &Batch, alleles: &Alleles, emit: &mut Emit) -> Result<RecordBatch, StageError> {
        let places = self.plan.places;
        let rows: Option<UInt64Array> =
            (!alleles.one_per_row).then(|| alleles.from.iter().map(|of| Some(of.row as u64)).collect());
        let along = |column: usize| -> Result<ArrayRef, StageError> {
            let values = batch.columns.column(column);
            Ok(match &rows {
                Some(rows) => take(values, rows, None)?,
                None => values.clone(),
            })
        };
        let mut output: Vec<ArrayRef> = Vec::with_capacity(self.plan.schema.columns().len());
        for column in 0..batch.columns.num_columns() {
            output.push(if column == places.pos {
                alleles.pos.clone()
            } else if column == places.reference {
                alleles.reference.clone()
            } else if column == places.alternate {
                alleles.alternate.clone()
            } else if Some(column) == self.plan.genotype {
                Arc::new(genotypes::split(columns::text(&batch.columns, column), &alleles.from))
            } else if let Some(number) = self.plan.splits[column] {
                let lists = columns::list(&batch.columns, column);
                let (values, mismatches) = split_lists(lists, number, alleles)?;
                for row in mismatches {
                    emit.warn(batch, row, NUMBER_MISMATCH, batch.columns.schema_ref().field(column).name());
                }
                values
            } else {
                along(column)?
            });
        }
        let numbers: Int64Array = alleles.from.iter().map(|of| Some(of.allele as i64 + 1)).collect();
        output.extend([along(places.pos)?, along(places.reference)?, alleles.alternate_as_written.clone()]);
        output.extend([Arc::new(numbers), alleles.end.clone(), alleles.sv_length.clone()]);
        Ok(RecordBatch::try_new(self.plan.arrow_schema.clone(), output)?)
    }
}

impl TransformRun for Normalizer {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let alleles = match self.single_bases(batch)? {
            Some(alleles) => alleles,
            None => self.allele_by_allele(batch, emit)?,
        };
        if alleles.from.is_empty() {
            return Ok(());
        }
        let columns = self.assemble(batch, &alleles, emit)?;
        emit.batch(if alleles.one_per_row {
            batch.with_columns(columns)
        } else {
            let rows: Vec<u64> = alleles.from.iter().map(|of| of.row as u64).collect();
            batch.derive(columns, &rows)
        });
        Ok(())
    }
}

/// What INFO says of the extent of the record that was looked up last: the rows of its alleles and samples follow each
/// other.
#[derive(Default)]
struct Extents {
    origin: Option<u64>,
    extent: Extent,
}

impl Extents {
    fn of(&mut self, batch: &Batch, row: usize, pos: i64, emit: &mut Emit) -> &Extent {
        let origin = batch.origins.as_ref().map(|origins| origins[row]);
        if origin.is_none() || origin != self.origin {
            let provenance = batch.provenance.as_ref().zip(origin);
            self.extent = provenance
                .and_then(|(provenance, origin)| {
                    let header = provenance.header();
                    let version = header.downcast_ref::<VcfHeader>().map_or((4, 0), |header| header.version);
                    Some(Extent::of_record(provenance.record(origin)?, pos, version))
                })
                .unwrap_or_default();
            self.origin = origin;
            if self.extent.bad_end {
                emit.warn(batch, row, BAD_END, "END");
            }
        }
        &self.extent
    }
}

/// Splits a column's lists; where every row has one allele and one value, the values are the column.
fn split_lists(lists: &ListArray, number: Number, alleles: &Alleles) -> Result<(ArrayRef, Vec<usize>), StageError> {
    let offsets = lists.value_offsets();
    let one_each = || lists.null_count() == 0 && offsets.windows(2).all(|pair| pair[1] - pair[0] == 1);
    let only_allele = || alleles.from.iter().all(|of| of.alternates == 1);
    if number == Number::PerAlternate && alleles.one_per_row && one_each() && only_allele() {
        return Ok((lists.values().slice(offsets[0] as usize, lists.len()), Vec::new()));
    }
    Ok(split(lists, number, &alleles.from)?)
}

/// The items of a row's list; none where it is NULL.
fn items_of(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    if lists.is_null(row) {
        return 0..0;
    }
    lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize
}

/// Whether two alleles are one upper-case base each, and differ.
fn is_substitution(reference: &str, alternate: &str) -> bool {
    match (reference.as_bytes(), alternate.as_bytes()) {
        ([r], [a]) => is_plain(*r) && is_plain(*a) && r != a,
        _ => false,
    }
}

/// Whether it is a base in upper case.
fn is_plain(base: u8) -> bool {
    base.is_ascii_uppercase() && iupac_set(base) != 0
}

/// Whether an allele can be what the reference has: base by base they stand for a common base.
fn agrees(allele: &[u8], reference: &[u8]) -> bool {
    allele.iter().zip(reference).all(|(a, r)| iupac_set(*a) & iupac_set(*r) != 0)
}

/// An allele in upper case, copied only where it is not.
fn upper(allele: &str) -> Cow<'_, str> {
    if allele.bytes().any(|base| base.is_ascii_lowercase()) {
        Cow::Owned(allele.to_ascii_uppercase())
    } else {
        Cow::Borrowed(allele)
    }
}

/// An allele for a message: the start of it, where it is long.
fn shown(allele: &str) -> Cow<'_, str> {
    match allele.char_indices().nth(SHOWN_BASES) {
        Some((end, _)) => Cow::Owned(format!("{}… ({} bases)", &allele[..end], allele.len())),
        None => Cow::Borrowed(allele),
    }
}
