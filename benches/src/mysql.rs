//! MariaDB and MySQL as warehouses, on private servers: a first load against a bare `LOAD DATA LOCAL` of the rows it leads
//! to, a drop on a long history, the summary against its full recompute, and one question asked in four ways.

use std::{fs, io::Write as _, sync::Arc, time::Instant};

use mysql::{Conn, LocalInfileHandler, Row as Values, Value, prelude::Queryable};
use vardelta_test_servers::{Flavor, Options, Server, private};

use crate::{
    binary::Run,
    failure::{Result, expect_equal},
    fixtures::{Drop, Fixtures, Warehouse},
    generate::{Expected, Packing, Spread},
    pipeline,
    report::{Row, Section, decimals, grouped, median},
};

/// How much longer a first load may take than the bare load of its rows.
const AIM_LOAD: f64 = 1.15;
/// How much longer a withdrawal may take than the load of the drop.
const AIM_WITHDRAWAL: f64 = 1.0;
/// The index of README's manual.
const INDEXES: &str = "indexes = [[\"chromosome\", \"quality\", \"gene_symbol\"]]\n";
/// The share of a full recompute that the summary's update may take.
const AIM_SUMMARY: f64 = 1.0 / 100.0;
/// Times that each question is asked; the median counts.
const ASKED: usize = 5;
/// Rows of one upsert, as the sink has it.
const UPSERT_ROWS: usize = 500;
/// The history is this many times as long as the first load that is compared.
const HISTORY_TIMES: u64 = 5;

const RECOMPUTE: &str = "REPLACE INTO recomputed SELECT gene_symbol, COUNT(*), AVG(quality), \
    COUNT(CASE WHEN clinical_significance = 'Pathogenic' THEN 1 END), 1 FROM variants GROUP BY gene_symbol";
const QUESTION: &str = "SELECT gene_symbol, COUNT(*), AVG(quality) FROM variants \
    WHERE chromosome = 'chr1' AND quality > 90 GROUP BY gene_symbol ORDER BY gene_symbol";
const QUESTION_AS_CTE: &str = "WITH good AS (SELECT gene_symbol, quality FROM variants \
    WHERE chromosome = 'chr1' AND quality > 90) \
    SELECT gene_symbol, COUNT(*), AVG(quality) FROM good GROUP BY gene_symbol ORDER BY gene_symbol";
const QUESTION_OF_TABLE: &str = "SELECT gene_symbol, variant_count, avg_quality FROM by_chromosome_and_gene \
    WHERE chromosome = 'chr1' AND variant_count > 0 ORDER BY gene_symbol";
const ADD_INDEX: &str = "ALTER TABLE variants ADD INDEX by_quality (chromosome, quality, gene_symbol)";

/// Measures one server.
///
/// # Errors
/// When a run fails, or a table does not hold what it must.
pub fn measure(fixtures: &Fixtures, flavor: Flavor) -> Result<Option<Section>> {
    let arguments = match flavor {
        Flavor::MariaDb => ["--innodb-buffer-pool-size=2G", "--innodb-log-file-size=1G"],
        Flavor::MySql => ["--innodb-buffer-pool-size=2G", "--innodb-redo-log-capacity=1G"],
    };
    let options = Options { arguments: arguments.map(String::from).to_vec(), ..Options::default() };
    let Some(server) = private("the benchmark of servers", flavor, &options) else { return Ok(None) };
    let mut section = Section::new(format!("{flavor}"));
    first_loads(fixtures, &server, &mut section)?;
    withdrawals(fixtures, &server, &mut section)?;
    history(fixtures, &server, &mut section)?;
    Ok(Some(section))
}

/// A warehouse in a database of a server.
fn warehouse(fixtures: &Fixtures, server: &Server, database: &str) -> Result<Warehouse> {
    let warehouse = fixtures.warehouse()?;
    let (before_sink, _) = pipeline::TEXT.split_once("[stages.warehouse]").ok_or("the pipeline has a sink")?;
    let sink = include_str!("mysql.toml").replace("DATABASE", &server.url(database));
    fs::write(warehouse.pipeline(), format!("{before_sink}{sink}"))?;
    Ok(warehouse)
}

