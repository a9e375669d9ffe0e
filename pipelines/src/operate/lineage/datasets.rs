//! What a run reads and writes, named as OpenLineage names data sets (<https://openlineage.io/docs/spec/naming>): files by `file` and
//! their path, tables by the address of their database, without user and password.
//!
//! What is read is the folder, or file, that a source's path leads to: it is the same from run to run, however the drops in
//! it are named. Which files of it a run read is its `subset`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use vardelta_engine::{
    contract::stage::Planned,
    event::RunEvent,
    plan::{PerStage, Plan, PlannedStage},
    report::RunReport,
};

use super::{
    columns,
    facet::{facet, schema},
    name::Name,
};
use crate::operate::ended::is_read;

/// Files that a subset names, at the most.
const FILES_NAMED: usize = 1_000;

/// The data sets of a run.
pub struct Datasets {
    /// What is read.
    pub inputs: Vec<Value>,
    /// What is written.
    pub outputs: Vec<Value>,
}

/// What a run read of a source.
#[derive(Default)]
struct Read {
    files: Vec<PathBuf>,
    bytes: u64,
    records: u64,
}

impl Datasets {
    /// Those of a plan, with the figures of a run: its events, and the report that they add up to.
    pub fn of(plan: &Plan, events: &[RunEvent], report: Option<&RunReport>) -> Datasets {
        let read = read(events, report);
        let names: PerStage<Option<Name>> =
            plan.stages.iter().map(|stage| input_name(plan, stage, read.get(&stage.name))).collect();
        let inputs = plan
            .stages
            .iter()
            .zip(names.iter())
            .filter_map(|(stage, name)| name.as_ref().map(|name| input(stage, name, read.get(&stage.name))));
        let (origins, place) = (plan.origins(), plan.sink().namespace());
        let outputs = plan.stages[plan.sink].inputs.iter().map(|table| {
            let stage = &plan.stages[*table];
            let database = place.database.as_deref().map(|database| format!("{database}.")).unwrap_or_default();
            let lineage = columns::facet(&stage.schema, &origins[*table], &|source, column| {
                let column = plan.stages[source].schema.columns()[column].name.clone();
                names[source].clone().map(|name| (name, column))
            });
            let mut output = json!({
                "namespace": place.location,
                "name": format!("{database}{}", stage.name),
                "facets": { "schema": schema(stage.schema.columns()), "columnLineage": lineage },
            });
            let counts = report.filter(|report| report.committed);
            let counts = counts.and_then(|report| report.tables.iter().find(|counts| counts.name == stage.name));
            if let Some(counts) = counts {
                let rows = json!({ "rowCount": counts.inserted + counts.updated });
                let statistics = facet("1-0-2", "OutputStatisticsOutputDatasetFacet", rows);
                output["outputFacets"] = json!({ "outputStatistics": statistics });
            }
            output
        });
        Datasets { inputs: inputs.collect(), outputs: outputs.collect() }
    }
}

/// What was read, by source.
fn read(events: &[RunEvent], report: Option<&RunReport>) -> BTreeMap<String, Read> {
    let mut all: BTreeMap<String, Read> = BTreeMap::new();
    for event in events {
        if let RunEvent::Discovered { source, bytes, path, .. } = event {
            let read = all.entry(source.clone()).or_default();
            read.files.push(std::path::absolute(path).unwrap_or_else(|_| path.clone()));
            read.bytes += bytes;
        }
    }
    for drop in report.iter().flat_map(|report| &report.drops).filter(|drop| is_read(drop.action)) {
        if let Some(read) = all.get_mut(&drop.source) {
            read.records += drop.read;
        }
    }
    all
}

/// The name of what a source reads; `None` for other stages, and for a source that has no path and was given no file.
fn input_name(plan: &Plan, stage: &PlannedStage, read: Option<&Read>) -> Option<Name> {
    let Planned::Source(source) = &stage.planned else { return None };
    let given = || read.and_then(|read| read.files.first()?.parent().map(Path::to_path_buf));
    let path =
        source.pattern().map(|pattern| plain_part(&plan.pipeline.resolve(Path::new(&pattern)))).or_else(given)?;
    let path = std::path::absolute(&path).unwrap_or(path);
    Some(Name { namespace: "file".into(), name: path.display().to_string() })
}

/// A path up to the first part that is a pattern.
fn plain_part(path: &Path) -> PathBuf {
    let is_pattern =
        |part: &std::path::Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    path.components().take_while(|part| !is_pattern(part)).collect()
}

fn input(stage: &PlannedStage, name: &Name, read: Option<&Read>) -> Value {
    let mut input = json!({
        "namespace": name.namespace,
        "name": name.name,
        "facets": { "schema": schema(stage.schema.columns()) },
    });
    let Some(Read { files, bytes, records }) = read else { return input };
    let locations: Vec<String> = files.iter().take(FILES_NAMED).map(|file| file.display().to_string()).collect();
    let (count, location) = (files.len(), json!({ "type": "location", "locations": locations }));
    let quality = json!({ "rowCount": records, "bytes": bytes, "fileCount": count, "columnMetrics": {} });
    let statistics = json!({ "rowCount": records, "size": bytes, "fileCount": count });
    input["inputFacets"] = json!({
        "dataQualityMetrics": facet("1-0-3", "DataQualityMetricsInputDatasetFacet", quality),
        "inputStatistics": facet("1-0-0", "InputStatisticsInputDatasetFacet", statistics),
        "subset": facet("1-0-0", "InputSubsetInputDatasetFacet", json!({ "inputCondition": location })),
    });
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_is_the_folder_before_the_pattern() {
        for (path, plain) in [
            ("/data/drops/*.vcf*", "/data/drops"),
            ("/data/*/drops/a.vcf", "/data"),
            ("/data/a.vcf.gz", "/data/a.vcf.gz"),
            ("drops/{a,b}.vcf", "drops"),
        ] {
            assert_eq!(plain_part(Path::new(path)), Path::new(plain));
        }
    }
}
