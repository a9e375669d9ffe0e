//! A pipeline that is broken in many ways: each is reported once, where it belongs, and reported once more when it is over.

use serde_json::Value;
use vardelta_tests::{mail_sink::MailSink, project::Project, web_sink::WebSink};

use super::{META, project};

/// A pipeline whose alerts go to these.
fn told_to(slack: &WebSink, mail: &MailSink, more: &str) -> Project {
    project(&format!(
        "[operate]\n{more}\n[operate.health]\n[operate.alerts]\n[operate.alerts.slack]\nwebhook = \"{}\"\n[operate.alerts.email]\nsmtp = \"{}\"\nfrom = \
         \"vardelta@example.org\"\nto = [\"oncall@example.org\", \"other@example.org\"]\n",
        slack.url("/services/hush-webhook"),
        mail.url()
    ))
}

/// What came since it was asked last: subjects of mails, first lines of Slack's texts.
struct News<'a> {
    slack: &'a WebSink,
    mail: &'a MailSink,
    seen: (usize, usize),
}

impl News<'_> {
    fn next(&mut self) -> (Vec<String>, Vec<String>) {
        let texts: Vec<String> = self.slack.posted()[self.seen.0..]
            .iter()
            .map(|posted| posted.json()["text"].as_str().expect("a text").lines().next().unwrap_or_default().to_owned())
            .collect();
        let subject = |text: &str| {
            text.lines().find_map(|line| line.strip_prefix("Subject: ")).expect("a subject").trim().to_owned()
        };
        let subjects: Vec<String> = self.mail.mails()[self.seen.1..].iter().map(|mail| subject(&mail.text)).collect();
        self.seen = (self.seen.0 + texts.len(), self.seen.1 + subjects.len());
        (texts, subjects)
    }

    /// This alert alone, with this word, and to the mail as well where it is critical.
    #[track_caller]
    fn is(&mut self, alert: &str, severity: &str, state: &str) {
        let words = format!("[vardelta] told: {alert} ({severity}) is {state}");
        let mails = if severity == "critical" { vec![words.clone()] } else { Vec::new() };
        assert_eq!(self.next(), (vec![format!("*{words}*")], mails));
    }

    #[track_caller]
    fn none(&mut self) {
        assert_eq!(self.next(), (Vec::new(), Vec::new()));
    }
}

