//! What the server answers, and whom.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use mysql::prelude::Queryable as _;
use vardelta_test_servers::{Flavor, Options, Server, private};
use vardelta_tests::{
    process::until,
    server_project::{ServerProject, URL_VARIABLE},
    story,
    watching::{Watching, ask},
};

use super::{QUICK, drop_text, project};

const TOKEN: &str = "a-token-that-nobody-can-guess";

#[test]
fn health_fails_while_the_database_is_away_and_recovers() {
    let project = project();
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    let watching = Watching::start(&project, &QUICK, &[]);
    watching.until_drops(&[("a", "loaded")]);
    for path in ["/livez", "/readyz", "/health"] {
        let answer = watching.get(path);
        assert_eq!((answer.code, answer.json()["status"].as_str()), (200, Some("ok")), "{path}: {}", answer.body);
    }
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::rename(
            project.path(&format!("watched.sqlite{suffix}")),
            project.path(&format!("away.sqlite{suffix}")),
        );
    }
    let failing = watching.until("health fails", "/health", |answer| answer.code == 503);
    let failing = failing.json();
    assert_eq!(failing["status"], "failing");
    let checks = failing["checks"].as_array().expect("checks");
    let database = checks.iter().find(|check| check["name"] == "database").expect("the database is checked");
    assert!(
        database["message"].as_str().is_some_and(|why| why.contains("holds nothing of the pipeline")),
        "{database}"
    );
    assert_eq!((database["status"].as_str(), database["pipeline"].as_str()), (Some("failing"), Some("watched")));
    assert_eq!((watching.get("/readyz").code, watching.get("/livez").code), (503, 200));
    project.vardelta("health", &[]).expect(6);
    // What comes meanwhile waits, or is set aside; no other database is made for it.
    project.write("drops/b.vcf", drop_text(20..30).as_bytes());
    project.write("drops/bad.vcf", b"nonsense");
    until("it waits", || watching.stderr().contains("waiting, and trying again"));
    until("a bad file is set aside", || watching.stderr().contains("drop `bad` is set aside"));
    assert!(!project.path("watched.sqlite").exists(), "no other database is made");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::rename(
            project.path(&format!("away.sqlite{suffix}")),
            project.path(&format!("watched.sqlite{suffix}")),
        );
    }
    watching.until("health is well again", "/health", |answer| answer.code == 200);
    watching.until_drops(&[("a", "loaded"), ("b", "loaded"), ("bad", "set_aside")]);
}

