//! MariaDB and MySQL as the warehouse, judged through SQL: whatever happens to vardelta, to the server, to the
//! connection between them or to the rows, no load is lost, doubled or half visible.
//!
//! Each test runs on either server in a database of its own, and prints its seed (`VARDELTA_SEED` repeats it).

mod ahead;
mod copies;
mod cuts;
mod deadlocks;
mod deaths;
mod large_rows;
mod outage;
mod partitions;
mod readers;
mod secrets;
mod shipped;
mod unknown;
mod written;

use std::time::{Duration, Instant};

use vardelta_test_servers::Server;
use vardelta_tests::{
    drop_file::{self, Packing},
    project::Said,
    random::{Random, seed},
    server_database::Contents,
    server_project::ServerProject,
    story,
};

/// Makes a test for each server out of a function over a shared one and the test's name.
macro_rules! on_both {
    ($run:ident: $on_mariadb:ident, $on_mysql:ident) => {
        #[test]
        fn $on_mariadb() {
            if let Some(server) = vardelta_test_servers::shared(stringify!($on_mariadb), Flavor::MariaDb) {
                $run(server);
            }
        }

        #[test]
        fn $on_mysql() {
            if let Some(server) = vardelta_test_servers::shared(stringify!($on_mysql), Flavor::MySql) {
                $run(server);
            }
        }
    };
}
use on_both;

/// The seed of a test, said aloud.
fn seeded() -> Random {
    Random::new(seed(1))
}

/// Two pipelines that get the same drops: one is disturbed, the other one shows what should come of it.
struct Pair<'s> {
    disturbed: ServerProject<'s>,
    twin: ServerProject<'s>,
    records: usize,
    version: usize,
}

/// One load of a [`Pair`]: what the tables and the ledger were before, and what they must be after it.
struct Load {
    before: Contents,
    after: Contents,
    /// How long it takes undisturbed.
    duration: Duration,
}

impl<'s> Pair<'s> {
    /// Two empty pipelines whose drops have this many records.
    fn new(server: &'s Server, records: usize, options: &str) -> Pair<'s> {
        let project = || ServerProject::new(server, story::PIPELINE, options);
        Pair { disturbed: project(), twin: project(), records, version: 0 }
    }

    /// Delivers the next version of the drops to both and loads the twin's: a drop that changes, one that comes or goes.
    fn next(&mut self) -> Load {
        self.version += 1;
        let before = self.disturbed.contents();
        let text = story::big_drop(self.records, self.version);
        for project in [&self.twin.project, &self.disturbed.project] {
            let drops = project.path("drops");
            drop_file::write(&drops, "big", &text, Packing::Bgzf);
            match self.version % 2 {
                0 => drop_file::remove(&drops, "now_and_then"),
                _ => story::write_drop(project, "now_and_then", &story::lines(self.version as u64, 12)),
            }
        }
        let started = Instant::now();
        self.twin.vardelta("run", &["--prune-all"]).expect(0);
        let duration = started.elapsed();
        Load { before, after: self.twin.contents(), duration }
    }

    /// What must hold after a disturbance: tables and ledger are those of before or of after, a run gets to those of
    /// after, and state and tables agree.
    #[track_caller]
    fn recovers(&self, what: &str, load: &Load) {
        let found = self.disturbed.contents();
        assert!(found == load.before || found == load.after, "{what}: neither what was before nor what is to come");
        let said = self.disturbed.vardelta("run", &["--prune-all", "--json"]);
        assert_eq!(said.code, 0, "{what}: {}{}", said.stdout, said.stderr);
        self.is_after(what, load);
    }

    /// Tables and ledger are those of an undisturbed load, the state agrees, and nothing is left to do.
    #[track_caller]
    fn is_after(&self, what: &str, load: &Load) {
        let found = self.disturbed.contents();
        vardelta_tests::database::assert_same_rows(what, &load.after.tables.rows, &found.tables.rows);
        assert_eq!(found.ledger, load.after.ledger, "{what}: the ledger");
        assert_eq!(found.tables.changed, load.after.tables.changed, "{what}: changed_epoch");
        assert_eq!(self.disturbed.pending(), Vec::<String>::new(), "{what}: tables that are not settled");
        let said = self.disturbed.vardelta("verify", &[]);
        assert_eq!(said.code, 0, "{what}: {}{}", said.stdout, said.stderr);
    }
}

/// A run that was disturbed either works or says that the sink failed.
#[track_caller]
fn works_or_reports_the_sink(what: &str, said: &Said) {
    assert!([0, 6].contains(&said.code), "{what}: exit code {}\n{}{}", said.code, said.stdout, said.stderr);
    assert!(said.code == 0 || said.stderr.contains("error:"), "{what}: {}", said.stderr);
}
