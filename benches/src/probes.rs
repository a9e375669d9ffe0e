//! What 200 probes of `/health` a second cost a load: the processor time that a watching process takes for them, against that which a
//! first load takes.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    failure::Result,
    fixtures::Fixtures,
    generate::Packing,
    report::{Row, Section, decimals},
};

/// Probes a second.
const PROBES_PER_S: u32 = 200;
/// For how long; the same where only the working is checked.
const SECONDS: [u64; 2] = [20, 1];
/// Of a load's processor time, at the most.
const AIM: f64 = 0.01;

/// A `watch` under way.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures a process that is probed against the same one that is not.
///
/// # Errors
/// When it does not answer, or the system does not tell processor times.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let seconds = SECONDS[usize::from(fixtures.sizes.small)];
    let drop = fixtures.history(fixtures.sizes.records, Packing::Plain)?;
    let (warehouse, run) = fixtures.load(&drop, &[])?;
    let busy = run.report["worker_times"].as_array().into_iter().flatten();
    let busy_s: f64 = busy.filter_map(|worker| worker["busy_s"].as_f64()).sum();
    let load = busy_s / run.seconds;

    let mut command = Command::new(fixtures.binary()?.path());
    command.arg("watch").arg(warehouse.pipeline()).args(["--listen", "127.0.0.1:0", "--every", "5s"]);
    // The pipeline is given its drops; what is watched needs a place where they come.
    command.args(["--set", "stages.calls.path=arriving/*.vcf"]);
    let mut child = Watching(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    let (address, rest) = address(&mut child.0)?;
    // What it says must not fill the pipe.
    thread::spawn(move || rest.lines().map_while(std::io::Result::ok).count());
    ask(&address)?;
    let idle = taken(&child.0, || {
        thread::sleep(Duration::from_secs(seconds));
        Ok(())
    })?;
    let probed = taken(&child.0, || probe(&address, seconds * u64::from(PROBES_PER_S)))?;
    let cost = (probed - idle).max(0.0);
    let mut section =
        Section::new(format!("/health, asked {PROBES_PER_S} times a second, each time by a new connection"));
    section.add(Row::new("processor time of a second", format!("{:.1} ms", cost * 1e3)));
    section.add(Row::new("that of the workers of a first load", format!("{:.0} ms", load * 1e3)));
    let ratio = cost / load;
    let row = Row::new("what the probes cost the load", format!("{} %", decimals(ratio * 100.0)));
    section.add(row.aim("below 1 %", ratio < AIM));
    Ok(section)
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

fn probe(address: &str, count: u64) -> Result<()> {
    let started = Instant::now();
    for number in 0..count {
        ask(address)?;
        let next = started + Duration::from_secs(1) / PROBES_PER_S * u32::try_from(number + 1)?;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn ask(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    // A machine may be short of memory; that it answers is what counts.
    match answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 503") {
        true => Ok(()),
        false => Err(format!("`/health` answers {answer}").into()),
    }
}

/// Seconds of processor time that a process takes for each second of something.
fn taken(child: &Child, something: impl FnOnce() -> Result<()>) -> Result<f64> {
    let (before, started) = (processor_time_s(child.id())?, Instant::now());
    something()?;
    Ok((processor_time_s(child.id())? - before) / started.elapsed().as_secs_f64())
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
        _ => Err(format!("{path} does not tell processor times").into()),
    }
}
