//! Typed expressions, and how they are evaluated on a batch.
//!
//! A part that fails on a row is noted, yields NULL there, and the row is rejected in the end, whatever the rest makes of
//! the NULL. So only what a row needs may be evaluated for it: CASE, COALESCE and their kin, AND and OR evaluate a part
//! that can fail on those rows alone that ask for it.

use std::{cell::RefCell, fmt, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, cast::AsArray as _,
    new_empty_array, new_null_array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::Schema;
use arrow_select::{interleave::interleave, take::take};
use vardelta_schemas::sql::view::Operation;

use super::{
    EXPRESSION_FAILED, Failure,
    call::{Call, Values},
    types::Type,
};

/// What a call does.
pub type Run = Arc<dyn Fn(&Call<'_>) -> ArrayRef + Send + Sync>;

/// An expression and its type.
#[derive(Clone, Debug)]
pub struct Typed {
    pub(crate) node: Node,
    pub(crate) of: Type,
    /// Whether it may be NULL.
    pub(crate) nullable: bool,
    /// Whether it may fail on a row.
    pub(crate) fails: bool,
}

/// An expression.
#[derive(Clone)]
pub(crate) enum Node {
    /// A column of the batch.
    Column(usize),
    /// A value, as an array of one.
    Constant(ArrayRef),
    /// A function or an operator.
    Call {
        run: Run,
        arguments: Vec<Typed>,
        strict: bool,
        /// What databases call it, where they know it.
        says: Option<Operation>,
    },
    /// `left AND right`, `left OR right`.
    Logic { or: bool, sides: Box<[Typed; 2]> },
    /// The first branch whose condition is true.
    Case { branches: Vec<(Typed, Typed)>, otherwise: Option<Box<Typed>> },
    /// The first value that is not NULL.
    Coalesce(Vec<Typed>),
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Column(at) => write!(f, "column {at}"),
            Node::Constant(array) => write!(f, "{array:?}"),
            Node::Call { arguments, .. } => f.debug_tuple("call").field(arguments).finish(),
            Node::Logic { or, sides } => f.debug_tuple(if *or { "or" } else { "and" }).field(sides).finish(),
            Node::Case { branches, otherwise } => f.debug_tuple("case").field(branches).field(otherwise).finish(),
            Node::Coalesce(values) => f.debug_tuple("coalesce").field(values).finish(),
        }
    }
}

/// Some rows of a batch.
pub(crate) struct Scope<'a> {
    batch: &'a RecordBatch,
    /// The rows, where they are not all.
    picked: Option<UInt32Array>,
    failures: &'a RefCell<Vec<Failure>>,
}

impl<'a> Scope<'a> {
    /// Every row.
    pub(crate) fn new(batch: &'a RecordBatch, failures: &'a RefCell<Vec<Failure>>) -> Scope<'a> {
        Scope { batch, picked: None, failures }
    }

    fn rows(&self) -> usize {
        self.picked.as_ref().map_or(self.batch.num_rows(), |picked| picked.len())
    }

    /// Some of these rows.
    fn pick(&self, rows: &[u32]) -> Scope<'a> {
        let picked = match &self.picked {
            None => rows.to_vec().into(),
            Some(picked) => rows.iter().map(|row| picked.value(*row as usize)).collect::<Vec<u32>>().into(),
        };
        Scope { batch: self.batch, picked: Some(picked), failures: self.failures }
    }

    /// Notes failures of these rows as failures of the batch's.
    fn note(&self, failures: Vec<Failure>, for_all: bool) {
        let origin = |row: usize| self.picked.as_ref().map_or(row, |picked| picked.value(row) as usize);
        let mut noted = self.failures.borrow_mut();
        for failure in failures {
            let rows = if for_all { 0..self.rows() } else { failure.row..failure.row + 1 };
            noted.extend(rows.map(|row| Failure { row: origin(row), ..failure.clone() }));
        }
    }

    fn internal(&self, error: impl fmt::Display, of: &Type) -> Values {
        let failure = Failure { row: 0, reason: EXPRESSION_FAILED, detail: error.to_string() };
        self.note(vec![failure], true);
        Values { array: new_null_array(&of.to_arrow(), 1), constant: true }
    }
}

impl Typed {
    /// A value that holds for every row.
    pub(crate) fn constant(array: ArrayRef, of: Type) -> Typed {
        let nullable = array.null_count() > 0 || of == Type::Null;
        Typed { node: Node::Constant(array), of, nullable, fails: false }
    }

    /// Its type.
    pub fn of(&self) -> &Type {
        &self.of
    }

    /// NULL of a type.
    pub(crate) fn null(of: Type) -> Typed {
        Typed::constant(new_null_array(&of.to_arrow(), 1), of)
    }

    /// The value, if it is the same for every row.
    pub(crate) fn as_constant(&self) -> Option<&ArrayRef> {
        match &self.node {
            Node::Constant(array) => Some(array),
            _ => None,
        }
    }

