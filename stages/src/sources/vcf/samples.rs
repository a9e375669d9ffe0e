//! The long form: a row per record and sample.

use std::collections::HashMap;

use arrow_array::{ArrayRef, StringArray, UInt64Array};
use arrow_select::take::take;
use vardelta_engine::contract::stage::StageError;

use crate::sources::{
    shared::tally::About,
    vcf::{
        calls::CallColumns,
        checks::Checked,
        cohort::Cohort,
        genotype,
        kind::Field,
        reasons::{Tally, Warning},
        sex::CopiesBySex,
        values::{TextRules, ValueBuilder},
    },
};

/// Columns and the origins of their rows.
pub(super) type Rows = (Vec<ArrayRef>, Vec<u64>);

/// A batch's texts stay below this many bytes, so that their 32-bit offsets suffice.
const BATCH_BYTES: usize = 1 << 29;

/// The place of GT among the FORMAT fields.
const GENOTYPE: usize = 0;

/// What the rows of one record's samples share.
pub(super) struct Site {
    /// The record's number in its batch.
    pub record: u64,
    /// How many alternate alleles it has.
    pub alternates: usize,
    /// How much text each row repeats, in bytes.
    pub record_bytes: usize,
    /// What its place says of samples' copies.
    pub copies: CopiesBySex,
}

/// Builds the FORMAT columns and keeps which record each row belongs to.
pub(super) struct SampleColumns {
    /// The place of each key; GT has the first.
    keys: HashMap<Vec<u8>, usize>,
    builders: Vec<ValueBuilder>,
    /// For each column the place of its key.
    places: Vec<usize>,
    calls: CallColumns,
    /// For each alternate allele of the record how many copies the sample carries.
    carried: Vec<i64>,
    /// The FORMAT text that `wanted` was made for: neighbouring records mostly have the same.
    format: Vec<u8>,
    /// For each FORMAT key of the record its place, if it is read.
    wanted: Vec<Option<usize>>,
    /// How many of its keys that are read are in it once more.
    repeated: u64,
    /// For each row the record it belongs to, counted from the batch's first.
    records: Vec<u64>,
    /// For each row its sample.
    samples: Vec<u64>,
    /// For each row about how many bytes of text it repeats.
    repeated_bytes: Vec<usize>,
}

impl SampleColumns {
    /// Empty columns for these fields.
    pub fn new(fields: &[Field], with_sex: bool) -> SampleColumns {
        let mut keys = HashMap::new();
        let places = fields.iter().map(|field| {
            let next = keys.len();
            *keys.entry(field.key.as_bytes().to_vec()).or_insert(next)
        });
        let places = places.collect();
        SampleColumns {
            keys,
            places,
            builders: fields.iter().map(|field| ValueBuilder::new(field.shape)).collect(),
            calls: CallColumns::new(with_sex),
            carried: Vec::new(),
            format: Vec::new(),
            wanted: Vec::new(),
            repeated: 0,
            records: Vec::new(),
            samples: Vec::new(),
            repeated_bytes: Vec::new(),
        }
    }

    /// The keys of the FORMAT fields, in the order of their columns.
    pub fn names(&self) -> Vec<String> {
        let key_of = |place: &usize| self.keys.iter().find(|(_, at)| *at == place).map(|(key, _)| key.as_slice());
        self.places
            .iter()
            .map(|place| String::from_utf8_lossy(key_of(place).unwrap_or_default()).into_owned())
            .collect()
    }

    /// Whether a FORMAT field has a column.
    pub fn reads(&self, key: &[u8]) -> bool {
        self.keys.contains_key(key)
    }