#[test]
fn runs_drops_graph_and_metrics_are_told() {
    let project = project();
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    let watching = Watching::start(&project, &QUICK, &[]);
    watching.until_drops(&[("a", "loaded")]);
    project.write("drops/b.vcf", drop_text(20..30).as_bytes());
    project.write("drops/bad.vcf", b"nonsense\n");
    watching.until_drops(&[("a", "loaded"), ("b", "loaded"), ("bad", "set_aside")]);

    let runs = watching.get("/api/runs").json();
    let runs = runs.as_array().expect("a list");
    let committed: Vec<_> = runs.iter().filter(|run| run["state"] == "committed").collect();
    assert_eq!(committed.iter().map(|run| run["epoch"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(1)]);
    for run in &committed {
        assert!(run["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{run}");
        assert_eq!(
            (run["drops"][0]["read"].as_u64(), run["tables"][0]["inserted"].as_u64()),
            (Some(10), Some(10)),
            "{run}"
        );
    }
    assert!(runs.iter().any(|run| run["state"] == "failed" && run["kind"] == "input"), "{runs:?}");

    let graph = watching.get("/api/graph").json();
    assert_eq!(graph, project.vardelta("graph", &["--json"]).expect(0).json());
    assert_eq!(watching.get("/api/graph?pipeline=other").code, 404);
    assert_eq!(watching.get("/nothing").code, 404);

    let metrics = watching.get("/metrics");
    assert!(metrics.head.contains("text/plain; version=0.0.4; charset=utf-8"), "{}", metrics.head);
    let value = |name: &str| {
        let line = metrics
            .body
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {}", metrics.body));
        line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok()).expect("a number")
    };
    assert_eq!(value("vardelta_records_total{pipeline=\"watched\",stage=\"calls\",outcome=\"loaded\"}"), 20.0);
    assert_eq!(value("vardelta_rows_changed_total{pipeline=\"watched\",table=\"variants\",op=\"insert\"}"), 20.0);
    assert_eq!(value("vardelta_epoch{pipeline=\"watched\"}"), 2.0);
    for name in ["disk_free_bytes", "memory_available_bytes", "last_success_timestamp_seconds"] {
        assert!(value(&format!("vardelta_{name}{{")) > 0.0, "{name}");
    }
    until("the age of what waits is reported", || {
        let text = watching.get("/metrics").body;
        text.lines().any(|line| {
            line.strip_prefix("vardelta_oldest_pending_drop_seconds{pipeline=\"watched\"} ")
                .is_some_and(|age| age.parse::<f64>().is_ok_and(|age| age > 0.0))
        })
    });
    assert!(!metrics.body.contains("bad"), "no file is a label: {}", metrics.body);

    let page = watching.get("/");
    assert!(page.code == 200 && page.body.contains("watched"), "{}", page.body);
    for header in
        ["content-security-policy: default-src 'self'", "x-content-type-options: nosniff", "cache-control: no-store"]
    {
        assert!(page.head.to_ascii_lowercase().contains(header), "{header}: {}", page.head);
    }
}

#[test]
fn a_foreign_address_needs_a_token_and_everything_there_is_401_without_it() {
    let project = project();
    let foreign = ["--listen", "0.0.0.0:0"];
    project.vardelta("watch", &foreign).expect(2).says(&["no token is given", "--token-file"]);
    project.vardelta("watch", &["--listen", "nowhere"]).expect(2).says(&["is no address"]);
    project.write("short", b"short\n");
    project.vardelta("watch", &["--listen", "0.0.0.0:0", "--token-file", "short"]).expect(2).says(&["16"]);
    project.write("token", format!("{TOKEN}\n").as_bytes());

    let watching =
        Watching::start(&project, &["--listen", "0.0.0.0:0", "--token-file", "token", "--every", "100ms"], &[]);
    let address = watching.address().replace("0.0.0.0", "127.0.0.1");
    let get = |path: &str, header: &str| {
        ask(&address, &format!("GET {path} HTTP/1.1\r\nHost: example.org\r\n{header}"), "").expect("an answer")
    };
    for path in [
        "/",
        "/livez",
        "/readyz",
        "/health",
        "/metrics",
        "/api/runs",
        "/api/drops",
        "/api/graph",
        "/nothing",
        "/?token=wrong",
    ] {
        let answer = get(path, "");
        assert_eq!(answer.code, 401, "{path}");
        assert!(!answer.body.contains("watched"), "{path}: {}", answer.body);
        assert_eq!(get(path, "Authorization: Bearer a-token-that-nobody-can-gues\r\n").code, 401, "{path}");
        assert_eq!(get(path, "Cookie: vardelta_session=\r\n").code, 401, "{path}");
    }
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!((get("/livez", &bearer).code, get("/nothing", &bearer).code), (200, 404));

    // A browser hands it in once, by the address or by the form, and never shows it again.
    let cookie_of = |answer: &vardelta_tests::watching::Answer| {
        assert_eq!(answer.code, 303, "{answer:?}");
        let line =
            answer.head.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie: ")).expect("a cookie");
        let (_, cookie) = line.split_once(": ").expect("a header");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(TOKEN),
            "{cookie}"
        );
        cookie.split(';').next().expect("a value").to_owned()
    };
    let by_address = get(&format!("/?token={TOKEN}"), "");
    assert!(by_address.head.to_ascii_lowercase().contains("location: /\r\n"), "{}", by_address.head);
    let post = |token: &str| {
        let head = "POST /login HTTP/1.1\r\nHost: example.org\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        ask(&address, head, &format!("token={token}")).expect("an answer")
    };
    assert_eq!(post("wrong").code, 401);
    for cookie in [cookie_of(&by_address), cookie_of(&post(TOKEN))] {
        let page = get("/", &format!("Cookie: {cookie}\r\n"));
        assert!(page.code == 200 && page.body.contains("watched"), "{page:?}");
    }
    assert!(!watching.stderr().contains(TOKEN));
}

