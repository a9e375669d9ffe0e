//! All that vardelta keeps, by means of its own only where there are no others: the state's entries.

use std::collections::{BTreeMap, BTreeSet};

use vardelta_engine::state::{SHARDS, State};
use vardelta_tests::story;

use crate::history::place::{Place, Row};

/// The tables that the pipeline keeps.
const TABLES: [&str; 2] = ["variants", "mutation_summary"];

/// The rows of the tables without the epochs that changed them.
pub fn rows_of(place: &Place) -> BTreeMap<&'static str, BTreeSet<Row>> {
    let columns = [
        "chromosome, position, reference, alternate, quality, gene_symbol, clinical_significance",
        "gene_symbol, variant_count, avg_quality, pathogenic_count",
    ];
    let rows =
        |table: &str, columns: &str| place.query(&format!("SELECT {columns} FROM {table}")).into_iter().collect();
    TABLES.into_iter().zip(columns).map(|(table, columns)| (table, rows(table, columns))).collect()
}

/// Every table of the database, the ledger's too, as text.
pub fn everything(place: &Place) -> String {
    let tables = place.tables();
    assert!(tables.iter().any(|table| table == "vardelta_rejects"), "{tables:?}");
    let mut text = String::new();
    for table in tables {
        for row in place.query(&format!("SELECT * FROM {table}")) {
            text += &format!("{table}|{}\n", row.join("|"));
        }
    }
    text
}

/// The state's entries, key and value.
pub fn file_entries(place: &Place) -> Vec<Vec<u8>> {
    let directory = place.project.path(".vardelta/gene_summary");
    let state = State::open_read(&directory, None).expect("the state can be read");
    let session = state.begin().expect("it is finalised");
    let mut entries = Vec::new();
    for space in state.statistics() {
        for shard in 0..SHARDS {
            let mut reader = session.reader(&space.space, shard).expect("a shard can be read");
            let mut scan = reader.scan(&[]).expect("it can be scanned");
            while let Some((key, value)) = scan.next().expect("an entry can be read") {
                entries.push([key, value].concat());
            }
        }
    }
    entries
}

/// Whether bytes hold a text. Rows are encoded in pieces of eight bytes and more, so only short texts are whole in them.
pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Panics if one of these texts is anywhere: in a table, in an entry of the state, in the bytes of a file beside the drops.
#[track_caller]
pub fn assert_no_trace(place: &Place, texts: &[&str]) {
    let dumped = everything(place);
    let mut files = Vec::new();
    let database = place.project.path(story::PIPELINE.database);
    for suffix in ["", "-wal", "-journal"] {
        let path = database.with_file_name(format!("{}{suffix}", story::PIPELINE.database));
        files.extend(std::fs::read(&path).ok().map(|bytes| (path, bytes)));
    }
    let state = place.project.path(".vardelta/gene_summary");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(state).expect("the state is there") {
        let path = entry.expect("it can be listed").path();
        if path.ends_with("runs") {
            // How long runs took: nothing of a drop.
            let figures = path.join("figures.ndjson");
            files.push((figures.clone(), std::fs::read(&figures).expect("a file can be read")));
            continue;
        }
        names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        files.push((path.clone(), std::fs::read(&path).expect("a file can be read")));
    }
    for name in &names {
        let is_known = name == "LOCK" || name == "MANIFEST" || (name.starts_with("data-") && name.ends_with(".seg"));
        assert!(is_known, "the state has nothing but its files: {names:?}");
    }
    assert!(names.iter().filter(|name| name.starts_with("data-")).count() <= 1, "older files are gone: {names:?}");
    for text in texts {
        let line = dumped.lines().find(|line| line.contains(text));
        assert!(line.is_none(), "`{text}` is in a table: {line:?}");
        let short = &text.as_bytes()[..text.len().min(6)];
        for entry in file_entries(place) {
            assert!(!holds(&entry, short), "`{text}` is in the state: {}", String::from_utf8_lossy(&entry));
        }
        for (path, bytes) in &files {
            assert!(!holds(bytes, text.as_bytes()), "`{text}` is in {}", path.display());
        }
    }
}
