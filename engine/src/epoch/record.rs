//! What the ledger keeps of an epoch.

use vardelta_schemas::ledger::{DropRow, EpochId, EpochRecord, Event, LookupChanges, RecordCounts, TableCounts};

use crate::{
    epoch::{
        gaps,
        outcome::{Outcome, lookup_drop},
    },
    error::RunError,
    flow::RunContext,
    locks::Locked as _,
    report::Action,
};

/// What became of looked-up keys.
fn lookup_changes(run: &RunContext, replaces_all: bool) -> LookupChanges {
    let mut changes = LookupChanges { replaces_all, ..LookupChanges::default() };
    for (_, desk) in run.lookups.all() {
        let (put, gone) = desk.facts();
        changes.put.extend(put);
        changes.gone.extend(gone.into_iter().map(|key| (desk.stage().to_owned(), key)));
    }
    changes
}

/// The row of the ledger, and all that comes with it.
pub(super) fn record(
    run: &RunContext,
    id: EpochId,
    outcome: &Outcome,
    counts: &[TableCounts],
    committed_at: &str,
) -> Result<EpochRecord, RunError> {
    let EpochId { number: epoch, identity: Some(identity), pipeline: Some(pipeline_identity) } = id else {
        return Err(RunError::internal(format!("epoch {} was given no identity", id.number)));
    };
    let plan = &run.plan;
    let notes = run.notes.locked();
    let event = |drop: &DropRow, action: Action, counts: RecordCounts| Event {
        epoch,
        committed_at: committed_at.to_owned(),
        drop_id: Some(drop.drop_id),
        source: drop.source.clone(),
        name: drop.name.clone(),
        action: action.as_str().to_owned(),
        counts,
    };
    let of_drop = |(action, drop): &(Action, DropRow)| match action {
        // No record of it was read.
        Action::SampleWithdrawn => event(drop, *action, RecordCounts::default()),
        _ => event(drop, *action, drop.counts),
    };
    let mut events: Vec<Event> = outcome.upserted.iter().map(of_drop).collect();
    match &outcome.erasure {
        Some(erasure) => events.extend(erasure.drops.iter().map(|drop| {
            let (action, name) = erasure.pending(drop);
            Event {
                epoch,
                committed_at: committed_at.to_owned(),
                drop_id: Some(drop.drop_id),
                source: drop.source.clone(),
                name,
                action: action.to_owned(),
                counts: RecordCounts::default(),
            }
        })),
        None => {
            events.extend(outcome.withdrawn.iter().map(|drop| event(drop, Action::Withdrawn, RecordCounts::default())));
        }
    }
    events.extend(outcome.completed.iter().map(|stage| Event {
        epoch,
        committed_at: committed_at.to_owned(),
        drop_id: None,
        source: stage.clone(),
        name: lookup_drop(stage),
        action: Action::Completed.as_str().to_owned(),
        counts: RecordCounts::default(),
    }));
    events.extend(outcome.without_drop.map(|action| Event {
        epoch,
        committed_at: committed_at.to_owned(),
        drop_id: None,
        source: String::new(),
        name: String::new(),
        action: action.as_str().to_owned(),
        counts: RecordCounts::default(),
    }));
    Ok(EpochRecord {
        pipeline: plan.pipeline.name.clone(),
        epoch,
        identity,
        pipeline_identity,
        committed_at: committed_at.to_owned(),
        definition: outcome.definitions.to_json(),
        upserted_drops: outcome.upserted.iter().map(|(_, drop)| drop.clone()).collect(),
        withdrawn_drops: outcome.withdrawn.iter().map(|drop| drop.drop_id).collect(),
        withdrawn_members: outcome.withdrawn_members.clone(),
        readmitted_members: outcome.readmitted_members.clone(),
        events,
        tables: counts.iter().map(|counts| gaps::with_history(plan, counts)).collect(),
        warnings: notes.warnings.rows(plan, &run.loads),
        lookups: lookup_changes(run, outcome.replace_tables || outcome.computed_anew),
    })
}
