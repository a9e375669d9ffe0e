//! A VCF header, read leniently: a definition never refuses a file. Refused is only what leaves open which column or
//! sample a value belongs to.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use vardelta_engine::contract::stage::StageError;
use vardelta_schemas::Number;

use crate::sources::{
    shared::place::shown,
    vcf::{
        contig_names::ContigNames,
        kind::{Field, ValueKind, is_number, number_from_text, number_to_text},
        meta,
        names::{HINT, undecodable},
        reasons::{Tally, Warning},
        regions::Regions,
        undeclared::Undeclared,
        values::TextRules,
    },
};

/// The header of a VCF or BCF file. Stages before a table get it from
/// [`Provenance::header`](vardelta_engine::contract::batch::Provenance::header).
#[derive(Clone, Debug, Default)]
pub struct VcfHeader {
    /// Version of the format, major and minor; 4.0 where the file does not say.
    pub version: (u32, u32),
    /// INFO definitions by ID.
    pub info: BTreeMap<String, Definition>,
    /// FORMAT definitions by ID.
    pub format: BTreeMap<String, Definition>,
    /// Contigs, in the order of the file.
    pub contigs: Vec<Contig>,
    /// Sample names, in the order of their columns. Unique, but for bytes that are not UTF-8.
    pub samples: Vec<String>,
    /// Samples whose names are not UTF-8, by their place in `samples`, and what is wrong with them: they cannot be read.
    pub(super) undecodable_samples: BTreeMap<usize, String>,
    /// The values of `##key=value` lines, by key, the first of each; those of structured lines (`<…>`) are not among them.
    pub values: BTreeMap<String, String>,
    /// The file's name, for messages.
    pub(super) file: String,
    /// Whether the column FORMAT is there.
    pub(super) has_format: bool,
    /// How many lines the header has, the `#CHROM` line included.
    pub(super) lines: u64,
    /// The origin of the file's first record: in text the line after the header, in BCF 1.
    pub(super) first_origin: u64,
    /// The `#CHROM` line without its line end.
    pub(super) column_line: Vec<u8>,
    /// What the file's contig names mean.
    pub(super) contig_names: ContigNames,
    /// Whether only what an index names is read: then nobody counts lines.
    pub(super) is_indexed: bool,
    /// Where records are read from; everywhere where there are none.
    pub(super) regions: Option<Arc<Regions>>,
    /// Where each contig is in `contigs`; the first where one is listed twice.
    pub(super) contig_places: HashMap<Vec<u8>, usize>,
    /// The hashes of its `##` lines: a header that is repeated between the records says nothing new.
    line_hashes: HashSet<u64>,
    /// The value of `##reference`, if there is one.
    pub(super) reference: Option<String>,
    /// The names of the filters.
    pub(super) filters: HashSet<Vec<u8>>,
    /// Names that its records use and it does not declare.
    pub(super) undeclared: Undeclared,
    /// What reading the header adapted.
    pub(super) tally: Tally,
}

/// What a header says of an INFO or FORMAT field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// How many values; [`Number::Unknown`] where the header says nothing usable.
    pub number: Number,
    /// The type; [`ValueKind::String`] where the header says nothing usable.
    pub kind: ValueKind,
    /// The description, without its quotes and escapes. Annotation tools list their sub-fields here.
    pub description: String,
}

impl Definition {
    /// What a line's fields say, and whether its number and type are such as there are.
    pub(super) fn of_fields(fields: &[(&str, String)]) -> (Definition, bool) {
        let (number, kind) = (meta::field(fields, "Number"), meta::field(fields, "Type"));
        let kind = kind.and_then(ValueKind::from_header);
        let is_usable = kind.is_some() && number.is_some_and(is_number);
        let definition = Definition {
            number: number.and_then(number_from_text).unwrap_or(Number::Unknown),
            kind: kind.unwrap_or(ValueKind::String),
            description: meta::field(fields, "Description").unwrap_or_default().to_string(),
        };
        (definition, is_usable)
    }

