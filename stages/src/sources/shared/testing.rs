//! What the sources' tests share: planning a source from options, reading files through it.

use std::{path::Path, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, cast::AsArray,
};
use vardelta_engine::{
    contract::{
        batch::Batch,
        options::{OptionReader, Spanned},
        source::{Chunk, ContentDigest, InputFile, Source},
        stage::{Emit, PipelineSettings, PlanRequest, Planned, Reject, StageType},
        warning::Warnings,
    },
    diagnostics::Diagnostics,
    spec::SpecFile,
};

/// Plans a source with these options, in TOML, in a pipeline for GRCh38 whose file lies in this folder.
///
/// # Errors
/// The problems' messages and hints.
pub(crate) fn plan(stage: &dyn StageType, options: &str, folder: &Path) -> Result<Arc<dyn Source>, Vec<String>> {
    let mut diagnostics = Diagnostics::default();
    let spec = SpecFile::parse(folder.join("pipeline.toml"), options.to_owned(), &[], &|_| None, &mut diagnostics);
    let pipeline = PipelineSettings {
        assembly: Some(Spanned { value: "GRCh38".into(), span: 0..0 }),
        base_dir: folder.into(),
        ..crate::test_support::settings()
    };
    let request = PlanRequest {
        name: "under_test",
        inputs: Vec::new(),
        options: OptionReader::new("stage `under_test`".into(), 0..0, spec.root.iter()),
        pipeline: &pipeline,
        functions: vardelta_engine::expression::functions::Functions::built_in(),
    };
    let planned = stage.plan(request, &mut diagnostics);
    let problems: Vec<String> = diagnostics
        .into_sorted()
        .into_iter()
        .map(|problem| format!("{} {}", problem.message, problem.hint.unwrap_or_default()))
        .collect();
    match planned {
        Some(Planned::Source(source)) if problems.is_empty() => Ok(source),
        _ => Err(problems),
    }
}

/// What reading a whole file gave.
pub(crate) struct Outcome {
    pub digest: ContentDigest,
    pub header_digest: u128,
    pub batches: Vec<Batch>,
    pub rejects: Vec<Reject>,
    pub warnings: Warnings,
    pub filtered: usize,
}

impl Outcome {
    /// Each reject's line and code.
    pub fn rejected(&self) -> Vec<String> {
        let line = |reject: &Reject| reject.place.as_ref().and_then(|place| place.line).unwrap_or_default();
        self.rejects.iter().map(|reject| format!("{} {}", line(reject), reject.reason.code())).collect()
    }

    /// What was adapted, with how often.
    pub fn warned(&self) -> Vec<(&'static str, u64)> {
        self.warnings.counts()
    }

    /// The same by reason and field.
    pub fn warned_of(&self) -> Vec<(&'static str, String, u64)> {
        self.warnings.clone().into_entries().map(|(code, field, warned)| (code, field, warned.count)).collect()
    }

    /// Rows as text: the origin, then every cell.
    pub fn rows(&self) -> Vec<String> {
        let names: Vec<String> = self.batches.first().map_or_else(Vec::new, |batch| {
            batch.columns.schema().fields().iter().map(|field| field.name().clone()).collect()
        });
        self.cells(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// These columns of the rows, after each row's origin.
    pub fn cells(&self, columns: &[&str]) -> Vec<String> {
        let mut rows = Vec::new();
        for batch in &self.batches {
            for row in 0..batch.rows() {
                let cell = |name: &&str| {
                    let column = batch.columns.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
                    cell(column, row)
                };
                let cells: Vec<String> = columns.iter().map(cell).collect();
                let origin = batch.origins.as_ref().map_or(0, |origins| origins[row]);
                rows.push(format!("{origin}: {}", cells.join(" ")));
            }
        }
        rows
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(Batch::rows).sum()
    }
}

/// A value as text.
pub(crate) fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".into();
    }
    let any = column.as_any();
    if let Some(texts) = any.downcast_ref::<StringArray>() {
        texts.value(row).to_string()
    } else if let Some(integers) = any.downcast_ref::<Int64Array>() {
        integers.value(row).to_string()
    } else if let Some(floats) = any.downcast_ref::<Float64Array>() {
        floats.value(row).to_string()
    } else if let Some(flags) = any.downcast_ref::<BooleanArray>() {
        flags.value(row).to_string()
    } else if let Some(decimals) = any.downcast_ref::<Decimal128Array>() {
        decimals.value_as_string(row)
    } else if let Some(dates) = any.downcast_ref::<Date32Array>() {
        dates.value_as_date(row).map_or_else(|| dates.value(row).to_string(), |date| date.to_string())
    } else {
        let items = column.as_list::<i32>().value(row);
        format!("[{}]", (0..items.len()).map(|item| cell(&items, item)).collect::<Vec<_>>().join(","))
    }
}

