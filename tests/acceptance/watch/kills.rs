//! `kill -9` at random moments of `watch`, while drops come whole, in pieces and by renaming, are corrected, and go again.
//! `.ci/nightly` does it for ten minutes.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use vardelta_tests::{
    process::until,
    random::{Random, from_environment},
    watching::Watching,
};

use super::{deliveries::Deliveries, project};

/// For how long, in seconds; `VARDELTA_WATCH_KILL_SECONDS` says another time.
const SECONDS: u64 = 8;
/// The longest life of a process.
const LIFE_MS: usize = 1_500;
const ARGUMENTS: [&str; 4] = ["--settle", "100ms", "--every", "50ms"];

#[test]
fn random_moments_of_death_of_watch_lose_double_and_withdraw_nothing() {
    let seed = from_environment("VARDELTA_SEED", 1);
    let limit = Duration::from_secs(from_environment("VARDELTA_WATCH_KILL_SECONDS", SECONDS));
    let (mut random, project) = (Random::new(seed), project());
    let mut deliveries = Deliveries::new(&project);
    let (log, started) = (project.path("steps"), Instant::now());
    let path = log.to_string_lossy().into_owned();
    let (mut deaths, mut by_step) = (0, BTreeMap::<String, usize>::new());
    while started.elapsed() < limit || deaths < 3 {
        let _ = std::fs::remove_file(&log);
        let mut watching = Watching::start(&project, &ARGUMENTS, &[("VARDELTA_FAILPOINT_LOG", &path)]);
        let death = Instant::now() + Duration::from_millis(random.below(LIFE_MS) as u64);
        while Instant::now() < death {
            deliveries.next(&mut random);
            sleep(Duration::from_millis(random.below(80) as u64));
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
    eprintln!("seed {seed}: {deaths} deaths, behind these steps: {by_step:?}; {} deliveries", deliveries.count);
    assert!(by_step.len() >= 3, "seed {seed}: the kills hit these steps alone: {by_step:?}");

    deliveries.finish();
    let mut watching = Watching::start(&project, &ARGUMENTS, &[]);
    until(&format!("seed {seed}: everything is loaded"), || deliveries.is_loaded());
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
    deliveries.withdrew_nothing(&format!("seed {seed}, at last"));
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(project.vardelta("run", &["--json"]).expect(0).json()["committed"], false, "seed {seed}");
}
