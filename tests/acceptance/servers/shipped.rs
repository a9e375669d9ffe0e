//! The shipped pipeline for servers tells the README's story as the one for SQLite does.

use std::path::Path;

use serde_json::Value;
use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{
    binary::binary,
    database,
    pipelines::GENE_SUMMARY,
    project::{Said, finish},
    server_database,
    server_project::{URL_VARIABLE, discreet},
    shipped::copied,
};

use super::on_both;

const IN_A_FILE: &str = "gene_summary";
const IN_A_SERVER: &str = "gene_summary_mysql";

/// A copy of what is shipped.
fn copy() -> tempfile::TempDir {
    copied(&["gene_summary"], &["gene_summary.toml", "gene_summary_mysql.toml"])
}

/// A verb over one of the two pipelines.
fn vardelta(directory: &Path, url: &str, pipeline: &str, verb: &str, arguments: &[&str]) -> Said {
    let mut command = std::process::Command::new(binary());
    command.arg(verb).arg(format!("{pipeline}.toml")).args(arguments).current_dir(directory).env(URL_VARIABLE, url);
    discreet(finish(&mut command)).expect(0)
}

/// A report without what differs from run to run and from sink to sink.
fn without_times(mut report: Value) -> Value {
    let object = report.as_object_mut().expect("a report is an object");
    for key in ["pipeline", "seconds", "stages", "notices", "commit", "readers", "worker_times"] {
        object.remove(key);
    }
    report
}

/// What people read, without times and the pipeline's name.
fn lines(said: &Said) -> Vec<String> {
    let line = |line: &str| {
        let line = line.replace(IN_A_SERVER, IN_A_FILE);
        line.split_once(" committed (").map_or(line.clone(), |(what, _)| format!("{what} committed"))
    };
    said.stdout.lines().map(line).collect()
}

fn story(server: &'static Server) {
    let (directory, database) = (copy(), server.new_database());
    let (directory, url) = (directory.path(), server.url(&database));
    let day2 = directory.join("gene_summary/drops/day2.vcf");
    let deliver =
        || std::fs::copy(directory.join("gene_summary/later/day2.vcf"), &day2).expect("day2 can be delivered");
    let steps: [(&str, &[&str]); 6] = [
        ("run", &[]),
        ("run", &["--json"]),
        ("run", &["gene_summary/later/day2.vcf"]),
        ("run", &["--prune-all", "--json"]),
        ("withdraw", &["day2"]),
        ("withdraw", &["day1", "--json"]),
    ];
    for (at, (verb, arguments)) in steps.into_iter().enumerate() {
        if at == 3 {
            deliver();
        }
        let [file, served] = [IN_A_FILE, IN_A_SERVER].map(|name| vardelta(directory, &url, name, verb, arguments));
        let what = format!("{verb} {arguments:?}");
        match arguments.contains(&"--json") {
            true => assert_eq!(without_times(served.json()), without_times(file.json()), "{what}"),
            false => assert_eq!(lines(&served), lines(&file), "{what}"),
        }
        let expected = database::read_tables(&directory.join("gene_summary.sqlite"), GENE_SUMMARY.keys);
        let found = server_database::read_tables(&mut server.root_in(&database), GENE_SUMMARY.keys);
        assert_eq!(found, expected, "{what}: the tables");
        assert!(at == 5 || !found.rows["variants"].is_empty(), "{what}: there are rows");
    }
    for name in [IN_A_FILE, IN_A_SERVER] {
        vardelta(directory, &url, name, "verify", &[]);
    }
}

on_both!(story: the_shipped_pipeline_tells_its_story_on_mariadb, the_shipped_pipeline_tells_its_story_on_mysql);
