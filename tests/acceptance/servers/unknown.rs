//! The server stays away after a COMMIT. Whatever the command was, nobody can tell then whether its epoch stands; that is
//! what it says, and the next one finds out.

use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{
    drop_file,
    held::Held,
    proxy::{Cut, Proxy},
    server_database::literals,
    server_project::{ServerProject, discreet},
    story,
};

use super::on_both;

/// The proxy reads along, and nobody waits for long for a server that stays away.
const OPTIONS: &str = "tls = \"off\"\nreconnect_timeout_ms = 300";

/// A command that commits an epoch, and what it is given to do.
struct Case {
    verb: &'static str,
    arguments: &'static [&'static str],
    prepare: fn(&ServerProject<'_>),
}

const CASES: &[Case] = &[
    Case { verb: "run", arguments: &[], prepare: |it| story::write_drop(&it.project, "gamma", &story::lines(3, 35)) },
    Case { verb: "withdraw", arguments: &["beta"], prepare: without_beta },
    Case { verb: "withdraw", arguments: &["beta", "--erase"], prepare: without_beta },
    Case { verb: "rebuild", arguments: &[], prepare: |_| {} },
    Case { verb: "migrate", arguments: &[], prepare: redefine },
];

fn without_beta(it: &ServerProject<'_>) {
    drop_file::remove(&it.project.path("drops"), "beta");
}

fn redefine(it: &ServerProject<'_>) {
    let text = story::PIPELINE.on_server(OPTIONS);
    let wider = text.replace("alternate = \"alt\"", "alternate = \"alt\"\nbehind = \"pos + 1\"");
    assert_ne!(text, wider);
    it.project.write("pipeline.toml", wider.as_bytes());
}

fn epochs(it: &ServerProject<'_>) -> Vec<String> {
    literals(&mut it.server.root_in(&it.database), "SELECT CAST(MAX(epoch) AS CHAR) FROM vardelta_epochs")
}

fn outcome_of_every_verb(server: &'static Server) {
    for Case { verb, arguments, prepare } in CASES {
        for (cut, is_json) in [(Cut::BeforeCommit, false), (Cut::AfterCommit, true)] {
            let it = ServerProject::new(server, story::PIPELINE, OPTIONS);
            story::write_drop(&it.project, "alpha", &story::lines(1, 40));
            story::write_drop(&it.project, "beta", &story::lines(2, 30));
            it.vardelta("run", &[]).expect(0);
            prepare(&it);
            let proxy = Proxy::start(server.port, Cut::Never, true);
            let json: &[&str] = if is_json { &["--json"] } else { &[] };
            let command = it.command_at(proxy.port, verb, &[*arguments, json].concat());
            // Whatever the command commits before its epoch has passed.
            let held = Held::at("commit:before-sink", &[], command);
            proxy.cut_next(cut);
            let said = discreet(held.go_on());
            let what = format!("{verb} {arguments:?}, {cut:?}");
            assert!(proxy.happened(), "{what}: it did not happen");
            assert_eq!(said.code, 6, "{what}: {}{}", said.stdout, said.stderr);
            if is_json {
                let error = &said.json()["error"];
                assert_eq!(error["written"], "unknown", "{what}: {error}");
                let message = error["message"].as_str().expect("a message");
                assert!(message.contains("whether epoch 2 was committed is not known"), "{what}: {message}");
            } else {
                let told = "whether epoch 2 was committed is not known";
                assert!(said.stderr.contains(told), "{what}: {}", said.stderr);
            }
            assert!(!said.stderr.contains("nothing was written"), "{what}: {}", said.stderr);
            drop(proxy);
            goes_on(&what, &it, (verb, arguments), cut == Cut::AfterCommit);
        }
    }
}

/// The ledger has the epoch or has it not; the next command follows it, and all of the case is done once in the end.
fn goes_on(what: &str, it: &ServerProject<'_>, (verb, arguments): (&str, &[&str]), is_committed: bool) {
    assert_eq!(epochs(it), [if is_committed { "'2'" } else { "'1'" }], "{what}");
    let next = if is_committed { it.vardelta("run", &[]) } else { it.vardelta(verb, arguments) };
    assert_eq!(next.code, 0, "{what}, the next command: {}{}", next.stdout, next.stderr);
    assert_eq!(epochs(it), ["'2'"], "{what}: done once");
    let (alpha, beta, gamma) = (story::lines(1, 40), story::lines(2, 30), story::lines(3, 35));
    let expected = match verb {
        "run" => (story::PIPELINE.expected)(&[&alpha, &beta, &gamma]),
        "withdraw" => (story::PIPELINE.expected)(&[&alpha]),
        _ => (story::PIPELINE.expected)(&[&alpha, &beta]),
    };
    if verb == "migrate" {
        it.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
    } else {
        assert_eq!(it.contents().tables.rows, expected, "{what}");
    }
    let erasures = "SELECT action FROM vardelta_events WHERE action IN ('erasing', 'erased')";
    let erased: &[&str] = if arguments.contains(&"--erase") { &["'erased'"] } else { &[] };
    assert_eq!(literals(&mut it.server.root_in(&it.database), erasures), erased, "{what}");
    it.vardelta("verify", &[]).expect(0);
    assert_eq!(it.pending(), Vec::<String>::new(), "{what}");
}

on_both!(outcome_of_every_verb: what_no_verb_can_know_on_mariadb_is_said_and_found_out, what_no_verb_can_know_on_mysql_is_said_and_found_out);
