//! The life of epochs: what is written, what the ledger says, who may write.

use std::time::Duration;

use vardelta_engine::contract::sink::{Access, DetailLimits, Op, SinkErrorKind};
use vardelta_schemas::ledger::{
    DropId, DropRow, Epoch, EpochDetails, EpochRecord, FirstPlace, LookupRow, RejectCount, RejectRow, SetAsideRow,
    Snapshot, TableCounts, WarningRow,
};

use crate::sinks::{shared::fixtures::*, tests::Db};

pub(crate) fn an_empty_database_reads_as_epoch_0_and_stays_empty(db: &dyn Db) {
    for access in [Access::Read, Access::Write] {
        let mut sink = db.connect(access).unwrap();
        assert_eq!(sink.ledger(PIPELINE).unwrap(), Snapshot::default());
        assert_eq!(sink.history(PIPELINE).unwrap(), []);
        let limits = DetailLimits { rejects_each: 1, warnings: 1 };
        assert_eq!(sink.epoch_details(PIPELINE, Epoch::FIRST, limits).unwrap(), EpochDetails::default());
        assert_eq!(sink.lookup_counts(PIPELINE).unwrap(), []);
        sink.settle(PIPELINE, &[]).unwrap();
    }
    assert_eq!(db.dump(), [""; 0]);
    assert!(
        error_of(db.connect(Access::Read).unwrap().begin(&starting(PIPELINE, 0, &[numbers("t")], false))).message.len()
            > 10
    );
    assert_eq!(db.dump(), [""; 0]);
}

pub(crate) fn rows_are_inserted_updated_deleted_and_left_alone(db: &dyn Db) {
    db.load(1, &[(Op::Insert, "a", Some(1)), (Op::Insert, "b", None), (Op::Insert, "c", Some(3))]);
    db.load(2, &[(Op::Update, "a", None), (Op::Delete, "b", None), (Op::Insert, "d", Some(i64::MAX))]);
    let found = db.query("select * from t order by name");
    let [a, c, d] = ["a", "c", "d"].map(|name| db.text(name));
    assert_eq!(found, [format!("{a}|NULL|2"), format!("{c}|3|1"), format!("{d}|{}|2", i64::MAX)]);
    assert_eq!(db.contents(&numbers("t")), [("a".into(), None), ("c".into(), Some(3)), ("d".into(), Some(i64::MAX))]);
}

pub(crate) fn names_are_told_apart_byte_by_byte(db: &dyn Db) {
    let names = ["", " ", "A", "A ", "a", "a\t", "a ", "á", "ä", "ß", "ss", "é", "e\u{301}", "𝔊"];
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let changes: Vec<Change> = sorted.iter().map(|name| (Op::Insert, *name, Some(1))).collect();
    db.load(1, &changes);
    let found: Vec<String> = db.contents(&numbers("t")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, sorted);
    let changes: Vec<Change> = sorted.iter().map(|name| (Op::Delete, *name, Some(1))).collect();
    db.load(2, &changes[..7]);
    assert_eq!(db.contents(&numbers("t")).len(), sorted.len() - 7);
}

