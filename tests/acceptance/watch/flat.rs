//! A process that looks at its folders for months holds no more memory and no more files than after the first looks.

use std::fs;

use vardelta_tests::{random::from_environment, shared::skipped, watching::Watching};

use super::{drop_text, project};

/// Looks; `VARDELTA_WATCH_LOOKS` says another number. A look comes every 50 ms.
const LOOKS: u64 = 300;
/// Files that lie there.
const FILES: u32 = 40;
/// What may be more, in KiB: the allocator keeps what it had for a moment.
const SLACK_KIB: u64 = 1_024;

#[test]
fn memory_and_open_files_stay_as_they_are_over_many_looks() {
    if !fs::exists("/proc/self/fd").is_ok_and(|exists| exists) {
        return skipped("memory over many looks", "this system has no /proc");
    }
    let looks = from_environment("VARDELTA_WATCH_LOOKS", LOOKS);
    let project = project();
    for number in 0..FILES {
        project.write(&format!("drops/d{number}.vcf"), drop_text(number * 100 + 1..number * 100 + 11).as_bytes());
    }
    project.write("drops/bad.vcf", b"nonsense\n");
    project.write("drops/part.vcf.part", b"nonsense\n");
    let watching = Watching::start(&project, &["--settle", "0s", "--every", "50ms", "--listen", "127.0.0.1:0"], &[]);
    let mut wanted: Vec<(String, &str)> = (0..FILES).map(|number| (format!("d{number}"), "loaded")).collect();
    wanted.push(("bad".into(), "set_aside"));
    watching.until_drops(&wanted.iter().map(|(name, state)| (name.as_str(), *state)).collect::<Vec<_>>());

    let looked = |watching: &Watching| {
        let metrics = watching.get("/metrics").body;
        let line = metrics.lines().find(|line| line.starts_with("vardelta_looks_total{")).expect("looks are counted");
        line.rsplit(' ').next().and_then(|count| count.parse::<f64>().ok()).expect("a number") as u64
    };
    let begin = looked(&watching);
    let after = |count: u64| {
        // Nobody waits for longer than three times what it takes.
        for _ in 0..looks * 3 {
            if looked(&watching) >= begin + count {
                return held(watching.child().id());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("there are no {count} looks: {} of them", looked(&watching) - begin);
    };
    let (early, late) = (after(looks / 10), after(looks));
    eprintln!("after {} looks (KiB, files) {early:?}, after {looks} looks {late:?}", looks / 10);
    assert!(late.0 <= early.0 + early.0 / 20 + SLACK_KIB, "memory grew from {} to {} KiB", early.0, late.0);
    assert!(late.1 <= early.1, "open files grew from {} to {}", early.1, late.1);
}

/// KiB of memory and open files of a process. A look has files open for a moment, so the fewest of some moments count.
fn held(process: u32) -> (u64, usize) {
    let moments = (0..20).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(7));
        held_now(process)
    });
    moments.reduce(|one, other| (one.0.min(other.0), one.1.min(other.1))).unwrap_or_default()
}

fn held_now(process: u32) -> (u64, usize) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it lives");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    (kib, fs::read_dir(format!("/proc/{process}/fd")).expect("its files").count())
}
