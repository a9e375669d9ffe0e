//! No password is said: neither of an address nor of an option that is spelt wrong, in any verb and any form.

use std::process::{Command, Stdio};

use vardelta_tests::{
    binary::binary,
    project::{Project, finish},
};

const PIPELINE: &str = r#"
[pipeline]
name = "said"

[stages.calls]
type = "vcf"
path = "drops/*.vcf"

[stages.alleles]
type = "normalize"
input = "calls"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.warehouse]
type = "mysql"
tables = ["variants"]
"#;

/// What is written under the sink, and the exit code of `validate` with it.
const SINKS: [(&str, i32); 15] = [
    ("url = 'mysql://me:hush@127.0.0.1:1/w'", 0),
    ("url = 'mysql://me:hu?sh@127.0.0.1:1/w'", 3),
    ("url = 'mysql://me:12/hush@127.0.0.1:1/w'", 3),
    ("url = 'mysql://me:12#hush@127.0.0.1:1/w'", 3),
    ("url = 'mysql://me:hu@sh@127.0.0.1:1/w'", 3),
    ("url = 'mysql://me:hush@127.0.0.1:1'", 3),
    ("url = \"mysql://me:hu\\\"sh@127.0.0.1:port/w\"", 3),
    ("url = 'mysql://me:hush@127.0.0.1:1/w?password=hush'", 3),
    ("ulr = 'mysql://me:hu sh@127.0.0.1:1/w'", 3),
    ("url = 'mysql://me:hush@127.0.0.1:1/w'\npasword = 'hush'", 3),
    ("url = 'mysql://me:hush@127.0.0.1:1/w'\nsecret_token = ['hush', 12]", 3),
    ("url = mysql://me:hush@127.0.0.1:1/w", 3),
    ("url = 'mysql://me:hush@127.0.0.1:1/w", 3),
    ("url = \"mysql://me:${HALF}hush@127.0.0.1:1/w\"\nretries = 'mysql://me:hush@h/w'", 3),
    ("url = { password = 'hush' }", 3),
];

const VERBS: [(&str, &[&str]); 24] = [
    ("validate", &[]),
    ("validate", &["--json"]),
    ("explain", &[]),
    ("explain", &["--json"]),
    ("graph", &[]),
    ("graph", &["--json"]),
    ("run", &["-v"]),
    ("run", &["--json"]),
    ("drops", &[]),
    ("history", &["--json"]),
    ("verify", &[]),
    ("rebuild", &["--dry-run"]),
    ("withdraw", &["a"]),
    ("migrate", &["--plan"]),
    ("migrate", &["--json"]),
    ("changes", &["--json"]),
    ("why", &["variants", "chrom=1", "pos=5", "ref=A", "alt=C"]),
    ("health", &["--json"]),
    ("report", &["--out", "report.html"]),
    ("bench", &["--records", "10", "--repeat", "1"]),
    // It says that there are none, whatever the rest of the file says.
    ("test", &["--name", "x"]),
    ("cache stats", &[]),
    ("alert test", &[]),
    ("alert check", &["--json"]),
];

/// A verb over the pipeline; that of a group has its own before the file.
fn command(project: &Project, verb: &str, arguments: &[&str]) -> Command {
    let Some((group, verb)) = verb.split_once(' ') else { return project.command(verb, arguments) };
    let mut command = Command::new(binary());
    command.args([group, verb, "pipeline.toml"]).args(arguments);
    command.current_dir(project.directory()).stdin(Stdio::null());
    command
}

#[track_caller]
fn is_discreet(said: &str) {
    for secret in ["hush", "hu?", "hu sh", "hu@", "hu\"", "hu\\\"", "sh@", "12/", "12#"] {
        assert!(!said.contains(secret), "{secret} is said:\n{said}");
    }
}

#[test]
fn no_verb_says_a_password_of_the_file() {
    for (sink, code) in SINKS {
        let project = Project::new(&format!("{PIPELINE}{sink}\nreconnect_timeout_ms = 1\n"));
        for (verb, arguments) in VERBS {
            let said = finish(command(&project, verb, arguments).env("HALF", "hu"));
            is_discreet(&said.stdout);
            is_discreet(&said.stderr);
            if verb == "validate" {
                assert_eq!(said.code, code, "{sink}\n{}{}", said.stdout, said.stderr);
            }
            // A message without the secret still says where it is.
            if code != 0 && arguments.is_empty() && !sink.contains("url = { ") {
                assert!(said.stderr.contains("pipeline.toml:"), "{}", said.stderr);
            }
        }
    }
}

#[test]
fn no_verb_says_a_password_of_the_command_line_or_of_a_variable() {
    let project = Project::new(&format!("{PIPELINE}url = '${{URL}}'\nreconnect_timeout_ms = 1\n"));
    let url = "mysql://me:hush@127.0.0.1:1/w";
    for (verb, arguments) in VERBS {
        for overrides in [
            &[][..],
            &["--set", "stages.warehouse.url=mysql://me:hu?sh@h/w"],
            &["--set", "stages.warehouse.ulr=mysql://me:hu sh@h/w"],
            &["--set", "stages.warehouse.pasword=hush"],
            &["--set", "stages.warehouse.password:hush"],
            &["--set", "mysql://me:hush@h/w"],
            &["mysql://me:hush@h/w"],
            &["--unknown=mysql://me:hush@h/w"],
        ] {
            let said = finish(command(&project, verb, &[arguments, overrides].concat()).env("URL", url));
            is_discreet(&said.stdout);
            is_discreet(&said.stderr);
        }
    }
}
