//! NULL and choices.

use arrow_array::ArrayRef;

use super::{ABSENT, Accepts, Database::*, Family, Form, Function, Nulls, Parameter, Returns};
use crate::expression::{call::Call, compare::extreme};

const fn condition(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Conditions, name, about)
}

const COMMON_MANY: &[Parameter] = &[Parameter::many("value", Accepts::Common)];
const COMMON_TWO: &[Parameter] = &[Parameter::one("value", Accepts::Common), Parameter::one("other", Accepts::Common)];

/// Functions of NULL and of choices.
pub(super) static CONDITIONS: &[Function] = &[
    condition("coalesce", "The first value that is not NULL. Values after it are not computed.")
        .takes(COMMON_MANY)
        .form(Returns::Common, Form::Coalesce)
        .nulls(Nulls::Own("NULL where all values are"))
        .examples(&[("coalesce(NULL, 'x')", "x"), ("coalesce(1, 1 / 0)", "1.0000")]),
    condition("ifnull", "The value, or the other where it is NULL.")
        .or(&["nvl"])
        .takes(COMMON_TWO)
        .form(Returns::Common, Form::Coalesce)
        .nulls(Nulls::Own("NULL where both are"))
        .examples(&[("ifnull(NULL, 1)", "1")]),
    condition("nullif", "NULL where the value equals the other, else the value.")
        .takes(COMMON_TWO)
        .form(Returns::First, Form::NullIf)
        .nulls(Nulls::Own("NULL where the value is, or where both are equal"))
        .examples(&[("nullif('.', '.')", "NULL"), ("nullif(7, 8)", "7")]),
    condition("if", "`then` where the condition is true, else `otherwise`. Only the one that is taken is computed.")
        .or(&["iif"])
        .takes(&[
            Parameter::one("condition", Accepts::Bool),
            Parameter::one("then", Accepts::Common),
            Parameter::one("otherwise", Accepts::Common),
        ])
        .form(Returns::Common, Form::If)
        .nulls(Nulls::Own("NULL where the value that is taken is"))
        .examples(&[("if(7 > 5, 'high', 'low')", "high"), ("if(NULL, 1, 2)", "2")]),
    condition("isnull", "Whether the value is NULL: `value IS NULL`.")
        .takes(&[Parameter::one("value", Accepts::Any)])
        .gives(Returns::Bool, |call| call.bools(|row| Ok(call.argument(0).is_null(row))))
        .nulls(Nulls::Never)
        .examples(&[("isnull(NULL)", "1")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    condition("greatest", "The greatest of the values.")
        .takes(COMMON_MANY)
        .gives(Returns::Common, |call: &Call<'_>| -> ArrayRef { extreme(call, true) })
        .examples(&[("greatest(7, 2)", "7"), ("greatest(7, NULL)", "NULL")])
        .elsewhere(&[(Sqlite, "is `max` of several values")]),
    condition("least", "The least of the values.")
        .takes(COMMON_MANY)
        .gives(Returns::Common, |call: &Call<'_>| -> ArrayRef { extreme(call, false) })
        .examples(&[("least(7, 2.5)", "2.5"), ("least('b', 'a')", "a")])
        .elsewhere(&[(Sqlite, "is `min` of several values")]),
];
