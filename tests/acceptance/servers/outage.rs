//! The server is killed in the middle of a load, and comes back.

use std::{process::Stdio, time::Duration};

use vardelta_test_servers::{Flavor, Options, private};
use vardelta_tests::project::Said;

use super::{Pair, seeded, works_or_reports_the_sink};
use vardelta_tests::server_project::discreet;

/// Loads in whose middle the server is killed.
const KILLS: usize = 3;

fn killed_servers(test: &str, flavor: Flavor) {
    let Some(server) = private(test, flavor, &Options::default()) else { return };
    let (mut pair, mut random) = (Pair::new(&server, 3_000, ""), seeded());
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for number in 0..KILLS {
        let load = pair.next();
        let moment = load.duration.mul_f64((20 + random.below(80)) as f64 / 100.0);
        let mut command = pair.disturbed.command("run", &["--prune-all"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        std::thread::sleep(moment);
        server.kill();
        // Now and then it stays away for as long as it takes a person to notice.
        if number % 2 == 1 {
            std::thread::sleep(Duration::from_secs(1));
        }
        server.start_again();
        let said = discreet(Said::from(child.wait_with_output().expect("vardelta ends")));
        let what = format!("version {}, the server killed after {moment:?}", pair.version);
        works_or_reports_the_sink(&what, &said);
        if said.code == 0 {
            pair.is_after(&what, &load);
        }
        pair.recovers(&what, &load);
    }
}

#[test]
fn mariadb_killed_at_any_moment_loses_and_doubles_nothing() {
    killed_servers("mariadb_killed_at_any_moment_loses_and_doubles_nothing", Flavor::MariaDb);
}

#[test]
fn mysql_killed_at_any_moment_loses_and_doubles_nothing() {
    killed_servers("mysql_killed_at_any_moment_loses_and_doubles_nothing", Flavor::MySql);
}
