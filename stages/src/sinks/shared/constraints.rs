//! Constraints that the database keeps, and rows that it does not take: what is the same in every sink.

use vardelta_engine::{
    contract::{
        options::{OptionValue, Spanned, wrong_type},
        sink::{Check, OFFENDERS_MAX, Offender, Op, SinkError, SinkErrorKind},
        stage::PlannedInput,
    },
    diagnostics::Diagnostics,
    expression::{Expression, condition::read_condition},
    spec::{Node, Value},
};
use vardelta_schemas::sql::constraint::{Constraint, Rule};

use arrow_array::RecordBatch;

use crate::base64::base64;

vardelta_engine::choices! {
    /// What becomes of a run that has a row which the database does not take.
    pub enum OnConstraint {
        /// Nothing is written.
        Abort = "abort",
        /// The row becomes a reject, and the rest is written.
        Quarantine = "quarantine",
    }
}

/// Conditions by table: `{ variants = ["position >= 0"] }`.
#[derive(Clone, Debug, Default)]
pub struct Checks(pub Vec<(Spanned<String>, Vec<Spanned<String>>)>);

/// A constraint and its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedConstraint {
    pub(crate) table: String,
    pub(crate) constraint: Constraint,
}

pub(crate) fn by_table<T: OptionValue>(
    node: &Node,
    expects: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(Spanned<String>, Vec<T>)>> {
    let Value::Table(entries) = &node.value else { return wrong_type(node, expects, diagnostics) };
    let read: Vec<Option<_>> = entries
        .iter()
        .map(|entry| {
            let table = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
            Some((table, Vec::<T>::read(&entry.node, diagnostics)?))
        })
        .collect();
    read.into_iter().collect()
}

impl OptionValue for Checks {
    const EXPECTS: &'static str = "a table of lists of SQL conditions";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        by_table(node, Self::EXPECTS, diagnostics).map(Checks)
    }
    fn json_schema() -> String {
        format!(r#"{{"type":"object","additionalProperties":{}}}"#, Vec::<String>::json_schema())
    }
}

/// The checks with their tables. What is wrong with them is reported.
pub(crate) fn plan_checks(
    checks: &Checks,
    inputs: &[PlannedInput<'_>],
    diagnostics: &mut Diagnostics,
) -> Vec<PlannedConstraint> {
    let mut planned = Vec::new();
    for (table, conditions) in &checks.0 {
        let Some(input) = input(table, inputs, diagnostics) else { continue };
        for text in conditions {
            if let Some(condition) = read_condition(text, input.schema, diagnostics) {
                add(&mut planned, input.name, text.value.clone(), Rule::Check(condition));
            }
        }
    }
    planned
}

/// The same for runs that ask no database. What is wrong with them was reported before.
pub(crate) fn judged_checks(checks: &Checks, inputs: &[PlannedInput<'_>]) -> Vec<Check> {
    let mut judged = Vec::new();
    for (table, conditions) in &checks.0 {
        for input in inputs.iter().filter(|input| input.name == table.value) {
            judged.extend(conditions.iter().filter_map(|text| {
                let condition = Expression::compile(text, input.schema, &mut Diagnostics::default())?;
                Some(Check { table: table.value.clone(), said: text.value.clone(), condition })
            }));
        }
    }
    judged
}

/// Adds a constraint, unless it is there.
pub(crate) fn add(planned: &mut Vec<PlannedConstraint>, table: &str, said: String, rule: Rule) {
    let tag = base64(xxhash_rust::xxh3::xxh3_128(format!("{table}\0{said}").as_bytes()));
    let constraint = Constraint { tag, said, rule };
    if !planned.iter().any(|planned| planned.constraint == constraint) {
        planned.push(PlannedConstraint { table: table.to_owned(), constraint });
    }
}

/// The table of this name; one that is none is reported.
pub(crate) fn input<'a>(
    table: &Spanned<String>,
    inputs: &'a [PlannedInput<'a>],
    diagnostics: &mut Diagnostics,
) -> Option<&'a PlannedInput<'a>> {
    let found = inputs.iter().find(|input| input.name == table.value);
    if found.is_none() {
        diagnostics
            .error(table.span.clone(), format!("`{}` is not a table of this sink", table.value))
            .label("unknown table");
    }
    found
}

/// A row that the database does not take.
pub(crate) struct Refused<'a> {
    pub(crate) table: &'a str,
    pub(crate) op: Op,
    /// The row's key, for messages.
    pub(crate) key: &'a str,
    pub(crate) row: RecordBatch,
    pub(crate) why: &'a str,
    /// What to do about it.
    pub(crate) hint: &'a str,
}

impl Refused<'_> {
    /// The end of the run, or one more offender.
    pub(crate) fn judge(self, offenders: Option<&mut Vec<Offender>>) -> Result<(), SinkError> {
        let Refused { table, op, key, row, why, hint } = self;
        let error = |message: String, hint: &str| Err(SinkError::new(SinkErrorKind::Value, message).with_hint(hint));
        match offenders {
            None => error(format!("table `{table}`, {key}: {why}"), hint),
            Some(_) if op == Op::Delete => error(
                format!("table `{table}`, {key}: the row cannot go: {why}"),
                "A row that must go cannot be quarantined, only one that comes: delete first what refers to it.",
            ),
            Some(offenders) if offenders.len() >= OFFENDERS_MAX => error(
                format!("table `{table}`: the database takes none of {OFFENDERS_MAX} rows, the last {key}: {why}"),
                hint,
            ),
            Some(offenders) => {
                offenders.push(Offender { table: table.to_owned(), row, message: why.to_owned() });
                Ok(())
            }
        }
    }
}
