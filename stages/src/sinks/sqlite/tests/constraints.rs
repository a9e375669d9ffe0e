//! CHECK constraints: made, kept, found missing, and the rows that violate them.

use vardelta_schemas::sql::{
    condition::{Condition, Operator},
    constraint::{Constraint, Rule},
};

use crate::sinks::{
    shared::constraints::PlannedConstraint,
    sqlite::{PlannedSqlite, tests::*},
};

/// `number` of `t` is not negative.
pub(super) fn constrained(path: &Path, on_constraint: OnConstraint) -> PlannedSqlite {
    let number = Condition::Column("number".into());
    let check = Condition::Binary(number.into(), Operator::GreaterOrEqual, Condition::Number("0".into()).into());
    let constraint = Constraint { tag: "positive".into(), said: "number >= 0".into(), rule: Rule::Check(check) };
    let constraints = vec![PlannedConstraint { table: "t".into(), constraint }];
    PlannedSqlite { kept: Kept { constraints, ..Kept::default() }, on_constraint, ..planned(path) }
}

fn begun(planned: &PlannedSqlite, epoch: u64, replace: bool) -> Result<Box<dyn Sink>, SinkError> {
    let mut sink = planned.connect(Access::Write)?;
    sink.begin(&starting(PIPELINE, epoch - 1, &[numbers("t")], replace))?;
    Ok(sink)
}

fn load(planned: &PlannedSqlite, epoch: u64, replace: bool, changes: &[Change]) -> Result<(), SinkError> {
    let mut sink = begun(planned, epoch, replace)?;
    apply(sink.as_mut(), &numbers("t"), epoch, changes)?;
    sink.commit(&record(PIPELINE, epoch))
}

const GOOD: [Change; 2] = [(Op::Insert, "a", Some(1)), (Op::Insert, "c", None)];

#[test]
fn a_violation_names_row_and_constraint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let planned = constrained(&path, OnConstraint::Abort);
    let bad = [GOOD[0], (Op::Insert, "b", Some(-1)), GOOD[1]];
    let error = error_of(load(&planned, 1, false, &bad));
    assert_eq!(error.kind, SinkErrorKind::Value);
    assert!(error.message.contains("table `t`, name = 'b': constraint `number >= 0`: CHECK"), "{error}");
    assert_eq!(by_hand::dump(&path), [""; 0]);
    load(&planned, 1, false, &GOOD).unwrap();
    let error = error_of(load(&planned, 2, false, &[(Op::Update, "a", Some(-5))]));
    assert!(error.message.contains("name = 'a': constraint"), "{error}");
    assert_eq!(by_hand::query(&path, "select * from t"), ["'a'|1|1", "'c'|NULL|1"]);
}

#[test]
fn rows_that_are_refused_are_handed_over_and_the_rest_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let planned = constrained(&path, OnConstraint::Quarantine);
    load(&planned, 1, false, &GOOD).unwrap();
    let mut sink = begun(&planned, 2, false).unwrap();
    assert!(sink.quarantines());
    let changes =
        [(Op::Update, "a", Some(-7)), (Op::Insert, "b", Some(-1)), (Op::Update, "c", Some(3)), (Op::Insert, "d", None)];
    apply(sink.as_mut(), &numbers("t"), 2, &changes).unwrap();
    let offenders = sink.take_offenders();
    let name = |offender: &vardelta_engine::contract::sink::Offender| {
        offender.row.column(0).as_any().downcast_ref::<StringArray>().unwrap().value(0).to_owned()
    };
    assert_eq!(offenders.iter().map(name).collect::<Vec<_>>(), ["a", "b"]);
    assert!(offenders.iter().all(|offender| offender.message.contains("`number >= 0`") && offender.table == "t"));
    sink.rollback().unwrap();
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    apply(sink.as_mut(), &numbers("t"), 2, &changes[2..]).unwrap();
    assert!(sink.take_offenders().is_empty());
    sink.commit(&record(PIPELINE, 2)).unwrap();
    assert_eq!(by_hand::query(&path, "select * from t"), ["'a'|1|1", "'c'|3|2", "'d'|NULL|2"]);
}

#[test]
fn a_trigger_of_the_users_may_refuse_rows_but_not_end_the_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let planned = constrained(&path, OnConstraint::Quarantine);
    load(&planned, 1, false, &GOOD).unwrap();
    let trigger = |what: &str| {
        by_hand::run(
            &path,
            &format!(
                "drop trigger if exists mine; create trigger mine before insert on t when new.number = 13 begin select \
                 raise({what}, 'no thirteen'); end"
            ),
        );
    };
    let changes = [(Op::Insert, "m", Some(13)), (Op::Insert, "n", Some(14))];
    trigger("abort");
    let mut sink = begun(&planned, 2, false).unwrap();
    apply(sink.as_mut(), &numbers("t"), 2, &changes).unwrap();
    assert_eq!(sink.take_offenders().len(), 1);
    sink.rollback().unwrap();
    drop(sink);
    trigger("rollback");
    let before = by_hand::dump(&path);
    let mut sink = begun(&planned, 2, false).unwrap();
    let error = error_of(apply(sink.as_mut(), &numbers("t"), 2, &changes));
    assert!(error.message.contains("no thirteen"), "{error}");
    sink.rollback().unwrap();
    drop(sink);
    assert_eq!(by_hand::dump(&path), before, "nothing is written by itself");
}

#[test]
fn constraints_survive_a_rebuild_and_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let checked = constrained(&path, OnConstraint::Abort);
    load(&checked, 1, false, &GOOD).unwrap();
    load(&checked, 2, true, &GOOD).unwrap();
    let error = error_of(load(&checked, 3, false, &[(Op::Insert, "b", Some(-1))]));
    assert!(error.message.contains("constraint `number >= 0`"), "{error}");
    let unchecked = planned(&path);
    let error = error_of(load(&unchecked, 3, false, &[]));
    assert_eq!(error.kind, SinkErrorKind::Layout);
    assert!(error.message.contains("`vardelta_positive`, which the pipeline no longer declares"), "{error}");
    load(&unchecked, 3, true, &GOOD).unwrap();
    let error = error_of(load(&checked, 4, false, &[]));
    assert!(error.message.contains("it has no constraint `number >= 0`"), "{error}");
}
