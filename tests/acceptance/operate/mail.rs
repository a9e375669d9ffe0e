//! Mail servers that speak TLS, and those that do not: no user, password or word of an alert goes out in the clear.

use vardelta_tests::{
    mail_sink::{Begins, MailSink},
    project::{Project, Said, vardelta_in},
};

use super::project;

/// A pipeline whose mails go to that port, by a name of this machine that is not known to be one: so TLS is asked for.
fn told_to(scheme: &str, port: u16, certificate: Option<&str>) -> Project {
    let trusts = if certificate.is_some() { "tls_ca = \"authority.pem\"\n" } else { "" };
    let project = project(&format!(
        "[operate.alerts.email]\nsmtp = \"{scheme}://me:hush-password@0.0.0.0:{port}\"\nfrom = \"a@example.org\"\nto = [\"b@example.org\"]\n{trusts}"
    ));
    if let Some(certificate) = certificate {
        project.write("authority.pem", certificate.as_bytes());
    }
    project
}

fn test(project: &Project) -> Said {
    vardelta_in(project.directory(), &["alert", "test", "pipeline.toml"])
}

#[test]
fn a_server_with_starttls_gets_credentials_and_mail_after_it() {
    let (mail, certificate) = MailSink::start_encrypted(Begins::ByCommand);
    test(&told_to("smtp", mail.port(), Some(&certificate))).expect(0).says(&["email  ok  250 kept"]);
    assert!(mail.mails().len() == 1 && mail.mails()[0].is_encrypted, "{:?}", mail.mails());
    let plain: Vec<String> = mail
        .plain_commands()
        .iter()
        .map(|command| command.split(' ').next().unwrap_or_default().to_ascii_uppercase())
        .collect();
    assert_eq!(plain, ["EHLO", "STARTTLS"], "nothing else is said in the clear");
}

#[test]
fn a_server_that_speaks_tls_at_once_gets_the_mail() {
    let (mail, certificate) = MailSink::start_encrypted(Begins::AtOnce);
    test(&told_to("smtps", mail.port(), Some(&certificate))).expect(0).says(&["email  ok  250 kept"]);
    assert!(mail.mails()[0].is_encrypted && mail.plain_commands().is_empty(), "{:?}", mail.mails());
}

#[test]
fn a_server_without_tls_or_with_a_stranger_s_certificate_gets_nothing() {
    // It would take user and password in the clear.
    let plain = MailSink::start();
    let said = test(&told_to("smtp", plain.port(), None)).expect(6);
    assert!(said.stdout.contains("failing"), "{}", said.stdout);
    let (stranger, _) = MailSink::start_encrypted(Begins::ByCommand);
    test(&told_to("smtp", stranger.port(), None)).expect(6).says(&["failing"]);
    for sink in [&plain, &stranger] {
        let said = sink.plain_commands();
        assert!(sink.mails().is_empty(), "{:?}", sink.mails());
        assert!(!said.iter().any(|command| command.starts_with("AUTH") || command.starts_with("MAIL")), "{said:?}");
    }
    assert!(!said.stdout.contains("hush") && !said.stderr.contains("hush"), "{}{}", said.stdout, said.stderr);
}
