//! The password of the address is in no output, no file and no table.

use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{
    project::finish,
    server_project::{ServerProject, URL_VARIABLE, discreet},
    story,
};

use super::on_both;

fn secrets(server: &'static Server) {
    let project = ServerProject::new(server, story::PIPELINE, "");
    story::write_drop(&project.project, "alpha", &story::lines(1, 30));
    story::write_drop(&project.project, "beta", &story::lines(2, 30));
    for (verb, arguments) in [
        ("validate", &[][..]),
        ("explain", &[]),
        ("explain", &["--json"]),
        ("graph", &[]),
        ("graph", &["--json"]),
        ("run", &["--dry-run"]),
        ("run", &["-v"]),
        ("run", &["--json"]),
        ("drops", &["--json"]),
        ("history", &["--json"]),
        ("withdraw", &["alpha", "-v"]),
        ("rebuild", &["-v"]),
        ("verify", &["--json"]),
    ] {
        project.vardelta(verb, arguments).expect(0);
    }
    project.keeps_its_secrets();

    // Errors know the address too: nobody there, no such database, a password that is not the right one.
    let here = server.url(&project.database);
    let wrong_password = here.replacen("%3A", "%3A%3A", 1);
    for (url, code) in [
        (server.url_at(1, &project.database), 6),
        (server.url("vardelta_none"), 6),
        (wrong_password, 6),
        (format!("{here}?tls=no"), 3),
        (here.replacen("mysql:", "mysqlx:", 1), 3),
    ] {
        for arguments in [&[][..], &["--json"], &["-v"]] {
            let mut command = project.project.command("run", arguments);
            let said = discreet(finish(command.env(URL_VARIABLE, &url)));
            assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
            assert!(!said.stderr.contains("hush") && !said.stdout.contains("hush"), "{}{}", said.stdout, said.stderr);
        }
    }
    project.keeps_its_secrets();
}

on_both!(secrets: the_password_of_mariadb_is_told_nowhere, the_password_of_mysql_is_told_nowhere);
