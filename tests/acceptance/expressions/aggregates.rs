//! Aggregates against databases: every example of the manual, and random rows that come, change and go against GROUP BY over
//! the rows that are left.

use std::fmt::Write as _;

use vardelta_engine::{
    expression::{functions::Database, manual::Example},
    relational::{SAMPLE, aggregate_examples},
    run::RunOptions,
};
use vardelta_test_servers::{Flavor, shared};
use vardelta_tests::{
    in_process::Warehouse,
    random::{Random, seed},
    server_project::URL_VARIABLE,
};

use super::{Judge, Tally, same};

/// The pipeline of the sample's columns: a table `samples` by `pos`, and these stages after it.
fn pipeline(sink: &str, stages: &str, tables: &str) -> String {
    let mut text = String::from(
        "[pipeline]\nname = \"aggregates\"\nmax_reject_share = 0.0\n\n[stages.lines]\ntype = \"delimited\"\n\
         path = \"drops/*.csv\"\nnull_values = [\"NULL\"]\n[stages.lines.columns]\n",
    );
    for (name, of) in SAMPLE.0 {
        let _ = writeln!(text, "{name} = \"{of}\"");
    }
    let _ = writeln!(
        text,
        "\n[stages.keyed]\ntype = \"filter\"\ninput = \"lines\"\nwhere = \"pos IS NOT NULL\"\n\n\
         [stages.samples]\ntype = \"table\"\ninput = \"keyed\"\nkey = [\"pos\"]\n\n{stages}\n\n\
         [stages.warehouse]\n{sink}\ntables = [{tables}]"
    );
    text
}

const FILE: &str = "type = \"sqlite\"\npath = \"aggregates.sqlite\"";

fn csv(rows: &[Vec<String>]) -> String {
    let names: Vec<&str> = SAMPLE.0.iter().map(|(name, _)| *name).collect();
    let lines = rows.iter().map(|row| row.join(","));
    std::iter::once(names.join(",")).chain(lines).collect::<Vec<String>>().join("\n") + "\n"
}

