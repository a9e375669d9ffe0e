//! Everything that can go wrong: the database must be as before, and the message must help.

use std::{fs, path::PathBuf};

use vardelta_schemas::ledger::Epoch;

use crate::sinks::sqlite::tests::*;

#[test]
fn a_connection_that_is_dropped_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
    apply(sink.as_mut(), &numbers("t"), 1, &[(Op::Insert, "a", Some(1))]).unwrap();
    drop(sink);
    assert_eq!(by_hand::dump(&path), [""; 0]);
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    let before = by_hand::dump(&path);
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 1, &[numbers("t"), numbers("u")], true)).unwrap();
    apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1))]).unwrap();
    drop(sink);
    assert_eq!(by_hand::dump(&path), before);
}

#[test]
fn a_full_disk_leaves_the_old_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    let before = by_hand::dump(&path);
    let table = numbers("t");
    let mut sink = super::super::SqliteSink::open(&path, OnDelete::Delete, Access::Write).unwrap();
    sink.limit_pages(40);
    sink.begin(&starting(PIPELINE, 1, std::slice::from_ref(&table), false)).unwrap();
    let names: Vec<String> = (0..100_000).map(|n| format!("n{n:06}")).collect();
    let new = RecordBatch::try_new(
        table.schema.to_arrow(),
        vec![
            Arc::new(StringArray::from_iter_values(&names)),
            Arc::new(Int64Array::from_iter_values(0..names.len() as i64)),
        ],
    )
    .unwrap();
    let old = RecordBatch::new_empty(new.schema());
    let changes = ChangeBatch { ops: vec![Op::Insert; names.len()], new, old };
    let error = error_of(sink.apply(&table, Epoch::new(2), &mut [Ok(changes)].into_iter()));
    assert_eq!(error.kind, SinkErrorKind::Unavailable);
    assert!(error.message.contains("no space left"), "{error}");
    assert!(error.message.contains(path.to_str().unwrap()), "{error}");
    // SQLite has rolled back by itself; that is no trouble.
    sink.rollback().unwrap();
    drop(sink);
    assert_eq!(by_hand::dump(&path), before);
}

#[test]
fn a_directory_that_is_missing_or_read_only_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = error_of(connect(&dir.path().join("no/such/x.sqlite"), Access::Write));
    assert!(error.message.contains("there is no directory"), "{error}");
    let error = error_of(connect(dir.path(), Access::Write));
    assert!(error.message.contains("cannot be opened"), "{error}");

    let locked = dir.path().join("locked");
    let file = locked.join("x.sqlite");
    fs::create_dir(&locked).unwrap();
    load(&file, 1, &[(Op::Insert, "a", Some(1))]);
    set_writable(&locked, &file, false);
    if fs::write(locked.join("probe"), "").is_ok() {
        vardelta_test_servers::skipped("a read-only directory", "this user may write to such");
    } else {
        let error = error_of(connect(&locked.join("new.sqlite"), Access::Write));
        assert_eq!(error.kind, SinkErrorKind::Unavailable);
        let error = error_of(connect(&file, Access::Write));
        assert!(error.message.contains("is read-only"), "{error}");
        // Reading works all the same.
        assert_eq!(contents(&file, &numbers("t")), [("a".into(), Some(1))]);
    }
    set_writable(&locked, &file, true);
}

fn set_writable(directory: &Path, file: &Path, writable: bool) {
    for path in [directory, file] {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(!writable);
        fs::set_permissions(path, permissions).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_file_can_be_made_the_path_is_named() {
    // Nobody makes files there, whatever their rights.
    let error = error_of(connect(Path::new("/proc/x.sqlite"), Access::Write));
    assert_eq!(error.kind, SinkErrorKind::Unavailable);
    assert!(error.message.contains("/proc/x.sqlite") && error.hint.is_some(), "{error}");
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let text = "##fileformat=VCFv4.3\n".repeat(100);
    fs::write(&path, &text).unwrap();
    for access in [Access::Read, Access::Write] {
        let error = error_of(connect(&path, access));
        assert_eq!(error.kind, SinkErrorKind::Unavailable);
        assert!(error.message.contains("is not a SQLite database"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let error = error_of(connect(&path, Access::Read).and_then(|mut sink| sink.ledger(PIPELINE)));
    assert_eq!(error.kind, SinkErrorKind::Unavailable);
    assert!(error.message.contains("is damaged"), "{error}");
}
