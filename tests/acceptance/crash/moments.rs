//! `kill -9` at random moments of a bigger load. `servers/deaths.rs` does the same on servers; `.ci/nightly` runs all of them a
//! thousand times.

use std::time::Instant;

use vardelta_tests::{
    deaths::{Deaths, per_database},
    drop_file::{self, Packing},
    project::Project,
    random::{Random, seed},
    story,
};

use super::recovers;

/// Records of the drop that is being loaded.
const RECORDS: usize = 20_000;

#[test]
fn random_moments_of_death_on_sqlite_leave_before_or_after() {
    let seed = seed(1);
    let (mut random, mut deaths) = (Random::new(seed), Deaths::default());
    let (killed, twin) = (Project::new(story::PIPELINE.text), Project::new(story::PIPELINE.text));
    for version in 1..=per_database() {
        let before = story::tables(killed.directory());
        let text = story::big_drop(RECORDS, version);
        for project in [&killed, &twin] {
            drop_file::write(&project.path("drops"), "big", &text, Packing::Bgzf);
        }
        let started = Instant::now();
        twin.vardelta("run", &[]).expect(0);
        let duration = started.elapsed();
        let after = story::tables(twin.directory());
        let moment = duration.mul_f64(random.below(110) as f64 / 100.0);
        deaths.kill(killed.command("run", &[]), moment);
        recovers(
            &format!("seed {seed}, version {version}, killed after {moment:?}"),
            &killed,
            "run",
            &[],
            &before,
            &after,
        );
    }
    deaths.have_hit();
}
