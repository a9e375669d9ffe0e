//! The life of epochs: what is written, what the ledger says, who may write.

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
fn rows_are_inserted_updated_deleted_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1)), (Op::Insert, "b", None), (Op::Insert, "c", Some(3))]);
    load(&path, 2, &[(Op::Update, "a", None), (Op::Delete, "b", None), (Op::Insert, "d", Some(i64::MAX))]);
    let found = by_hand::query(&path, "select * from t order by name");
    assert_eq!(found, ["'a'|NULL|2", "'c'|3|1", &format!("'d'|{}|2", i64::MAX)]);
    assert_eq!(by_hand::query(&path, "pragma journal_mode"), ["'wal'"]);
    assert_eq!(
        contents(&path, &numbers("t")),
        [("a".into(), None), ("c".into(), Some(3)), ("d".into(), Some(i64::MAX))]
    );
}

#[test]
fn the_ledger_keeps_drops_events_rejects_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
    let reject = RejectRow {
        drop_id: Some(1),
        drop_name: Some("one".into()),
        stage: "calls".into(),
        line: Some(7),
        contig: Some("chr1".into()),
        pos: Some(-1),
        reason: "bad_position".into(),
        detail: "it's \"odd\"".into(),
        raw: Some("chr1\t-1\0".into()),
    };
    let behind_a_table = RejectRow { stage: "s".into(), reason: "r".into(), ..RejectRow::default() };
    sink.rejects(PIPELINE, 1, &[reject, behind_a_table]).unwrap();
    let mut first = record(PIPELINE, 1);
    first.upserted_drops = vec![drop_row(2, "two", 1), drop_row(1, "one", 1)];
    first.events = vec![event(1, Some(1), "one", "added"), event(1, Some(2), "two", "added")];
    first.tables = vec![TableCounts { name: "t".into(), inserted: 1, ..TableCounts::default() }];
    sink.commit(&first).unwrap();
    assert_eq!(
        sink.ledger(PIPELINE).unwrap(),
        Snapshot {
            epoch: 1,
            identity: Some(identity(1)),
            pipeline_identity: Some(pipeline_identity(PIPELINE)),
            last_drop_id: 2,
            definition: "{\"epoch\":1}".into(),
            drops: vec![drop_row(1, "one", 1), drop_row(2, "two", 1)],
            tables: first.tables,
            withdrawn_members: Vec::new(),
        }
    );

    // The second epoch replaces one drop and withdraws the other, whose name then passes to a new drop.
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    let mut second = record(PIPELINE, 2);
    let replaced = DropRow { loaded_epoch: 2, counts: counts(20), ..drop_row(2, "two", 1) };
    second.upserted_drops = vec![replaced.clone(), drop_row(3, "one", 2)];
    second.withdrawn_drops = vec![1];
    second.events = vec![
        event(2, Some(1), "one", "withdrawn"),
        event(2, Some(2), "two", "replaced"),
        event(2, Some(3), "one", "added"),
        event(2, None, "", "rebuilt"),
    ];
    sink.commit(&second).unwrap();
    drop(sink);
    let mut reader = connect(&path, Access::Read).unwrap();
    assert_eq!(reader.ledger(PIPELINE).unwrap().drops, [replaced, drop_row(3, "one", 2)]);
    assert_eq!(reader.history(PIPELINE).unwrap(), [first.events, second.events].concat());
    drop(reader);
    assert_eq!(
        by_hand::query(&path, "select * from vardelta_rejects"),
        [
            "1|'p'|1|1|'one'|'calls'|7|'chr1'|-1|'bad_position'|'it's \"odd\"'|'chr1\t-1\0'",
            "2|'p'|1|NULL|NULL|'s'|NULL|NULL|NULL|'r'|''|NULL"
        ]
    );
    assert_eq!(
        by_hand::query(&path, "select epoch, table_counts from vardelta_epochs"),
        ["1|'[{\"name\":\"t\",\"inserted\":1,\"updated\":0,\"deleted\":0,\"unchanged\":0}]'", "2|'[]'"]
    );
}

