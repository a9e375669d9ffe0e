//! Connections and servers that go away.

use mysql::prelude::Queryable;
use vardelta_schemas::ledger::Epoch;
use vardelta_test_servers::{Flavor, Options, private};

use crate::sinks::mysql::tests::*;

/// Ends every connection of the sink's user.
fn cut(db: &Db) {
    let mut root = db.server.root_in(&db.name);
    let ids: Vec<u64> = root
        .exec("select id from information_schema.processlist where db = ? and id <> connection_id()", (&db.name,))
        .unwrap();
    for id in ids {
        let _ = root.query_drop(format!("kill {id}"));
    }
}

#[test]
fn a_connection_that_is_cut_recovers_and_nothing_is_doubled() {
    on_each_path("a_connection_that_is_cut_recovers_and_nothing_is_doubled", |db| {
        db.load(1, &[(Op::Insert, "a", Some(1))]);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1))]).unwrap();
        cut(&db);
        let error = error_of(apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "c", Some(1))]));
        assert_eq!(error.kind, SinkErrorKind::ConnectionLost, "{error}");
        // Until it has recovered nothing works, and nothing is guessed.
        assert_eq!(error_of(sink.ledger(PIPELINE)).kind, SinkErrorKind::ConnectionLost);
        assert_eq!(sink.recover(PIPELINE).unwrap().epoch, Epoch::FIRST);
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1)), (Op::Insert, "c", Some(1))]).unwrap();
        cut(&db);
        assert_eq!(error_of(sink.commit(&record(PIPELINE, 2))).kind, SinkErrorKind::ConnectionLost);
        assert_eq!(sink.recover(PIPELINE).unwrap().epoch, Epoch::FIRST);
        assert_eq!(db.query("select * from t"), ["a|1|1"]);
    });
}

#[test]
fn recovery_waits_for_the_lost_session_and_takes_its_lock() {
    on_each("recovery_waits_for_the_lost_session_and_takes_its_lock", |db| {
        db.load(1, &[(Op::Insert, "a", Some(1))]);
        // A session that the client has lost and the server has not: here it lives in another sink.
        let mut ghost = db.open();
        ghost.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(ghost.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1))]).unwrap();
        let id: u64 = db.query("select is_used_lock(concat('vardelta:', 'x')) is null")[0].parse().unwrap();
        assert_eq!(id, 1, "names of locks do not collide");
        let mut sink = super::super::MySqlSink::open(&db.settings, Access::Write).unwrap();
        let holder: u64 = db
            .query(&format!("select id from information_schema.processlist where db = '{}' and id <> connection_id() order by id limit 1", db.name))[0]
            .parse()
            .unwrap();
        sink.pretend_lost(holder);
        assert_eq!(sink.recover(PIPELINE).unwrap().epoch, Epoch::FIRST);
        // The ghost cannot commit any more.
        assert_eq!(error_of(ghost.commit(&record(PIPELINE, 2))).kind, SinkErrorKind::ConnectionLost);
        assert_eq!(db.query("select * from t"), ["a|1|1"]);
        // One that somebody else holds is not taken.
        let mut other = db.settings.clone();
        other.reconnect_timeout = Duration::from_millis(300);
        let mut late = super::super::MySqlSink::open(&other, Access::Write).unwrap();
        late.pretend_lost(0);
        assert_eq!(error_of(late.recover(PIPELINE)).kind, SinkErrorKind::Locked);
    });
}

#[test]
fn a_server_that_is_killed_and_comes_back_is_waited_for() {
    let test = "a_server_that_is_killed_and_comes_back_is_waited_for";
    for flavor in Flavor::ALL {
        let Some(server) = private(test, flavor, &Options::default()) else { continue };
        // One of its own: nobody else may be on it. It ends with the process.
        let server: &'static Server = Box::leak(Box::new(server));
        let db = Db::new(server, &server.new_database());
        db.load(1, &[(Op::Insert, "a", Some(1))]);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1))]).unwrap();
        server.kill();
        assert_eq!(error_of(sink.commit(&record(PIPELINE, 2))).kind, SinkErrorKind::ConnectionLost);
        let again = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            server.start_again();
        });
        assert_eq!(sink.recover(PIPELINE).unwrap().epoch, Epoch::FIRST);
        again.join().unwrap();
        assert_eq!(db.query("select * from t"), ["a|1|1"]);
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1))]).unwrap();
        sink.commit(&record(PIPELINE, 2)).unwrap();
        server.kill();
        let mut hasty = db.settings.clone();
        hasty.reconnect_timeout = Duration::from_millis(500);
        let mut gone = super::super::MySqlSink::lost(&hasty);
        assert_eq!(error_of(gone.recover(PIPELINE)).kind, SinkErrorKind::ConnectionLost);
    }
}
