//! Two processes that ask one service at once.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use vardelta_testservice::{Options, Service};

/// A pipeline in a folder that looks up made-up genes, `batch` at a time, ten requests a second.
fn prepare(folder: &Path, service: &Service, numbers: std::ops::Range<u32>, batch: u32, disk: &Path) {
    let text = format!(
        r#"[pipeline]
name = "facts"
workers = 1

[stages.rows]
type = "delimited"
path = "genes/*.tsv"
[stages.rows.columns]
gene_symbol = {{ type = "text", required = true }}

[stages.genes]
type = "table"
input = "rows"
key = ["gene_symbol"]

[stages.facts]
type = "lookup"
input = "genes"
key = "gene_symbol"
url = "{}"
method = "POST"
body = '{{"q": {{keys}}}}'
batch = {batch}
rate_per_s = 10
concurrency = 4
rows = "$[*]"
answer_key = "$.query"
not_found = "$.notfound"
[stages.facts.columns]
entrez_id = {{ path = "$.entrezgene", type = "int64" }}
[stages.facts.cache]
disk = "{}"

[stages.warehouse]
type = "sqlite"
path = "facts.sqlite"
tables = ["facts"]
"#,
        service.url("/query"),
        disk.display()
    );
    fs::create_dir_all(folder.join("genes")).expect("a folder");
    fs::write(folder.join("facts.toml"), text).expect("a pipeline");
    let genes: String = numbers.map(|number| format!("GENE{number:03}\n")).collect();
    fs::write(folder.join("genes/one.tsv"), format!("gene_symbol\n{genes}")).expect("a drop");
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardelta"));
    command.args(["run", "facts.toml", "--json"]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("vardelta runs")
}

#[track_caller]
fn finish(run: Child) -> BTreeMap<String, u64> {
    let output = run.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let figures = report["lookups"][0].as_object().expect("figures").iter();
    figures.filter_map(|(name, value)| Some((name.clone(), value.as_u64()?))).collect()
}

#[test]
fn the_rate_of_a_host_holds_over_two_processes() {
    let service = Service::start(&Options::default()).expect("a service");
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    prepare(&one, &service, 0..25, 1, &folder.path().join("api"));
    prepare(&other, &service, 100..125, 1, &folder.path().join("api"));
    let runs = [start(&one), start(&other)];
    for run in runs {
        assert_eq!(finish(run)["answered"], 25);
    }
    let mut times: Vec<u64> = service.asked().iter().map(|asked| asked.at_us).collect();
    times.sort_unstable();
    assert_eq!(times.len(), 50);
    let took_us = times[49] - times[0];
    // 49 spaces of 100 ms; on a busy machine the first may have come late.
    assert!(took_us >= 4_600_000, "50 requests came in {took_us} µs");
    println!(
        "50 requests of two processes came in {:.2} s: {:.2} a second",
        took_us as f64 / 1e6,
        49e6 / took_us as f64
    );
}

#[test]
fn two_runs_at_once_ask_for_each_key_once() {
    let service = Service::start(&Options { latency_ms: 100, ..Options::default() }).expect("a service");
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    for folder_of in [&one, &other] {
        prepare(folder_of, &service, 0..60, 3, &folder.path().join("api"));
    }
    let runs = [start(&one), start(&other)];
    let figures = runs.map(finish);
    let sum = |name: &str| figures.iter().map(|figures| figures[name]).sum::<u64>();
    assert_eq!((sum("wanted"), sum("answered") + sum("disk"), sum("failed")), (120, 120, 0), "{figures:?}");
    let mut asked: Vec<String> = service.asked().into_iter().flat_map(|asked| asked.keys).collect();
    asked.sort();
    let twice: Vec<&[String]> = asked.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(twice.is_empty(), "asked for twice: {twice:?}");
    assert_eq!(asked.len(), 60);
}
