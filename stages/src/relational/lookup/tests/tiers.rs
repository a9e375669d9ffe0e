//! Tiers: each alone makes a second run ask nothing, and none can fail a run.

use std::{path::PathBuf, sync::Arc};

use vardelta_engine::contract::{
    lookup::{Answer, Asker, LookupFigures},
    sink::{Access, AnswerStore, Server, Sink, SinkError, SinkErrorKind, SinkStage},
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect,
        marks::Marks,
        view::{Place, Relation, Statement, Unsayable},
    },
};
use vardelta_test_servers::RedisServer;
use vardelta_testservice::{Act, Service};

use super::{ask, asker, asker_beside, folder, query, service, short};
use crate::sinks::{mysql::answers_at, sqlite::answers::SqliteAnswers};

const KEYS: [&str; 4] = ["BRCA1", "NOTAGENE", "TP53", "VHL"];
const WELL: [&str; 4] = ["BRCA1=672", "NOTAGENE=absent", "TP53=7157", "VHL=7428"];

/// A sink that can do nothing but keep answers.
enum Keeper {
    Sqlite(PathBuf),
    MySql(String),
}

impl SinkStage for Keeper {
    fn default_state_dir(&self) -> Option<PathBuf> {
        None
    }

    fn location(&self) -> String {
        "a keeper".into()
    }

    fn connect(&self, _: Access) -> Result<Box<dyn Sink>, SinkError> {
        Err(SinkError::new(SinkErrorKind::Unavailable, "no tables here".to_owned()))
    }

    fn open_answers(&self) -> Result<Option<Box<dyn AnswerStore>>, SinkError> {
        match self {
            Keeper::Sqlite(path) => Ok(Some(Box::new(SqliteAnswers::beside(path)))),
            Keeper::MySql(url) => answers_at(url).map(Some),
        }
    }

    fn server(&self) -> Server {
        Server { dialect: Dialect::Sqlite, words: "a keeper".into() }
    }

    fn statements(&self, _: &[TableSchema], _: Dialect) -> Vec<String> {
        Vec::new()
    }

    fn view(&self, view: &Relation, dialect: Dialect) -> Result<Statement, Unsayable> {
        view.statement(dialect, &|table| Place { name: table.name.clone(), marks: Marks::None })
    }
}

/// Two runs: the second makes no request and says what the first said.
fn warms(service: &Service, toml: &str, database: Option<Arc<dyn SinkStage>>, hits: fn(&LookupFigures) -> u64) {
    service.reset();
    let (first_folder, second_folder) = (folder(), folder());
    // The disk tier lies where both find it.
    let toml = toml.replace("SHARED", &first_folder.path().display().to_string());
    let (first, figures) = ask(&mut asker_beside(&toml, first_folder.path(), database.clone()), &KEYS);
    assert_eq!((short(&first), figures.tier_errors), (WELL.map(str::to_owned).into(), 0));
    let (second, figures) = ask(&mut asker_beside(&toml, second_folder.path(), database), &KEYS);
    assert_eq!(second, first, "to the bit");
    assert_eq!((hits(&figures), figures.requests, figures.tier_errors), (4, 0, 0), "{figures:?}");
    assert_eq!(service.asked().len(), 1);
}

#[test]
fn each_tier_alone_makes_the_second_run_warm() {
    let service = service();
    let toml = |cache: &str| query(&service, "", &format!("[cache]\n{cache}"));
    warms(&service, &toml("memory_entries = 100"), None, |figures| figures.memory);
    warms(&service, &toml("disk = \"SHARED/api\""), None, |figures| figures.disk);
    let folder = folder();
    let file = folder.path().join("sink.sqlite");
    rusqlite::Connection::open(&file).and_then(|sink| sink.execute("CREATE TABLE t (x)", [])).expect("a sink");
    let keeper = || Some(Arc::new(Keeper::Sqlite(file.clone())) as Arc<dyn SinkStage>);
    warms(&service, &toml("database = true"), keeper(), |figures| figures.database);
    if let Some(redis) = RedisServer::start("each_tier_alone_makes_the_second_run_warm") {
        warms(&service, &toml(&format!("redis = \"{}\"", redis.url())), None, |figures| figures.redis);
    }
}

