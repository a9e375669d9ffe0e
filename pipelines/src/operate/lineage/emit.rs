//! Getting events to a file or a service, from a thread of their own: a service that hangs holds nobody up.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

use vardelta_engine::{contract::stage::PipelineSettings, plan::LineageTarget};

use crate::{
    destination::{self, Kind},
    operate::http::Poster,
};

/// What events are appended to.
const EVENTS: Kind = Kind {
    option: "openlineage",
    what: "a file of OpenLineage events",
    is_own: |start| start.starts_with(b"{\"eventTime\":"),
};

/// How long one event may take, and how long the end of a run waits for all.
pub const WITHIN: Duration = Duration::from_secs(2);

/// Takes events.
pub struct Emitter {
    events: Sender<String>,
    /// Behind a lock, so that a run's observer can be shared.
    done: Mutex<Receiver<Result<(), String>>>,
    place: String,
}

impl Emitter {
    /// Takes events for this target.
    pub fn new(target: &LineageTarget, pipeline: &PipelineSettings, token: Option<String>) -> Emitter {
        let (events, waiting) = mpsc::channel::<String>();
        let (result, done) = mpsc::channel();
        let to = match target {
            LineageTarget::File(path) => To::File(pipeline.resolve(path)),
            LineageTarget::Url(url) => To::Service { poster: Poster::new(WITHIN), url: url.clone(), token },
        };
        let place = to.place();
        std::thread::spawn(move || {
            // The first trouble is reported; an event that gets there after it is still worth sending.
            let mut trouble = None;
            for event in waiting {
                trouble = trouble.or(to.emit(&event).err());
            }
            let _ = result.send(trouble.map_or(Ok(()), Err));
        });
        Emitter { events, done: Mutex::new(done), place }
    }

    /// Hands an event over.
    pub fn send(&self, event: String) {
        // The thread ends with its sender.
        let _ = self.events.send(event);
    }

    /// Waits for all of them to arrive, for a bounded time.
    ///
    /// # Errors
    /// What did not, in words.
    pub fn finish(self) -> Result<(), String> {
        let Emitter { events, done, place } = self;
        drop(events);
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        match done.recv_timeout(WITHIN) {
            Ok(result) => result.map_err(|why| format!("lineage cannot be written to {place}: {why}")),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("lineage cannot be written to {place}: it has not answered within {} s", WITHIN.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(format!("lineage cannot be written to {place}")),
        }
    }
}

enum To {
    File(PathBuf),
    Service { poster: Poster, url: String, token: Option<String> },
}

impl To {
    fn place(&self) -> String {
        match self {
            To::File(path) => path.display().to_string(),
            To::Service { url, .. } => url.clone(),
        }
    }

    fn emit(&self, event: &str) -> Result<(), String> {
        match self {
            To::File(path) => {
                destination::check_append(path, &EVENTS).map_err(|error| error.to_string())?;
                let file = OpenOptions::new().create(true).append(true).open(path);
                // One write a line, so that lines of several processes are not mixed.
                file.and_then(|mut file| file.write_all(format!("{event}\n").as_bytes()))
                    .map_err(|error| error.to_string())
            }
            To::Service { poster, url, token } => {
                let bearer = token.as_ref().map(|token| format!("Bearer {token}"));
                let mut headers = vec![("content-type", "application/json")];
                headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
                let answer = poster.post(url, &headers, event).map_err(|error| error.to_string())?;
                if answer.is_success() { Ok(()) } else { Err(answer.said()) }
            }
        }
    }
}
