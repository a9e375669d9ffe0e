//! Rows that stay marked when they go: what every sink asks of its tables for that.

use vardelta_engine::{contract::stage::PlannedInput, diagnostics::Diagnostics};
use vardelta_schemas::{
    TableSchema,
    sql::{
        form::{ColumnForm, TableForm},
        marks::{DELETED_AT, Marks, live_name, table_of_live},
        migration::{Change, TableChanges},
    },
};

use crate::sinks::shared::tables::{Names, check_length};

vardelta_engine::choices! {
    /// What becomes of a row that goes.
    pub enum OnDelete {
        /// It is deleted.
        Delete = "delete",
        /// It stays and is marked.
        Mark = "mark",
    }
}

impl OnDelete {
    /// What a table of the sink has to do with marked rows once it is as the pipeline declares it.
    pub(crate) fn marks(self) -> Marks {
        match self {
            OnDelete::Delete => Marks::None,
            OnDelete::Mark => Marks::Kept,
        }
    }

    /// What a table that was found has to do with marked rows. `columns` are those that it has, `has_view` says whether
    /// this pipeline made the view of its live rows: a column [`DELETED_AT`] alone may be one that the pipeline had of its
    /// own.
    pub(crate) fn found<'a>(
        self,
        table: &TableSchema,
        mut columns: impl Iterator<Item = &'a str>,
        has_view: bool,
    ) -> Marks {
        let is_own = table.schema.columns().iter().any(|column| column.name.eq_ignore_ascii_case(DELETED_AT));
        if is_own || !columns.any(|column| column.eq_ignore_ascii_case(DELETED_AT)) {
            return Marks::None;
        }
        match self {
            OnDelete::Mark => Marks::Kept,
            OnDelete::Delete if has_view => Marks::LeftOver,
            OnDelete::Delete => Marks::None,
        }
    }
}

/// Reports names that stand in the way of marking rows.
pub(crate) fn check_marks(
    on_delete: OnDelete,
    inputs: &[PlannedInput<'_>],
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    if on_delete == OnDelete::Delete {
        return;
    }
    for input in inputs {
        let own = input.schema.columns().iter().find(|column| column.name.eq_ignore_ascii_case(DELETED_AT));
        if let Some(own) = own {
            diagnostics
                .error(input.span.clone(), format!("`{}` has a column `{}` of its own", input.name, own.name))
                .label(format!("on_delete = \"mark\" adds a column `{DELETED_AT}`"))
                .hint("Give the column another name with a `select`.");
        }
        let live = live_name(input.name);
        if inputs.iter().any(|other| other.name.eq_ignore_ascii_case(&live)) {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("the live rows of `{}` would be called `{live}`, as a table is", input.name),
                )
                .label("on_delete = \"mark\" makes a view of this name")
                .hint("Give the other stage another name.");
        }
        check_length(input, &live, names, diagnostics);
    }
}

/// Whether a name of the pipeline in the ledger is that of a view of live rows, not of a table.
pub(crate) fn is_live_view(name: &str, owned: &[String], tables: &[TableSchema]) -> bool {
    let is_declared = |name: &str| tables.iter().any(|table| table.name.eq_ignore_ascii_case(name));
    let is_table = |name: &str| is_declared(name) || owned.iter().any(|owned| owned.eq_ignore_ascii_case(name));
    !is_declared(name) && table_of_live(name).is_some_and(is_table)
}

/// Takes the steps that forbid NULL out of those of a table whose marked rows stay: a column that came later has no value in
/// them. Returns the columns in which the table stays laxer than its pipeline. [`DELETED_AT`] is none of them: whoever takes
/// the option away must ask for it by a migration, because rows that go would be deleted from then on.
pub(crate) fn keep_lax(changes: &mut TableChanges, planned: Marks) -> Vec<String> {
    if planned != Marks::Kept {
        return Vec::new();
    }
    changes.lax.retain(|name| name != DELETED_AT);
    let forbidden = |change: &Change| match change {
        Change::ForbidNull(ColumnForm { name, .. }) => Some(name.clone()),
        _ => None,
    };
    let lax = changes.contract.iter().filter_map(forbidden).collect();
    changes.contract.retain(|change| forbidden(change).is_none());
    lax
}

/// Why a table cannot come to mark its rows: it has a column of the name from another definition of the pipeline.
pub(crate) fn taken_column(found: &TableForm, planned: Marks, has_view: bool) -> Option<String> {
    let has_column = found.columns.iter().any(|column| column.name.eq_ignore_ascii_case(DELETED_AT));
    (planned == Marks::Kept && has_column && !has_view)
        .then(|| format!("its column `{DELETED_AT}` is of an earlier definition, and says nothing of marked rows"))
}

/// The notice about a table that was rebuilt and had marked rows.
pub(crate) fn lost_marks(table: &str, rows: u64) -> String {
    let (s, were) = if rows == 1 { ("", "was") } else { ("s", "were") };
    format!("table `{table}` was rebuilt without {rows} row{s} that {were} gone and marked")
}

/// What is refused where somebody else has the name of a view.
pub(crate) fn taken_name(table: &str, kind: &str, found: &str, location: &str) -> (String, String) {
    (
        format!(
            "there is a {kind} `{found}` in {location} that vardelta did not make, and the live rows of `{table}` would have its name"
        ),
        format!("Rename or drop it, or give the stage `{table}` another name; vardelta leaves it alone."),
    )
}

#[cfg(test)]
mod tests {
    use vardelta_schemas::{Column, ColumnType, Schema};

    use super::*;

    #[test]
    fn marks_are_told_from_a_column_of_the_pipelines_own() {
        let column = |name: &str| Column::nullable(name, ColumnType::Text);
        let table = |columns: Vec<Column>| TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
        let (plain, own) = (table(vec![column("a")]), table(vec![column("a"), column("Deleted_At")]));
        let found = |on_delete: OnDelete, table: &TableSchema, columns: &[&str], has_view| {
            on_delete.found(table, columns.iter().copied(), has_view)
        };
        let columns = ["a", "deleted_at"];
        assert_eq!(found(OnDelete::Mark, &plain, &columns, true), Marks::Kept);
        assert_eq!(found(OnDelete::Mark, &plain, &["a"], true), Marks::None);
        assert_eq!(found(OnDelete::Delete, &plain, &columns, true), Marks::LeftOver);
        assert_eq!(found(OnDelete::Delete, &plain, &columns, false), Marks::None);
        assert_eq!(found(OnDelete::Delete, &own, &columns, true), Marks::None);
    }

    #[test]
    fn a_view_is_told_from_a_table() {
        let owned = ["t", "t_live", "alive", "o_live"].map(str::to_owned);
        let table = TableSchema { name: "o_live".into(), schema: Schema::default(), key: vec![] };
        let tables = [table];
        let views: Vec<&String> = owned.iter().filter(|name| is_live_view(name, &owned, &tables)).collect();
        assert_eq!(views, ["t_live"]);
    }
}
