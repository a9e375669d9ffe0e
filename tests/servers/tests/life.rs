//! A server starts, takes data, survives a kill, and is gone at the end.

use std::{fs, path::Path};

use mysql::{Conn, Opts, prelude::Queryable};
use vardelta_test_servers::{Flavor, Options, Server, private};

#[test]
fn mariadb_survives_a_kill() {
    survives_a_kill(Flavor::MariaDb);
}

#[test]
fn mysql_survives_a_kill() {
    survives_a_kill(Flavor::MySql);
}

fn survives_a_kill(flavor: Flavor) {
    let Some(server) = private("survives_a_kill", flavor, &Options::default()) else { return };
    let database = server.new_database();
    let connect = |server: &Server| {
        Conn::new(Opts::from_url(&server.url(&database)).expect("a URL")).expect("the loader can connect")
    };
    let mut connection = connect(&server);
    connection.query_drop("CREATE TABLE t (n INT)").expect("the loader can make tables");
    connection.query_drop("INSERT INTO t VALUES (7)").expect("inserts");
    server.kill();
    assert!(connection.query_drop("SELECT 1").is_err(), "a killed server does not answer");
    server.start_again();
    let kept: Option<u32> = connect(&server).query_first("SELECT n FROM t").expect("reads");
    assert_eq!(kept, Some(7));

    let (pid, socket) = (server.pid().expect("it runs"), server.socket());
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "the server has ended");
    assert!(fs::metadata(socket.parent().expect("a directory")).is_err(), "its directory is removed");
}

#[test]
fn the_loader_has_no_rights_elsewhere() {
    for flavor in Flavor::ALL {
        let Some(server) = vardelta_test_servers::shared("the_loader_has_no_rights_elsewhere", flavor) else {
            continue;
        };
        let database = server.new_database();
        let mut connection =
            Conn::new(Opts::from_url(&server.url(&database)).expect("a URL")).expect("the loader can connect");
        assert!(connection.query_drop("CREATE DATABASE other").is_err());
        assert!(connection.query_drop("SELECT * FROM mysql.user").is_err());
    }
}
