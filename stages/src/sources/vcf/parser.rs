//! Parses chunks of VCF text into batches and rejects.

use std::{marker::PhantomData, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch, StringArray,
    builder::{BinaryBuilder, Float64Builder, Int64Builder, ListBuilder},
};
use vardelta_engine::contract::{
    batch::{Batch, Provenance},
    source::{Chunk, ContentDigest, Parser},
    stage::{Emit, Reject, StageError},
};

use crate::sources::{
    shared::{
        lines::lines,
        tally::{About, FieldNames},
    },
    vcf::{
        alleles::{self, Allele},
        checks::{Checked, Checks, texts},
        cohort::{Cohort, SampleRules},
        contig_names::ContigNames,
        contigs::ContigLookup,
        declared::Declared,
        fields::{self, Columns, Quality, Refusal},
        header::VcfHeader,
        info::InfoColumns,
        projection::Projection,
        provenance::{ChunkProvenance, place},
        reasons::{Tally, Warning},
        samples::{SampleColumns, Site},
        second_header,
        values::{TextRules, assumed_digits, finish_with_room},
    },
};

/// A parser of one worker. Its builders are reused from chunk to chunk.
pub(super) struct VcfParser<C: Checks = Checked> {
    schema: Arc<arrow_schema::Schema>,
    chrom: BinaryBuilder,
    pos: Int64Builder,
    id: BinaryBuilder,
    reference: BinaryBuilder,
    alternates: ListBuilder<BinaryBuilder>,
    qual: Float64Builder,
    filter: BinaryBuilder,
    info: InfoColumns,
    samples: Option<SampleColumns>,
    header_keys: Vec<String>,
    contig: ContigLookup,
    declared: Declared,
    rules: Arc<SampleRules>,
    /// The samples of the file whose header this is.
    cohort: Option<(Arc<VcfHeader>, Cohort)>,
    origins: Vec<u64>,
    tally: Tally,
    /// The keys of the fields that are read.
    names: FieldNames,
    checks: PhantomData<C>,
}

impl<C: Checks> VcfParser<C> {
    /// A parser that makes these columns.
    pub fn new(projection: &Projection, rules: Arc<SampleRules>) -> VcfParser<C> {
        let samples = projection.format.as_deref().map(|fields| SampleColumns::new(fields, rules.pedigree.is_some()));
        VcfParser {
            names: FieldNames {
                info: projection.info.iter().map(|field| field.key.clone()).collect(),
                format: samples.as_ref().map(SampleColumns::names).unwrap_or_default(),
                columns: Vec::new(),
            },
            schema: C::schema(projection.schema.to_arrow()),
            chrom: BinaryBuilder::new(),
            pos: Int64Builder::new(),
            id: BinaryBuilder::new(),
            reference: BinaryBuilder::new(),
            alternates: ListBuilder::new(BinaryBuilder::new()),
            qual: Float64Builder::new(),
            filter: BinaryBuilder::new(),
            info: InfoColumns::new(&projection.info),
            header_keys: projection.header.clone(),
            contig: ContigLookup::default(),
            declared: Declared::default(),
            samples,
            rules,
            cohort: None,
            origins: Vec::new(),
            tally: Tally::default(),
            checks: PhantomData,
        }
    }

    /// Checks a record whole, then appends it, so that a refusal leaves all columns equally long.
    fn append(&mut self, line: &[u8], origin: u64, header: &VcfHeader, rules: TextRules) -> Result<(), Refusal> {
        let columns = fields::split::<C>(line, header)?;
        let names = &header.contig_names;
        self.contig.find(columns.chrom, names);
        let judged = if C::ON { self.judge(&columns, names)? } else { Judged::assumed(&columns) };
        let quality = fields::quality(columns.qual)?;
        let longest_info = self.info.find(columns.info, &mut self.tally);
        if line.len() > fields::MAX_VALUE_BYTES {
            fields::check_lengths(&columns, longest_info)?;
        }

        self.chrom.append_value(self.contig.canonical(columns.chrom));
        if C::ON && self.contig.is_missing(names) {
            self.tally.count(Warning::UnknownContig);
        }
        self.pos.append_value(judged.position);
        append_optional::<C>(&mut self.id, columns.id, &mut self.tally);
        append_allele(&mut self.reference, columns.reference, judged.reference, &mut self.tally);
        if columns.alternates != b"." {
            for text in columns.alternates.split(|byte| *byte == b',') {
                let allele =
                    if judged.are_plain { Allele::default() } else { alleles::alternate(text).unwrap_or_default() };
                match names.breakend(text) {
                    Some(renamed) => self.alternates.values().append_value(renamed),
                    None => append_allele(self.alternates.values(), text, allele, &mut self.tally),
                }
            }
        }
        self.alternates.append(true);
        match quality {
            Quality::Phred(phred) => self.qual.append_value(phred),
            Quality::Missing => {
                self.tally.add(Warning::EmptyField, u64::from(columns.qual.is_empty()));
                self.qual.append_null();
            }
            Quality::NotFinite => {
                self.tally.count(Warning::QualNotFinite);
                self.qual.append_null();
            }
        }
        self.append_filter(columns.filter);
        if C::ON && columns.info.is_empty() {
            self.tally.count(Warning::EmptyField);
        }
        self.info.append::<C>(columns.info, &mut self.tally);
        if C::ON {
            if !self.info.are_declared {
                self.declared.check_info(self.info.present(), header, &mut self.tally);
            }
            if self.contig.take_new() {
                Declared::check_contig(columns.chrom, header, &mut self.tally);
            }
            let samples = self.samples.as_ref();
            let is_read = |key: &[u8]| samples.is_some_and(|samples| samples.reads(key));
            self.declared.check(&columns, header, is_read, &mut self.tally);
        }
        self.append_samples(&columns, judged.position, judged.alternates, rules);
        self.origins.push(origin);
        Ok(())
    }

