//! An erasure that is killed: the same command finishes it, or the next run does; and before it is proven nothing says it is.

use vardelta_engine::failpoint::{Effect, points};
use vardelta_tests::project::finish;

use super::{
    HISTORIES, MARK, MARKED_ALLELE, MARKED_DROP, dump::assert_no_trace, forget_file, load_all, rows_of,
    rows_without_marked,
};
use crate::history::place::on_each_place;

/// Areas of the steps at which the process aborts.
const AREAS: &[&str] = &["commit", "state", "erase"];
/// The last step before the commit.
const LAST_BEFORE_COMMIT: &str = "commit:before-sink";
/// A step that only files have.
const OF_FILES: &str = "erase:vacuumed";

#[test]
fn a_killed_erasure_is_finished_by_the_same_command_or_the_next_run() {
    on_each_place("a_killed_erasure_is_finished_by_the_same_command_or_the_next_run", HISTORIES, |place| {
        let expected = {
            let fresh = place.beside();
            rows_without_marked(&fresh, "killed")
        };
        let steps = points(Effect::Dies, AREAS);
        let commit = steps.iter().position(|step| *step == LAST_BEFORE_COMMIT).expect("a step of the list");
        let mut died = Vec::new();
        let cases = steps.iter().enumerate().flat_map(|(at, step)| [(at, *step, false), (at, *step, true)]);
        for (at, point, next_run) in cases {
            let is_committed = at > commit;
            if next_run && !is_committed || point == OF_FILES && place.is_on_server() {
                continue;
            }
            let place = place.beside();
            load_all(&place);
            forget_file(&place, MARKED_DROP);
            let mut dying = place.command("withdraw", &[MARKED_DROP, "--erase"]);
            let said = finish(dying.env("VARDELTA_FAILPOINT", point));
            // An erasure need not come by every step of an epoch, but by every step of its own.
            if said.code == 0 && !point.starts_with("erase:") {
                continue;
            }
            assert_eq!(said.code, -1, "it dies at {point}: {}", said.stderr);
            died.push(point);
            let erased = place.query("SELECT count(*) FROM vardelta_events WHERE action = 'erased'");
            assert_eq!(
                erased,
                [[if point == "erase:finished" { "1" } else { "0" }]],
                "{point}: nothing says more than is so"
            );
            let pending = place.query("SELECT count(*) FROM vardelta_events WHERE action = 'erasing'");
            let is_pending = is_committed && point != "erase:finished";
            assert_eq!(pending, [[if is_pending { "1" } else { "0" }]], "{point}");
            if next_run || point == "erase:finished" {
                let said = place.vardelta("run", &[]).expect(0);
                if is_pending {
                    said.says(&["the erasure of epoch 5, which had been cut short, was carried on"]);
                }
            } else {
                place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0).says(&["finds nothing"]);
            }
            let erased = place.query("SELECT name FROM vardelta_events WHERE action = 'erased'");
            assert_eq!(erased, [["erased-2"]], "{point}");
            let events = place.query("SELECT count(*) FROM vardelta_events WHERE action = 'erasing'");
            assert_eq!(events, [["0"]], "{point}");
            assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
            assert_eq!(rows_of(&place), expected, "{point}");
            place.vardelta("verify", &[]).expect(0);
        }
        assert!(died.contains(&LAST_BEFORE_COMMIT) && died.contains(&"state:prepared"), "{died:?}");
    });
}
