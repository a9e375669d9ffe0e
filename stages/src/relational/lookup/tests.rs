//! Asking a service that misbehaves by script: every request, refusal and tier is a real one.

mod asking;
mod limits;
mod planning;
mod tiers;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use tempfile::TempDir;
use vardelta_engine::{
    contract::{
        lookup::{Answer, Asker, LookupContext, LookupFigures, LookupValue},
        options::OptionReader,
        sink::SinkStage,
    },
    diagnostics::{Diagnostic, Diagnostics},
    spec::{Entry, SpecFile, Value},
};
use vardelta_testservice::{Options, Service};

use super::{
    asker::HttpAsker,
    clock::{Clock, MachineClock},
    options::LookupOptions,
    plan::Plan,
};

/// A folder to run in.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A service on a port of its own.
pub fn service() -> Service {
    Service::start(&Options::default()).expect("a service")
}

/// A look-up of `/query`, with further options and tiers as they are written in a pipeline file.
pub fn query(service: &Service, more: &str, cache: &str) -> String {
    format!(
        r#"key = "gene"
url = "{}"
method = "POST"
body = '{{"q": {{keys}}}}'
rows = "$[*]"
answer_key = "$.query"
not_found = "$.notfound"
error = "$.error"
rate_per_s = 1000
deadline = "5s"
{more}
[columns]
entrez_id = {{ path = "$.entrezgene", type = "int64" }}
name = {{ path = "$.name" }}
score = {{ path = "$.score", type = "float64" }}
{cache}"#,
        service.url("/query")
    )
}

/// Plans a look-up; the problems where there are any.
pub fn plan(toml: &str) -> Result<Plan, String> {
    let mut diagnostics = Diagnostics::default();
    let text = format!("[stages.facts]\n{}", nested(toml));
    let spec = SpecFile::parse("lookup.toml".into(), text, &[], &|_| None, &mut diagnostics);
    let inner = |entries: &[Entry]| match &entries.first()?.node.value {
        Value::Table(inner) => Some(inner.clone()),
        _ => None,
    };
    let entries = inner(&spec.root).and_then(|stages| inner(&stages)).expect("a stage");
    let reader = OptionReader::new("stage `facts` (lookup)".into(), 0..1, entries.iter());
    let options = LookupOptions::read(reader, &mut diagnostics);
    let plan = options.and_then(|options| Plan::new(&options, 0..1, &mut diagnostics));
    let said = |problem: &Diagnostic| format!("{} {}", problem.message, problem.hint.clone().unwrap_or_default());
    plan.filter(|_| diagnostics.is_empty()).ok_or_else(|| diagnostics.iter().map(said).collect::<Vec<_>>().join("\n"))
}

/// The tables of a stage's options below the stage.
fn nested(toml: &str) -> String {
    toml.replace("\n[", "\n[stages.facts.")
}

/// A run's asker in a folder.
pub fn asker(toml: &str, folder: &Path) -> HttpAsker {
    asker_beside(toml, folder, None)
}

/// The same with a sink.
pub fn asker_beside(toml: &str, folder: &Path, database: Option<Arc<dyn SinkStage>>) -> HttpAsker {
    asker_at(toml, folder, database, Arc::new(MachineClock::start()))
}

/// The same at a time.
pub fn asker_at(toml: &str, folder: &Path, database: Option<Arc<dyn SinkStage>>, clock: Arc<dyn Clock>) -> HttpAsker {
    let plan = Arc::new(plan(toml).expect("a plan"));
    let context =
        LookupContext { stage: "facts".into(), folder: folder.to_owned(), state: folder.to_owned(), database };
    let environment = |name: &str| (name == "TEST_TOKEN").then(|| "s3cret-t0ken-9417".to_owned());
    HttpAsker::open(plan, &context, clock, &environment).expect("an asker")
}

/// Asks for keys, sorted; what came, by key, and the figures. Every key is reported once, and the figures add up.
pub fn ask(asker: &mut HttpAsker, keys: &[&str]) -> (Vec<(String, Answer)>, LookupFigures) {
    let mut keys: Vec<Arc<str>> = keys.iter().map(|key| Arc::from(*key)).collect();
    keys.sort();
    let before = asker.figures().wanted;
    let mut told = Vec::new();
    asker.ask(&keys, &AtomicBool::new(false), &mut |key, answer| told.push((key.to_owned(), answer))).expect("asked");
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let names: Vec<&str> = told.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names, keys.iter().map(|key| &**key).collect::<Vec<_>>(), "each key is answered once");
    let figures = asker.figures();
    assert_eq!(figures.wanted, before + keys.len() as u64);
    let LookupFigures { wanted, memory, disk, database, redis, answered, absent, failed, .. } = figures;
    assert_eq!(wanted, memory + disk + database + redis + answered + absent + failed, "{figures:?}");
    let count = |is: fn(&Answer) -> bool| told.iter().filter(|(_, answer)| is(answer)).count() as u64;
    assert!(count(|answer| matches!(answer, Answer::Failed { .. })) <= failed);
    (told, figures)
}

/// What a service that is well says of a gene.
pub fn facts(entrez: i64, name: &str) -> Vec<Option<LookupValue>> {
    vec![
        Some(LookupValue::Int64(entrez)),
        Some(LookupValue::Text(name.into())),
        Some(LookupValue::Float64(entrez as f64 / 7.0)),
    ]
}

/// The answers in short: `TP53=7157`, `X=absent`, `Y=failed: …`.
pub fn short(told: &[(String, Answer)]) -> Vec<String> {
    let word = |(key, answer): &(String, Answer)| match answer {
        Answer::Found { values, .. } => match &values[0] {
            Some(LookupValue::Int64(number)) => format!("{key}={number}"),
            other => format!("{key}={other:?}"),
        },
        Answer::Absent { .. } => format!("{key}=absent"),
        Answer::Failed { reason, .. } => format!("{key}=failed: {reason}"),
    };
    told.iter().map(word).collect()
}

/// The reason of an answer that failed.
#[track_caller]
pub fn reason(answer: &Answer) -> &str {
    match answer {
        Answer::Failed { reason, .. } => reason,
        other => panic!("not failed: {other:?}"),
    }
}
