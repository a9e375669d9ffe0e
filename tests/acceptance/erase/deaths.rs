//! An erasure that is killed: the same command finishes it, or the next run does; and before it is proven nothing says it is.

use vardelta_tests::project::finish;

use super::{
    HISTORIES, MARK, MARKED_ALLELE, MARKED_DROP, dump::assert_no_trace, forget_file, load_all, rows_of,
    rows_without_marked,
};
use crate::history::place::on_each_place;

/// Steps at which the process aborts: up to the commit, and behind it.
const BEFORE_COMMIT: &[&str] =
    &["commit:begin", "erase:removed", "state:data-synced", "state:prepared", "commit:applied", "commit:before-sink"];
const BEHIND_COMMIT: &[&str] = &[
    "commit:after-sink",
    "state:before-finalize",
    "state:finalized",
    "erase:committed",
    "erase:scrubbed",
    "erase:searched",
    "erase:finished",
];
/// A step that only files have.
const OF_FILES: &str = "erase:vacuumed";

#[test]
fn a_killed_erasure_is_finished_by_the_same_command_or_the_next_run() {
    on_each_place("a_killed_erasure_is_finished_by_the_same_command_or_the_next_run", HISTORIES, |place| {
        let expected = {
            let fresh = place.beside();
            rows_without_marked(&fresh, "killed")
        };
        let of_files = (!place.is_on_server()).then_some(&OF_FILES);
        for (point, next_run) in BEFORE_COMMIT
            .iter()
            .chain(BEHIND_COMMIT)
            .chain(of_files)
            .flat_map(|point| [(*point, false), (*point, true)])
        {
            let is_committed = !BEFORE_COMMIT.contains(&point);
            if next_run && !is_committed {
                continue;
            }
            let place = place.beside();
            load_all(&place);
            forget_file(&place, MARKED_DROP);
            let mut dying = place.command("withdraw", &[MARKED_DROP, "--erase"]);
            let said = finish(dying.env("VARDELTA_FAILPOINT", point));
            assert_eq!(said.code, -1, "it dies at {point}: {}", said.stderr);
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
    });
}
