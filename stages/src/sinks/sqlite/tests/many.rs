//! New rows that go many at a time: the same rows, and the same words about one that is at fault, as one by one.

use crate::sinks::sqlite::{PlannedSqlite, tests::*};

/// New rows, in order of their names.
fn inserts(count: usize) -> Vec<Change> {
    (0..count).map(|at| (Op::Insert, &*format!("n{at:04}").leak(), Some(at as i64))).collect()
}

fn attempt(planned: &PlannedSqlite, epoch: u64, changes: &[Change]) -> Result<usize, SinkError> {
    let mut sink = planned.connect(Access::Write)?;
    sink.begin(&starting(PIPELINE, epoch - 1, &[numbers("t")], false))?;
    apply(sink.as_mut(), &numbers("t"), epoch, changes)?;
    let offenders = sink.take_offenders().len();
    sink.commit(&record(PIPELINE, epoch))?;
    Ok(offenders)
}

#[test]
fn any_number_of_rows_goes_in() {
    for count in [1, 31, 32, 33, 64, 100] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.sqlite");
        load(&path, 1, &inserts(count));
        let expected: Vec<(String, Option<i64>)> =
            inserts(count).into_iter().map(|(_, name, number)| (name.to_owned(), number)).collect();
        assert_eq!(contents(&path, &numbers("t")), expected, "{count}");
    }
}

#[test]
fn changes_of_every_kind_lie_between_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &inserts(200)[..100]);
    let changes: Vec<Change> = inserts(200)
        .into_iter()
        .enumerate()
        .map(|(at, (_, name, number))| match at {
            0..100 if at % 3 == 0 => (Op::Delete, name, number),
            0..100 => (Op::Update, name, number.map(|number| -number)),
            _ => (Op::Insert, name, number),
        })
        .collect();
    load(&path, 2, &changes);
    let rows = contents(&path, &numbers("t"));
    let left = (0..200).filter(|at| *at >= 100 || at % 3 != 0);
    let expected: Vec<(String, Option<i64>)> =
        left.map(|at| (format!("n{at:04}"), Some(if at < 100 { -at } else { at }))).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_row_at_fault_is_named() {
    for at in [0, 1, 31, 32, 63, 65] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.sqlite");
        let changes = inserts(70);
        load(&path, 1, &changes[at..=at]);
        let before = by_hand::dump(&path);
        let error = error_of(attempt(&planned(&path), 2, &changes));
        assert!(error.message.contains(&format!("disagree at name = 'n{at:04}': a row to insert is there")), "{error}");
        assert_eq!(by_hand::dump(&path), before);
    }
}

#[test]
fn rows_that_a_trigger_refuses_are_handed_over_and_their_neighbours_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let planned = PlannedSqlite { on_constraint: OnConstraint::Quarantine, ..planned(&path) };
    attempt(&planned, 1, &[(Op::Insert, "a", Some(-1))]).unwrap();
    let trigger = |what: &str| {
        let when = "drop trigger if exists mine; create trigger mine before insert on t when new.number % 40 = 13";
        by_hand::run(&path, &format!("{when} begin select raise({what}, 'no'); end"));
    };
    trigger("abort");
    assert_eq!(attempt(&planned, 2, &inserts(100)).unwrap(), 3, "13, 53 and 93");
    assert_eq!(contents(&path, &numbers("t")).len(), 98);
    trigger("fail");
    assert_eq!(attempt(&planned, 3, &inserts(150)[100..]).unwrap(), 1, "133");
    trigger("rollback");
    let before = by_hand::dump(&path);
    let outcome = attempt(&planned, 4, &inserts(200)[150..]);
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(by_hand::dump(&path), before, "nothing is written by itself");
}

#[test]
fn a_row_that_a_constraint_refuses_is_handed_over_and_its_neighbours_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let planned = constraints::constrained(&path, OnConstraint::Quarantine);
    let mut changes = inserts(100);
    changes[70].2 = Some(-1);
    assert_eq!(attempt(&planned, 1, &changes).unwrap(), 1);
    assert_eq!(contents(&path, &numbers("t")).len(), 99);
}
