//! OpenLineage events: their shape, their pairs, and what they never hold.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vardelta_tests::{
    process::{signal, until, wait_at_most},
    project::{Project, Said, finish},
    shared::skipped,
    web_sink::WebSink,
};

use super::{META, project};

fn events(project: &Project) -> Vec<Value> {
    let text = String::from_utf8(project.bytes("lineage.ndjson")).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

/// What every event has, and what every facet has.
#[track_caller]
fn is_sound(event: &Value) {
    assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    assert!(event["producer"].as_str().is_some_and(|producer| producer.starts_with("urn:vardelta:")), "{event}");
    let time = event["eventTime"].as_str().expect("a time");
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    let id = event["run"]["runId"].as_str().expect("an id");
    // RFC 9562: version 7, variant 10.
    assert!(id.len() == 36 && id.as_bytes()[14] == b'7' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
    assert_eq!((&event["job"]["namespace"], &event["job"]["name"]), (&"vardelta".into(), &"told".into()));
    let mut facets: Vec<&Value> = vec![&event["run"]["facets"], &event["job"]["facets"]];
    for dataset in ["inputs", "outputs"].iter().flat_map(|side| event[side].as_array().expect("data sets")) {
        facets.extend(["facets", "inputFacets", "outputFacets"].iter().filter_map(|kind| dataset.get(kind)));
    }
    for facet in facets.iter().flat_map(|facets| facets.as_object().expect("facets").values()) {
        assert_eq!(facet["_producer"], event["producer"]);
        let url = facet["_schemaURL"].as_str().expect("a schema");
        assert!(url.starts_with("https://openlineage.io/spec/facets/") && url.contains("#/$defs/"), "{url}");
    }
}

#[test]
fn a_run_begins_and_completes_with_what_it_read_and_wrote() {
    let project = project("[operate]\nopenlineage = \"file:lineage.ndjson\"");
    let records = ["1 5 . A C 9 PASS CLNSIG=Pathogenic;AC=1", "1 6 . A C 9 PASS .", "2 x . A C 9 PASS ."];
    project.write_drop("one", META, &records);
    project.vardelta("run", &[]).expect(0);
    project.vardelta("run", &["--dry-run"]).expect(0);
    let events = events(&project);
    events.iter().for_each(is_sound);
    let states: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(states, ["START", "COMPLETE"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert!(events[0]["eventTime"].as_str() <= events[1]["eventTime"].as_str());

    let complete = &events[1];
    let folder = project.directory().join("drops");
    let input = &complete["inputs"][0];
    assert_eq!((&input["namespace"], &input["name"]), (&"file".into(), &folder.display().to_string().into()));
    let columns: Vec<&str> = input["facets"]["schema"]["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .filter_map(|field| field["name"].as_str())
        .collect();
    assert!(columns.contains(&"chrom") && columns.contains(&"info_clnsig"), "{columns:?}");
    let (quality, statistics) = (&input["inputFacets"]["dataQualityMetrics"], &input["inputFacets"]["inputStatistics"]);
    let bytes = project.bytes("drops/one.vcf").len();
    assert_eq!((&quality["rowCount"], &quality["bytes"], &quality["fileCount"]), (&3.into(), &bytes.into(), &1.into()));
    assert_eq!((&statistics["rowCount"], &statistics["size"]), (&3.into(), &bytes.into()));
    let file = project.path("drops/one.vcf").display().to_string();
    assert_eq!(input["inputFacets"]["subset"]["inputCondition"]["locations"], Value::from(vec![file]));

    let outputs = complete["outputs"].as_array().expect("outputs");
    let named = |name: &str| outputs.iter().find(|output| output["name"] == name).expect("a table");
    let namespace = format!("sqlite://{}", project.path("told.sqlite").display());
    assert!(outputs.iter().all(|output| output["namespace"] == namespace.as_str()), "{outputs:?}");
    assert_eq!(named("variants")["outputFacets"]["outputStatistics"]["rowCount"], 2);
    assert_eq!(named("summary")["outputFacets"]["outputStatistics"]["rowCount"], 1);

    // Each column with the columns that it is made from, and how.
    let made = |table: &str, column: &str| -> BTreeMap<String, String> {
        let fields = &named(table)["facets"]["columnLineage"]["fields"][column]["inputFields"];
        let fields = fields.as_array().unwrap_or_else(|| panic!("{table}.{column} is made from something"));
        let of = |field: &Value| {
            assert_eq!((&field["namespace"], &field["name"]), (&input["namespace"], &input["name"]));
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            (text(&field["field"]), text(&field["transformations"][0]["subtype"]))
        };
        fields.iter().map(of).collect()
    };
    let one = |column: &str, how: &str| BTreeMap::from([(column.to_owned(), how.to_owned())]);
    // `normalize` does not say which of the columns that it carries it leaves as they are.
    assert_eq!(made("variants", "chromosome"), one("chrom", "TRANSFORMATION"));
    assert_eq!(made("variants", "position"), one("pos", "TRANSFORMATION"));
    assert_eq!(made("variants", "clinical_rank"), one("info_clnsig", "TRANSFORMATION"));
    assert_eq!(made("summary", "chromosome"), one("chrom", "TRANSFORMATION"));
    assert_eq!(made("summary", "pathogenic_count"), one("info_clnsig", "AGGREGATION"));
    let fields = &named("summary")["facets"]["columnLineage"]["fields"];
    assert!(fields.get("variant_count").is_none(), "count(*) is made from no column");
    let rows = named("summary")["facets"]["columnLineage"]["dataset"].as_array().expect("what decides the rows");
    assert_eq!((&rows[0]["field"], &rows[0]["transformations"][0]["subtype"]), (&"chrom".into(), &"GROUP_BY".into()));
}

/// Tables as text: two sides, joined and filtered.
const TABLES: &str = r#"
[pipeline]
name = "told"
[operate]
openlineage = "file:lineage.ndjson"
[stages.rows]
type = "delimited"
path = "drops/rows.tsv"
[stages.rows.columns]
id = { type = "int64", required = true }
gene = { type = "text", required = true }
[stages.genes]
type = "table"
input = "rows"
key = ["id"]
[stages.names]
type = "delimited"
path = "drops/names.tsv"
[stages.names.columns]
gene = { type = "text", required = true }
full_name = "text"
[stages.named]
type = "table"
input = "names"
key = ["gene"]
[stages.both]
type = "join"
inputs = ["genes", "named"]
how = "left"
on = ["gene"]
[stages.some]
type = "filter"
input = "both"
where = "id > 1"
[stages.warehouse]
type = "sqlite"
path = "told.sqlite"
tables = ["some"]
"#;

#[test]
fn columns_that_are_handed_on_are_the_same_and_what_decides_the_rows_is_told() {
    let project = Project::new(TABLES);
    project.write("drops/rows.tsv", b"id\tgene\n1\tTP53\n2\tBRCA1\n");
    project.write("drops/names.tsv", b"gene\tfull_name\nTP53\ttumor protein p53\n");
    project.vardelta("run", &[]).expect(0);
    let events = events(&project);
    events.iter().for_each(is_sound);
    let lineage = &events[1]["outputs"][0]["facets"]["columnLineage"];
    let from = |side: &Value| -> Vec<String> {
        let fields = side.as_array().expect("columns").iter().map(|field| {
            let file = field["name"].as_str().expect("a name").rsplit('/').next().unwrap_or_default().to_owned();
            let how = field["transformations"].as_array().expect("how").iter();
            let how: Vec<&str> = how.filter_map(|how| how["subtype"].as_str()).collect();
            format!("{file} {} {}", field["field"].as_str().expect("a column"), how.join(" "))
        });
        fields.collect()
    };
    let made = |column: &str| from(&lineage["fields"][column]["inputFields"]);
    assert_eq!(made("id"), ["rows.tsv id IDENTITY"]);
    assert_eq!(made("gene"), ["rows.tsv gene IDENTITY"]);
    assert_eq!(made("full_name"), ["names.tsv full_name IDENTITY"]);
    let mut rows = from(&lineage["dataset"]);
    rows.sort();
    assert_eq!(rows, ["names.tsv gene JOIN", "rows.tsv gene JOIN", "rows.tsv id FILTER"]);
}

#[test]
fn a_run_that_fails_says_so_also_where_it_never_began_to_read() {
    let project = project("[operate]\nopenlineage = \"file:lineage.ndjson\"");
    project.write("drops/two.vcf", b"nonsense\n");
    project.vardelta("run", &[]).expect(4);
    project.write("told.sqlite", b"this is no database, and nothing like one");
    project.vardelta("run", &[]).expect(6);
    let events = events(&project);
    events.iter().for_each(is_sound);
    let states: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(states, ["START", "FAIL", "START", "FAIL"]);
    for pair in events.chunks(2) {
        assert_eq!(pair[0]["run"]["runId"], pair[1]["run"]["runId"]);
        assert_eq!(pair[1]["run"]["facets"]["errorMessage"]["programmingLanguage"], "Rust");
    }
    assert_ne!(events[0]["run"]["runId"], events[2]["run"]["runId"]);
    let message = |event: &Value| event["run"]["facets"]["errorMessage"]["message"].as_str().map(str::to_owned);
    assert!(message(&events[1]).is_some_and(|message| message.contains("two.vcf")), "{}", events[1]);
    assert!(message(&events[3]).is_some_and(|message| message.contains("told.sqlite")), "{}", events[3]);
}

#[test]
fn a_run_that_somebody_ends_is_aborted_and_nobodys_trouble() {
    let project = project("[operate]\nopenlineage = \"file:lineage.ndjson\"\n[operate.alerts]");
    project.write_drop("one", META, &["1 5 . A C 9 PASS ."]);
    let (log, go) = (project.path("steps"), project.path("go"));
    let mut command = project.command("run", &[]);
    command.env("VARDELTA_FAILPOINT", "wait@reader:open").env("VARDELTA_FAILPOINT_LOG", &log);
    command.env("VARDELTA_FAILPOINT_GO", &go).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("vardelta can be started");
    until("the reader is held", || {
        std::fs::read_to_string(&log).is_ok_and(|steps| steps.contains("waiting at reader:open"))
    });
    signal(&child, "INT");
    project.write("go", b"");
    wait_at_most(&mut child, Duration::from_secs(60)).expect("it ends");
    let said = Said::from(child.wait_with_output().expect("its output can be read")).expect(130);
    assert!(!said.stderr.contains("alert:"), "{}", said.stderr);
    let events = events(&project);
    events.iter().for_each(is_sound);
    let states: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(states, ["START", "ABORT"]);
}

#[test]
fn a_server_is_named_without_user_and_password() {
    let project = project("[operate]\nopenlineage = \"file:lineage.ndjson\"");
    let text = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8");
    let server = "type = \"mysql\"\nurl = \"mysql://me:hush-password@127.0.0.1:1/clinic\"\nreconnect_timeout_ms = 1";
    project.write("pipeline.toml", text.replace("type = \"sqlite\"\npath = \"told.sqlite\"", server).as_bytes());
    project.vardelta("run", &[]).expect(6);
    let events = events(&project);
    assert_eq!(events.len(), 2);
    let output = &events[1]["outputs"][0];
    assert_eq!((&output["namespace"], &output["name"]), (&"mysql://127.0.0.1:1".into(), &"clinic.variants".into()));
    let text = String::from_utf8(project.bytes("lineage.ndjson")).expect("UTF-8");
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn a_service_gets_the_events_and_one_that_hangs_or_is_gone_fails_no_run() {
    let service = WebSink::start();
    let lines = format!("[operate]\nopenlineage = \"{}\"\nopenlineage_token = \"hush-token\"", service.url(""));
    let known = project(&lines);
    known.write_drop("one", META, &["1 5 . A C 9 PASS ."]);
    let said = known.vardelta("run", &[]).expect(0);
    assert!(!said.stderr.contains("notice"), "{}", said.stderr);
    let posted = service.posted();
    assert_eq!(posted.len(), 2);
    assert!(posted.iter().all(|posted| posted.line.starts_with("POST /api/v1/lineage ")), "{posted:?}");
    assert!(posted[0].headers.iter().any(|header| header.eq_ignore_ascii_case("authorization: Bearer hush-token")));
    assert_eq!(posted[1].json()["eventType"], "COMPLETE");

    service.answer("500 Sorry");
    known.write_drop("two", META, &["1 7 . A C 9 PASS ."]);
    let said = known.vardelta("run", &[]).expect(0).says(&["notice: lineage cannot be written to", "500 ok"]);
    assert!(!said.stderr.contains("hush"), "{}", said.stderr);

    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("operate.openlineage=http://{}", silent.local_addr().expect("an address"));
    known.write_drop("three", META, &["1 8 . A C 9 PASS ."]);
    let started = Instant::now();
    known.vardelta("run", &["--set", &url]).expect(0).says(&["notice: lineage cannot be written to"]);
    assert!(started.elapsed().as_secs_f64() < 10.0, "{:?}", started.elapsed());
    known.vardelta("run", &["--set", "operate.openlineage=file:no/such/folder/x"]).expect(0).says(&["notice: lineage"]);
}

#[test]
fn what_is_no_place_for_events_is_told() {
    for target in ["lineage.ndjson", "http://me:hush@h", "file:"] {
        let said = project(&format!("[operate]\nopenlineage = \"{target}\"")).vardelta("validate", &[]);
        let said = said.expect(3).says(&["`openlineage` is nothing", "file:lineage.ndjson"]);
        assert!(!said.stderr.contains("hush"), "{}", said.stderr);
    }
}

/// By another hand, and by what others read the events with: the classes of `openlineage-python` (1.54), which are generated from the
/// published schema.
#[test]
fn events_are_what_the_published_schema_says() {
    let imports =
        Command::new("python3").args(["-c", "import openlineage.client.generated.base"]).stderr(Stdio::null()).status();
    if !imports.is_ok_and(|status| status.success()) {
        return skipped(
            "lineage against the published schema",
            "python3 has no `openlineage` (pip install openlineage-python)",
        );
    }
    let project = project("[operate]\nopenlineage = \"file:lineage.ndjson\"");
    project.write_drop("one", META, &["1 5 . A C 9 PASS CLNSIG=Pathogenic;AC=1", "1 6 . A C 9 PASS ."]);
    project.vardelta("run", &[]).expect(0);
    project.write("drops/two.vcf", b"nonsense\n");
    project.vardelta("run", &[]).expect(4);
    project.vardelta("withdraw", &["one"]).expect(0);
    let check =
        |file: &str| finish(Command::new("python3").args(["-c", include_str!("lineage.py")]).arg(project.path(file)));
    check("lineage.ndjson").expect(0).says(&["6 events with"]);
    // It finds what is wrong.
    let text = String::from_utf8(project.bytes("lineage.ndjson")).expect("UTF-8");
    for (right, wrong) in [
        ("\"runId\"", "\"runID\""),
        ("SchemaDatasetFacet.json", "SchemeDatasetFacet.json"),
        ("\"rowCount\":", "\"rowCount\":\"x\",\"rows\":"),
    ] {
        assert!(text.contains(right), "{right}: {text}");
        project.write("wrong.ndjson", text.replace(right, wrong).as_bytes());
        check("wrong.ndjson").expect(1);
    }
}
