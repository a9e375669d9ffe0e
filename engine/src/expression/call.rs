//! What a function sees of a batch: its arguments row by row, and builders for its results.

use std::{cell::RefCell, fmt::Write as _, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, ArrowPrimitiveType, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray,
    PrimitiveArray, StringArray,
    builder::StringBuilder,
    cast::AsArray as _,
    types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType},
};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, NullBufferBuilder};
use arrow_schema::DataType;

use super::{EXPRESSION_FAILED, Failure, NOT_FINITE, OVERFLOW, UNKNOWN_TERM};
use crate::contract::reason::Reason;

/// What is reported of a term that is not known, at the most: it may be any text.
const TERM_CHARACTERS_MAX: usize = 80;

/// Why a row has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is NULL.
    Null,
    /// It cannot be computed: the reason that the row is rejected for, and the details.
    Failed(&'static Reason, String),
}

impl Stop {
    /// The row is rejected because a number left its range.
    pub fn overflow(detail: impl Into<String>) -> Stop {
        Stop::Failed(OVERFLOW, detail.into())
    }

    /// The row is rejected for a reason that the detail says.
    pub fn failed(detail: impl Into<String>) -> Stop {
        Stop::Failed(EXPRESSION_FAILED, detail.into())
    }
}

/// The values of an argument: one per row, or one for all of them.
#[derive(Clone, Debug)]
pub struct Values {
    /// The values; only the first counts where it is constant.
    pub array: ArrayRef,
    /// Whether one value holds for every row.
    pub constant: bool,
}

impl Values {
    fn step(&self) -> usize {
        usize::from(!self.constant)
    }

    /// Whether the value of a row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        let row = row * self.step();
        match self.array.nulls() {
            Some(nulls) => nulls.is_null(row),
            None => *self.array.data_type() == DataType::Null,
        }
    }
}

/// Fixed-width values of an argument.
#[derive(Clone, Copy)]
pub struct Numbers<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) step: usize,
}

impl<T: Copy> Numbers<'_, T> {
    /// The value of a row; meaningless where it is NULL.
    pub fn at(&self, row: usize) -> T {
        self.values[row * self.step]
    }
}

/// Texts of an argument.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    pub(crate) array: &'a StringArray,
    pub(crate) step: usize,
}

impl<'a> Texts<'a> {
    /// The text of a row; meaningless where it is NULL.
    pub fn at(&self, row: usize) -> &'a str {
        self.array.value(row * self.step)
    }
}

/// Booleans of an argument.
#[derive(Clone, Copy)]
pub struct Bools<'a> {
    array: &'a BooleanArray,
    step: usize,
}

impl Bools<'_> {
    /// The value of a row; meaningless where it is NULL.
    pub fn at(&self, row: usize) -> bool {
        self.array.value(row * self.step)
    }
}

/// Lists of an argument.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    array: &'a ListArray,
    step: usize,
}

impl Lists<'_> {
    /// The items of a row; meaningless where it is NULL.
    pub fn at(&self, row: usize) -> ArrayRef {
        self.array.value(row * self.step)
    }
}

/// A call over a batch of rows.
pub struct Call<'a> {
    arguments: &'a [Values],
    rows: usize,
    nulls: Option<NullBuffer>,
    failures: &'a RefCell<Vec<Failure>>,
}

impl<'a> Call<'a> {
    /// A call over `rows` rows. Where it is strict, rows with a NULL among the arguments are NULL and not asked for.
    pub(crate) fn new(
        arguments: &'a [Values],
        rows: usize,
        strict: bool,
        failures: &'a RefCell<Vec<Failure>>,
    ) -> Call<'a> {
        let mut nulls = None;
        if strict {
            for argument in arguments {
                if argument.constant {
                    if argument.is_null(0) {
                        nulls = Some(NullBuffer::new_null(rows));
                    }
                } else {
                    nulls = NullBuffer::union(nulls.as_ref(), argument.array.nulls());
                }
            }
        }
        Call { arguments, rows, nulls, failures }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows that are NULL because an argument is.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// How many arguments.
    pub fn arguments(&self) -> usize {
        self.arguments.len()
    }

