//! Parses chunks of a table into batches and rejects.

use std::sync::Arc;

use vardelta_engine::contract::{
    batch::Batch,
    source::{Chunk, ContentDigest, Parser},
    stage::{Emit, Reject, StageError},
};

use super::{
    columns::{Columns, Refusal, Rows},
    fields::Splitter,
    header::Header,
    provenance::{RecordProvenance, place},
    reasons::{BAD_QUOTING, RAGGED_RECORD, Tally, Warning},
    records::{Kind, records},
    second_header,
};
use crate::sources::shared::tally::FieldNames;

/// A parser of one worker. Its builders are reused from chunk to chunk.
pub(super) struct DelimitedParser {
    rows: Rows,
    /// The names of its columns.
    names: FieldNames,
    /// For the file whose header this is.
    splitter: Option<(Arc<Header>, Splitter)>,
}

impl DelimitedParser {
    /// A parser that makes these columns.
    pub fn new(columns: Arc<Columns>) -> DelimitedParser {
        DelimitedParser { names: columns.names(), rows: Rows::new(columns), splitter: None }
    }
}

impl Parser for DelimitedParser {
    fn parse(&mut self, chunk: Arc<Chunk>, emit: &mut Emit) -> Result<ContentDigest, StageError> {
        let header = Arc::clone(&chunk.header)
            .downcast::<Header>()
            .map_err(|_| StageError::new("a chunk came to the delimited parser without its header"))?;
        if !self.splitter.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, &header)) {
            self.splitter = Some((Arc::clone(&header), Splitter::new(&header.dialect)));
        }
        let Some((_, splitter)) = &mut self.splitter else { return Ok(ContentDigest::default()) };
        let (mut digest, mut origins) = (ContentDigest::default(), Vec::new());
        // The header has no batch of its own to be reported with; the file's first chunk stands for it.
        let mut tally =
            if chunk.raw.first_origin == header.first_origin { header.tally.clone() } else { Tally::default() };
        let bytes = chunk.raw.bytes.as_slice();
        if bytes.last().is_some_and(|last| *last != b'\n') {
            tally.count(Warning::NoFinalNewline);
        }
        for (found, line, lines) in records(bytes, &header.dialect) {
            let record = &bytes[found.start..found.end];
            let origin = chunk.raw.first_origin + line;
            tally.look_at(origin);
            let outcome = match found.kind {
                Kind::Comment => {
                    let text = record.get(header.dialect.comment.len()..).unwrap_or_default();
                    if header.second.look(text, splitter) == second_header::Found::Other {
                        return Err(second_header::other(&header.file, origin));
                    }
                    continue;
                }
                Kind::Blank => {
                    tally.count(Warning::BlankLine);
                    continue;
                }
                Kind::Misquoted => {
                    Err((BAD_QUOTING, format!("text follows a closing quote{}", going_on(origin, lines))))
                }
                Kind::Record => match header.second.look(record, splitter) {
                    second_header::Found::No => {
                        read(record, &header, splitter, &mut self.rows, &mut tally, || going_on(origin, lines))
                    }
                    second_header::Found::Other => return Err(second_header::other(&header.file, origin)),
                    second_header::Found::Again => {
                        tally.count(Warning::HeaderAgain);
                        continue;
                    }
                },
            };
            digest.add(record);
            match outcome {
                Ok(()) => origins.push(origin),
                Err((reason, detail)) => emit.rejects.push(Reject {
                    origin: Some(origin),
                    diff: 1,
                    place: Some(place(record, origin)),
                    reason,
                    detail,
                }),
            }
        }
        let rows = self.rows.finish(&mut tally)?;
        emit.batch(Batch::asserted(rows, origins, Arc::new(RecordProvenance::new(Arc::clone(&chunk)))));
        tally.report_of(emit, &self.names);
        Ok(digest)
    }

    fn digest(&mut self, chunk: &Chunk) -> ContentDigest {
        let mut digest = ContentDigest::default();
        if let Some(header) = chunk.header.downcast_ref::<Header>() {
            let bytes = chunk.raw.bytes.as_slice();
            let mut splitter = Splitter::new(&header.dialect);
            for (found, ..) in records(bytes, &header.dialect) {
                let record = &bytes[found.start..found.end];
                let is_record = match found.kind {
                    Kind::Record => header.second.look(record, &mut splitter) == second_header::Found::No,
                    kind => kind == Kind::Misquoted,
                };
                if is_record {
                    digest.add(record);
                }
            }
        }
        digest
    }
}

fn read(
    record: &[u8],
    header: &Header,
    splitter: &mut Splitter,
    rows: &mut Rows,
    tally: &mut Tally,
    going_on: impl Fn() -> String,
) -> Result<(), Refusal> {
    let count = splitter.split(record);
    if count != header.width {
        let fields = if count == 1 { "field" } else { "fields" };
        let detail = format!("{count} {fields}, and the header names {} columns{}", header.width, going_on());
        return Err((RAGGED_RECORD, detail));
    }
    rows.append(|at| splitter.field(record, header.places[at]), tally)
}

/// Where a record takes several lines, a quote may have swallowed them.
fn going_on(origin: u64, lines: u64) -> String {
    if lines < 2 { String::new() } else { format!("; a quoted field takes the record to line {}", origin + lines - 1) }
}
