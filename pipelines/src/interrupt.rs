//! Ctrl-C and SIGTERM: the first ends the run in good order, the second at once.

use std::{
    io::Write as _,
    process,
    sync::{Mutex, Once, PoisonError},
};

use vardelta_engine::{
    abort::Abort,
    error::{RunError, RunErrorKind},
};

/// What is ended, and whether somebody is told that it takes a while.
static CURRENT: Mutex<Option<(Abort, bool)>> = Mutex::new(None);
static HANDLER: Once = Once::new();

/// What ends the run that is about to begin. From now on Ctrl-C raises it.
pub fn watch() -> Abort {
    install(true)
}

/// What ends a command that only waits, without a word.
pub fn watch_quietly() -> Abort {
    install(false)
}

fn install(tells: bool) -> Abort {
    let abort = Abort::default();
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some((abort.clone(), tells));
    HANDLER.call_once(|| {
        // Where no handler can be set, Ctrl-C ends the process at once, which is safe as well.
        let _ = ctrlc::set_handler(interrupted);
    });
    abort
}

fn interrupted() {
    let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match current {
        Some((abort, tells)) if !abort.is_raised() => {
            abort.raise(RunError::interrupted());
            if tells {
                let _ = writeln!(std::io::stderr(), "\nending the run; once more ends it at once");
            }
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "whoever asks twice wants no more waiting; the next run recovers"
        )]
        _ => process::exit(i32::from(RunErrorKind::Interrupted.exit_code())),
    }
}