fn load(fixtures: &Fixtures, warehouse: &Warehouse, drop: &Drop) -> Result<Run> {
    let run = warehouse.run(fixtures.binary()?, drop, &["--workers", "4"])?;
    let Expected { inserted, genes, .. } = drop.expected;
    run.expect_changes(pipeline::VARIANTS, inserted, 0, 0)?;
    run.expect_changes(pipeline::BY_GENE, genes, 0, 0)?;
    Ok(run)
}

fn first_loads(fixtures: &Fixtures, server: &Server, section: &mut Section) -> Result<()> {
    let records = fixtures.sizes.records;
    let drop = fixtures.history(records, Packing::Plain)?;
    let mut prepared: Option<(String, Vec<u8>)> = None;
    let (mut whole, mut sink, mut bare, mut ahead) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..fixtures.sizes.loads {
        let database = server.new_database();
        let run = load(fixtures, &warehouse(fixtures, server, &database)?, &drop)?;
        whole.push(run.seconds);
        sink.push(run.stage("warehouse")?.seconds);
        ahead = run.rows_ahead()?;
        let mut root = server.root_in(&database);
        let (definition, rows) = match prepared.take() {
            Some(prepared) => prepared,
            None => (definition_of(&mut root)?, rows_of(&mut root)?),
        };
        root.query_drop(format!("DROP DATABASE {database}"))?;
        let database = server.new_database();
        let mut root = server.root_in(&database);
        root.query_drop(&definition)?;
        let rows = Arc::new(rows);
        bare.push(bare_load(&mut root, Arc::clone(&rows), drop.expected.inserted)?);
        root.query_drop(format!("DROP DATABASE {database}"))?;
        prepared = Arc::try_unwrap(rows).ok().map(|rows| (definition, rows));
    }
    fs::remove_file(&drop.path)?;
    let (whole, sink, bare) = (median(&mut whole), median(&mut sink), median(&mut bare));
    let rows = grouped(drop.expected.inserted);
    section.add(Row::new(format!("bare LOAD DATA LOCAL of {rows} rows in key order"), format!("{} s", decimals(bare))));
    let row = Row::new(format!("first load of {} records, whole process", grouped(records)), seconds(whole));
    let ratio = whole / bare;
    section.add(row.ratio(ratio, "the bare load").aim("at most 1.15 x", ratio <= AIM_LOAD));
    let row = Row::new("of it, the server at work for it (four tables, ledger)", seconds(sink));
    section.add(row.ratio(sink / bare, "the bare load"));
    let row = Row::new("of it, before the server had any of its work and between its pieces", seconds(whole - sink));
    section.add(row.ratio((whole - sink) / whole, "the first load"));
    let share = 100.0 * ahead as f64 / drop.expected.inserted as f64;
    section.add(Row::new("rows that went to the server before the last was computed", format!("{share:.0} %")));
    Ok(())
}

/// A drop withdrawn again, from a table with an index that begins with a column of its key.
fn withdrawals(fixtures: &Fixtures, server: &Server, section: &mut Section) -> Result<()> {
    let drop = fixtures.history(fixtures.sizes.records, Packing::Plain)?;
    let name = drop.path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let (mut loads, mut withdrawals) = (Vec::new(), Vec::new());
    for _ in 0..fixtures.sizes.loads {
        let database = server.new_database();
        server.allow_temporary_tables(&database);
        let warehouse = warehouse(fixtures, server, &database)?;
        let indexed = fs::read_to_string(warehouse.pipeline())? + INDEXES;
        fs::write(warehouse.pipeline(), indexed)?;
        loads.push(load(fixtures, &warehouse, &drop)?.seconds);
        let run = fixtures.binary()?.report("withdraw", &warehouse.pipeline(), &[&name])?;
        run.expect_changes(pipeline::VARIANTS, 0, 0, drop.expected.inserted)?;
        withdrawals.push(run.seconds);
        server.root().query_drop(format!("DROP DATABASE {database}"))?;
    }
    fs::remove_file(&drop.path)?;
    let (load, withdrawal) = (median(&mut loads), median(&mut withdrawals));
    section.add(Row::new("first load of the same with an index (chromosome, quality, gene_symbol)", seconds(load)));
    let row = Row::new(format!("its withdrawal, {} rows", grouped(drop.expected.inserted)), seconds(withdrawal));
    section.add(row.ratio(withdrawal / load, "that load").aim("at most 1.0 x", withdrawal <= AIM_WITHDRAWAL * load));
    Ok(())
}