/// Reads a file; an error as its message and hint. Checks on the way what holds for every file of every source.
///
/// # Errors
/// What opening or reading it reports.
pub(crate) fn read(source: &dyn Source, path: &Path) -> Result<Outcome, String> {
    let shown = |error: vardelta_engine::contract::stage::StageError| {
        format!("{}\n{}", error.message, error.hint.unwrap_or_default())
    };
    let mut reader = source.open(&InputFile::at(path), 2).map_err(shown)?;
    let (mut emit, mut digest) = (Emit::default(), ContentDigest::default());
    let (mut parser, mut digester) = (source.parser(), source.parser());
    let mut next_origin = None;
    while let Some(raw) = reader.next_chunk().map_err(shown)? {
        assert!(next_origin.is_none_or(|next| next == raw.first_origin), "origins leave a gap");
        next_origin = Some(raw.first_origin + raw.origins);
        let origins = raw.first_origin..raw.first_origin + raw.origins;
        let chunk = Arc::new(Chunk { raw, header: reader.header() });
        let alone = digester.digest(&chunk);
        let mut own = Emit::default();
        let parsed = parser.parse(chunk, &mut own).map_err(shown)?;
        assert_eq!(alone, parsed, "digest alone and with parsing");
        digest.append(parsed);
        // A record may make several rows.
        let mut accounted: Vec<u64> =
            own.batches.iter().flat_map(|batch| batch.origins.clone().unwrap_or_default()).collect();
        accounted.dedup();
        accounted.extend(own.rejects.iter().filter_map(|reject| reject.origin));
        accounted.extend(own.filtered.iter().chain(&own.no_alternate));
        accounted.sort_unstable();
        let rows = accounted.len();
        accounted.dedup();
        assert_eq!(rows, accounted.len(), "a record is accounted for once");
        assert_eq!(accounted.len() as u64, parsed.records, "every record is in a batch, rejected or filtered");
        assert!(accounted.iter().all(|origin| origins.contains(origin)), "origins lie in their chunk");
        for batch in &own.batches {
            assert_eq!(batch.columns.schema(), source.schema().to_arrow(), "rows are laid out as planned");
            let provenance = batch.provenance.as_ref().expect("rows of a source have provenance");
            for origin in batch.origins.iter().flatten() {
                let place = provenance.place(*origin);
                assert_eq!(place.line, Some(*origin));
                assert!(place.raw.is_some() && provenance.record(*origin).is_some(), "the record can be looked up");
            }
        }
        for reject in &own.rejects {
            let place = reject.place.as_ref().expect("a source's reject has its place");
            assert!(place.line.is_some() && place.raw.is_some(), "{}", reject.reason.code());
        }
        emit.batches.extend(own.batches);
        emit.rejects.extend(own.rejects);
        emit.filtered.extend(own.filtered);
        emit.warnings.merge(own.warnings);
    }
    let Emit { batches, rejects, warnings, filtered, .. } = emit;
    let header_digest = reader.header_digest();
    Ok(Outcome { digest, header_digest, batches, rejects, warnings, filtered: filtered.len() })
}

/// Reads bytes as a file of this name.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_bytes(source: &dyn Source, name: &str, bytes: &[u8]) -> Result<Outcome, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file can be written");
    // Messages do without the folder.
    read(source, &path).map_err(|message| message.replace(&format!("{}/", folder.path().display()), ""))
}
