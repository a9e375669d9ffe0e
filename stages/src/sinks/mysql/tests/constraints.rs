//! CHECK and FOREIGN KEY constraints: made, kept, found missing, and the rows that violate them.

use vardelta_engine::contract::sink::Part;
use vardelta_schemas::{
    ledger::Epoch,
    sql::{
        condition::{Condition, Operator},
        mysql::constraint::{Constraint, Rule},
    },
};

use crate::sinks::mysql::tests::*;

fn constraint(table: &str, tag: &str, rule: Rule) -> PlannedConstraint {
    let constraint = Constraint { tag: tag.into(), said: format!("{tag} as said"), rule };
    PlannedConstraint { table: table.into(), constraint }
}

/// `number` of a table is not negative.
pub(super) fn not_negative(table: &str) -> PlannedConstraint {
    let number = Condition::Column("number".into());
    let check = Condition::Binary(number.into(), Operator::GreaterOrEqual, Condition::Number("0".into()).into());
    constraint(table, "positive", Rule::Check(check))
}

/// `number` of the child `a` is not negative, and its name is one of the parent `z`'s.
fn constrained(mut db: Db) -> Db {
    let check = not_negative("a");
    let reference = Rule::Reference { columns: vec!["name".into()], table: "z".into(), to: vec!["name".into()] };
    db.settings.constraints = vec![check, constraint("a", "parent", reference)];
    db
}

fn tables() -> [TableSchema; 2] {
    [numbers("a"), numbers("z")]
}

/// Writes changes in the sink's own order, as the engine does.
fn write(sink: &mut dyn Sink, epoch: u64, changes: [&[Change]; 2]) -> Result<(), SinkError> {
    let tables = tables();
    for (at, part) in sink.order(&tables) {
        let batch = part.of(batch(&tables[at], changes[at])).unwrap();
        sink.apply(&tables[at], Epoch::new(epoch), &mut [Ok(batch)].into_iter())?;
    }
    Ok(())
}

fn load(db: &Db, epoch: u64, replace: bool, changes: [&[Change]; 2]) -> Result<(), SinkError> {
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, epoch - 1, &tables(), replace))?;
    write(sink.as_mut(), epoch, changes)?;
    sink.commit(&record(PIPELINE, epoch))?;
    sink.settle(PIPELINE, &tables())
}

const NAMES: &str = "select constraint_name from information_schema.table_constraints where table_schema = database() \
    and table_name = 'a' and constraint_type in ('CHECK', 'FOREIGN KEY') order by 1";

#[test]
fn parents_are_written_first_and_go_last() {
    on_each_path("parents_are_written_first_and_go_last", |db| {
        let db = constrained(db);
        let order = db.open().order(&tables());
        assert_eq!(order, [(1, Part::NewRows), (0, Part::All), (1, Part::OldRows)]);
        let x = [(Op::Insert, "x", Some(1))];
        load(&db, 1, false, [&x, &x]).unwrap();
        // One leaves both tables, another one comes into both, in one transaction.
        let swap = [(Op::Delete, "x", Some(1)), (Op::Insert, "y", Some(2))];
        load(&db, 2, false, [&swap, &swap]).unwrap();
        assert_eq!(db.query("select a.name from a join z using (name)"), ["y"]);
        let error = error_of(load(&db, 3, false, [&[], &[(Op::Delete, "y", Some(2))]]));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains("table `z`, name = 'y': "), "{error}");
        assert_eq!(db.query("select name from z"), ["y"]);
    });
}