fn sample() -> Vec<Vec<String>> {
    SAMPLE.1.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

/// Columns of an aggregate in TOML.
fn columns(expressions: &[&str]) -> String {
    let mut text = String::new();
    for (at, sql) in expressions.iter().enumerate() {
        let _ = writeln!(text, "c{at} = \"\"\"{sql}\"\"\"");
    }
    text
}

fn load(warehouse: &Warehouse, name: &str, rows: &[Vec<String>], workers: usize) {
    std::fs::write(warehouse.drops().join(format!("{name}.csv")), csv(rows)).expect("a drop can be written");
    let options = RunOptions { workers: Some(workers), accept_smaller: true, ..RunOptions::default() };
    let report = warehouse.run(7, &options);
    report.unwrap_or_else(|error| panic!("the run failed: {error} {:?}", error.hint));
}

#[test]
fn every_example_has_its_result() {
    let examples = aggregate_examples();
    let expressions: Vec<&str> = examples.iter().map(|example| example.sql).collect();
    let stages = format!(
        "[stages.summary]\ntype = \"aggregate\"\ninput = \"samples\"\n[stages.summary.columns]\n{}",
        columns(&expressions)
    );
    let warehouse = Warehouse::new(&pipeline(FILE, &stages, "\"samples\", \"summary\""));
    load(&warehouse, "sample", &sample(), 1);
    let database = rusqlite::Connection::open(warehouse.directory.path().join("aggregates.sqlite")).expect("opens");
    let mut judge = Judge::Sqlite(database);
    let mut wrong = Vec::new();
    for (at, example) in examples.iter().enumerate() {
        let found = judge.column(&format!("SELECT c{at} FROM summary")).expect("a column").remove(0);
        if !same(&found, example.result) {
            wrong.push(format!("{}: {found}, and not {}", example.sql, example.result));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sample as a table of a database.
fn sample_table(types: [&str; 4]) -> Vec<String> {
    let [integer, text, decimal, double] = types;
    let column = |(name, of): &(&str, &str)| {
        let of = match *of {
            "int64" => integer,
            "text" => text,
            "float64" => double,
            _ => decimal,
        };
        format!("{name} {of}")
    };
    let columns: Vec<String> = SAMPLE.0.iter().map(column).collect();
    let cell = |(cell, (_, of)): (&&str, &(&str, &str))| match *of {
        "text" if *cell != "NULL" => format!("'{cell}'"),
        _ => (*cell).to_owned(),
    };
    let rows = SAMPLE.1.iter().map(|row| {
        let cells: Vec<String> = row.iter().zip(SAMPLE.0).map(cell).collect();
        format!("INSERT INTO sample VALUES ({})", cells.join(", "))
    });
    std::iter::once(format!("CREATE TABLE sample ({})", columns.join(", "))).chain(rows).collect()
}

#[test]
fn the_aggregates_examples_hold_in_databases_or_are_told_apart() {
    let mut wrong = Vec::new();
    for mut judge in Judge::all("the_aggregates_examples_hold_in_databases_or_are_told_apart") {
        let database = judge.database();
        judge.prepare(&sample_table(["BIGINT", "VARCHAR(20)", "DECIMAL(5,2)", "DOUBLE"]));
        let mut tally = Tally::default();
        let examples = aggregate_examples();
        let is_named = |example: &&Example| example.elsewhere.iter().any(|(other, _)| *other == database);
        let mut differing = Vec::new();
        for example in &examples {
            let answer = judge.column(&format!("SELECT {} FROM sample", example.sql)).and_then(|mut rows| rows.pop());
            let is_equal = answer.as_deref().is_some_and(|answer| same(answer, example.result));
            tally.add(if is_equal { "equal" } else { "different" });
            if !is_equal {
                differing.push(example.of);
            }
            if !is_equal && !is_named(&example) {
                wrong.push(format!("{}: {} is {answer:?}, here {}", database.name(), example.sql, example.result));
            }
        }
        for example in examples.iter().filter(is_named).filter(|example| !differing.contains(&example.of)) {
            wrong.push(format!("{}: {} is said to differ, and no example does", database.name(), example.of));
        }
        eprintln!("{}: {tally}", database.name());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is compared: here, in a server, in SQLite (where it has it).
const COMPARED: &[(&str, &str, &str)] = &[
    ("count(*)", "count(*)", "count(*)"),
    ("count(DISTINCT impact, dp)", "count(DISTINCT impact, dp)", "count(DISTINCT impact || ' ' || dp)"),
    ("count_if(dp > 5)", "count(CASE WHEN dp > 5 THEN 1 END)", "count(*) FILTER (WHERE dp > 5)"),
    ("sum(DISTINCT dp)", "sum(DISTINCT dp)", "sum(DISTINCT dp)"),
    ("sum(DISTINCT qual)", "sum(DISTINCT qual)", ""),
    ("avg(DISTINCT dp)", "avg(DISTINCT dp)", "round(avg(DISTINCT dp), 4)"),
    ("avg(qual)", "avg(qual)", ""),
    ("sum(dp > 5)", "sum(dp > 5)", "sum(dp > 5)"),
    ("avg(impact = 'HIGH')", "avg(impact = 'HIGH')", "round(avg(impact = 'HIGH'), 4)"),
    ("any_value(impact)", "min(impact)", "min(impact)"),
    ("bool_and(dp > 1)", "min(dp > 1)", "min(dp > 1)"),
    ("bool_or(dp > 8)", "max(dp > 8)", "max(dp > 8)"),
    ("var_pop(dp)", "var_pop(dp + 0e0)", "avg(dp * dp) - avg(dp) * avg(dp)"),
    ("var_samp(qual)", "var_samp(qual + 0e0)", ""),
    ("stddev(af)", "stddev(af)", ""),
    ("stddev_samp(af)", "stddev_samp(af)", ""),
    (
        "group_concat(impact ORDER BY dp DESC, pos)",
        // MySQL and MariaDB take a NULL that a group_concat is ordered by for 0.
        "group_concat(impact ORDER BY coalesce(dp, -1) DESC, pos)",
        "group_concat(impact, ',' ORDER BY dp DESC, pos)",
    ),
    (
        "group_concat(DISTINCT impact ORDER BY impact DESC SEPARATOR '; ')",
        "group_concat(DISTINCT impact ORDER BY impact DESC SEPARATOR '; ')",
        "",
    ),
    (
        "group_concat(impact, '/', dp ORDER BY pos)",
        "group_concat(impact, '/', dp ORDER BY pos)",
        "group_concat(impact || '/' || dp, ',' ORDER BY pos)",
    ),
    ("max_by(pos, dp)", "substring_index(group_concat(pos ORDER BY dp IS NULL, dp DESC, pos), ',', 1)", ""),
];

/// Percentiles as MariaDB's window functions have them, over values that are not NULL.
const PERCENTILES: &[(&str, &str)] = &[
    ("median(dp)", "median(dp) OVER (PARTITION BY gene)"),
    ("median(qual)", "median(qual) OVER (PARTITION BY gene)"),
    (
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY dp)",
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY dp) OVER (PARTITION BY gene)",
    ),
    (
        "percentile_disc(0.25) WITHIN GROUP (ORDER BY qual)",
        "percentile_disc(0.25) WITHIN GROUP (ORDER BY qual) OVER (PARTITION BY gene)",
    ),
];

/// The first rows of each gene.
const TOP: &str = "[stages.leaders]\ntype = \"top\"\ninput = \"samples\"\nby = [\"gene\"]\n\
                   order = [\"qual DESC\", \"dp\"]\nn = 3\n";
const TOP_IN_SQL: &str = "SELECT pos FROM (SELECT pos, row_number() OVER (PARTITION BY gene ORDER BY qual DESC, dp, pos) AS place \
                          FROM samples) AS placed WHERE place <= 3 ORDER BY pos";

fn random_rows(random: &mut Random, positions: std::ops::Range<usize>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for position in positions {
        let mut maybe = |text: String| if random.percent(15) { "NULL".to_owned() } else { text };
        let cells = [
            maybe(String::new()),
            maybe(String::new()),
            maybe(String::new()),
            maybe(String::new()),
            maybe(String::new()),
        ];
        let values = [
            (*random.pick(&["BRCA1", "TP53", "EGFR", "KRAS", "MYC"])).to_owned(),
            format!("{}.{:02}", random.below(100), random.below(4) * 25),
            random.below(12).to_string(),
            format!("{}.{}", random.below(3), random.below(1000)),
            (*random.pick(&["HIGH", "LOW", "MODERATE", "é"])).to_owned(),
        ];
        let mut row = vec![position.to_string()];
        row.extend(cells.into_iter().zip(values).map(|(cell, value)| if cell.is_empty() { value } else { cell }));
        rows.push(row);
    }
    rows
}

/// Lives through additions, a replacement and a withdrawal, and compares what is there with what `judge` makes of the rows.
fn compare(warehouse: &Warehouse, seed: u64, mut judge: Judge) {
    let mut random = Random::new(seed);
    let drops: Vec<Vec<Vec<String>>> =
        [0..150, 100..260, 240..300].map(|positions| random_rows(&mut random, positions)).into();
    for (at, workers) in [1, 2, 4].into_iter().enumerate() {
        load(warehouse, &format!("drop{at}"), &drops[at], workers);
        judge_all(&mut judge, seed);
    }
    let mut changed = random_rows(&mut random, 50..180);
    changed.truncate(120);
    load(warehouse, "drop1", &changed, 4);
    judge_all(&mut judge, seed);
    let options = RunOptions { workers: Some(2), ..RunOptions::default() };
    let withdrawn = warehouse.withdraw(7, &["drop0".to_owned()], &options);
    withdrawn.unwrap_or_else(|error| panic!("the withdrawal failed: {error}"));
    judge_all(&mut judge, seed);
}

fn judge_all(judge: &mut Judge, seed: u64) {
    let database = judge.database();
    let mut said = |query: &str| judge.column(query).unwrap_or_else(|| panic!("{} refuses {query}", database.name()));
    let near = |one: &str, other: &str| {
        let numbers = (one.parse::<f64>(), other.parse::<f64>());
        // A server adds doubles up one after the other.
        same(one, other) || matches!(numbers, (Ok(one), Ok(other)) if (one - other).abs() <= 1e-9 * one.abs().max(1.0))
    };
    let check = |what: &str, found: Vec<String>, expected: Vec<String>| {
        let is_equal =
            found.len() == expected.len() && found.iter().zip(&expected).all(|(one, other)| near(one, other));
        assert!(is_equal, "seed {seed}, {}: {what}\n{found:?}\n{expected:?}", database.name());
    };
    for (at, (here, in_server, in_sqlite)) in COMPARED.iter().enumerate() {
        let sql = if database == Database::Sqlite { in_sqlite } else { in_server };
        if !sql.is_empty() {
            let found = said(&format!("SELECT c{at} FROM summary ORDER BY gene"));
            check(here, found, said(&format!("SELECT {sql} FROM samples GROUP BY gene ORDER BY gene")));
        }
    }
    if database == Database::MariaDb {
        for (at, (here, sql)) in PERCENTILES.iter().enumerate() {
            let column = if here.contains("dp") { "dp" } else { "qual" };
            let at = COMPARED.len() + at;
            let found = said(&format!("SELECT c{at} FROM summary WHERE c{at} IS NOT NULL ORDER BY gene"));
            let expected = format!(
                "SELECT result FROM (SELECT DISTINCT gene, {sql} AS result FROM samples WHERE {column} IS NOT NULL) AS all_of \
                 ORDER BY gene"
            );
            check(here, found, said(&expected));
        }
    }
    let found = said("SELECT pos FROM leaders ORDER BY pos");
    check("top", found, said(TOP_IN_SQL));
}

fn text(sink: &str) -> String {
    let of_groups = COMPARED.iter().map(|(here, ..)| *here);
    let expressions: Vec<&str> = of_groups.chain(PERCENTILES.iter().map(|(here, _)| *here)).collect();
    let stages = format!(
        "{TOP}\n[stages.summary]\ntype = \"aggregate\"\ninput = \"samples\"\ngroup_by = [\"gene\"]\n\
         [stages.summary.columns]\n{}",
        columns(&expressions)
    );
    pipeline(sink, &stages, "\"samples\", \"summary\", \"leaders\"")
}

#[test]
fn aggregates_are_those_of_group_by_in_sqlite() {
    let first = seed(1);
    for seed in first..first + 4 {
        let warehouse = Warehouse::new(&text(FILE));
        // The file is there from the first run on; the connection sees it grow.
        load(&warehouse, "none", &[], 1);
        let path = warehouse.directory.path().join("aggregates.sqlite");
        compare(&warehouse, seed, Judge::Sqlite(rusqlite::Connection::open(path).expect("opens")));
    }
}

#[test]
fn aggregates_are_those_of_group_by_in_servers() {
    const TEST: &str = "aggregates_are_those_of_group_by_in_servers";
    for (flavor, of) in [(Flavor::MariaDb, Database::MariaDb), (Flavor::MySql, Database::MySql)] {
        let Some(server) = shared(TEST, flavor) else { continue };
        let first = seed(1);
        for seed in first..first + 2 {
            let database = server.new_database();
            let sink = format!("type = \"mysql\"\nurl = \"${{{URL_VARIABLE}}}\"");
            let warehouse = Warehouse::at(server.url(&database), &text(&sink));
            compare(&warehouse, seed, Judge::Server(server.root_in(&database), of));
        }
    }
}
