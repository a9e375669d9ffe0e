//! Look-ups against a service that takes half a second for every answer and may be asked ten times a second.

use std::{fmt::Write as _, fs, path::Path};

use vardelta_testservice::{Options, Service};

use crate::{
    binary::Run,
    failure::Result,
    fixtures::Fixtures,
    report::{Row, Section, decimals, grouped, mebibytes},
};

/// Genes, and of what time of the service; the same where only the working is checked.
const GENES: [usize; 2] = [10_000, 40];
const LATENCY_MS: [u64; 2] = [500, 5];
/// Requests a second; the same where only the working is checked.
const RATE_PER_S: [u32; 2] = [10, 100];
/// Keys of a request where a service takes many.
const BATCH: usize = 500;
/// One in so many genes is not known to the cache.
const COLD_ONE_IN: usize = 10;

/// Measures 10,000 genes: in batches, again, and one by one where nine of ten are in the cache.
///
/// # Errors
/// When a run fails or says something else than it must.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let small = usize::from(fixtures.sizes.small);
    let (genes, latency_ms, rate_per_s) = (GENES[small], LATENCY_MS[small], RATE_PER_S[small]);
    let service = Service::start(&Options { latency_ms, ..Options::default() })?;
    let one_by_one_s = genes as f64 * latency_ms as f64 / 1e3;
    let title = format!(
        "Look-ups: {} genes, {latency_ms} ms an answer, {rate_per_s} requests a second; one after the other: {} s",
        grouped(genes as u64),
        decimals(one_by_one_s)
    );
    let mut section = Section::new(title);
    let mut add = |what: String, run: &Run| -> Result<()> {
        let requests = figure(run, "requests")?;
        let row = Row::new(format!("{what}, {} requests", grouped(requests)), format!("{} s", decimals(run.seconds)));
        section.add(row.ratio(one_by_one_s / run.seconds, "one after the other"));
        Ok(())
    };

    let cold = genes / COLD_ONE_IN;
    let directory = fixtures.scratch()?;
    let ask = |name: &str, batch: usize, genes: std::ops::Range<usize>| -> Result<Run> {
        let directory = directory.path().join(name);
        // The cache is beside the folder, and thus shared by all of them.
        write(&directory, &service.url("/query"), batch, rate_per_s, genes.clone())?;
        let run = fixtures.binary()?.report("run", &directory.join("pipeline.toml"), &[])?;
        let (wanted, failed) = (figure(&run, "wanted")?, figure(&run, "failed")?);
        if (wanted, failed) != (genes.len() as u64, 0) {
            return Err(format!("of {} keys {wanted} were asked for, {failed} failed", genes.len()).into());
        }
        Ok(run)
    };
    let batches = ask("most", BATCH, 0..genes - cold)?;
    add(format!("{} of them in batches of {BATCH}, no cache", grouped((genes - cold) as u64)), &batches)?;
    let one_by_one = ask("one_by_one", 1, 0..genes)?;
    if figure(&one_by_one, "disk")? != (genes - cold) as u64 {
        return Err("the cache did not hold nine of ten keys".into());
    }
    add("all, one key a request, nine of ten in the disk cache".into(), &one_by_one)?;
    let warm = ask("warm", BATCH, 0..genes)?;
    if figure(&warm, "requests")? != 0 {
        return Err("a warm run asked".into());
    }
    add("all of them in the disk cache".into(), &warm)?;
    Ok(section)
}

/// Keys of a request where there are very many of them, and requests a second: no limit of these is waited for.
const MANY: (usize, u32) = (1_000, 1_000_000);

/// Measures as many keys as there are records, and a tenth of them, to see how time and memory grow.
///
/// # Errors
/// As [`measure`].
pub fn many(fixtures: &Fixtures) -> Result<Section> {
    let most = usize::try_from(fixtures.sizes.longer.unwrap_or(fixtures.sizes.records))?;
    let service = Service::start(&Options::default())?;
    let mut section = Section::new(format!(
        "Look-ups of very many keys, {} a request, of a service that answers at once",
        grouped(MANY.0 as u64)
    ));
    let (mut asked_first, mut warm_first): (Option<Run>, Option<Run>) = (None, None);
    for keys in [most / 10, most] {
        let directory = fixtures.scratch()?;
        let ask = |name: &str| -> Result<Run> {
            let directory = directory.path().join(name);
            write(&directory, &service.url("/query"), MANY.0, MANY.1, 0..keys)?;
            let run = fixtures.binary()?.report("run", &directory.join("pipeline.toml"), &[])?;
            match (figure(&run, "wanted")?, figure(&run, "failed")?) {
                (wanted, 0) if wanted == keys as u64 => Ok(run),
                (wanted, failed) => Err(format!("of {keys} keys {wanted} were asked for, {failed} failed").into()),
            }
        };
        let mut add = |what: String, run: &Run, first: Option<&Run>| {
            let (seconds, processor) = (decimals(run.seconds), decimals(run.cpu_seconds));
            let peak = mebibytes(run.peak_bytes);
            let row = Row::new(what, format!("{seconds} s, {processor} s of processor time, {peak} at most"));
            section.add(match first {
                Some(first) => row.ratio(run.cpu_seconds / first.cpu_seconds, "the tenth's processor time"),
                None => row,
            });
        };
        let asked = ask("asked")?;
        add(
            format!(
                "{} keys, nothing in a cache, {} requests",
                grouped(keys as u64),
                grouped(figure(&asked, "requests")?)
            ),
            &asked,
            asked_first.as_ref(),
        );
        let warm = ask("warm")?;
        if figure(&warm, "requests")? != 0 {
            return Err("a warm run asked".into());
        }
        add(format!("{} keys, all of them in the disk cache", grouped(keys as u64)), &warm, warm_first.as_ref());
        (asked_first, warm_first) = (Some(asked), Some(warm));
    }
    Ok(section)
}

fn figure(run: &Run, name: &str) -> Result<u64> {
    let figure = run.report["lookups"][0][name].as_u64();
    figure.ok_or_else(|| format!("the report has no figure `{name}` of the look-up").into())
}

/// A pipeline that looks these genes up, in a folder of its own.
fn write(directory: &Path, url: &str, batch: usize, rate_per_s: u32, genes: std::ops::Range<usize>) -> Result<()> {
    fs::create_dir_all(directory.join("drops"))?;
    let mut drop = String::from("gene\n");
    for gene in genes {
        let _ = writeln!(drop, "GENE{gene}");
    }
    fs::write(directory.join("drops/genes.tsv"), drop)?;
    let text = include_str!("lookups.toml")
        .replace("{url}", url)
        .replace("{batch}", &batch.to_string())
        .replace("{rate}", &rate_per_s.to_string());
    Ok(fs::write(directory.join("pipeline.toml"), text)?)
}
