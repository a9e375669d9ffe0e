//! Joins through their lives: rows that move between groups, deaths while a side is written, definitions that change, and drops
//! that are forgotten.

use rusqlite::Connection;
use vardelta_engine::{
    run::RunOptions,
    state::{SHARDS, State, shard_of},
};
use vardelta_tests::{
    drop_file::{self, HEADER, Packing},
    in_process::Warehouse,
    project::{Project, finish},
};

/// Variants and genes, both from drops; each variant beside its gene's row, if there is one.
const PIPELINE: &str = r#"
[pipeline]
name = "joined"

[stages.calls]
type = "vcf"
path = "drops/variants/*.vcf"
info = ["CLNSIG"]
[stages.rows]
type = "select"
input = "calls"
[stages.rows.columns]
chromosome = "chrom"
position = "pos"
gene = "info_clnsig"
quality = "qual"
[stages.variants]
type = "table"
input = "rows"
key = ["chromosome", "position"]

[stages.gene_calls]
type = "vcf"
path = "drops/genes/*.vcf"
info = ["CLNSIG", "DP"]
[stages.gene_rows]
type = "select"
input = "gene_calls"
[stages.gene_rows.columns]
symbol = "coalesce(info_clnsig, '')"
drugs = "info_dp"
[stages.genes]
type = "table"
input = "gene_rows"
key = ["symbol"]

[stages.annotated]
type = "join"
inputs = ["variants", "genes"]
how = "left"
on = [["gene", "symbol"]]

[stages.per_drug_count]
type = "aggregate"
input = "annotated"
group_by = ["drugs"]
[stages.per_drug_count.columns]
variants = "count(*)"

[stages.warehouse]
type = "sqlite"
path = "joined.sqlite"
tables = ["variants", "genes", "annotated", "per_drug_count"]
"#;

/// Position and gene; none for `.`.
type Variant<'a> = (u64, Option<&'a str>);

fn variants(rows: &[Variant<'_>]) -> String {
    let line = |(position, gene): &Variant<'_>| {
        let info = gene.map_or(".".to_owned(), |gene| format!("CLNSIG={gene}"));
        format!("1\t{position}\t.\tA\tC\t50\tPASS\t{info}\n")
    };
    format!("{HEADER}{}", rows.iter().map(line).collect::<String>())
}

fn genes(rows: &[(&str, u64)]) -> String {
    let line = |(at, (gene, drugs)): (usize, &(&str, u64))| {
        format!("1\t{}\t.\tA\tC\t50\tPASS\tCLNSIG={gene};DP={drugs}\n", at + 1)
    };
    format!("{HEADER}{}", rows.iter().enumerate().map(line).collect::<String>())
}

fn project() -> Project {
    let project = Project::new(PIPELINE);
    for directory in ["drops/variants", "drops/genes"] {
        std::fs::create_dir_all(project.path(directory)).expect("a directory can be made");
    }
    project
}