#[test]
fn pipelines_share_a_file_and_not_their_tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    load(&path, 2, &[(Op::Insert, "b", Some(1))]);
    let mut sink = open(&path);
    sink.begin(&starting("q", 0, &[numbers("u")], false)).unwrap();
    apply(sink.as_mut(), &numbers("u"), 1, &[(Op::Insert, "a", Some(9))]).unwrap();
    sink.commit(&record("q", 1)).unwrap();
    assert_eq!((sink.ledger(PIPELINE).unwrap().epoch, sink.ledger("q").unwrap().epoch), (2, 1));
    let error = error_of(sink.begin(&starting("q", 1, &[numbers("T")], false)));
    assert_eq!(error.kind, SinkErrorKind::Layout);
    assert!(error.message.contains("belongs to pipeline `p`"), "{error}");
    // A rebuild of one pipeline leaves the other's tables alone.
    sink.begin(&starting("q", 1, &[numbers("u")], true)).unwrap();
    sink.commit(&record("q", 2)).unwrap();
    assert_eq!(contents(&path, &numbers("u")), []);
    assert_eq!(contents(&path, &numbers("t")).len(), 2);
}

#[test]
fn a_second_run_is_told_that_the_first_holds_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    // A new file and one in write-ahead mode lock by different means.
    for existing in [false, true] {
        let path = dir.path().join(format!("{existing}.sqlite"));
        let epoch = u64::from(existing);
        if existing {
            load(&path, 1, &[]);
        }
        let (mut first, mut second) = (open(&path), open(&path));
        first.begin(&starting(PIPELINE, epoch, &[numbers("t")], false)).unwrap();
        let start = std::time::Instant::now();
        let error = error_of(second.begin(&starting(PIPELINE, epoch, &[numbers("t")], false)));
        assert!(start.elapsed() < std::time::Duration::from_secs(4));
        assert_eq!(error.kind, SinkErrorKind::Locked);
        assert!(error.message.contains(path.to_str().unwrap()), "{error}");
        // Once the first is done, the second is told that its view of the ledger is old.
        first.commit(&record(PIPELINE, epoch + 1)).unwrap();
        drop(first);
        let error = error_of(second.begin(&starting(PIPELINE, epoch, &[numbers("t")], false)));
        assert_eq!(error.kind, SinkErrorKind::Stale);
        assert!(error.message.contains(&format!("at epoch {}, not {epoch}", epoch + 1)), "{error}");
        second.begin(&starting(PIPELINE, epoch + 1, &[numbers("t")], false)).unwrap();
        second.commit(&record(PIPELINE, epoch + 2)).unwrap();
    }
}

#[test]
fn readers_do_not_wait_for_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Delete, "a", Some(1))]).unwrap();
    assert_eq!(contents(&path, &numbers("t")), [("a".into(), Some(1))]);
    assert_eq!(connect(&path, Access::Read).unwrap().ledger(PIPELINE).unwrap().epoch, 1);
    sink.commit(&record(PIPELINE, 2)).unwrap();
    assert_eq!(contents(&path, &numbers("t")), []);
}

#[test]
fn only_the_next_epoch_can_be_committed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let mut sink = open(&path);
    for wrong in [record(PIPELINE, 0), record(PIPELINE, 2), record("q", 1)] {
        sink.begin(&starting(PIPELINE, 0, &[], false)).unwrap();
        assert_eq!(error_of(sink.commit(&wrong)).kind, SinkErrorKind::Stale);
        sink.rollback().unwrap();
    }
    assert!(sink.commit(&record(PIPELINE, 1)).is_err(), "no transaction is open");
    assert!(apply(sink.as_mut(), &numbers("t"), 1, &[]).is_err(), "no transaction is open");
    sink.begin(&starting(PIPELINE, 0, &[], false)).unwrap();
    assert!(sink.begin(&starting(PIPELINE, 0, &[], false)).is_err(), "a transaction is open");
}

#[test]
fn a_digest_is_refreshed_outside_of_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 0, &[], false)).unwrap();
    sink.commit(&EpochRecord { upserted_drops: vec![drop_row(5, "five", 1)], ..record(PIPELINE, 1) }).unwrap();
    sink.refresh_delivery(PIPELINE, 5, "new", "/new/path").unwrap();
    assert_eq!(error_of(sink.refresh_delivery(PIPELINE, 6, "new", "/new/path")).kind, SinkErrorKind::Stale);
    drop(sink);
    let ledger = connect(&path, Access::Read).unwrap().ledger(PIPELINE).unwrap();
    assert_eq!(
        ledger,
        Snapshot {
            epoch: 1,
            identity: Some(identity(1)),
            pipeline_identity: Some(pipeline_identity(PIPELINE)),
            last_drop_id: 5,
            definition: "{\"epoch\":1}".into(),
            drops: vec![DropRow { bytes_digest: "new".into(), path: "/new/path".into(), ..drop_row(5, "five", 1) }],
            tables: Vec::new(),
            withdrawn_members: Vec::new(),
        }
    );
}
