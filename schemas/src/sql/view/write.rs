//! Relations in a dialect's words: one SELECT, in which every part that is no table is in parentheses.

use std::collections::BTreeMap;

use super::{
    Call, Place, Relation, Statement, Unsayable, aggregate,
    express::Writer,
    scalar::{Form, Scalar, scale_of},
    tolerance_name,
};
use crate::{
    Column, ColumnType, Schema, TableSchema,
    sql::{Dialect, marks::DELETED_AT},
};

/// What rows are called in the statement that reads them.
const ROWS: &str = "t";
/// What the sides of a join are called.
const SIDES: [&str; 2] = ["l", "r"];

struct Relations<'a> {
    dialect: Dialect,
    place: &'a dyn Fn(&TableSchema) -> Place,
}

/// Where rows come from: what follows FROM, and the conditions on them.
struct Source {
    from: String,
    conditions: Vec<String>,
}

/// What is selected, by name: how it is computed, and the scale of what is yet to be made a text.
struct Selected {
    name: String,
    text: String,
    wide: Option<u32>,
}

pub(super) fn statement(
    relation: &Relation,
    dialect: Dialect,
    place: &dyn Fn(&TableSchema) -> Place,
) -> Result<Statement, Unsayable> {
    let relations = Relations { dialect, place };
    let Relation::Aggregate { input, group_by, calls, columns, .. } = relation else {
        return Ok(Statement { text: relations.select(relation)?, inexact: Vec::new() });
    };
    let mut inexact = Vec::new();
    let text = relations.aggregate(input, group_by, calls, columns, Some(&mut inexact))?;
    Ok(Statement { text, inexact })
}

