//! Where the values of columns are in a line of text, for the plain loop.

use vardelta_engine::spec::Value;

use crate::set_aside::Written;

/// Where a column's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// In this column of the line.
    Column(usize),
    /// In the column of this name, as the header has it.
    Named(String),
    /// The alternate allele: a record has a row for each.
    Alternate,
    /// The sample's name: a record has a row for each.
    Sample,
    /// The value of a key of INFO, or of an attribute.
    Key(Vec<u8>),
    /// The part at this place of the first entry under a key of INFO.
    Part(Vec<u8>, usize),
}

/// The columns of a VCF line by name.
const VCF: [(&str, usize); 6] = [("chrom", 0), ("pos", 1), ("id", 2), ("ref", 3), ("qual", 5), ("filter", 6)];
/// Those of a GFF3 line.
const GFF3: [(&str, usize); 5] = [("chrom", 0), ("feature", 2), ("start", 3), ("end", 4), ("strand", 6)];
/// Where INFO is in a VCF line, ALT, and the first sample.
const INFO: usize = 7;
const ALTERNATES: usize = 4;
const FIRST_SAMPLE: usize = 9;
/// Where the attributes are in a GFF3 line.
const ATTRIBUTES: usize = 8;

impl Field {
    /// Where a column of a source is; `None` for what is made of something else.
    pub fn of_source(stage_type: &str, column: &str, written: Option<&Written<'_>>) -> Option<Field> {
        let fixed = |columns: &[(&str, usize)]| {
            columns.iter().find(|(name, _)| *name == column).map(|(_, at)| Field::Column(*at))
        };
        match (stage_type, column) {
            ("vcf", "alt") => Some(Field::Alternate),
            ("vcf", "sample") => Some(Field::Sample),
            ("vcf", _) => fixed(&VCF).or_else(|| {
                let key = column.strip_prefix("info_")?;
                Some(Field::Key(key.to_ascii_uppercase().into_bytes()))
            }),
            ("gff3", "feature_key") => Some(Field::Key(b"ID".to_vec())),
            ("gff3", "gene_symbol") => Some(Field::Key(b"NAME".to_vec())),
            ("gff3", _) => fixed(&GFF3).or_else(|| Some(Field::Key(column.to_ascii_uppercase().into_bytes()))),
            _ => {
                let Some(Value::Table(columns)) = written.and_then(|written| written.value("columns")) else {
                    return Some(Field::Named(column.to_owned()));
                };
                let options = columns.iter().find(|known| known.key == column).map(|known| &known.node.value);
                let from = match options {
                    Some(Value::Table(options)) => options.iter().find(|option| option.key == "from"),
                    _ => None,
                };
                match from.map(|from| &from.node.value) {
                    Some(Value::Text(from)) => Some(Field::Named(from.clone())),
                    _ => Some(Field::Named(column.to_owned())),
                }
            }
        }
    }

    /// Where a column that is made of an annotation is.
    pub fn annotation(key: &str, column: &str) -> Field {
        // As SnpEff and VEP lay them out.
        let part = match (key, column) {
            ("ANN" | "CSQ" | "BCSQ", "consequence") => Some(1),
            ("ANN" | "CSQ", "impact") => Some(2),
            ("ANN" | "CSQ", "gene_symbol") => Some(3),
            ("ANN" | "CSQ", "gene_id") => Some(4),
            ("ANN" | "CSQ", "feature_id") => Some(6),
            ("ANN" | "CSQ", "biotype") => Some(7),
            _ => None,
        };
        let name = key.to_ascii_uppercase().into_bytes();
        part.map_or_else(|| Field::Key(name.clone()), |part| Field::Part(name.clone(), part))
    }
}

/// Tells records from other lines, and knows what headers say.
pub struct Reader {
    is_vcf: bool,
    has_header: bool,
    header: Vec<Vec<u8>>,
    separator: u8,
}

/// A line's fields.
pub struct Record<'a> {
    reader: &'a Reader,
    columns: Vec<&'a [u8]>,
}

/// A row of a record: one alternate allele, one sample.
pub struct Row<'a> {
    record: &'a Record<'a>,
    alternate: &'a [u8],
    sample: &'a [u8],
}

impl Reader {
    /// Reads files of this type of source.
    pub fn new(stage_type: &str) -> Reader {
        let is_vcf = stage_type == "vcf";
        Reader { is_vcf, has_header: is_vcf || stage_type == "gff3", header: Vec::new(), separator: b'\t' }
    }