    /// Whether the description lists the parts of which each value is made, separated by `|`.
    pub fn lists_parts(&self) -> bool {
        self.description.contains('|')
    }
}

/// A `##contig` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contig {
    /// The name, as records write it.
    pub id: String,
    /// Length in base pairs.
    pub length: Option<u64>,
    /// The assembly it is of, as the header writes it.
    pub assembly: Option<String>,
}

impl Contig {
    /// What a line's fields say; `None` where they name none.
    pub(super) fn of_fields(fields: &[(&str, String)]) -> Option<Contig> {
        Some(Contig {
            id: meta::field(fields, "ID")?.to_string(),
            length: meta::field(fields, "length").and_then(|length| length.parse().ok()),
            assembly: meta::field(fields, "assembly").map(str::to_string),
        })
    }
}

/// The fixed columns, in their order.
const FIXED: [&str; 8] = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"];

impl VcfHeader {
    /// Reads a header: every line up to and with `#CHROM`. `file` names the file in messages.
    ///
    /// # Errors
    /// When the `#CHROM` line is missing, is not separated by tabs, lacks a fixed column or names a sample twice, and when an
    /// INFO, FORMAT, FILTER or contig line has an ID that is not UTF-8.
    pub fn parse(text: &[u8], file: &str) -> Result<VcfHeader, StageError> {
        let mut header = VcfHeader { version: (4, 0), file: file.to_string(), ..VcfHeader::default() };
        let mut has_version = false;
        let text = match text.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => {
                header.tally.count(Warning::ByteOrderMark);
                rest
            }
            None => text,
        };
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            header.lines += 1;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if is_column_line(line) {
                if !has_version {
                    header.tally.count(Warning::NoFileformat);
                }
                header.read_columns(line, file)?;
                header.first_origin = header.lines + 1;
                return Ok(header);
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                header.tally.count(Warning::HeaderBlankLine);
            } else if let Some(content) = line.strip_prefix(b"##") {
                header.line_hashes.insert(xxhash_rust::xxh3::xxh3_64(line));
                let text = String::from_utf8_lossy(content);
                if matches!(text, Cow::Owned(_)) {
                    header.refuse_undecodable_id(line)?;
                }
                has_version |= header.read_meta(&text);
            }
        }
        Err(no_column_line(file, header.lines))
    }

    /// How many columns a record has.
    pub fn columns(&self) -> usize {
        if self.has_format { FIXED.len() + 1 + self.samples.len() } else { FIXED.len() }
    }

    /// Whether it has this very line.
    pub(super) fn has_line(&self, line: &[u8]) -> bool {
        self.line_hashes.contains(&xxhash_rust::xxh3::xxh3_64(line))
    }

    /// What it says of a contig; the first line where there are two.
    pub(super) fn contig(&self, id: &str) -> Option<&Contig> {
        self.contigs.get(*self.contig_places.get(id.as_bytes())?)
    }

    /// How values are decoded: percent-encoding came with 4.3.
    pub(super) fn text_rules(&self) -> TextRules {
        TextRules { percent_encoded: self.version >= (4, 3) }
    }

    /// How values of an INFO field are decoded. One whose description lists parts (between `|`, as annotation tools write
    /// it) is left as it is: its values are split further, and decoding comes once, after splitting (VCF 4.3, section 1.2).
    pub(super) fn text_rules_of(&self, key: &str) -> TextRules {
        if self.info.get(key).is_some_and(Definition::lists_parts) { TextRules::default() } else { self.text_rules() }
    }

    /// Whether INFO and FORMAT values are percent-encoded: from 4.3 on.
    pub fn is_percent_encoded(&self) -> bool {
        self.text_rules().percent_encoded
    }

    /// The digest of what changes how records are read: the version where it matters, the definitions of the projected INFO
    /// fields (annotations find their field lists there), sample names, contig names that mean something of their own.
    pub(super) fn digest(&self, projected: &[Field], values: &[String]) -> u128 {
        let mut text = vec![u8::from(self.text_rules().percent_encoded)];
        let mut add = |part: &str| {
            // The length keeps parts apart, whatever they hold.
            text.extend_from_slice(&(part.len() as u64).to_le_bytes());
            text.extend_from_slice(part.as_bytes());
        };
        for field in projected {
            if let Some(definition) = self.info.get(&field.key) {
                add(&field.key);
                add(definition.kind.as_str());
                add(&number_to_text(definition.number));
                add(&definition.description);
            }
        }
        // Since 4.4 SVLEN decides where a symbolic allele ends.
        if self.version >= (4, 4) {
            add("4.4");
        }
        add("samples");
        for sample in &self.samples {
            add(sample);
        }
        for key in values {
            add("value");
            add(self.values.get(key).map_or("", String::as_str));
        }
        for (spelling, contig) in self.contig_names.peculiarities() {
            add("contig");
            add(spelling);
            add(contig);
        }
        xxhash_rust::xxh3::xxh3_128(&text)
    }

    /// Reads a `##` line without its `##`. Returns whether it gave the version.
    fn read_meta(&mut self, line: &str) -> bool {
        let Some((key, value)) = line.split_once('=') else {
            return false;
        };
        match key.trim() {
            "fileformat" => {
                let version = version(value);
                self.version = version.unwrap_or(self.version);
                return version.is_some();
            }
            "INFO" | "FORMAT" => self.read_definition(key.trim(), value),
            "contig" => self.read_contig(value),
            "reference" => self.reference = self.reference.take().or_else(|| Some(value.trim().to_string())),
            "FILTER" => {
                let fields = meta::fields(value).unwrap_or_default();
                self.filters.extend(meta::field(&fields, "ID").map(|id| id.as_bytes().to_vec()));
            }
            _ => {}
        }
        if !value.starts_with('<') {
            self.values.entry(key.trim().to_owned()).or_insert_with(|| value.trim().to_owned());
        }
        false
    }

    fn read_definition(&mut self, key: &str, value: &str) {
        let fields = meta::fields(value).unwrap_or_default();
        let Some(id) = meta::field(&fields, "ID").filter(|id| !id.is_empty()) else {
            self.tally.count(Warning::BadDefinition);
            return;
        };
        let (definition, is_usable) = Definition::of_fields(&fields);
        if !is_usable {
            self.tally.name(Warning::BadDefinition, id.as_bytes(), true);
        }
        let definitions = if key == "INFO" { &mut self.info } else { &mut self.format };
        if definitions.contains_key(id) {
            self.tally.name(Warning::DuplicateDefinition, id.as_bytes(), true);
        } else {
            definitions.insert(id.to_string(), definition);
        }
    }

    /// Refuses a line that is not UTF-8 where it is the ID that is not: records would be told apart by it.
    fn refuse_undecodable_id(&self, line: &[u8]) -> Result<(), StageError> {
        let names = [&b"##INFO="[..], b"##FORMAT=", b"##FILTER=", b"##contig="];
        let Some(start) =
            memchr::memmem::find(line, b"ID=").filter(|_| names.iter().any(|name| line.starts_with(name)))
        else {
            return Ok(());
        };
        let start = start + b"ID=".len();
        let length = memchr::memchr2(b',', b'>', &line[start..]).unwrap_or(line.len() - start);
        match undecodable("the ID", &line[start..start + length], start) {
            None => Ok(()),
            Some(problem) => {
                Err(StageError::new(format!("{}: line {}: {problem}", self.file, self.lines)).with_hint(HINT))
            }
        }
    }

    fn read_contig(&mut self, value: &str) {
        let Some(contig) = meta::fields(value).as_deref().and_then(Contig::of_fields) else { return };
        self.contig_places.entry(contig.id.as_bytes().to_vec()).or_insert(self.contigs.len());
        self.contigs.push(contig);
    }

    fn read_columns(&mut self, line: &[u8], file: &str) -> Result<(), StageError> {
        self.column_line = line.to_vec();
        let text = String::from_utf8_lossy(line);
        let trimmed = text.trim_end_matches('\t');
        if trimmed.len() < text.len() {
            self.tally.count(Warning::TrailingHeaderTab);
        }
        let names: Vec<&str> = trimmed.split('\t').collect();
        for (at, expected) in FIXED.iter().enumerate() {
            if names.get(at).is_some_and(|name| name.eq_ignore_ascii_case(expected)) {
                continue;
            }
            let spaced = text.split_whitespace().zip(FIXED).filter(|(word, name)| word == name).count() == FIXED.len();
            return Err(if spaced {
                StageError::new(format!("{file}: the #CHROM line (line {}) has spaces where tabs belong", self.lines))
                    .with_hint(
                        "Columns of a VCF file are separated by tabs. Something replaced them; take the original file.",
                    )
            } else {
                StageError::new(format!(
                    "{file}: the #CHROM line (line {}) lacks the column {expected}: it says `{}`",
                    self.lines,
                    shown(line)
                ))
                .with_hint(format!("The first columns of a VCF file are {}, separated by tabs.", FIXED.join(" ")))
            });
        }
        if let Some(ninth) = names.get(FIXED.len()) {
            if !ninth.eq_ignore_ascii_case("FORMAT") {
                return Err(StageError::new(format!(
                    "{file}: the ninth column of the #CHROM line (line {}) is `{}`, not FORMAT",
                    self.lines,
                    shown(ninth.as_bytes())
                ))
                .with_hint("Sample columns follow the column FORMAT."));
            }
            self.has_format = true;
            self.samples = names[FIXED.len() + 1..].iter().map(|name| (*name).to_string()).collect();
        }
        let written: Vec<&[u8]> =
            line.split(|byte| *byte == b'\t').skip(FIXED.len() + 1).take(self.samples.len()).collect();
        if matches!(text, Cow::Owned(_)) {
            for (place, name) in written.iter().enumerate() {
                let at = name.as_ptr().addr() - line.as_ptr().addr();
                let problem = undecodable("the sample name", name, at);
                let problem = problem.map(|problem| format!("{file}: line {}: {problem}", self.lines));
                self.undecodable_samples.extend(problem.map(|problem| (place, problem)));
            }
        }
        self.check_samples(written, file)
    }

    fn check_samples(&self, mut sorted: Vec<&[u8]>, file: &str) -> Result<(), StageError> {
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            // What cannot be decoded is replaced, and names that differ there become one.
            Some(pair) => Err(StageError::new(format!(
                "{file}: the #CHROM line (line {}) names the sample `{}` twice",
                self.lines,
                shown(pair[0])
            ))
            .with_hint("Rename one of them, for example with `bcftools reheader --samples`.")),
        }
    }
}

