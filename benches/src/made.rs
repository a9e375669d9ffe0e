//! `generate`: how fast it makes a drop on one core, and how fast noodles would write the same records.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::Path,
    process::Command,
    time::Instant,
};

use noodles_vcf::{self as vcf, Header, variant::RecordBuf, variant::io::Write as _};

use crate::{
    failure::{Result, expect_equal},
    fixtures::Fixtures,
    process::{self, Outcome, Output},
    report::{Row, Section, decimals, grouped, median},
};

/// Megabytes of text in a second of a core, at least.
const AIM_MB: f64 = 500.0;
/// Records that noodles writes: they are held in memory.
const HELD_RECORDS: usize = 100_000;
const ROUNDS: usize = 3;

/// Measures both.
///
/// # Errors
/// When a drop cannot be made, or noodles does not read it.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let records = fixtures.sizes.longer.unwrap_or(fixtures.sizes.records);
    let mut section = Section::new(format!("Making a drop of {} records, one worker", grouped(records)));
    let directory = fixtures.scratch()?;
    let plain = directory.path().join("made.vcf");
    let (first, text_bytes) = make(fixtures, records, &plain)?;
    let mut rates = vec![rate(text_bytes, first.cpu_seconds)];
    for _ in 1..if fixtures.sizes.small { 1 } else { ROUNDS } {
        rates.push(rate(text_bytes, make(fixtures, records, &plain)?.0.cpu_seconds));
    }
    let made = median(&mut rates);
    let row = Row::new("text into a file", mb_per_s(made));
    section.add(row.aim("over 500 MB/s of a core", made > AIM_MB));
    let thrown = generate(fixtures, records, "-", Output::Discarded)?;
    let thrown = rate(text_bytes, thrown.cpu_seconds);
    section.add(Row::new("text that nobody keeps", mb_per_s(thrown)).ratio(thrown / made, "into a file"));
    let (packed, of_packed) = make(fixtures, records, &directory.path().join("made.vcf.gz"))?;
    expect_equal("bytes of text in BGZF", of_packed, text_bytes)?;
    let packed = rate(text_bytes, packed.cpu_seconds);
    section.add(Row::new("BGZF with its index", mb_per_s(packed)).ratio(packed / made, "text into a file"));

    let by_noodles = by_noodles(&plain)?;
    let row = Row::new("its records in memory, written by noodles, to nowhere", mb_per_s(by_noodles));
    section.add(row.ratio(by_noodles / thrown, "text that nobody keeps, made and written"));
    Ok(section)
}

/// Runs `generate`, which reports where the drop itself does not go to standard output.
fn generate(fixtures: &Fixtures, records: u64, out: &str, output: Output) -> Result<Outcome> {
    let mut command = Command::new(fixtures.binary()?.path());
    command.args(["generate", "--workers", "1", "--records", &records.to_string(), "--out", out]);
    process::run(if out == "-" { &mut command } else { command.arg("--json") }, output)
}

/// Makes a drop; with the bytes of its text.
fn make(fixtures: &Fixtures, records: u64, path: &Path) -> Result<(Outcome, u64)> {
    let path = path.to_str().ok_or("a path that is no text")?;
    let outcome = generate(fixtures, records, path, Output::Captured)?;
    let report: serde_json::Value = serde_json::from_slice(&outcome.output)?;
    expect_equal("records", report["records"].as_u64().unwrap_or_default(), records)?;
    Ok((outcome, report["text_bytes"].as_u64().ok_or("no `text_bytes`")?))
}

/// Megabytes a second that noodles writes of records which it has read, all of them in memory.
fn by_noodles(path: &Path) -> Result<f64> {
    let mut reader = vcf::io::Reader::new(BufReader::new(File::open(path)?));
    let header = reader.read_header()?;
    let records = reader.record_bufs(&header).take(HELD_RECORDS).collect::<io::Result<Vec<RecordBuf>>>()?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let (started, mut counted) = (Instant::now(), Counted::default());
        write(&header, &records, &mut counted)?;
        rates.push(rate(counted.0, started.elapsed().as_secs_f64()));
    }
    Ok(median(&mut rates))
}

fn write(header: &Header, records: &[RecordBuf], counted: &mut Counted) -> io::Result<()> {
    // What it writes goes byte by byte into a buffer, as into a file.
    let mut writer = vcf::io::Writer::new(io::BufWriter::with_capacity(1 << 20, counted));
    records.iter().try_for_each(|record| writer.write_variant_record(header, record))?;
    writer.get_mut().flush()
}

/// Counts what is written.
#[derive(Default)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn rate(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 / 1e6 / seconds.max(1e-9)
}

fn mb_per_s(rate: f64) -> String {
    format!("{} MB of text in a second of a core", decimals(rate))
}
