//! Loading what is ready, so that a file that cannot be loaded does not keep the others out.

use std::collections::BTreeSet;

use vardelta_engine::{
    error::{RunError, RunErrorKind},
    plan::Plan,
};

use crate::{failure::Failure, output::Output, watch::scan::Key, watcher::Listener};

/// Loads these files as one run and tells the listener; with none of them asks for what look-ups wait for.
pub type Load<'a> = dyn Fn(&mut Output, &Plan, &BTreeSet<Key>, Listener) -> Result<(), Failure> + Sync + 'a;

/// What came of loading files.
#[derive(Debug, Default)]
pub struct Outcome {
    /// These are loaded.
    pub loaded: BTreeSet<Key>,
    /// These cannot be, each for this reason.
    pub bad: Vec<(Key, RunError)>,
    /// Why the rest was not tried to its end, where the files are not at fault.
    pub trouble: Option<RunError>,
}

/// Loads files, all of them together. Where a run fails because of some of them, the others are loaded without those.
pub fn load(mut ready: BTreeSet<Key>, run: &mut dyn FnMut(&BTreeSet<Key>) -> Result<(), Failure>) -> Outcome {
    let mut outcome = Outcome::default();
    while !ready.is_empty() {
        let error = match run(&ready) {
            Ok(()) => {
                outcome.loaded = ready;
                break;
            }
            Err(failure) => failure.into_run_error(),
        };
        let is_about_files = matches!(error.kind, RunErrorKind::Input | RunErrorKind::RejectShare);
        let at_fault = error.at_fault.iter().map(|file| (file.source.clone(), file.path.clone()));
        let faulty: BTreeSet<Key> = at_fault.filter(|key| is_about_files && ready.contains(key)).collect();
        if faulty.is_empty() {
            outcome.trouble = Some(error);
            break;
        }
        ready.retain(|key| !faulty.contains(key));
        outcome.bad.extend(faulty.into_iter().map(|key| (key, error.clone())));
    }
    outcome
}
