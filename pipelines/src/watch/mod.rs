//! `watch`: drops are loaded as they arrive, for as long as the process is let.
//!
//! For every pipeline a thread of its own (`keeper.rs`) looks at its folders (`scan.rs`), decides which files are ready
//! (`files.rs`), loads them (`load.rs`) and waits (`hint.rs`). It never withdraws anything: a folder that is gone is not a
//! wish.

mod backoff;
mod between;
mod files;
mod hint;
mod keeper;
mod load;
mod look;
mod scan;
mod sidecar;
mod systemd;
mod whole;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use vardelta_engine::error::{RunError, RunErrorKind};

use self::{keeper::Keeper, systemd::Notifier};
pub use self::{load::Load, scan::Key};
use crate::{interrupt, live::Board, output::Output};

/// How often the threads are looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// How is watched.
pub struct Settings {
    /// How often folders are looked at where nothing says that something has happened.
    pub every: Duration,
    /// How long a file must not have changed.
    pub settle: Duration,
    /// Whether to end after one look.
    pub once: bool,
}

/// Watches every pipeline of the board until the process is asked to end, which whoever calls has asked to hear of
/// ([`interrupt::outlast_runs`]), or once. Gives the exit code.
pub fn watch(output: &Output, settings: &Settings, board: &Board, load: &Load<'_>) -> u8 {
    let notifier = Notifier::from_environment();
    thread::scope(|scope| {
        let threads: Vec<_> = board
            .pipelines
            .iter()
            .map(|live| {
                let name = live.plan.pipeline.name.clone();
                let work = move || {
                    let keeper = Keeper::new(Arc::clone(live), settings, load, output);
                    catch_unwind(AssertUnwindSafe(|| keeper.watch())).unwrap_or_else(|payload| {
                        live.died();
                        output.error(&RunError::panic(&format!("the watch over `{name}`"), payload.as_ref()));
                        RunErrorKind::Internal.exit_code()
                    })
                };
                scope.spawn(work)
            })
            .collect();
        accompany(&notifier, board, &|| threads.iter().all(|thread| thread.is_finished()));
        let codes = threads.into_iter().map(|thread| thread.join().unwrap_or(RunErrorKind::Internal.exit_code()));
        codes.max().unwrap_or(0)
    })
}

/// Tells the service manager how it goes, until all threads are done.
fn accompany(notifier: &Notifier, board: &Board, is_done: &dyn Fn() -> bool) {
    // Half of the time that the manager gives is what it advises.
    let every = notifier.watchdog.map(|watchdog| watchdog / 2);
    let (mut is_ready, mut is_ending, mut told) = (false, false, Instant::now());
    while !is_done() {
        if !is_ready && board.has_looked() {
            is_ready = true;
            notifier.say("READY=1");
        }
        // A thread that has died is no life; one that is busy with a long load is. What is slow is for the metrics to say.
        if every.is_some_and(|every| told.elapsed() >= every) && board.is_alive() {
            told = Instant::now();
            notifier.say("WATCHDOG=1");
        }
        if is_ending {
            thread::sleep(GLANCE / 10);
        } else if interrupt::wait(GLANCE) {
            is_ending = true;
            notifier.say("STOPPING=1");
        }
    }
    if !is_ready && board.has_looked() {
        notifier.say("READY=1");
    }
    if !is_ending {
        notifier.say("STOPPING=1");
    }
}
