//! What a `union` is: all rows of all inputs.

use vardelta_schemas::{Schema, sql::view};

use super::{
    origins::{Derivation, Origins},
    relation::{Input, Reads, Relation, Say, Workings},
};

/// A planned `union`.
#[derive(Clone, Debug)]
pub struct UnionSpec {
    /// The columns: the tag, if there is one, then those that are the same in every input.
    pub schema: Schema,
    /// The tag and the key of the inputs, where there is a tag and they have the same key.
    pub key: Option<Vec<usize>>,
    /// With a tag: what its column says for each input.
    pub tags: Option<Vec<String>>,
}

impl UnionSpec {
    /// How many columns come before those of the inputs.
    fn before(&self) -> usize {
        usize::from(self.tags.is_some())
    }
}

impl Relation for UnionSpec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn key(&self) -> Option<&[usize]> {
        self.key.as_deref()
    }

    fn reads(&self) -> Reads {
        Reads::Either
    }

    fn is_stateless(&self) -> bool {
        true
    }

    fn carries(&self, column: usize) -> Option<usize> {
        Some(column + self.before())
    }

    fn changes_later(&self) -> bool {
        false
    }

    fn hides_values(&self) -> bool {
        false
    }

    fn spaces(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn workings(&self, _: &[Input<'_>]) -> Workings {
        Workings::default()
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        // Columns are found by their names, after the tag.
        for (input, origins) in inputs {
            for (to, column) in self.schema.columns().iter().enumerate().skip(self.before()) {
                made.take(to, origins, input.schema.index_of(&column.name), Derivation::Identity);
            }
        }
    }

    fn say(&self) -> Option<Say<'_>> {
        Some(Box::new(|inputs, _| {
            Ok(view::Relation::Union { inputs, tags: self.tags.clone(), schema: self.schema.clone() })
        }))
    }

    fn key_advice(&self) -> Option<&'static str> {
        Some(
            "Rows of a union may coincide: give it a `tag` after inputs that have the same key, list its inputs as tables, or put \
             an `aggregate` after it.",
        )
    }
}
