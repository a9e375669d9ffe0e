//! A look-up: one row for each distinct key that its input holds, with what a service answers for it.
//!
//! How a key is answered is a stage's business ([`Lookup`]). That answers are rows like any others is the engine's: a key is
//! wanted while a row of the input has it, its answer is kept in the state for as long, and a late answer is a change of one
//! row. There is a row for every wanted key at all times, so neither a service that is down nor one that does not know
//! a key takes rows away from what is joined to it.

use std::sync::Arc;

use vardelta_schemas::{Column, ColumnType, Schema};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    origins::{Derivation, Origins},
    relation::{Input, Reads, Relation, Workings, names},
    spaces,
};
use crate::{
    contract::{lookup::Lookup, options::Spanned, stage::PlannedInput},
    diagnostics::Diagnostics,
    suggest::{listed, nearest},
};

/// What is known of a key: the column `lookup_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupStatus {
    /// The service knows it.
    Found,
    /// The service answered, and does not know it.
    Absent,
    /// There is no answer yet: it was not asked for, or in vain.
    Waiting,
}

impl LookupStatus {
    /// The word in tables and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            LookupStatus::Found => "found",
            LookupStatus::Absent => "absent",
            LookupStatus::Waiting => "waiting",
        }
    }
}

/// The column that says what is known of the key.
pub(crate) const STATUS_COLUMN: &str = "lookup_status";

/// A planned look-up.
#[derive(Clone, Debug)]
pub struct LookupSpec {
    /// The columns: the key, the answer's columns, `lookup_status`.
    pub schema: Schema,
    /// The key: the first column.
    pub key: Vec<usize>,
    /// The input's column whose distinct values are wanted. NULL wants nothing.
    pub input_key: usize,
    /// How a key is answered.
    pub lookup: Arc<dyn Lookup>,
}

impl LookupSpec {
    /// A look-up of the values of an input's column; `None` after reporting why there is none.
    pub fn plan(
        input: &PlannedInput<'_>,
        key: &Spanned<String>,
        lookup: Arc<dyn Lookup>,
        diagnostics: &mut Diagnostics,
    ) -> Option<LookupSpec> {
        let columns = input.schema.columns();
        let Some(input_key) = input.schema.index_of(&key.value) else {
            let names = || columns.iter().map(|column| column.name.as_str());
            let problem = diagnostics.error(key.span.clone(), format!("there is no column `{}`", key.value));
            problem.label("unknown column");
            match nearest(&key.value, names()) {
                Some(near) => problem.hint(format!("Did you mean `{near}`?")),
                None => problem.hint(format!("The columns are: {}.", listed(names()))),
            };
            return None;
        };
        let column = &columns[input_key];
        if column.column_type != ColumnType::Text {
            diagnostics
                .error(key.span.clone(), format!("the column `{}` is {}", column.name, column.column_type))
                .label("a key to be looked up is a text")
                .hint(format!("Write `CAST({} AS TEXT)` in a `select` stage.", column.name));
            return None;
        }
        let mut all = vec![Column { nullable: false, number: None, ..column.clone() }];
        for answer in lookup.columns() {
            if all.iter().any(|known| known.name == answer.name) || answer.name == STATUS_COLUMN {
                diagnostics
                    .error(key.span.clone(), format!("two columns of the look-up are called `{}`", answer.name))
                    .hint(format!(
                        "It yields its key `{}`, the columns of the answer and `{STATUS_COLUMN}`: give the answer's column another \
                         name.",
                        column.name
                    ));
                return None;
            }
            all.push(Column { nullable: true, ..answer.clone() });
        }
        all.push(Column::required(STATUS_COLUMN, ColumnType::Text));
        Some(LookupSpec { schema: Schema::new(all), key: vec![0], input_key, lookup })
    }

    /// Tells answers of this look-up from those of another: where they come from, and the columns that they have.
    pub(crate) fn fingerprint(&self) -> u128 {
        let columns = self.schema.columns().iter().map(|column| format!("\n{} {}", column.name, column.column_type));
        xxh3_128(format!("{}{}", self.lookup.fingerprint(), columns.collect::<String>()).as_bytes())
    }

    /// The same, as definitions keep it.
    pub(crate) fn fingerprint_text(&self) -> String {
        format!("{:032x}", self.fingerprint())
    }
}

impl Relation for LookupSpec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn key(&self) -> Option<&[usize]> {
        Some(&self.key)
    }

    fn reads(&self) -> Reads {
        Reads::Rows
    }

    fn needs(&self, column: usize) -> bool {
        column == self.input_key
    }

    fn changes_later(&self) -> bool {
        false
    }

    fn hides_values(&self) -> bool {
        false
    }

    fn spaces(&self, stage: &str) -> Vec<String> {
        vec![spaces::answers(stage), spaces::wanted(stage), spaces::due(stage)]
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("answers", self.fingerprint_text())]
    }

    fn workings(&self, _: &[Input<'_>]) -> Workings {
        let key = names(&self.schema, &self.key);
        Workings {
            arranged: vec![format!("how often the chunk's rows want each ({key}), and the answers that came")],
            persisted: vec![
                format!("({key}) -> how many rows want it"),
                format!("({key}) -> its answer, kept until the last row that wants it goes"),
                format!("the ({key}) that wait for an answer, and when answers grow old"),
            ],
            exchanged_by: Some(key),
        }
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        let [(_, input)] = inputs else { return };
        made.take(0, input, Some(self.input_key), Derivation::Identity);
    }

    fn as_lookup(&self) -> Option<&LookupSpec> {
        Some(self)
    }
}
