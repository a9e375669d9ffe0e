//! Metrics in the classic text format, in a file and posted; and health.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::{FileTypeExt as _, symlink},
    process::Command,
};

use vardelta_tests::{project::Project, web_sink::WebSink};

use super::pipeline;

fn project(operate: &str) -> Project {
    let project = Project::new(&format!("{}\n[operate]\n{operate}\n", pipeline("info = [\"DP\"]")));
    project.write_drop("one", "", &["1 5 . A C 9 PASS DP=x", "1 x . A C 9 PASS .", "1 6 . A C 9 PASS DP=2"]);
    project
}

/// The samples of a text, after a look at its form.
#[track_caller]
fn samples(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut metric) = (BTreeMap::new(), String::new());
    assert!(text.ends_with('\n'), "{text}");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            metric = rest.split(' ').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(rest.starts_with(&format!("{metric} ")), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            assert!(name.starts_with(&metric) && name.contains("{pipeline=\"said\"") && name.ends_with('}'), "{line}");
            assert!(
                samples.insert(name.to_owned(), value.parse().expect("a number")).is_none(),
                "{line} is there twice"
            );
        }
    }
    samples
}

#[track_caller]
fn value(samples: &BTreeMap<String, f64>, name: &str, labels: &str) -> f64 {
    let name = format!("vardelta_{name}{{pipeline=\"said\"{labels}}}");
    *samples.get(&name).unwrap_or_else(|| panic!("{name} is not among {samples:?}"))
}

#[test]
fn the_textfile_tells_of_every_run_and_keeps_the_last_success() {
    let project = project("textfile = \"vardelta.prom\"");
    let read = || samples(std::str::from_utf8(&project.bytes("vardelta.prom")).expect("UTF-8"));
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    let first = read();
    for (outcome, count) in [("loaded", 2.0), ("rejected", 1.0), ("filtered", 0.0), ("duplicate", 0.0)] {
        assert_eq!(value(&first, "records_total", &format!(",stage=\"calls\",outcome=\"{outcome}\"")), count);
    }
    assert_eq!(value(&first, "rows_changed_total", ",table=\"variants\",op=\"insert\""), 2.0);
    assert_eq!(value(&first, "rejects_total", ",reason=\"bad_position\""), 1.0);
    assert_eq!(value(&first, "warnings_total", ",reason=\"bad_info_value\""), 1.0);
    assert_eq!((value(&first, "epoch", ""), value(&first, "last_run_status", "")), (1.0, 1.0));
    assert_eq!(value(&first, "run_duration_seconds_bucket", ",le=\"+Inf\""), 1.0);
    for stage in report["stages"].as_array().expect("stages") {
        let name = stage["name"].as_str().expect("a name");
        let busy = value(&first, "stage_busy_seconds_total", &format!(",stage=\"{name}\""));
        assert_eq!(Some(busy), stage["seconds"].as_f64());
        value(&first, "stage_wait_seconds_total", &format!(",stage=\"{name}\",cause=\"input\""));
    }
    assert!(value(&first, "disk_free_bytes", "") > 0.0 && value(&first, "memory_available_bytes", "") > 0.0);
    // Neither drops nor genes nor samples are labels.
    assert!(first.keys().all(|name| !name.contains("one")), "{first:?}");

    project.write("drops/two.vcf", b"nonsense\n");
    project.vardelta("run", &[]).expect(4);
    let failed = read();
    assert_eq!(value(&failed, "last_run_status", ""), 0.0);
    let success = |samples| value(samples, "last_success_timestamp_seconds", "");
    assert_eq!(success(&failed), success(&first));
    assert_eq!(value(&failed, "rejects_total", ",reason=\"bad_position\""), 1.0);

    project.write_drop("two", "", &["2 x . A C 9 PASS .", "2 6 . A C 9 PASS ."]);
    project.vardelta("run", &[]).expect(0);
    let last = read();
    assert_eq!(value(&last, "rejects_total", ",reason=\"bad_position\""), 2.0);
    assert_eq!(value(&last, "run_duration_seconds_count", ""), 3.0);
    assert_eq!((value(&last, "epoch", ""), value(&last, "last_run_status", "")), (2.0, 1.0));
    assert!(success(&last) >= success(&first));
}

