//! A defect of vardelta: a thread panics. The run ends at once, says so, and writes nothing.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use vardelta_engine::failpoint::{Effect, points};
use vardelta_tests::{
    held::Held,
    process::until,
    project::{Said, finish},
    story,
};

use crate::history::place::{Place, on_each_place};

/// What a run may take to end when a thread has panicked, on a machine with nothing else to do.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Each may meet a moment at which the machine does something else.
const ATTEMPTS: usize = 3;

/// The same on the machine as it is, which shares its processors among so many.
fn at_once() -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").expect("Linux has it");
    let waiting: f64 = load.split(' ').next().and_then(|word| word.parse().ok()).expect("a number");
    let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
    AT_ONCE.mul_f64((waiting / processors).max(1.0))
}

/// A pipeline of which some rows stand.
fn standing(place: &Place) {
    story::write_drop(&place.project, "alpha", &story::lines(1, 200));
    place.vardelta("run", &[]).expect(0);
}

/// Has a thread panic, and returns how long the process outlived that.
fn end_of(mut command: Command, point: &str) -> (Said, Duration) {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    command.env("VARDELTA_FAILPOINT", format!("panic:{point}")).env("VARDELTA_FAILPOINT_LOG", log.path());
    // Where it was is looked up in all of the program: no part of ending.
    command.env_remove("RUST_BACKTRACE");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (panicking, mut has_ended) = (format!("panicking at {point}"), false);
    until(&format!("a thread panics at {point}, or the run ends"), || {
        has_ended = child.try_wait().expect("a child can be waited for").is_some();
        has_ended || std::fs::read_to_string(log.path()).is_ok_and(|text| text.lines().any(|line| line == panicking))
    });
    let panicked = Instant::now();
    let said = Said::from(child.wait_with_output().expect("it ends"));
    (said, panicked.elapsed())
}

#[track_caller]
fn says_the_cause(said: Said, point: &str) {
    said.expect(70).says(&[
        "internal error in",
        &format!("fail point {point}"),
        "nothing was written",
        "please report it",
    ]);
}

#[test]
fn a_panic_in_any_thread_ends_the_run_at_once_with_its_cause() {
    on_each_place("a_panic_in_any_thread_ends_the_run_at_once_with_its_cause", "", |place| {
        standing(&place);
        let before = place.contents();
        story::write_drop(&place.project, "beta", &story::lines(2, 200));
        // What threads do is the same for every database.
        let workers: &[&str] = if place.server().is_some() { &["2"] } else { &["1", "2", "4"] };
        for workers in workers {
            for point in points(Effect::Panics, &["reader", "worker"]) {
                let mut took = Vec::new();
                while took.len() < ATTEMPTS && took.iter().all(|took| *took >= AT_ONCE) {
                    let (said, outlived) = end_of(place.command("run", &["--workers", workers]), point);
                    says_the_cause(said, point);
                    took.push(outlived);
                    assert_eq!(place.contents(), before, "{point} with {workers} workers");
                }
                let limit = at_once();
                assert!(took.iter().any(|took| *took < limit), "{point} with {workers} workers: {took:?}");
            }
        }
        place.vardelta("run", &[]).expect(0);
        place.vardelta("verify", &[]).expect(0);
    });
}

/// The rows of the first drops are in the database, in a transaction that is open, when something panics over a later one.
#[test]
fn a_panic_with_rows_ahead_takes_them_back_and_frees_the_lock() {
    const IN_CHUNKS: &[&str] = &["--workers", "1", "--set", "pipeline.chunk_records=1"];
    on_each_place("a_panic_with_rows_ahead_takes_them_back_and_frees_the_lock", "", |place| {
        standing(&place);
        let before = place.contents();
        for (name, seed) in [("beta", 2), ("gamma", 3), ("delta", 4)] {
            story::write_drop(&place.project, name, &story::lines(seed, 20));
        }
        let third = "worker:chunk:3";
        let held = Held::at(third, &["panic:worker:chunk:3"], place.command("run", IN_CHUNKS));
        until("rows go ahead", || held.has_reached("ahead:batch"));
        says_the_cause(held.go_on(), "worker:chunk");
        assert_eq!(place.contents(), before);
        // The thread that writes them may panic too.
        let mut command = place.command("run", IN_CHUNKS);
        let said = finish(command.env("VARDELTA_FAILPOINT", "panic@ahead:batch:2")).expect(70);
        assert!(said.stderr.contains("nothing was written"), "{}", said.stderr);
        assert_eq!(place.contents(), before);
        place.vardelta("run", &[]).expect(0);
        place.vardelta("verify", &[]).expect(0);
        let lines = [story::lines(1, 200), story::lines(2, 20), story::lines(3, 20), story::lines(4, 20)];
        let drops: Vec<&[_]> = lines.iter().map(Vec::as_slice).collect();
        let loaded = place.query("SELECT name FROM vardelta_drops ORDER BY drop_id");
        let order: Vec<&[_]> = loaded
            .iter()
            .map(|row| drops[["alpha", "beta", "gamma", "delta"].iter().position(|it| *it == row[0]).expect("known")])
            .collect();
        assert_eq!(place.contents().rows, (story::PIPELINE.expected)(&order));
    });
}