fn definition_of(root: &mut Conn) -> Result<String> {
    let row: Option<(String, String)> = root.query_first("SHOW CREATE TABLE variants")?;
    Ok(row.ok_or("there is a table of variants")?.1)
}

/// The rows of the table of variants in key order, as LOAD DATA reads them.
fn rows_of(root: &mut Conn) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for row in root.query_iter("SELECT * FROM variants ORDER BY chromosome, position, key_hash")? {
        for (at, value) in row?.unwrap().into_iter().enumerate() {
            if at > 0 {
                text.push(b'\t');
            }
            match value {
                // The generated rows hold nothing that has to be escaped.
                Value::Bytes(bytes) => text.extend_from_slice(&bytes),
                Value::NULL => text.extend_from_slice(b"\\N"),
                other => return Err(format!("a value that is no text: {other:?}").into()),
            }
        }
        text.push(b'\n');
    }
    Ok(text)
}

fn bare_load(root: &mut Conn, rows: Arc<Vec<u8>>, count: u64) -> Result<f64> {
    root.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, server| server.write_all(&rows))));
    let started = Instant::now();
    root.query_drop("LOAD DATA LOCAL INFILE 'rows' INTO TABLE variants CHARACTER SET utf8mb4")?;
    let seconds = started.elapsed().as_secs_f64();
    root.set_local_infile_handler(None);
    expect_equal("rows loaded by LOAD DATA", count, root.affected_rows())?;
    Ok(seconds)
}

fn history(fixtures: &Fixtures, server: &Server, section: &mut Section) -> Result<()> {
    let records = fixtures.sizes.records * HISTORY_TIMES;
    let drop = fixtures.history(records, Packing::Plain)?;
    let database = server.new_database();
    let warehouse = warehouse(fixtures, server, &database)?;
    let first = load(fixtures, &warehouse, &drop)?;
    fs::remove_file(&drop.path)?;
    let rows = grouped(drop.expected.inserted);
    section.add(Row::new(format!("first load of {} records ({rows} rows)", grouped(records)), seconds(first.seconds)));
    let mut root = server.root_in(&database);
    root.query_drop("CREATE TABLE recomputed LIKE by_gene")?;
    for spread in [Spread::Panel, Spread::Genome] {
        let shape = if spread == Spread::Panel { "in stretches, as a panel" } else { "spread over the genome" };
        let change = fixtures.change(spread, records)?;
        let name = change.path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut whole = Vec::new();
        let mut updates = Vec::new();
        for _ in 0..fixtures.sizes.loads {
            root.query_drop("DROP TABLE IF EXISTS before_drop")?;
            root.query_drop("CREATE TABLE before_drop LIKE by_gene")?;
            root.query_drop("INSERT INTO before_drop SELECT * FROM by_gene")?;
            let run = warehouse.run(fixtures.binary()?, &change, &[])?;
            let Expected { inserted, updated, .. } = change.expected;
            run.expect_changes(pipeline::VARIANTS, inserted, updated, 0)?;
            whole.push(run.seconds);
            updates.push(upsert_again(&mut root)?);
            fixtures.binary()?.report("withdraw", &warehouse.pipeline(), &[&name])?;
        }
        let of = format!("a drop of {} records, {shape}", grouped(change.expected.records));
        let whole = median(&mut whole);
        section.add(Row::new(of, seconds(whole)).ratio(whole / first.seconds, "that load"));
        let genes = updates.first().map_or(0, |(genes, _)| *genes);
        let update = median(&mut updates.iter().map(|(_, seconds)| *seconds).collect::<Vec<_>>());
        let mut recomputes = Vec::new();
        for _ in 0..fixtures.sizes.loads {
            recomputes.push(timed(&mut root, RECOMPUTE)?.0);
        }
        let recompute = median(&mut recomputes);
        section.add(Row::new("REPLACE … SELECT … GROUP BY of the whole summary by gene", seconds(recompute)));
        let row = Row::new(format!("update of the {} genes of that drop", grouped(genes)), seconds(update));
        let ratio = update / recompute;
        section.add(row.ratio(ratio, "the recompute").aim("less than 1/100", ratio < AIM_SUMMARY));
        section
            .add(Row::new("the whole drop, process and all", seconds(whole)).ratio(whole / recompute, "the recompute"));
    }
    ladder(&mut root, section)?;
    root.query_drop(format!("DROP DATABASE {database}"))?;
    Ok(())
}

