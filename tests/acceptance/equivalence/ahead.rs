//! Rows that go to the sink before the run's last record is read, and what later records make of them: the tables are those
//! of one chunk, and each row counts once.

use vardelta_tests::{
    database::{assert_same_rows, changes},
    drop_file::{self, Packing},
    pipelines::{GENE_SUMMARY, Pipeline},
    record::{Call, Line},
};

use super::drivers::{Driver, Request};

/// Files are cut about every 1 MiB, so that each of these records is a piece of work of its own.
const PADDING_BYTES: usize = 1_100_000;

/// A record of a gene, at a position, of a quality.
fn record(position: i64, gene: &str, quality: &str) -> Line {
    Line::Call(Call {
        contig: "7".into(),
        position,
        reference: "A".into(),
        alternates: vec!["C".into()],
        quality: Some(quality.into()),
        filter: Some("PASS".into()),
        depth: None,
        significance: Some("Pathogenic".into()),
        frequencies: None,
        genotypes: None,
        annotations: vec![("C".into(), "missense_variant".into(), gene.into())],
    })
}

/// Drops, in the order in which they are loaded: several in one run, and again several in the next.
fn runs() -> Vec<Vec<(&'static str, Vec<Line>)>> {
    let first: Vec<Line> = (0..6)
        .map(|at| record(100 + at, "EGFR", "30.5"))
        // The first again: another row, and for the second the row that it had.
        .chain([record(100, "BRAF", "40"), record(101, "BRAF", "41"), record(101, "EGFR", "30.5")])
        .chain((6..9).map(|at| record(100 + at, "KRAS", "50.25")))
        .collect();
    let same_keys: Vec<Line> = (0..12).map(|at| record(99 + at, "TP53", "60")).collect();
    let later: Vec<Line> = (0..10).map(|at| record(105 + at * 3, "EGFR", "70")).collect();
    vec![
        vec![("a_first", first.clone())],
        vec![("b_same_keys", same_keys), ("c_later", later)],
        vec![("d_again", first)],
    ]
}

/// Loads run after run; returns how many rows went ahead.
fn load(driver: &dyn Driver, pipeline: &Pipeline, workers: usize, chunk_records: u64) -> u64 {
    let (mut ledger, mut rows_ahead): (Vec<Vec<Line>>, u64) = (Vec::new(), 0);
    for (epoch, drops) in (1..).zip(runs()) {
        let before = driver.tables(pipeline);
        for (name, lines) in drops {
            let text = drop_file::text(&lines, PADDING_BYTES);
            drop_file::write(&driver.directory().join("drops"), name, &text, Packing::Plain);
            ledger.push(lines);
        }
        let report = driver.run(&Request { workers, chunk_records, ..Request::default() });
        rows_ahead += report["rows_ahead"].as_u64().expect("the report says how many rows went ahead");
        let what = format!("run {epoch} with {workers} workers");
        let (tables, drops) = (driver.tables(pipeline), ledger.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_same_rows(&what, &(pipeline.expected)(&drops), &tables.rows);
        for table in report["tables"].as_array().expect("the report lists the tables") {
            let name = table["name"].as_str().expect("a table has a name");
            let found = ["inserted", "updated", "deleted"].map(|key| table[key].as_u64().expect("a number"));
            let truly = changes(&before.rows[name], &tables.rows[name]);
            assert_eq!(found, [truly.inserted, truly.updated, truly.deleted], "{what}: rows of {name}");
        }
        for (name, rows) in &tables.rows {
            for key in rows.keys().filter(|key| before.rows[name].get(*key) != rows.get(*key)) {
                assert_eq!(tables.changed[name][key], epoch, "{what}: changed_epoch of {name} {key:?}");
            }
        }
    }
    assert_eq!(driver.verify(), 0, "verify finds no difference");
    rows_ahead
}

/// Judges a way to load: record by record on one worker and on several, and in one piece, where no row can go ahead.
pub(super) fn try_all(driver: impl Fn(&Pipeline) -> Box<dyn Driver>) {
    for workers in [1, 2, 4] {
        let rows_ahead = load(driver(&GENE_SUMMARY).as_ref(), &GENE_SUMMARY, workers, 1);
        assert!(rows_ahead >= 5, "with {workers} workers, {rows_ahead} rows went ahead");
    }
    assert_eq!(load(driver(&GENE_SUMMARY).as_ref(), &GENE_SUMMARY, 2, 0), 0, "a small drop is one piece");
}
