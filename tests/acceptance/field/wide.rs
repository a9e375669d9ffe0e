//! Tables of hundreds of columns: what the databases hold is loaded, what they do not hold is refused before anything is read.

use mysql::prelude::Queryable;
use vardelta_test_servers::{Flavor, each};
use vardelta_tests::{
    database::texts,
    project::{finish, vardelta_in},
    server_project::{URL_VARIABLE, discreet},
    shared::shared,
};

use super::copied;

/// Its own command wants a server on the usual port, with a superuser that has no password.
pub const CASE: &str = "111-very-wide-table";

#[test]
fn a_wide_table_in_sqlite_is_loaded_and_a_wider_one_refused() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    let scratch = copied(&folder.join(CASE));
    vardelta_in(scratch.path(), &["run", "pipeline.toml"]).expect(0);
    assert_eq!(texts(&scratch.path().join("out.sqlite"), "SELECT info_f599 FROM variants"), ["v599"]);
    let said = vardelta_in(scratch.path(), &["run", "lite2100.toml"]).expect(3);
    said.says(&["has 2114 columns, and SQLite keeps at most 2000", "Keep fewer columns with a `select`"]);
}

#[test]
fn a_wide_table_in_a_server_is_loaded_and_a_wider_one_refused() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    each("a_wide_table_in_a_server_is_loaded_and_a_wider_one_refused", |server, name| {
        let scratch = copied(&folder.join(CASE));
        let run = |file: &str| {
            let mut command = std::process::Command::new(vardelta_tests::binary::binary());
            command.args(["run", file]).current_dir(scratch.path()).env(URL_VARIABLE, server.url(name));
            discreet(finish(&mut command))
        };
        let said = run("my250.toml");
        match server.flavor {
            Flavor::MariaDb => {
                said.expect(0);
                let found: Vec<String> =
                    server.root_in(name).query("SELECT info_f249 FROM variants").expect("the table can be read");
                assert_eq!(found, ["v249"]);
            }
            // It counts twice as much for a text that lies elsewhere, which is known when the server is.
            Flavor::MySql => {
                said.expect(6).says(&[
                    "InnoDB keeps in a row (error 1118)",
                    "nothing was written",
                    "Keep fewer columns",
                ]);
            }
        }
        run("my600.toml").expect(3).says(&["the 615 columns of `wide600`", "at most 8126 in a page"]);
    });
}
