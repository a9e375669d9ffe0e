//! Rows that are larger than the server takes in one statement.

use mysql::prelude::Queryable;
use vardelta_test_servers::{Flavor, Options, private};

use crate::sinks::mysql::tests::*;

/// Bytes that the server takes.
const PACKET_BYTES: usize = 1 << 20;

/// A server of its own: the limit is that of all its clients.
#[test]
fn rows_that_are_larger_than_a_statement() {
    let test = "rows_that_are_larger_than_a_statement";
    for flavor in Flavor::ALL {
        let options = Options { arguments: vec![format!("--max-allowed-packet={PACKET_BYTES}")], ..Options::default() };
        let Some(server) = private(test, flavor, &options) else { continue };
        // It ends with this process.
        let server: &'static Server = Box::leak(Box::new(server));
        let db = || Db::new(server, &server.new_database());
        for db in [db(), db().by_insert()] {
            what_could_not_leave_again_does_not_go_in(&db);
        }
        for db in [db(), db().by_insert()] {
            what_went_in_under_a_higher_limit_is_read_and_goes(&db);
        }
    }
}

fn set_limit(db: &Db, bytes: usize) {
    db.server.root().query_drop(format!("set global max_allowed_packet = {bytes}")).unwrap();
}

/// A name of this many bytes.
fn name(bytes: usize) -> &'static str {
    Box::leak("x".repeat(bytes).into_boxed_str())
}

fn what_could_not_leave_again_does_not_go_in(db: &Db) {
    db.load(1, &[(Op::Insert, "a", Some(1)), (Op::Insert, name(PACKET_BYTES - 8_000), Some(1))]);
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    let changes = [(Op::Insert, "b", Some(1)), (Op::Insert, name(PACKET_BYTES + 10), Some(2))];
    let error = error_of(apply(sink.as_mut(), &numbers("t"), 2, &changes));
    assert_eq!(error.kind, SinkErrorKind::Value, "{error}");
    assert!(error.message.contains("column `name`: the row has") && error.message.len() < 2_000, "{error}");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("max_allowed_packet")), "{error}");
    sink.rollback().unwrap();
    assert_eq!(db.contents(&numbers("t")).len(), 2);
    // Just under the limit rows come and go as any other.
    db.load(2, &[(Op::Update, name(PACKET_BYTES - 8_000), Some(3))]);
    db.load(3, &[(Op::Delete, name(PACKET_BYTES - 8_000), Some(3))]);
    assert_eq!(db.contents(&numbers("t")), [("a".to_owned(), Some(1))]);
}

fn what_went_in_under_a_higher_limit_is_read_and_goes(db: &Db) {
    let large = name(3 * PACKET_BYTES);
    let other = Box::leak(format!("{large}y").into_boxed_str());
    set_limit(db, 16 * PACKET_BYTES);
    db.load(1, &[(Op::Insert, "a", Some(1)), (Op::Insert, large, Some(2)), (Op::Insert, other, Some(3))]);
    set_limit(db, PACKET_BYTES);
    let rows = db.contents(&numbers("t"));
    assert_eq!(rows.iter().map(|(name, _)| name.len()).collect::<Vec<_>>(), [1, large.len(), other.len()]);
    db.load(2, &[(Op::Delete, large, Some(2)), (Op::Insert, "b", Some(1))]);
    let left: Vec<usize> = db.contents(&numbers("t")).iter().map(|(name, _)| name.len()).collect();
    assert_eq!(left, [1, 1, other.len()], "the other one stays");
    db.load(3, &[(Op::Delete, other, Some(3))]);
    assert_eq!(db.contents(&numbers("t")).len(), 2);
}
