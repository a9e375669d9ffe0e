//! What a merge of runs yields, before and after rows that were sent.

use super::{
    batches::left,
    run::{READ_BYTES, RunBytes},
    *,
};
use crate::{
    plan::TableIndex,
    rows::{Row, RowBatch},
};

fn row(text: &str) -> Row {
    text.as_bytes().into()
}

/// A key, a row and how often it is put in place.
type Update = (String, String, i64);

fn update(key: &str, value: &str, diff: i64) -> Update {
    (key.into(), value.into(), diff)
}

fn fold(updates: Vec<Update>) -> Result<RunBuilder, Row> {
    let mut rows = RowBatch::default();
    updates.iter().for_each(|(key, value, diff)| rows.push(key.as_bytes(), value.as_bytes(), *diff));
    RunBuilder::fold(&[rows])
}

/// Key, old and new row.
type Shown = (String, Option<String>, Option<String>);

fn show(change: &Change) -> Shown {
    let text = |bytes: &RunBytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&change.key), change.old.as_ref().map(text), change.new.as_ref().map(text))
}

fn shown(key: &str, old: Option<&str>, new: Option<&str>) -> Shown {
    (key.into(), old.map(Into::into), new.map(Into::into))
}

fn drain(log: &ChangeLog) -> Vec<Shown> {
    let mut net = log.net(TableIndex::new(0)).expect("reads");
    std::iter::from_fn(|| net.next().expect("reads").as_ref().map(show)).collect()
}

#[test]
fn a_key_that_ends_as_it_began_is_no_change() {
    let log = ChangeLog::new(1, std::env::temp_dir());
    let first = fold(vec![update("a", "1", -1), update("a", "2", 1), update("b", "9", 1)]);
    let second = fold(vec![update("a", "2", -1), update("a", "1", 1), update("b", "9", -1)]);
    log.push(TableIndex::new(0), 0, first.expect("folds")).expect("pushes");
    log.push(TableIndex::new(0), 1, second.expect("folds")).expect("pushes");
    assert_eq!(drain(&log), vec![]);
}

#[test]
fn what_lies_between_the_first_and_the_last_row_does_not_count() {
    let log = ChangeLog::new(1, std::env::temp_dir());
    for (chunk, (old, new)) in [("1", "2"), ("2", "3"), ("3", "4")].into_iter().enumerate() {
        let run = fold(vec![update("k", old, -1), update("k", new, 1)]).expect("folds");
        log.push(TableIndex::new(0), chunk as u64, run).expect("pushes");
    }
    assert_eq!(drain(&log), vec![shown("k", Some("1"), Some("4"))]);
}

/// Pushes one run per list, all of the same chunk: what its workers saw.
fn workers_saw(log: &ChangeLog, chunk: u64, runs: &[&[(&str, &str, i64)]]) {
    for updates in runs {
        let updates = updates.iter().map(|(key, value, diff)| update(key, value, *diff)).collect();
        log.push(TableIndex::new(0), chunk, fold(updates).expect("folds")).expect("pushes");
    }
}

#[test]
fn a_row_that_moves_between_workers_is_an_update() {
    let (away, here) = ([("k", "1", -1)], [("k", "2", 1)]);
    for runs in [[&away[..], &here[..]], [&here[..], &away[..]]] {
        let log = ChangeLog::new(1, std::env::temp_dir());
        workers_saw(&log, 0, &runs);
        assert_eq!(drain(&log), vec![shown("k", Some("1"), Some("2"))]);
        // The next chunk moves it back, and a third one to a new row.
        workers_saw(&log, 1, &[&[("k", "1", 1)], &[("k", "2", -1)]]);
        assert_eq!(drain(&log), vec![]);
        workers_saw(&log, 2, &[&[("k", "3", 1)], &[("k", "1", -1)]]);
        assert_eq!(drain(&log), vec![shown("k", Some("1"), Some("3"))]);
    }
}

#[test]
fn any_order_of_the_parts_of_a_change_is_as_good() {
    // A row that goes from worker to worker through four values, step by step: all orders of its eight parts.
    let steps = [("1", "2"), ("2", "3"), ("3", "2"), ("2", "4")];
    let parts: Vec<(&str, i64)> = steps.iter().flat_map(|(old, new)| [(*old, -1), (*new, 1)]).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let mut seen = 0;
    permute(&mut order, 0, &mut |order| {
        let log = ChangeLog::new(1, std::env::temp_dir());
        for at in order {
            workers_saw(&log, 0, &[&[("k", parts[*at].0, parts[*at].1)]]);
        }
        assert_eq!(drain(&log), vec![shown("k", Some("1"), Some("4"))], "{order:?}");
        seen += 1;
    });
    assert_eq!(seen, 40_320);
}