    /// Checks the columns whose content decides whether a record can be used; its contig has been looked up.
    fn judge(&self, columns: &Columns<'_>, names: &ContigNames) -> Result<Judged, Refusal> {
        if !self.contig.is_sound() {
            fields::check_contig(columns.chrom)?;
        }
        let position = fields::position(columns.pos)?;
        self.contig.check(columns.chrom, position, names)?;
        if columns.filter != b"PASS" {
            fields::check_filter(columns)?;
        }
        let reference = alleles::reference(columns.reference)?;
        let mut judged = Judged { position, reference, alternates: 0, are_plain: true };
        if columns.alternates != b"." {
            for text in columns.alternates.split(|byte| *byte == b',') {
                judged.are_plain &= alleles::alternate(text)? == Allele::default();
                judged.alternates += 1;
            }
        }
        Ok(judged)
    }

    fn append_filter(&mut self, filter: &[u8]) {
        if C::ON
            && memchr::memchr2(b';', b' ', filter).is_some()
            && let Some(set) = fields::tidy_filters(filter, &mut self.tally)
        {
            append_optional::<C>(&mut self.filter, &set, &mut self.tally);
            return;
        }
        append_optional::<C>(&mut self.filter, filter, &mut self.tally);
    }

    fn append_samples(&mut self, columns: &Columns<'_>, position: i64, alternates: usize, rules: TextRules) {
        if let (Some(samples), Some((_, cohort))) = (&mut self.samples, &self.cohort) {
            let record_bytes = columns.chrom.len()
                + columns.id.len()
                + columns.reference.len()
                + columns.alternates.len()
                + columns.filter.len()
                + columns.info.len();
            let site = Site {
                record: self.origins.len() as u64,
                alternates,
                record_bytes,
                copies: self.rules.copies(self.contig.canonical(columns.chrom), position),
            };
            samples.append(columns.genotypes, &site, cohort, rules, &mut self.tally);
        }
    }

    /// Finds out which samples of a file are read, unless that is known from the chunk before.
    fn meet(&mut self, header: &Arc<VcfHeader>) -> Result<(), StageError> {
        let known = self.cohort.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, header));
        if self.samples.is_some() && !known {
            self.cohort = Some((Arc::clone(header), self.rules.cohort(header)?));
        }
        Ok(())
    }

    /// Hands the rows over and starts afresh.
    fn finish(&mut self, chunk: Arc<Chunk>, header: &VcfHeader, emit: &mut Emit) -> Result<(), StageError> {
        let mut columns: Vec<ArrayRef> = vec![
            C::text(finish_with_room(&mut self.chrom), &mut self.tally),
            Arc::new(self.pos.finish()),
            C::text(finish_with_room(&mut self.id), &mut self.tally),
            C::text(finish_with_room(&mut self.reference), &mut self.tally),
            texts::<C>(self.alternates.finish(), &mut self.tally),
            Arc::new(self.qual.finish()),
            C::text(finish_with_room(&mut self.filter), &mut self.tally),
        ];
        for (at, builder) in self.info.builders.iter_mut().enumerate() {
            self.tally.look_at_field(About::Info(at));
            columns.push(builder.finish::<C>(&mut self.tally));
        }
        self.tally.look_at_field(About::Record);
        let origins = std::mem::take(&mut self.origins);
        let provenance: Arc<dyn Provenance> = Arc::new(ChunkProvenance::new(chunk));
        let parts = match (&mut self.samples, &self.cohort) {
            (Some(samples), Some((_, cohort))) => {
                if cohort.is_empty() {
                    // Records of which no sample is read are accounted for all the same.
                    emit.filtered.extend(&origins);
                }
                samples.finish(&columns, &origins, &cohort.names, &mut self.tally)?
            }
            _ => vec![(columns, origins)],
        };
        for (mut columns, origins) in parts {
            columns.extend(self.header_keys.iter().map(|key| constant(header.values.get(key), origins.len())));
            let columns = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
            emit.batch(Batch::asserted(columns, origins, Arc::clone(&provenance)));
        }
        Ok(())
    }
}

