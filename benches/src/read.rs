//! What validation costs: the `vcf` source's parser against the same parser with its checks switched off, on the same chunks
//! in memory, on one thread, turn by turn.

use std::{any::Any, fs, sync::Arc, time::Instant};

use arrow_array::{Array, BinaryArray, ListArray, StringArray};
use vardelta_engine::contract::{
    source::{Chunk, Parser, Source},
    stage::Emit,
};
use vardelta_stages::sources::vcf::VcfSource;

use crate::{
    failure::{Result, expect_equal},
    fixtures::Fixtures,
    generate::Packing,
    pipeline,
    report::{Row, Section, grouped, median, per_second},
    stages,
};

/// How much longer reading with checks may take.
const AIM: f64 = 1.15;
/// Turns; the median of their ratios is what counts, as the machine's speed drifts.
const TURNS: usize = 15;
/// How often a turn does its work: the system accounts for a thread's time in steps of milliseconds.
const ROUNDS: usize = 5;

/// Measures what validation costs.
///
/// # Errors
/// When a file cannot be read, or the two parsers do not read the same rows.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let records = fixtures.sizes.stage_records;
    let mut section =
        Section::new(format!("Reading with and without validation, one thread, {} records", grouped(records)));
    let text = fixtures.history(records, Packing::Plain)?;
    let plan = pipeline::plan(text.path.parent().ok_or("a drop lies in a directory")?)?;
    let source = stages::source(&plan)?;
    let packed = fixtures.history(records, Packing::Bgzf)?;
    let (turns, rounds) = if fixtures.sizes.small { (1, 1) } else { (TURNS, ROUNDS) };
    let mut compared = |what: &str, work: &mut dyn FnMut(&mut dyn Parser) -> Result<Made>| -> Result<()> {
        Compared::of(turns, rounds, work, source)?.add(what, records * rounds as u64, &mut section);
        Ok(())
    };

    let chunks = stages::read(source, &text)?;
    compared("parse", &mut |parser| parse(parser, &chunks))?;
    compared("read text and parse", &mut |parser| parse(parser, &stages::read(source, &text)?))?;
    compared("read BGZF and parse", &mut |parser| parse(parser, &stages::read(source, &packed)?))?;
    Ok(section)
}

/// Rows and text of what a parser made; checked so that both are known to have done the same work.
type Made = (u64, u64);

/// Seconds of this thread with and without checks.
struct Compared {
    with: f64,
    without: f64,
    /// The median of the turns' ratios.
    ratio: f64,
}

impl Compared {
    /// Takes turns, each side going first every other time.
    fn of(
        turns: usize,
        rounds: usize,
        work: &mut dyn FnMut(&mut dyn Parser) -> Result<Made>,
        source: &dyn Source,
    ) -> Result<Compared> {
        let mut checked = source.parser();
        let source: &dyn Any = source;
        let vcf = source.downcast_ref::<VcfSource>().ok_or("the pipeline reads VCF")?;
        let mut unchecked = vcf.parser_without_checks().ok_or("the source has no parser without checks")?;
        let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for turn in 0..turns {
            let mut timed = |checks: bool| -> Result<(f64, Made)> {
                let parser = if checks { checked.as_mut() } else { unchecked.as_mut() };
                let (started, ran) = (Instant::now(), seconds_on_a_core());
                let mut made = work(parser)?;
                for _ in 1..rounds {
                    made = work(parser)?;
                }
                let ran = seconds_on_a_core().zip(ran).map(|(end, start)| end - start);
                Ok((ran.unwrap_or_else(|| started.elapsed().as_secs_f64()), made))
            };
            let first = turn % 2 == 0;
            let (one, other) = (timed(first)?, timed(!first)?);
            let (checked, unchecked) = if first { (one, other) } else { (other, one) };
            expect_equal("rows and bytes of text without checks", checked.1, unchecked.1)?;
            with.push(checked.0);
            without.push(unchecked.0);
            ratios.push(checked.0 / unchecked.0);
        }
        Ok(Compared { with: median(&mut with), without: median(&mut without), ratio: median(&mut ratios) })
    }

    /// The aim is for reading as a whole.
    fn add(&self, what: &str, records: u64, section: &mut Section) {
        let reads = what.starts_with("read");
        section.add(Row::new(format!("{what}, without checks"), per_second(records, self.without)));
        let row = Row::new(format!("{what}, as it is"), per_second(records, self.with));
        let row = row.ratio(self.ratio, "the time without");
        section.add(if reads { row.aim("at most 1.15 x", self.ratio <= AIM) } else { row });
    }
}

fn parse(parser: &mut dyn Parser, chunks: &[Arc<Chunk>]) -> Result<Made> {
    let mut made = (0, 0);
    for chunk in chunks {
        // As a worker does: a chunk's rows are let go before the next chunk.
        let mut emit = Emit::default();
        parser.parse(Arc::clone(chunk), &mut emit).map_err(stages::told)?;
        if let Some(reject) = emit.rejects.first() {
            return Err(format!("a generated record was rejected: {}", reject.detail).into());
        }
        for batch in &emit.batches {
            made.0 += batch.columns.num_rows() as u64;
            made.1 += batch.columns.columns().iter().map(|column| text_bytes(column.as_ref())).sum::<u64>();
        }
    }
    Ok(made)
}

/// Bytes of text in a column, whether it is known to be text or not.
fn text_bytes(column: &dyn Array) -> u64 {
    let any = column.as_any();
    if let Some(list) = any.downcast_ref::<ListArray>() {
        return text_bytes(list.values().as_ref());
    }
    let text = any.downcast_ref::<StringArray>().map(|text| text.value_data().len());
    let bytes = any.downcast_ref::<BinaryArray>().map(|bytes| bytes.value_data().len());
    text.or(bytes).unwrap_or(0) as u64
}

/// How long this thread has run, where the system says: other programs on the machine then do not count.
fn seconds_on_a_core() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}
