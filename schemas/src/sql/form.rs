//! The form of a table as its database describes it, and how it differs from the planned one.

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
}

impl TableForm {
    /// How this form, found in a database, differs from the planned one: the first difference, in words.
    pub fn difference(&self, planned: &TableForm) -> Option<String> {
        for column in &planned.columns {
            let Some(found) = self.columns.iter().find(|found| found.name == column.name) else {
                return Some(format!("it has no column `{}`", column.name));
            };
            if found != column {
                return Some(format!(
                    "column `{}` is {}, and the pipeline says {}",
                    column.name,
                    found.describe(),
                    column.describe()
                ));
            }
        }
        if let Some(extra) = self.columns.iter().find(|found| !planned.columns.iter().any(|c| c.name == found.name)) {
            return Some(format!("it has a column `{}`, which the pipeline does not", extra.name));
        }
        if self.columns != planned.columns {
            let order = |columns: &[ColumnForm]| {
                columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
            };
            return Some(format!(
                "its columns are in the order {}, and the pipeline's {}",
                order(&self.columns),
                order(&planned.columns)
            ));
        }
        (self.kind != planned.kind).then(|| format!("it is {}, and should be {}", self.kind, planned.kind))
    }
}

impl ColumnForm {
    fn describe(&self) -> String {
        let null = if self.not_null { " NOT NULL" } else { "" };
        let key = match self.key_place {
            0 => String::new(),
            place => format!(", number {place} of the key"),
        };
        format!("{}{null}{key}", self.declared_type)
    }
}
