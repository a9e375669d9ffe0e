//! One stage by itself: its input is recorded once and then goes through it again and again, on one thread, by way of the contract
//! that every stage fulfils. Relational stages and sinks have no life outside a run.

use std::{any::Any, sync::Arc, time::Instant};

use vardelta_engine::{
    abort::Abort,
    contract::{
        batch::Batch,
        source::{Chunk, InputFile, Source, add_drop_column},
        stage::{Emit, Planned, StageError, Transform},
    },
    error::{RunError, RunErrorKind},
    failpoint,
    plan::{Plan, StageIndex},
};

use super::{histogram::Batches, request::Alone};

/// Bytes of text that are recorded, at the most.
const RECORDED_BYTES_MAX: u64 = 128 << 20;

/// The stage's work over all that was recorded: rows in and out.
type Work<'a> = Box<dyn FnMut(&mut Batches) -> Result<(u64, u64), RunError> + 'a>;

/// Measures a stage by itself; `None` where it cannot be taken out of a run.
///
/// # Errors
/// When a file cannot be read, or a stage cannot go on.
pub fn measure(plan: &Plan, name: &str, repeat: usize, abort: &Abort) -> Result<Option<Alone>, RunError> {
    let Some((source, transforms)) = way(plan, name) else { return Ok(None) };
    let source_name = &plan.stages[source].name;
    let Planned::Source(source) = &plan.stages[source].planned else { return Ok(None) };
    let told = |error| RunError::stage(source_name, error);
    let (mut alone, mut times) = (Alone::default(), Batches::default());
    let chunks = read(source.as_ref(), &mut alone, abort).map_err(told)?;
    let mut work: Work<'_> = match transforms.split_last() {
        None => Box::new(move |times| {
            let (batches, records) = parse(source.as_ref(), source_name, &chunks, times).map_err(told)?;
            Ok((records, rows(&batches)))
        }),
        Some(((last, transform), before)) => {
            let mut batches = parse(source.as_ref(), "", &chunks, &mut Batches::default()).map_err(told)?.0;
            drop(chunks);
            for (at, transform) in before {
                abort.check()?;
                batches = apply(transform.as_ref(), "", &batches, &mut Batches::default())
                    .map_err(|error| RunError::stage(&plan.stages[*at].name, error))?;
            }
            Box::new(move |times| {
                let out = apply(transform.as_ref(), name, &batches, times)
                    .map_err(|error| RunError::stage(&plan.stages[*last].name, error))?;
                Ok((rows(&batches), rows(&out)))
            })
        }
    };
    // The first time warms up.
    for time in 0..=repeat {
        abort.check()?;
        let (mut batches, started) = (Batches::default(), Instant::now());
        (alone.rows_in, alone.rows_out) = work(&mut batches)?;
        if time > 0 {
            alone.seconds.push(started.elapsed().as_secs_f64());
            times.add(&batches);
        }
    }
    if alone.rows_in == 0 {
        let message = format!("no row reaches stage `{name}`, so there is nothing to measure");
        return Err(RunError::new(RunErrorKind::Usage, message).with_hint("Name another file with --input."));
    }
    alone.batches_us = times.recorded();
    Ok(Some(alone))
}

/// A transform and its place in the plan.
type Step<'a> = (StageIndex, &'a Arc<dyn Transform>);

/// The source that a stage's rows come from, and the transforms on the way, the stage itself at the end; `None` where other
/// stages are on the way.
fn way<'a>(plan: &'a Plan, name: &str) -> Option<(StageIndex, Vec<Step<'a>>)> {
    let (mut at, _) = plan.stage(name)?;
    let mut transforms = Vec::new();
    loop {
        match (&plan.stages[at].planned, plan.stages[at].inputs.as_slice()) {
            (Planned::Source(_), _) => break,
            (Planned::Transform(transform), [input]) => {
                transforms.push((at, transform));
                at = *input;
            }
            _ => return None,
        }
    }
    transforms.reverse();
    Some((at, transforms))
}

/// The chunks of the files that a source reads, in memory.
pub(super) fn read(source: &dyn Source, alone: &mut Alone, abort: &Abort) -> Result<Vec<Arc<Chunk>>, StageError> {
    let mut chunks = Vec::new();
    for path in source.discover()?.paths {
        let mut reader = source.open(&InputFile::at(&path), 1)?;
        let header: Arc<dyn Any + Send + Sync> = reader.header();
        while let Some(raw) = reader.next_chunk()? {
            if alone.text_bytes >= RECORDED_BYTES_MAX || abort.is_raised() {
                alone.is_cut = true;
                return Ok(chunks);
            }
            alone.text_bytes += raw.bytes.len() as u64;
            chunks.push(Arc::new(Chunk { raw, header: Arc::clone(&header) }));
        }
    }
    Ok(chunks)
}

/// Batches of all chunks, and the records in them.
pub(super) fn parse(
    source: &dyn Source,
    name: &str,
    chunks: &[Arc<Chunk>],
    times: &mut Batches,
) -> Result<(Vec<Batch>, u64), StageError> {
    let (mut parser, mut batches, mut records) = (source.parser(), Vec::new(), 0);
    for chunk in chunks {
        let (mut emit, started) = (Emit::default(), Instant::now());
        failpoint::slow("stage", name);
        records += parser.parse(Arc::clone(chunk), &mut emit)?.records;
        add_drop_column(source, "bench", &mut emit.batches)?;
        times.took(started.elapsed());
        batches.append(&mut emit.batches);
    }
    Ok((batches, records))
}

/// What a transform makes of batches.
pub(super) fn apply(
    transform: &dyn Transform,
    name: &str,
    batches: &[Batch],
    times: &mut Batches,
) -> Result<Vec<Batch>, StageError> {
    let (mut run, mut out) = (transform.start()?, Vec::new());
    for batch in batches {
        let (mut emit, started) = (Emit::default(), Instant::now());
        failpoint::slow("stage", name);
        run.apply(batch, &mut emit)?;
        times.took(started.elapsed());
        out.append(&mut emit.batches);
    }
    Ok(out)
}

pub(super) fn rows(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| batch.rows() as u64).sum()
}
