//! What the header and the first records of a VCF say of drops like it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

/// Records that are looked at.
const RECORDS: usize = 1_000;
/// Bytes that are looked at, at the most: a file of one endless line is no VCF.
const BYTES: u64 = 64 << 20;
/// Fields with gene annotations, the one to be preferred first.
const ANNOTATIONS: [&str; 4] = ["ANN", "CSQ", "BCSQ", "EFF"];

/// An INFO field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub id: String,
    /// What the header says it is.
    pub description: String,
    /// In how many of the records it is.
    pub seen: usize,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The file; `None` where none was looked at.
    pub path: Option<PathBuf>,
    /// INFO fields in the order of the header.
    pub info: Vec<Field>,
    /// Sample columns.
    pub samples: usize,
    /// The assembly, as far as the lengths of contigs show it.
    pub assembly: Option<&'static str>,
    /// Records that were looked at.
    pub records: usize,
    /// Whether some record has a QUAL, and whether some has PASS.
    pub has_quality: bool,
    /// Whether some record passed the filters.
    pub has_pass: bool,
    /// Whether some record has a symbolic allele.
    pub is_structural: bool,
}

/// The length of chromosome 1 and of chromosome 17 shows the assembly.
const LENGTHS: [(&str, &str, &str); 6] = [
    ("1", "248956422", "GRCh38"),
    ("17", "83257441", "GRCh38"),
    ("1", "249250621", "GRCh37"),
    ("17", "81195210", "GRCh37"),
    ("1", "248387328", "T2T-CHM13v2.0"),
    ("17", "84276897", "T2T-CHM13v2.0"),
];

impl Look {
    /// What most annotated files have.
    pub fn usual() -> Look {
        let field = |id: &str, description: &str| Field { id: id.into(), description: description.into(), seen: 1 };
        Look {
            info: vec![
                field("DP", "Depth"),
                field("CLNSIG", "Clinical significance"),
                field("ANN", "SnpEff's annotations"),
            ],
            assembly: Some("GRCh38"),
            records: 1,
            has_quality: true,
            has_pass: true,
            ..Look::default()
        }
    }

    /// Looks at a file: text, gzip or BGZF.
    ///
    /// # Errors
    /// When it cannot be read, or is no VCF.
    pub fn at(path: &Path) -> io::Result<Look> {
        let mut start = [0; 2];
        let count = File::open(path)?.read(&mut start)?;
        let file = File::open(path)?;
        let reader: Box<dyn BufRead> = match &start[..count] {
            [0x1f, 0x8b] => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))),
            _ => Box::new(BufReader::new(file)),
        };
        let mut look = Look { path: Some(path.to_path_buf()), ..Look::default() };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut has_columns = false;
        for line in reader.take(BYTES).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
            if line.starts_with("##") {
                look.header_line(&line);
            } else if line.starts_with("#CHROM") {
                has_columns = true;
                look.samples = line.split('\t').count().saturating_sub(9);
            } else if !has_columns || look.records == RECORDS {
                break;
            } else if !line.is_empty() {
                look.record(&line, &mut seen);
            }
        }
        if !has_columns {
            let message = "it has no line that begins with #CHROM, so it is no VCF";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        for field in &mut look.info {
            field.seen = seen.remove(&field.id).unwrap_or(0);
        }
        let undeclared = seen.into_iter().map(|(id, seen)| Field { id, description: String::new(), seen });
        look.info.extend(undeclared);
        Ok(look)
    }

    fn header_line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("##INFO=<") {
            let id = part(rest, "ID=").to_owned();
            let description = rest.split_once("Description=\"").map_or("", |(_, text)| text);
            let description = description.rsplit_once('"').map_or(description, |(text, _)| text);
            if !id.is_empty() && !self.info.iter().any(|field| field.id == id) {
                self.info.push(Field { id, description: description.to_owned(), seen: 0 });
            }
        } else if let Some(rest) = line.strip_prefix("##contig=<") {
            let (name, length) = (part(rest, "ID=").trim_start_matches("chr"), part(rest, "length="));
            let known = LENGTHS.iter().find(|(contig, bases, _)| *contig == name && *bases == length);
            self.assembly = self.assembly.or(known.map(|(.., assembly)| *assembly));
        }
    }

    fn record(&mut self, line: &str, seen: &mut BTreeMap<String, usize>) {
        let columns: Vec<&str> = line.splitn(9, '\t').collect();
        let [_, _, _, _, alternate, quality, filter, info, ..] = columns.as_slice() else { return };
        self.records += 1;
        self.has_quality |= quality.parse::<f64>().is_ok();
        self.has_pass |= *filter == "PASS";
        self.is_structural |= alternate.contains('<') && *alternate != "<NON_REF>" && *alternate != "<*>";
        for field in info.split(';').filter(|field| !matches!(*field, "" | ".")) {
            let key = field.split_once('=').map_or(field, |(key, _)| key);
            *seen.entry(key.to_owned()).or_default() += 1;
        }
    }

    /// The field with gene annotations.
    pub fn annotation(&self) -> Option<&Field> {
        ANNOTATIONS.iter().find_map(|id| self.info.iter().find(|field| field.id == *id && field.seen > 0))
    }

    /// Whether records have a field.
    pub fn has(&self, id: &str) -> bool {
        self.info.iter().any(|field| field.id == id && field.seen > 0)
    }
}

/// A value of a header line without quotes around it.
fn part<'a>(line: &'a str, key: &str) -> &'a str {
    let start = if line.starts_with(key) { Some(0) } else { line.find(&format!(",{key}")).map(|at| at + 1) };
    let value = start.map_or("", |at| &line[at + key.len()..]);
    value.split([',', '>']).next().unwrap_or_default()
}
