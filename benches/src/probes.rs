//! What 200 probes of `/health` a second cost a load.
//!
//! Once as processor time: what a watching process takes for them, by connections of their own and by one that is kept, against what the
//! workers of a first load take. And once as a clock has it: first loads of a `watch` that is probed, each beside one of a `watch` that is not.
//! In the latter whoever asks takes its own share of the machine, which is reported too.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    failure::Result,
    fixtures::{Drop, Fixtures, Warehouse},
    generate::Packing,
    report::{Row, Section, decimals, median},
};

/// Probes a second.
const PROBES_PER_S: u32 = 200;
/// For how long; the same where only the working is checked.
const SECONDS: [u64; 2] = [20, 1];
/// Pairs of loads; the same where only the working is checked.
const PAIRS: [usize; 2] = [5, 1];
/// Of a load, at the most.
const AIM: f64 = 0.01;
/// Where drops come.
const ARRIVING: &str = "arriving";

/// A `watch` under way.
struct Watching {
    child: Child,
    address: String,
    said: BufReader<ChildStdout>,
}

impl std::ops::Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures a process that is probed against the same one that is not.
///
/// # Errors
/// When it does not answer, or the system does not say processor times.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let small = usize::from(fixtures.sizes.small);
    let seconds = SECONDS[small];
    let drop = fixtures.history(fixtures.sizes.records, Packing::Plain)?;
    let (warehouse, run) = fixtures.load(&drop, &[])?;
    let busy = run.report["worker_times"].as_array().into_iter().flatten();
    let busy_s: f64 = busy.filter_map(|worker| worker["busy_s"].as_f64()).sum();
    let load = busy_s / run.seconds;

    let watching = Watching::start(fixtures, &warehouse)?;
    let process = watching.child.id();
    let count = seconds * u64::from(PROBES_PER_S);
    ask(&watching.address)?;
    let idle = taken(process, || {
        thread::sleep(Duration::from_secs(seconds));
        Ok(())
    })?;
    let mut section = Section::new(format!("/health, asked {PROBES_PER_S} times a second"));
    section.add(Row::new("processor time of the workers of a first load", milliseconds(load)));
    let own = processor_time_s(std::process::id())?;
    let apart = taken(process, || at_pace(|done| done < count, || ask(&watching.address)))? - idle;
    let own = (processor_time_s(std::process::id())? - own) / seconds as f64;
    // A connection is let go after half a minute, whatever is done with it.
    let mut kept = Kept::connect(&watching.address)?;
    let together = taken(process, || at_pace(|done| done < count, || kept.ask()))? - idle;
    for (what, cost) in [("each by a connection of its own", apart), ("by one connection that is kept", together)] {
        let cost = cost.max(0.0);
        section.add(Row::new(format!("processor time of the probes, {what}"), milliseconds(cost)));
        let row = Row::new("of the load's", percent(cost / load));
        section.add(row.aim("below 1 %", cost / load < AIM));
    }
    section.add(Row::new("whoever asks, by connections of their own", milliseconds(own)));
    std::mem::drop(watching);

    let mut slower = Vec::new();
    for pair in 0..PAIRS[small] {
        // Which one goes first changes, so that what warms up or fills up is not put down to the probes.
        let first = pair % 2 == 0;
        let (a, b) = (loaded_s(fixtures, &drop, first)?, loaded_s(fixtures, &drop, !first)?);
        let (probed, left_alone) = if first { (a, b) } else { (b, a) };
        eprintln!("a load: {left_alone:.3} s left alone, {probed:.3} s probed");
        slower.push(probed / left_alone - 1.0);
    }
    let slower = median(&mut slower);
    let row = Row::new("a load that is probed takes longer, median of pairs, asking included", percent(slower));
    section.add(row.aim("below 1 %", slower < AIM));
    Ok(section)
}

/// Processor time of each second.
fn milliseconds(seconds: f64) -> String {
    format!("{} ms/s", decimals(seconds * 1e3))
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Seconds of a first load of a `watch`.
fn loaded_s(fixtures: &Fixtures, drop: &Drop, is_probed: bool) -> Result<f64> {
    let warehouse = fixtures.warehouse()?;
    let mut watching = Watching::start(fixtures, &warehouse)?;
    let address = watching.address.clone();
    let is_loaded = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let probing = scope.spawn(|| {
            let goes_on = |_| is_probed && !is_loaded.load(Ordering::Acquire);
            at_pace(goes_on, || ask(&address))
        });
        let loading = (|| -> Result<()> {
            fs::hard_link(&drop.path, arriving(&warehouse).join("drop.vcf"))?;
            watching.until_loaded()
        })();
        is_loaded.store(true, Ordering::Release);
        probing.join().map_err(|_| "probing panicked")?.and(loading)
    })?;
    let metrics = Kept::connect(&address)?.get("/metrics")?;
    let sum = metrics.lines().find_map(|line| line.strip_prefix("vardelta_run_duration_seconds_sum{"));
    let seconds = sum.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    seconds.ok_or_else(|| format!("`/metrics` does not say how long the run took: {metrics}").into())
}

