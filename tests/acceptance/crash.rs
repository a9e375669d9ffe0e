//! Every way to die that can be provoked. Afterwards the sink holds the tables of before or those of after, `verify`
//! finds nothing, and going on ends where an undisturbed run ends.

mod after_commit;
mod backups;
mod copies;
mod damage;
mod fail_points;
mod identities;
mod interrupt;
mod moments;
mod no_rights;
mod no_room;
mod panics;
mod released;
mod scratch;
mod two_runs;
mod unknown;

use vardelta_tests::{database::Tables, project::Project, story};

/// What must hold after a death: the tables of before or after, nothing to verify, and a plain run that gets to
/// `after`.
#[track_caller]
fn recovers(what: &str, project: &Project, verb: &str, arguments: &[&str], before: &Tables, after: &Tables) {
    let found = story::tables(project.directory());
    assert!(found == *before || found == *after, "{what}: the tables are neither those of before nor those of after");
    let is_after = found == *after && before != after;
    let drops = project.vardelta("drops", &["--json"]).expect(0).json();
    assert!(drops["epoch"].is_u64(), "{what}: {drops}");
    project.vardelta("verify", &[]).expect(0);
    // A withdrawal that has happened cannot happen again.
    if !(is_after && verb == "withdraw") {
        project.vardelta(verb, arguments).expect(0);
    }
    let found = story::tables(project.directory());
    if verb == "rebuild" {
        assert_eq!(found.rows, after.rows, "{what}: the tables after going on");
    } else {
        assert_eq!(found, *after, "{what}: the tables after going on");
    }
    project.vardelta("verify", &[]).expect(0);
}