    /// The fields of a line; `None` for one that is no record.
    pub fn record<'a>(&'a mut self, line: &'a [u8]) -> Option<Record<'a>> {
        if line.is_empty() || line.starts_with(b"#") {
            if self.is_vcf && line.starts_with(b"#CHROM") {
                self.header = line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect();
            }
            return None;
        }
        if !self.has_header {
            // A table as text names its columns in its first line.
            self.has_header = true;
            self.separator = *[b'\t', b',', b';'].iter().find(|byte| line.contains(byte)).unwrap_or(&b'\t');
            self.header = line.split(|byte| *byte == self.separator).map(<[u8]>::to_vec).collect();
            return None;
        }
        let reader: &Reader = self;
        Some(Record { reader, columns: line.split(|byte| *byte == reader.separator).collect() })
    }
}

impl Record<'_> {
    /// Gives every row of the record to `each`.
    pub fn rows(&self, per_sample: bool, mut each: impl FnMut(&Row<'_>)) {
        let alternates = if self.reader.is_vcf { self.column(ALTERNATES) } else { b"" };
        for alternate in alternates.split(|byte| *byte == b',') {
            if !per_sample {
                each(&Row { record: self, alternate, sample: b"" });
                continue;
            }
            for sample in self.reader.header.iter().skip(FIRST_SAMPLE) {
                each(&Row { record: self, alternate, sample });
            }
        }
    }

    fn column(&self, at: usize) -> &[u8] {
        self.columns.get(at).copied().unwrap_or_default()
    }
}

impl Row<'_> {
    /// The value of a field; nothing where there is none.
    pub fn value(&self, field: &Field) -> &[u8] {
        let record = self.record;
        match field {
            Field::Column(at) => record.column(*at),
            Field::Named(name) => {
                let at = record.reader.header.iter().position(|known| known == name.as_bytes());
                at.map_or(b"", |at| record.column(at))
            }
            Field::Alternate => self.alternate,
            Field::Sample => self.sample,
            Field::Key(key) => self.key(key),
            Field::Part(key, part) => {
                let first = self.key(key).split(|byte| *byte == b',').next().unwrap_or_default();
                first.split(|byte| *byte == b'|').nth(*part).unwrap_or_default()
            }
        }
    }

    fn key(&self, key: &[u8]) -> &[u8] {
        let at = if self.record.reader.is_vcf { INFO } else { ATTRIBUTES };
        for entry in self.record.column(at).split(|byte| *byte == b';') {
            if let Some(equals) = entry.iter().position(|byte| *byte == b'=')
                && entry[..equals].eq_ignore_ascii_case(key)
            {
                return &entry[equals + 1..];
            }
        }
        b""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_the_formats_have_them() {
        let mut reader = Reader::new("vcf");
        assert!(reader.record(b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB").is_none());
        let record =
            reader.record(b"chr1\t7\t.\tA\tC,G\t50\tPASS\tDP=3;ANN=C|missense|HIGH|TP53|,G|x|y|z\tGT\t0/1\t1/1");
        let mut rows = Vec::new();
        let fields = ["chrom", "pos", "alt", "sample", "info_dp"]
            .map(|column| Field::of_source("vcf", column, None).expect("a field"));
        let gene = Field::annotation("ANN", "gene_symbol");
        record.expect("a record").rows(true, |row| {
            let values =
                fields.iter().chain([&gene]).map(|field| String::from_utf8_lossy(row.value(field)).into_owned());
            rows.push(values.collect::<Vec<_>>().join(" "));
        });
        assert_eq!(rows, ["chr1 7 C A 3 TP53", "chr1 7 C B 3 TP53", "chr1 7 G A 3 TP53", "chr1 7 G B 3 TP53"]);
    }

    #[test]
    fn a_table_as_text_names_its_columns() {
        let mut reader = Reader::new("delimited");
        assert!(reader.record(b"gene,drug").is_none());
        let field = Field::of_source("delimited", "drug", None).expect("a field");
        let mut values = Vec::new();
        let record = reader.record(b"TP53,nutlin").expect("a record");
        record.rows(false, |row| values.push(row.value(&field).to_vec()));
        assert_eq!(values, [b"nutlin"]);
    }
}