fn permute(items: &mut [usize], from: usize, each: &mut dyn FnMut(&[usize])) {
    if from == items.len() {
        return each(items);
    }
    for at in from..items.len() {
        items.swap(from, at);
        permute(items, from + 1, each);
        items.swap(from, at);
    }
}

#[test]
fn rows_that_do_not_belong_together_are_an_error() {
    for runs in [[&[("k", "1", 1)][..], &[("k", "2", 1)][..]], [&[("k", "1", -1)], &[("k", "1", -1)]]] {
        let log = ChangeLog::new(1, std::env::temp_dir());
        workers_saw(&log, 0, &runs);
        let error = log.net(TableIndex::new(0)).expect("reads").next().expect_err("two rows");
        assert!(error.to_string().contains("the key's bytes: 6b"), "{error}");
    }
}

#[test]
fn spilled_runs_read_back_in_key_order() {
    let log = ChangeLog::new(1, std::env::temp_dir());
    log.inner.lock().expect("lock").memory_bytes = MEMORY_LIMIT_BYTES;
    let long = "x".repeat(3 * READ_BYTES);
    for chunk in 0..5 {
        let updates = (0..400).map(|i| update(&format!("{:04}", i * 5 + chunk), &long[..i * 300], 1)).collect();
        log.push(TableIndex::new(0), chunk as u64, fold(updates).expect("folds")).expect("pushes");
    }
    let changes = drain(&log);
    assert_eq!(changes.len(), 2_000);
    assert!(changes.is_sorted_by(|a, b| a.0 < b.0));
    assert!(changes.iter().all(|(_, old, new)| old.is_none() && new.is_some()));
}

#[test]
fn what_was_sent_is_not_left() {
    let log = ChangeLog::new(2, std::env::temp_dir());
    let chunks = [
        vec![update("a", "1", 1), update("b", "1", 1), update("c", "1", 1), update("d", "0", -1), update("d", "1", 1)],
        vec![
            update("b", "1", -1),
            update("b", "2", 1),
            update("c", "1", -1),
            update("e", "1", 1),
            update("g", "0", -1),
        ],
        vec![update("e", "1", -1), update("e", "3", 1), update("f", "1", 1), update("d", "1", -1), update("d", "0", 1)],
    ];
    for (chunk, updates) in (0..).zip(chunks) {
        log.push(TableIndex::new(0), chunk, fold(updates).expect("folds")).expect("pushes");
    }
    let added = |chunk| -> Vec<Shown> {
        let mut added = log.added(TableIndex::new(0), chunk).expect("reads");
        std::iter::from_fn(|| added.next().expect("reads").as_ref().map(show)).collect()
    };
    assert_eq!(added(0), ["a", "b", "c"].map(|key| shown(key, None, Some("1"))));
    assert_eq!(added(1), [shown("e", None, Some("1"))]);

    let left = || -> Vec<Shown> {
        let mut unsent = log.unsent(TableIndex::new(0)).expect("reads");
        std::iter::from_fn(|| unsent.next_key().expect("reads"))
            .map(|(net, sent)| show(&left(net, sent)))
            .filter(|(_, old, new)| old != new)
            .collect()
    };
    let (g, f) = (shown("g", Some("0"), None), shown("f", None, Some("1")));
    let a = shown("a", None, Some("1"));
    let unsent = [a, shown("b", None, Some("2")), shown("e", None, Some("3")), f.clone(), g.clone()];
    assert_eq!(left(), unsent, "the net changes");
    log.mark_sent(TableIndex::new(0), 0, 3);
    let (b, c) = (shown("b", Some("1"), Some("2")), shown("c", Some("1"), None));
    assert_eq!(left(), [b.clone(), c.clone(), shown("e", None, Some("3")), f.clone(), g.clone()]);
    log.mark_sent(TableIndex::new(0), 1, 1);
    assert_eq!(log.sent_rows(TableIndex::new(0)), 4);
    assert_eq!(left(), [b, c, shown("e", Some("1"), Some("3")), f, g]);
    assert_eq!(drain(&log), unsent, "the net changes are what they are");
    log.forget_sent();
    assert_eq!(left(), unsent);
}

#[test]
fn two_rows_of_one_key_are_refused() {
    assert_eq!(fold(vec![update("k", "1", 1), update("k", "2", 1)]).err(), Some(row("k")));
}