impl<C: Checks> Parser for VcfParser<C> {
    fn parse(&mut self, chunk: Arc<Chunk>, emit: &mut Emit) -> Result<ContentDigest, StageError> {
        let header = Arc::clone(&chunk.header)
            .downcast::<VcfHeader>()
            .map_err(|_| StageError::new("a chunk came to the vcf parser without a VCF header"))?;
        let rules = header.text_rules();
        let mut digest = ContentDigest::default();
        self.contig.reset();
        self.declared.reset();
        self.info.meet(&header);
        // The header has no batch of its own to be reported with; the file's first chunk stands for it.
        self.tally =
            if chunk.raw.first_origin == header.first_origin { header.tally.clone() } else { Tally::default() };
        if chunk.raw.bytes.last().is_some_and(|last| *last != b'\n') {
            self.tally.count(Warning::NoFinalNewline);
        }
        self.meet(&header)?;
        if let Some((_, cohort)) = self.cohort.as_ref().filter(|_| chunk.raw.first_origin == header.first_origin) {
            cohort.report(&mut self.tally);
        }
        for (line, origin) in lines(&chunk) {
            self.tally.look_at(origin);
            match class(line) {
                LineClass::Record if is_outside(line, &header) => self.tally.count(Warning::OutsideRegions),
                LineClass::Record => {
                    digest.add(line);
                    if let Err(refusal) = self.append(line, origin, &header, rules) {
                        emit.rejects.push(reject(refusal, line, origin, &header));
                    }
                }
                LineClass::Blank => self.tally.count(Warning::BlankLine),
                LineClass::Comment => {
                    second_header::check(line, origin, &header, |key| self.info.reads(key))?;
                    self.tally.count(Warning::CommentLine);
                }
            }
        }
        self.tally.look_at(0);
        let places = ChunkProvenance::new(Arc::clone(&chunk));
        self.finish(chunk, &header, emit)?;
        self.tally.report_at(emit, &self.names, &|origin| places.place(origin));
        Ok(digest)
    }

    fn digest(&mut self, chunk: &Chunk) -> ContentDigest {
        let mut digest = ContentDigest::default();
        let header = chunk.header.downcast_ref::<VcfHeader>();
        for (line, _) in lines(chunk) {
            if class(line) == LineClass::Record && !header.is_some_and(|header| is_outside(line, header)) {
                digest.add(line);
            }
        }
        digest
    }
}

/// What a line between the records is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineClass {
    Record,
    Blank,
    Comment,
}

fn class(line: &[u8]) -> LineClass {
    match line.first() {
        Some(b'#') => LineClass::Comment,
        None => LineClass::Blank,
        Some(b' ') if line.iter().all(u8::is_ascii_whitespace) => LineClass::Blank,
        Some(_) => LineClass::Record,
    }
}

/// Whether a record lies outside the source's regions.
fn is_outside(line: &[u8], header: &VcfHeader) -> bool {
    header.regions.as_ref().is_some_and(|regions| !regions.contain(line, &header.contig_names))
}

fn reject(refusal: Refusal, line: &[u8], origin: u64, header: &VcfHeader) -> Reject {
    Reject {
        origin: Some(origin),
        diff: 1,
        place: Some(place(line, (!header.is_indexed).then_some(origin))),
        reason: refusal.reason,
        detail: refusal.detail,
    }
}

/// A column of one value.
fn constant(value: Option<&String>, rows: usize) -> ArrayRef {
    Arc::new(std::iter::repeat_n(value.map(String::as_str), rows).collect::<StringArray>())
}

/// What the columns that decide about a record say.
struct Judged {
    position: i64,
    reference: Allele,
    alternates: usize,
    /// Whether no alternate holds anything that is to be changed or counted.
    are_plain: bool,
}

impl Judged {
    /// What a sound record would say.
    fn assumed(columns: &Columns<'_>) -> Judged {
        let position = assumed_digits(columns.pos);
        Judged { position, reference: Allele::default(), alternates: 0, are_plain: true }
    }
}

/// Appends a text; `.` is NULL, and so is an empty field, which is counted.
fn append_optional<C: Checks>(builder: &mut BinaryBuilder, text: &[u8], tally: &mut Tally) {
    match text {
        b"." => builder.append_null(),
        [] if C::ON => {
            tally.count(Warning::EmptyField);
            builder.append_null();
        }
        text => builder.append_value(text),
    }
}

fn append_allele(builder: &mut BinaryBuilder, text: &[u8], allele: Allele, tally: &mut Tally) {
    if allele.iupac {
        tally.count(Warning::IupacBase);
    }
    if allele.lower {
        builder.append_value(text.to_ascii_uppercase());
    } else {
        builder.append_value(text);
    }
}