impl Relations<'_> {
    fn named(&self, text: &str, name: &str) -> String {
        let name = self.dialect.identifier(name);
        if text == name { name } else { format!("{text} AS {name}") }
    }

    fn of(&self, rows: &str, column: &str) -> String {
        format!("{}.{}", self.dialect.identifier(rows), self.dialect.identifier(column))
    }

    /// Rows whose columns are found by their names.
    fn source(&self, relation: &Relation) -> Result<Source, Unsayable> {
        match relation {
            Relation::Table(table) => {
                let Place { name, marks } = (self.place)(table);
                let live = format!("({} IS NULL)", self.dialect.identifier(DELETED_AT));
                Ok(Source {
                    from: format!("{} AS {}", self.dialect.identifier(&name), self.dialect.identifier(ROWS)),
                    conditions: if marks.may_be_there() { vec![live] } else { Vec::new() },
                })
            }
            Relation::Filter { input, condition } => {
                let mut source = self.source(input)?;
                source.conditions.push(Writer::new(self.dialect).worked(condition)?);
                Ok(source)
            }
            _ => Ok(Source { from: self.nested(relation, ROWS)?, conditions: Vec::new() }),
        }
    }

    /// A relation in parentheses, under this name.
    fn nested(&self, relation: &Relation, name: &str) -> Result<String, Unsayable> {
        let text = self.select(relation)?.replace('\n', "\n  ");
        Ok(format!("(\n  {text}\n) AS {}", self.dialect.identifier(name)))
    }

    fn statement(&self, columns: &[String], source: &Source, group_by: &[String]) -> String {
        let mut text = format!("SELECT {}\nFROM {}", columns.join(", "), source.from);
        if !source.conditions.is_empty() {
            text += &format!("\nWHERE {}", source.conditions.join(" AND "));
        }
        if !group_by.is_empty() {
            text += &format!("\nGROUP BY {}", group_by.join(", "));
        }
        text
    }

    /// A relation as a SELECT.
    fn select(&self, relation: &Relation) -> Result<String, Unsayable> {
        match relation {
            Relation::Table(_) | Relation::Filter { .. } => {
                let names = relation.schema();
                let columns: Vec<String> =
                    names.columns().iter().map(|column| self.dialect.identifier(&column.name)).collect();
                Ok(self.statement(&columns, &self.source(relation)?, &[]))
            }
            Relation::Select { input, columns } => {
                let writer = Writer::new(self.dialect);
                let selected = columns.iter().map(|(column, value)| self.selected(&writer, column, value));
                let selected: Vec<Selected> = selected.collect::<Result<_, _>>()?;
                let source = self.source(input)?;
                Ok(self.finish(selected, |columns| self.statement(columns, &source, &[])))
            }
            Relation::Union { inputs, tags, schema } => self.union(inputs, tags.as_deref(), schema),
            Relation::Join { sides, is_left, on, schema } => self.join(sides, *is_left, on, schema),
            Relation::Aggregate { input, group_by, calls, columns, .. } => {
                self.aggregate(input, group_by, calls, columns, None)
            }
        }
    }

    fn selected(&self, writer: &Writer, column: &Column, value: &Scalar) -> Result<Selected, Unsayable> {
        let wide = writer.is_wide(value).then(|| scale_of(&column.column_type));
        let text = if wide.is_some() { writer.worked(value)? } else { writer.stored(value)? };
        Ok(Selected { name: column.name.clone(), text, wide })
    }

    /// The statement of these columns; around it another one where some are yet to be made texts.
    fn finish(&self, selected: Vec<Selected>, statement: impl FnOnce(&[String]) -> String) -> String {
        let columns: Vec<String> = selected.iter().map(|one| self.named(&one.text, &one.name)).collect();
        let inner = statement(&columns);
        if selected.iter().all(|one| one.wide.is_none()) {
            return inner;
        }
        let writer = Writer::new(self.dialect);
        let outer: Vec<String> = selected
            .iter()
            .map(|one| match one.wide {
                Some(scale) => self.named(&writer.wide_text(&one.name, scale), &one.name),
                None => self.dialect.identifier(&one.name),
            })
            .collect();
        let inner = inner.replace('\n', "\n  ");
        format!("SELECT {}\nFROM (\n  {inner}\n) AS {}", outer.join(", "), self.dialect.identifier(ROWS))
    }

    fn union(&self, inputs: &[Relation], tags: Option<&[String]>, schema: &Schema) -> Result<String, Unsayable> {
        let own = &schema.columns()[usize::from(tags.is_some())..];
        let mut parts = Vec::new();
        for (at, input) in inputs.iter().enumerate() {
            let mut columns = Vec::new();
            if let Some(tags) = tags {
                let tag = Scalar { of: ColumnType::Text, form: Form::Literal(super::Literal::Text(tags[at].clone())) };
                columns.push(self.named(&Writer::new(self.dialect).text(&tag)?, &schema.columns()[0].name));
            }
            columns.extend(own.iter().map(|column| self.dialect.identifier(&column.name)));
            parts.push(self.statement(&columns, &self.source(input)?, &[]));
        }
        Ok(parts.join("\nUNION ALL\n"))
    }

    fn join(
        &self,
        sides: &[Relation; 2],
        is_left: bool,
        on: &[(usize, usize)],
        schema: &Schema,
    ) -> Result<String, Unsayable> {
        let schemas = [sides[0].schema(), sides[1].schema()];
        let name = |side: usize, column: usize| self.of(SIDES[side], &schemas[side].columns()[column].name);
        let left = (0..schemas[0].columns().len()).map(|column| name(0, column));
        let right = (0..schemas[1].columns().len()).filter(|column| on.iter().all(|(_, right)| right != column));
        let columns: Vec<String> = left
            .chain(right.map(|column| name(1, column)))
            .zip(schema.columns())
            .map(|(text, column)| self.named(&text, &column.name))
            .collect();
        let conditions: Vec<String> =
            on.iter().map(|(left, right)| format!("{} = {}", name(0, *left), name(1, *right))).collect();
        let word = if is_left { "LEFT JOIN" } else { "JOIN" };
        let from =
            format!("{} {word} {} ON {}", self.side(&sides[0], 0)?, self.side(&sides[1], 1)?, conditions.join(" AND "));
        Ok(self.statement(&columns, &Source { from, conditions: Vec::new() }, &[]))
    }

    fn side(&self, relation: &Relation, side: usize) -> Result<String, Unsayable> {
        if let Relation::Table(table) = relation {
            let Place { name, marks } = (self.place)(table);
            if !marks.may_be_there() {
                return Ok(format!("{} AS {}", self.dialect.identifier(&name), self.dialect.identifier(SIDES[side])));
            }
        }
        self.nested(relation, SIDES[side])
    }

    /// `inexact` takes the places of columns that are computed inexactly; without it there may be none.
    fn aggregate(
        &self,
        input: &Relation,
        group_by: &[usize],
        calls: &[Call],
        columns: &[(Column, Scalar)],
        mut inexact: Option<&mut Vec<usize>>,
    ) -> Result<String, Unsayable> {
        let schema = input.schema();
        let groups: Vec<&Column> = group_by.iter().map(|at| &schema.columns()[*at]).collect();
        // 0 has two forms.
        if groups.iter().any(|column| column.column_type == ColumnType::Float64) {
            return Err(Unsayable::of(self.dialect, "a group of equal doubles"));
        }
        let rows = Writer::new(self.dialect);
        let (mut finished, mut tolerances) = (BTreeMap::new(), BTreeMap::new());
        for call in calls {
            let (result, tolerance) = aggregate::call(&rows, call, !groups.is_empty())?;
            finished.insert(call.name.clone(), result);
            tolerances.extend(tolerance.map(|tolerance| (call.name.as_str(), tolerance)));
        }
        let writer = Writer::over_calls(self.dialect, finished);
        let mut selected: Vec<Selected> = Vec::new();
        for column in &groups {
            let text = self.dialect.identifier(&column.name);
            selected.push(Selected { name: column.name.clone(), text, wide: None });
        }
        let mut behind = Vec::new();
        for (column, value) in columns {
            let call = match &value.form {
                Form::Column(name) => tolerances.get(name.as_str()).zip(writer.call(name)),
                _ => None,
            };
            selected.push(match (call, &mut inexact) {
                (Some((tolerance, call)), Some(inexact)) => {
                    inexact.push(selected.len());
                    let name = tolerance_name(&column.name);
                    behind.push(Selected { name, text: tolerance.clone(), wide: None });
                    Selected { name: column.name.clone(), text: call.worked.clone(), wide: None }
                }
                _ => self.selected(&writer, column, value)?,
            });
        }
        selected.extend(behind);
        let group_by: Vec<String> = groups.iter().map(|column| self.of(ROWS, &column.name)).collect();
        let source = self.source(input)?;
        Ok(self.finish(selected, |columns| self.statement(columns, &source, &group_by)))
    }
}