    /// The text, if it is the same for every row and not NULL.
    pub fn as_text(&self) -> Option<&str> {
        let array = self.as_constant()?;
        (self.of == Type::Text && array.is_valid(0)).then(|| array.as_string::<i32>().value(0))
    }

    /// A call whose value is NULL where an argument is.
    pub(crate) fn strict(run: Run, arguments: Vec<Typed>, of: Type, fails: bool) -> Typed {
        let nullable = arguments.iter().any(|argument| argument.nullable);
        Typed::call(run, arguments, of, true, nullable, fails)
    }

    /// A call; one of constants is computed here and now, unless it fails.
    pub(crate) fn call(run: Run, arguments: Vec<Typed>, of: Type, strict: bool, nullable: bool, fails: bool) -> Typed {
        let fails = fails || arguments.iter().any(|argument| argument.fails);
        let foldable = arguments.iter().all(|argument| argument.as_constant().is_some());
        let typed = Typed { node: Node::Call { run, arguments, strict, says: None }, of, nullable, fails };
        if !foldable {
            return typed;
        }
        let failures = RefCell::new(Vec::new());
        let Some(row) = one_row() else { return typed };
        let values = typed.evaluate(&Scope::new(&row, &failures));
        match failures.borrow().is_empty() && values.array.len() == 1 {
            true => Typed::constant(values.array, typed.of),
            false => Typed { fails: true, ..typed },
        }
    }

    /// The same, a call that was just made, with what databases call it.
    pub(crate) fn says(mut self, operation: Operation) -> Typed {
        if let Node::Call { says, .. } = &mut self.node {
            *says = Some(operation);
        }
        self
    }

    /// Whether no column is asked for.
    pub(crate) fn is_constant(&self) -> bool {
        !self.reads(&|_| true)
    }

    /// Whether a column is asked for of which this is true.
    pub(crate) fn reads(&self, is_meant: &dyn Fn(usize) -> bool) -> bool {
        match &self.node {
            Node::Column(at) => is_meant(*at),
            Node::Constant(_) => false,
            Node::Call { arguments, .. } | Node::Coalesce(arguments) => {
                arguments.iter().any(|argument| argument.reads(is_meant))
            }
            Node::Logic { sides, .. } => sides.iter().any(|side| side.reads(is_meant)),
            Node::Case { branches, otherwise } => {
                branches.iter().any(|(when, then)| when.reads(is_meant) || then.reads(is_meant))
                    || otherwise.iter().any(|value| value.reads(is_meant))
            }
        }
    }

    /// The values of these rows.
    pub(crate) fn evaluate(&self, scope: &Scope<'_>) -> Values {
        match &self.node {
            Node::Column(at) => {
                let column = scope.batch.column(*at);
                match &scope.picked {
                    None => Values { array: Arc::clone(column), constant: false },
                    Some(picked) => match take(column, picked, None) {
                        Ok(array) => Values { array, constant: false },
                        Err(error) => scope.internal(error, &self.of),
                    },
                }
            }
            Node::Constant(array) => Values { array: Arc::clone(array), constant: true },
            Node::Call { run, arguments, strict, .. } => {
                let arguments: Vec<Values> = arguments.iter().map(|argument| argument.evaluate(scope)).collect();
                let constant = arguments.iter().all(|argument| argument.constant);
                if *strict && arguments.iter().any(|argument| argument.constant && argument.is_null(0)) {
                    return Values { array: new_null_array(&self.of.to_arrow(), 1), constant: true };
                }
                let rows = if constant { 1 } else { scope.rows() };
                let failures = RefCell::new(Vec::new());
                let array = run(&Call::new(&arguments, rows, *strict, &failures));
                scope.note(failures.into_inner(), constant);
                Values { array, constant }
            }
            Node::Logic { or, sides } => logic(*or, &sides[0], &sides[1], scope),
            Node::Case { branches, otherwise } => self.case(branches, otherwise.as_deref(), scope),
            Node::Coalesce(values) => self.coalesce(values, scope),
        }
    }

    fn case(&self, branches: &[(Typed, Typed)], otherwise: Option<&Typed>, scope: &Scope<'_>) -> Values {
        let rows = scope.rows();
        let mut merge = Merge::new(rows, &self.of);
        let mut open: Vec<u32> = (0..rows as u32).collect();
        for (condition, value) in branches {
            if open.is_empty() {
                break;
            }
            let inner = if open.len() == rows { None } else { Some(scope.pick(&open)) };
            let truth = condition.evaluate(inner.as_ref().unwrap_or(scope));
            let is_true =
                |at: usize| !truth.is_null(at) && truth.array.as_boolean().value(if truth.constant { 0 } else { at });
            let (mut hit, mut missed) = (Vec::new(), Vec::new());
            open.iter().enumerate().for_each(|(at, row)| if is_true(at) { hit.push(*row) } else { missed.push(*row) });
            if !hit.is_empty() {
                let values = if hit.len() == rows { value.evaluate(scope) } else { value.evaluate(&scope.pick(&hit)) };
                merge.put(values, &hit);
            }
            open = missed;
        }
        if let Some(otherwise) = otherwise
            && !open.is_empty()
        {
            let values =
                if open.len() == rows { otherwise.evaluate(scope) } else { otherwise.evaluate(&scope.pick(&open)) };
            merge.put(values, &open);
        }
        merge.finish(scope, &self.of)
    }

