//! What can go wrong between state and tables: the database must be as before, and the message must help.

use vardelta_engine::contract::sink::{ChangeBatch, Op, SinkError, SinkErrorKind};
use vardelta_schemas::{Column, ColumnType, Schema, ledger::Epoch};

use crate::sinks::{shared::fixtures::*, tests::Db};

pub(crate) fn a_disagreement_with_the_state_is_an_error_at_that_key(db: &dyn Db) {
    db.load(1, &[(Op::Insert, "a", Some(1)), (Op::Insert, "b", Some(2))]);
    let before = db.dump();
    for (change, expected) in [
        ((Op::Insert, "b", Some(9)), "a row to insert is there already"),
        ((Op::Update, "x", Some(9)), "the row to update is not there"),
        ((Op::Delete, "x", Some(9)), "the row to delete is not there"),
    ] {
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        let error = error_of(apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Delete, "a", None), change]));
        sink.rollback().unwrap();
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains(&format!("disagree at name = '{}'", change.1)), "{error}");
        assert!(error.hint.unwrap().contains("vardelta verify"));
        assert_eq!(db.dump(), before);
    }
}

pub(crate) fn changes_that_do_not_fit_the_table_are_refused(db: &dyn Db) {
    let table = numbers("t");
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 0, std::slice::from_ref(&table), false)).unwrap();
    let changes = batch(&table, &[(Op::Insert, "a", Some(1))]);
    let mut other = numbers("t");
    other.schema =
        Schema::new(vec![Column::required("name", ColumnType::Text), Column::nullable("number", ColumnType::Text)]);
    let error = error_of(sink.apply(&other, Epoch::FIRST, &mut [Ok(changes.clone())].into_iter()));
    assert!(error.message.contains("`number` is Int64 instead of text"), "{error}");
    let short = ChangeBatch { ops: vec![Op::Insert; 2], ..changes };
    let error = error_of(sink.apply(&table, Epoch::FIRST, &mut [Ok(short)].into_iter()));
    assert!(error.message.contains("as many rows as they say"), "{error}");
    // What the engine reports in between comes back as it is.
    let own = SinkError::new(SinkErrorKind::Unavailable, "from the engine");
    assert_eq!(error_of(sink.apply(&table, Epoch::FIRST, &mut [Err(own)].into_iter())).message, "from the engine");
}