#[test]
fn a_violation_names_row_and_constraint() {
    on_each_path("a_violation_names_row_and_constraint", |db| {
        let db = constrained(db);
        let names: Vec<&'static str> =
            (0..1_000).map(|at| -> &'static str { Box::leak(format!("n{at:04}").into_boxed_str()) }).collect();
        let good: Vec<Change> = names.iter().map(|name| (Op::Insert, *name, Some(1))).collect();
        let mut bad = good.clone();
        bad[617].2 = Some(-1);
        let error = error_of(load(&db, 1, false, [&bad, &good]));
        assert!(error.message.contains("table `a`, name = 'n0617': constraint `positive as said`: "), "{error}");
        let error = error_of(load(&db, 1, false, [&good, &good[1..]]));
        assert!(error.message.contains("table `a`, name = 'n0000': constraint `parent as said`: "), "{error}");
        assert_eq!(db.query("select count(*) from a"), ["0"]);
        load(&db, 1, false, [&good, &good]).unwrap();
    });
}

#[test]
fn constraints_survive_a_rebuild_and_are_missed() {
    on_each("constraints_survive_a_rebuild_and_are_missed", |db| {
        let db = constrained(db);
        let x = [(Op::Insert, "x", Some(1))];
        load(&db, 1, false, [&x, &x]).unwrap();
        assert_eq!(db.query(NAMES), ["vardelta_parent_a", "vardelta_positive_a"]);
        for (epoch, letter) in [(2, "b"), (3, "a")] {
            load(&db, epoch, true, [&x, &x]).unwrap();
            assert_eq!(db.query(NAMES), [format!("vardelta_parent_{letter}"), format!("vardelta_positive_{letter}")]);
        }
        assert_eq!(
            db.query(
                "select distinct referenced_table_name from information_schema.referential_constraints where \
                 constraint_schema = database()"
            ),
            ["z"]
        );
        assert_eq!(db.query("show tables like 'vardelta\\_old%'"), [""; 0]);
        let error = error_of(load(&db, 4, false, [&[(Op::Insert, "y", Some(1))], &[]]));
        assert!(error.message.contains("constraint `parent as said`"), "{error}");

        db.run(&["create table mine (name varchar(255) collate utf8mb4_bin)"]);
        db.run(&["alter table a drop constraint vardelta_positive_a"]);
        let error = error_of(load(&db, 4, false, [&[], &[]]));
        assert_eq!(error.kind, SinkErrorKind::Layout);
        assert!(error.message.contains("it has no constraint `positive as said`"), "{error}");
        load(&db, 4, true, [&x, &x]).unwrap();
        let mut other = Db { settings: db.settings.clone(), ..db };
        other.settings.constraints.truncate(1);
        let error = error_of(load(&other, 5, false, [&[], &[]]));
        assert!(error.message.contains("which the pipeline no longer declares"), "{error}");
    });
}

#[test]
fn a_foreign_key_of_somebody_elses_is_not_lost() {
    on_each("a_foreign_key_of_somebody_elses_is_not_lost", |db| {
        let x = [(Op::Insert, "x", Some(1))];
        load(&db, 1, false, [&x, &x]).unwrap();
        let collation = db.query(
            "select collation_name from information_schema.columns where table_schema = database() and table_name = 'z' \
             and column_name = 'name'",
        );
        let table = format!(
            "create table mine (name varchar(255) collate {}, foreign key (name) references z (name))",
            collation[0]
        );
        db.run(&[&table]);
        let before = db.dump();
        let error = error_of(load(&db, 2, true, [&x, &x]));
        assert!(error.message.contains("table `mine`"), "{error}");
        assert_eq!(db.dump(), before);
    });
}

/// The number of statements that the server has seen from a sink.
fn questions(sink: &mut super::super::MySqlSink) -> u64 {
    let found = by_hand::query(sink.conn(), "show session status like 'Questions'");
    found[0].rsplit('|').next().unwrap().parse().unwrap()
}

#[test]
fn offenders_are_singled_out_by_halving() {
    on_each_path("offenders_are_singled_out_by_halving", |db| {
        let mut db = constrained(db);
        db.settings.on_constraint = OnConstraint::Quarantine;
        let names: Vec<&'static str> =
            (0..10_000).map(|at| -> &'static str { Box::leak(format!("n{at:05}").into_boxed_str()) }).collect();
        let changes: Vec<Change> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (Op::Insert, *name, Some(if at % 100 == 7 { -1 } else { 1 })))
            .collect();
        let mut sink = super::super::MySqlSink::open(&db.settings, Access::Write).unwrap();
        sink.begin(&starting(PIPELINE, 0, &tables(), false)).unwrap();
        assert!(sink.quarantines());
        let before = questions(&mut sink);
        write(&mut sink, 1, [&changes, &changes]).unwrap();
        let statements = questions(&mut sink) - before;
        let offenders = sink.take_offenders();
        assert_eq!(offenders.len(), 100);
        assert!(
            offenders.iter().all(|offender| offender.table == "a" && offender.message.contains("positive as said"))
        );
        let name = |at: usize| {
            let column = offenders[at].row.column(0).as_any().downcast_ref::<StringArray>().unwrap();
            column.value(0).to_owned()
        };
        assert_eq!((name(0), name(99)), ("n00007".into(), "n09907".into()));
        // 100 offenders, some 14 halvings each, two statements and their savepoints, prepared ones twice: far from 10,000 rows.
        assert!(statements < 100 * 14 * 2 * 4, "{statements} statements");
        sink.rollback().unwrap();
    });
}

#[test]
fn values_of_a_tampered_table_are_singled_out() {
    on_each_path("values_of_a_tampered_table_are_singled_out", |mut db| {
        db.settings.on_constraint = OnConstraint::Quarantine;
        for (column, bad) in [
            ("number bigint not null", [("b", None), ("d", None)]),
            ("number tinyint", [("b", Some(1_000)), ("d", Some(-1_000))]),
            ("name varchar(3)", [("bbbb", Some(1)), ("dddd", Some(1))]),
        ] {
            let mut sink = db.open();
            sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
            db.run(&[&format!("alter table t modify {column}")]);
            let [first, second] = bad.map(|(name, number)| (Op::Insert, name, number));
            let good = |name| (Op::Insert, name, Some(1));
            apply(sink.as_mut(), &numbers("t"), 1, &[good("a"), first, good("c"), second, good("e")]).unwrap();
            assert_eq!(sink.take_offenders().len(), 2, "{column}");
            sink.rollback().unwrap();
            drop(sink);
            db.run(&["drop table t", "delete from vardelta_tables"]);
        }
    });
}
