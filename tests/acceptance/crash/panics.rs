//! A defect of vardelta: a thread panics. The run ends at once, says so, and writes nothing.

use std::time::{Duration, Instant};

use vardelta_engine::failpoint::{Effect, points};
use vardelta_tests::{
    project::{Project, finish},
    story,
};

/// What a run may take longer than one that works.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn a_panic_in_any_thread_ends_the_run_at_once_with_its_cause() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 200));
    project.vardelta("run", &[]).expect(0);
    let before = story::tables(project.directory());
    story::write_drop(&project, "beta", &story::lines(2, 200));
    let started = Instant::now();
    project.vardelta("run", &["--dry-run"]).expect(0);
    let whole = started.elapsed();
    for workers in ["1", "2", "4"] {
        for point in points(Effect::Panics, &["reader", "worker"]) {
            let mut command = project.command("run", &["--workers", workers]);
            command.env("VARDELTA_FAILPOINT", format!("panic:{point}"));
            let started = Instant::now();
            let said = finish(&mut command).expect(70);
            let took = started.elapsed();
            assert!(
                took < 3 * whole + AT_ONCE,
                "{point} with {workers} workers: {took:?}, and {whole:?} without a panic"
            );
            said.says(&[
                "internal error in",
                &format!("fail point {point}"),
                "nothing was written",
                "please report it",
            ]);
            assert_eq!(story::tables(project.directory()), before);
        }
    }
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}
