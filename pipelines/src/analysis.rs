//! The figures of a run beside the plan that it carried out.

use serde_json::{Value, json};
use vardelta_engine::{
    error::RunError,
    plan::{Plan, explain},
    report::{RunReport, StageReport},
};

use crate::report::grouped;

/// The plan as text, with the figures of each stage below its operator.
pub fn text(plan: &Plan, report: &RunReport) -> String {
    let operators = explain::explanation(plan).operators;
    let mut headings = operators.iter().enumerate().map(|(number, operator)| {
        let stages = operator.stages.iter().zip(&operator.types).map(|(stage, kind)| format!("{stage} ({kind})"));
        let heading = format!("{}. {}: {}", number + 1, operator.kind, stages.collect::<Vec<_>>().join(" -> "));
        (heading, operator)
    });
    let mut next = headings.next();
    let mut text = String::new();
    for line in explain::explain(plan).lines() {
        text += &format!("{line}\n");
        if let Some((heading, operator)) = &next
            && line == heading
        {
            for stage in &operator.stages {
                text += &format!("   {:<10} {}\n", "measured", figures(report, stage));
            }
            next = headings.next();
        }
    }
    let records: u64 = report.drops.iter().map(|drop| drop.read).sum();
    text += &format!(
        "\nmeasured in a dry run: {} records of {} drop{}, {:.3} s, {} worker{}; nothing was written\n",
        grouped(records),
        report.drops.len(),
        if report.drops.len() == 1 { "" } else { "s" },
        report.seconds,
        report.workers,
        if report.workers == 1 { "" } else { "s" }
    );
    report.notices.iter().for_each(|notice| text += &format!("notice: {notice}\n"));
    text
}

fn figures(report: &RunReport, name: &str) -> String {
    let Some(StageReport { rows_in, rows_out, times, .. }) = report.stages.iter().find(|stage| stage.name == name)
    else {
        return format!("{name}: nothing");
    };
    let reader = report.readers.iter().find(|reader| reader.name == name);
    let read = reader.map(|reader| format!("; read in {:.3} s", reader.times.seconds)).unwrap_or_default();
    format!(
        "{name}: {} rows in, {} out, {:.3} s busy, {:.3} s waiting, batches p50 {} us, p99 {} us, max {} us{read}",
        grouped(*rows_in),
        grouped(*rows_out),
        times.seconds,
        times.wait_s,
        grouped(times.p50_us),
        grouped(times.p99_us),
        grouped(times.max_us)
    )
}

/// The plan as data, each operator with the figures of its stages, and the report of the run.
///
/// # Errors
/// When it is no JSON, which would be a defect.
pub fn json(plan: &Plan, report: &RunReport) -> Result<Value, RunError> {
    let explanation = explain::explanation(plan);
    let mut value = serde_json::to_value(&explanation).map_err(RunError::internal)?;
    for (at, operator) in explanation.operators.iter().enumerate() {
        let of = |stage: &String| report.stages.iter().find(|known| known.name == *stage);
        value["operators"][at]["figures"] = json!(operator.stages.iter().filter_map(of).collect::<Vec<_>>());
    }
    value["run"] = serde_json::to_value(report).map_err(RunError::internal)?;
    Ok(value)
}
