//! Death at every named step of a commit (`VARDELTA_FAILPOINT=name:N` aborts at the N-th time), and full disks at
//! those that write.

use vardelta_engine::failpoint::{Effect, points};
use vardelta_tests::{
    database::Tables,
    drop_file,
    project::{Project, finish},
    story,
};

use super::recovers;

/// Areas of the steps of an epoch.
const AREAS: &[&str] = &["ahead", "commit", "state", "report"];
/// Steps before the commit that report a full disk. After it the epoch is there: see `after_commit`.
fn full_disks() -> Vec<&'static str> {
    points(Effect::DiskFull, AREAS).into_iter().filter(|point| *point != "state:rename").collect()
}

/// How often a step is left to pass before the process dies there.
const HITS: usize = 3;

/// One thing that is done to a pipeline.
struct Scene {
    name: &'static str,
    prepare: fn() -> Project,
    verb: &'static str,
    arguments: &'static [&'static str],
}

const SCENES: &[Scene] = &[
    Scene { name: "first load", prepare: not_loaded, verb: "run", arguments: &[] },
    // Three chunks, so that the rows of the first two go to the sink before the last is read.
    Scene { name: "first load in chunks", prepare: not_loaded, verb: "run", arguments: IN_CHUNKS },
    Scene { name: "replacement, addition and prune", prepare: changed, verb: "run", arguments: &["--prune-all"] },
    Scene { name: "withdrawal", prepare: loaded, verb: "withdraw", arguments: &["beta"] },
    Scene { name: "rebuild", prepare: loaded, verb: "rebuild", arguments: &[] },
];

const IN_CHUNKS: &[&str] = &["--workers", "1", "--set", "pipeline.chunk_records=1"];

fn not_loaded() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    story::write_drop(&project, "beta", &story::lines(2, 40));
    story::write_drop(&project, "gone", &story::lines(3, 20));
    project
}

fn loaded() -> Project {
    let project = not_loaded();
    project.vardelta("run", &[]).expect(0);
    project
}

fn changed() -> Project {
    let project = loaded();
    let mut lines = story::lines(1, 40);
    lines.truncate(30);
    lines.extend(story::lines(5, 6));
    story::write_drop(&project, "alpha", &lines);
    story::write_drop(&project, "new", &story::lines(4, 25));
    drop_file::remove(&project.path("drops"), "gone");
    project
}

/// What an undisturbed run makes of a scene.
fn undisturbed(scene: &Scene) -> (Tables, Tables) {
    let project = (scene.prepare)();
    let before = story::tables(project.directory());
    project.vardelta(scene.verb, scene.arguments).expect(0);
    (before, story::tables(project.directory()))
}

#[test]
fn death_at_any_step_leaves_before_or_after() {
    let mut deaths: Vec<(&str, &str)> = Vec::new();
    for scene in SCENES {
        let (before, after) = undisturbed(scene);
        for point in points(Effect::Dies, AREAS) {
            for hit in 1..=HITS {
                let project = (scene.prepare)();
                let mut command = project.command(scene.verb, scene.arguments);
                let said = finish(command.env("VARDELTA_FAILPOINT", format!("{point}:{hit}")));
                if said.code == 0 {
                    break;
                }
                assert_eq!(said.code, -1, "{}: {point}:{hit} aborts\n{}", scene.name, said.stderr);
                deaths.push((scene.name, point));
                let what = format!("{} dying at {point}:{hit}", scene.name);
                recovers(&what, &project, scene.verb, scene.arguments, &before, &after);
            }
        }
    }
    // A step that no scene comes by tests nothing.
    for point in points(Effect::Dies, AREAS) {
        assert!(deaths.iter().any(|(_, died)| *died == point), "no run came by {point}");
    }
    eprintln!("{} deaths", deaths.len());
}

#[test]
fn a_full_disk_at_any_step_leaves_before_and_is_said() {
    let mut failures = 0;
    for scene in SCENES {
        let (before, after) = undisturbed(scene);
        for point in full_disks() {
            for hit in 1..=HITS {
                let project = (scene.prepare)();
                let mut command = project.command(scene.verb, scene.arguments);
                let said = finish(command.env("VARDELTA_FAILPOINT", format!("{point}:{hit}")));
                if said.code == 0 {
                    break;
                }
                failures += 1;
                let what = format!("{} with a full disk at {point}:{hit}", scene.name);
                let said = said.expect(6);
                assert!(said.stderr.contains("error:"), "{what}: {}", said.stderr);
                recovers(&what, &project, scene.verb, scene.arguments, &before, &after);
            }
        }
    }
    assert!(failures > 0, "no run came by a step that writes");
}
