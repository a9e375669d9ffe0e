//! Stages one by one: those before tables in this process on one thread, the relational ones from the report of a run with one
//! worker; and plain loops that compute the same numbers.

use std::{any::Any, collections::HashMap, sync::Arc, time::Instant};

use arrow_array::RecordBatch;
use vardelta_engine::{
    contract::{
        batch::Batch,
        source::{Chunk, ContentDigest, InputFile, Source},
        stage::{Emit, Planned, StageError},
    },
    plan::Plan,
};

use crate::{
    baseline::{self, GeneCounts},
    failure::{Result, expect_equal},
    fixtures::{Drop, Fixtures, text_of},
    generate::Packing,
    pipeline,
    report::{Row, Section, grouped, median, per_second},
};

/// Measures stages and plain loops.
///
/// # Errors
/// When a stage fails, or stages and loops do not agree.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let records = fixtures.sizes.stage_records;
    let mut section = Section::new(format!("Stages on one thread, {} records", grouped(records)));
    let drop = fixtures.history(records, Packing::Plain)?;
    let plan = pipeline::plan(drop.path.parent().ok_or("a drop lies in a directory")?)?;
    let bench = Bench { repeats: fixtures.sizes.loads, records };

    let packed = fixtures.history(records, Packing::Bgzf)?;
    let source = source(&plan)?;
    let (seconds, _) = bench.timed(|| read(source, &packed))?;
    section.add(Row::new("read BGZF", per_second(records, seconds)));
    let (seconds, chunks) = bench.timed(|| read(source, &drop))?;
    section.add(Row::new("read text", per_second(records, seconds)));
    let (seconds, digest) = bench.timed(|| Ok(digest(source, &chunks)))?;
    expect_equal("records digested", records, digest.records)?;
    section.add(Row::new("digest", per_second(records, seconds)));
    let batches = bench.before_tables(&plan, source, &chunks, &mut section)?;
    expect_equal("rows", drop.expected.inserted, batches.iter().map(|batch| batch.num_rows() as u64).sum())?;

    let tuples = baseline::tuples(&batches)?;
    let rows = tuples.len() as u64;
    let (loop_seconds, counts) = bench.timed(|| Ok(baseline::count_tuples(&tuples)))?;
    let (text_seconds, text_counts) = bench.timed(|| Ok(count_text(&chunks)))?;
    expect_equal("genes of both loops", counts.len(), text_counts.len())?;
    for (gene, counts) in &counts {
        expect_equal(gene, Some(counts), text_counts.get(gene.as_bytes()))?;
    }

    let (_, run) = fixtures.load(&drop, &["--workers", "1"])?;
    let figures =
        [pipeline::VARIANTS, pipeline::BY_GENE, pipeline::BY_CHROMOSOME].map(|stage| (stage, run.stage(stage)));
    for (stage, figures) in figures {
        let figures = figures?;
        let row = Row::new(format!("{stage} (rows, in a whole run)"), per_second(figures.rows_in, figures.seconds));
        let rate = figures.rows_in as f64 / figures.seconds;
        let loop_rate = rows as f64 / loop_seconds;
        section.add(if stage == pipeline::BY_GENE {
            row.ratio(rate / loop_rate, "the plain loop over rows")
        } else {
            row
        });
    }
    section.add(Row::new("plain loop over rows: counts per gene", per_second(rows, loop_seconds)));

    let row = Row::new("plain loop over text: counts per gene", per_second(records, text_seconds));
    section.add(row);
    for workers in ["1", "4"] {
        let (seconds, ()) = bench.timed(|| {
            let warehouse = fixtures.warehouse()?;
            let arguments = [text_of(&drop.path)?, "--dry-run", "--quiet", "--workers", workers];
            fixtures.binary()?.silent("run", &warehouse.pipeline(), &arguments)?;
            Ok(())
        })?;
        let row = Row::new(format!("whole dry run, --workers {workers}"), per_second(records, seconds));
        section.add(row.ratio(text_seconds / seconds, "the plain loop over text"));
    }
    Ok(section)
}

