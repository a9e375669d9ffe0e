//! The suite of vcf-validator: what it calls valid is loaded whole, what it calls invalid is refused, rejected or counted, or
//! loaded without a word, which the table here has to justify.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use vardelta_tests::{project::Project, shared::shared};

use super::{argument, for_each};

/// Faults with which a file loads as if it had none, and why that is right: how the name of the file and the cause that
/// the file states begin.
const CLEAN: &[(&str, &str, &str)] = &[
    ("body_contiguous", "non-contiguous", "the order of records means nothing to a table with a key"),
    ("body_unsorted", "non-sorted", "the order of records means nothing to a table with a key"),
    (
        "CNV",
        "",
        "rules between SVCLAIM and the kind of variant do not concern a value, and each is kept as it is written",
    ),
    (
        "body_samples_ploidy",
        "",
        "a list as long as the genotypes of some ploidy is read at that ploidy: callers write likelihoods of one ploidy \
         beside a genotype of another, and each value is kept",
    ),
    ("STR", "", "how many values RN promises in RUS does not concern a value, and each is kept as it is written"),
    (
        "body_chrom",
        "contig ID contains",
        "a contig may have any name without white space; the pipeline's assembly decides which it knows",
    ),
    (
        "body_duplicated",
        "triplicated",
        "each of the records still has an allele of its own; of the shared ones the last stands",
    ),
    (
        "body_filter",
        "",
        "FILTER is a set of texts: empty, repeated and missing items add nothing, and other names are kept",
    ),
    ("body_format", "FORMAT contains", "a key of FORMAT that nobody asks for is not read, whatever its name is"),
    ("body_format", "FORMAT starts", "a key of FORMAT that nobody asks for is not read, whatever its name is"),
    ("body_id", "", "ID is a text, never a key, and kept as it is written"),
    ("body_info", "INFO AA contains a comma", "AA is a text, and kept with its comma"),
    ("body_info", "INFO CIGAR", "CIGAR is a text, and kept as it is written"),
    ("body_info", "INFO contains a whitespace", "a key of INFO that nobody asks for is not read, whatever its name is"),
    (
        "body_info",
        "INFO ",
        "a negative number is a number of the declared type; what it means is not the loader's to judge",
    ),
    (
        "body_invalid_CNVTR",
        "",
        "rules among RN, RUS, RUL, RUC, RB and RUB do not concern a value, and each is kept as it is written",
    ),
    (
        "body_invalid_SV",
        "",
        "which names and fields a symbolic allele must have does not concern a value; the allele is kept as it is",
    ),
    ("body_invalid_format", "", "that CICN asks for CN does not concern a value, and each is kept as it is written"),
    (
        "body_invalid_sample_PSL",
        "",
        "that PSL is `.` where a call is not phased does not concern a value, which is kept",
    ),
    (
        "body_no_newline",
        "",
        "the last line is whole without its line end; a file that was cut is known by its container",
    ),
    (
        "body_qual",
        "QUAL is a negative number",
        "callers that score in logarithms write negative numbers, and a number it is",
    ),
    ("fileformat", "Whitespace", "the version can be read in spite of blanks after it"),
    ("meta_alt", "", "##ALT lines are not needed to read a record"),
    ("meta_assembly", "", "##assembly is not needed to read a record, and its address is not visited"),
    ("meta_contig", "", "a ##contig line without a usable ID gives no length; records name their contigs themselves"),
    ("meta_format", "Incorrect FORMAT Number", "-1 is how files of before VCF 4.0 wrote a number that is not fixed"),
    ("meta_format", "Incorrect order", "the parts of a definition are known by their names, not by their order"),
    (
        "meta_format",
        "FORMAT ",
        "a file may define a reserved field otherwise: a definition never refuses a file, and values are read by it",
    ),
    ("meta_info", "Incorrect INFO Number", "-1 is how files of before VCF 4.0 wrote a number that is not fixed"),
    ("meta_info", "Incorrect order", "the parts of a definition are known by their names, not by their order"),
    (
        "meta_info",
        "INFO ",
        "a file may define a reserved field otherwise: a definition never refuses a file, and values are read by it",
    ),
    ("meta_meta", "", "##META lines are not needed to read a record"),
    ("meta_pedigree", "", "##PEDIGREE and ##pedigreeDB lines are not needed to read a record"),
    ("meta_sample", "", "##SAMPLE lines are not needed to read a record; the #CHROM line names the samples"),
    ("meta", "", "a ## line that defines no INFO or FORMAT field is not needed to read a record"),
];

/// Reasons for which a file is refused whole, as its message says them.
const REFUSALS: &[&str] =
    &["column ", "#CHROM", "sample ", "is neither a header line", "is empty", "spaces where tabs belong"];

