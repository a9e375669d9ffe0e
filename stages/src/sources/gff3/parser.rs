//! Parses chunks of a gene model into batches and rejects.

use std::sync::Arc;

use vardelta_engine::contract::{
    batch::Batch,
    source::{Chunk, ContentDigest, Parser},
    stage::{Emit, Reject, StageError},
};

use super::{
    feature::{Feature, Refusal},
    model::{LineClass, Model, first_warnings},
    provenance::{LineProvenance, place},
    reasons::{POSITION_BEYOND_CONTIG, Tally, Warning},
    rows::{Layout, Rows},
};
use crate::sources::shared::lines::lines;

/// A parser of one worker. Its builders are reused from chunk to chunk.
pub(super) struct ModelParser {
    rows: Rows,
    /// The contig that was looked up last: as written, and as loaded.
    contig: (String, String),
}

impl ModelParser {
    /// A parser that makes these columns.
    pub fn new(layout: Arc<Layout>) -> ModelParser {
        ModelParser { rows: Rows::new(layout), contig: Default::default() }
    }

    /// Appends the rows of a record. Returns how many there are: none where its kind is not loaded.
    fn append(&mut self, line: &[u8], model: &Model, tally: &mut Tally) -> Result<usize, Refusal> {
        let feature = Feature::parse(line, model.format, tally)?;
        if !model.is_loaded(&feature) {
            return Ok(0);
        }
        self.find_contig(&feature, model, tally)?;
        let parents: Vec<Option<&str>> = match feature.parents.as_slice() {
            [] => vec![None],
            parents => parents.iter().map(|parent| Some(parent.as_str())).collect(),
        };
        for parent in &parents {
            let resolved = model.lineage.resolve(&feature, *parent);
            if resolved.is_orphan {
                tally.count(Warning::UnknownParent);
            }
            self.rows.append(&feature, *parent, &self.contig.1, &resolved, &model.lineage);
        }
        Ok(parents.len())
    }

    fn find_contig(&mut self, feature: &Feature, model: &Model, tally: &mut Tally) -> Result<(), Refusal> {
        let found = model.assembly.as_deref().map(|assembly| (assembly, assembly.contig(&feature.contig)));
        match found {
            Some((assembly, Some(at))) if feature.start as u64 > assembly.contig_length(at) => {
                let detail = format!(
                    "start {} lies past the end of {}, which has {} bp",
                    feature.start,
                    assembly.contig_name(at),
                    assembly.contig_length(at)
                );
                return Err((POSITION_BEYOND_CONTIG, detail));
            }
            Some((_, None)) => tally.count(Warning::UnknownContig),
            _ => {}
        }
        if self.contig.0 != feature.contig || self.contig.0.is_empty() {
            let canonical = found.and_then(|(assembly, at)| Some(assembly.contig_name(at?)));
            self.contig = (feature.contig.clone(), canonical.unwrap_or(&feature.contig).to_owned());
        }
        Ok(())
    }
}

impl Parser for ModelParser {
    fn parse(&mut self, chunk: Arc<Chunk>, emit: &mut Emit) -> Result<ContentDigest, StageError> {
        let model = Arc::clone(&chunk.header)
            .downcast::<Model>()
            .map_err(|_| StageError::new("a chunk came to the gff3 parser without its model"))?;
        let (mut digest, mut origins, mut tally) = (ContentDigest::default(), Vec::new(), Tally::default());
        // Another file may mean something else by a name.
        self.contig = Default::default();
        if chunk.raw.first_origin == 1 {
            first_warnings(&model, &mut tally);
        }
        if chunk.raw.bytes.last().is_some_and(|last| *last != b'\n') {
            tally.count(Warning::NoFinalNewline);
        }
        for (line, origin) in lines(&chunk) {
            tally.look_at(origin);
            match model.class(line, origin) {
                LineClass::Record => {}
                LineClass::Blank => {
                    tally.count(Warning::BlankLine);
                    continue;
                }
                LineClass::Other => {
                    tally.add(Warning::RecordAfterSequences, u64::from(model.is_stray(line, origin)));
                    continue;
                }
            }
            digest.add(line);
            match self.append(line, &model, &mut tally) {
                Ok(0) => emit.filtered.push(origin),
                Ok(rows) => origins.extend(std::iter::repeat_n(origin, rows)),
                Err((reason, detail)) => emit.rejects.push(Reject {
                    origin: Some(origin),
                    diff: 1,
                    place: Some(place(line, origin)),
                    reason,
                    detail,
                }),
            }
        }
        let rows = self.rows.finish()?;
        emit.batch(Batch::asserted(rows, origins, Arc::new(LineProvenance::new(Arc::clone(&chunk)))));
        tally.report(emit);
        Ok(digest)
    }

    fn digest(&mut self, chunk: &Chunk) -> ContentDigest {
        let mut digest = ContentDigest::default();
        if let Some(model) = chunk.header.downcast_ref::<Model>() {
            for (line, origin) in lines(chunk) {
                if model.class(line, origin) == LineClass::Record {
                    digest.add(line);
                }
            }
        }
        digest
    }
}
