//! Gene models from the field: Ensembl, GENCODE, UCSC and those that bcftools csq is tested with. Every line is a row, or a
//! reject with its line and reason, counted by a reader of lines that knows nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
};

use vardelta_tests::{database, project::Project, shared::shared};

const PIPELINE: &str = r#"
[pipeline]
name = "models"
max_reject_share = 1.0
[stages.gene_rows]
type = "gff3"
path = "drops/*"
drop_column = "drop_name"
[stages.gene_model]
type = "table"
input = "gene_rows"
key = ["drop_name", "feature_key"]
[stages.store]
type = "sqlite"
path = "models.sqlite"
tables = ["gene_model"]
"#;

/// The files below a directory whose name says that they are gene models.
fn models(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory can be read") {
        let path = entry.expect("it can be listed").path();
        let name = path.to_string_lossy().trim_end_matches(".gz").to_owned();
        if path.is_dir() {
            models(&path, found);
        } else if [".gff", ".gff3", ".gtf"].iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// What its lines say: how many have features, how many of these begin before the first base, and how many rows the others are: one
/// for each part that they are of.
fn lines(path: &Path) -> (u64, u64, u64) {
    let file = std::fs::File::open(path).expect("a file can be opened");
    let text: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "gz") {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let (mut features, mut without_place, mut rows) = (0, 0, 0);
    for line in BufReader::new(text).split(b'\n') {
        let line = String::from_utf8_lossy(&line.expect("it can be read")).trim_end().to_owned();
        if line.starts_with("##FASTA") || line.starts_with('>') {
            break;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        features += 1;
        let start: i64 = line.split('\t').nth(3).and_then(|start| start.parse().ok()).unwrap_or(0);
        without_place += u64::from(start < 1);
        let attributes = line.split('\t').nth(8).unwrap_or_default().split(';').map(str::trim);
        let parents: BTreeSet<&str> =
            attributes.filter_map(|one| one.strip_prefix("Parent=")).flat_map(|all| all.split(',')).collect();
        rows += if start < 1 { 0 } else { parents.len().max(1) as u64 };
    }
    (features, without_place, rows)
}

#[test]
fn every_line_of_a_gene_model_is_a_row_or_a_reject() {
    let test = "every_line_of_a_gene_model_is_a_row_or_a_reject";
    let mut found = Vec::new();
    for folder in ["data/genes", "data/conformance/bcftools-csq"] {
        let Some(folder) = shared(test, folder) else { return };
        models(&folder, &mut found);
    }
    found.sort();
    let project = Project::new(PIPELINE);
    let mut expected = BTreeMap::new();
    for (at, path) in found.iter().enumerate() {
        let name = format!("{at:03}_{}", path.file_name().expect("a name").to_string_lossy());
        std::fs::copy(path, project.path(&format!("drops/{name}"))).expect("a file can be copied");
        expected.insert(at, lines(path));
    }
    let report = project.vardelta("run", &["--json", "-q"]).expect(0).json();
    let drops = report["drops"].as_array().expect("drops");
    assert_eq!(drops.len(), found.len());
    let mut features = 0;
    for drop in drops {
        let name = drop["name"].as_str().expect("a name");
        let at: usize = name.split('_').next().and_then(|at| at.parse().ok()).expect("a number");
        let count = |key: &str| drop[key].as_u64().expect("a count");
        let (read, rejected, _) = expected[&at];
        assert_eq!((count("read"), count("rejected")), (read, rejected), "{name}");
        assert_eq!((count("loaded"), count("filtered"), count("duplicates")), (read - rejected, 0, 0), "{name}");
        features += read;
    }
    let rejected: u64 = expected.values().map(|(_, rejected, _)| rejected).sum();
    let of_parents: u64 = expected.values().map(|(_, _, rows)| rows).sum();
    let connection = database::open(&project.path("models.sqlite"));
    let told = database::rows(
        &connection,
        "SELECT count(*) FROM vardelta_rejects WHERE reason = 'bad_position' AND line > 0 AND raw <> ''",
    );
    assert_eq!(told, [rejected.to_string()], "each reject has line, reason and text");
    let rows = database::rows(&connection, "SELECT count(*) FROM gene_model");
    assert_eq!(rows, [of_parents.to_string()]);
    assert!(found.len() > 50 && features > 100_000, "{} files of {features} lines are too few", found.len());
    eprintln!("{} gene models, {features} lines, {rejected} of them rejected", found.len());
}
