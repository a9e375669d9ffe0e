//! First loads, as whole processes: throughput, memory, packings, workers, dry runs.

use crate::{
    binary::Run,
    failure::Result,
    fixtures::{Drop, Fixtures, text_of},
    generate::Packing,
    report::{Row, Section, grouped, mebibytes, median, per_second},
    sqlite_import,
};

/// Worker counts that are compared.
const WORKERS: [&str; 3] = ["1", "2", "4"];
/// Records per second of a first load that are aimed at, on four cores.
const AIM_LOAD: f64 = 250_000.0;
/// The same of a dry run.
const AIM_DRY_RUN: f64 = 500_000.0;
/// Peak memory that is aimed at, in bytes.
const AIM_PEAK_BYTES: u64 = 3 << 29;
/// Growth of peak memory that is aimed at when the drop is ten times as long.
const AIM_GROWTH: f64 = 1.25;

/// Measures first loads.
///
/// # Errors
/// When a run fails or loads something else than was generated.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let records = fixtures.sizes.records;
    let mut section = Section::new(format!("First load of {} records into SQLite", grouped(records)));
    let plain = fixtures.history(records, Packing::Plain)?;
    let standard = loads(fixtures, &plain, &["--workers", "4"])?;
    let rate = records as f64 / standard.seconds;
    let figure = per_second(records, standard.seconds);
    section.add(Row::new("plain VCF, 4 workers", figure).aim("more than 250,000 /s", rate > AIM_LOAD));
    let peak = standard.peak_bytes;
    section.add(Row::new("its peak memory", mebibytes(peak)).aim("less than 1.5 GiB", peak < AIM_PEAK_BYTES));
    let (database, state) = (mebibytes(standard.database_bytes), mebibytes(standard.state_bytes));
    section.add(Row::new("database; state beside it", format!("{database}; {state}")));

    let packed = fixtures.history(records, Packing::Bgzf)?;
    let seconds = loads(fixtures, &packed, &["--workers", "4"])?.seconds;
    let row = Row::new("BGZF, 4 workers", per_second(records, seconds));
    section.add(row.ratio(standard.seconds / seconds, "plain"));
    std::fs::remove_file(&packed.path)?;

    let mut one_worker = None;
    for workers in WORKERS {
        let seconds = loads(fixtures, &plain, &["--workers", workers])?.seconds;
        let one = *one_worker.get_or_insert(seconds);
        let row = Row::new(format!("plain VCF, --workers {workers}"), per_second(records, seconds));
        section.add(row.ratio(one / seconds, "1 worker"));
    }
    dry_runs(fixtures, &plain, standard.seconds, &mut section)?;
    if let Some(seconds) = sqlite_import::measure(fixtures, &plain)? {
        let row =
            Row::new("`bcftools query \\| sqlite3 .import` (no genes, no summaries)", per_second(records, seconds));
        section.add(row.ratio(standard.seconds / seconds, "vardelta's first load"));
    }
    std::fs::remove_file(&plain.path)?;
    if let Some(longer) = fixtures.sizes.longer {
        growth(fixtures, longer, &standard, &mut section)?;
    }
    Ok(section)
}

fn dry_runs(fixtures: &Fixtures, drop: &Drop, load_seconds: f64, section: &mut Section) -> Result<()> {
    let records = drop.expected.records;
    let mut of = |what: &str, form: &str, aims: bool| -> Result<()> {
        let mut seconds = Vec::new();
        for _ in 0..fixtures.sizes.loads {
            let warehouse = fixtures.warehouse()?;
            let arguments = [text_of(&drop.path)?, "--dry-run", "--workers", "4", form];
            seconds.push(fixtures.binary()?.silent("run", &warehouse.pipeline(), &arguments)?.seconds);
        }
        let seconds = median(&mut seconds);
        let row = Row::new(what, per_second(records, seconds)).ratio(load_seconds / seconds, "the load");
        let met = records as f64 / seconds > AIM_DRY_RUN;
        section.add(if aims { row.aim("more than 500,000 /s", met) } else { row });
        Ok(())
    };
    of("dry run, plain VCF, 4 workers", "--quiet", true)?;
    of("dry run that lists every change as JSON", "--json", false)
}

fn growth(fixtures: &Fixtures, longer: u64, standard: &Measured, section: &mut Section) -> Result<()> {
    let drop = fixtures.history(longer, Packing::Plain)?;
    let (warehouse, Run { seconds, peak_bytes, .. }) = fixtures.load(&drop, &["--workers", "4"])?;
    let (database_bytes, state_bytes) = warehouse.bytes()?;
    std::fs::remove_file(&drop.path)?;
    let times = longer as f64 / fixtures.sizes.records as f64;
    let row = Row::new(format!("{} records, plain VCF, 4 workers", grouped(longer)), per_second(longer, seconds));
    section.add(row.ratio(seconds / standard.seconds / times, "the time per record"));
    let ratio = peak_bytes as f64 / standard.peak_bytes.max(1) as f64;
    let row = Row::new("its peak memory", mebibytes(peak_bytes)).ratio(ratio, &format!("for {times:.0} x the records"));
    section.add(row.aim("at most 1.25 x", ratio <= AIM_GROWTH));
    let sizes = format!("{}; {}", mebibytes(database_bytes), mebibytes(state_bytes));
    section.add(Row::new("database; state beside it", sizes));
    Ok(())
}

/// First loads of one sort.
struct Measured {
    /// The median, in seconds.
    seconds: f64,
    /// The most of all.
    peak_bytes: u64,
    database_bytes: u64,
    state_bytes: u64,
}

fn loads(fixtures: &Fixtures, drop: &Drop, arguments: &[&str]) -> Result<Measured> {
    let mut measured = Measured { seconds: 0.0, peak_bytes: 0, database_bytes: 0, state_bytes: 0 };
    let mut seconds = Vec::new();
    for _ in 0..fixtures.sizes.loads {
        let (warehouse, run) = fixtures.load(drop, arguments)?;
        seconds.push(run.seconds);
        measured.peak_bytes = measured.peak_bytes.max(run.peak_bytes);
        (measured.database_bytes, measured.state_bytes) = warehouse.bytes()?;
    }
    measured.seconds = median(&mut seconds);
    Ok(measured)
}
