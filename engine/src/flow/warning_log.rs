//! The warnings of a run: by drop, stage, reason and field.

use std::collections::BTreeMap;

use vardelta_schemas::ledger::{DropId, FirstPlace, WarningRow};

use crate::{
    contract::warning::Warned,
    flow::feed::Load,
    plan::{Plan, StageIndex},
};

/// Fields of one drop, stage and reason that are kept apart. A file can make up any number of them.
const FIELDS_MAX: usize = 1_000;

/// A drop by its place among the loads; stage; reason; field.
type Key = (Option<usize>, StageIndex, &'static str, String);

/// Warnings as the workers find them.
#[derive(Default)]
pub(crate) struct WarningLog {
    by: BTreeMap<Key, Warned>,
    counts: BTreeMap<&'static str, u64>,
}

/// What warnings are put together by: reason, drop, stage, the drop's number.
type Group<'a> = (&'a str, Option<&'a str>, &'a str, Option<DropId>);

impl WarningLog {
    /// Adds what a stage counted of a batch.
    pub fn add(
        &mut self,
        load: Option<usize>,
        stage: StageIndex,
        reason: &'static str,
        field: String,
        mut warned: Warned,
    ) {
        if let Some(place) = &mut warned.place {
            // Only its numbers are reported.
            place.raw = None;
        }
        *self.counts.entry(reason).or_default() += warned.count;
        self.by.entry((load, stage, reason, field)).or_default().merge(warned);
    }

    /// How many there are so far, by reason.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
    }

    /// All of them by reason, drop, stage and field; the same whichever worker was first.
    pub fn rows(&self, plan: &Plan, loads: &[Load]) -> Vec<WarningRow> {
        let mut groups: BTreeMap<Group<'_>, Vec<(&str, &Warned)>> = BTreeMap::new();
        for ((load, stage, reason, field), warned) in &self.by {
            let load = load.map(|load| &loads[load]);
            let group = (
                *reason,
                load.map(|load| load.name.as_str()),
                plan.stages[*stage].name.as_str(),
                load.map(|load| load.drop_id),
            );
            groups.entry(group).or_default().push((field, warned));
        }
        let mut rows = Vec::new();
        for ((reason, drop, stage, drop_id), mut fields) in groups {
            let row = |field: Option<&str>, warned: &Warned| WarningRow {
                reason: reason.to_owned(),
                drop: drop.map(str::to_owned),
                drop_id,
                stage: stage.to_owned(),
                field: field.filter(|field| !field.is_empty()).map(str::to_owned),
                count: warned.count,
                first: warned.place.as_ref().map(|place| FirstPlace {
                    line: place.line,
                    contig: place.contig.clone(),
                    pos: place.pos,
                }),
            };
            if fields.len() > FIELDS_MAX {
                // Those that come first in the file are named, the others counted together.
                fields.sort_by_key(|(field, warned)| (warned.first.unwrap_or(u64::MAX), *field));
                let mut others = Warned::default();
                fields.drain(FIELDS_MAX..).for_each(|(_, warned)| others.merge(warned.clone()));
                fields.sort_by_key(|(field, _)| *field);
                rows.extend(fields.iter().map(|(field, warned)| row(Some(field), warned)));
                rows.push(row(Some("(others)"), &others));
            } else {
                rows.extend(fields.iter().map(|(field, warned)| row(Some(field), warned)));
            }
        }
        rows
    }
}
