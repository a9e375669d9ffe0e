//! Child processes: how long they take and how much memory they hold at most.

use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::failure::Result;

/// A process that takes longer than this hangs, and is ended.
const TIMEOUT: Duration = Duration::from_secs(3600);
/// How often a process is looked at: the resolution of its time.
const LOOK: Duration = Duration::from_millis(1);
/// How often its memory is looked at; growth after the last look is missed.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(10);

/// What a process did.
pub struct Outcome {
    /// Wall-clock seconds from start to end.
    pub seconds: f64,
    /// Processor seconds of all its threads, up to the last look at it; 0 where the system does not say.
    pub cpu_seconds: f64,
    /// The most memory it held, in bytes (VmHWM); 0 where the system does not say.
    pub peak_bytes: u64,
    /// Its standard output, where that was captured.
    pub output: Vec<u8>,
}

/// Where standard output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Into [`Outcome::output`].
    Captured,
    /// Nowhere.
    Discarded,
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started, fails (with what it said), or takes an hour.
pub fn run(command: &mut Command, output: Output) -> Result<Outcome> {
    let stdout = if output == Output::Captured { Stdio::piped() } else { Stdio::null() };
    let name = format!("{command:?}");
    let started = Instant::now();
    let mut child = command
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let (mut peak_bytes, mut cpu_seconds, mut looked) = (0, 0.0, started);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if looked.elapsed() >= LOOK_AT_MEMORY {
            looked = Instant::now();
            peak_bytes = peak_of(child.id()).unwrap_or(0).max(peak_bytes);
            cpu_seconds = cpu_of(child.id()).unwrap_or(0.0).max(cpu_seconds);
        }
        if started.elapsed() > TIMEOUT {
            child.kill()?;
            child.wait()?;
            return Err(format!("{name} was ended after {} s", TIMEOUT.as_secs()).into());
        }
        thread::sleep(LOOK);
    };
    let seconds = started.elapsed().as_secs_f64();
    let (output, complaints) = (collect(stdout)?, collect(stderr)?);
    if !status.success() {
        return Err(format!("{name} failed ({status}): {}", String::from_utf8_lossy(&complaints).trim()).into());
    }
    Ok(Outcome { seconds, cpu_seconds, peak_bytes, output })
}

/// Whether a tool is on this machine; a line on standard error says so when it is not.
pub fn has_tool(tool: &str, what: &str) -> bool {
    let started = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if started.is_err() {
        eprintln!("skipped: {what}: `{tool}` cannot be started");
    }
    started.is_ok()
}

type Reading = thread::JoinHandle<std::io::Result<Vec<u8>>>;

/// Reads a pipe on a thread of its own, so that the process never waits for a reader.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Option<Reading> {
    pipe.map(|mut pipe| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).map(|_| bytes)
        })
    })
}

fn collect(reading: Option<Reading>) -> Result<Vec<u8>> {
    match reading.map(Reading::join) {
        None => Ok(Vec::new()),
        Some(Ok(bytes)) => Ok(bytes?),
        Some(Err(_)) => Err("the thread that read a pipe panicked".into()),
    }
}

/// The high-water mark of a process's memory, in bytes; `None` when it has ended or the system does not say.
fn peak_of(process: u32) -> Option<u64> {
    peak_in(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Processor seconds of a process, user and system, of threads that have ended too; `None` as for its memory.
fn cpu_of(process: u32) -> Option<f64> {
    cpu_in(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// Linux gives them in hundredths (`USER_HZ`), fields 14 and 15; the second field may hold blanks.
fn cpu_in(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(|field| field.parse::<u64>().ok());
    Some((ticks.next()?? + ticks.next()??) as f64 / 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Command, Output, cpu_in, peak_in, run};

    #[test]
    fn reads_the_high_water_mark() {
        assert_eq!(peak_in("Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t   1234 kB\n"), Some(1234 * 1024));
        assert_eq!(peak_in("Name:\tx\n"), None);
    }

    #[test]
    fn reads_processor_time() {
        let stat = "7 (a b) c) R 1 7 7 0 -1 4 10 0 0 0 250 50 0 0 20 0 3 0 99 1 1";
        assert_eq!(cpu_in(stat), Some(3.0));
        assert_eq!(cpu_in("7 (x) R 1"), None);
    }

    #[test]
    fn a_failing_process_is_an_error_with_what_it_said() {
        let error =
            run(Command::new("sh").args(["-c", "echo no such luck >&2; exit 3"]), Output::Captured).err().unwrap();
        assert!(error.to_string().contains("no such luck"), "{error}");
        assert!(error.to_string().contains('3'), "{error}");
    }

    #[test]
    fn captures_what_is_printed() {
        assert_eq!(run(Command::new("echo").arg("one"), Output::Captured).unwrap().output, b"one\n");
        assert!(run(Command::new("echo").arg("one"), Output::Discarded).unwrap().output.is_empty());
    }
}
