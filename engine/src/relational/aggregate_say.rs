//! What an aggregate computes, as a relation that databases know.

use vardelta_schemas::{
    Column, ColumnType, Schema,
    sql::view::{Aggregate, Call, Relation, Scalar, Unsayable},
};

use super::{AggregateCall, AggregateFunction, AggregateSpec};
use crate::expression::Expression;

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

/// Expressions over columns of this schema, as databases know them.
pub(crate) fn scalars<'a>(
    columns: impl IntoIterator<Item = (&'a Column, &'a Expression)>,
    schema: &Schema,
) -> Result<Vec<(Column, Scalar)>, Unsayable> {
    columns.into_iter().map(|(column, value)| Ok((column.clone(), value.scalar(schema)?))).collect()
}

/// The aggregate over what its input says, which has these columns.
pub(super) fn aggregate(spec: &AggregateSpec, input: Box<Relation>, columns: &Schema) -> Result<Relation, Unsayable> {
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
