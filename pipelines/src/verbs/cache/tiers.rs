//! The tiers of a pipeline's look-ups, one after the other.

use serde_json::json;
use vardelta_engine::{
    contract::sink::{AnswerStore, SinkError},
    plan::Plan,
    run,
};

use crate::{failure::Failure, output::Output, report::Table};

/// Does something to every tier of a pipeline and prints what came of it: for each tier numbers under these titles. The exit
/// code is 6 where a tier could not be reached.
pub(super) fn each<const N: usize>(
    output: &mut Output,
    plan: &Plan,
    titles: [&'static str; N],
    mut work: impl FnMut(&mut dyn AnswerStore) -> Result<[u64; N], SinkError>,
) -> Result<u8, Failure> {
    let stages = run::lookup_tiers(plan)?;
    let (mut table, mut list, mut failed) =
        (Table::titled(["stage", "tier"].into_iter().chain(titles)), Vec::new(), Vec::new());
    for (stage, tiers) in stages {
        for tier in tiers {
            let done = tier.store.and_then(|mut store| work(store.as_mut()));
            let mut entry = json!({ "stage": stage, "tier": tier.name });
            table.row().text(&stage).text(tier.name);
            match done {
                Ok(numbers) => {
                    for (title, number) in titles.iter().zip(numbers) {
                        entry[*title] = json!(number);
                        table.number(number);
                    }
                }
                Err(error) => {
                    entry["error"] = json!(error.to_string());
                    for _ in titles {
                        table.text("-");
                    }
                    failed.push(format!("{stage}: {}: {error}", tier.name));
                }
            }
            list.push(entry);
        }
    }
    if output.is_json() {
        output.json(&json!({ "pipeline": plan.pipeline.name, "tiers": list }))?;
    } else if !list.is_empty() {
        output.text(&table.render())?;
    } else {
        output
            .text("no look-up of this pipeline keeps answers in a tier: see `cache` in `vardelta stages lookup`\n")?;
    }
    failed.iter().for_each(|why| output.complain(why));
    Ok(if failed.is_empty() { 0 } else { 6 })
}
