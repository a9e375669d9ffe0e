//! Comparisons: of numbers by value, of texts byte by byte, of dates in time.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray,
    types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType},
};
use arrow_buffer::BooleanBuffer;

pub(crate) use vardelta_schemas::sql::view::Comparison;
use vardelta_schemas::sql::view::{Literal, Operation};

use super::{
    call::{Call, Numbers, Stop, Values},
    convert::widen,
    exact,
    node::{Run, Typed},
    say::literal,
    types::{Type, common},
};

fn holds(op: Comparison, order: Ordering) -> bool {
    match op {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// `left op right`; None where their types have nothing in common that is compared.
pub(crate) fn compare(op: Comparison, left: Typed, right: Typed) -> Option<Typed> {
    let (left, right, of) = alike(left, right)?;
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let bits = compared(op, call, &of);
        Arc::new(BooleanArray::new(bits, call.nulls().cloned()))
    });
    Some(Typed::strict(run, vec![left, right], Type::Bool, false).says(Operation::Compare(op)))
}

/// Both sides in the type that they are compared in. Decimals keep their scales: bringing them to one could leave 38
/// digits.
fn alike(left: Typed, right: Typed) -> Option<(Typed, Typed, Type)> {
    let of = common(&left.of, &right.of)?;
    if matches!(of, Type::List(_)) {
        return None;
    }
    let of = if of == Type::Null { Type::Int } else { of };
    let side = |typed: Typed| match (&of, typed.of.digits()) {
        (Type::Decimal { .. }, Some((whole, scale))) => widen(typed, &Type::decimal(whole, scale)),
        _ => widen(typed, &of),
    };
    Some((side(left), side(right), of.clone()))
}

/// The answers; those of NULLs mean nothing.
fn compared(op: Comparison, call: &Call<'_>, of: &Type) -> BooleanBuffer {
    match of {
        Type::Int => ordered(op, call.primitive::<Int64Type>(0), call.primitive::<Int64Type>(1), call.rows()),
        Type::Float => ordered(op, call.primitive::<Float64Type>(0), call.primitive::<Float64Type>(1), call.rows()),
        Type::Date => ordered(op, call.primitive::<Date32Type>(0), call.primitive::<Date32Type>(1), call.rows()),
        Type::DateTime => {
            type Micros = TimestampMicrosecondType;
            ordered(op, call.primitive::<Micros>(0), call.primitive::<Micros>(1), call.rows())
        }
        Type::Decimal { .. } => {
            let (left, right) = (call.primitive::<Decimal128Type>(0), call.primitive::<Decimal128Type>(1));
            let (left_scale, right_scale) = (call.scale(0), call.scale(1));
            match left_scale == right_scale {
                true => ordered(op, left, right, call.rows()),
                false => BooleanBuffer::collect_bool(call.rows(), |row| {
                    holds(op, exact::compare(left.at(row), left_scale, right.at(row), right_scale))
                }),
            }
        }
        Type::Bool => {
            let (left, right) = (call.bool(0), call.bool(1));
            BooleanBuffer::collect_bool(call.rows(), |row| holds(op, left.at(row).cmp(&right.at(row))))
        }
        _ => {
            let (left, right) = (call.text(0), call.text(1));
            match op {
                // Texts of different lengths need no look at their bytes.
                Comparison::Equal => BooleanBuffer::collect_bool(call.rows(), |row| left.at(row) == right.at(row)),
                Comparison::NotEqual => BooleanBuffer::collect_bool(call.rows(), |row| left.at(row) != right.at(row)),
                _ => BooleanBuffer::collect_bool(call.rows(), |row| holds(op, left.at(row).cmp(right.at(row)))),
            }
        }
    }
}

/// Compares fixed-width values; against a constant without a look-up per row.
fn ordered<T: Copy + PartialOrd>(
    op: Comparison,
    left: Numbers<'_, T>,
    right: Numbers<'_, T>,
    rows: usize,
) -> BooleanBuffer {
    fn each<T: Copy>(
        left: Numbers<'_, T>,
        right: Numbers<'_, T>,
        rows: usize,
        holds: impl Fn(T, T) -> bool,
    ) -> BooleanBuffer {
        if right.step == 0 && left.step == 1 && rows > 0 {
            let (values, constant) = (left.values, right.values[0]);
            return BooleanBuffer::collect_bool(rows, |row| holds(values[row], constant));
        }
        BooleanBuffer::collect_bool(rows, |row| holds(left.at(row), right.at(row)))
    }
    match op {
        Comparison::Equal => each(left, right, rows, |left, right| left == right),
        Comparison::NotEqual => each(left, right, rows, |left, right| left != right),
        Comparison::Less => each(left, right, rows, |left, right| left < right),
        Comparison::LessOrEqual => each(left, right, rows, |left, right| left <= right),
        Comparison::Greater => each(left, right, rows, |left, right| left > right),
        Comparison::GreaterOrEqual => each(left, right, rows, |left, right| left >= right),
    }
}

/// `left <=> right`, or its negation: NULL equals NULL and nothing else.
pub(crate) fn null_safe_equal(left: Typed, right: Typed, negated: bool) -> Option<Typed> {
    let (left, right, of) = alike(left, right)?;
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let equal = compared(Comparison::Equal, call, &of);
        let (left, right) = (call.argument(0), call.argument(1));
        call.tests(|row| {
            let same = match (left.is_null(row), right.is_null(row)) {
                (false, false) => equal.value(row),
                (one, other) => one && other,
            };
            same != negated
        })
    });
    Some(Typed::call(run, vec![left, right], Type::Bool, false, false, false).says(Operation::NullSafe { negated }))
}

