//! Rows that are larger than what the server takes in one statement (`max_allowed_packet`): LOAD DATA would put them in, and
//! nothing that names them could be sent any more. They are refused on the way in; what is in, put there while the limit was
//! higher, can be verified, withdrawn and erased.

use mysql::prelude::Queryable;
use vardelta_test_servers::{Flavor, Options, Server, private};
use vardelta_tests::{
    drop_file::{self, Packing},
    server_project::ServerProject,
    story,
};

/// What servers usually take or more, and the least that makes rows of a few megabases large.
const HIGH: u64 = 64 << 20;
const LOW: u64 = 1 << 20;
/// Bases of the allele that goes in under the high limit.
const LARGE: usize = 3_000_000;
/// Bases of those that come under the low one.
const TOO_LARGE: usize = 2_000_000;

fn limit(server: &Server, bytes: u64) {
    server.root().query_drop(format!("SET GLOBAL max_allowed_packet = {bytes}")).expect("root may do that");
}

/// Delivers a drop of one record whose reference allele is this long.
fn deliver(project: &ServerProject<'_>, name: &str, position: usize, bases: usize, quality: u32) {
    let allele = "ACGT".repeat(bases / 4);
    let record = format!(
        "7\t{position}\t.\t{allele}\tA\t{quality}\tPASS\tDP=30;CLNSIG=Benign;ANN=A|missense_variant|MODERATE|LONG|ID|\
         transcript|T|protein_coding|1/1|c.1A>C|p.1|||||\n"
    );
    drop_file::write(&project.project.path("drops"), name, &format!("{}{record}", drop_file::HEADER), Packing::Bgzf);
}

/// A run that is refused for a row of so many bytes, and has written nothing.
#[track_caller]
fn is_refused(project: &ServerProject<'_>, position: usize, bases: usize) {
    let epoch = project.vardelta("drops", &["--json"]).expect(0).json()["epoch"].clone();
    let said = project.vardelta("run", &[]).expect(6);
    for text in ["max_allowed_packet", &format!("takes {LOW}"), &position.to_string(), "nothing was written"] {
        assert!(said.stderr.contains(text), "`{text}` is not said: {}", said.stderr);
    }
    let size = said.stderr.split("the row has ").nth(1).and_then(|rest| rest.split(' ').next());
    let size: usize = size.and_then(|size| size.parse().ok()).expect("the size is said");
    assert!((bases..bases + 4_096).contains(&size), "the row has {size} bytes");
    assert!(said.stderr.len() < 4_096, "the allele is printed whole: {} bytes", said.stderr.len());
    assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], epoch);
}

fn large_rows(test: &str, flavor: Flavor) {
    for local_infile in [true, false] {
        let Some(server) = private(test, flavor, &Options { local_infile, ..Options::default() }) else { return };
        for options in ["", "history = [\"variants\"]"] {
            eprintln!("{test}: LOAD DATA {local_infile}, {options}");
            // The entry of a history goes by LOAD DATA, or by a statement that is too long for the server.
            let can_leave = local_infile || options.is_empty();
            comes_and_goes(&ServerProject::new(&server, story::PIPELINE, options), can_leave);
        }
    }
}

/// Rows come in under the high limit, others are refused under the low one, and all leave under it, or say what must be done.
fn comes_and_goes(project: &ServerProject<'_>, can_leave: bool) {
    let server = project.server;
    limit(server, HIGH);
    story::write_drop(&project.project, "alpha", &story::lines(1, 20));
    project.vardelta("run", &[]).expect(0);
    let without = project.contents().tables.rows;
    deliver(project, "large", 11, LARGE, 50);
    project.vardelta("run", &[]).expect(0);
    let with = project.contents().tables.rows;
    assert_ne!(with, without);

    limit(server, LOW);
    project.vardelta("verify", &[]).expect(0);
    deliver(project, "other", 22, TOO_LARGE, 50);
    is_refused(project, 22, TOO_LARGE);
    drop_file::remove(&project.project.path("drops"), "other");
    // A row that is there and gets other values is one that comes, too.
    deliver(project, "large", 11, LARGE, 60);
    is_refused(project, 11, LARGE);
    deliver(project, "large", 11, LARGE, 50);
    project.vardelta("run", &[]).expect(0);
    // What has room goes on.
    story::write_drop(&project.project, "beta", &story::lines(2, 20));
    project.vardelta("run", &[]).expect(0);
    project.vardelta("withdraw", &["beta"]).expect(0);
    drop_file::remove(&project.project.path("drops"), "beta");
    project.vardelta("verify", &[]).expect(0);
    drop_file::remove(&project.project.path("drops"), "large");
    if !can_leave {
        let said = project.vardelta("withdraw", &["large"]).expect(6);
        said.says(&["table `variants_history`", "max_allowed_packet", "local_infile", "nothing was written"]);
        limit(server, HIGH);
    }
    project.vardelta("withdraw", &["large"]).expect(0);
    project.vardelta("verify", &[]).expect(0);

    limit(server, HIGH);
    assert_eq!(project.contents().tables.rows, without);
    deliver(project, "again", 11, LARGE, 50);
    project.vardelta("run", &[]).expect(0);
    drop_file::remove(&project.project.path("drops"), "again");
    if can_leave {
        limit(server, LOW);
    }
    project.vardelta("withdraw", &["again", "--erase"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    limit(server, HIGH);
    assert_eq!(project.contents().tables.rows, without);
}

#[test]
fn rows_larger_than_mariadb_takes_are_refused_and_those_that_are_in_can_leave() {
    large_rows("rows_larger_than_mariadb_takes_are_refused_and_those_that_are_in_can_leave", Flavor::MariaDb);
}

#[test]
fn rows_larger_than_mysql_takes_are_refused_and_those_that_are_in_can_leave() {
    large_rows("rows_larger_than_mysql_takes_are_refused_and_those_that_are_in_can_leave", Flavor::MySql);
}
