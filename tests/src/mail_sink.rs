//! A mail server on loopback that keeps what it is given (RFC 5321, as much as a client needs).

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

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
    ends: bool,
}

/// The server; its thread ends with it.
pub struct MailSink {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    thread: Option<JoinHandle<()>>,
}

impl MailSink {
    /// A server on a port of its own.
    ///
    /// # Panics
    /// When there is none.
    pub fn start() -> MailSink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if lock(&shared).ends {
                    return;
                }
                // A client that goes away in the middle has sent no mail.
                let _ = stream.and_then(|stream| serve(stream, &shared));
            }
        });
        MailSink { address, kept, thread: Some(thread) }
    }

    /// Its address as a pipeline file has it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Answers the next mail with this instead of taking it.
    pub fn refuse(&self, answer: &'static str) {
        lock(&self.kept).refusals.push(answer);
    }

    /// The mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.kept).mails.clone()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        lock(&self.kept).ends = true;
        // The thread waits for somebody to come.
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
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
                let refusals = &mut lock(kept).refusals;
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
                lock(kept).mails.push(std::mem::take(&mut mail));
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
