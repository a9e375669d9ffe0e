//! What every sink asks of the tables it is to keep.

use std::collections::BTreeMap;

use vardelta_engine::{
    contract::{
        erasure::Erasure,
        options::Spanned,
        sink::{SinkError, SinkErrorKind},
        stage::PlannedInput,
    },
    diagnostics::Diagnostics,
    suggest::nearest,
};
use vardelta_schemas::{
    ColumnType, TableSchema,
    history::{history_name, history_table},
};

/// What to do about a table that is not there.
pub(crate) const MISSING_TABLE_HINT: &str = "Run `vardelta rebuild` to make it again from the state.";
/// What to do about a table that is not the planned one.
pub(crate) const OTHER_TABLE_HINT: &str = "Run `vardelta migrate` to change it, or `vardelta rebuild` to make it from scratch, or put the pipeline file back as it was.";
/// What to do about a table whose constraints are not the planned ones. They are made with it.
pub(crate) const OTHER_CONSTRAINT_HINT: &str =
    "Run `vardelta rebuild` to make it from scratch with them, or put the pipeline file back as it was.";
/// What to do about a history that is not the planned one. Nothing can rebuild it.
pub(crate) const OTHER_HISTORY_HINT: &str =
    "Run `vardelta migrate`, or rename the table, and the next run starts a new one: a history is never made again.";

/// Refuses to erase drops from tables that nothing keeps up any more: what such a table or column holds of them, nobody can
/// tell. `owned` are the pipeline's tables in the database, `lax_columns` the columns that a migration has left in one.
pub(crate) fn check_nothing_is_left_over(
    erasure: &Erasure,
    owned: &[String],
    mut lax_columns: impl FnMut(&str) -> Result<Vec<String>, SinkError>,
) -> Result<(), SinkError> {
    let refuse = |what: String, hint: &str| {
        let message = format!("{what}, so nobody can tell what is in it of the drops; nothing was erased");
        Err(SinkError::new(SinkErrorKind::Layout, message).with_hint(hint))
    };
    let declared = || erasure.tables.iter().flat_map(|table| table.history.iter().chain([&table.table]));
    for name in owned {
        if !declared().any(|table| table.name.eq_ignore_ascii_case(name)) {
            let hint = "Declare it again, or run `vardelta migrate --contract`, which drops it; then erase.";
            return refuse(format!("table `{name}` is the pipeline's, which no longer declares it"), hint);
        }
    }
    for table in erasure.tables.iter().map(|table| &table.table) {
        let left_over = lax_columns(&table.name)?.into_iter().find(|column| table.schema.column(column).is_none());
        if let Some(column) = left_over {
            let hint = "Run `vardelta migrate --contract`, which drops it, then erase.";
            return refuse(format!("column `{column}` of table `{}` is no longer declared", table.name), hint);
        }
    }
    Ok(())
}

/// What a database says about names.
pub(crate) struct Names {
    /// The database, for messages.
    pub(crate) database: &'static str,
    /// Beginnings of table names that are taken, in lower case.
    pub(crate) reserved_prefixes: &'static [&'static str],
    /// Columns that the sink adds, in lower case.
    pub(crate) added_columns: &'static [&'static str],
    /// Characters of a name at the most.
    pub(crate) characters_max: usize,
    /// Columns of a table at the most, those that the sink adds included.
    pub(crate) columns_max: usize,
    /// Bytes of a row that must lie in one page; `None` where a row may take any number of pages.
    pub(crate) page_row_bytes_max: Option<usize>,
}

/// The least that a column takes of a row in one page of InnoDB: a long text lies elsewhere, and a pointer to it here
/// (MySQL 8.4 Reference Manual, 17.10, "DYNAMIC Row Format").
fn page_bytes(column_type: &ColumnType) -> usize {
    match column_type {
        ColumnType::Text => 20,
        ColumnType::Bool => 1,
        ColumnType::Date => 3,
        _ => 8,
    }
}

/// Reports a table that is too wide for the database, before anything is read.
fn check_width(input: &PlannedInput<'_>, names: &Names, diagnostics: &mut Diagnostics) {
    let columns = input.schema.columns();
    let count = columns.len() + names.added_columns.len();
    let bytes: usize = columns.iter().map(|column| page_bytes(&column.column_type)).sum();
    let message = if count > names.columns_max {
        format!("`{}` has {count} columns, and {} keeps at most {}", input.name, names.database, names.columns_max)
    } else if let Some(most) = names.page_row_bytes_max.filter(|most| bytes > *most) {
        format!(
            "the {count} columns of `{}` take at least {bytes} bytes of a row, and {} keeps at most {most} in a page",
            input.name, names.database
        )
    } else {
        return;
    };
    diagnostics
        .error(input.span.clone(), message)
        .label("too wide")
        .hint("Keep fewer columns with a `select`, or part them among several tables with the same key.");
}

