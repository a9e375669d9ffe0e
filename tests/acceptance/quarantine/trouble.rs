//! Quarantine under trouble: rows that others hold, connections that are cut, deaths at every step, and drops whose file nobody
//! can read again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use mysql::prelude::Queryable;
use vardelta_test_servers::{Server, each};
use vardelta_tests::{
    project::finish,
    proxy::{Cut, Proxy},
    random::{Random, seed},
    waiting::{until_it_gives_up, until_it_waits},
};

use super::warehouse::{Database, Warehouse, count, on_each, records};

/// Loads that are cut at a random byte.
const CUTS: usize = 4;

fn on_server(server: &'static Server, name: &str) -> Warehouse {
    Warehouse::on_server(server, name, "tls = \"off\"\nlock_wait_seconds = 1\n")
}

#[test]
fn a_run_that_waits_too_long_for_a_row_is_run_again_and_quarantines_the_same() {
    each("a_run_that_waits_too_long_for_a_row_is_run_again_and_quarantines_the_same", |server, name| {
        let (warehouse, mut a) = (on_server(server, name), records(300, 100, 0));
        warehouse.deliver("a", &a);
        a[200].2 += 0.5;
        a.extend(records(300, 1_000, 60));
        let held = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut rival = server.root_in(name);
                rival.query_drop("start transaction").expect("it starts");
                // The summary is written before the variants, and again for every round.
                rival.query_drop("update summary set variants = variants + 1").expect("nobody else holds it");
                held.store(true, Ordering::SeqCst);
                // The row is held until the load has waited in vain.
                let waiting = "%`summary`%";
                let connection = until_it_waits(server, name, waiting);
                until_it_gives_up(server, connection, waiting);
                rival.query_drop("rollback").expect("it ends");
            });
            while !held.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
            }
            let report = warehouse.deliver("a", &a);
            assert!(report["retries"].as_u64() >= Some(1), "{report}");
            assert_eq!(count(&report, "a", "rejected"), 5);
        });
        warehouse.check(&[&a]);
        assert_eq!(warehouse.sql("select count(*) from vardelta_rejects"), ["5"], "each once");
    });
}

#[test]
fn a_connection_that_is_cut_while_rows_are_quarantined_costs_nothing() {
    let seed = seed(1);
    each("a_connection_that_is_cut_while_rows_are_quarantined_costs_nothing", |server, name| {
        let (mut warehouse, mut random) = (on_server(server, name), Random::new(seed));
        let mut a = records(400, 100, 50);
        warehouse.deliver("a", &a);
        let mut through = |cut: Cut, quality: f64| {
            a.iter_mut().filter(|record| record.2 < 100.0 && record.2 >= 0.0).for_each(|record| record.2 = quality);
            let proxy = Proxy::start(server.port, cut, false);
            warehouse.project.write("drops/a.vcf", &super::vcf(&a));
            if let Database::Server { url, .. } = &mut warehouse.database {
                *url = server.url_at(proxy.port, name);
            }
            let said = finish(&mut warehouse.command("run", &["--json"]));
            if let Database::Server { url, .. } = &mut warehouse.database {
                *url = server.url(name);
            }
            // Whoever is cut before there is a transaction says so; whoever is cut in it goes on.
            assert!([0, 6].contains(&said.code), "{cut:?}: {}{}", said.stdout, said.stderr);
            let what = format!("{cut:?}, exit code {}", said.code);
            assert!(cut == Cut::Never || proxy.happened(), "{what}: it did not happen");
            if said.code == 6 {
                warehouse.run("run", &[], 0);
            }
            eprintln!("{what}");
            warehouse.check(&[&a]);
            let doubled = "select count(*) from vardelta_rejects group by epoch, line having count(*) > 1";
            assert_eq!(warehouse.sql(doubled), [""; 0], "{what}");
            proxy.bytes()
        };
        let bytes = through(Cut::Never, 1.0);
        for (at, cut) in [Cut::BeforeCommit, Cut::WithCommit, Cut::AfterCommit].into_iter().enumerate() {
            through(cut, 2.0 + at as f64);
        }
        for at in 0..CUTS {
            through(Cut::AfterBytes(1 + random.below(bytes as usize * 9 / 10) as u64), 10.0 + at as f64);
        }
    });
}

#[test]
fn a_death_at_any_step_leaves_the_state_before_or_after() {
    on_each("a_death_at_any_step_leaves_the_state_before_or_after", |warehouse| {
        let (mut drop, mut deaths) = (records(1_500, 100, 100), 0);
        warehouse.deliver("a", &drop);
        for (at, point) in [
            "commit:begin:1",
            "commit:batch:2",
            "commit:batch:3",
            "commit:applied:1",
            "commit:before-sink:1",
            "commit:after-sink:1",
        ]
        .into_iter()
        .enumerate()
        {
            drop.iter_mut().filter(|record| (0.0..50.0).contains(&record.2)).for_each(|record| record.2 = at as f64);
            warehouse.project.write("drops/a.vcf", &super::vcf(&drop));
            let said = finish(warehouse.command("run", &[]).env("VARDELTA_FAILPOINT", point));
            deaths += usize::from(said.code == -1);
            let report = warehouse.run("run", &["--json"], 0).json();
            if report["committed"] == true {
                assert_eq!(count(&report, "a", "rejected"), 15, "{point}");
            }
            warehouse.check(&[&drop]);
        }
        assert_eq!(deaths, 6);
    });
}

#[test]
fn a_drop_from_standard_input_is_quarantined_as_any_other() {
    on_each("a_drop_from_standard_input_is_quarantined_as_any_other", |warehouse| {
        let drop = records(200, 100, 100);
        let arguments = ["-", "--into", "calls", "--as", "piped", "--json"];
        let feed = || {
            let mut command = warehouse.command("run", &arguments);
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            let mut child = command.spawn().expect("vardelta can be started");
            let mut pipe = child.stdin.take().expect("standard input is a pipe");
            std::io::Write::write_all(&mut pipe, &super::vcf(&drop)).expect("it is read");
            std::mem::drop(pipe);
            vardelta_tests::project::Said::from(child.wait_with_output().expect("it ends")).expect(0).json()
        };
        let report = feed();
        assert_eq!((count(&report, "piped", "loaded"), count(&report, "piped", "rejected")), (198, 2));
        let rejects = "select drop_name, line, contig, pos from vardelta_rejects order by line";
        assert_eq!(warehouse.sql(rejects), ["piped|10|2|107", "piped|110|Y|207"]);
        warehouse.check(&[&drop]);
        assert_eq!(feed()["committed"], false, "the same again is nothing new");
        warehouse.run("withdraw", &["piped"], 0);
        warehouse.check(&[]);
    });
}
