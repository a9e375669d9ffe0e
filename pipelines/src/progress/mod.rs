//! How far a run is, while it works: a view on a terminal, which is gone when the run is over, or a line every half minute
//! where there is none.

mod figures;
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

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vardelta_engine::{event::RunEvent, locks::Locked as _, report::Progress};

pub use self::look::Shown;
use self::{figures::Figures, look::Look};

/// Frames a second, at the most.
const FRAMES_PER_SECOND: u8 = 8;
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
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND));
                bar.set_style(ProgressStyle::with_template("{msg}").expect("the template is written here"));
                while ended.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                    let look = Look::of_terminal(color);
                    let mut figures = read.locked();
                    figures.look(Instant::now());
                    let lines: Vec<String> =
                        view::lines(&figures, &look).iter().map(|line| line.render(&look)).collect();
                    drop(figures);
                    bar.set_message(lines.join("\n"));
                }
                bar.finish_and_clear();
            }),
            Shown::Lines => std::thread::spawn(move || {
                while ended.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                    let mut figures = read.locked();
                    figures.look(Instant::now());
                    let line = pulse::line(&figures);
                    drop(figures);
                    // If nobody listens, nobody can be told.
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