/// Nine good records and as many bad ones as said, with this classification.
fn write(project: &Project, name: &str, chromosome: u8, bad: usize, word: &str) {
    let good = (1..=9).map(|at| format!("{chromosome} {at} . A C 9 PASS CLNSIG={word};AC=1"));
    let bad = (0..bad).map(|_| format!("{chromosome} x . A C 9 PASS ."));
    let records: Vec<String> = good.chain(bad).collect();
    project.write_drop(name, META, &records.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn each_trouble_is_told_once_and_once_more_when_it_is_over() {
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let project = told_to(&slack, &mail, "");
    let mut news = News { slack: &slack, mail: &mail, seen: (0, 0) };
    write(&project, "one", 1, 0, "Pathogenic");
    project.vardelta("run", &[]).expect(0);
    news.none();

    // A run that fails, twice; also a dry one and one with a slip are nobody's trouble.
    project.write("drops/two.vcf", b"nonsense\n");
    project.vardelta("run", &[]).expect(4).says(&["alert: run_failed (critical) is firing: input (exit code 4)"]);
    news.is("run_failed", "critical", "firing");
    let again = project.vardelta("run", &[]).expect(4);
    assert!(!again.stderr.contains("alert:"), "{}", again.stderr);
    project.vardelta("run", &["--dry-run"]).expect(4);
    project.vardelta("run", &["--into", "cals", "drops/one.vcf"]).expect(2);
    news.none();
    write(&project, "two", 2, 0, "Benign");
    project.vardelta("run", &[]).expect(0).says(&["alert: run_failed (critical) is resolved"]);
    news.is("run_failed", "critical", "resolved");
    project.vardelta("run", &[]).expect(0);
    news.none();

    // More rejects than half of what would end the run.
    write(&project, "three", 1, 4, "Benign");
    project.vardelta("run", &[]).expect(0);
    news.is("reject_share", "warning", "firing");
    project.vardelta("run", &[]).expect(0);
    news.none();
    write(&project, "three", 1, 1, "Benign");
    project.vardelta("run", &[]).expect(0);
    news.is("reject_share", "warning", "resolved");

    // A word that ClinVar did not use before.
    write(&project, "four", 2, 0, "Brand_new");
    project.vardelta("run", &[]).expect(0);
    news.is("unknown_vocabulary", "warning", "firing");
    write(&project, "four", 2, 0, "Likely_benign");
    project.vardelta("run", &[]).expect(0);
    news.is("unknown_vocabulary", "warning", "resolved");

    // A disk that is full, by a limit that no disk has; also reported without a run.
    let full = ["--set", "operate.health.disk_free_gb=1e9"];
    project.vardelta("run", &full).expect(0);
    news.is("low_disk", "critical", "firing");
    project.vardelta("alert", &[]).expect(2);
    let check = |arguments: &[&str]| -> Value {
        let all = [&["alert", "check", "pipeline.toml", "--json"], arguments].concat();
        vardelta_tests::project::vardelta_in(project.directory(), &all).expect(0).json()
    };
    let state = |checked: &Value, name: &str| -> String {
        let alerts = checked["alerts"].as_array().expect("a list");
        let found = alerts.iter().find(|alert| alert["alert"] == name).expect("every alert is listed");
        found["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(state(&check(&full), "low_disk"), "firing");
    news.none();
    assert_eq!(state(&check(&[]), "low_disk"), "resolved");
    news.is("low_disk", "critical", "resolved");

    // Tables that are older than they may be: no age is below -1 hours.
    check(&["--set", "operate.alerts.stale_hours=-1"]);
    news.is("stale_tables", "warning", "firing");
    project.vardelta("run", &["--set", "operate.alerts.stale_hours=-1"]).expect(0);
    news.none();
    project.vardelta("run", &["--set", "operate.alerts.stale_hours=9"]).expect(0);
    news.is("stale_tables", "warning", "resolved");

    // A run that took longer than a ten thousandth of what is usual, then one that took less than a thousand times that.
    write(&project, "five", 1, 0, "Benign");
    let slow = ["--set", "operate.alerts.slow_factor=0.0001", "--set", "operate.alerts.slow_seconds=0"];
    project.vardelta("run", &slow).expect(0);
    news.is("slow_run", "warning", "firing");
    write(&project, "six", 1, 0, "Benign");
    project.vardelta("run", &["--set", "operate.alerts.slow_factor=1000"]).expect(0);
    news.is("slow_run", "warning", "resolved");

    let mails = mail.mails();
    assert!(mails[0].from.contains("vardelta@example.org") && mails[0].to.len() == 2, "{:?}", mails[0]);
    assert!(mails[0].text.contains("two.vcf"), "{}", mails[0].text);
}

#[test]
fn a_service_that_leaves_keys_unanswered_is_told_until_nothing_waits() {
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let project = told_to(&slack, &mail, "");
    let text = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8");
    // Nobody listens on port 1.
    let lookup = "[stages.facts]\ntype = \"lookup\"\ninput = \"variants\"\nkey = \"reference\"\nurl = \"http://127.0.0.1:1/q\"\nmethod = \
                  \"POST\"\nbody = '{\"q\": {keys}}'\nretries = 0\ndeadline = \"2s\"\nrows = \"$[*]\"\nanswer_key = \"$.query\"\n\
                  [stages.facts.columns]\nname = { path = \"$.name\" }\n\n[stages.warehouse]";
    let text = text.replace("[stages.warehouse]", lookup);
    project.write("pipeline.toml", text.replace("\"summary\"]", "\"summary\", \"facts\"]").as_bytes());
    let mut news = News { slack: &slack, mail: &mail, seen: (0, 0) };
    write(&project, "one", 1, 0, "Pathogenic");
    project.vardelta("run", &[]).expect(0);
    news.is("lookup_degraded", "warning", "firing");
    project.vardelta("run", &["--retry-lookups"]).expect(0);
    news.none();
    project.vardelta("withdraw", &["one"]).expect(0);
    news.is("lookup_degraded", "warning", "resolved");
}

#[test]
fn one_message_tells_all_that_one_run_changed() {
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let project = told_to(&slack, &mail, "");
    write(&project, "one", 1, 4, "Brand_new");
    project.vardelta("run", &["--set", "operate.health.disk_free_gb=1e9"]).expect(0);
    let text = slack.posted()[0].json()["text"].as_str().expect("a text").to_owned();
    assert!(text.starts_with("*[vardelta] told: 3 firing, 0 resolved*\nlow_disk (critical) is firing\n"), "{text}");
    for words in ["4 of 13 records (30.8 %) of drop one", "9 values hold terms", "brand new"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!((slack.posted().len(), mail.mails().len()), (1, 1));
    let mail = &mail.mails()[0].text;
    assert!(mail.contains("low_disk") && !mail.contains("reject_share"), "{mail}");
}

#[test]
fn the_log_has_every_alert_and_redacted_messages_name_nothing() {
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let project = told_to(&slack, &mail, "log = \"json\"");
    project.write("drops/jane.vcf", b"nonsense\n");
    let said = project.vardelta("run", &["--set", "operate.alerts.redact=true"]).expect(4);
    let lines: Vec<Value> = said.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let alert = lines.iter().find(|line| line["event"] == "alert").expect("an alert");
    assert_eq!(
        (&alert["alert"], &alert["severity"], &alert["state"], &alert["level"]),
        (&"run_failed".into(), &"critical".into(), &"firing".into(), &"error".into())
    );
    let sent = format!("{:?}{:?}", slack.posted(), mail.mails());
    assert!(sent.contains("input (exit code 4)") && !sent.contains("jane"), "{sent}");
    assert!(!said.stderr.contains("hush-webhook"), "{}", said.stderr);
    // What is remembered names nothing either.
    let memory = String::from_utf8(project.bytes(".vardelta/told/alerts.json")).expect("a memory");
    assert!(memory.contains("run_failed") && !memory.contains("jane") && !memory.contains("hush"), "{memory}");
}
