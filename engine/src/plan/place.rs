//! Where a table's rows tell the place of the record that they come from.

use vardelta_schemas::ColumnType;

use crate::{
    contract::{
        source::PlaceColumns,
        stage::{Kind, Planned},
    },
    plan::{Plan, StageIndex},
};

/// The columns of a table that hold contig and position of the records of a source, as far as they come through the stages
/// between. `None` where neither does.
pub(crate) fn place_columns(plan: &Plan, source: StageIndex, table: StageIndex) -> PlaceColumns {
    let Planned::Source(reader) = &plan.stages[source].planned else { return PlaceColumns::default() };
    let columns = reader.place_columns();
    let Some(path) = path(plan, source, table) else { return PlaceColumns::default() };
    let follow = |column: Option<usize>, wanted: &ColumnType| {
        let through = path.iter().fold(Vec::from_iter(column), |columns, stage| {
            columns.into_iter().flat_map(|column| carries(plan, *stage, column)).collect()
        });
        let is_wanted = |column: &usize| plan.stages[table].schema.columns()[*column].column_type == *wanted;
        through.into_iter().find(is_wanted)
    };
    PlaceColumns {
        contig: follow(columns.contig, &ColumnType::Text),
        position: follow(columns.position, &ColumnType::Int64),
    }
}

/// The stages after a source up to a table before which there is no other table; where several ways lead there, the first.
fn path(plan: &Plan, source: StageIndex, to: StageIndex) -> Option<Vec<StageIndex>> {
    let way = |input: &StageIndex| if *input == source { Some(Vec::new()) } else { path(plan, source, *input) };
    let mut path = plan.stages[to].inputs.iter().find_map(way)?;
    path.push(to);
    Some(path)
}

fn carries(plan: &Plan, stage: StageIndex, column: usize) -> Vec<usize> {
    match &plan.stages[stage].planned {
        Planned::Transform(transform) => transform.carries(column),
        Planned::Relational(relational) => relational.relation().carries(column).into_iter().collect(),
        Planned::Source(_) | Planned::Sink(_) => Vec::new(),
    }
}

/// The source of this name.
pub(crate) fn source_named(plan: &Plan, name: &str) -> Option<StageIndex> {
    plan.stage(name).map(|(at, _)| at).filter(|at| plan.stages[*at].kind == Kind::Source)
}
