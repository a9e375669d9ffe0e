//! Rows on their way to the server before the last record is read meet another client, lose their connection, are refused,
//! or belong to a run that is ended: the load is then written as a whole at its end, or not at all.

use mysql::{Conn, Row, prelude::Queryable};
use vardelta_engine::{
    abort::Abort,
    error::{RunError, RunErrorKind},
    observer::Unobserved,
    report::RunReport,
    run::{self, Context, RunOptions},
};
use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{
    drop_file::{self, HEADER, Packing},
    in_process::Warehouse,
    server_database::{Contents, literals, read_contents},
    story,
    waiting::{until_it_gives_up, until_it_waits},
};

use super::on_both;

/// Files are cut about every 1 MiB, so that each of these records is a piece of work of its own.
const PADDING_BYTES: usize = 1_100_000;
/// The server gives up waiting for a row after this long.
const OPTIONS: &str = "lock_wait_seconds = 1\nchecks = { variants = [\"quality <= 90\"] }";
/// The statement that waits.
const LOADING: &str = "LOAD DATA%";

/// A pipeline of which some rows stand, with its database.
struct Scene {
    warehouse: Warehouse,
    server: &'static Server,
    database: String,
}

impl Scene {
    fn new(server: &'static Server) -> Scene {
        let database = server.new_database();
        let text = story::PIPELINE.on_server(OPTIONS).replace("max_reject_share = 1.0", "max_reject_share = 0.2");
        let scene = Scene { warehouse: Warehouse::at(server.url(&database), &text), server, database };
        scene.deliver("standing", &[(1, "20"), (2, "21")]);
        scene.run(&Abort::default()).expect("the first load works");
        scene
    }

    /// Writes a drop of these positions and qualities.
    fn deliver(&self, name: &str, records: &[(u32, &str)]) {
        let padding = "x".repeat(PADDING_BYTES);
        let line = |(position, quality): &(u32, &str)| {
            format!(
                "7\t{position}\t.\tA\tC\t{quality}\tPASS\tPAD={padding};ANN=C|missense_variant|LOW|EGFR|E-id|transcript|\
                 E-t|protein_coding|1/1|c.1|p.1|||||\n"
            )
        };
        let text = format!("{HEADER}{}", records.iter().map(line).collect::<String>());
        drop_file::write(&self.warehouse.drops(), name, &text, Packing::Plain);
    }

    /// A run that takes up record after record.
    fn run(&self, abort: &Abort) -> Result<RunReport, RunError> {
        let options = RunOptions { workers: Some(1), ..RunOptions::default() };
        run::run(Context { plan: &self.warehouse.plan(1), abort, observer: &Unobserved }, &options)
    }

    fn connect(&self) -> Conn {
        self.server.root_in(&self.database)
    }

    fn contents(&self) -> Contents {
        read_contents(&mut self.connect(), story::PIPELINE.keys)
    }

    /// Positions and qualities as they are; the summary must agree, and so must the state.
    #[track_caller]
    fn standing(&self) -> Vec<String> {
        let sums = "SELECT COALESCE(SUM(variant_count), 0) = (SELECT COUNT(*) FROM variants) FROM mutation_summary";
        assert_eq!(literals(&mut self.connect(), sums), ["1"], "the summary counts the variants");
        let verified = self.warehouse.verify(&RunOptions::default()).expect("verify works");
        assert_eq!(verified.difference_count, 0);
        literals(&mut self.connect(), "SELECT position, quality FROM variants ORDER BY position")
    }

    /// Another client that has put the row of position 10 in place and not yet committed.
    fn rival(&self) -> Conn {
        self.deliver("rival", &[(10, "50")]);
        self.run(&Abort::default()).expect("the rival's row can be loaded");
        let row: Row =
            self.connect().query_first("SELECT * FROM variants WHERE position = 10").ok().flatten().expect("a row");
        let values: Vec<String> = row.unwrap().iter().map(|value| value.as_sql(true)).collect();
        self.warehouse.withdraw(1, &["rival".into()], &RunOptions::default()).expect("and withdrawn");
        drop_file::remove(&self.warehouse.drops(), "rival");
        let mut rival = self.connect();
        rival.query_drop("START TRANSACTION").expect("a transaction begins");
        rival
            .query_drop(format!("INSERT INTO variants VALUES ({})", values.join(",")))
            .expect("the row is put in place");
        rival
    }
}

