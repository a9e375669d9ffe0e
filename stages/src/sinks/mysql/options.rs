//! The options of the sink, and what of them speaks of tables and columns.

use std::path::PathBuf;

use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        options::{OptionValue, Spanned, wrong_type},
        stage::PlannedInput,
    },
    diagnostics::Diagnostics,
    spec::{Node, Value},
};
use vardelta_schemas::{
    TableSchema,
    history::history_table,
    sql::{
        Dialect,
        mysql::layout::{TableLayout, TextCharacters},
    },
};

use crate::sinks::{
    mysql::{constraints::References, partitions::Partitions, settings::PlannedIndex, tls::Tls, values::base64},
    shared::{
        constraints::{Checks, OnConstraint},
        marks::OnDelete,
    },
};

options! {
    /// Options of `mysql`.
    pub struct MySqlOptions {
        /// The server and the database: `mysql://user:password@host:port/database`, best as `${VARDELTA_MYSQL_URL}`, so that
        /// the password is in no file. It is never shown. Letters that mean something in an address are written as in one:
        /// `%40` for `@`.
        "url" => url: String,
        /// Encryption. "off": none. "preferred": where the server offers it, else plain text, and the report says so of
        /// another machine's. "required": always, whoever the server is. "verify_ca": with a server whose certificate a known
        /// authority has signed. "verify_identity": and the certificate names the host of `url`. A socket is not encrypted.
        "tls" => tls: Tls = Tls::Preferred, "\"preferred\"",
        /// A file of certificates in PEM form, relative to the pipeline file: authorities to trust beside the public ones. Only
        /// with "verify_ca" and "verify_identity".
        "tls_ca" => tls_ca: Option<PathBuf> = None, "\"\"",
        /// The server's socket, relative to the pipeline file, instead of the host and port of `url`.
        "socket" => socket: Option<PathBuf> = None, "\"\"",
        /// How many characters text columns hold, by name, in all tables of the sink: `{ chromosome = 64 }`. A longer value
        /// is an error. 0 means any number, kept as LONGTEXT. Text in front of a key and text in an index holds 255
        /// characters if nothing is said; other text holds any number.
        "text_characters" => text_characters: NamedNumbers = NamedNumbers::default(), "{}",
        /// Indexes that are built once a table is first filled: lists of columns, `[["chromosome", "quality"]]`, for every
        /// table that has all of them, or by table, `{ variants = [["chromosome", "quality"]] }`.
        "indexes" => indexes: Indexes = Indexes::default(), "[]",
        /// The column by whose value rows are parted: `"chromosome"`. Every table whose primary key has it is partitioned
        /// (LIST COLUMNS), so that a query for one chromosome reads one partition; the others are left as they are.
        "partition_by" => partition_by: Option<Spanned<String>> = None, "\"\"",
        /// The values that get a partition each, `["chr1", "chr2"]`, or one together, `[["chrX", "chrY"]]`. Default: the
        /// contigs of the pipeline's `assembly`, if that is one that vardelta knows by name. MariaDB keeps all other values
        /// in one further partition; MySQL takes no row with another value.
        "partitions" => partitions: Option<Spanned<Partitions>> = None, "[]",
        /// Tables of which a history is kept: `["mutation_summary"]` gives `mutation_summary_history`, with a row for every
        /// row that an epoch inserted, updated or deleted.
        "history" => history: Vec<Spanned<String>> = Vec::new(), "[]",
        /// What becomes of a row that goes: "delete"; or "mark", it stays with its last values, `deleted_at` is the time of the
        /// epoch (UTC, as in the ledger), and the view `<table>_live` shows the rows whose `deleted_at` is NULL. The user then
        /// needs the right CREATE VIEW as well.
        "on_delete" => on_delete: OnDelete = OnDelete::Delete, "\"delete\"",
        /// CHECK constraints: SQL conditions over a table's columns, `{ variants = ["position >= 0"] }`. They may use
        /// comparisons, AND, OR, NOT, + - *, BETWEEN, IN, IS NULL and length(). A NULL passes, as in SQL.
        "checks" => checks: Checks = Checks::default(), "{}",
        /// FOREIGN KEYs, always ON DELETE RESTRICT: `{ variants = [{ columns = ["gene"], table = "genes", to = ["symbol"] }] }`.
        /// The other table is one of this sink, referred to by its key, or any other of the same database.
        "references" => references: References = References::default(), "{}",
        /// What happens to a row that the database does not take (a constraint, a value that its column cannot hold): "abort",
        /// nothing is written; "quarantine", the row becomes a reject with the server's message, and the rest is written.
        "on_constraint" => on_constraint: OnConstraint = OnConstraint::Abort, "\"abort\"",
        /// Whether new rows go by LOAD DATA LOCAL where the server permits it (`local_infile = ON` there). It needs no FILE
        /// right. Otherwise they go by multi-row INSERT, which takes about twice as long.
        "local_infile" => local_infile: bool = true, "true",
        /// Seconds to wait for a row or table that another client has locked, before the transaction is run again.
        "lock_wait_seconds" => lock_wait_seconds: u64 = 50, "50",
        /// How often a transaction that met a deadlock, waited for too long or lost its connection is run again.
        "retries" => retries: u64 = 8, "8",
        /// Milliseconds to wait for a server that is gone, a restarting one for instance.
        "reconnect_timeout_ms" => reconnect_timeout_ms: u64 = 30_000, "30_000",
    }
}