    /// An argument.
    pub fn argument(&self, at: usize) -> &'a Values {
        &self.arguments[at]
    }

    /// The Arrow type of an argument.
    pub fn type_of(&self, at: usize) -> &'a DataType {
        self.arguments[at].array.data_type()
    }

    /// An argument that is text.
    pub fn text(&self, at: usize) -> Texts<'a> {
        let values = &self.arguments[at];
        Texts { array: values.array.as_string(), step: values.step() }
    }

    /// An argument that is an integer.
    pub fn int(&self, at: usize) -> Numbers<'a, i64> {
        self.primitive::<Int64Type>(at)
    }

    /// An argument that is a double.
    pub fn float(&self, at: usize) -> Numbers<'a, f64> {
        self.primitive::<Float64Type>(at)
    }

    /// An argument that is a decimal, without its point.
    pub fn decimal(&self, at: usize) -> Numbers<'a, i128> {
        self.primitive::<Decimal128Type>(at)
    }

    /// An argument that is a date, as days since 1970-01-01.
    pub fn date(&self, at: usize) -> Numbers<'a, i32> {
        self.primitive::<Date32Type>(at)
    }

    /// An argument that is a date with a time, as microseconds since 1970-01-01.
    pub fn datetime(&self, at: usize) -> Numbers<'a, i64> {
        self.primitive::<TimestampMicrosecondType>(at)
    }

    /// An argument that is a boolean.
    pub fn bool(&self, at: usize) -> Bools<'a> {
        let values = &self.arguments[at];
        Bools { array: values.array.as_boolean(), step: values.step() }
    }

    /// An argument that is a list.
    pub fn list(&self, at: usize) -> Lists<'a> {
        let values = &self.arguments[at];
        Lists { array: values.array.as_list(), step: values.step() }
    }

    /// The digits after the point of a decimal argument; 0 of any other.
    pub fn scale(&self, at: usize) -> u8 {
        match self.type_of(at) {
            DataType::Decimal128(_, scale) => scale.unsigned_abs(),
            _ => 0,
        }
    }

    pub(crate) fn primitive<T: ArrowPrimitiveType>(&self, at: usize) -> Numbers<'a, T::Native> {
        let values = &self.arguments[at];
        Numbers { values: values.array.as_primitive::<T>().values(), step: values.step() }
    }

    /// Rejects a row.
    pub(crate) fn fail(&self, row: usize, reason: &'static Reason, detail: String) {
        self.failures.borrow_mut().push(Failure { row, reason, detail });
    }

    /// Counts and reports that a row holds a term which the function does not know. The row keeps the value it is given.
    pub fn unknown_term(&self, row: usize, term: &str) {
        let term = term.chars().take(TERM_CHARACTERS_MAX).collect();
        self.fail(row, UNKNOWN_TERM, term);
    }

    fn stopped(&self, row: usize, stop: Stop) {
        if let Stop::Failed(reason, detail) = stop {
            self.fail(row, reason, detail);
        }
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Texts, each written by `write` into an empty buffer.
    pub fn texts(&self, mut write: impl FnMut(usize, &mut String) -> Result<(), Stop>) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.rows, self.rows * 8);
        let mut buffer = String::new();
        let mut bytes = 0_usize;
        for row in 0..self.rows {
            if self.is_null(row) {
                builder.append_null();
                continue;
            }
            buffer.clear();
            let written = write(row, &mut buffer).and_then(|()| {
                bytes += buffer.len();
                // What 32-bit offsets can address.
                match bytes <= i32::MAX as usize {
                    true => Ok(()),
                    false => Err(Stop::failed("the texts of one batch are longer than 2 GiB")),
                }
            });
            match written {
                Ok(()) => builder.append_value(&buffer),
                Err(stop) => {
                    self.stopped(row, stop);
                    builder.append_null();
                }
            }
        }
        Arc::new(builder.finish())
    }

    /// Texts that are parts of others, copied once.
    pub fn parts<'t>(&self, mut part: impl FnMut(usize) -> Result<&'t str, Stop>) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.rows, self.rows * 8);
        for row in 0..self.rows {
            let found = if self.is_null(row) { Err(Stop::Null) } else { part(row) };
            match found {
                Ok(text) => builder.append_value(text),
                Err(stop) => {
                    self.stopped(row, stop);
                    builder.append_null();
                }
            }
        }
        Arc::new(builder.finish())
    }

    /// Integers.
    pub fn ints(&self, value: impl FnMut(usize) -> Result<i64, Stop>) -> ArrayRef {
        Arc::new(self.build::<Int64Type>(value))
    }

    /// Doubles. One that is not finite is a failure.
    pub fn floats(&self, mut value: impl FnMut(usize) -> Result<f64, Stop>) -> ArrayRef {
        Arc::new(self.build::<Float64Type>(|row| {
            let value = value(row)?;
            match value.is_finite() {
                true => Ok(value),
                false => Err(Stop::Failed(NOT_FINITE, format!("the result is {value}"))),
            }
        }))
    }

    /// Decimals without their point.
    pub fn decimals(&self, precision: u8, scale: u8, mut value: impl FnMut(usize) -> Result<i128, Stop>) -> ArrayRef {
        let limit = 10_u128.pow(u32::from(precision.min(38)));
        let built: Decimal128Array = self.build::<Decimal128Type>(|row| {
            let value = value(row)?;
            match value.unsigned_abs() < limit {
                true => Ok(value),
                false => Err(Stop::overflow(format!("the result does not fit decimal({precision},{scale})"))),
            }
        });
        Arc::new(built.with_data_type(DataType::Decimal128(precision, scale as i8)))
    }

    /// Dates, as days since 1970-01-01.
    pub fn dates(&self, value: impl FnMut(usize) -> Result<i32, Stop>) -> ArrayRef {
        Arc::new(self.build::<Date32Type>(value))
    }

    /// Dates with times, as microseconds since 1970-01-01.
    pub fn datetimes(&self, value: impl FnMut(usize) -> Result<i64, Stop>) -> ArrayRef {
        Arc::new(self.build::<TimestampMicrosecondType>(value))
    }

    /// Booleans.
    pub fn bools(&self, mut value: impl FnMut(usize) -> Result<bool, Stop>) -> ArrayRef {
        let mut values = BooleanBufferBuilder::new(self.rows);
        let mut nulls = NullBufferBuilder::new(self.rows);
        for row in 0..self.rows {
            let found = if self.is_null(row) { Err(Stop::Null) } else { value(row) };
            nulls.append(found.is_ok());
            values.append(match found {
                Ok(value) => value,
                Err(stop) => {
                    self.stopped(row, stop);
                    false
                }
            });
        }
        Arc::new(BooleanArray::new(values.finish(), nulls.finish()))
    }

    /// Booleans that cannot fail; `value` may be asked of rows that are NULL.
    pub(crate) fn tests(&self, value: impl FnMut(usize) -> bool) -> ArrayRef {
        Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(self.rows, value), self.nulls.clone()))
    }

    /// Fixed-width values.
    pub(crate) fn build<T: ArrowPrimitiveType>(
        &self,
        mut value: impl FnMut(usize) -> Result<T::Native, Stop>,
    ) -> PrimitiveArray<T> {
        let mut values = Vec::with_capacity(self.rows);
        let mut nulls = NullBufferBuilder::new(self.rows);
        for row in 0..self.rows {
            let found = if self.is_null(row) { Err(Stop::Null) } else { value(row) };
            nulls.append(found.is_ok());
            values.push(match found {
                Ok(value) => value,
                Err(stop) => {
                    self.stopped(row, stop);
                    T::Native::default()
                }
            });
        }
        PrimitiveArray::new(values.into(), nulls.finish())
    }

    /// Integers that are all computed before it is known whether one failed: `value` says whether it holds.
    pub(crate) fn checked_ints(
        &self,
        mut value: impl FnMut(usize) -> (i64, bool),
        mut again: impl FnMut(usize) -> Result<i64, Stop>,
    ) -> ArrayRef {
        let mut failed = false;
        let values: Vec<i64> = (0..self.rows)
            .map(|row| {
                let (value, wrapped) = value(row);
                failed |= wrapped;
                value
            })
            .collect();
        match failed {
            // Perhaps only where a NULL hides: row by row it is seen.
            true => self.ints(&mut again),
            false => Arc::new(Int64Array::new(values.into(), self.nulls.clone())),
        }
    }

    /// Doubles that are all computed before it is known whether one is not finite.
    pub(crate) fn checked_floats(&self, mut value: impl FnMut(usize) -> f64) -> ArrayRef {
        let values: Vec<f64> = (0..self.rows).map(&mut value).collect();
        match values.iter().all(|value| value.is_finite()) {
            true => Arc::new(Float64Array::new(values.into(), self.nulls.clone())),
            false => self.floats(|row| Ok(value(row))),
        }
    }
}

/// Appends what [`std::fmt`] makes of a value; writing to a text cannot fail.
pub(crate) fn append(text: &mut String, value: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(value);
}