/// What became of a file.
enum Fate {
    Refused(String),
    Loaded { accounted: bool, rejected: u64, told: String },
}

/// The parts of a header's definitions: Number and Type by ID.
fn definitions(text: &str, kind: &str) -> BTreeMap<String, (String, String)> {
    let start = format!("##{kind}=<");
    let mut definitions = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(&start)) {
        let value = |name: &str| {
            let found = line.split(',').find_map(|part| part.strip_prefix(&format!("{name}=")));
            found.unwrap_or("").trim_end_matches('>').to_owned()
        };
        definitions.entry(value("ID")).or_insert((value("Number"), value("Type")));
    }
    definitions
}

/// A field to read.
struct Field {
    name: String,
    /// What is said of it in the pipeline file beside its name: nothing, or type and number.
    typed: String,
    /// Whether a row has one value of it: one per record, or one per allele.
    is_single: bool,
}

/// Every field that records have, as the header declares it.
fn fields(text: &str, kind: &str) -> Vec<Field> {
    let (column, separator) = if kind == "INFO" { (7, ';') } else { (8, ':') };
    let records = text.lines().filter(|line| !line.starts_with('#'));
    let keys: BTreeSet<&str> = records
        .filter_map(|line| line.split('\t').nth(column))
        .flat_map(|value| value.split(separator))
        .map(|field| field.split('=').next().unwrap_or(""))
        .collect();
    let definitions = definitions(text, kind);
    let (mut seen, mut fields) = (BTreeSet::new(), Vec::new());
    for key in keys {
        let is_name =
            !key.is_empty() && key != "." && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let is_builtin = kind == "FORMAT" && ["GT", "DP", "GQ", "AD"].contains(&key);
        if !is_name || is_builtin || !seen.insert(key.to_lowercase()) {
            continue;
        }
        let declared = definitions.get(key).map(|(number, kind)| (number.as_str(), kind.as_str()));
        let (typed, is_single) = match declared {
            Some((number, kind)) if ["Integer", "Float", "String", "Character", "Flag"].contains(&kind) => {
                let said = match number {
                    "A" | "R" | "G" | "." => format!(", number = \"{number}\""),
                    _ if number.parse::<u32>().is_ok() => format!(", number = {number}"),
                    _ => String::new(),
                };
                let fits = (kind == "Flag") == (said == ", number = 0");
                if fits {
                    (format!(", type = \"{kind}\"{said}"), ["1", "A", "R"].contains(&number))
                } else {
                    (String::new(), false)
                }
            }
            _ => (String::new(), false),
        };
        fields.push(Field { name: key.to_owned(), typed, is_single });
    }
    fields
}

/// The option that lists fields.
fn listed(fields: &[Field]) -> String {
    let options: Vec<String> =
        fields.iter().map(|field| format!("{{ name = \"{}\"{} }}", field.name, field.typed)).collect();
    options.join(", ")
}

/// Columns for the INFO fields of one value, so that they are split by allele: a column that nobody keeps is not.
fn kept(info: &[Field]) -> String {
    let names = info.iter().filter(|field| field.is_single && !field.name.contains('.'));
    names.map(|field| field.name.to_lowercase()).map(|name| format!("kept_{name} = \"info_{name}\"\n")).collect()
}

/// A pipeline that reads every field of this file.
fn pipeline(text: &str) -> String {
    let info = fields(text, "INFO");
    let (samples, column, key) = match text.lines().any(|line| line.starts_with("#CHROM") && line.contains("\tFORMAT"))
    {
        true => {
            let samples = format!("samples = \"long\"\nformat = [{}]\n", listed(&fields(text, "FORMAT")));
            (samples, "sample = \"coalesce(sample, '')\"\n", ", \"sample\"")
        }
        false => (String::new(), "", ""),
    };
    format!(
        "[pipeline]\nname = \"conformance\"\nmax_reject_share = 1.0\n\n[stages.calls]\ntype = \"vcf\"\ninfo = [{info}]\n{samples}\n\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n[stages.named]\ntype = \"select\"\ninput = \"alleles\"\n\
         [stages.named.columns]\nchrom = \"chrom\"\npos = \"pos\"\nref = \"ref\"\nalt = \"alt\"\n{column}{kept}\n\
         [stages.variants]\ntype = \"table\"\ninput = \"named\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"{key}]\n\n\
         [stages.warehouse]\ntype = \"sqlite\"\npath = \"conformance.sqlite\"\ntables = [\"variants\"]\n",
        info = listed(&info),
        kept = kept(&info)
    )
}

