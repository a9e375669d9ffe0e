//! The server is killed in the middle of a load, and comes back.

use std::time::Duration;

use vardelta_test_servers::{Flavor, Options, private};
use vardelta_tests::{held::Held, server_project::discreet};

use super::{Pair, seeded, works_or_reports_the_sink};

/// Steps of a load at which its transaction is open, or about to be.
const STEPS: [&str; 5] = ["commit:begin", "commit:batch", "state:prepared", "commit:applied", "commit:before-sink"];
/// Loads in whose middle the server is killed.
const KILLS: usize = 3;

fn killed_servers(test: &str, flavor: Flavor) {
    let Some(server) = private(test, flavor, &Options::default()) else { return };
    let (mut pair, mut random) = (Pair::new(&server, 3_000, ""), seeded());
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for number in 0..KILLS {
        let load = pair.next();
        let step = STEPS[random.below(STEPS.len())];
        // The load is under way, and halts until the server is gone.
        let held = Held::at(step, &[], pair.disturbed.command("run", &["--prune-all"]));
        server.kill();
        let stays_away = number % 2 == 1;
        if !stays_away {
            server.start_again();
        }
        let said = held.go_on_while(|| {
            // Now and then it stays away for as long as it takes a person to notice.
            if stays_away {
                std::thread::sleep(Duration::from_secs(1));
                server.start_again();
            }
        });
        let said = discreet(said);
        let what = format!("version {}, the server killed at {step}", pair.version);
        works_or_reports_the_sink(&what, &said);
        if said.code == 0 {
            pair.is_after(&what, &load);
        }
        pair.recovers(&what, &load);
    }
}

#[test]
fn mariadb_killed_at_any_step_loses_and_doubles_nothing() {
    killed_servers("mariadb_killed_at_any_step_loses_and_doubles_nothing", Flavor::MariaDb);
}

#[test]
fn mysql_killed_at_any_step_loses_and_doubles_nothing() {
    killed_servers("mysql_killed_at_any_step_loses_and_doubles_nothing", Flavor::MySql);
}