#[test]
fn without_a_token_only_names_of_this_machine_are_answered() {
    let project = project();
    let watching = Watching::start(&project, &QUICK, &[]);
    let address = watching.address();
    let of =
        |host: &str| ask(&address, &format!("GET /livez HTTP/1.1\r\nHost: {host}\r\n"), "").expect("an answer").code;
    assert_eq!((of("127.0.0.1:1"), of("localhost"), of("evil.example")), (200, 200, 403));
}

#[test]
fn slow_and_many_clients_keep_nobody_waiting() {
    let project = project();
    let watching = Watching::start(&project, &QUICK, &[]);
    let address = watching.address();
    // Each has sent half a request, and there are more than are served at once.
    let mut slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("a connection");
            let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: local");
            stream
        })
        .collect();
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    until("the drop is loaded meanwhile", || watching.stdout().contains("epoch 1 committed"));
    // Those that are held are let go in time, and others are answered then.
    let started = Instant::now();
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(watching.get("/livez").code, 200);
}

fn a_server_that_goes_and_comes_back(test: &str, flavor: Flavor) {
    let Some(server) = private(test, flavor, &Options::default()) else { return };
    let of = ServerProject::new(&server, story::PIPELINE, "");
    let url = server.url(&of.database);
    let text = String::from_utf8(of.project.bytes("pipeline.toml")).expect("UTF-8");
    let health = "[operate.health]\ndisk_free_gb = 0\nmemory_available_gb = 0\n";
    of.project.write("pipeline.toml", format!("{text}\n{health}").as_bytes());
    let mut watching = Watching::start(&of.project, &QUICK, &[(URL_VARIABLE, &url)]);
    story::write_drop(&of.project, "alpha", &story::lines(1, 30));
    of.project.write("drops/bad.vcf", b"nonsense\n");
    watching.until_drops(&[("alpha", "loaded"), ("bad", "set_aside")]);
    assert_eq!(watching.get("/health").code, 200);
    until("the ledger has what is set aside", || {
        let rows: Vec<u64> =
            server.root_in(&of.database).query("SELECT attempts FROM vardelta_set_aside").expect("a query");
        rows == [1]
    });

    server.kill();
    watching.until("health fails", "/health", |answer| answer.code == 503);
    // The last answer is five seconds old at the most, and the next one does not wait for longer than the database may take.
    let started = Instant::now();
    assert_eq!(watching.get("/health").code, 503);
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
    story::write_drop(&of.project, "beta", &story::lines(31, 30));
    until("it waits", || watching.stderr().contains("waiting, and trying again"));
    assert_eq!(watching.get("/livez").code, 200);

    server.start_again();
    watching.until("health is well again", "/health", |answer| answer.code == 200);
    watching.until_drops(&[("alpha", "loaded"), ("bad", "set_aside"), ("beta", "loaded")]);
    assert!(watching.end("TERM").success());
    assert!(!Server::secrets().iter().any(|secret| watching.stderr().contains(secret)), "{}", watching.stderr());
    of.vardelta("verify", &[]).expect(0);
}

#[test]
fn mariadb_that_goes_fails_health_and_is_waited_for() {
    a_server_that_goes_and_comes_back("mariadb_that_goes_fails_health_and_is_waited_for", Flavor::MariaDb);
}

#[test]
fn mysql_that_goes_fails_health_and_is_waited_for() {
    a_server_that_goes_and_comes_back("mysql_that_goes_fails_health_and_is_waited_for", Flavor::MySql);
}