/// A TOML table of whole numbers: `{ chromosome = 64 }`.
#[derive(Clone, Debug, Default)]
pub struct NamedNumbers(pub Vec<(Spanned<String>, u64)>);

impl OptionValue for NamedNumbers {
    const EXPECTS: &'static str = "a table of whole numbers";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let read: Vec<Option<_>> = entries
            .iter()
            .map(|entry| {
                let name = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
                Some((name, u64::read(&entry.node, diagnostics)?))
            })
            .collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(NamedNumbers)
    }
    fn json_schema() -> String {
        r#"{"type":"object","additionalProperties":{"type":"integer","minimum":0}}"#.into()
    }
}

/// Columns of an index.
type IndexColumns = Spanned<Vec<Spanned<String>>>;

/// Indexes: each with its table, if the pipeline names it.
#[derive(Clone, Debug, Default)]
pub struct Indexes(pub Vec<(Option<Spanned<String>>, IndexColumns)>);

impl OptionValue for Indexes {
    const EXPECTS: &'static str = "a list of lists of columns, or a table of such lists";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut indexes = Vec::new();
        match &node.value {
            Value::Array(_) => {
                let lists = Vec::<IndexColumns>::read(node, diagnostics)?;
                indexes.extend(lists.into_iter().map(|columns| (None, columns)));
            }
            Value::Table(entries) => {
                for entry in entries {
                    let table = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
                    let lists = Vec::<IndexColumns>::read(&entry.node, diagnostics)?;
                    indexes.extend(lists.into_iter().map(|columns| (Some(table.clone()), columns)));
                }
            }
            _ => return wrong_type(node, Self::EXPECTS, diagnostics),
        }
        Some(Indexes(indexes))
    }
    fn json_schema() -> String {
        let lists = Vec::<Vec<String>>::json_schema();
        format!(r#"{{"anyOf":[{lists},{{"type":"object","additionalProperties":{lists}}}]}}"#)
    }
}

