//! Typed expressions as what they say, apart from any database; `vardelta_schemas::sql::view` writes that in a dialect.

use arrow_array::{
    Array as _, ArrayRef,
    cast::AsArray as _,
    types::{Date32Type, Decimal128Type, Float64Type, Int64Type},
};
use vardelta_schemas::{
    ColumnType, Schema,
    sql::view::{Form, Literal, Operation, Scalar, Unsayable},
};

use super::{
    node::{Node, Typed},
    types::Type,
};

/// What an expression over these columns says.
pub(super) fn scalar(typed: &Typed, schema: &Schema) -> Result<Scalar, Unsayable> {
    let all = |values: &[Typed]| values.iter().map(|value| scalar(value, schema)).collect::<Result<Vec<_>, _>>();
    if let (Node::Call { says: Some(Operation::Convert), arguments, .. }, Type::DateTime) = (&typed.node, &typed.of)
        && let [date] = arguments.as_slice()
        && date.of == Type::Date
    {
        // A function of a date with a time takes a date as its midnight, here and there.
        return scalar(date, schema);
    }
    let form = match &typed.node {
        Node::Column(at) => match schema.columns().get(*at) {
            Some(column) => Form::Column(column.name.clone()),
            None => return Err(Unsayable("a column that is not there".into())),
        },
        Node::Constant(array) => {
            Form::Literal(literal(array, &typed.of).ok_or_else(|| unsayable(&format!("a {}", typed.of)))?)
        }
        Node::Call { says: Some(operation), arguments, .. } => Form::Call(operation.clone(), all(arguments)?),
        Node::Call { says: None, .. } => {
            return Err(unsayable("an operator or a function that databases do not have alike"));
        }
        Node::Logic { or, sides } => {
            Form::Logic { or: *or, sides: Box::new([scalar(&sides[0], schema)?, scalar(&sides[1], schema)?]) }
        }
        Node::Case { branches, otherwise } => Form::Case {
            branches: branches
                .iter()
                .map(|(condition, value)| Ok((scalar(condition, schema)?, scalar(value, schema)?)))
                .collect::<Result<_, Unsayable>>()?,
            otherwise: otherwise.as_ref().map(|value| scalar(value, schema).map(Box::new)).transpose()?,
        },
        Node::Coalesce(values) => Form::Coalesce(all(values)?),
    };
    let of = match (&typed.of, typed.of.to_column()) {
        (_, Some(of)) => of,
        // NULL is the same in every type.
        (Type::Null, None) => ColumnType::Int64,
        (of, None) => return Err(unsayable(&format!("a {of}"))),
    };
    Ok(Scalar { of, form })
}

fn unsayable(what: &str) -> Unsayable {
    Unsayable(what.to_owned())
}

/// The first value of an array; `None` for a list or a time.
pub(super) fn literal(array: &ArrayRef, of: &Type) -> Option<Literal> {
    if *of == Type::Null || array.is_null(0) {
        return Some(Literal::Null);
    }
    Some(match of {
        Type::Bool => Literal::Bool(array.as_boolean().value(0)),
        Type::Int => Literal::Int(array.as_primitive::<Int64Type>().value(0)),
        Type::Decimal { .. } => Literal::Decimal(array.as_primitive::<Decimal128Type>().value(0)),
        Type::Float => Literal::Float(array.as_primitive::<Float64Type>().value(0)),
        Type::Text => Literal::Text(array.as_string::<i32>().value(0).to_owned()),
        Type::Date => Literal::Date(array.as_primitive::<Date32Type>().value(0)),
        Type::Null | Type::DateTime | Type::List(_) => return None,
    })
}