#[test]
fn nothing_but_metrics_and_events_is_written_to() {
    let project = project("");
    let pipe = project.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("coreutils").success());
    project.write("notes.txt", b"mine\n");
    symlink("latest.prom", project.path("link.prom")).expect("a link");
    project.write("latest.prom", b"");
    let all = ["drops/one.vcf", "pipeline.toml", "notes.txt", "drops", "pipe", "said.sqlite"];
    for (key, paths) in
        [("textfile=", &all[..]), ("openlineage=file:", &["drops/one.vcf", "pipeline.toml", "notes.txt"])]
    {
        for path in paths {
            let before = (*path != "pipe").then(|| project.bytes(path));
            let set = format!("operate.{key}{path}");
            project
                .vardelta("run", &["--set", &set])
                .expect(0)
                .says(&["notice: ", "would overwrite what is not its own"]);
            if *path != "said.sqlite" {
                assert_eq!((*path != "pipe").then(|| project.bytes(path)), before, "{path} is as it was");
            }
        }
    }
    assert!(fs::metadata(&pipe).expect("it is there").file_type().is_fifo(), "a pipe is a pipe still");
    project.vardelta("run", &["--set", "operate.textfile=link.prom"]).expect(0);
    assert!(project.path("link.prom").is_symlink(), "a link is a link still");
    assert!(project.bytes("latest.prom").starts_with(b"# HELP vardelta_"));
}

#[test]
fn metrics_are_posted_to_the_gateway_under_job_and_pipeline() {
    let gateway = WebSink::start();
    let project = project(&format!("push_gateway = \"{}\"", gateway.url("/base/")));
    let said = project.vardelta("run", &[]).expect(0);
    assert!(!said.stderr.contains("notice"), "{}", said.stderr);
    let [request] = &gateway.posted()[..] else { panic!("one request") };
    assert_eq!(request.line, "POST /base/metrics/job/vardelta/pipeline/said HTTP/1.1");
    assert_eq!(value(&samples(&request.body), "last_run_status", ""), 1.0);
}

#[test]
fn a_gateway_that_refuses_or_is_gone_fails_no_run() {
    let gateway = WebSink::replaying("400 Bad Request", b"why?\n".to_vec());
    let known = project(&format!("push_gateway = \"{}\"", gateway.url("")));
    known.vardelta("run", &[]).expect(0).says(&["refused the metrics: 400 why?"]);
    drop(gateway);
    // Nobody listens there any more. A run that failed reports its own error, and says nothing of a success.
    known.write("drops/two.vcf", b"nonsense\n");
    known.vardelta("run", &[]).expect(4).says(&["cannot be reached", "two.vcf"]);
    for url in ["https://h", "http://me:hush@h", "h:9091"] {
        let said = project(&format!("push_gateway = \"{url}\"")).vardelta("validate", &[]);
        let said = said.expect(3).says(&["pipeline.toml:", "http://host:port"]);
        assert!(!said.stderr.contains("hush"), "{}", said.stderr);
    }
}

#[test]
fn health_tells_what_is_failing_with_an_exit_code() {
    let project = project("[operate.health]\ndisk_free_gb = 0\nmemory_available_gb = 0\nfresh_hours = 1");
    project.vardelta("health", &[]).expect(6).says(&["said: failing", "nothing has been loaded yet"]);
    project.vardelta("run", &[]).expect(0);
    let ok = project.vardelta("health", &["--json"]).expect(0).json();
    assert_eq!(ok["status"], "ok");
    let checks: Vec<&str> =
        ok["checks"].as_array().expect("a list").iter().filter_map(|check| check["name"].as_str()).collect();
    assert_eq!(checks, ["database", "disk", "memory", "freshness"]);
    for (option, words) in [("disk_free_gb=1e9", "free where"), ("memory_available_gb=1e9", "of memory available")] {
        let said = project.vardelta("health", &["--set", &format!("operate.health.{option}")]);
        said.expect(6).says(&["failing", words]);
    }
    project.write("said.sqlite", b"this is no database, and nothing like one");
    project.vardelta("health", &[]).expect(6).says(&["database   failing"]);
    // A server that takes connections and never answers is no answer.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mysql://me@127.0.0.1:{}/w", silent.local_addr().expect("an address").port());
    let text = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8");
    let text = text.replace("type = \"sqlite\"\npath = \"said.sqlite\"", &format!("type = \"mysql\"\nurl = \"{url}\""));
    project.write("pipeline.toml", text.as_bytes());
    let started = std::time::Instant::now();
    project.vardelta("health", &[]).expect(6).says(&["has not answered within 2 s"]);
    assert!(started.elapsed().as_secs_f64() < 10.0, "{:?}", started.elapsed());
}

#[test]
fn what_operate_does_not_know_is_an_error_with_its_place() {
    let project = project("lgo = \"json\"\n[operate.health]\ndisk_gb = 1");
    project
        .vardelta("validate", &[])
        .expect(3)
        .says(&["Did you mean `log`?", "[operate.health] has no option `disk_gb`"]);
}
