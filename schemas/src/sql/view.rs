//! What a view says, apart from any database, and the statement that says it in one.
//!
//! A [`Relation`] is a view's definition over tables that a database keeps; [`Relation::statement`] writes it as one SELECT. What a
//! dialect would answer otherwise than vardelta does, be it on one row in a million, is [`Unsayable`]: an error of the
//! writer, never of the reader. What cannot be known beforehand (an integer that leaves its range) ends the statement with an error.
//!
//! SQLite has no exact numbers with a point. There such a number is computed as the integer that stands for it (`66.5` of two places
//! is 6650), exact as long as it fits into 64 bits.

mod aggregate;
mod express;
mod scalar;
mod write;

use std::fmt;

use super::{Dialect, marks::Marks};
use crate::{Column, ColumnType, Schema, TableSchema};

pub use self::scalar::{Comparison, Form, LikePart, Literal, Operation, Scalar};

/// Rows, defined over tables.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    /// A table that the database keeps.
    Table(TableSchema),
    /// The rows of which a condition is true.
    Filter {
        /// The rows.
        input: Box<Relation>,
        /// The condition.
        condition: Scalar,
    },
    /// Columns computed from each row.
    Select {
        /// The rows.
        input: Box<Relation>,
        /// The columns, each by its name.
        columns: Vec<(Column, Scalar)>,
    },
    /// All rows of all inputs, which have the same columns.
    Union {
        /// The rows.
        inputs: Vec<Relation>,
        /// What the first column says for each input, where there is such a column.
        tags: Option<Vec<String>>,
        /// The columns.
        schema: Schema,
    },
    /// Rows of two inputs side by side where columns are equal. NULL equals nothing.
    Join {
        /// The two inputs.
        sides: Box<[Relation; 2]>,
        /// Whether a left row without a partner stays, with NULL in the right side's columns.
        is_left: bool,
        /// The columns that are equal, left and right: indexes into the columns of the inputs.
        on: Vec<(usize, usize)>,
        /// The columns: those of the left side, then those of the right side that are not in `on`.
        schema: Schema,
    },
    /// One row per group; one row in all where there is nothing to group by.
    Aggregate {
        /// The rows.
        input: Box<Relation>,
        /// The group's columns: indexes into those of the input.
        group_by: Vec<usize>,
        /// The calls.
        calls: Vec<Call>,
        /// The columns after the group's: computed from those and from the results of the calls.
        columns: Vec<(Column, Scalar)>,
        /// All columns.
        schema: Schema,
    },
}

/// A call of an aggregate function over the rows of a group. NULLs are left out by all but a count of rows; over nothing it is
/// NULL, a count 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The column under which expressions find the result.
    pub name: String,
    /// The function.
    pub function: Aggregate,
    /// What it is applied to; `None` for a count of rows.
    pub argument: Option<Scalar>,
    /// The condition on the rows that count.
    pub filter: Option<Scalar>,
    /// The type of the result.
    pub result: ColumnType,
}

/// The aggregate functions that can be said in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many.
    Count,
    /// How many that differ.
    CountDistinct,
    /// The sum.
    Sum,
    /// The sum over the count, exact numbers rounded half away from zero to the digits of the result.
    Average,
    /// The least: of booleans whether all are true.
    Min,
    /// The greatest: of booleans whether one is true.
    Max,
}

/// Why a view, or an expression, is not said in SQL: a phrase that follows "not said in SQL: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable(pub String);

impl Unsayable {
    /// What a dialect lacks, or answers otherwise.
    fn of(dialect: Dialect, what: impl fmt::Display) -> Unsayable {
        Unsayable(format!("{what} in {}", dialect.name()))
    }
}

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsayable {}

/// Where a table of a [`Relation`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name in the database.
    pub name: String,
    /// Whether rows of it may be marked as gone.
    pub marks: Marks,
}

/// A view as a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// One SELECT, whose columns are in the forms in which a table keeps them.
    pub text: String,
    /// The columns whose values the database computes inexactly: indexes into the view's columns. For each of them the
    /// statement yields, after the view's columns, by how much it may be off.
    pub inexact: Vec<usize>,
}

impl Statement {
    /// The columns that the statement yields. Every one may be NULL: what the tables hold is not known to be sound.
    pub fn schema(&self, view: &Schema) -> Schema {
        let lax = |column: &Column| Column { nullable: true, ..column.clone() };
        let tolerance = |at: &usize| Column::nullable(tolerance_name(&view.columns()[*at].name), ColumnType::Float64);
        Schema::new(view.columns().iter().map(lax).chain(self.inexact.iter().map(tolerance)).collect())
    }
}

/// The name of the column that says by how much another one may be off.
fn tolerance_name(column: &str) -> String {
    format!("{column} +-")
}

impl Relation {
    /// The columns.
    pub fn schema(&self) -> Schema {
        match self {
            Relation::Table(table) => table.schema.clone(),
            Relation::Filter { input, .. } => input.schema(),
            Relation::Select { columns, .. } => Schema::new(columns.iter().map(|(column, _)| column.clone()).collect()),
            Relation::Union { schema, .. } | Relation::Join { schema, .. } | Relation::Aggregate { schema, .. } => {
                schema.clone()
            }
        }
    }

    /// The tables that it is defined over, each once.
    pub fn tables(&self) -> Vec<&TableSchema> {
        let mut tables: Vec<&TableSchema> = Vec::new();
        let mut open = vec![self];
        while let Some(relation) = open.pop() {
            match relation {
                Relation::Table(table) if tables.iter().any(|known| known.name == table.name) => {}
                Relation::Table(table) => tables.push(table),
                Relation::Filter { input, .. } | Relation::Select { input, .. } | Relation::Aggregate { input, .. } => {
                    open.push(input)
                }
                Relation::Union { inputs, .. } => open.extend(inputs.iter().rev()),
                Relation::Join { sides, .. } => open.extend(sides.iter().rev()),
            }
        }
        tables
    }

    /// The statement that computes it in a database whose tables are where `place` says.
    ///
    /// # Errors
    /// Where the dialect has no words for a part of it, or might answer otherwise.
    pub fn statement(&self, dialect: Dialect, place: &dyn Fn(&TableSchema) -> Place) -> Result<Statement, Unsayable> {
        write::statement(self, dialect, place)
    }
}

impl Scalar {
    /// An expression over the columns of one table, as the dialect says it, in the form in which a table keeps its values.
    ///
    /// # Errors
    /// Where the dialect has no words for a part of it, or might answer otherwise.
    pub fn sql(&self, dialect: Dialect) -> Result<String, Unsayable> {
        express::Writer::new(dialect).stored(self)
    }
}

#[cfg(test)]
mod tests;
