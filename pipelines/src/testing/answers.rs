//! What look-ups are answered in a test: what its steps say. No service is asked and no cache read, so that a test says the same
//! on every machine.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use vardelta_engine::{
    contract::{
        emit::StageError,
        lookup::{Answer, Asker, Lookup, LookupContext, LookupFigures, LookupValue},
    },
    error::{RunError, RunErrorKind},
    plan::Plan,
    relational::LookupSpec,
    spec::{Entry, Value},
};
use vardelta_schemas::{Column, ColumnType};

use super::steps::Told;

/// The column of a row that says whether the service knows its key.
const STATUS: &str = "lookup_status";
/// Why a key waits.
const UNTOLD: &str = "the test gives no answer for it";

/// What the steps so far have answered, by stage and key.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<BTreeMap<(String, String), Answer>>>);

impl Answers {
    /// Has the look-ups of a plan answered from here.
    pub fn stand_in(&self, plan: &mut Plan) {
        plan.answer_lookups(&|stage, spec| {
            let LookupSpec { lookup, .. } = spec;
            Arc::new(StandIn { lookup: Arc::clone(lookup), stage: stage.to_owned(), answers: self.clone() })
        });
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Adds what a step answers.
    ///
    /// # Errors
    /// When there is no such look-up, or a row lacks the key, names a column that an answer does not have, or has a value that
    /// is not of its column's type.
    pub fn tell(&self, plan: &Plan, told: &[Told]) -> Result<(), RunError> {
        for Told { stage, rows } in told {
            let spec = plan.stage(stage).and_then(|(_, stage)| stage.as_lookup());
            let spec = spec.ok_or_else(|| {
                wrong(format!("the pipeline has no look-up `{stage}`"), "`answers` names the stage that asks.")
            })?;
            for row in rows {
                let (key, answer) = answer(stage, spec, row)?;
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((stage.clone(), key), answer);
            }
        }
        Ok(())
    }

    fn of(&self, stage: &str, key: &str) -> Answer {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(stage.into(), key.into())).cloned();
        told.unwrap_or_else(|| Answer::Failed { reason: UNTOLD.into(), next_try_s: None })
    }
}

fn wrong(message: String, hint: &str) -> RunError {
    RunError::new(RunErrorKind::Usage, message).with_hint(hint)
}

/// The key of a row, and what it answers.
fn answer(stage: &str, spec: &LookupSpec, row: &[Entry]) -> Result<(String, Answer), RunError> {
    let columns = spec.lookup.columns();
    let of_key = spec.schema.columns().first().map_or("", |column| column.name.as_str());
    let (mut key, mut is_absent, mut values) = (None, false, vec![None; columns.len()]);
    for Entry { key: name, node, .. } in row {
        match &node.value {
            Value::Text(text) if name == of_key => key = Some(text.clone()),
            Value::Integer(number) if name == of_key => key = Some(number.to_string()),
            Value::Text(text) if name == STATUS && matches!(text.as_str(), "found" | "absent") => {
                is_absent = text == "absent";
            }
            value => {
                let at = columns.iter().position(|column| column.name == *name);
                let read = at.and_then(|at| value_of(&columns[at], value).map(|value| (at, value)));
                let (at, value) = read.ok_or_else(|| {
                    let known: Vec<String> =
                        columns.iter().map(|column| format!("{} ({})", column.name, column.column_type)).collect();
                    let message = format!("an answer of `{stage}` cannot have `{name}` = {}", value.type_name());
                    let hint = format!(
                        "It has the key `{of_key}`, {}, and `{STATUS}` = \"absent\" for a key that is not known.",
                        known.join(", ")
                    );
                    wrong(message, &hint)
                })?;
                values[at] = Some(value);
            }
        }
    }
    let key = key.ok_or_else(|| {
        wrong(format!("an answer of `{stage}` lacks its key"), &format!("Name it: `{{ {of_key} = \"…\", … }}`."))
    })?;
    let found = Answer::Found { values, release: None, until_s: None };
    Ok((key, if is_absent { Answer::Absent { until_s: None } } else { found }))
}

fn value_of(column: &Column, value: &Value) -> Option<LookupValue> {
    Some(match (&column.column_type, value) {
        (ColumnType::Text, Value::Text(text)) => LookupValue::Text(text.clone()),
        (ColumnType::Int64, Value::Integer(number)) => LookupValue::Int64(*number),
        (ColumnType::Float64, Value::Float(number)) if number.is_finite() => LookupValue::Float64(number + 0.0),
        (ColumnType::Float64, Value::Integer(number)) => LookupValue::Float64(*number as f64),
        (ColumnType::Bool, Value::Bool(value)) => LookupValue::Bool(*value),
        _ => return None,
    })
}

/// A look-up that a test answers.
#[derive(Debug)]
struct StandIn {
    lookup: Arc<dyn Lookup>,
    stage: String,
    answers: Answers,
}

impl Lookup for StandIn {
    fn columns(&self) -> &[Column] {
        self.lookup.columns()
    }

    fn fingerprint(&self) -> String {
        self.lookup.fingerprint()
    }

    fn max_failed_share(&self) -> Option<f64> {
        self.lookup.max_failed_share()
    }

    fn open(&self, _: &LookupContext) -> Result<Box<dyn Asker>, StageError> {
        let (stage, answers) = (self.stage.clone(), self.answers.clone());
        Ok(Box::new(StandInAsker { stage, answers, figures: LookupFigures::default() }))
    }
}

struct StandInAsker {
    stage: String,
    answers: Answers,
    figures: LookupFigures,
}

impl Asker for StandInAsker {
    fn ask(
        &mut self,
        keys: &[Arc<str>],
        _: &AtomicBool,
        answered: &mut dyn FnMut(&str, Answer),
    ) -> Result<(), StageError> {
        for key in keys {
            let answer = self.answers.of(&self.stage, key);
            self.figures.wanted += 1;
            match &answer {
                Answer::Found { .. } => self.figures.answered += 1,
                Answer::Absent { .. } => self.figures.absent += 1,
                Answer::Failed { .. } => self.figures.failed += 1,
            }
            answered(key, answer);
        }
        Ok(())
    }

    fn forget(&mut self, _: &[Arc<str>]) -> Result<(), StageError> {
        Ok(())
    }

    fn figures(&self) -> LookupFigures {
        self.figures
    }
}
