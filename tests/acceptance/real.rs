//! Files from the field, in `../shared/data`: read whole, counted as bcftools counts, annotated as their annotation
//! says.

mod annotations;
mod conformance;
mod files;
mod genotypes;
mod models;
mod norm;
mod structural;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use vardelta_tests::{model::alleles::trim, shared::shared};

/// An allele as the sink's table keys it.
type Key = (String, i64, String, String);

/// What is known of a file.
#[derive(Debug)]
struct Known {
    /// Its path below the data directory.
    name: String,
    /// Where it lies.
    path: PathBuf,
    /// Its data lines.
    records: u64,
    /// How it is meant.
    meant: String,
}

/// Folders of files from the field.
const FIELD: &[&str] = &["vcf_", "versions/", "gvcf/"];
/// Folders of files that were made to try readers.
const MADE: &[&str] = &["conformance/", "malformed/"];

/// The VCF files that are known below these folders, by name; `None`, and a line that says so, where there are none.
fn known(what: &str, folders: &[&str]) -> Option<Vec<Known>> {
    let data = shared(what, "data")?;
    let expected = std::fs::read_to_string(shared(what, "data/EXPECTED.json")?).expect("EXPECTED.json can be read");
    let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).expect("EXPECTED.json is JSON");
    let is_vcf = |name: &str| folders.iter().any(|place| name.starts_with(place));
    let files = expected.into_iter().filter(|(name, _)| is_vcf(name)).filter_map(|(name, facts)| {
        let (records, meant) = (facts["records"].as_u64()?, facts["meant"].as_str()?.to_owned());
        Some(Known { path: data.join(&name), name, records, meant })
    });
    Some(files.collect())
}

/// Whether an ALT is an observed allele: not the absence of one, and not the mark of another record's deletion.
fn is_observed(alternate: &str) -> bool {
    !matches!(alternate, "." | "" | "*" | "<*>" | "<NON_REF>")
}

fn is_bases(allele: &str) -> bool {
    allele.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The key under which an allele is kept: bases in upper case and trimmed, symbols as they are.
fn key(contig: &str, position: &str, reference: &str, alternate: &str) -> Option<Key> {
    let position: i64 = position.parse().ok()?;
    let bases = is_bases(reference) && is_bases(alternate);
    let reference = if is_bases(reference) { reference.to_ascii_uppercase() } else { reference.to_owned() };
    if !bases {
        return (reference != alternate).then(|| (contig.to_owned(), position, reference, alternate.to_owned()));
    }
    let alternate = alternate.to_ascii_uppercase();
    let (shift, short_reference, short_alternate) = trim(&reference, &alternate);
    (reference != alternate).then(|| (contig.to_owned(), position + shift, short_reference, short_alternate))
}

/// The alleles of lines of CHROM, POS, REF and ALT.
fn alleles(lines: &str) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for line in lines.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [contig, position, reference, alternates] = columns[..] else { panic!("not four columns: {line}") };
        for alternate in alternates.split(',').filter(|alternate| is_observed(alternate)) {
            keys.extend(key(contig, position, reference, alternate));
        }
    }
    keys
}

/// A path as an argument.
fn argument(path: &Path) -> &str {
    path.to_str().expect("the test data's paths are UTF-8")
}

/// Does it for every item, several at a time; all failures are reported.
fn for_each<T: Debug + Sync>(items: &[T], judge: impl Fn(&T) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judge(item))).is_err() {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{item:?}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), items.len());
}