pub(crate) fn the_ledger_keeps_drops_events_rejects_and_counts(db: &dyn Db) {
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
    let reject = RejectRow {
        drop_id: Some(DropId::new(1)),
        drop_name: Some("one".into()),
        stage: "calls".into(),
        line: Some(7),
        contig: Some("chr1".into()),
        pos: Some(-1),
        reason: "bad_position".into(),
        detail: "it's \"odd\"".into(),
        raw: Some("chr1\t-1\0".into()),
    };
    let after_a_table = RejectRow { stage: "s".into(), reason: "r".into(), ..RejectRow::default() };
    sink.rejects(PIPELINE, Epoch::FIRST, &[reject.clone(), after_a_table.clone()]).unwrap();
    let mut first = record(PIPELINE, 1);
    let warning = |reason: &str, count| WarningRow { reason: reason.into(), count, ..WarningRow::default() };
    let place = FirstPlace { line: None, contig: Some("chr1".into()), pos: Some(-1) };
    let placed =
        WarningRow { drop: Some("one".into()), drop_id: Some(DropId::new(1)), first: Some(place), ..warning("b", 3) };
    first.warnings = vec![warning("a", 1), placed.clone(), warning("c", 2)];
    let waits = |key: &str| LookupRow {
        stage: "asked".into(),
        key: key.into(),
        status: "waiting".into(),
        attempts: 1,
        last_error: Some("refused".into()),
        ..LookupRow::default()
    };
    first.lookups.put = vec![waits("a"), waits("b"), LookupRow { status: "found".into(), ..waits("c") }];
    first.upserted_drops = vec![drop_row(2, "two", 1), drop_row(1, "one", 1)];
    first.events = vec![event(1, Some(1), "one", "added"), event(1, Some(2), "two", "added")];
    first.tables = vec![TableCounts { name: "t".into(), inserted: 1, ..TableCounts::default() }];
    sink.commit(&first).unwrap();
    assert_eq!(
        sink.ledger(PIPELINE).unwrap(),
        Snapshot {
            epoch: Epoch::FIRST,
            identity: Some(identity(1)),
            pipeline_identity: Some(pipeline_identity(PIPELINE)),
            last_drop_id: DropId::new(2),
            definition: "{\"epoch\":1}".into(),
            drops: vec![drop_row(1, "one", 1), drop_row(2, "two", 1)],
            tables: first.tables,
            withdrawn_members: Vec::new(),
        }
    );

    // The second epoch replaces one drop and withdraws the other, whose name then passes to a new drop.
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    let mut second = record(PIPELINE, 2);
    let replaced = DropRow { loaded_epoch: Epoch::new(2), counts: counts(20), ..drop_row(2, "two", 1) };
    second.upserted_drops = vec![replaced.clone(), drop_row(3, "one", 2)];
    second.withdrawn_drops = vec![DropId::new(1)];
    second.events = vec![
        event(2, Some(1), "one", "withdrawn"),
        event(2, Some(2), "two", "replaced"),
        event(2, Some(3), "one", "added"),
        event(2, None, "", "rebuilt"),
    ];
    sink.commit(&second).unwrap();
    drop(sink);
    let mut reader = db.connect(Access::Read).unwrap();
    assert_eq!(reader.ledger(PIPELINE).unwrap().drops, [replaced, drop_row(3, "one", 2)]);
    assert_eq!(reader.history(PIPELINE).unwrap(), [first.events, second.events].concat());
    let limits = DetailLimits { rejects_each: 1, warnings: 2 };
    let of = |stage: &str, reason: &str| RejectCount { stage: stage.into(), reason: reason.into(), count: 1 };
    assert_eq!(
        reader.epoch_details(PIPELINE, Epoch::FIRST, limits).unwrap(),
        EpochDetails {
            rejects: vec![of("calls", "bad_position"), of("s", "r")],
            first_rejects: vec![reject, after_a_table],
            warning_rows: 3,
            warnings: vec![placed, warning("c", 2)],
        }
    );
    assert_eq!(reader.epoch_details(PIPELINE, Epoch::new(2), limits).unwrap(), EpochDetails::default());
    assert_eq!(reader.epoch_details("other", Epoch::FIRST, limits).unwrap(), EpochDetails::default());
    let counts = reader.lookup_counts(PIPELINE).unwrap();
    let counts: Vec<_> = counts.iter().map(|one| (one.status.as_str(), one.count)).collect();
    assert_eq!(counts, [("found", 1), ("waiting", 2)]);
    drop(reader);
    let t = |text| db.text(text);
    assert_eq!(
        db.query("select * from vardelta_rejects order by reject_id"),
        [
            format!(
                "1|{}|1|1|{}|{}|7|{}|-1|{}|{}|{}",
                t("p"),
                t("one"),
                t("calls"),
                t("chr1"),
                t("bad_position"),
                t("it's \"odd\""),
                t("chr1\t-1\0")
            ),
            format!("2|{}|1|NULL|NULL|{}|NULL|NULL|NULL|{}|{}|NULL", t("p"), t("s"), t("r"), t(""))
        ]
    );
    assert_eq!(
        db.query("select epoch, table_counts from vardelta_epochs"),
        [
            format!("1|{}", t("[{\"name\":\"t\",\"inserted\":1,\"updated\":0,\"deleted\":0,\"unchanged\":0}]")),
            format!("2|{}", t("[]"))
        ]
    );
}

