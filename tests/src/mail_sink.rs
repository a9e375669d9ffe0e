//! A mail server on loopback that keeps what it is given (RFC 5321, as much as a client needs), also over TLS (RFC 3207).

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use vardelta_engine::locks::Locked as _;

use crate::listening::Listening;

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// The command with the sender.
    pub from: String,
    /// The commands with the receivers.
    pub to: Vec<String>,
    /// Header and body.
    pub text: String,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
}

#[derive(Default)]
struct Kept {
    mails: Vec<Mail>,
    /// The commands that came without TLS.
    plain: Vec<String>,
    /// The answers to the next mails' senders, instead of taking them.
    refusals: Vec<&'static str>,
}

/// The server; it ends when it is dropped.
pub struct MailSink {
    listening: Listening,
    kept: Arc<Mutex<Kept>>,
}

impl MailSink {
    /// A server on a port of its own.
    ///
    /// # Panics
    /// When there is none.
    pub fn start() -> MailSink {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let serve = move |stream| talk(&mut BufReader::new(stream), &shared, Talk::Plain, true).map(|_| ());
        MailSink { listening: Listening::start(serve), kept }
    }

    /// A server that speaks TLS as it is told, and its certificate in PEM, which is good for this machine by number.
    ///
    /// # Panics
    /// When there is no port, or no certificate can be made.
    pub fn start_encrypted(begins: Begins) -> (MailSink, String) {
        let names = ["127.0.0.1".to_owned(), "0.0.0.0".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate can be made");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("its protocols are known")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("certificate and key fit");
        let (configuration, kept) = (Arc::new(configuration), Arc::new(Mutex::new(Kept::default())));
        let shared = Arc::clone(&kept);
        let serve = move |stream: TcpStream| {
            let mut greets = true;
            if begins == Begins::ByCommand {
                let mut reader = BufReader::new(stream.try_clone()?);
                if !talk(&mut reader, &shared, Talk::Offering, greets)? {
                    return Ok(());
                }
                greets = false;
            }
            let connection = ServerConnection::new(Arc::clone(&configuration)).map_err(io::Error::other)?;
            let stream = StreamOwned::new(connection, stream);
            talk(&mut BufReader::new(stream), &shared, Talk::Encrypted, greets).map(|_| ())
        };
        (MailSink { listening: Listening::start(serve), kept }, cert.pem())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.listening.address.port()
    }

    /// The commands that came without TLS.
    pub fn plain_commands(&self) -> Vec<String> {
        self.kept.locked().plain.clone()
    }

    /// Its address as a pipeline file has it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.listening.address)
    }

    /// Answers the next mail with this instead of taking it.
    pub fn refuse(&self, answer: &'static str) {
        self.kept.locked().refusals.push(answer);
    }

    /// The mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.kept.locked().mails.clone()
    }
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// With the command STARTTLS.
    ByCommand,
    /// With the first byte.
    AtOnce,
}

/// What is spoken at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Talk {
    Plain,
    /// Plain, with TLS to be had.
    Offering,
    Encrypted,
}

/// Answers one client until it goes. True where it wants to go on over TLS.
fn talk<S: Read + Write>(reader: &mut BufReader<S>, kept: &Mutex<Kept>, talk: Talk, greets: bool) -> io::Result<bool> {
    let fresh = || Mail { is_encrypted: talk == Talk::Encrypted, ..Mail::default() };
    let mut mail = fresh();
    if greets {
        say(reader, "220 sink")?;
    }
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        if talk != Talk::Encrypted {
            kept.locked().plain.push(command.clone());
        }
        let answer = match command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" if talk == Talk::Offering => "250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN".to_owned(),
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" if talk == Talk::Offering => {
                say(reader, "220 go on")?;
                return Ok(true);
            }
            "AUTH" => "235 welcome".into(),
            "MAIL" => {
                let refusals = &mut kept.locked().refusals;
                match refusals.is_empty() {
                    true => {
                        mail = Mail { from: command, ..fresh() };
                        "250 ok".into()
                    }
                    false => refusals.remove(0).into(),
                }
            }
            "RCPT" => {
                mail.to.push(command);
                "250 ok".into()
            }
            "DATA" => {
                say(reader, "354 go on")?;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line)? == 0 {
                        return Ok(false);
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    mail.text += line.strip_prefix('.').unwrap_or(&line);
                }
                // Long lines are broken where `=` ends them (quoted-printable).
                mail.text = mail.text.replace("=\r\n", "");
                kept.locked().mails.push(std::mem::replace(&mut mail, fresh()));
                "250 kept".into()
            }
            "QUIT" => {
                say(reader, "221 bye")?;
                return Ok(false);
            }
            "RSET" | "NOOP" => "250 ok".into(),
            _ => "500 what?".into(),
        };
        say(reader, &answer)?;
    }
    Ok(false)
}

fn say<S: Read + Write>(reader: &mut BufReader<S>, answer: &str) -> io::Result<()> {
    reader.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
    reader.get_mut().flush()
}