/// Where the drops of a warehouse come.
fn arriving(warehouse: &Warehouse) -> PathBuf {
    warehouse.pipeline().with_file_name(ARRIVING)
}

impl Watching {
    fn start(fixtures: &Fixtures, warehouse: &Warehouse) -> Result<Watching> {
        fs::create_dir_all(arriving(warehouse))?;
        let mut command = Command::new(fixtures.binary()?.path());
        command.arg("watch").arg(warehouse.pipeline());
        command.args(["--listen", "127.0.0.1:0", "--every", "5s", "--settle", "0s"]);
        // The pipeline is given its drops; what is watched needs a place where they come.
        command.args(["--set", &format!("stages.calls.path={ARRIVING}/*.vcf")]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stdout.take().ok_or("its standard output is a pipe")?);
        let (address, rest) = address(&mut child)?;
        // What it says must not fill the pipe.
        thread::spawn(move || rest.lines().map_while(std::io::Result::ok).count());
        Ok(Watching { child, address, said })
    }

    fn until_loaded(&mut self) -> Result<()> {
        let mut line = String::new();
        while self.said.read_line(&mut line)? > 0 {
            if line.contains("committed") {
                return Ok(());
            }
            line.clear();
        }
        Err("`watch` ended without having loaded the drop".into())
    }
}

/// A connection on which one request comes after the other.
struct Kept(BufReader<TcpStream>);

impl Kept {
    fn connect(address: &str) -> Result<Kept> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Kept(BufReader::new(stream)))
    }

    fn ask(&mut self) -> Result<()> {
        self.get("/health").map(|_| ())
    }

    fn get(&mut self, path: &str) -> Result<String> {
        self.0.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line)?;
        is_an_answer(&line)?;
        while line.trim() != "" {
            line.clear();
            self.0.read_line(&mut line)?;
            let lower = line.to_ascii_lowercase();
            length = lower.strip_prefix("content-length:").and_then(|text| text.trim().parse().ok()).unwrap_or(length);
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(String::from_utf8(body)?)
    }
}

/// Where it listens, and what it says after that.
fn address(child: &mut Child) -> Result<(String, impl std::io::BufRead + Send + 'static)> {
    let mut said = BufReader::new(child.stderr.take().ok_or("its standard error is a pipe")?);
    let mut line = String::new();
    while said.read_line(&mut line)? > 0 {
        if let Some((_, address)) = line.trim_end().split_once("listening on http://") {
            return Ok((address.to_owned(), said));
        }
        line.clear();
    }
    Err("`watch` does not say where it listens".into())
}

/// Does something as often as it is to be done in a second, for as long as that goes on by how often it was done.
fn at_pace(goes_on: impl Fn(u64) -> bool, mut something: impl FnMut() -> Result<()>) -> Result<()> {
    let (mut next, mut done) = (Instant::now(), 0);
    while goes_on(done) {
        something()?;
        done += 1;
        next += Duration::from_secs(1) / PROBES_PER_S;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn ask(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    is_an_answer(&answer)
}

fn is_an_answer(answer: &str) -> Result<()> {
    // A machine may be short of memory; that it answers is what counts.
    match answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 503") {
        true => Ok(()),
        false => Err(format!("the answer is {answer}").into()),
    }
}

/// Seconds of processor time that a process takes for each second of something.
fn taken(process: u32, something: impl FnOnce() -> Result<()>) -> Result<f64> {
    let (before, started) = (processor_time_s(process)?, Instant::now());
    something()?;
    Ok((processor_time_s(process)? - before) / started.elapsed().as_secs_f64())
}

/// Processor time of a process with all its threads, in seconds, to the hundredth.
fn processor_time_s(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(Path::new(&path)).map_err(|error| format!("{path}: {error}"))?;
    // After the name, which may hold blanks, user time is the 12th number and system time the 13th, in hundredths.
    let numbers: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| numbers.get(at).and_then(|text| text.parse::<u64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) as f64 / 100.0),
        _ => Err(format!("{path} does not have processor times").into()),
    }
}