/// `value IN (list)`, where every item is a constant of `value`'s type or NULL: looked up in a set.
pub(crate) fn in_constants(value: Typed, items: &[ArrayRef], has_null: bool, negated: bool) -> Option<Typed> {
    let run: Run = match &value.of {
        Type::Int => looked_up::<Int64Type>(items, has_null, negated),
        Type::Date => looked_up::<Date32Type>(items, has_null, negated),
        Type::Text => {
            use arrow_array::cast::AsArray as _;
            let set: HashSet<String> = items.iter().map(|item| item.as_string::<i32>().value(0).to_string()).collect();
            Arc::new(move |call: &Call<'_>| {
                let texts = call.text(0);
                call.bools(|row| found(set.contains(texts.at(row)), has_null, negated))
            })
        }
        _ => return None,
    };
    let nullable = value.nullable || has_null;
    let said: Option<Vec<Literal>> = items.iter().map(|item| literal(item, &value.of)).collect();
    let typed = Typed::call(run, vec![value], Type::Bool, true, nullable, false);
    Some(match said {
        Some(mut items) => {
            items.extend(has_null.then_some(Literal::Null));
            typed.says(Operation::In { items, negated })
        }
        None => typed,
    })
}

fn looked_up<T: ArrowPrimitiveType>(items: &[ArrayRef], has_null: bool, negated: bool) -> Run
where
    T::Native: Eq + std::hash::Hash,
{
    use arrow_array::cast::AsArray as _;
    let set: HashSet<T::Native> = items.iter().map(|item| item.as_primitive::<T>().value(0)).collect();
    Arc::new(move |call: &Call<'_>| {
        let values = call.primitive::<T>(0);
        call.bools(|row| found(set.contains(&values.at(row)), has_null, negated))
    })
}

fn found(found: bool, has_null: bool, negated: bool) -> Result<bool, Stop> {
    match (found, has_null) {
        (true, _) => Ok(!negated),
        // It might be the one that is unknown.
        (false, true) => Err(Stop::Null),
        (false, false) => Ok(negated),
    }
}

/// `value IS NULL`, or its negation.
pub(crate) fn is_null(value: Typed, negated: bool) -> Typed {
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let value: &Values = call.argument(0);
        match (value.constant, arrow_array::Array::nulls(value.array.as_ref())) {
            (false, Some(nulls)) => {
                let bits = if negated { nulls.inner().clone() } else { !nulls.inner() };
                Arc::new(BooleanArray::new(bits, None))
            }
            _ => call.tests(|row| value.is_null(row) != negated),
        }
    });
    Typed::call(run, vec![value], Type::Bool, false, false, false).says(Operation::IsNull { negated })
}

/// `value IS TRUE` (or FALSE), or its negation.
pub(crate) fn is_truth(value: Typed, truth: bool, negated: bool) -> Typed {
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let (value, bools) = (call.argument(0), call.bool(0));
        call.tests(|row| (!value.is_null(row) && bools.at(row) == truth) != negated)
    });
    Typed::call(run, vec![value], Type::Bool, false, false, false).says(Operation::IsTruth { truth, negated })
}

/// The least or the greatest of values of one type; NULL where one is.
pub(crate) fn extreme(call: &Call<'_>, greatest: bool) -> ArrayRef {
    fn pick<T: ArrowPrimitiveType>(call: &Call<'_>, better: fn(&T::Native, &T::Native) -> bool) -> ArrayRef {
        let arguments: Vec<Numbers<'_, T::Native>> = (0..call.arguments()).map(|at| call.primitive::<T>(at)).collect();
        let of = call.type_of(0).clone();
        let one = |row: usize| {
            let mut best = arguments[0].at(row);
            for other in &arguments[1..] {
                let other = other.at(row);
                if better(&other, &best) {
                    best = other;
                }
            }
            best
        };
        let values: Vec<T::Native> = (0..call.rows()).map(one).collect();
        let array = arrow_array::PrimitiveArray::<T>::new(values.into(), call.nulls().cloned());
        Arc::new(array.with_data_type(of))
    }
    fn primitive<T: ArrowPrimitiveType>(call: &Call<'_>, greatest: bool) -> ArrayRef
    where
        T::Native: PartialOrd,
    {
        match greatest {
            true => pick::<T>(call, |one, other| one > other),
            false => pick::<T>(call, |one, other| one < other),
        }
    }
    use arrow_schema::DataType;
    match call.type_of(0) {
        DataType::Int64 => primitive::<Int64Type>(call, greatest),
        DataType::Float64 => primitive::<Float64Type>(call, greatest),
        DataType::Decimal128(..) => primitive::<Decimal128Type>(call, greatest),
        DataType::Date32 => primitive::<Date32Type>(call, greatest),
        DataType::Timestamp(..) => primitive::<TimestampMicrosecondType>(call, greatest),
        DataType::Boolean => call.bools(|row| {
            let values = (0..call.arguments()).map(|at| call.bool(at).at(row));
            Ok(if greatest { values.into_iter().any(|value| value) } else { values.into_iter().all(|value| value) })
        }),
        _ => call.parts(|row| {
            let texts = (0..call.arguments()).map(|at| call.text(at).at(row));
            let best = if greatest { texts.max() } else { texts.min() };
            best.ok_or(Stop::Null)
        }),
    }
}
