//! Rebuilds, migrations and warmed caches: answers are kept, and nobody is asked.

use vardelta_engine::{
    abort::Abort,
    observer::Unobserved,
    run::{self, Context, MigrateOptions, RunOptions},
};
use vardelta_tests::{in_process::resolve, scripted::Failing};

use super::{LookedUp, text_of};

fn sample(seed: u64) -> LookedUp {
    let sample = LookedUp::new(seed);
    sample.genes.knows("TP53", 7157, "tumour");
    sample.words.knows("tumour", 1, "a lump");
    sample.write("day1", &[(1, "TP53"), (2, "BRCA1")]);
    sample
}

#[test]
fn a_rebuild_keeps_the_answers_and_asks_nobody() {
    let sample = sample(70);
    sample.genes.script().failing = Failing::Share(50);
    sample.run();
    let (before, ledger) = (sample.tables(), sample.ledger());
    let opened = sample.genes.script().opened;
    sample.genes.take_asked();
    let plan = sample.warehouse.plan(0);
    let context = Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved };
    run::rebuild(context, &RunOptions::default()).expect("a rebuild");
    assert_eq!(sample.tables().rows, before.rows);
    let status = |lines: &[String]| {
        lines.iter().map(|line| line.rsplit_once(' ').map(|line| line.0.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(status(&sample.ledger()), status(&ledger));
    assert!(sample.genes.take_asked().is_empty(), "a rebuild asks nobody");
    assert_eq!(sample.genes.script().opened, opened);
    sample.is_sound();
}

#[test]
fn another_look_up_keeps_no_answer_of_the_old_one() {
    let sample = sample(71);
    sample.run();
    // Other columns are another look-up.
    let text = text_of(&sample.genes, &sample.words).replace("prefix = \"word_\"", "prefix = \"said_\"");
    let path = sample.warehouse.directory.path().join("pipeline.toml");
    let plan = resolve(&path, &text, &[]).expect("the pipeline is valid");
    let context = Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved };
    let refused = run::run(context, &RunOptions::default()).expect_err("another definition");
    assert!(refused.message.contains("stage `word_facts` changed"), "{}", refused.message);
    sample.words.take_asked();
    run::migrate(context, &MigrateOptions::default()).expect("a migration");
    assert!(sample.words.take_asked().is_empty(), "a migration asks nobody");
    assert_eq!(sample.texts("SELECT word || ' ' || lookup_status FROM word_facts"), ["tumour waiting"]);
    run::run(context, &RunOptions::default()).expect("a run");
    assert_eq!(sample.words.take_asked(), ["tumour"]);
    assert_eq!(sample.texts("SELECT word || ' ' || said_word FROM word_facts"), ["tumour a lump"]);
    let report = run::verify(context, &RunOptions::default()).expect("verify works");
    assert_eq!(report.difference_count, 0, "{:#?}", report.differences);
}

#[test]
fn warming_asks_before_the_first_load_and_writes_no_table() {
    let sample = sample(72);
    let options = RunOptions { dry_run: true, warm: true, ..RunOptions::default() };
    let report = sample.run_with(&options);
    assert!(!report.committed && !sample.database().exists());
    assert_eq!(sample.genes.take_asked().len(), 2);
    assert_eq!(sample.words.take_asked(), ["tumour"], "look-ups after look-ups too");
    assert_eq!((report.lookups[0].figures.wanted, report.lookups[0].waiting), (2, 0));
    sample.run();
    sample.is_sound();
}

#[test]
fn what_cannot_be_looked_up_is_said_before_anything_runs() {
    let sample = sample(73);
    let text = text_of(&sample.genes, &sample.words);
    let said = |from: &str, to: &str| {
        let problems = resolve("pipeline.toml".as_ref(), &text.replacen(from, to, 1), &[]).err().unwrap_or_default();
        problems.join("; ")
    };
    assert_eq!(said("key = \"gene\"", "key = \"id\""), "the column `id` is int64");
    assert_eq!(said("key = \"gene\"", "key = \"gen\""), "there is no column `gen`");
    assert_eq!(said("prefix = \"word_\"", "prefix = \"\""), "two columns of the look-up are called `word`");
    let before = said("type = \"scripted\"\ninput = \"variants\"", "type = \"scripted\"\ninput = \"located\"");
    assert!(before.contains("stage `gene_facts` (scripted) has no table before it"), "{before}");
}
