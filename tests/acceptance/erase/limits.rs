//! What an erasure refuses, and what it says when it finds something.

use vardelta_tests::story;

use super::{HISTORIES, MARKED_DROP, dump::everything, load_all};
use crate::history::place::on_each_place;

#[test]
fn an_erasure_takes_no_options_that_would_show_or_keep_rows() {
    on_each_place("an_erasure_takes_no_options_that_would_show_or_keep_rows", HISTORIES, |place| {
        load_all(&place);
        let before = everything(&place);
        for option in [&["--dry-run"][..], &["--rejects", "out.tsv"]] {
            let arguments = [&[MARKED_DROP, "--erase"], option].concat();
            place.vardelta("withdraw", &arguments).expect(2).says(&["cannot be used with"]);
        }
        assert_eq!(everything(&place), before);
        let said = place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0);
        assert!(!said.stdout.contains("ZZMARKSIG"), "no row of the drop is shown:\n{}", said.stdout);
    });
}

#[test]
fn a_row_that_nobody_accounts_for_is_found() {
    on_each_place("a_row_that_nobody_accounts_for_is_found", HISTORIES, |place| {
        load_all(&place);
        // Somebody has copied a row by hand; no withdrawal takes it back.
        place.execute("UPDATE variants SET clinical_significance = 'ZZMARKSIG' WHERE position = 200");
        let said = place.vardelta("withdraw", &[MARKED_DROP, "--erase", "--json"]).expect(7).json();
        assert_eq!(said["erased"]["proven"], false, "{said}");
        assert_eq!(said["erased"]["findings"][0]["place"], "tables", "{said}");
        assert_eq!(said["error"]["exit_code"].as_u64(), Some(7), "{said}");
        // It stays pending, and says so, until what was found is seen to.
        place.vardelta("run", &["drops/first.vcf.gz"]).expect(0).says(&["not proven"]);
        place.execute("UPDATE variants SET clinical_significance = 'Benign' WHERE position = 200");
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0).says(&["finds nothing"]);
    });
}

#[test]
fn what_nothing_keeps_up_any_more_is_not_left_behind_unseen() {
    on_each_place("what_nothing_keeps_up_any_more_is_not_left_behind_unseen", HISTORIES, |place| {
        load_all(&place);
        let text = std::fs::read_to_string(place.project.path("pipeline.toml")).expect("it can be read");
        place.project.write("pipeline.toml", text.replace(HISTORIES, "history = [\"variants\"]").as_bytes());
        let said = place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(6);
        said.says(&["mutation_summary_history", "nothing was erased"]);
        place.vardelta("verify", &[]).expect(0);
        place.vardelta("drops", &[]).expect(0).says(&[MARKED_DROP]);
        place.project.write("pipeline.toml", text.as_bytes());
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0);
    });
}

/// A reader that stays keeps old pages in the log: that is said, and nothing claims the contrary.
#[test]
fn a_reader_that_keeps_the_log_is_told_of() {
    on_each_place("a_reader_that_keeps_the_log_is_told_of", HISTORIES, |place| {
        if place.is_on_server() {
            return;
        }
        load_all(&place);
        let reader = vardelta_tests::database::open(&place.project.path(story::PIPELINE.database));
        reader.execute_batch("BEGIN; SELECT count(*) FROM variants").expect("it reads");
        let said = place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(6);
        said.says(&["write-ahead log", "their erasure is pending"]);
        reader.execute_batch("ROLLBACK").expect("it ends");
        drop(reader);
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0).says(&["finds nothing", "cut short"]);
        super::assert_no_trace(&place, &[super::MARK, super::MARKED_ALLELE]);
    });
}
