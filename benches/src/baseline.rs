//! The plain loops that vardelta is held against (McSherry's COST: what one thread does without any machinery): the same
//! numbers per gene, from a hash map.

use std::collections::HashMap;

use arrow_array::{Array, Decimal128Array, RecordBatch, StringArray};

use crate::failure::Result;

/// What the summary by gene knows of a gene.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeneCounts {
    /// Rows.
    pub variants: u64,
    /// The sum of their qualities, in hundredths.
    pub quality_sum: i128,
    /// Rows that are pathogenic.
    pub pathogenic: u64,
}

/// A row as the loop takes it: gene, quality in hundredths, whether pathogenic.
pub type Tuple = (String, i128, bool);

/// The rows of batches as the `annotated` stage yields them.
///
/// # Errors
/// When a column is missing or of another type.
pub fn tuples(batches: &[RecordBatch]) -> Result<Vec<Tuple>> {
    let mut tuples = Vec::new();
    for batch in batches {
        let genes = column::<StringArray>(batch, "gene_symbol")?;
        let qualities = column::<Decimal128Array>(batch, "quality")?;
        let significances = column::<StringArray>(batch, "clinical_significance")?;
        tuples.extend((0..batch.num_rows()).map(|row| {
            let pathogenic = significances.is_valid(row) && significances.value(row) == "Pathogenic";
            (genes.value(row).to_owned(), qualities.value(row), pathogenic)
        }));
    }
    Ok(tuples)
}

fn column<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T> {
    let column = batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| format!("no column `{name}` of the expected type").into())
}

/// Counts rows that are parsed already.
pub fn count_tuples(tuples: &[Tuple]) -> HashMap<&str, GeneCounts> {
    let mut counts: HashMap<&str, GeneCounts> = HashMap::new();
    for (gene, quality, pathogenic) in tuples {
        counts.entry(gene).or_default().add(*quality, *pathogenic);
    }
    counts
}

/// Counts straight from generated VCF text (without header), one thread, one pass, no checks.
pub fn count_text(text: &[u8], counts: &mut HashMap<Vec<u8>, GeneCounts>) {
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
        let [_, _, _, _, alternates, quality, b"PASS", info] = fields[..] else { continue };
        let quality =
            quality.iter().filter(|byte| **byte != b'.').fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        let (mut gene, mut pathogenic) = (None, false);
        for field in info.split(|byte| *byte == b';') {
            if let Some(annotation) = field.strip_prefix(b"ANN=") {
                gene = annotation.split(|byte| *byte == b'|').nth(3);
            } else if field == b"CLNSIG=Pathogenic" {
                pathogenic = true;
            }
        }
        let Some(gene) = gene else { continue };
        if !counts.contains_key(gene) {
            counts.insert(gene.to_vec(), GeneCounts::default());
        }
        if let Some(counts) = counts.get_mut(gene) {
            for _ in alternates.split(|byte| *byte == b',') {
                counts.add(quality, pathogenic);
            }
        }
    }
}

impl GeneCounts {
    fn add(&mut self, quality: i128, pathogenic: bool) {
        self.variants += 1;
        self.quality_sum += quality;
        self.pathogenic += u64::from(pathogenic);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{GeneCounts, count_text, count_tuples};

    #[test]
    fn counts_rows_per_gene() {
        let tuples = [("A".to_owned(), 100, true), ("B".to_owned(), 5, false), ("A".to_owned(), 1, false)];
        let counts = count_tuples(&tuples);
        assert_eq!(counts["A"], GeneCounts { variants: 2, quality_sum: 101, pathogenic: 1 });
        assert_eq!(counts["B"], GeneCounts { variants: 1, quality_sum: 5, pathogenic: 0 });
    }

    #[test]
    fn counts_alleles_in_text_that_pass() {
        let text = b"chr1\t5\t.\tA\tC,G\t30.25\tPASS\tDP=1;ANN=C|x|y|A|z,G|x|y|A|z;CLNSIG=Pathogenic\n\
            chr1\t6\t.\tA\tC\t10.00\tq10\tANN=C|x|y|A|z\n";
        let mut counts = HashMap::new();
        count_text(text, &mut counts);
        assert_eq!(counts.len(), 1);
        assert_eq!(counts[&b"A"[..]], GeneCounts { variants: 2, quality_sum: 6050, pathogenic: 2 });
    }
}
