//! Ctrl-C and SIGTERM: the first ends what is under way in good order, the second at once.

use std::{
    io::Write as _,
    ops::Deref,
    process,
    sync::{Condvar, Mutex, MutexGuard, Once},
    time::{Duration, Instant},
};

use vardelta_engine::{
    abort::Abort,
    error::{RunError, RunErrorKind},
    locks::Locked as _,
};

/// What a signal ends.
struct Held {
    /// The runs that are under way, with their numbers.
    runs: Vec<(u64, Abort)>,
    next: u64,
    /// Whether the process does something between runs too, and ends by itself when it is asked to.
    lasts: bool,
    /// Whether it was asked to end.
    asked: bool,
}

static HELD: Mutex<Held> = Mutex::new(Held { runs: Vec::new(), next: 0, lasts: false, asked: false });
static ASKED: Condvar = Condvar::new();
static HANDLER: Once = Once::new();

/// What ends a run. While it lives Ctrl-C raises it.
pub struct Interruptible {
    abort: Abort,
    number: u64,
}

impl Deref for Interruptible {
    type Target = Abort;

    fn deref(&self) -> &Abort {
        &self.abort
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        held().runs.retain(|(number, _)| *number != self.number);
    }
}

fn held() -> MutexGuard<'static, Held> {
    HELD.locked()
}

fn handle() {
    HANDLER.call_once(|| {
        // Where no handler can be set, Ctrl-C ends the process at once, which is safe as well.
        let _ = ctrlc::set_handler(interrupted);
    });
}

/// What ends the run that is about to begin. From now on Ctrl-C raises it.
pub fn watch() -> Interruptible {
    handle();
    let (abort, mut held) = (Abort::default(), held());
    if held.lasts && held.asked {
        abort.raise(RunError::interrupted());
    }
    let number = held.next;
    held.next += 1;
    held.runs.push((number, abort.clone()));
    Interruptible { abort, number }
}

/// From now on the process outlives its runs: a signal ends them, and [`wait`] reports it.
pub fn outlast_runs() {
    handle();
    held().lasts = true;
}

/// Waits, at most this long; true as soon as the process is to end.
pub fn wait(at_most: Duration) -> bool {
    let until = Instant::now() + at_most;
    let mut held = held();
    while !held.asked {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        held = ASKED.wait_timeout(held, left).map_or_else(|poisoned| poisoned.into_inner().0, |(held, _)| held);
    }
    true
}

fn interrupted() {
    let mut held = held();
    let is_first = !std::mem::replace(&mut held.asked, true);
    let may_end = held.lasts || held.runs.iter().any(|(_, abort)| !abort.is_raised());
    if is_first && may_end {
        held.runs.iter().for_each(|(_, abort)| abort.raise(RunError::interrupted()));
        let what = if held.lasts { "vardelta" } else { "the run" };
        drop(held);
        ASKED.notify_all();
        let _ = writeln!(std::io::stderr(), "\nending {what}; once more ends it at once");
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "whoever asks twice wants no more waiting; the next run recovers")]
    process::exit(i32::from(RunErrorKind::Interrupted.exit_code()));
}