pub(crate) fn pipelines_share_a_database_and_not_their_tables(db: &dyn Db) {
    db.load(1, &[(Op::Insert, "a", Some(1))]);
    db.load(2, &[(Op::Insert, "b", Some(1))]);
    let mut sink = db.open();
    sink.begin(&starting("q", 0, &[numbers("u")], false)).unwrap();
    // Both may be at work at the same time, where the database has room for two writers.
    let epoch = if db.has_room_for_two_writers() { 3 } else { 2 };
    if epoch == 3 {
        db.load(3, &[(Op::Insert, "c", Some(1))]);
    }
    apply(sink.as_mut(), &numbers("u"), 1, &[(Op::Insert, "a", Some(9))]).unwrap();
    sink.commit(&record("q", 1)).unwrap();
    assert_eq!(
        (sink.ledger(PIPELINE).unwrap().epoch, sink.ledger("q").unwrap().epoch),
        (Epoch::new(epoch), Epoch::FIRST)
    );
    for taken in db.spellings_of_t() {
        let error = error_of(sink.begin(&starting("q", 1, &[numbers(taken)], false)));
        assert_eq!(error.kind, SinkErrorKind::Layout);
        assert!(error.message.contains("belongs to pipeline `p`"), "{error}");
    }
    // A rebuild of one pipeline leaves the other's tables alone.
    sink.begin(&starting("q", 1, &[numbers("u")], true)).unwrap();
    sink.commit(&record("q", 2)).unwrap();
    sink.settle("q", &[numbers("u")]).unwrap();
    assert_eq!(db.contents(&numbers("u")), []);
    assert_eq!(db.contents(&numbers("t")).len() as u64, epoch);
}

pub(crate) fn a_second_run_is_told_that_the_first_holds_the_lock(db: &dyn Db) {
    // A new database and one that has been written to may lock by different means.
    for epoch in [0, 2] {
        if epoch == 2 {
            assert_eq!(db.open().ledger(PIPELINE).unwrap().epoch, Epoch::new(2));
        }
        let (mut first, mut second) = (db.open(), db.open());
        first.begin(&starting(PIPELINE, epoch, &[numbers("t")], false)).unwrap();
        let start = std::time::Instant::now();
        let error = error_of(second.begin(&starting(PIPELINE, epoch, &[numbers("t")], false)));
        assert!(start.elapsed() < Duration::from_secs(4));
        assert_eq!(error.kind, SinkErrorKind::Locked);
        assert!(error.message.contains(&db.place()), "{error}");
        // Once the first is done, the second learns that its view of the ledger is old.
        first.commit(&record(PIPELINE, epoch + 1)).unwrap();
        drop(first);
        let error = error_of(second.begin(&starting(PIPELINE, epoch, &[numbers("t")], false)));
        assert_eq!(error.kind, SinkErrorKind::Stale);
        assert!(error.message.contains(&format!("at epoch {}, not {epoch}", epoch + 1)), "{error}");
        second.begin(&starting(PIPELINE, epoch + 1, &[numbers("t")], false)).unwrap();
        second.commit(&record(PIPELINE, epoch + 2)).unwrap();
    }
}

pub(crate) fn readers_do_not_wait_for_a_run_and_see_nothing_of_it(db: &dyn Db) {
    db.load(1, &[(Op::Insert, "a", Some(1))]);
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Delete, "a", Some(1)), (Op::Insert, "b", Some(1))]).unwrap();
    assert_eq!(db.contents(&numbers("t")), [("a".into(), Some(1))]);
    assert_eq!(db.connect(Access::Read).unwrap().ledger(PIPELINE).unwrap().epoch, Epoch::FIRST);
    sink.commit(&record(PIPELINE, 2)).unwrap();
    assert_eq!(db.contents(&numbers("t")), [("b".into(), Some(1))]);
}

