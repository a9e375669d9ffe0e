//! What the system says of this process.

use std::fs;

/// Clock ticks of `/proc` per second: the same on every Linux (proc_pid_stat(5), `USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor seconds of all threads so far, also of those that have ended.
pub fn cpu_seconds() -> Option<f64> {
    ticks(&fs::read_to_string("/proc/self/stat").ok()?).map(|ticks| ticks as f64 / TICKS_PER_SECOND)
}

/// Time in user and kernel mode (proc_pid_stat(5), fields 14 and 15), in ticks.
fn ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, which may hold anything.
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_whitespace().skip(11);
    let mut field = || fields.next()?.parse::<u64>().ok();
    Some(field()? + field()?)
}

/// The most memory that the process has had, in bytes.
pub fn peak_bytes() -> Option<u64> {
    peak(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The line `VmHWM: … kB` (proc_pid_status(5)).
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_may_hold_anything() {
        let stat = "7 (a b) 1 2) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 5 0 100 200";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a"), None);
        assert_eq!(peak("VmPeak:\t 9 kB\nVmHWM:\t   12 kB\n"), Some(12 * 1_024));
    }
}