/// What comes of a load whose first row waits for another client's, while `disturb` does something about it.
fn beside_a_rival(scene: &Scene, abort: &Abort, disturb: impl FnOnce(u64) + Send) -> Result<RunReport, RunError> {
    let mut rival = scene.rival();
    scene.deliver("next", &[(10, "30"), (11, "31"), (1, "32"), (12, "33")]);
    std::thread::scope(|scope| {
        let disturbing = scope.spawn(move || {
            disturb(until_it_waits(scene.server, &scene.database, LOADING));
            rival.query_drop("ROLLBACK").expect("the other client gives its row back");
        });
        let result = scene.run(abort);
        disturbing.join().expect("the other client works");
        result
    })
}

const AFTER: [&str; 5] = ["1, 32.00", "2, 21.00", "10, 30.00", "11, 31.00", "12, 33.00"];

fn quoted(rows: Vec<String>) -> Vec<String> {
    rows.iter().map(|row| row.replace('\'', "")).collect()
}

fn waits(server: &'static Server) {
    let scene = Scene::new(server);
    let report = beside_a_rival(&scene, &Abort::default(), |id| until_it_gives_up(server, id, LOADING));
    let report = report.expect("the load works");
    assert_eq!((report.retries > 0, report.rows_ahead), (true, 0), "the rows were given up and written at the end");
    assert_eq!(quoted(scene.standing()), AFTER);
    let changed = "SELECT COUNT(*) FROM variants WHERE changed_epoch = (SELECT MAX(epoch) FROM vardelta_epochs)";
    assert_eq!(literals(&mut scene.connect(), changed), ["4"]);
}

on_both!(waits: rows_ahead_on_mariadb_give_way_to_another_client, rows_ahead_on_mysql_give_way_to_another_client);

fn killed(server: &'static Server) {
    let scene = Scene::new(server);
    let report = beside_a_rival(&scene, &Abort::default(), |id| {
        server.root().query_drop(format!("KILL CONNECTION {id}")).expect("a connection can be killed");
    });
    let report = report.expect("the load works");
    assert_eq!((report.retries, report.rows_ahead), (1, 0));
    assert_eq!(quoted(scene.standing()), AFTER);
}

on_both!(killed: rows_ahead_on_mariadb_outlive_their_connection, rows_ahead_on_mysql_outlive_their_connection);

fn ended(server: &'static Server) {
    let scene = Scene::new(server);
    let (before, abort) = (scene.contents(), Abort::default());
    let error =
        beside_a_rival(&scene, &abort, |_| abort.raise(RunError::interrupted())).expect_err("the run was ended");
    assert_eq!(error.kind, RunErrorKind::Interrupted);
    let found = scene.contents();
    assert_eq!(found.tables.rows, before.tables.rows, "nothing was kept");
    scene.run(&Abort::default()).expect("the next run finds the lock free");
    assert_eq!(quoted(scene.standing()), AFTER);
}

on_both!(ended: rows_ahead_on_mariadb_go_with_an_ended_run, rows_ahead_on_mysql_go_with_an_ended_run);

/// A row that the server refuses may be replaced by a later record of the drop; only what stands in the end is judged.
fn refused(server: &'static Server) {
    let scene = Scene::new(server);
    scene.deliver("next", &[(10, "95"), (11, "31"), (10, "30"), (12, "33"), (1, "32")]);
    let report = scene.run(&Abort::default()).expect("no refused row stands in the end");
    assert_eq!((report.retries, report.rows_ahead), (0, 0));
    assert_eq!(quoted(scene.standing()), AFTER);
    scene.deliver("worse", &[(20, "95"), (21, "50")]);
    let before = scene.contents();
    let error = scene.run(&Abort::default()).expect_err("this one stands");
    assert!(error.message.contains("position = 20"), "{error}");
    assert_eq!(scene.contents(), before);
}

on_both!(refused: a_refused_row_ahead_on_mariadb_may_be_replaced, a_refused_row_ahead_on_mysql_may_be_replaced);

fn too_many_rejects(server: &'static Server) {
    let scene = Scene::new(server);
    let before = scene.contents();
    scene.deliver("next", &[(10, "30"), (11, "31"), (12, "nonsense"), (13, "nonsense")]);
    let error = scene.run(&Abort::default()).expect_err("half of the records are rejected");
    assert_eq!(error.kind, RunErrorKind::RejectShare);
    assert_eq!(scene.contents(), before, "nothing was kept");
    scene.deliver("next", &[(10, "30"), (11, "31"), (12, "33"), (1, "32")]);
    let report = scene.run(&Abort::default()).expect("the next run finds the lock free");
    assert_eq!(report.rows_ahead, 3, "all new rows but the last record's");
    assert_eq!(quoted(scene.standing()), AFTER);
}

on_both!(too_many_rejects: rows_ahead_on_mariadb_go_with_a_refused_drop, rows_ahead_on_mysql_go_with_a_refused_drop);