/// Reports what a database cannot keep as tables: names it does not tell apart, names that are taken, lists, and inputs
/// without a key (whose rows could not be found again).
pub(crate) fn check_tables(inputs: &[PlannedInput<'_>], names: &Names, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for input in inputs {
        let folded = input.name.to_ascii_lowercase();
        if let Some(prefix) = names.reserved_prefixes.iter().find(|prefix| folded.starts_with(**prefix)) {
            diagnostics
                .error(input.span.clone(), format!("a table cannot be called `{}`", input.name))
                .label(format!("names in `{prefix}` are taken"))
                .hint("Give the stage another name.");
        }
        if let Some(earlier) = seen.insert(folded, input.name)
            && earlier != input.name
        {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("{} does not tell `{}` from `{earlier}`", names.database, input.name),
                )
                .label("differs in letter case only")
                .hint("Give one of the stages another name.");
        }
        check_length(input, input.name, names, diagnostics);
        if input.key.is_none() {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("`{}` has no key, so its rows cannot be kept as a table", input.name),
                )
                .label("has no key")
                .hint("Put a `table` stage after it, with the columns that name a row as its `key`.");
        }
        check_columns(input, names, diagnostics);
        check_width(input, names, diagnostics);
    }
}

/// The tables of which a history is to be kept. Names that are no tables, and histories that cannot be, are reported.
pub(crate) fn plan_history(
    said: &[Spanned<String>],
    inputs: &[PlannedInput<'_>],
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let mut planned: Vec<String> = Vec::new();
    for Spanned { value: name, span } in said {
        let Some(input) = inputs.iter().find(|input| input.name == name) else {
            let problem = diagnostics.error(span.clone(), format!("`{name}` is not a table of this sink"));
            problem.label("unknown table");
            match nearest(name, inputs.iter().map(|input| input.name)) {
                Some(near) => problem.hint(format!("Did you mean `{near}`?")),
                None => problem.hint("A history is kept of one of the sink's `tables`."),
            };
            continue;
        };
        if planned.contains(name) {
            diagnostics.error(span.clone(), format!("`{name}` is listed twice")).label("listed before");
            continue;
        }
        planned.push(name.clone());
        let history = history_name(name);
        if inputs.iter().any(|input| input.name.eq_ignore_ascii_case(&history)) {
            diagnostics
                .error(span.clone(), format!("the history of `{name}` would be called `{history}`, as a table is"))
                .label("the name is taken")
                .hint("Give the other stage another name.");
        }
        let key = input.key.unwrap_or_default().to_vec();
        let table = history_table(&TableSchema { name: name.clone(), schema: input.schema.clone(), key });
        let kept = PlannedInput {
            name: &history,
            schema: &table.schema,
            key: Some(&table.key),
            is_table: false,
            span: span.clone(),
        };
        check_length(&kept, &history, names, diagnostics);
        check_columns(&kept, names, diagnostics);
    }
    planned
}

fn check_columns(input: &PlannedInput<'_>, names: &Names, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<String, &str> =
        names.added_columns.iter().map(|column| ((*column).to_owned(), *column)).collect();
    for column in input.schema.columns() {
        check_length(input, &column.name, names, diagnostics);
        if !column.column_type.is_scalar() {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("column `{}` of `{}` is {}", column.name, input.name, column.column_type),
                )
                .label("a table cannot keep a list")
                .hint("Leave the column out with a `select`, or make one row per item with `explode`.");
        }
        if let Some(earlier) = seen.insert(column.name.to_ascii_lowercase(), &column.name) {
            let problem = diagnostics.error(
                input.span.clone(),
                format!(
                    "{} does not tell column `{}` of `{}` from `{earlier}`",
                    names.database, column.name, input.name
                ),
            );
            if names.added_columns.contains(&earlier) {
                problem.label("the sink adds a column of this name");
            } else {
                problem.label("differ in letter case only");
            }
            problem.hint("Give the column another name with a `select`.");
        }
    }
}

pub(crate) fn check_length(input: &PlannedInput<'_>, name: &str, names: &Names, diagnostics: &mut Diagnostics) {
    if name.chars().count() > names.characters_max {
        diagnostics
            .error(input.span.clone(), format!("`{name}` is too long a name for {}", names.database))
            .label(format!("names have {} characters at the most", names.characters_max))
            .hint("Give it a shorter name.");
    }
}
