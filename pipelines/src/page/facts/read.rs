//! Reading the facts.

use std::collections::{BTreeMap, HashMap};

use vardelta_engine::{
    contract::sink::{Access, DetailLimits, SinkError},
    error::RunError,
    plan::Plan,
    run,
};
use vardelta_schemas::ledger::{Accounts, DropId, Epoch, EpochDetails, Event, LookupCount, SetAsideRow, Snapshot};

use super::{DropFacts, Facts, FailedRun, Lookup, Run, Table, Waiting, stages};
use crate::operate::{
    clock::now_s,
    figures::{self, Figures},
};

/// Rejects of each reason that a run's page shows, and warnings.
const LIMITS: DetailLimits = DetailLimits { rejects_each: 5, warnings: 200 };

/// Reads what is shown of a pipeline.
///
/// # Errors
/// When the sink cannot be read.
pub fn read(plan: &Plan) -> Result<Facts, RunError> {
    let pipeline = &plan.pipeline.name;
    let ledger = run::drops(plan)?;
    let mut sink = plan.sink().connect(Access::Read)?;
    let accounts = sink.accounts(pipeline)?;
    // Whoever commits while this is read is left to the next look.
    let mut events = sink.history(pipeline)?;
    events.retain(|event| event.epoch <= ledger.epoch);
    let counts = sink.lookup_counts(pipeline)?;
    let kept = figures::kept(plan);
    Ok(Facts {
        pipeline: pipeline.clone(),
        sink: plan.sink().location(),
        read_s: now_s(),
        epoch: ledger.epoch,
        drops: drops(&ledger, &events),
        members: ledger.withdrawn_members.clone(),
        tables: tables(plan, &ledger, &accounts, &events),
        stages: stages(plan),
        lookups: lookups(plan, counts)?,
        failed: failed(&kept),
        running: None,
        trouble: None,
        waiting: sink.set_aside(pipeline)?.into_iter().map(waiting).collect(),
        runs: runs(&ledger, accounts, events, kept),
    })
}

/// What an epoch rejected and adapted.
///
/// # Errors
/// When the sink cannot be read.
pub fn details(plan: &Plan, epoch: Epoch) -> Result<EpochDetails, SinkError> {
    plan.sink().connect(Access::Read)?.epoch_details(&plan.pipeline.name, epoch, LIMITS)
}

fn failed(kept: &[Figures]) -> Vec<FailedRun> {
    let of = |figures: &Figures| {
        let kind = figures.failed.clone()?;
        Some(FailedRun { ended_at: figures.ended_at.clone(), kind, seconds: figures.seconds, message: None })
    };
    kept.iter().rev().filter_map(of).collect()
}

fn waiting(row: SetAsideRow) -> Waiting {
    let set_aside = Some((row.attempts, row.next_try));
    Waiting { source: row.source, name: row.drop, since: row.since, reason: row.reason, set_aside }
}

fn runs(ledger: &Snapshot, accounts: Accounts, events: Vec<Event>, kept: Vec<Figures>) -> Vec<Run> {
    let mut runs: BTreeMap<Epoch, Run> = BTreeMap::new();
    let known = accounts.epochs.into_iter().filter(|(epoch, _)| *epoch <= ledger.epoch);
    for (epoch, tables) in known {
        runs.insert(epoch, Run { epoch, tables, ..Run::default() });
    }
    for event in events {
        let run = runs.entry(event.epoch).or_insert_with(|| Run { epoch: event.epoch, ..Run::default() });
        run.committed_at.clone_from(&event.committed_at);
        run.events.push(event);
    }
    // Of two lines for one epoch the later one is of the database as it is: the other's was put back to an older copy.
    for figures in kept {
        if let Some(run) = figures.epoch.and_then(|epoch| runs.get_mut(&epoch)) {
            run.figures = Some(figures);
        }
    }
    runs.into_values().rev().collect()
}

fn drops(ledger: &Snapshot, events: &[Event]) -> Vec<DropFacts> {
    let mut happened: HashMap<DropId, Vec<(Epoch, String)>> = HashMap::new();
    let mut gone: Vec<(DropId, &Event)> = Vec::new();
    let standing: std::collections::HashSet<DropId> = ledger.drops.iter().map(|drop| drop.drop_id).collect();
    for event in events {
        let Some(drop_id) = event.drop_id else { continue };
        let of_drop = happened.entry(drop_id).or_default();
        if of_drop.is_empty() && !standing.contains(&drop_id) {
            gone.push((drop_id, event));
        }
        of_drop.push((event.epoch, event.action.clone()));
    }
    let mut take = |drop_id: DropId| happened.remove(&drop_id).unwrap_or_default();
    let stand = ledger.drops.iter().map(|row| DropFacts {
        source: row.source.clone(),
        name: row.name.clone(),
        events: take(row.drop_id),
        row: Some(row.clone()),
    });
    let mut drops: Vec<DropFacts> = stand.collect();
    drops.extend(gone.into_iter().map(|(drop_id, event)| DropFacts {
        source: event.source.clone(),
        name: event.name.clone(),
        events: take(drop_id),
        row: None,
    }));
    drops
}

fn tables(plan: &Plan, ledger: &Snapshot, accounts: &Accounts, events: &[Event]) -> Vec<Table> {
    let times: HashMap<Epoch, &str> = events.iter().map(|event| (event.epoch, event.committed_at.as_str())).collect();
    let histories = plan.histories();
    let table = |(table, history): (vardelta_schemas::TableSchema, Option<vardelta_schemas::TableSchema>)| {
        let of_table = |epoch: &(Epoch, Vec<vardelta_schemas::ledger::TableCounts>)| {
            let counts = epoch.1.iter().find(|counts| counts.name == table.name)?;
            (epoch.0 <= ledger.epoch).then(|| (epoch.0, counts.changed_rows()))
        };
        let changes: Vec<(Epoch, u64)> = accounts.epochs.iter().filter_map(of_table).collect();
        let last = changes.iter().rev().find(|(_, rows)| *rows > 0).map(|(epoch, _)| *epoch);
        let counts = ledger.tables.iter().find(|counts| counts.name == table.name);
        Table {
            key: table.key.iter().map(|at| table.schema.columns()[*at].name.clone()).collect(),
            rows: counts.map(|counts| counts.inserted + counts.updated + counts.unchanged),
            changed: last.map(|epoch| (epoch, times.get(&epoch).copied().unwrap_or_default().to_owned())),
            changes,
            has_history: history.is_some(),
            name: table.name,
        }
    };
    plan.tables().into_iter().zip(histories).map(table).collect()
}

fn lookups(plan: &Plan, counts: Vec<LookupCount>) -> Result<Vec<Lookup>, RunError> {
    let mut lookups = Vec::new();
    for (stage, tiers) in run::lookup_tiers(plan)? {
        let size = |tier: vardelta_engine::contract::lookup::KeptTier| {
            let size = tier.store.and_then(|mut store| store.size());
            (tier.name.to_owned(), size.map_err(|error| error.to_string()))
        };
        let keys = counts.iter().filter(|count| count.stage == stage).cloned().collect();
        lookups.push(Lookup { keys, tiers: tiers.into_iter().map(size).collect(), stage });
    }
    Ok(lookups)
}
