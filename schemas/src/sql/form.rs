//! The form of a table as its database describes it, and how it differs from the planned one.

use super::mysql::partition::Partitioning;

/// A column as its database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnForm {
    /// The name.
    pub name: String,
    /// The declared type; for text in MySQL and MariaDB with its collation.
    pub declared_type: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Its place in the primary key, 1-based; 0 outside it.
    pub key_place: u32,
}

/// A table as its database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableForm {
    /// What it is beside its columns, in words: `STRICT`, `of the engine InnoDB`.
    pub kind: String,
    /// The columns, in order.
    pub columns: Vec<ColumnForm>,
    /// How it is partitioned, if it is.
    pub partitioning: Option<Partitioning>,
}

impl TableForm {
    /// How this form, found in a database, differs from the planned one: the first difference, in words. The order of the
    /// columns is no difference: a column that a migration added comes last, and every statement names its columns. In the
    /// `lax` columns the table may be laxer than the plan, as a migration left it: NULL is allowed there, and the plan may
    /// not have them at all.
    pub fn difference(&self, planned: &TableForm, lax: &[String]) -> Option<String> {
        for column in &planned.columns {
            let Some(found) = self.columns.iter().find(|found| found.name == column.name) else {
                return Some(format!("it has no column `{}`", column.name));
            };
            let not_null = found.not_null || (column.not_null && lax.contains(&found.name));
            if (ColumnForm { not_null, ..found.clone() }) != *column {
                return Some(format!(
                    "column `{}` is {}, and the pipeline says {}",
                    column.name,
                    found.describe(),
                    column.describe()
                ));
            }
        }
        let is_known = |found: &ColumnForm| {
            let is_left_over = !found.not_null && found.key_place == 0 && lax.contains(&found.name);
            is_left_over || planned.columns.iter().any(|column| column.name == found.name)
        };
        if let Some(extra) = self.columns.iter().find(|found| !is_known(found)) {
            return Some(format!("it has a column `{}`, which the pipeline does not", extra.name));
        }
        if self.kind != planned.kind {
            return Some(format!("it is {}, and should be {}", self.kind, planned.kind));
        }
        Partitioning::difference(self.partitioning.as_ref(), planned.partitioning.as_ref())
    }
}

impl ColumnForm {
    pub(super) fn describe(&self) -> String {
        let null = if self.not_null { " NOT NULL" } else { "" };
        let key = match self.key_place {
            0 => String::new(),
            place => format!(", number {place} of the key"),
        };
        format!("{}{null}{key}", self.declared_type)
    }
}