    fn coalesce(&self, values: &[Typed], scope: &Scope<'_>) -> Values {
        let rows = scope.rows();
        let mut merge = Merge::new(rows, &self.of);
        let mut open: Vec<u32> = (0..rows as u32).collect();
        for value in values {
            if open.is_empty() {
                break;
            }
            let found = if open.len() == rows { value.evaluate(scope) } else { value.evaluate(&scope.pick(&open)) };
            if open.len() == rows && !found.constant && found.array.null_count() == 0 {
                return found;
            }
            let null: Vec<u32> =
                open.iter().enumerate().filter(|(at, _)| found.is_null(*at)).map(|(_, row)| *row).collect();
            merge.put(found, &open);
            open = null;
        }
        merge.finish(scope, &self.of)
    }
}

/// A batch of one row without columns, for what needs none.
pub(crate) fn one_row() -> Option<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).ok()
}

/// Values of some rows, put together.
struct Merge {
    arrays: Vec<ArrayRef>,
    /// Of each row: the array and the place in it.
    places: Vec<(usize, usize)>,
}

impl Merge {
    /// NULL everywhere.
    fn new(rows: usize, of: &Type) -> Merge {
        Merge { arrays: vec![new_null_array(&of.to_arrow(), 1)], places: vec![(0, 0); rows] }
    }

    fn put(&mut self, values: Values, rows: &[u32]) {
        let array = self.arrays.len();
        for (at, row) in rows.iter().enumerate() {
            self.places[*row as usize] = (array, if values.constant { 0 } else { at });
        }
        self.arrays.push(values.array);
    }

    fn finish(self, scope: &Scope<'_>, of: &Type) -> Values {
        if self.places.is_empty() {
            return Values { array: new_empty_array(&of.to_arrow()), constant: false };
        }
        let arrays: Vec<&dyn arrow_array::Array> = self.arrays.iter().map(AsRef::as_ref).collect();
        match interleave(&arrays, &self.places) {
            Ok(array) => Values { array, constant: false },
            Err(error) => scope.internal(error, of),
        }
    }
}

/// AND and OR as SQL has them: the right side is evaluated on every row only where it cannot fail.
fn logic(or: bool, left: &Typed, right: &Typed, scope: &Scope<'_>) -> Values {
    let rows = scope.rows();
    let (left_true, left_false) = truth(&left.evaluate(scope), rows);
    let decided = if or { &left_true } else { &left_false };
    let undecided = rows - decided.count_set_bits();
    let (right_true, right_false) = if !right.fails || undecided == rows {
        truth(&right.evaluate(scope), rows)
    } else if undecided == 0 {
        (BooleanBuffer::new_unset(rows), BooleanBuffer::new_unset(rows))
    } else {
        let open: Vec<u32> = (0..rows as u32).filter(|row| !decided.value(*row as usize)).collect();
        let (some_true, some_false) = truth(&right.evaluate(&scope.pick(&open)), open.len());
        let spread = |some: &BooleanBuffer| {
            let mut bits = vec![false; rows];
            open.iter().enumerate().for_each(|(at, row)| bits[*row as usize] = some.value(at));
            BooleanBuffer::from(bits)
        };
        (spread(&some_true), spread(&some_false))
    };
    let (is_true, is_false) = match or {
        true => (&left_true | &right_true, &left_false & &right_false),
        false => (&left_true & &right_true, &left_false | &right_false),
    };
    let known = &is_true | &is_false;
    let array = BooleanArray::new(is_true, Some(known.into()).filter(|nulls: &NullBuffer| nulls.null_count() > 0));
    Values { array: Arc::new(array), constant: false }
}

/// Which rows are true, and which are false; the others are NULL.
fn truth(values: &Values, rows: usize) -> (BooleanBuffer, BooleanBuffer) {
    if values.constant {
        let value = (!values.is_null(0)).then(|| values.array.as_boolean().value(0));
        let all = |set: bool| if set { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
        return (all(value == Some(true)), all(value == Some(false)));
    }
    let array = values.array.as_boolean();
    match array.nulls() {
        None => (array.values().clone(), !array.values()),
        Some(nulls) => (array.values() & nulls.inner(), &!array.values() & nulls.inner()),
    }
}
