//! Channels that refuse, are slow or are gone: no load fails for them, nothing is lost, and no secret is said.

use std::time::Instant;

use vardelta_tests::{
    mail_sink::MailSink,
    project::{Project, Said, vardelta_in},
    web_sink::WebSink,
};

use super::{META, project};

fn told_to(webhook: &str, smtp: &str) -> Project {
    let project = project(&format!(
        "[operate.health]\n[operate.alerts.slack]\nwebhook = \"{webhook}\"\n[operate.alerts.email]\nsmtp = \"{smtp}\"\nfrom = \"a@example.org\"\nto = \
         [\"b@example.org\"]\n"
    ));
    project.write_drop("one", META, &["1 5 . A C 9 PASS CLNSIG=Benign;AC=1"]);
    project
}

fn test(project: &Project, arguments: &[&str]) -> Said {
    vardelta_in(project.directory(), &[&["alert", "test", "pipeline.toml"], arguments].concat())
}

const FULL: [&str; 2] = ["--set", "operate.health.disk_free_gb=1e9"];

#[test]
fn a_test_says_what_each_channel_answered() {
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let known = told_to(&slack.url("/services/hush-webhook"), &mail.url().replace("://", "://me:hush-password@"));
    test(&known, &[]).expect(0).says(&["email  ok  250 kept", "slack  ok  200 ok"]);
    assert!(slack.posted()[0].line.starts_with("POST /services/hush-webhook"), "{:?}", slack.posted());
    assert!(slack.posted()[0].json()["text"].as_str().is_some_and(|text| text.contains("a test of this channel")));
    assert!(mail.mails()[0].text.contains("Subject: [vardelta] told: a test of this channel"), "{:?}", mail.mails());

    slack.answer("403 Forbidden");
    mail.refuse("550 not you");
    let said = test(&known, &["--json"]).expect(6);
    let channels = said.json()["channels"].as_array().expect("channels").clone();
    assert!(channels.iter().all(|channel| channel["ok"] == false), "{channels:?}");
    assert!(said.stdout.contains("403") && said.stdout.contains("not you"), "{}", said.stdout);
    assert!(!said.stdout.contains("hush") && !said.stderr.contains("hush"), "{}{}", said.stdout, said.stderr);
    // A refusal for good is not tried again.
    assert_eq!(slack.posted().len(), 2);

    let unknown = project("");
    test(&unknown, &[]).expect(2).says(&["no [operate.alerts]", "webhook"]);
    let alone = project("[operate.alerts]");
    test(&alone, &[]).expect(2).says(&["no channel"]);
}

#[test]
fn what_passes_is_tried_again_within_one_run() {
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let project = told_to(&slack.url("/x"), &mail.url());
    slack.answer("429 Slow\r\nRetry-After: 1");
    slack.answer("503 Sorry");
    mail.refuse("451 later");
    let said = project.vardelta("run", &FULL).expect(0);
    assert!(!said.stderr.contains("notice"), "{}", said.stderr);
    assert_eq!((slack.posted().len(), mail.mails().len()), (3, 1));
}

#[test]
fn channels_that_are_gone_fail_no_load_and_are_told_by_a_later_run() {
    let mail = MailSink::start();
    // Nobody listens on port 1.
    let project = told_to("http://127.0.0.1:1/hush-webhook", &mail.url());
    let started = Instant::now();
    let said = project.vardelta("run", &FULL).expect(0);
    said.says(&["notice: the alert could not be sent by slack", "attempts"]);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    assert_eq!(mail.mails().len(), 1);

    // Slack is back: it hears of what it missed, the other channel does not hear it again.
    let slack = WebSink::start();
    let back = format!("operate.alerts.slack.webhook={}", slack.url("/x"));
    project.vardelta("run", &[&FULL[..], &["--set", &back]].concat()).expect(0);
    assert_eq!((slack.posted().len(), mail.mails().len()), (1, 1));
    project.vardelta("run", &[&FULL[..], &["--set", &back]].concat()).expect(0);
    assert_eq!(slack.posted().len(), 1);
}

#[test]
fn what_cannot_be_a_channel_is_told_with_its_place_and_without_its_secret() {
    for (line, words) in [
        ("slack.webhook = 'http://example.org/hush'", "`webhook` is no address"),
        ("slack.webhok = 'https://example.org/hush-webhook'", "Did you mean `webhook`?"),
        ("email = { smtp = 'mail.example.org', from = 'a@b', to = ['c@d'] }", "`smtp` is no address"),
        ("email = { smtp = 'smtp://me:hu%zzhush@h', from = 'a@b', to = ['c@d'] }", "`smtp` is no address"),
        ("email = { smtp = 'smtp://h', from = 'a', to = ['c@d'] }", "this is no mail address"),
        ("email = { smtp = 'smtp://h', from = 'a@b', to = ['c@d'], on = ['criticl'] }", "Did you mean \"critical\"?"),
        ("reclassification = { table = 'varants', by = 'clinical_rank' }", "Did you mean `variants`?"),
        ("reclassification = { table = 'variants', by = 'clinical_rnk' }", "Did you mean `clinical_rank`?"),
        ("reject_share = 2", "between 0 and 1"),
    ] {
        let said = project(&format!("[operate.alerts]\n{line}")).vardelta("validate", &[]).expect(3);
        let said = said.says(&[words, "pipeline.toml:"]);
        assert!(!said.stderr.contains("hush"), "{}", said.stderr);
    }
}
