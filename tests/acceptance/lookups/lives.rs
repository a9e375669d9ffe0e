//! One look-up through what may happen to it.

use vardelta_engine::{error::RunErrorKind, run::RunOptions};
use vardelta_schemas::ledger::Epoch;
use vardelta_tests::scripted::Failing;

use super::sample;

const ANNOTATED: &str = "SELECT id || ' ' || ifnull(gene, '-') || ' ' || ifnull(number, '-') || ' ' || \
                         ifnull(lookup_status, '-') FROM annotated ORDER BY id";

#[test]
fn answers_come_in_the_same_run() {
    let sample = sample(1);
    let report = sample.run();
    assert_eq!(
        sample.texts(ANNOTATED),
        ["1 TP53 7157 found", "2 BRCA1 672 found", "3 XYZ - absent", "4 - - -", "5 TP53 7157 found"]
    );
    // Every row was written once, with its answer.
    let annotated = report.tables.iter().find(|table| table.name == "annotated").expect("the table is reported");
    assert_eq!((annotated.inserted, annotated.updated), (5, 0));
    let genes = report.lookups.iter().find(|lookup| lookup.stage == "gene_facts").expect("the stage is reported");
    assert_eq!(
        (genes.figures.wanted, genes.figures.answered, genes.figures.absent, genes.figures.failed, genes.waiting),
        (3, 2, 1, 0, 0)
    );
    // What the answers name is looked up after them.
    let words = "SELECT word || ' ' || lookup_status || ' ' || ifnull(word_word, '-') FROM word_facts ORDER BY word";
    assert_eq!(sample.texts(words), ["repair absent -", "tumour found a lump"]);
    assert_eq!(
        sample.ledger(),
        [
            "gene_facts BRCA1 found 0",
            "gene_facts TP53 found 0",
            "gene_facts XYZ absent 0",
            "word_facts repair absent 0",
            "word_facts tumour found 0"
        ]
    );
    sample.is_sound();
    // A second run has nothing to ask.
    sample.genes.take_asked();
    let report = sample.run();
    assert!(!report.committed && sample.genes.take_asked().is_empty() && sample.genes.script().opened == 1);
}

#[test]
fn a_service_that_is_down_thins_nothing_and_a_later_run_completes_it() {
    let sample = sample(2);
    sample.genes.script().failing = Failing::Everything;
    let report = sample.run();
    assert!(report.committed);
    assert_eq!(
        sample.texts(ANNOTATED),
        ["1 TP53 - waiting", "2 BRCA1 - waiting", "3 XYZ - waiting", "4 - - -", "5 TP53 - waiting"]
    );
    assert_eq!(
        sample.texts("SELECT id || '' FROM strict ORDER BY id"),
        ["1", "2", "3", "5"],
        "an inner join thins nothing"
    );
    assert!(
        report.notices.iter().any(|notice| notice.contains("3 keys wait for an answer (503")),
        "{:?}",
        report.notices
    );
    assert_eq!(
        sample.ledger(),
        ["gene_facts BRCA1 waiting 1", "gene_facts TP53 waiting 1", "gene_facts XYZ waiting 1"]
    );
    sample.is_sound();
    // Still down: that is noted, and makes no epoch.
    let report = sample.run();
    assert_eq!(
        (report.committed, report.epoch, report.lookups[0].figures.failed, report.lookups[0].waiting),
        (false, Epoch::FIRST, 3, 3)
    );
    assert_eq!(sample.ledger()[0], "gene_facts BRCA1 waiting 2");
    // Some answers come.
    sample.genes.script().failing = Failing::Nothing;
    let report = sample.run();
    assert_eq!((report.committed, report.epoch), (true, Epoch::new(2)));
    let completed: Vec<(&str, &str)> =
        report.drops.iter().map(|drop| (drop.name.as_str(), drop.action.as_str())).collect();
    assert_eq!(completed, [("day1", "unchanged"), ("lookup:gene_facts", "completed")]);
    assert_eq!(
        sample.texts("SELECT name || ' ' || action FROM vardelta_events WHERE epoch = 2"),
        ["lookup:gene_facts completed"]
    );
    assert_eq!(
        sample.texts(ANNOTATED),
        ["1 TP53 7157 found", "2 BRCA1 672 found", "3 XYZ - absent", "4 - - -", "5 TP53 7157 found"]
    );
    assert_eq!(sample.texts("SELECT id || '' FROM annotated WHERE changed_epoch = 2"), ["1", "2", "3", "5"]);
    sample.is_sound();
    // And the tables are those of a run in which nothing failed.
    let other = self::sample(3);
    other.run();
    assert_eq!(sample.tables().rows, other.tables().rows);
    assert_eq!(sample.ledger(), other.ledger());
}

#[test]
fn a_look_up_that_breaks_off_keeps_what_was_said() {
    let sample = sample(4);
    sample.genes.script().failing = Failing::BreaksOff;
    let report = sample.run();
    let genes = &report.lookups[0];
    assert_eq!(genes.figures.wanted, 3);
    assert_eq!(genes.figures.answered + genes.figures.absent + genes.figures.failed, 3);
    assert_eq!(genes.figures.failed, genes.waiting);
    sample.is_sound();
    sample.genes.script().failing = Failing::Nothing;
    sample.genes.take_asked();
    sample.run();
    assert_eq!(
        sample.genes.take_asked().len() as u64,
        genes.figures.failed,
        "what was answered is not asked for again"
    );
    sample.is_sound();
}

