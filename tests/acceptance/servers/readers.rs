//! Readers look while loads, replacements and withdrawals run: they never see half of one, and never wait for one.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use mysql::{Conn, prelude::Queryable};
use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{model::numbers::decimal_mean, server_project::ServerProject, story};

use super::on_both;

/// Nobody waits for longer than this for a look at the tables.
const PATIENCE: Duration = Duration::from_secs(1);
/// Looks at the least.
const LOOKS: usize = 20;
/// Loads while readers look.
const LOADS: usize = 5;

/// Of each gene: variants, their average quality in millionths, and how many are pathogenic.
type Summary = BTreeMap<String, (i64, i128, i64)>;

/// A decimal as a whole number of its last digits.
fn digits(decimal: &str) -> i128 {
    decimal.replace('.', "").parse().expect("a decimal")
}

/// Both tables, or views of that suffix, as of one moment: the summary as it is kept, and as it follows from the variants.
fn look(connection: &mut Conn, suffix: &str) -> (Summary, Summary) {
    connection.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT").expect("a transaction can be started");
    let kept: Vec<(String, i64, String, i64)> = connection
        .query(format!(
            "SELECT gene_symbol, variant_count, avg_quality, pathogenic_count FROM mutation_summary{suffix}"
        ))
        .expect("the summary can be read");
    let computed: Vec<(String, i64, String, i64)> = connection
        .query(format!(
            "SELECT gene_symbol, COUNT(*), SUM(quality), CAST(SUM(clinical_significance <=> 'Pathogenic') AS SIGNED) \
             FROM variants{suffix} GROUP BY gene_symbol"
        ))
        .expect("the variants can be read");
    connection.query_drop("COMMIT").expect("a transaction can be ended");
    let kept = kept.into_iter().map(|(gene, count, mean, pathogenic)| (gene, (count, digits(&mean), pathogenic)));
    let computed = computed.into_iter().map(|(gene, count, sum, pathogenic)| {
        let mean = decimal_mean(digits(&sum), count.into(), 4).expect("a gene has variants");
        (gene, (count, mean, pathogenic))
    });
    (kept.collect(), computed.collect())
}

/// Looks until told to stop; returns how often, how many different tables were seen, and the longest time that a look took.
fn keep_looking(server: &Server, database: &str, suffix: &str, stop: &AtomicBool) -> (usize, usize, Duration) {
    let mut connection = server.root_in(database);
    connection.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").expect("a session's setting");
    let (mut looks, mut different, mut longest, mut last) = (0, 0, Duration::ZERO, Summary::new());
    while !stop.load(Ordering::SeqCst) {
        let started = Instant::now();
        let (kept, computed) = look(&mut connection, suffix);
        longest = longest.max(started.elapsed());
        assert_eq!(kept, computed, "look {looks}: the summary is not that of the variants");
        looks += 1;
        different += usize::from(kept != last);
        last = kept;
        std::thread::sleep(Duration::from_millis(2));
    }
    (looks, different, longest)
}

fn readers(server: &'static Server) {
    while_loads_run(server, "", "");
}

/// Readers of the views see of tables whose rows stay marked what others see of tables without marks.
fn readers_of_views(server: &'static Server) {
    while_loads_run(server, "on_delete = \"mark\"", "_live");
}

fn while_loads_run(server: &'static Server, option: &str, suffix: &str) {
    let project = &ServerProject::new(server, story::PIPELINE, option);
    server.allow_views(&project.database);
    let drops = project.project.path("drops");
    let deliver = |version| {
        let text = story::big_drop(1_500, version);
        vardelta_tests::drop_file::write(&drops, "big", &text, vardelta_tests::drop_file::Packing::Plain);
    };
    deliver(1);
    project.vardelta("run", &[]).expect(0);
    let stop = AtomicBool::new(false);
    let (looks, different, longest) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| keep_looking(server, &project.database, suffix, &stop));
        let work = || {
            for version in 1..=LOADS {
                deliver(10 + version);
                story::write_drop(&project.project, "more", &story::lines(version as u64, 40));
                project.vardelta("run", &[]).expect(0);
                project.vardelta("withdraw", &["more"]).expect(0);
            }
            project.vardelta("withdraw", &["big"]).expect(0);
            project.vardelta("run", &[]).expect(0);
        };
        // A reader that is left looking would keep the scope open for ever.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::SeqCst);
        let seen = reader.join().expect("every look agreed with itself");
        worked.expect("every load worked");
        seen
    });
    eprintln!("{looks} looks at {different} different states, the longest took {longest:?}");
    assert!(looks > LOOKS && different > LOADS, "{looks} looks saw {different} different states");
    assert!(longest < PATIENCE, "a look took {longest:?}");
}

on_both!(readers: readers_on_mariadb_never_see_half_a_load_nor_wait, readers_on_mysql_never_see_half_a_load_nor_wait);
on_both!(readers_of_views: readers_of_views_on_mariadb_never_see_half_a_load, readers_of_views_on_mysql_never_see_half_a_load);
