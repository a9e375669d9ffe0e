//! The definitions of views as relations over tables that the sink keeps: what `verify` has the database compute.

use vardelta_schemas::{
    Column, ColumnType, Schema, TableSchema,
    sql::view::{Aggregate, Call, Relation, Scalar, Unsayable},
};

use super::{Plan, PlannedStage, is_table};
use crate::{
    contract::{algebra::Algebra, stage::Planned},
    expression::Expression,
    relational::{AggregateCall, AggregateFunction, AggregateSpec, How, JoinSpec, Relational, UnionSpec},
};

/// The aggregate functions that databases have alike. Of another one nothing is said.
const AGGREGATES: [(AggregateFunction, Aggregate); 8] = [
    (AggregateFunction::Count, Aggregate::Count),
    (AggregateFunction::CountDistinct, Aggregate::CountDistinct),
    (AggregateFunction::Sum, Aggregate::Sum),
    (AggregateFunction::Avg, Aggregate::Average),
    (AggregateFunction::Min, Aggregate::Min),
    (AggregateFunction::Max, Aggregate::Max),
    (AggregateFunction::BoolAnd, Aggregate::Min),
    (AggregateFunction::BoolOr, Aggregate::Max),
];

impl Plan {
    /// What the stage says, as a relation over the tables that the sink keeps: where it is `whole`, over those that drops make, and
    /// over a view of which databases know nothing; else over the nearest ones.
    ///
    /// # Errors
    /// Where a part of it is nothing that databases know.
    pub(crate) fn defined(&self, stage: usize, whole: bool) -> Result<Relation, Unsayable> {
        let PlannedStage { name, type_name, inputs, schema, planned, .. } = &self.stages[stage];
        let refused = || Unsayable(format!("stage `{name}` ({type_name})"));
        let of = |error: Unsayable| Unsayable(format!("{error}, in stage `{name}`"));
        let input = |at: usize| self.input(*inputs.get(at).ok_or_else(refused)?, whole).map(Box::new);
        let columns = || &self.stages[inputs[0]].schema;
        match planned {
            Planned::Transform(transform) => match transform.algebra().ok_or_else(refused)? {
                Algebra::Filter(condition) => {
                    Ok(Relation::Filter { input: input(0)?, condition: condition.scalar(columns()).map_err(of)? })
                }
                Algebra::Select(selected) => {
                    let input = input(0)?;
                    Ok(Relation::Select { input, columns: scalars(selected, columns()).map_err(of)? })
                }
            },
            Planned::Relational(Relational::Aggregate(spec)) => aggregate(spec, input(0)?, columns()).map_err(of),
            Planned::Relational(Relational::Union(UnionSpec { tags, .. })) => {
                let inputs = inputs.iter().map(|input| self.input(*input, whole)).collect::<Result<_, _>>()?;
                Ok(Relation::Union { inputs, tags: tags.clone(), schema: schema.clone() })
            }
            Planned::Relational(Relational::Join(spec)) => Ok(join(spec, [*input(0)?, *input(1)?])),
            Planned::Relational(Relational::Table(_)) => {
                Err(Unsayable(format!("table `{name}`, which the database does not keep")))
            }
            Planned::Relational(_) | Planned::Source(_) | Planned::Sink(_) => Err(refused()),
        }
    }

    /// What a stage reads of another one.
    fn input(&self, stage: usize, whole: bool) -> Result<Relation, Unsayable> {
        let PlannedStage { name, schema, key, planned, .. } = &self.stages[stage];
        let table = self.stages[self.sink].inputs.contains(&stage).then(|| {
            let key = key.clone().unwrap_or_default();
            Relation::Table(TableSchema { name: name.clone(), schema: schema.clone(), key })
        });
        match table {
            Some(table) if is_table(planned) || !whole => Ok(table),
            Some(table) => Ok(self.defined(stage, whole).unwrap_or(table)),
            None => self.defined(stage, whole),
        }
    }
}

fn scalars<'a>(
    columns: impl IntoIterator<Item = (&'a Column, &'a Expression)>,
    schema: &Schema,
) -> Result<Vec<(Column, Scalar)>, Unsayable> {
    columns.into_iter().map(|(column, value)| Ok((column.clone(), value.scalar(schema)?))).collect()
}

fn aggregate(spec: &AggregateSpec, input: Box<Relation>, columns: &Schema) -> Result<Relation, Unsayable> {
    let AggregateSpec { schema, key: _, group_by, calls, columns: outer } = spec;
    let said = calls.iter().enumerate().map(|(at, call)| aggregate_call(at, call, columns));
    let said: Vec<Call> = said.collect::<Result<_, _>>()?;
    let groups = group_by.iter().map(|at| columns.columns()[*at].clone());
    let results = said.iter().map(|call| Column::nullable(&call.name, call.result.clone()));
    let visible = Schema::new(groups.chain(results).collect());
    let outer = scalars(outer.iter().map(|(column, value)| (column, value)), &visible)?;
    Ok(Relation::Aggregate { input, group_by: group_by.clone(), calls: said, columns: outer, schema: schema.clone() })
}

fn aggregate_call(at: usize, call: &AggregateCall, columns: &Schema) -> Result<Call, Unsayable> {
    // Every field is named: what a call has beside them must be said as well, or refused.
    let AggregateCall { function, arguments, filter, result } = call;
    let known = AGGREGATES.iter().find(|(ours, _)| ours == function);
    let (_, said) = known.ok_or_else(|| Unsayable(format!("the aggregate function {function:?}")))?;
    let refused = |what: &str| Unsayable(format!("{what} for the aggregate function {function:?}"));
    let argument = match arguments.as_slice() {
        [] => None,
        [argument]
            if argument.column_type == ColumnType::Bool && matches!(said, Aggregate::Sum | Aggregate::Average) =>
        {
            return Err(refused("a truth value"));
        }
        [argument] => Some(argument),
        _ => return Err(refused("several values")),
    };
    Ok(Call {
        name: AggregateSpec::call_column(at),
        function: *said,
        argument: argument.map(|argument| argument.scalar(columns)).transpose()?,
        filter: filter.as_ref().map(|filter| filter.scalar(columns)).transpose()?,
        result: result.clone(),
    })
}

fn join(spec: &JoinSpec, sides: [Relation; 2]) -> Relation {
    Relation::Join {
        sides: Box::new(sides),
        is_left: spec.how == How::Left,
        on: spec.left.on.iter().copied().zip(spec.right.on.iter().copied()).collect(),
        schema: spec.schema.clone(),
    }
}
