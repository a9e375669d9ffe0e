//! Whoever is notified by Alertmanager: a channel of Slack and a mailbox.

use vardelta_tests::{
    mail_sink::{Begins, MailSink},
    project::Project,
    web_sink::WebSink,
};

use super::shortened;

/// The channel and the mailbox.
pub struct People {
    slack: WebSink,
    mail: MailSink,
}

impl People {
    /// Both, and in the project's folder what Alertmanager needs to reach them: `alertmanager.yml`, and the certificate that the mail
    /// server shows.
    pub fn start(project: &Project) -> People {
        let slack = WebSink::start();
        let (mail, certificate) = MailSink::start_encrypted(Begins::ByCommand);
        project.write("certificate.pem", certificate.as_bytes());
        let webhook = project.write("webhook", slack.url("/services/hush").as_bytes());
        let password = project.write("password", b"hush-password");
        let text = |path: &std::path::Path| path.to_str().expect("a path of the test is text").to_owned();
        let routes = shortened::routes(mail.port(), &text(&password), &text(&webhook));
        project.write("alertmanager.yml", routes.as_bytes());
        People { slack, mail }
    }

    /// The titles of the messages in the channel.
    pub fn in_slack(&self) -> Vec<String> {
        let title = |body: &serde_json::Value| body["attachments"][0]["title"].as_str().map(str::to_owned);
        self.slack.posted().iter().map(|posted| title(&posted.json()).expect("a title")).collect()
    }

    /// The texts of the messages in the channel.
    pub fn texts_in_slack(&self) -> Vec<String> {
        let text = |body: &serde_json::Value| body["attachments"][0]["text"].as_str().map(str::to_owned);
        self.slack.posted().iter().map(|posted| text(&posted.json()).expect("a text")).collect()
    }

    /// The subjects of the mails, all of which came over TLS to whoever is on call.
    pub fn by_mail(&self) -> Vec<String> {
        let subject = |text: &str| text.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned));
        let mails = self.mail.mails();
        assert!(mails.iter().all(|mail| mail.is_encrypted && mail.to == ["RCPT TO:<oncall@example.org>"]), "{mails:?}");
        mails.iter().map(|mail| subject(&mail.text).expect("a subject")).collect()
    }
}
