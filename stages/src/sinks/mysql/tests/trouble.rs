//! Servers that refuse LOAD DATA LOCAL, and the session.

use vardelta_test_servers::{Flavor, Options, private};

use crate::sinks::mysql::tests::*;

#[test]
fn a_server_without_local_infile_is_loaded_by_insert_and_says_so() {
    let test = "a_server_without_local_infile_is_loaded_by_insert_and_says_so";
    for flavor in Flavor::ALL {
        let Some(server) = private(test, flavor, &Options { local_infile: false, ..Options::default() }) else {
            continue;
        };
        let server: &'static Server = Box::leak(Box::new(server));
        let db = Db::new(server, &server.new_database());
        db.load(1, &[(Op::Insert, "a", Some(1))]);
        assert_eq!(db.query("select * from t"), ["a|1|1"]);
        let notices = db.open().take_notices();
        assert!(notices.len() == 1 && notices[0].contains("local_infile = OFF"), "{notices:?}");
        assert_eq!(db.connect(Access::Read).unwrap().take_notices(), [""; 0]);
        // One that changes its mind in between refuses the statement itself.
        by_hand::run(&mut server.root(), &["set global local_infile = 1"]);
        let mut sink = db.open();
        by_hand::run(&mut server.root(), &["set global local_infile = 0"]);
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Insert, "b", Some(1))]).unwrap();
        sink.commit(&record(PIPELINE, 2)).unwrap();
        assert_eq!(db.query("select * from t order by name"), ["a|1|1", "b|1|2"]);
        let notices = sink.take_notices();
        assert!(notices.len() == 1 && notices[0].contains("refuses LOAD DATA LOCAL"), "{notices:?}");
        server.kill();
    }
}

#[test]
fn the_session_is_as_documented() {
    on_each("the_session_is_as_documented", |db| {
        let mut link = super::super::link::Link::connect(&db.settings, Access::Write).unwrap();
        let isolation = match link.dialect {
            vardelta_schemas::sql::Dialect::MariaDb => "select @@tx_isolation",
            _ => "select @@transaction_isolation",
        };
        assert_eq!(by_hand::query(&mut link.conn, isolation), ["READ-COMMITTED"]);
        let said = by_hand::query(
            &mut link.conn,
            "select @@innodb_lock_wait_timeout, @@time_zone, @@character_set_client, @@sql_mode like '%STRICT_ALL_TABLES%'",
        );
        assert_eq!(said, ["2|+00:00|utf8mb4|1"]);
    });
}
