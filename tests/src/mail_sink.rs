//! A mail server on loopback that keeps what it is given (RFC 5321, as much as a client needs).

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex},
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
}

#[derive(Default)]
struct Kept {
    mails: Vec<Mail>,
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
        MailSink { listening: Listening::start(move |stream| serve(stream, &shared)), kept }
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

fn serve(stream: TcpStream, kept: &Mutex<Kept>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut mail = Mail::default();
    stream.write_all(b"220 sink\r\n")?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        let answer = match command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => "235 welcome".into(),
            "MAIL" => {
                let refusals = &mut kept.locked().refusals;
                match refusals.is_empty() {
                    true => {
                        mail = Mail { from: command, ..Mail::default() };
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
                stream.write_all(b"354 go on\r\n")?;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    mail.text += line.strip_prefix('.').unwrap_or(&line);
                }
                // Long lines are broken where `=` ends them (quoted-printable).
                mail.text = mail.text.replace("=\r\n", "");
                kept.locked().mails.push(std::mem::take(&mut mail));
                "250 kept".into()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            "RSET" | "NOOP" => "250 ok".into(),
            _ => "500 what?".into(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