fn load(path: &Path) -> (String, Fate) {
    let text = String::from_utf8_lossy(&std::fs::read(path).expect("the file can be read")).into_owned();
    let project = Project::new(&pipeline(&text));
    let said = project.vardelta("run", &[argument(path), "--json", "--dry-run"]);
    let report = said.json();
    let fate = match said.code {
        0 => {
            let number = |key: &str| report["drops"][0][key].as_u64().expect("a number");
            let told = format!("rejects {} warnings {}", report["rejects"], report["warnings"]);
            let total = number("loaded") + number("filtered") + number("rejected") + number("duplicates");
            assert_eq!(number("read"), total, "{}: the records add up", path.display());
            let is_empty = |key: &str| match &report[key] {
                Value::Object(object) => object.is_empty(),
                Value::Array(list) => list.is_empty(),
                _ => true,
            };
            let accounted = !is_empty("rejects") || !is_empty("warnings") || number("duplicates") > 0;
            Fate::Loaded { accounted, rejected: number("rejected"), told }
        }
        4 => Fate::Refused(report["error"]["message"].as_str().expect("a text").replace(argument(path), "the file")),
        code => panic!("{}: exit code {code}\n{}\n{}", path.display(), said.stdout, said.stderr),
    };
    (text, fate)
}

/// The VCF files in the folders of this name, one for each version.
fn files(folder: &str) -> Option<Vec<PathBuf>> {
    let suite = shared("vcf-validator's suite", "data/conformance/vcf-validator")?;
    let mut files = Vec::new();
    for version in ["v4.1", "v4.2", "v4.3", "v4.4"] {
        let folder = std::fs::read_dir(suite.join(version).join(folder)).expect("the folder can be read");
        files.extend(folder.map(|entry| entry.expect("the entry can be read").path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "vcf"));
    files.sort();
    Some(files)
}

/// The fault that a file's name states: `body_info` of `failed_body_info_003.vcf`.
fn fault(path: &Path) -> String {
    let name = path.file_stem().expect("a name").to_string_lossy();
    let name = name.strip_prefix("failed_").unwrap_or(&name);
    name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_').to_owned()
}

/// The last two parts of a path.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    format!("{} {}", parts[parts.len() - 3], parts[parts.len() - 1])
}

#[test]
fn every_passed_file_is_loaded_whole() {
    let Some(files) = files("passed") else { return };
    assert!(files.len() > 70, "only {} files", files.len());
    for_each(&files, |path| match load(path).1 {
        Fate::Loaded { rejected: 0, .. } => {}
        Fate::Loaded { told, .. } => panic!("{}: {told}", path.display()),
        Fate::Refused(message) => panic!("{}: {message}", path.display()),
    });
}

#[test]
fn every_failed_file_is_refused_or_accounted_for_or_rightly_loaded() {
    let Some(files) = files("failed") else { return };
    assert!(files.len() > 500, "only {} files", files.len());
    let outcomes = Mutex::new((BTreeMap::<(&str, &str), Vec<String>>::new(), Vec::new(), 0));
    for_each(&files, |path| {
        let (text, fate) = load(path);
        let cause = text.lines().find_map(|line| line.strip_prefix("##CauseOfFailure=")).unwrap_or("");
        let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let (clean, refused, accounted) = &mut *outcomes;
        match fate {
            Fate::Refused(message) => {
                assert!(REFUSALS.iter().any(|known| message.contains(known)), "{}: {message}", path.display());
                refused.push(format!("{}: {message}", shown(path)));
            }
            Fate::Loaded { accounted: true, .. } => *accounted += 1,
            Fate::Loaded { accounted: false, told, .. } => {
                let named = fault(path);
                let known = CLEAN.iter().find(|(fault, begin, _)| named.starts_with(fault) && cause.starts_with(begin));
                let (fault, begin, _) = known.unwrap_or_else(|| {
                    panic!("{} ({cause}) loads clean ({told}), and nothing says why that is right", shown(path))
                });
                clean.entry((fault, begin)).or_default().push(format!("{} ({cause})", shown(path)));
            }
        }
    });
    let (clean, refused, accounted) = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (fault, begin, why) in CLEAN {
        let files = clean.get(&(*fault, *begin)).unwrap_or_else(|| panic!("no {fault} `{begin}` loads clean any more"));
        eprintln!("{fault} `{begin}`: {why}");
        files.iter().for_each(|file| eprintln!("    {file}"));
    }
    refused.iter().for_each(|file| eprintln!("refused: {file}"));
    let count: usize = clean.values().map(Vec::len).sum();
    eprintln!("{} files: {} refused, {accounted} accounted for, {count} loaded clean", files.len(), refused.len());
}