/// The joined rows: position, gene and drugs.
fn annotated(database: &std::path::Path) -> Vec<String> {
    let connection = Connection::open(database).expect("the database is there");
    let query =
        "SELECT position || ' ' || ifnull(gene, '-') || ' ' || ifnull(drugs, '-') FROM annotated ORDER BY position";
    let mut statement = connection.prepare(query).expect("valid SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("the query runs");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// A gene whose group lies with the worker of this number, of so many.
fn gene_of(worker: u32, workers: u32) -> String {
    let layout = arrow_row_of_text;
    (0..)
        .map(|number| format!("GENE{number}"))
        .find(|gene| shard_of(&layout(gene)) % workers == worker)
        .expect("there is one")
}

/// A text of at most eight bytes as the engine encodes it: a byte for not NULL, the bytes filled up to a block, their number.
fn arrow_row_of_text(text: &str) -> Vec<u8> {
    let mut bytes = vec![2u8];
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(1 + 8, 0);
    bytes.push(text.len() as u8);
    bytes
}

/// Four rows, each a thousand times from one worker's group to another's or to none and back: four moves in each of 250 runs.
#[test]
fn rows_move_between_the_groups_of_two_workers_a_thousand_times() {
    let warehouse = Warehouse::new(PIPELINE);
    let (variant_drops, gene_drops) = (warehouse.drops().join("variants"), warehouse.drops().join("genes"));
    for directory in [&variant_drops, &gene_drops] {
        std::fs::create_dir(directory).expect("a directory can be made");
    }
    let (here, there) = (gene_of(0, 2), gene_of(1, 2));
    drop_file::write(&gene_drops, "genes", &genes(&[(&here, 1), (&there, 2)]), Packing::Plain);
    let steps: [[Option<&str>; 4]; 2] =
        [[Some(&here), Some(&there), None, Some("UNKNOWN")], [Some(&there), Some(&here), Some(&here), Some(&there)]];
    let drugs = |gene: &Option<&str>| match gene {
        Some(gene) if *gene == here => "1",
        Some(gene) if *gene == there => "2",
        _ => "-",
    };
    for step in 0..250 {
        let genes = &steps[step % 2];
        let rows: Vec<Variant<'_>> = (1..).zip(genes).map(|(position, gene)| (position, *gene)).collect();
        drop_file::write(&variant_drops, "variants", &variants(&rows), Packing::Plain);
        let options = RunOptions { workers: Some(2), accept_smaller: true, ..RunOptions::default() };
        let report = warehouse.run(0, &options).unwrap_or_else(|error| panic!("step {step}: {error}"));
        let counts =
            report.tables.iter().find(|table| table.name == "annotated").map(|table| (table.inserted, table.updated));
        assert_eq!(counts, Some(if step == 0 { (4, 0) } else { (0, 4) }), "step {step}");
        let expected: Vec<String> =
            (1..).zip(genes).map(|(at, gene)| format!("{at} {} {}", gene.unwrap_or("-"), drugs(gene))).collect();
        assert_eq!(annotated(&warehouse.directory.path().join("joined.sqlite")), expected, "step {step}");
    }
    assert_eq!(warehouse.verify(&RunOptions::default()).expect("verify works").difference_count, 0);
}

#[test]
fn only_rows_whose_annotation_changes_are_written() {
    let project = project();
    project.write("drops/variants/a.vcf", variants(&[(1, Some("TP53")), (2, Some("EGFR")), (3, None)]).as_bytes());
    project.write("drops/genes/g.vcf", genes(&[("TP53", 4)]).as_bytes());
    project.vardelta("run", &[]).expect(0);
    let database = project.path("joined.sqlite");
    assert_eq!(annotated(&database), ["1 TP53 4", "2 EGFR -", "3 - -"]);
    // A newer release of the genes: one comes, one changes, and nothing else is touched.
    project.write("drops/genes/g.vcf", genes(&[("TP53", 4), ("EGFR", 9), ("KRAS", 1)]).as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    let of =
        |name: &str| report["tables"].as_array().expect("tables").iter().find(|table| table["name"] == name).cloned();
    let table = of("annotated").expect("the join's table");
    assert_eq!(
        (&table["inserted"], &table["updated"], &table["deleted"]),
        (&0.into(), &1.into(), &0.into()),
        "{table}"
    );
    assert_eq!(annotated(&database), ["1 TP53 4", "2 EGFR 9", "3 - -"]);
    project.vardelta("withdraw", &["g"]).expect(0);
    assert_eq!(annotated(&database), ["1 TP53 -", "2 EGFR -", "3 - -"]);
    project.vardelta("verify", &[]).expect(0);
}

/// Whatever is changed about a join, it is said, and `rebuild` or `migrate` make what a fresh run makes.
#[test]
fn a_changed_join_is_rebuilt_or_migrated() {
    let project = project();
    project.write("drops/variants/a.vcf", variants(&[(1, Some("TP53")), (2, Some("EGFR")), (3, None)]).as_bytes());
    project.write("drops/genes/g.vcf", genes(&[("TP53", 4)]).as_bytes());
    project.vardelta("run", &[]).expect(0);
    let inner = PIPELINE.replace("how = \"left\"", "how = \"inner\"");
    project.write("pipeline.toml", inner.as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["stage `annotated` changed: option `how`"]);
    project.vardelta("migrate", &[]).expect(0);
    let database = project.path("joined.sqlite");
    assert_eq!(annotated(&database), ["1 TP53 4"]);
    project.vardelta("verify", &[]).expect(0);
    project.write("drops/variants/b.vcf", variants(&[(4, Some("TP53"))]).as_bytes());
    project.vardelta("run", &[]).expect(0);
    assert_eq!(annotated(&database), ["1 TP53 4", "4 TP53 4"]);
    project.write("pipeline.toml", PIPELINE.as_bytes());
    project.vardelta("rebuild", &[]).expect(0);
    assert_eq!(annotated(&database), ["1 TP53 4", "2 EGFR -", "3 - -", "4 TP53 4"]);
    // What the replay kept of the table's own side is gone; the left side stays.
    let spaces: Vec<String> = {
        let state = State::open_read(&project.path(".vardelta/joined"), None).expect("the state can be read");
        state.statistics().into_iter().map(|statistics| statistics.space).collect()
    };
    assert!(spaces.contains(&"annotated/left".to_owned()), "{spaces:?}");
    assert!(!spaces.contains(&"annotated/right".to_owned()), "{spaces:?}");
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_process_that_dies_while_a_side_is_written_leaves_the_state_before() {
    let project = project();
    project.write("drops/genes/g.vcf", genes(&[("TP53", 4)]).as_bytes());
    project.write("drops/variants/a.vcf", variants(&[(1, Some("TP53"))]).as_bytes());
    project.vardelta("run", &[]).expect(0);
    project.write("drops/variants/a.vcf", variants(&[(1, Some("EGFR")), (2, Some("TP53"))]).as_bytes());
    let mut command = project.command("run", &[]);
    let died = finish(command.env("VARDELTA_FAILPOINT", "join:side-written:1"));
    assert_ne!(died.code, 0, "{}", died.stderr);
    let database = project.path("joined.sqlite");
    assert_eq!(annotated(&database), ["1 TP53 4"]);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(annotated(&database), ["1 EGFR -", "2 TP53 4"]);
    project.vardelta("verify", &[]).expect(0);
}

/// The join's copy of a row goes with the row.
#[test]
fn an_erased_drop_leaves_nothing_in_a_side() {
    let project = project();
    project.write("drops/genes/g.vcf", genes(&[("TP53", 4)]).as_bytes());
    project.write("drops/variants/a.vcf", variants(&[(1, Some("TP53")), (2, Some("ZZMARK"))]).as_bytes());
    project.write("drops/variants/b.vcf", variants(&[(3, Some("TP53"))]).as_bytes());
    project.vardelta("run", &[]).expect(0);
    assert!(files_holding(&project, b"ZZMARK") > 0, "the state holds the value before");
    std::fs::remove_file(project.path("drops/variants/a.vcf")).expect("the drop's file can go");
    let said = project.vardelta("withdraw", &["a", "--erase", "--json"]).expect(0).json();
    assert_eq!(said["erased"]["proven"], true, "{said}");
    assert_eq!(files_holding(&project, b"ZZMARK"), 0);
    assert_eq!(annotated(&project.path("joined.sqlite")), ["3 TP53 4"]);
    let state = State::open_read(&project.path(".vardelta/joined"), None).expect("the state can be read");
    let session = state.begin().expect("it is finalised");
    let mut left = 0;
    for shard in 0..SHARDS {
        let mut reader = session.reader("annotated/left", shard).expect("a shard can be read");
        let mut scan = reader.scan(&[]).expect("it can be scanned");
        while scan.next().expect("an entry can be read").is_some() {
            left += 1;
        }
    }
    assert_eq!(left, 1, "the other drop's row is all that the side holds");
}

fn files_holding(project: &Project, text: &[u8]) -> usize {
    let mut open = vec![project.path(".vardelta")];
    let mut found = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a directory can be read");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            let bytes = std::fs::read(&path).expect("a file can be read");
            found += usize::from(bytes.windows(text.len()).any(|window| window == text));
        }
    }
    found
}

/// A drop that is replaced chunk by chunk: what its new content says again was never gone to whoever reads the table, and nothing
/// but what differs comes to the join.
#[test]
fn a_replaced_drop_brings_what_differs_to_what_follows_its_table() {
    const ROWS: u64 = 2_000;
    let content = |changed: u64| -> String {
        let rows = (1..=ROWS).map(|at| (at * 10, Some(if at <= changed { "KRAS" } else { "TP53" })));
        variants(&rows.collect::<Vec<_>>())
    };
    let project = project();
    project.write("drops/genes/g.vcf", genes(&[("TP53", 3), ("KRAS", 5)]).as_bytes());
    project.write("drops/variants/v.vcf", content(0).as_bytes());
    project.vardelta("run", &[]).expect(0);
    project.write("drops/variants/v.vcf", content(4).as_bytes());
    let report = project.vardelta("run", &["--json", "--set", "pipeline.chunk_records=100"]).expect(0).json();
    let rows_in = |name: &str| {
        let stage = report["stages"].as_array().expect("a list").iter().find(|stage| stage["name"] == name);
        stage.expect("the stage")["rows_in"].as_u64().expect("a count")
    };
    assert_eq!(rows_in("variants"), ROWS);
    // Each of the four is taken away and put in place.
    assert_eq!((rows_in("annotated"), rows_in("per_drug_count")), (8, 8));
    project.vardelta("verify", &["--replay"]).expect(0);
}