/// Columns that no table has are reported.
pub(super) fn plan_text_characters(
    said: &NamedNumbers,
    inputs: &[PlannedInput<'_>],
    diagnostics: &mut Diagnostics,
) -> TextCharacters {
    let mut planned = TextCharacters::new();
    for (name, characters) in &said.0 {
        if !inputs.iter().any(|input| input.schema.column(&name.value).is_some()) {
            diagnostics
                .error(name.span.clone(), format!("no table of this sink has a column `{}`", name.value))
                .label("unknown column");
        }
        planned.insert(name.value.clone(), usize::try_from(*characters).unwrap_or(usize::MAX));
    }
    planned
}

/// The indexes with their tables and names. What is wrong with them is reported.
pub(super) fn plan_indexes(
    said: &Indexes,
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) -> Vec<PlannedIndex> {
    let mut planned: Vec<PlannedIndex> = Vec::new();
    for (table, columns) in &said.0 {
        if columns.value.is_empty() {
            diagnostics.error(columns.span.clone(), "an index needs a column").label("no columns");
            continue;
        }
        if let Some(table) = table
            && !inputs.iter().any(|input| input.name == table.value)
        {
            diagnostics
                .error(table.span.clone(), format!("`{}` is not a table of this sink", table.value))
                .label("unknown table");
            continue;
        }
        let mut found = false;
        for input in inputs.iter().filter(|input| table.as_ref().is_none_or(|table| table.value == input.name)) {
            let places = columns.value.iter().map(|column| input.schema.index_of(&column.value));
            let Some(places) = places.collect::<Option<Vec<usize>>>() else { continue };
            found = true;
            let names: Vec<&str> = columns.value.iter().map(|column| column.value.as_str()).collect();
            let index = PlannedIndex { table: input.name.to_owned(), name: index_name(&names), columns: places };
            check_bytes(&index, input, columns, text_characters, diagnostics);
            if !planned.contains(&index) {
                planned.push(index);
            }
        }
        if !found {
            let column = columns.value.iter().find(|column| {
                let mut wanted = inputs.iter().filter(|i| table.as_ref().is_none_or(|table| table.value == i.name));
                !wanted.any(|input| input.schema.column(&column.value).is_some())
            });
            let (span, message) = match column {
                Some(column) => {
                    (column.span.clone(), format!("no such table of this sink has a column `{}`", column.value))
                }
                None => (columns.span.clone(), "no table of this sink has all of these columns".to_owned()),
            };
            diagnostics.error(span, message).label("nothing to index");
        }
    }
    planned
}

/// An index by key for each history whose primary key does not begin with its table's key, over as much of the key as an
/// index can hold.
pub(super) fn history_indexes(
    history: &[String],
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
) -> Vec<PlannedIndex> {
    let of = |name: &String| {
        let input = inputs.iter().find(|input| input.name == name)?;
        let key = input.key.unwrap_or_default().to_vec();
        let table = history_table(&TableSchema { name: name.clone(), schema: input.schema.clone(), key: key.clone() });
        let layout = TableLayout::new(Dialect::MySql, &table, text_characters, &[]);
        let fits = |columns: &[usize]| {
            layout.index_bytes(&table, columns).is_some_and(|bytes| bytes <= TableLayout::INDEX_BYTES)
        };
        let columns: Vec<usize> = (0..key.len()).collect();
        let columns = columns[..(0..=key.len()).rev().find(|count| fits(&columns[..*count]))?].to_vec();
        if columns.is_empty() || layout.primary_key.starts_with(&columns) {
            return None;
        }
        let names: Vec<&str> = columns.iter().map(|index| table.schema.columns()[*index].name.as_str()).collect();
        Some(PlannedIndex { name: index_name(&names), table: table.name.clone(), columns })
    };
    history.iter().filter_map(of).collect()
}

pub(super) fn check_bytes(
    index: &PlannedIndex,
    input: &PlannedInput<'_>,
    columns: &IndexColumns,
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) {
    let key = input.key.unwrap_or_default().to_vec();
    let table = TableSchema { name: index.table.clone(), schema: input.schema.clone(), key };
    let layout = TableLayout::new(Dialect::MySql, &table, text_characters, std::slice::from_ref(&index.columns));
    match layout.index_bytes(&table, &index.columns) {
        None => {
            diagnostics
                .error(columns.span.clone(), format!("an index of `{}` has text of any length", index.table))
                .label("cannot be indexed whole")
                .hint("Say how long it may be: `text_characters = { column = 64 }`. A part of a text is never indexed alone.");
        }
        Some(bytes) if bytes > TableLayout::INDEX_BYTES => {
            diagnostics
                .error(columns.span.clone(), format!("an index of `{}` would take {bytes} bytes", index.table))
                .label(format!("the servers allow {}", TableLayout::INDEX_BYTES))
                .hint(
                    "Bound its text columns: `text_characters = { column = 64 }`; a character takes up to four bytes.",
                );
        }
        Some(_) => {}
    }
}

/// Names are at most 64 characters.
pub(super) fn index_name(columns: &[&str]) -> String {
    let name = format!("by_{}", columns.join("_"));
    if name.chars().count() <= 64 {
        return name;
    }
    format!("by_{}", base64(xxhash_rust::xxh3::xxh3_128(columns.join("\0").as_bytes())))
}
