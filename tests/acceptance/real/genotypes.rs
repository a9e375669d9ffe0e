//! Rows per allele and sample, as `bcftools norm -m -` and `bcftools query` print them: QUAL, FILTER, three INFO fields
//! and the genotype, for every valid file that bcftools splits.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use vardelta_tests::{
    database::{self, Cell},
    project::Project,
    report::warnings_of,
    shared::{has_tool, skipped},
};

use super::{FIELD, Key, Known, argument, for_each, is_observed, key, known};

/// Rows of a file above which only its first records are compared.
const MOST_ROWS: usize = 60_000;

/// Where vardelta's value and bcftools's differ on purpose. Rows that differ for another reason fail the test.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "unobserved allele",
        "`*`, `<*>`, `<NON_REF>` and `.` are no observed alleles: bcftools has a row for each, vardelta none",
    ),
    ("REF is ALT", "bcftools keeps an allele that is the same as REF, vardelta rejects it"),
    ("trimmed", "bcftools trims with a FASTA only, vardelta always: both sides are compared trimmed"),
    (
        "bad genotype",
        "GT names an allele that the record does not have: bcftools prints it, vardelta has NULL and counts it",
    ),
    ("bad value", "the value does not fit its declared type or count: vardelta has NULL and counts it"),
    ("percent-encoding", "vardelta decodes values of VCF 4.3 and later, bcftools prints them as they are"),
    ("same key twice", "records of one allele and sample: the last one stands, bcftools prints all"),
];

/// An INFO field to compare.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    number: String,
    kind: String,
}

/// A row's values: QUAL, FILTER, the INFO fields, GT.
type Values = Vec<String>;

/// Up to three fields that a header declares, of different Number and Type as far as there are any.
fn fields(header: &str) -> Vec<Field> {
    let mut all = Vec::new();
    for line in header.lines().filter_map(|line| line.strip_prefix("##INFO=<ID=")) {
        let after = |key: &str| {
            let start = line.find(key)? + key.len();
            Some(line[start..].split([',', '>']).next().unwrap_or_default().to_owned())
        };
        let (Some(number), Some(kind)) = (after("Number="), after("Type=")) else { continue };
        let name = line.split(',').next().unwrap_or_default().to_owned();
        if matches!(number.as_str(), "0" | "1" | "A" | "R")
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            all.push(Field { name, number, kind });
        }
    }
    let mut chosen: Vec<Field> = Vec::new();
    let wanted =
        [("A", ""), ("R", ""), ("1", "Integer"), ("1", "String"), ("1", "Float"), ("0", ""), ("1", ""), ("A", "")];
    for (number, kind) in wanted {
        let is_new = |field: &&Field| !chosen.iter().any(|other| other.name.eq_ignore_ascii_case(&field.name));
        let fits = |field: &&Field| field.number == number && (kind.is_empty() || field.kind == kind);
        if let Some(field) = all.iter().find(|field| fits(field) && is_new(field)).filter(|_| chosen.len() < 3) {
            chosen.push(field.clone());
        }
    }
    chosen
}

fn pipeline(fields: &[Field], with_samples: bool) -> String {
    let mut info = String::new();
    let mut columns = String::new();
    for Field { name, number, kind } in fields {
        let number = if matches!(number.as_str(), "0" | "1") { number.clone() } else { format!("\"{number}\"") };
        let _ = write!(info, "{{ name = \"{name}\", type = \"{kind}\", number = {number} }}, ");
        let _ = writeln!(columns, "\"value_{}\" = \"info_{}\"", name.to_lowercase(), name.to_lowercase());
    }
    let (samples, sample, genotype) =
        if with_samples { ("long", "sample", "gt") } else { ("none", "''", "CAST(NULL AS VARCHAR)") };
    format!(
        r#"[pipeline]
name = "genotypes"
max_reject_share = 1.0

[stages.calls]
type = "vcf"
samples = "{samples}"
info = [{info}]

[stages.normalized]
type = "normalize"
input = "calls"

[stages.named]
type = "select"
input = "normalized"
[stages.named.columns]
chrom = "chrom"
pos = "pos"
ref = "ref"
alt = "alt"
sample = "{sample}"
qual = "qual"
filter = "filter"
{columns}
genotype = "{genotype}"

[stages.variants]
type = "table"
input = "named"
key = ["chrom", "pos", "ref", "alt", "sample"]

[stages.warehouse]
type = "sqlite"
path = "genotypes.sqlite"
tables = ["variants"]
"#
    )
}