/// Gives a copy of the summary as it was before a drop the rows that the drop has changed, in the statements of the sink:
/// how many, and how long that takes with its commit. The copy must then be the summary.
fn upsert_again(root: &mut Conn) -> Result<(u64, f64)> {
    let changed: Vec<Values> = root.query(
        "SELECT * FROM by_gene WHERE changed_epoch = (SELECT MAX(changed_epoch) FROM by_gene) ORDER BY gene_symbol",
    )?;
    let columns: Vec<String> = changed
        .first()
        .map(|row| row.columns_ref().iter().map(|column| column.name_str().into()).collect())
        .unwrap_or_default();
    let sets: Vec<String> = columns[1..].iter().map(|name| format!("`{name}` = VALUES(`{name}`)")).collect();
    let count = changed.len() as u64;
    let rows: Vec<Vec<Value>> = changed.into_iter().map(Values::unwrap).collect();
    let mark = format!("({})", vec!["?"; columns.len()].join(","));
    let started = Instant::now();
    root.query_drop("BEGIN")?;
    for rows in rows.chunks(UPSERT_ROWS) {
        let marks = vec![mark.as_str(); rows.len()].join(",");
        let statement = format!("INSERT INTO before_drop VALUES {marks} ON DUPLICATE KEY UPDATE {}", sets.join(", "));
        root.exec_drop(statement, rows.concat())?;
    }
    root.query_drop("COMMIT")?;
    let seconds = started.elapsed().as_secs_f64();
    let differing: Option<u64> = root.query_first(
        "SELECT COUNT(*) FROM by_gene LEFT JOIN before_drop USING (gene_symbol, variant_count, avg_quality) \
         WHERE before_drop.changed_epoch IS NULL",
    )?;
    expect_equal("genes that differ after the update", Some(0), differing)?;
    Ok((count, seconds))
}

fn ladder(root: &mut Conn, section: &mut Section) -> Result<()> {
    root.query_drop("ANALYZE TABLE variants")?;
    let (plain, expected) = timed(root, QUESTION)?;
    section.add(Row::new("gene, count, avg of chr1 with quality > 90: no index but the key", seconds(plain)));
    let (cte, genes) = timed(root, QUESTION_AS_CTE)?;
    expect_equal("genes of the CTE", expected, genes)?;
    section.add(Row::new("the same as a CTE", seconds(cte)).ratio(cte / plain, "that"));
    let started = Instant::now();
    root.query_drop(ADD_INDEX)?;
    let built = seconds(started.elapsed().as_secs_f64());
    let (index, genes) = timed(root, QUESTION)?;
    expect_equal("genes by the index", expected, genes)?;
    let row = Row::new(format!("with an index (chromosome, quality, gene_symbol), built in {built}"), seconds(index));
    section.add(row.ratio(index / plain, "without"));
    let (table, genes) = timed(root, QUESTION_OF_TABLE)?;
    expect_equal("genes of the maintained table", expected, genes)?;
    section.add(Row::new("from the maintained table", seconds(table)).ratio(table / plain, "without"));
    Ok(())
}

/// The median time of a statement, and how many rows it yields.
fn timed(root: &mut Conn, statement: &str) -> Result<(f64, usize)> {
    let (mut times, mut rows) = (Vec::new(), 0);
    for _ in 0..if statement == RECOMPUTE { 1 } else { ASKED } {
        let started = Instant::now();
        rows = root.query::<Values, _>(statement)?.len();
        times.push(started.elapsed().as_secs_f64());
    }
    Ok((median(&mut times), rows))
}

fn seconds(seconds: f64) -> String {
    format!("{} s", decimals(seconds))
}