/// How figures are taken.
struct Bench {
    repeats: usize,
    records: u64,
}

impl Bench {
    /// The median time of something, in seconds, and its last result.
    fn timed<T>(&self, mut work: impl FnMut() -> Result<T>) -> Result<(f64, T)> {
        let mut seconds = Vec::new();
        loop {
            let started = Instant::now();
            let result = work()?;
            seconds.push(started.elapsed().as_secs_f64());
            if seconds.len() >= self.repeats {
                return Ok((median(&mut seconds), result));
            }
        }
    }

    /// Takes the records through the parser and the transforms; what comes out last.
    fn before_tables(
        &self,
        plan: &Plan,
        source: &dyn Source,
        chunks: &[Arc<Chunk>],
        section: &mut Section,
    ) -> Result<Vec<RecordBatch>> {
        let mut batches: Vec<Batch> = Vec::new();
        for name in pipeline::BEFORE_TABLES {
            let planned = &plan.stage(name).ok_or("the pipeline has its stages")?.1.planned;
            let (seconds, emitted) = self.timed(|| match planned {
                Planned::Transform(transform) => {
                    let mut run = transform.start().map_err(told)?;
                    let mut emit = Emit::default();
                    batches.iter().try_for_each(|batch| run.apply(batch, &mut emit)).map_err(told)?;
                    Ok(emit)
                }
                _ => parse(source, chunks),
            })?;
            if let Some(reject) = emitted.rejects.first() {
                return Err(format!("stage `{name}` rejected a generated record: {}", reject.detail).into());
            }
            batches = emitted.batches;
            section.add(Row::new(format!("{name} ({})", type_of(plan, name)), per_second(self.records, seconds)));
        }
        Ok(batches.into_iter().map(|batch| batch.columns).collect())
    }
}

fn type_of(plan: &Plan, name: &str) -> &'static str {
    plan.stage(name).map_or("", |(_, stage)| stage.type_name)
}

/// The source of the benchmarks' pipeline.
///
/// # Errors
/// When it does not start with one.
pub fn source(plan: &Plan) -> Result<&dyn Source> {
    match plan.stage(pipeline::BEFORE_TABLES[0]).map(|(_, stage)| &stage.planned) {
        Some(Planned::Source(source)) => Ok(source.as_ref()),
        _ => Err("the pipeline starts with a source".into()),
    }
}

/// The chunks of a drop, in memory.
///
/// # Errors
/// When it cannot be read.
pub fn read(source: &dyn Source, drop: &Drop) -> Result<Vec<Arc<Chunk>>> {
    let mut reader = source.open(&InputFile::at(&drop.path), 1).map_err(told)?;
    let header: Arc<dyn Any + Send + Sync> = reader.header();
    let mut chunks = Vec::new();
    while let Some(raw) = reader.next_chunk().map_err(told)? {
        chunks.push(Arc::new(Chunk { raw, header: Arc::clone(&header) }));
    }
    Ok(chunks)
}

fn digest(source: &dyn Source, chunks: &[Arc<Chunk>]) -> ContentDigest {
    let mut parser = source.parser();
    let mut digest = ContentDigest::default();
    chunks.iter().for_each(|chunk| digest.append(parser.digest(chunk)));
    digest
}

fn parse(source: &dyn Source, chunks: &[Arc<Chunk>]) -> Result<Emit> {
    let (mut parser, mut emit) = (source.parser(), Emit::default());
    for chunk in chunks {
        parser.parse(Arc::clone(chunk), &mut emit).map_err(told)?;
    }
    Ok(emit)
}

fn count_text(chunks: &[Arc<Chunk>]) -> HashMap<Vec<u8>, GeneCounts> {
    let mut counts = HashMap::new();
    chunks.iter().for_each(|chunk| baseline::count_text(&chunk.raw.bytes, &mut counts));
    counts
}

/// An error of a stage, for this program.
pub fn told(error: StageError) -> String {
    error.message
}