/// What a pipe of bcftools commands prints; `None` where one of them fails.
fn bcftools(commands: &[&[&str]]) -> Option<String> {
    let mut input: Option<std::process::ChildStdout> = None;
    let mut children = Vec::new();
    for arguments in commands {
        let mut command = Command::new("bcftools");
        command.args(*arguments).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        if let Some(input) = input.take() {
            command.stdin(input);
        }
        let mut child = command.spawn().expect("bcftools was started before");
        input = child.stdout.take();
        children.push(child);
    }
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut input?, &mut text).ok()?;
    let succeeded = children.into_iter().all(|mut child| child.wait().is_ok_and(|status| status.success()));
    succeeded.then(|| String::from_utf8_lossy(&text).into_owned())
}

/// The file, or, where it makes too many rows, a copy of its first records; and that this is so.
fn shortened(file: &Known, samples: usize, project: &Project) -> Option<(PathBuf, bool)> {
    let most_records = MOST_ROWS / samples.max(1);
    if file.records as usize <= most_records {
        return Some((file.path.clone(), false));
    }
    let text = bcftools(&[&["view", "--no-version", argument(&file.path)]])?;
    let mut records = 0;
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| {
            records += usize::from(!line.starts_with('#'));
            line.starts_with('#') || records <= most_records
        })
        .collect();
    Some((project.write("first.vcf", kept.as_bytes()), true))
}

/// A copy of a file with a contig line for each of its contigs: `bcftools norm` gives up where they are not declared.
fn with_contigs(path: &Path, project: &Project) -> Option<PathBuf> {
    let text = bcftools(&[&["view", "--no-version", argument(path)]])?;
    let declared = |contig: &str| {
        text.contains(&format!("##contig=<ID={contig},")) || text.contains(&format!("##contig=<ID={contig}>"))
    };
    let records = text.lines().filter(|line| !line.starts_with('#'));
    let contigs: BTreeSet<&str> = records.filter_map(|line| line.split('\t').next()).collect();
    let lines: String = contigs
        .into_iter()
        .filter(|contig| !declared(contig))
        .map(|contig| format!("##contig=<ID={contig}>\n"))
        .collect();
    Some(project.write("contigs.vcf", text.replacen("#CHROM\t", &format!("{lines}#CHROM\t"), 1).as_bytes()))
}

/// bcftools's rows: every value that a key has.
fn expected(
    path: &Path,
    fields: &[Field],
    samples: usize,
    has_genotypes: bool,
) -> Option<BTreeMap<(Key, String), Vec<Values>>> {
    let mut columns = String::from("%CHROM\\t%POS\\t%REF\\t%ALT\\t%QUAL\\t%FILTER");
    for field in fields {
        let _ = write!(columns, "\\t%INFO/{}", field.name);
    }
    let genotype = if has_genotypes { "%GT" } else { "." };
    // Within brackets %REF and %QUAL would be FORMAT fields of these names, where a file has them.
    let format = match samples {
        0 => format!("{columns}\\t\\t.\\n"),
        _ => format!("{columns}[\\t%SAMPLE\\t{genotype}]\\n"),
    };
    let lines = bcftools(&[&["norm", "-m", "-", argument(path)], &["query", "-f", &format]])?;
    let site_columns = 6 + fields.len();
    let mut rows: BTreeMap<(Key, String), Vec<Values>> = BTreeMap::new();
    for line in lines.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let (site, calls) = parts.split_at(site_columns);
        let [contig, position, reference, alternate, values @ ..] = site else { panic!("too few columns: {line}") };
        if !is_observed(alternate) {
            continue;
        }
        let Some(key) = key(contig, position, reference, alternate) else { continue };
        let mut values: Values = values.iter().map(|value| (*value).to_owned()).collect();
        for (value, field) in values[2..].iter_mut().zip(fields) {
            // Of REF and the row's ALT the latter.
            if field.number == "R" && *value != "." {
                *value = value.split(',').nth(1).unwrap_or("(no second value)").to_owned();
            }
        }
        for call in calls.chunks(2) {
            let [sample, genotype] = call else { panic!("a sample without genotype: {line}") };
            let values = values.iter().cloned().chain([(*genotype).to_owned()]).collect();
            rows.entry((key.clone(), (*sample).to_owned())).or_default().push(values);
        }
    }
    Some(rows)
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => ".".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(bits) => f64::from_bits(*bits).to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// Whether both say the same: bcftools prints floats with six digits.
fn agree(expected: &str, found: &str, kind: &str) -> bool {
    if expected == found {
        return true;
    }
    match kind {
        "Float" | "Integer" => match (expected.parse::<f64>(), found.parse::<f64>()) {
            (Ok(expected), Ok(found)) => (expected - found).abs() <= 2e-5 * expected.abs().max(found.abs()),
            _ => false,
        },
        "Flag" => expected == "." && found == "0",
        _ => false,
    }
}