#[test]
fn a_service_that_wants_to_be_left_alone_is() {
    let sample = sample(5);
    sample.genes.script().failing = Failing::Everything;
    sample.genes.script().next_try_s = Some(4_000_000_000);
    sample.run();
    sample.genes.script().failing = Failing::Nothing;
    sample.genes.take_asked();
    let report = sample.run();
    assert!(!report.committed && sample.genes.take_asked().is_empty(), "it is too early");
    assert_eq!(report.lookups[0].waiting, 3);
    let retried = sample.run_with(&RunOptions { retry_lookups: true, ..RunOptions::default() });
    assert!(retried.committed && retried.lookups[0].waiting == 0, "who asks for it gets it");
    sample.is_sound();
}

#[test]
fn retrying_loads_no_drop() {
    let sample = sample(6);
    sample.genes.script().failing = Failing::Everything;
    sample.run();
    sample.genes.script().failing = Failing::Nothing;
    sample.write("day2", &[(9, "TP53")]);
    let report = sample.run_with(&RunOptions { retry_lookups: true, ..RunOptions::default() });
    assert!(report.drops.iter().all(|drop| drop.name != "day2"));
    assert_eq!(sample.texts("SELECT count(*) || '' FROM variants"), ["5"]);
    sample.run();
    assert_eq!(sample.texts("SELECT count(*) || '' FROM variants"), ["6"]);
    sample.is_sound();
}

#[test]
fn too_many_failures_end_the_run_where_the_pipeline_says_so() {
    let sample = sample(7);
    sample.genes.script().failing = Failing::Everything;
    let text = super::text_of(&sample.genes, &sample.words)
        .replace("key = \"gene\"", "key = \"gene\"\nmax_failed_share = 0.5");
    let strict = vardelta_tests::in_process::Warehouse::new(&text);
    std::fs::copy(sample.warehouse.drops().join("day1.tsv"), strict.drops().join("day1.tsv")).expect("a copy");
    let error = strict.run(0, &RunOptions::default()).expect_err("too much failed");
    assert_eq!(error.kind, RunErrorKind::RejectShare);
    assert!(error.message.contains("3 of 3 keys got no answer, more than max_failed_share = 0.5"), "{}", error.message);
    assert!(vardelta_tests::database::read_tables(&strict.directory.path().join("looked_up.sqlite"), super::KEYS).rows["variants"].is_empty());
    sample.genes.script().failing = Failing::Nothing;
    strict.run(0, &RunOptions::default()).expect("a healthy run");
}

#[test]
fn old_answers_are_asked_for_again_and_stand_while_nobody_answers() {
    let sample = sample(8);
    sample.genes.script().until_s = Some(1);
    sample.run();
    let before = sample.tables();
    sample.genes.knows("TP53", 8, "tumour");
    sample.genes.script().failing = Failing::Everything;
    let report = sample.run();
    assert!(!report.committed && sample.tables() == before);
    assert!(report.notices.iter().any(|notice| notice.contains("3 answers have grown old")), "{:?}", report.notices);
    assert_eq!(sample.ledger()[1], "gene_facts TP53 found 1");
    sample.genes.script().failing = Failing::Nothing;
    sample.genes.script().until_s = None;
    let report = sample.run();
    assert!(report.committed);
    assert_eq!(
        sample.texts("SELECT gene FROM gene_facts WHERE changed_epoch = 2"),
        ["TP53"],
        "only what differs is written"
    );
    assert_eq!(sample.ledger()[1], "gene_facts TP53 found 0");
    sample.genes.take_asked();
    sample.run();
    assert!(sample.genes.take_asked().is_empty(), "they are fresh for ever now");
    sample.is_sound();
}

#[test]
fn nobody_is_asked_where_nothing_is_loaded() {
    let sample = sample(9);
    sample.write("day2", &[(3, "BRCA2")]);
    sample.run();
    let opened = [sample.genes.script().opened, sample.words.script().opened];
    sample.genes.take_asked();
    let options = |workers| RunOptions { workers: Some(workers), ..RunOptions::default() };
    for workers in [1, 2, 4] {
        assert_eq!(sample.warehouse.verify(&options(workers)).expect("verify works").difference_count, 0);
        assert!(!sample.run_with(&options(workers)).committed);
    }
    let dry = RunOptions { dry_run: true, ..RunOptions::default() };
    sample.write("day3", &[(10, "KRAS")]);
    let report = sample.run_with(&dry);
    assert!(report.notices.iter().any(|notice| notice.contains("1 keys would be asked for")), "{:?}", report.notices);
    std::fs::remove_file(sample.warehouse.drops().join("day3.tsv")).expect("a file can go");
    // What stood below day2's row comes to stand, and its gene was not looked up before.
    let report = sample.warehouse.withdraw(0, &["day2".to_owned()], &RunOptions::default()).expect("withdrawn");
    assert_eq!(report.lookups[0].waiting, 1);
    assert_eq!(sample.texts("SELECT lookup_status FROM annotated WHERE id = 3"), ["waiting"]);
    assert_eq!(sample.texts("SELECT gene FROM gene_facts ORDER BY gene"), ["BRCA1", "TP53", "XYZ"]);
    sample.is_sound();
    assert!(sample.genes.take_asked().is_empty());
    assert_eq!([sample.genes.script().opened, sample.words.script().opened], opened);
    sample.run();
    assert_eq!(sample.texts("SELECT lookup_status FROM annotated WHERE id = 3"), ["absent"]);
    sample.is_sound();
}
