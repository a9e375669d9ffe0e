//! Two copies of a state and one database on a server; settings and triggers of the server that would change what is written.

use std::process::Stdio;

use mysql::prelude::Queryable;
use vardelta_test_servers::{Flavor, Options, Server, USER, private};
use vardelta_tests::{
    drop_file, folder,
    held::Held,
    process::until,
    project::{Said, finish},
    proxy::{Cut, Proxy},
    server_project::{ServerProject, discreet},
    story,
};

use super::on_both;

const OTHER: &str = "pipeline.state_dir=\"other\"";

/// A pipeline with one drop loaded, and a copy of its state in `other`.
fn with_two_states(server: &'static Server) -> ServerProject<'static> {
    let two = ServerProject::new(server, story::PIPELINE, "");
    story::write_drop(&two.project, "alpha", &story::lines(1, 40));
    two.vardelta("run", &[]).expect(0);
    folder::copy(&two.project.path(".vardelta"), &two.project.path("other"));
    two
}

fn a_copy_of_the_state(server: &'static Server) {
    for point in ["state:prepared", "commit:applied", "commit:before-sink"] {
        let two = with_two_states(server);
        let (alpha, gamma) = (story::lines(1, 40), story::lines(3, 35));
        story::write_drop(&two.project, "beta", &story::lines(2, 30));
        finish(two.command("run", &["--set", OTHER]).env("VARDELTA_FAILPOINT", point)).expect(-1);
        drop_file::remove(&two.project.path("drops"), "beta");
        story::write_drop(&two.project, "gamma", &gamma);
        two.vardelta("run", &[]).expect(0);
        for (verb, arguments) in
            [("run", &["--set", OTHER][..]), ("withdraw", &["alpha", "--set", OTHER]), ("verify", &["--set", OTHER])]
        {
            let said = two.vardelta(verb, arguments).expect(6);
            assert!(said.stderr.contains("state"), "{point}, {verb}: {}", said.stderr);
        }
        let expected = (story::PIPELINE.expected)(&[&alpha, &gamma]);
        assert_eq!(two.contents().tables.rows, expected);
        two.vardelta("rebuild", &["--set", OTHER]).expect(0);
        assert_eq!(two.contents().tables.rows, expected);
        two.vardelta("verify", &["--set", OTHER]).expect(0);
    }
}

on_both!(a_copy_of_the_state: an_epoch_of_another_copy_is_not_taken_for_the_own_one_on_mariadb, an_epoch_of_another_copy_is_not_taken_for_the_own_one_on_mysql);

/// Ends every connection of vardelta to this database, and waits until none is left.
fn end_connections(server: &Server, database: &str) {
    let mut root = server.root();
    until("the connections are gone", || {
        let query = "SELECT id FROM information_schema.processlist WHERE db = ? AND user = ?";
        let ids: Vec<u64> = root.exec(query, (database, USER)).expect("the connections can be listed");
        for id in &ids {
            // It may have ended by itself meanwhile.
            let _ = root.query_drop(format!("KILL CONNECTION {id}"));
        }
        ids.is_empty()
    });
}

/// The other copy of the state commits its own epoch of the number that the held loader wants.
fn overtake(two: &ServerProject<'_>) {
    drop_file::remove(&two.project.path("drops"), "beta");
    story::write_drop(&two.project, "gamma", &story::lines(3, 35));
    // The lost session's lock goes with it, when the server has noticed.
    let mut said = two.vardelta("run", &[]);
    until("the other one is let in", || {
        if said.code != 0 {
            assert!(said.code == 6 && said.stderr.contains("another run"), "{}", said.stderr);
            said = two.vardelta("run", &[]);
        }
        said.code == 0
    });
}

/// What must hold after the held loader has ended: the other one's epoch stands, and is not taken for its own.
fn was_overtaken(two: &ServerProject<'_>, said: Said) {
    let said = discreet(said).expect(6);
    assert!(said.stderr.contains("nothing was written"), "{}", said.stderr);
    let (alpha, beta, gamma) = (story::lines(1, 40), story::lines(2, 30), story::lines(3, 35));
    assert_eq!(two.contents().tables.rows, (story::PIPELINE.expected)(&[&alpha, &gamma]));
    two.vardelta("verify", &[]).expect(0);
    let said = two.vardelta("run", &["--set", OTHER]).expect(6);
    assert!(said.stderr.contains("state"), "{}", said.stderr);
    two.vardelta("rebuild", &["--set", OTHER]).expect(0);
    story::write_drop(&two.project, "beta", &beta);
    two.vardelta("run", &["--set", OTHER]).expect(0);
    assert_eq!(two.contents().tables.rows, (story::PIPELINE.expected)(&[&alpha, &gamma, &beta]));
    two.vardelta("verify", &["--set", OTHER]).expect(0);
}

/// The commit fails; before its loader reads the ledger again, its connection is killed and the other one commits.
fn failed_commit(server: &'static Server) {
    let two = with_two_states(server);
    story::write_drop(&two.project, "beta", &story::lines(2, 30));
    let failing = Held::at("sink-commit:failed", &["sink-commit:fails"], two.command("run", &["--set", OTHER]));
    end_connections(server, &two.database);
    overtake(&two);
    was_overtaken(&two, failing.go_on());
}

on_both!(failed_commit: after_a_failed_commit_the_epoch_of_another_loader_is_told_apart_on_mariadb, after_a_failed_commit_the_epoch_of_another_loader_is_told_apart_on_mysql);

/// The connection is cut at COMMIT; before its loader gets through to the server again, the other one commits.
fn cut_commit(server: &'static Server) {
    let two = ServerProject::new(server, story::PIPELINE, "tls = \"off\"\nreconnect_timeout_ms = 120_000");
    story::write_drop(&two.project, "alpha", &story::lines(1, 40));
    two.vardelta("run", &[]).expect(0);
    folder::copy(&two.project.path(".vardelta"), &two.project.path("other"));
    story::write_drop(&two.project, "beta", &story::lines(2, 30));
    let proxy = Proxy::start(server.port, Cut::BeforeCommit, true);
    let mut command = two.command_at(proxy.port, "run", &["--set", OTHER]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let cut = command.spawn().expect("it starts");
    until("the connection is cut", || proxy.happened());
    overtake(&two);
    proxy.let_in();
    was_overtaken(&two, Said::from(cut.wait_with_output().expect("it ends")));
}

on_both!(cut_commit: after_a_cut_commit_the_epoch_of_another_loader_is_told_apart_on_mariadb, after_a_cut_commit_the_epoch_of_another_loader_is_told_apart_on_mysql);

fn swapped(server: &'static Server) {
    let mut one = ServerProject::new(server, story::PIPELINE, "");
    let mut two = ServerProject::new(server, story::PIPELINE, "");
    for (project, seed) in [(&one, 1), (&two, 2)] {
        story::write_drop(&project.project, "alpha", &story::lines(seed, 40));
        project.vardelta("run", &[]).expect(0);
    }
    std::mem::swap(&mut one.database, &mut two.database);
    for project in [&one, &two] {
        for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("verify", &[])] {
            let said = project.vardelta(verb, arguments).expect(6);
            assert!(said.stderr.contains("belongs to another database"), "{verb}: {}", said.stderr);
        }
    }
    std::mem::swap(&mut one.database, &mut two.database);
    for project in [&one, &two] {
        project.vardelta("run", &[]).expect(0);
        project.vardelta("verify", &[]).expect(0);
    }
}

on_both!(swapped: a_database_of_another_folder_is_refused_on_mariadb, a_database_of_another_folder_is_refused_on_mysql);

/// Whatever a COMMIT of the server's users does beside committing, one of vardelta's does nothing beside.
fn chaining(test: &str, flavor: Flavor) {
    let Some(server) = private(test, flavor, &Options::default()) else { return };
    for completion in ["CHAIN", "RELEASE"] {
        server.root().query_drop(format!("SET GLOBAL completion_type = '{completion}'")).expect("root may do that");
        let project = ServerProject::new(&server, story::PIPELINE, "history = [\"variants\"]");
        for (number, name) in (1..).zip(["alpha", "beta"]) {
            story::write_drop(&project.project, name, &story::lines(number, 40));
            project.vardelta("run", &[]).expect(0);
            project.vardelta("verify", &[]).expect(0);
        }
        project.vardelta("rebuild", &[]).expect(0);
        project.vardelta("withdraw", &["alpha"]).expect(0);
        project.vardelta("verify", &[]).expect(0);
    }
}

#[test]
fn a_commit_on_mariadb_chains_and_releases_nothing() {
    chaining("a_commit_on_mariadb_chains_and_releases_nothing", Flavor::MariaDb);
}

#[test]
fn a_commit_on_mysql_chains_and_releases_nothing() {
    chaining("a_commit_on_mysql_chains_and_releases_nothing", Flavor::MySql);
}

/// A ledger of before identities: they are added, and the epochs of before have none.
fn older_ledger(server: &'static Server) {
    let project = ServerProject::new(server, story::PIPELINE, "");
    story::write_drop(&project.project, "alpha", &story::lines(1, 40));
    project.vardelta("run", &[]).expect(0);
    let mut root = server.root_in(&project.database);
    for statement in [
        "DROP TABLE vardelta_pipelines",
        "ALTER TABLE vardelta_drops DROP COLUMN identity",
        // The other column is there already: a migration that was cut short.
        "UPDATE vardelta_epochs SET identity = NULL",
        "UPDATE vardelta_meta SET value = '3' WHERE name = 'ledger_version'",
    ] {
        root.query_drop(statement).expect("root may do that");
    }
    // Nothing says that this is not the database of the state, but its epoch is not the state's.
    let said = project.vardelta("run", &[]).expect(6);
    assert!(said.stderr.contains("state"), "{}", said.stderr);
    project.vardelta("rebuild", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    let identities: Option<i64> =
        root.query_first("SELECT COUNT(*) FROM vardelta_epochs WHERE identity IS NOT NULL").expect("it can be read");
    assert_eq!(identities, Some(1));
}

on_both!(older_ledger: a_ledger_without_identities_is_given_them_on_mariadb, a_ledger_without_identities_is_given_them_on_mysql);

/// Whatever state is put back, the ledger's events decide which number a drop gets.
fn drop_numbers(server: &'static Server) {
    let two = with_two_states(server);
    story::write_drop(&two.project, "beta", &story::lines(2, 30));
    two.vardelta("run", &[]).expect(0);
    two.vardelta("withdraw", &["beta"]).expect(0);
    drop_file::remove(&two.project.path("drops"), "beta");
    two.vardelta("rebuild", &["--set", OTHER]).expect(0);
    story::write_drop(&two.project, "gamma", &story::lines(3, 35));
    two.vardelta("run", &["--set", OTHER]).expect(0);
    let mut root = server.root_in(&two.database);
    let drops: Vec<String> = root
        .query("SELECT CONCAT(drop_id, ' ', name) FROM vardelta_drops ORDER BY drop_id")
        .expect("the ledger is there");
    assert_eq!(drops, ["1 alpha", "3 gamma"]);
    two.vardelta("withdraw", &["beta", "--erase", "--set", OTHER]).expect(0);
    let expected = (story::PIPELINE.expected)(&[&story::lines(1, 40), &story::lines(3, 35)]);
    assert_eq!(two.contents().tables.rows, expected);
}

on_both!(drop_numbers: the_number_of_a_drop_is_never_given_again_on_mariadb, the_number_of_a_drop_is_never_given_again_on_mysql);