#[derive(Default)]
struct Tally {
    files: AtomicUsize,
    rows: AtomicU64,
    multiple: AtomicU64,
    bad_values: AtomicU64,
}

fn judge(file: &Known, tally: &Tally, without: &Mutex<BTreeSet<String>>) {
    let name = &file.name;
    let leave_out = |why: &str| {
        skipped(&format!("rows of {name}"), why);
        without.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    };
    let Some(header) = bcftools(&[&["view", "-h", argument(&file.path)]]) else {
        return leave_out("this bcftools does not read its header");
    };
    let columns = header.lines().last().map_or(0, |line| line.split('\t').count());
    let samples = columns.saturating_sub(9);
    let fields = fields(&header);
    let project = Project::new(&pipeline(&fields, samples > 0));
    let Some((path, is_short)) = shortened(file, samples, &project) else {
        return leave_out("this bcftools does not read it");
    };
    if is_short {
        skipped(
            &format!("the later records of {name}"),
            &format!("it has {} records of {samples} samples", file.records),
        );
    }
    let has_genotypes = header.contains("##FORMAT=<ID=GT,");
    let split = |path: &Path| expected(path, &fields, samples, has_genotypes);
    let Some(expected) = split(&path).or_else(|| split(&with_contigs(&path, &project)?)) else {
        return leave_out("bcftools norm gives up on it");
    };
    let report = project.vardelta("run", &[argument(&path), "--json"]).expect(0).json();
    let may_be_null = ["bad_info_value", "number_mismatch", "qual_not_finite", "duplicate_info_key"]
        .iter()
        .any(|code| warnings_of(&report, code) > 0);
    let bad_genotypes = warnings_of(&report, "bad_genotype") > 0;

    let keys: &[&str] = &["chrom", "pos", "ref", "alt", "sample"];
    let tables = database::read_tables(&project.path("genotypes.sqlite"), &[("variants", keys)]);
    let found = &tables.rows["variants"];
    assert_eq!(found.len(), expected.len(), "{name}: rows");
    let mut kinds = vec!["Float", "String"];
    kinds.extend(fields.iter().map(|field| field.kind.as_str()));
    kinds.push("GT");
    for (row, values) in found {
        let [Cell::Text(contig), Cell::Integer(pos), Cell::Text(reference), Cell::Text(alternate), Cell::Text(sample)] =
            &row[..]
        else {
            panic!("{name}: {row:?} is no key")
        };
        let key = ((contig.clone(), *pos, reference.clone(), alternate.clone()), sample.clone());
        let Some(candidates) = expected.get(&key) else { panic!("{name}: bcftools has no {key:?}") };
        let values: Values = values.iter().map(text).collect();
        let agrees = |candidate: &Values| {
            candidate.iter().zip(&values).zip(&kinds).all(|((expected, found), kind)| {
                let percent = *kind == "String" && expected.contains('%');
                let null = found == "." && if *kind == "GT" { bad_genotypes } else { may_be_null };
                let same = agree(expected, found, kind);
                tally.bad_values.fetch_add(u64::from(!same && !percent && null), Ordering::Relaxed);
                same || percent || null
            })
        };
        assert!(
            candidates.iter().any(agrees),
            "{name}: {key:?} of QUAL, FILTER, {fields:?}, GT\n  found    {values:?}\n  expected {candidates:?}"
        );
        tally.multiple.fetch_add(u64::from(candidates.len() > 1), Ordering::Relaxed);
        tally.rows.fetch_add(1, Ordering::Relaxed);
    }
    tally.files.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn rows_per_allele_and_sample_are_those_of_bcftools() {
    let Some(mut files) = known("genotypes of files from the field", FIELD) else { return };
    if !has_tool("genotypes as bcftools splits them", "bcftools", "--version") {
        return;
    }
    files.retain(|file| file.meant.starts_with("valid") && !file.meant.contains("bcftools 1.16 fails"));
    let (tally, without) = (Tally::default(), Mutex::default());
    for_each(&files, |file| judge(file, &tally, &without));
    let Tally { files: compared, rows, multiple, bad_values } = tally;
    let (compared, rows) = (compared.into_inner(), rows.into_inner());
    eprintln!(
        "{compared} of {} files, {rows} rows; {} keys that several records have, {} values NULL with a warning",
        files.len(),
        multiple.into_inner(),
        bad_values.into_inner()
    );
    for (difference, why) in DIFFERENCES {
        eprintln!("difference of principle: {difference}: {why}");
    }
    eprintln!("without bcftools: {:?}", without.into_inner().unwrap_or_else(PoisonError::into_inner));
    assert!(compared > 80 && rows > 100_000, "{compared} files, {rows} rows");
}
