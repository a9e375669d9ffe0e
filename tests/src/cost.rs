//! What a command costs: processor time, which no busy machine makes longer, and memory.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::project::{Said, finish};

/// How often a command is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// No command takes this long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Processor time, of all threads.
    pub cpu: Duration,
    /// The most memory it had, as far as it was seen.
    pub peak_bytes: u64,
}

/// The parts of `/proc/PID/stat` after the name: state first.
fn stat(pid: u32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    let (_, behind) = text.rsplit_once(") ").expect("a name in parentheses");
    behind.split(' ').map(str::to_owned).collect()
}

fn peak_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?)
}

/// Ticks in a second of processor time.
fn ticks_per_second() -> u64 {
    finish(Command::new("getconf").arg("CLK_TCK")).stdout.trim().parse().expect("getconf says it")
}

/// Runs a command to its end, and watches what it takes.
///
/// # Panics
/// When it does not end within five minutes.
#[track_caller]
pub fn of(mut command: Command) -> (Said, Cost) {
    let mut files: [File; 2] = std::array::from_fn(|_| tempfile::tempfile().expect("a temporary file"));
    let [stdout, stderr] = [0, 1].map(|at| Stdio::from(files[at].try_clone().expect("a file can be shared")));
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().expect("it starts");
    let (pid, mut peak) = (child.id(), 0);
    // It stays to be looked at until it is waited for.
    let started = Instant::now();
    let ticks = loop {
        if started.elapsed() > PATIENCE {
            let _ = (child.kill(), child.wait());
            panic!("the command does not end within {PATIENCE:?}");
        }
        peak = peak_bytes(pid).unwrap_or(0).max(peak);
        let parts = stat(pid);
        let number = |at: usize| parts[at].parse::<u64>().expect("a number");
        // utime and stime, fields 14 and 15 of which the name is the second.
        if parts[0] == "Z" {
            break number(11) + number(12);
        }
        std::thread::sleep(GLANCE);
    };
    let status = child.wait().expect("it has ended");
    let mut text = |at: usize| {
        let (file, mut text) = (&mut files[at], Vec::new());
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut text)).expect("what was said can be read");
        String::from_utf8_lossy(&text).into_owned()
    };
    let said = Said { code: status.code().unwrap_or(-1), stdout: text(0), stderr: text(1) };
    (said, Cost { cpu: Duration::from_millis(ticks * 1000 / ticks_per_second()), peak_bytes: peak })
}

/// Panics unless twice as much costs about twice the time: what is quadratic takes four times as long. A machine that has no memory left
/// to give at once makes one process slower than another, so a pair that is not linear is measured again, twice at the most.
#[track_caller]
pub fn is_linear<T: Copy>(what: &str, [half, whole]: [T; 2], mut measure: impl FnMut(T) -> Cost) {
    /// What is too little to be compared.
    const FLOOR: Duration = Duration::from_millis(400);
    const PAIRS: usize = 3;
    let mut pairs = Vec::new();
    while pairs.len() < PAIRS {
        let [half, whole] = [half, whole].map(|size| measure(size).cpu);
        if whole < 3 * half + FLOOR {
            return;
        }
        pairs.push((half, whole));
    }
    panic!("{what}: half of it and the whole took {pairs:?}");
}
