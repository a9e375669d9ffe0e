//! How far a run is, while it works: a view on a terminal, which is gone when the run is over, or a line every half minute
//! where there is none.

mod figures;
mod frame;
mod ink;
mod look;
mod pulse;
mod stages;
mod view;

use std::{
    io::Write as _,
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use vardelta_engine::{event::RunEvent, locks::Locked as _, report::Progress};

pub use self::look::Shown;
use self::{figures::Figures, frame::Frame, look::Look};

/// How often the view is drawn.
const FRAME: Duration = Duration::from_millis(150);
/// Over which time the view measures rates.
const RECENT: Duration = Duration::from_secs(4);
/// How often a line is written where there is no terminal.
const PULSE: Duration = Duration::from_secs(30);

/// Shows how far a run is, from a thread of its own. Dropping it takes the view away.
pub struct Live {
    figures: Arc<Mutex<Figures>>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Live {
    /// Shows a run that begins now; `None` where nothing is to be shown.
    pub fn start(shown: Shown) -> Option<Live> {
        let span = if shown == Shown::Lines { PULSE } else { RECENT };
        let figures = Arc::new(Mutex::new(Figures::new(Instant::now(), span)));
        let (alive, ended) = mpsc::channel::<()>();
        let read = Arc::clone(&figures);
        let thread = match shown {
            Shown::Nothing => return None,
            Shown::View { color } => std::thread::spawn(move || {
                let mut frame = Frame::default();
                while ended.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                    let look = Look::of_terminal(color);
                    let mut figures = read.locked();
                    figures.look(Instant::now());
                    let lines = view::lines(&figures, &look);
                    drop(figures);
                    // If the terminal is gone, nobody looks.
                    let _ = std::io::stderr().write_all(frame.draw(&lines, &look).as_bytes());
                }
                let _ = std::io::stderr().write_all(frame.clear(&Look::of_terminal(color)).as_bytes());
            }),
            Shown::Lines => std::thread::spawn(move || {
                while ended.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                    let mut figures = read.locked();
                    figures.look(Instant::now());
                    let line = pulse::line(&figures);
                    drop(figures);
                    // If nobody listens, nobody hears it.
                    let _ = writeln!(std::io::stderr(), "{line}");
                }
            }),
        };
        Some(Live { figures, thread: Some((alive, thread)) })
    }

    /// Takes how far the run is.
    pub fn show(&self, progress: &Progress) {
        self.figures.locked().take(progress, Instant::now());
    }

    /// Takes what happened.
    pub fn event(&self, event: &RunEvent) {
        self.figures.locked().event(event);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some((alive, thread)) = self.thread.take() {
            drop(alive);
            let _ = thread.join();
        }
    }
}
