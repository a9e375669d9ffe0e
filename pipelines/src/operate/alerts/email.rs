//! A message as an e-mail.

use std::time::Duration;

use lettre::{
    Message as Mail, SmtpTransport, Transport as _,
    message::header::ContentType,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use vardelta_engine::plan::{EmailOptions, Plan, SmtpSecurity};

use super::{message::Message, undelivered::Undelivered};

/// How long each step of an attempt may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends a message; yields what the server answers.
///
/// # Errors
/// Why it did not take it.
pub fn send(options: &EmailOptions, plan: &Plan, message: &Message, left: Duration) -> Result<String, Undelivered> {
    let lasting = |why: String| Undelivered { why, is_passing: false, wait: None };
    let mail = mail(options, message).map_err(lasting)?;
    let server = &options.smtp;
    let place = format!("{}:{}", server.host, server.port);
    let tls = match server.security {
        SmtpSecurity::None => Tls::None,
        SmtpSecurity::StartTls => Tls::Required(parameters(options, plan).map_err(lasting)?),
        SmtpSecurity::Tls => Tls::Wrapper(parameters(options, plan).map_err(lasting)?),
    };
    let mut transport = SmtpTransport::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(left.min(PATIENCE).max(Duration::from_millis(1))));
    if let Some((user, password)) = &server.login {
        transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
    }
    match transport.build().send(&mail) {
        Ok(response) => {
            let words = response.message().next().unwrap_or_default().to_owned();
            Ok(format!("{} {words}", response.code()).trim_end().to_owned())
        }
        Err(error) => Err(Undelivered {
            why: format!("the mail server at {place} did not take the message: {}", told(&error)),
            is_passing: !error.is_permanent() && !error.is_client(),
            wait: None,
        }),
    }
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text += &format!(": {words}");
        }
        cause = next.source();
    }
    text
}

fn mail(options: &EmailOptions, message: &Message) -> Result<Mail, String> {
    let address = |text: &str| text.parse().map_err(|error| format!("`{text}` is no mail address: {error}"));
    let mut mail = Mail::builder().from(address(&options.from.0)?).subject(&message.subject);
    for to in &options.to {
        mail = mail.to(address(&to.0)?);
    }
    mail.header(ContentType::TEXT_PLAIN)
        .body(message.text.clone())
        .map_err(|error| format!("no mail can be made: {error}"))
}

fn parameters(options: &EmailOptions, plan: &Plan) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(options.smtp.host.clone());
    if let Some(path) = &options.tls_ca {
        let path = plan.pipeline.resolve(path);
        let unusable = |error: String| format!("`tls_ca` {} cannot be used: {error}", path.display());
        let pem = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| format!("TLS cannot be used: {error}"))
}