/// Whether a line is the one that names the columns.
pub(super) fn is_column_line(line: &[u8]) -> bool {
    line.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"#CHROM"))
}

/// The error of a file whose header ends without naming its columns.
pub(super) fn no_column_line(file: &str, lines: u64) -> StageError {
    StageError::new(format!(
        "{file}: no #CHROM line in its {lines} line(s): this is no VCF file, or its header is cut off"
    ))
    .with_hint("A VCF file has a line `#CHROM POS ID REF ALT QUAL FILTER INFO`, separated by tabs, before its records.")
}

/// The first `digits.digits` of a `##fileformat` value.
pub(super) fn version(value: &str) -> Option<(u32, u32)> {
    let start = value.find(|c: char| c.is_ascii_digit())?;
    let (major, rest) = value[start..].split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
impl VcfHeader {
    /// A header that names these samples and nothing else.
    pub(super) fn for_samples(samples: &[&str]) -> VcfHeader {
        let mut text = FIXED.join("\t");
        if !samples.is_empty() {
            text = format!("{text}\tFORMAT\t{}", samples.join("\t"));
        }
        VcfHeader::parse(text.as_bytes(), "test").expect("a sound header")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vardelta_engine::contract::stage::Emit;

    const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

    fn parse(text: &str) -> Result<VcfHeader, String> {
        VcfHeader::parse(text.as_bytes(), "x.vcf").map_err(|error| error.message)
    }

    fn warnings(header: &VcfHeader) -> Vec<(&'static str, u64)> {
        let mut emit = Emit::default();
        header.tally.report(&mut emit);
        emit.warnings.counts()
    }

    #[test]
    fn reads_definitions_contigs_and_samples() -> Result<(), String> {
        let header = parse(&format!(
            "##fileformat=VCFv4.2\r\n##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|\\\"x\\\"\">\n\
             ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"a\">\n##INFO=<ID=DP,Number=2,Type=Float,Description=\"b\">\n\
             ##ID=<Description=\"ClinVar Variation ID\">\n##contig=<ID=chr1,length=248956422>\n{COLUMNS}\tFORMAT\ta\tb\r\n"
        ))?;
        assert_eq!(header.version, (4, 2));
        assert_eq!(header.info["CSQ"].description, "Format: Allele|\"x\"");
        assert_eq!(header.info["DP"].kind, ValueKind::Integer);
        assert_eq!(header.contigs, [Contig { id: "chr1".into(), length: Some(248_956_422), assembly: None }]);
        assert_eq!((header.samples.as_slice(), header.columns(), header.lines), (&["a".into(), "b".into()][..], 11, 7));
        assert_eq!(warnings(&header), [("duplicate_definition", 1)]);
        Ok(())
    }

    #[test]
    fn accepts_what_users_consider_fine() -> Result<(), String> {
        let header = parse(&format!("\u{feff}{COLUMNS}\t\n"))?;
        assert_eq!((header.version, header.columns()), ((4, 0), 8));
        assert_eq!(warnings(&header), [("byte_order_mark", 1), ("no_fileformat", 1), ("trailing_header_tab", 1)]);
        let header =
            parse(&format!("##source=x\n##fileformat=VCFv4.4\n##INFO=broken\n##INFO=<Number=1>\n\n{COLUMNS}"))?;
        assert_eq!(header.version, (4, 4));
        assert_eq!(warnings(&header), [("bad_definition", 2), ("header_blank_line", 1)]);
        Ok(())
    }

    #[test]
    fn refuses_what_leaves_columns_open() {
        let cases = [
            ("".into(), "no #CHROM line"),
            ("##fileformat=VCFv4.2\n".into(), "no #CHROM line"),
            (COLUMNS.replace('\t', " "), "spaces where tabs belong"),
            (COLUMNS.replacen('\t', " ", 2), "spaces where tabs belong"),
            (COLUMNS.replace("\tALT", ""), "lacks the column ALT"),
            (format!("{COLUMNS}\ta"), "is `a`, not FORMAT"),
            (format!("{COLUMNS}\tFORMAT\ta\tb\ta"), "names the sample `a` twice"),
        ];
        for (text, expected) in cases {
            let message = parse(&text).expect_err("should be refused");
            assert!(
                message.starts_with("x.vcf: ") && message.contains(expected),
                "{message:?} does not say {expected:?}"
            );
        }
    }

    #[test]
    fn digest_follows_what_changes_decoding() -> Result<(), String> {
        let digest = |text: &str| -> Result<u128, String> {
            let fields = [Field { key: "CSQ".into(), shape: crate::sources::vcf::kind::Shape::RAW }];
            Ok(parse(&format!("{text}{COLUMNS}\tFORMAT\ta"))?.digest(&fields, &["fileDate".to_owned()]))
        };
        let csq = |text: &str| format!("##INFO=<ID=CSQ,Number=.,Type=String,Description=\"{text}\">\n");
        let base = digest(&format!("##fileformat=VCFv4.2\n{}", csq("a")))?;
        assert_eq!(base, digest(&format!("##fileformat=VCFv4.1\n##source=other\n{}", csq("a")))?);
        assert_ne!(base, digest(&format!("##fileformat=VCFv4.2\n##fileDate=2026-11-02\n{}", csq("a")))?);
        assert_ne!(base, digest(&format!("##fileformat=VCFv4.3\n{}", csq("a")))?);
        assert_ne!(base, digest(&format!("##fileformat=VCFv4.2\n{}", csq("b")))?);
        Ok(())
    }
}