    /// Appends a row per chosen sample of a record. `genotypes` is FORMAT and the samples.
    pub fn append(&mut self, genotypes: &[u8], site: &Site, cohort: &Cohort, rules: TextRules, tally: &mut Tally) {
        let mut parts = genotypes.split(|byte| *byte == b'\t');
        let format = parts.next().unwrap_or_default();
        if format != self.format || self.wanted.is_empty() {
            self.format = format.to_vec();
            self.wanted = format.split(|byte| *byte == b':').map(|key| self.keys.get(key).copied()).collect();
            // Of a key that occurs twice the first counts.
            let mut seen = vec![false; self.keys.len()];
            self.repeated = 0;
            for wanted in &mut self.wanted {
                let first = wanted.filter(|place| !std::mem::replace(&mut seen[*place], true));
                self.repeated += u64::from(first.is_none() && wanted.is_some());
                *wanted = first;
            }
        }
        tally.add(Warning::DuplicateFormatKey, self.repeated);
        let mut values: Vec<Option<&[u8]>> = vec![None; self.keys.len()];
        // Without GT nothing is known of what a sample carries; with it a value that is left out is missing.
        let has_genotypes = self.wanted.contains(&Some(GENOTYPE));
        self.carried.resize(site.alternates, 0);
        let chosen = parts.zip(&cohort.chosen).filter(|(_, chosen)| **chosen).map(|(text, _)| text);
        for (sample, (text, sex)) in chosen.zip(&cohort.sexes).enumerate() {
            values.fill(None);
            // Trailing fields may be left out (VCF 4.3, section 1.6.2); fields without a key have no column.
            let mut written = text.split(|byte| *byte == b':');
            for place in &self.wanted {
                let Some(value) = written.next() else { break };
                if let Some(place) = place {
                    values[*place] = Some(value).filter(|value| !value.is_empty());
                }
            }
            tally.add(Warning::ExtraFormatValue, u64::from(written.next().is_some()));
            let mut genotype = None;
            if has_genotypes {
                let text = values[GENOTYPE].unwrap_or(b".");
                genotype = genotype::read(text, site.copies.of(*sex), &mut self.carried);
                match &genotype {
                    None => {
                        tally.count(Warning::BadGenotype);
                        values[GENOTYPE] = None;
                    }
                    Some(genotype) => {
                        tally.add(Warning::HalfCall, u64::from(genotype.half_call));
                        tally.add(Warning::FemaleY, u64::from(genotype.misplaced));
                    }
                }
            }
            self.calls.append(*sex, genotype.as_ref(), &self.carried);
            for (at, (builder, place)) in self.builders.iter_mut().zip(&self.places).enumerate() {
                tally.look_at_field(About::Format(at));
                match values[*place] {
                    Some(value) => builder.append::<Checked>(value, rules, Warning::BadFormatValue, tally),
                    None => builder.append_absent(),
                }
            }
            tally.look_at_field(About::Record);
            self.records.push(site.record);
            self.samples.push(sample as u64);
            self.repeated_bytes.push(site.record_bytes);
        }
    }

    /// Joins the rows with their records' columns and origins; in several parts where the texts would be too long for
    /// one. The builders are empty again.
    ///
    /// # Errors
    /// When Arrow refuses to repeat a column.
    pub fn finish(
        &mut self,
        record_columns: &[ArrayRef],
        record_origins: &[u64],
        names: &StringArray,
        tally: &mut Tally,
    ) -> Result<Vec<Rows>, StageError> {
        let mut values = self.calls.finish();
        values.extend(self.builders.iter_mut().map(|builder| builder.finish::<Checked>(tally)));
        let mut parts = Vec::new();
        let mut start = 0;
        while start < self.records.len() {
            let (mut end, mut bytes) = (start, 0);
            while end < self.records.len() && (end == start || bytes + self.row_bytes(end, names) <= BATCH_BYTES) {
                bytes += self.row_bytes(end, names);
                end += 1;
            }
            let records = UInt64Array::from(self.records[start..end].to_vec());
            let samples = UInt64Array::from(self.samples[start..end].to_vec());
            let mut columns = Vec::with_capacity(record_columns.len() + 1 + values.len());
            for column in record_columns {
                columns.push(take(column, &records, None)?);
            }
            columns.push(take(names, &samples, None)?);
            columns.extend(values.iter().map(|column| column.slice(start, end - start)));
            let origins = self.records[start..end].iter().map(|record| record_origins[*record as usize]).collect();
            parts.push((columns, origins));
            start = end;
        }
        self.records.clear();
        self.samples.clear();
        self.repeated_bytes.clear();
        Ok(parts)
    }

    fn row_bytes(&self, row: usize, names: &StringArray) -> usize {
        self.repeated_bytes[row] + names.value_length(self.samples[row] as usize).unsigned_abs() as usize
    }
}