#[test]
fn a_servers_table_keeps_answers_while_somebody_has_it_locked() {
    vardelta_test_servers::each("a_servers_table_keeps_answers_while_somebody_has_it_locked", |server, database| {
        let service = service();
        let url = server.url(database);
        let keeper = || Some(Arc::new(Keeper::MySql(url.clone())) as Arc<dyn SinkStage>);
        let toml = query(&service, "", "[cache]\ndatabase = true");
        warms(&service, &toml, keeper(), |figures| figures.database);
        let folder = folder();
        let mut locking = server.root_in(database);
        mysql::prelude::Queryable::query_drop(&mut locking, "LOCK TABLES api_cache WRITE").expect("locked");
        let (told, figures) = ask(&mut asker_beside(&toml, folder.path(), keeper()), &["KRAS"]);
        assert_eq!(short(&told), ["KRAS=3845"], "the service knows it");
        assert!(figures.tier_errors > 0, "{figures:?}");
        mysql::prelude::Queryable::query_drop(&mut locking, "UNLOCK TABLES").expect("unlocked");
        let (_, figures) = ask(&mut asker_beside(&toml, folder.path(), keeper()), &["TP53"]);
        assert_eq!((figures.database, figures.tier_errors), (1, 0));
    });
}

#[test]
fn what_a_lower_tier_knew_the_upper_ones_know_then() {
    let (service, folder) = (service(), folder());
    let disk_only = query(&service, "", "[cache]\ndisk = \"api\"");
    ask(&mut asker(&disk_only, folder.path()), &KEYS);
    let both = query(&service, "", "[cache]\nmemory_entries = 100\ndisk = \"api\"");
    let (_, figures) = ask(&mut asker(&both, folder.path()), &KEYS);
    assert_eq!((figures.disk, figures.memory), (4, 0));
    let (_, figures) = ask(&mut asker(&both, folder.path()), &KEYS);
    assert_eq!((figures.disk, figures.memory), (0, 4));
}

#[test]
fn redis_that_dies_in_the_middle_is_skipped_and_counted() {
    let (service, folder) = (service(), folder());
    let Some(redis) = RedisServer::start("redis_that_dies_in_the_middle_is_skipped_and_counted") else { return };
    let toml = query(&service, "", &format!("[cache]\nredis = \"{}\"", redis.url()));
    let mut asker = asker(&toml, folder.path());
    ask(&mut asker, &["BRCA1"]);
    drop(redis);
    let (told, figures) = ask(&mut asker, &["BRCA1", "TP53"]);
    assert_eq!(short(&told), ["BRCA1=672", "TP53=7157"]);
    assert!(figures.tier_errors > 0 && figures.failed == 0, "{figures:?}");
}

#[test]
fn failures_are_kept_nowhere_and_old_answers_stand_in_for_them() {
    let (service, folder) = (service(), folder());
    service.otherwise(Some(Act::Status(500, None)));
    let toml = query(&service, "retries = 0", "[cache]\ndisk = \"api\"\nttl = \"0s\"\nstale_if_error = \"30d\"");
    let (_, figures) = ask(&mut asker(&toml, folder.path()), &["TP53"]);
    assert_eq!((figures.failed, figures.requests), (1, 1));
    service.otherwise(None);
    let (told, figures) = ask(&mut asker(&toml, folder.path()), &["TP53"]);
    assert_eq!((short(&told), figures.requests), (vec!["TP53=7157".to_owned()], 1), "nothing was kept of the failure");
    service.otherwise(Some(Act::Status(500, None)));
    let (told, figures) = ask(&mut asker(&toml, folder.path()), &["TP53"]);
    assert_eq!(short(&told), ["TP53=7157"], "too old, and better than nothing");
    assert_eq!((figures.disk, figures.failed, figures.requests), (1, 0, 1));
    let Answer::Found { until_s, .. } = &told[0].1 else { panic!("{told:?}") };
    assert!(until_s.is_some(), "it is to be asked for again");
}

