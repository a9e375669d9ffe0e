//! Expressions over one row, typed, apart from any database.

use crate::ColumnType;

/// An expression and the type of its values. What its parts mean is said in docs/expressions.md.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The type.
    pub of: ColumnType,
    /// What it is.
    pub form: Form,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// The row's value of this column, or the result of this call of an aggregate.
    Column(String),
    /// A value.
    Literal(Literal),
    /// An operator or a function, and what it is applied to.
    Call(Operation, Vec<Scalar>),
    /// `left AND right`, `left OR right`.
    Logic {
        /// Whether it is OR.
        or: bool,
        /// Both conditions.
        sides: Box<[Scalar; 2]>,
    },
    /// The first value whose condition is true.
    Case {
        /// Conditions and values.
        branches: Vec<(Scalar, Scalar)>,
        /// The value where no condition is true; NULL where it is missing.
        otherwise: Option<Box<Scalar>>,
    },
    /// The first value that is not NULL.
    Coalesce(Vec<Scalar>),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// NULL of the expression's type.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An exact number, without its point: the scale is the type's.
    Decimal(i128),
    /// A finite double.
    Float(f64),
    /// A text.
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
}

/// An operator or a function.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Two values of one sort. Numbers are both integers, both doubles, or both exact, then of any scales.
    Compare(Comparison),
    /// `a <=> b`, or its negation.
    NullSafe {
        /// Whether it is turned around.
        negated: bool,
    },
    /// Whether the one argument is among these values; unknown where it is not and one of them is NULL.
    In {
        /// The values, of the argument's type.
        items: Vec<Literal>,
        /// Whether it is turned around.
        negated: bool,
    },
    /// Whether the argument is NULL.
    IsNull {
        /// Whether it is turned around.
        negated: bool,
    },
    /// Whether the argument is TRUE (or FALSE).
    IsTruth {
        /// Which.
        truth: bool,
        /// Whether it is turned around.
        negated: bool,
    },
    /// The other truth value.
    Not,
    /// Whether one is true and the other is not.
    Xor,
    /// A sum of two numbers of one kind; exact ones of any scales.
    Plus,
    /// A difference, likewise.
    Minus,
    /// A product, likewise.
    Times,
    /// An exact quotient, rounded half away from zero to the digits of the type; or that of two doubles. A division by zero has no
    /// value at all.
    Divide,
    /// The number with the other sign.
    Negate,
    /// Whether the one argument is like this pattern.
    Like {
        /// The pattern.
        parts: Vec<LikePart>,
        /// Whether it is turned around.
        negated: bool,
    },
    /// The value as one of the expression's type.
    Convert,
    /// A function by its name in docs/expressions.md, in lower case.
    Function(&'static str),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikePart {
    /// This character.
    One(char),
    /// Any one character.
    AnyOne,
    /// Any text.
    Any,
}

impl Scalar {
    /// A column.
    pub fn column(name: impl Into<String>, of: ColumnType) -> Scalar {
        Scalar { of, form: Form::Column(name.into()) }
    }

    /// Whether it is nothing but a column.
    pub(super) fn is_column(&self) -> bool {
        matches!(self.form, Form::Column(_))
    }

    /// The value, if it is one.
    pub(super) fn literal(&self) -> Option<&Literal> {
        match &self.form {
            Form::Literal(literal) => Some(literal),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self.literal()? {
            Literal::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Digits after the point of an exact number; 0 of anything else.
    pub(super) fn scale(&self) -> u32 {
        scale_of(&self.of)
    }

    /// The most digits that its values have, as an exact number.
    pub(super) fn digits(&self) -> u32 {
        match (self.literal(), &self.of) {
            (Some(Literal::Decimal(value)), _) => digits(value.unsigned_abs()),
            (Some(Literal::Int(value)), _) => digits(value.unsigned_abs().into()),
            (_, ColumnType::Decimal { precision, .. }) => (*precision).into(),
            _ => INT_DIGITS,
        }
    }
}

/// The digits of a 64-bit integer.
const INT_DIGITS: u32 = 19;

fn digits(value: u128) -> u32 {
    value.checked_ilog10().map_or(1, |log| log + 1)
}

/// Digits after the point of an exact number; 0 of anything else.
pub(super) fn scale_of(of: &ColumnType) -> u32 {
    match of {
        ColumnType::Decimal { scale, .. } => scale.unsigned_abs().into(),
        _ => 0,
    }
}
