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
        reason::Reason,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
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

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("delimited/manual.md"),
            example: include_str!("delimited/example.toml"),
            options: DelimitedOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        [reasons::REJECTS, reasons::WARNINGS].concat()
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
