//! Columns that are unique beside the key: what the servers ask of them, and rows whose values another row has.

use mysql::{Row, prelude::Queryable};
use vardelta_engine::{
    contract::{
        sink::{Op, SinkError},
        stage::PlannedInput,
    },
    diagnostics::Diagnostics,
};
use vardelta_schemas::sql::{
    mysql::{self as sql, layout::TextCharacters, table::RowValue},
    unique::Unique,
};

use crate::sinks::{
    mysql::{
        apply::{Sent, Writer},
        error::explain,
        indexes::check_bytes,
        link::take,
        options::MySqlOptions,
        settings::PlannedIndex,
    },
    shared::unique::{PlannedUnique, violation},
};

/// Reports what the servers do not keep unique: texts without a bound, columns without the one that parts the table, and columns
/// of a table to which others refer.
pub(super) fn check(
    planned: &[PlannedUnique],
    options: &MySqlOptions,
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) {
    for unique in planned {
        let is_said = |names: &[String]| names == unique.index.columns.as_slice();
        let said = options.unique.0.iter().find(|(table, columns)| {
            let names: Vec<String> = columns.value.iter().map(|column| column.value.clone()).collect();
            table.as_ref().is_none_or(|table| table.value == unique.table) && is_said(&names)
        });
        let (Some(input), Some((_, columns))) = (inputs.iter().find(|input| input.name == unique.table), said) else {
            continue;
        };
        let index = PlannedIndex {
            table: unique.table.clone(),
            columns: unique.columns.clone(),
            name: unique.index.name.clone(),
        };
        check_bytes(&index, input, columns, text_characters, diagnostics);
        if let Some(by) = &options.partition_by
            && let Some(parts) = input.schema.index_of(&by.value)
            && input.key.unwrap_or_default().contains(&parts)
            && !unique.columns.contains(&parts)
        {
            diagnostics
                .error(columns.span.clone(), format!("`{}` is partitioned by `{}`", unique.table, by.value))
                .label(format!("does not hold `{}`", by.value))
                .hint("The servers keep rows unique within a partition only: add the column, or do not partition the table.");
        }
        let mut references = options.references.0.iter().flat_map(|(_, references)| references);
        if references.any(|reference| reference.table.value == unique.table) {
            diagnostics
                .error(columns.span.clone(), format!("other tables refer to `{}`", unique.table))
                .label("not where `references` lead to")
                .hint(
                    "A row whose unique values change leaves the table before it comes again, which a FOREIGN KEY to it \
                     forbids: leave one of the two out.",
                );
        }
    }
}

impl Writer<'_> {
    /// New rows of which LOAD DATA put some in the place of others: nothing of it is kept, and statements say which.
    pub(super) fn statements_instead(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        let failed = explain(self.target.location, "write to");
        self.target.link.conn.query_drop(sql::ROLLBACK_TO_SAVEPOINT).map_err(failed)?;
        self.statements(Op::Insert, sent)
    }

    /// What is wrong with the one row of a statement, whose values another row has. Nothing of the statement was written.
    pub(super) fn shared_values(&mut self, index: &Unique, sent: &Sent<'_, '_>) -> Result<String, SinkError> {
        let failed = explain(self.target.location, "look for a row in");
        let (table, (batch, row)) = (self.target.table, sent.rows[0]);
        let values: Vec<RowValue> =
            index.columns.iter().filter_map(|name| table.schema.index_of(name)).map(RowValue::Column).collect();
        let mut parameters = Vec::new();
        sent.bind(&values, 0, &mut parameters);
        let holder = index.holder(self.target.layout.dialect, table, self.target.sql.name());
        let found: Option<Row> = self.target.link.conn.exec_first(holder, parameters).map_err(failed)?;
        let key = found
            .map(|mut found| {
                (0..table.key.len()).map(|at| take::<Option<String>>(&mut found, at)).collect::<Result<Vec<_>, _>>()
            })
            .transpose()
            .map_err(failed)?;
        Ok(violation(table, index, &sent.readers[batch].columns, row, key.as_deref()))
    }
}
