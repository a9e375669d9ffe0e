//! Where the members of a source's drops (its samples) lie in the keys of tables.

use std::collections::BTreeMap;

use crate::{
    contract::stage::Planned,
    plan::{Plan, StageIndex, source, tables_of},
};

/// For each table that a source's rows come to, which column of its key holds the member; or the tables whose key holds none,
/// by name: their rows are several members', of which a drop keeps the last one's alone, so that none can be taken back by
/// itself. `None` where the source's drops have no members.
pub(crate) fn member_keys(plan: &Plan, at: StageIndex) -> Option<Result<BTreeMap<StageIndex, usize>, Vec<String>>> {
    let column = source(plan, at).ok()?.member_column()?;
    // By stage, the column that holds the member; `None` where a way there loses it.
    let mut columns: BTreeMap<StageIndex, Option<usize>> = BTreeMap::from([(at, Some(column))]);
    let tables = tables_of(plan, at);
    for (stage, planned) in plan.stages.indexed() {
        let ways = planned.inputs.iter().filter_map(|input| columns.get(input).copied());
        let mut ways = ways.map(|column| column.and_then(|column| carried(plan, stage, column)));
        let Some(first) = ways.next() else { continue };
        columns.insert(stage, if ways.all(|other| other == first) { first } else { None });
        if tables.contains(&stage) {
            let key = planned.key.as_deref().unwrap_or_default();
            let in_key = columns[&stage].and_then(|column| key.iter().position(|of_key| *of_key == column));
            columns.insert(stage, in_key);
        }
    }
    let place = |table: StageIndex| columns.get(&table).copied().flatten();
    let lost: Vec<String> =
        tables.iter().filter(|table| place(**table).is_none()).map(|table| plan.stages[*table].name.clone()).collect();
    if !lost.is_empty() {
        return Some(Err(lost));
    }
    Some(Ok(tables.into_iter().filter_map(|table| Some((table, place(table)?))).collect()))
}

/// Where a stage's rows have what a column of its input holds.
fn carried(plan: &Plan, stage: StageIndex, column: usize) -> Option<usize> {
    match &plan.stages[stage].planned {
        Planned::Transform(transform) => match transform.carries(column)[..] {
            [column] => Some(column),
            _ => None,
        },
        Planned::Relational(relational) => relational.relation().carries(column),
        Planned::Source(_) | Planned::Sink(_) => None,
    }
}