pub(crate) fn only_the_next_epoch_can_be_committed(db: &dyn Db) {
    let mut sink = db.open();
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

pub(crate) fn a_definition_is_kept_with_the_epoch_that_brought_it_alone(db: &dyn Db) {
    let definitions = ["{\"a\":1}", "{\"a\":1}", "{\"a\":1}", "{}", "{}", "{\"a\":1}"];
    let mut sink = db.open();
    for (epoch, definition) in (1..).zip(definitions) {
        sink.begin(&starting(PIPELINE, epoch - 1, &[], false)).unwrap();
        sink.commit(&EpochRecord { definition: definition.into(), ..record(PIPELINE, epoch) }).unwrap();
        assert_eq!(sink.ledger(PIPELINE).unwrap().definition, definition);
        assert_eq!(db.connect(Access::Read).unwrap().ledger(PIPELINE).unwrap().definition, definition);
    }
    // Another pipeline's is another one's.
    sink.begin(&starting("another", 0, &[], false)).unwrap();
    sink.commit(&EpochRecord { definition: definitions[5].into(), ..record("another", 1) }).unwrap();
    let kept = |pipeline: &str| {
        let query = "select definition from vardelta_epochs where pipeline";
        db.query(&format!("{query} = '{pipeline}' order by epoch"))
    };
    let expected = ["{\"a\":1}", "", "", "{}", "", "{\"a\":1}"].map(|text| db.text(text));
    assert_eq!(kept(PIPELINE), expected);
    assert_eq!(kept("another"), [db.text(definitions[5])]);
}

pub(crate) fn a_digest_is_refreshed_outside_of_epochs(db: &dyn Db) {
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 0, &[], false)).unwrap();
    sink.commit(&EpochRecord { upserted_drops: vec![drop_row(5, "five", 1)], ..record(PIPELINE, 1) }).unwrap();
    for _ in 0..2 {
        sink.refresh_delivery(PIPELINE, DropId::new(5), "new", "/new/path").unwrap();
    }
    assert_eq!(
        error_of(sink.refresh_delivery(PIPELINE, DropId::new(6), "new", "/new/path")).kind,
        SinkErrorKind::Stale
    );
    drop(sink);
    let ledger = db.connect(Access::Read).unwrap().ledger(PIPELINE).unwrap();
    assert_eq!(
        ledger,
        Snapshot {
            epoch: Epoch::FIRST,
            identity: Some(identity(1)),
            pipeline_identity: Some(pipeline_identity(PIPELINE)),
            last_drop_id: DropId::new(5),
            definition: "{\"epoch\":1}".into(),
            drops: vec![DropRow { bytes_digest: "new".into(), path: "/new/path".into(), ..drop_row(5, "five", 1) }],
            tables: Vec::new(),
            withdrawn_members: Vec::new(),
        }
    );
}

pub(crate) fn files_are_set_aside_outside_of_epochs(db: &dyn Db) {
    let row = |source: &str, path: &str, attempts: u64| SetAsideRow {
        source: source.into(),
        path: path.into(),
        drop: "d'\u{1f9ec}".into(),
        stamp: "1 2.3 4.5 6".into(),
        attempts,
        kind: "input".into(),
        reason: "cut off\n  - here".into(),
        since: "2026-01-01T00:00:00Z".into(),
        next_try: "2026-01-01T00:00:30Z".into(),
    };
    let kept = || {
        let mut rows = db.connect(Access::Read).unwrap().set_aside(PIPELINE).unwrap();
        rows.sort_by(|a, b| (&a.source, &a.path).cmp(&(&b.source, &b.path)));
        rows
    };
    let at = |source: &str, path: &str| (source.to_owned(), path.to_owned());
    let mut sink = db.open();
    // Before there is any ledger: a first drop may be the one that is bad.
    let long = "p/".repeat(2_000);
    sink.note_set_aside(PIPELINE, &[row("a", &long, 1), row("b", &long, 1), row("a", "P", 1), row("a", "p", 1)], &[])
        .unwrap();
    sink.note_set_aside("another", &[row("a", "p", 9)], &[]).unwrap();
    assert_eq!(kept(), [row("a", "P", 1), row("a", "p", 1), row("a", &long, 1), row("b", &long, 1)]);
    assert_eq!(
        db.connect(Access::Read).unwrap().ledger(PIPELINE).unwrap(),
        Snapshot::default(),
        "no epoch comes of it"
    );
    db.load(1, &[(Op::Insert, "a", Some(1))]);
    sink.note_set_aside(PIPELINE, &[row("a", "p", 2)], &[at("a", "P"), at("a", &long), at("c", "p")]).unwrap();
    assert_eq!(kept(), [row("a", "p", 2), row("b", &long, 1)]);
    sink.note_set_aside(PIPELINE, &[], &[at("a", "p"), at("b", &long)]).unwrap();
    assert_eq!(kept(), []);
    assert_eq!(db.connect(Access::Read).unwrap().set_aside("another").unwrap(), [row("a", "p", 9)]);
}
