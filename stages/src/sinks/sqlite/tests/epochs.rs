//! The file itself: when it is made, and in which mode it is.

use vardelta_schemas::ledger::Snapshot;

use crate::sinks::sqlite::tests::*;

#[test]
fn a_missing_file_reads_as_epoch_0_and_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let mut sink = connect(&path, Access::Read).unwrap();
    assert_eq!(sink.ledger(PIPELINE).unwrap(), Snapshot::default());
    assert_eq!(sink.history(PIPELINE).unwrap(), []);
    drop(sink);
    assert!(!path.exists());
}

#[test]
fn a_file_is_in_write_ahead_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    assert_eq!(by_hand::query(&path, "pragma journal_mode"), ["'wal'"]);
}
