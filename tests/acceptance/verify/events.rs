//! The ledger's own tables changed behind vardelta's back.

use vardelta_tests::story;

use super::differing;
use crate::history::place::on_each_place;

#[test]
fn a_drop_under_another_name_and_events_that_are_gone_are_found() {
    on_each_place("a_drop_under_another_name_and_events_that_are_gone_are_found", "", |place| {
        for (name, file) in [("alpha", 1), ("beta", 2)] {
            story::write_drop(&place.project, name, &story::lines(file, 20));
            place.vardelta("run", &[]).expect(0);
        }
        place.vardelta("verify", &[]).expect(0);
        let rename = |from: &str, to: &str| format!("UPDATE vardelta_drops SET name = '{to}' WHERE name = '{from}'");
        place.execute(&rename("beta", "d9"));
        let report = place.vardelta("verify", &["--json"]).expect(7).json();
        assert_eq!(differing(&report), [("vardelta_drops".to_owned(), "state".to_owned())], "{report}");
        assert!(report["differences"].to_string().contains("`d9`"), "{report}");
        place.execute(&rename("d9", "beta"));
        place.vardelta("verify", &[]).expect(0);
        // A drop that is withdrawn and erased leaves a ledger that agrees with itself.
        place.vardelta("withdraw", &["alpha", "--erase"]).expect(0);
        place.vardelta("verify", &[]).expect(0);
        place.execute("DELETE FROM vardelta_events");
        place.vardelta("verify", &[]).expect(7).says(&["drop 2, event of epoch 2"]);
    });
}
