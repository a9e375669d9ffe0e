//! Whole files through `open` and `parse`.

mod containers;
mod files;
mod indexes;
mod rows;
mod samples;
mod second_judge;
mod traps;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_engine::{
    contract::{
        batch::Batch,
        options::{NamedTexts, Spanned},
        source::{Chunk, ContentDigest, InputFile, Source},
        stage::{Emit, PipelineSettings, Reject},
        warning::Warnings,
    },
    diagnostics::Diagnostics,
};

use crate::sources::shared::{
    files::{FileOptions, Files},
    testing::cell,
};
use crate::sources::vcf::{FORMATS, FieldOption, Samples, VcfOptions, projection::Projection, source::VcfSource};

/// A source with these options, in a pipeline for GRCh38 whose file lies in this folder.
fn source_of(options: &VcfOptions, folder: &Path) -> Result<VcfSource, String> {
    let mut diagnostics = Diagnostics::default();
    let projection = Projection::resolve(options, &mut diagnostics);
    let pipeline = PipelineSettings {
        assembly: Some(Spanned { value: "GRCh38".into(), span: 0..0 }),
        base_dir: folder.into(),
        ..crate::test_support::settings()
    };
    let samples = options.sample_rules(&pipeline, &mut diagnostics);
    let files = Files::plan(FileOptions::default(), FORMATS, &pipeline, &mut diagnostics).ok_or("no files")?;
    let problems: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
    let (Some(projection), Some(samples), true) = (projection, samples, problems.is_empty()) else {
        return Err(problems.join("; "));
    };
    Ok(VcfSource {
        regions: None,
        assembly: None,
        reject_unknown_contigs: false,
        files,
        schema: projection.schema.clone(),
        projection: Arc::new(projection),
        samples: Arc::new(samples),
        allow_missing_eof: options.allow_missing_eof,
    })
}

/// A source that reads these INFO fields.
fn source(info: &[&str], samples: Samples) -> VcfSource {
    source_allowing(info, samples, false)
}

fn source_allowing(info: &[&str], samples: Samples, allow_missing_eof: bool) -> VcfSource {
    let field = |name: &&str| FieldOption {
        name: Spanned { value: (*name).to_string(), span: 0..0 },
        kind: None,
        number: None,
        column: None,
    };
    let options = VcfOptions {
        info: info.iter().map(field).collect(),
        samples,
        format: if samples == Samples::Long { vec![field(&"PL")] } else { Vec::new() },
        allow_missing_eof,
        ..VcfOptions::default()
    };
    source_of(&options, Path::new("/")).expect("sound options")
}

/// What reading a whole file gave.
struct Outcome {
    digest: ContentDigest,
    header_digest: u128,
    batches: Vec<Batch>,
    rejects: Vec<Reject>,
    warnings: Warnings,
}

impl Outcome {
    fn reasons(&self) -> Vec<&'static str> {
        self.rejects.iter().map(|reject| reject.reason.code()).collect()
    }

    fn warned(&self) -> Vec<(&'static str, u64)> {
        self.warnings.counts()
    }

    /// Rows as text: the origin, then every cell.
    fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for batch in &self.batches {
            for row in 0..batch.rows() {
                let cells: Vec<String> = batch.columns.columns().iter().map(|column| cell(column, row)).collect();
                let origin = batch.origins.as_ref().map_or(0, |origins| origins[row]);
                rows.push(format!("{origin}: {}", cells.join(" ")));
            }
        }
        rows
    }
}

/// Reads a file; an error as its message. Checks on the way what holds for every file.
fn read(source: &VcfSource, path: &Path) -> Result<Outcome, String> {
    let mut reader = source.open(&InputFile::at(path), 2).map_err(|error| error.message)?;
    let (mut emit, mut digest) = (Emit::default(), ContentDigest::default());
    let (mut parser, mut digester) = (source.parser(), source.parser());
    let mut next_origin = None;
    while let Some(raw) = reader.next_chunk().map_err(|error| error.message)? {
        assert!(next_origin.is_none_or(|next| next == raw.first_origin), "origins leave a gap");
        next_origin = Some(raw.first_origin + raw.origins);
        let chunk = Arc::new(Chunk { raw, header: reader.header() });
        let alone = digester.digest(&chunk);
        let parsed = parser.parse(chunk, &mut emit).map_err(|error| error.message)?;
        assert_eq!(alone, parsed, "digest alone and with parsing");
        digest.append(parsed);
    }
    let mut origins: Vec<u64> =
        emit.batches.iter().flat_map(|batch| batch.origins.clone().unwrap_or_default()).collect();
    origins.extend(emit.rejects.iter().filter_map(|reject| reject.origin));
    origins.extend(&emit.filtered);
    origins.sort_unstable();
    origins.dedup();
    assert_eq!(origins.len() as u64, digest.records, "every record is in a batch, rejected or filtered");
    for reject in &emit.rejects {
        assert!(crate::sources::vcf::reasons::REJECTS.contains(&reject.reason), "{}", reject.reason.code());
    }
    for batch in &emit.batches {
        let provenance = batch.provenance.as_ref().expect("rows of a source have provenance");
        let place = provenance.place(batch.origins.as_ref().expect("origins")[0]);
        assert_eq!(place.contig, Some(cell(batch.columns.column(0), 0)));
    }
    let Emit { batches, rejects, warnings, .. } = emit;
    Ok(Outcome { digest, header_digest: reader.header_digest(), batches, rejects, warnings })
}

/// Reads bytes as a file of their own.
fn read_bytes(source: &VcfSource, bytes: &[u8]) -> Result<Outcome, String> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("a temporary file");
    read(source, file.path())
}

/// The shared test data; `None`, said aloud, where they are not there.
fn shared(part: &str) -> Option<PathBuf> {
    vardelta_test_servers::shared_data("a test of `vcf`", part)
}

/// A file of eight columns with these records.
fn sites(version: &str, records: &[&str]) -> Vec<u8> {
    let mut text = format!("##fileformat=VCFv{version}\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    for record in records {
        text.push_str(&record.replace(' ', "\t"));
        text.push('\n');
    }
    text.into_bytes()
}
