//! `kill -9` at random moments of `watch`, while drops come whole, in pieces and by renaming, are corrected, and go again.
//! `.ci/nightly` does it for ten minutes.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use vardelta_tests::{
    project::Project,
    random::{Random, from_environment, seed},
    watching::Watching,
};

use super::{PIPELINE, deliveries::Deliveries};

/// For how long, in seconds; `VARDELTA_WATCH_KILL_SECONDS` says another time.
const SECONDS: u64 = 8;
/// The longest life of a process.
const LIFE_MS: u64 = 1_500;
const ARGUMENTS: [&str; 4] = ["--settle", "100ms", "--every", "50ms"];

#[test]
fn random_moments_of_death_of_watch_lose_double_and_withdraw_nothing() {
    let seed = seed(1);
    let limit = Duration::from_secs(from_environment("VARDELTA_WATCH_KILL_SECONDS", SECONDS));
    // A correction may be however much smaller: whether that is meant is another test's.
    let any_size = "name = \"watched\"\nmax_shrink_share = 1.0";
    let project = Project::new(&PIPELINE.replace("name = \"watched\"", any_size));
    // What is tested is built by now, and its time is none of theirs.
    project.vardelta("validate", &[]).expect(0);
    let mut random = Random::new(seed);
    let mut deliveries = Deliveries::new(&project);
    let (log, started) = (project.path("steps"), Instant::now());
    let path = log.to_string_lossy().into_owned();
    let (mut deaths, mut by_step) = (0, BTreeMap::<String, usize>::new());
    // Most moments are after a load and before the next drop; so it goes on until some were not.
    while started.elapsed() < limit || by_step.len() < 3 && started.elapsed() < 10 * limit {
        let _ = std::fs::remove_file(&log);
        let mut watching = Watching::start(&project, &ARGUMENTS, &[("VARDELTA_FAILPOINT_LOG", &path)]);
        let death = Instant::now() + Duration::from_millis(random.below(LIFE_MS));
        while Instant::now() < death {
            deliveries.next(&mut random);
            sleep(Duration::from_millis(random.below(80_u64)));
        }
        assert_eq!(
            watching.end("KILL").code(),
            None,
            "seed {seed}: it lived until it was killed\n{}",
            watching.stderr()
        );
        deaths += 1;
        let steps = std::fs::read_to_string(&log).unwrap_or_default();
        let last = steps.lines().last().unwrap_or("before the first step").to_owned();
        *by_step.entry(last).or_default() += 1;
        deliveries.withdrew_nothing(&format!("seed {seed}, death {deaths}"));
    }
    eprintln!("seed {seed}: {deaths} deaths, after these steps: {by_step:?}; {} deliveries", deliveries.count);
    assert!(by_step.len() >= 3, "seed {seed}: the kills hit these steps alone: {by_step:?}");

    deliveries.finish();
    let mut watching = Watching::start(&project, &ARGUMENTS, &[]);
    let started = Instant::now();
    while !deliveries.is_loaded() {
        // What was set aside in its last moments is tried again within this.
        assert!(
            started.elapsed() < Duration::from_secs(90),
            "seed {seed}: not everything is loaded\n{}",
            watching.stderr()
        );
        sleep(Duration::from_millis(100));
    }
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
    deliveries.withdrew_nothing(&format!("seed {seed}, at last"));
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(project.vardelta("run", &["--json"]).expect(0).json()["committed"], false, "seed {seed}");
}