#[test]
fn a_new_release_asks_anew() {
    let (service, folder) = (service(), folder());
    let toml = |release: &str| {
        format!(
            "key = \"gene\"\nurl = \"{}?ids={{keys}}\"\nrows = \"$.genes[*]\"\nanswer_key = \"$~\"\nrate_per_s = 1000\nrelease = \"{release}\"\n\
             [columns]\nentrez_id = {{ path = \"$.entrezgene\", type = \"int64\" }}\n[cache]\ndisk = \"api\"",
            service.url("/genes")
        )
    };
    // Named by the service: what it says of one key shows that the others are old.
    let path = toml("$.meta.release");
    let (told, _) = ask(&mut asker(&path, folder.path()), &["BRCA1", "TP53"]);
    let Answer::Found { release, .. } = &told[0].1 else { panic!("{told:?}") };
    assert_eq!(release.as_deref(), Some("2026-11"));
    service.set_release("2026-12");
    let (_, figures) = ask(&mut asker(&path, folder.path()), &["BRCA1", "KRAS"]);
    assert_eq!((figures.disk, figures.answered), (1, 1), "nobody knew yet");
    let (_, figures) = ask(&mut asker(&path, folder.path()), &["BRCA1", "KRAS", "TP53"]);
    assert_eq!((figures.disk, figures.answered), (1, 2), "KRAS is of the new release");
    // Named by the file: another text asks for everything.
    ask(&mut asker(&toml("r1"), folder.path()), &["TP53"]);
    let (_, figures) = ask(&mut asker(&toml("r1"), folder.path()), &["TP53"]);
    assert_eq!(figures.disk, 1);
    let (_, figures) = ask(&mut asker(&toml("r2"), folder.path()), &["TP53"]);
    assert_eq!(figures.answered, 1);
}

#[test]
fn what_is_forgotten_is_in_no_tier() {
    let (service, folder) = (service(), folder());
    let toml = query(&service, "", "[cache]\nmemory_entries = 10\ndisk = \"api\"");
    ask(&mut asker(&toml, folder.path()), &["BRCA1", "TP53"]);
    asker(&toml, folder.path()).forget(&["TP53".into()]).expect("forgotten");
    let (_, figures) = ask(&mut asker(&toml, folder.path()), &["BRCA1", "TP53"]);
    assert_eq!((figures.memory, figures.answered), (1, 1));
    let unreachable = query(&service, "", "[cache]\nredis = \"redis://127.0.0.1:1/\"");
    let error = asker(&unreachable, folder.path()).forget(&["TP53".into()]).expect_err("not forgotten");
    assert!(error.message.contains("does not forget"), "{error}");
}

#[test]
fn a_sink_that_is_busy_gets_its_answers_at_the_end() {
    let (service, folder) = (service(), folder());
    let file = folder.path().join("sink.sqlite");
    let sink = rusqlite::Connection::open(&file).expect("a sink");
    sink.execute_batch("CREATE TABLE t (x); BEGIN IMMEDIATE").expect("busy");
    let keeper = || Some(Arc::new(Keeper::Sqlite(file.clone())) as Arc<dyn SinkStage>);
    let toml = query(&service, "", "[cache]\ndatabase = true");
    let mut busy = asker_beside(&toml, folder.path(), keeper());
    let (_, figures) = ask(&mut busy, &["TP53"]);
    assert_eq!(figures.answered, 1);
    sink.execute_batch("COMMIT").expect("done");
    drop(busy);
    let (_, figures) = ask(&mut asker_beside(&toml, folder.path(), keeper()), &["TP53"]);
    assert_eq!(figures.database, 1);
}
