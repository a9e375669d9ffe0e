//! The service that a pipeline's look-up asks: quick, slow, or of no help, as the test says.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use vardelta_engine::locks::Locked as _;
use vardelta_tests::listening::Listening;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// At once.
    Well,
    /// With status 503.
    Down,
    /// As it should, after this long.
    Slow(Duration),
}

/// The service; it ends when it is dropped.
pub struct Service {
    listening: Listening,
    mood: Arc<Mutex<Mood>>,
}

impl Service {
    /// One that is well.
    pub fn start() -> Service {
        let mood = Arc::new(Mutex::new(Mood::Well));
        let shared = Arc::clone(&mood);
        let serve = move |mut stream: std::net::TcpStream| {
            let mut head = BufReader::new(stream.try_clone()?).lines();
            while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
            let mood = *shared.locked();
            if let Mood::Slow(wait) = mood {
                std::thread::sleep(wait);
            }
            let (status, body) = match mood {
                Mood::Down => ("503 Sorry", "{}"),
                Mood::Well | Mood::Slow(_) => ("200 OK", "{\"fact\": \"known\"}"),
            };
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        };
        Service { listening: Listening::start(serve), mood }
    }

    /// Where keys are asked for.
    pub fn url(&self) -> String {
        format!("http://{}/facts?q={{key}}", self.listening.address)
    }

    /// How it answers from now on.
    pub fn is(&self, mood: Mood) {
        *self.mood.locked() = mood;
    }
}
