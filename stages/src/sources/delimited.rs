//! `delimited`: reads tables as text: CSV, TSV and their kin, plain, gzip or BGZF.
//!
//! Fields are found by RFC 4180's rules; a record that does not keep to them is rejected with its line, and a value that is
//! not of its column's type is NULL and counted: see `reasons`.

mod columns;
mod dialect;
mod fields;
mod header;
mod options;
mod parser;
mod provenance;
mod reader;
mod reasons;
mod records;
mod second_header;
mod source;

use std::sync::Arc;

use vardelta_engine::{
    contract::{
        options::OptionDoc,
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageType},
    },
    diagnostics::Diagnostics,
};

use self::{columns::Columns, dialect::FORMATS, options::DelimitedOptions, source::DelimitedSource};
use crate::sources::shared::files::{FileOptions, Files, with_drop_column};

/// The `delimited` source, for the registry.
pub static DELIMITED: DelimitedStage = DelimitedStage;

/// The stage type `delimited`.
pub struct DelimitedStage;

impl StageType for DelimitedStage {
    fn name(&self) -> &'static str {
        "delimited"
    }

    fn kind(&self) -> Kind {
        Kind::Source
    }

    fn manual(&self) -> &'static str {
        "Reads tables as text: CSV, TSV and the like, plain, gzip or BGZF, recognised by content; one row per record.\n\
         \n\
         The first line names the columns; `columns` says which are read, in what order and as what. A column that a file\n\
         does not have, or has twice, refuses the file. Blank lines and comment lines may come before the header. Where the\n\
         first line that is no comment does not name the columns and the comment line before it does, that one is the\n\
         header; a `#` before the first name is no part of it (`#AlleleID`).\n\
         \n\
         A field in double quotes may hold separators, line ends, and quotes written twice (RFC 4180); a quote inside a field\n\
         that does not begin with one is a character like any other. A record with more or fewer fields than the header, or\n\
         with text after a closing quote, is rejected with its line. A quote that is never closed refuses the file. Where\n\
         quotes mean nothing (many TSV files of biology), write `quote = \"none\"`.\n\
         \n\
         A value that `null_values` lists is NULL. White space around a value that is not text is left out. A value that is\n\
         not of its column's type is NULL and counted (`bad_value`), in a `required` column it rejects the record:\n\
         - text: the bytes as they are, in UTF-8; an undecodable one becomes U+FFFD and its two\n\
         \x20 hexadecimal digits, so that names stay apart, and is counted. UTF-16 is refused.\n\
         - int64: decimal digits with an optional sign; `12.0` is read as 12 and counted (`decimal_integer`).\n\
         - float64: a finite number, as 0.5, 5e-8.\n\
         - decimal(p,s): a number that p digits hold, s of them after the point; nothing is rounded.\n\
         - bool: true, false, t, f, yes, no, y, n, 1 or 0, in any case.\n\
         - date: 2024-05-17, 2024/05/17, 20240517 or May 17, 2024."
    }

    fn example(&self) -> &'static str {
        r##"[pipeline]
name = "drugs"

[stages.drug_rows]
type = "delimited"
path = "drugs/*.tsv"
comment = "#"
null_values = ["", "NA"]
[stages.drug_rows.columns]
gene_symbol = { from = "gene_name", type = "text", required = true }
drug_name = { type = "text", required = true }
score = { from = "interaction_score", type = "float64" }

[stages.drugs]
type = "table"
input = "drug_rows"
key = ["gene_symbol", "drug_name"]
conflict = "latest_drop"

[stages.warehouse]
type = "sqlite"
path = "drugs.sqlite"
tables = ["drugs"]
"##
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
    }

    fn options(&self) -> &'static [OptionDoc] {
        DelimitedOptions::DOCS
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["path", "drop_name", "allow_missing_eof"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = DelimitedOptions::read(request.options, diagnostics)?;
        if options.comment.value.contains(['\n', '\r', '"']) {
            diagnostics
                .error(options.comment.span.clone(), "no comment line begins with a line end or a quote")
                .hint("Write what they begin with, such as `comment = \"#\"`.");
            return None;
        }
        let columns = Columns::plan(&options.columns, options.null_values.clone(), diagnostics);
        let files = FileOptions { path: options.path.clone(), drop_name: options.drop_name.clone() };
        let files = Files::plan(files, FORMATS, request.pipeline, diagnostics);
        Some(Planned::Source(Arc::new(DelimitedSource {
            files: files?,
            schema: with_drop_column(&columns.as_ref()?.schema, options.drop_column.as_ref(), diagnostics)?,
            columns: Arc::new(columns?),
            separator: options.separator.map(|separator| separator.0),
            quote: options.quote.byte(),
            comment: options.comment.value.into_bytes(),
            allow_missing_eof: options.allow_missing_eof,
        })))
    }
}

#[cfg(test)]
mod tests;
