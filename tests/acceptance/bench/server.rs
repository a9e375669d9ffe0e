//! On a server a bench makes databases of its own and drops them.

use std::{process::Stdio, time::Duration};

use mysql::prelude::Queryable as _;
use vardelta_test_servers::{Flavor, Options, Server};
use vardelta_tests::{
    binary::binary,
    process::{signal, until, wait_at_most},
    project::finish,
    server_project::{URL_VARIABLE, discreet},
};

use super::{Bench, array, number, text};

fn databases(server: &Server) -> Vec<String> {
    let names: Vec<String> = server.root().query("SHOW DATABASES").expect("the databases can be listed");
    names.into_iter().filter(|name| name.starts_with("vardelta_bench")).collect()
}

fn tables(server: &Server, database: &str) -> Vec<String> {
    server.root_in(database).query("SHOW TABLES").expect("the tables can be listed")
}

fn bench_on(server: &Server) {
    let (bench, database) = (Bench::new(), server.new_database());
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(binary());
        command.arg("bench").arg("gene_summary_mysql.toml").args(arguments);
        command.current_dir(bench.shipped.path()).env("TMPDIR", bench.temporary.path());
        command.env(URL_VARIABLE, server.url(&database)).stdin(Stdio::null());
        command
    };
    let arguments = ["--json", "--records", "2000", "--workers", "1", "--repeat", "1"];
    let found = discreet(finish(&mut command(&arguments)).expect(0)).json();
    assert_eq!(text(&found, "sink"), "mysql");
    let stages = array(&array(&found, "runs")[0], "stages");
    let sink = stages.iter().find(|stage| text(stage, "name") == "warehouse").expect("the sink");
    assert!(number(sink, "rows_out") > 0.0, "{sink}");
    assert_eq!(array(&found, "delta").len(), 2);
    assert_eq!(tables(server, &database), Vec::<String>::new(), "the user's database was touched");
    assert_eq!(databases(server), Vec::<String>::new(), "scratch databases are left");

    // A run that fails: what is no VCF has lines all the same.
    std::fs::write(bench.path("no.vcf"), "chr1\t1\t.\tA\tC\n").expect("a file");
    discreet(finish(&mut command(&["--input", "no.vcf"])).expect(4));
    assert_eq!(databases(server), Vec::<String>::new(), "scratch databases of a failed bench are left");

    let mut child = command(&["--records", "3000", "--repeat", "50"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    until("a scratch database has tables", || {
        databases(server).first().is_some_and(|database| !tables(server, database).is_empty())
    });
    signal(&child, "INT");
    let status = wait_at_most(&mut child, Duration::from_secs(60)).expect("an interrupted bench ends");
    assert_eq!(status.code(), Some(130));
    assert_eq!(databases(server), Vec::<String>::new(), "scratch databases of an interrupted bench are left");
    bench.leaves_nothing();
}

// Servers of their own: others must not see scratch databases come and go.
#[test]
fn mariadb_gets_its_scratch_databases_back() {
    let test = "mariadb_gets_its_scratch_databases_back";
    if let Some(server) = vardelta_test_servers::private(test, Flavor::MariaDb, &Options::default()) {
        bench_on(&server);
    }
}

#[test]
fn mysql_gets_its_scratch_databases_back() {
    let test = "mysql_gets_its_scratch_databases_back";
    if let Some(server) = vardelta_test_servers::private(test, Flavor::MySql, &Options::default()) {
        bench_on(&server);
    }
}
