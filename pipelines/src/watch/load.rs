//! Loading what is ready, so that a file that cannot be loaded does not keep the others out.

use std::collections::BTreeSet;

use vardelta_engine::{
    error::{RunError, RunErrorKind},
    plan::Plan,
};

use crate::{failure::Failure, output::Output, watch::scan::Key, watcher::Listener};

/// Loads these files as one run and notifies the listener; with none of them asks for what look-ups wait for.
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use vardelta_engine::error::FileAtFault;

    use super::*;

    fn key(name: &str) -> Key {
        ("calls".into(), PathBuf::from(name))
    }

    fn fails(kind: RunErrorKind, names: &[&str]) -> Failure {
        let at_fault = names.iter().map(|name| FileAtFault { source: "calls".into(), path: PathBuf::from(name) });
        Failure::Run(RunError { at_fault: at_fault.collect(), ..RunError::new(kind, "it is bad") })
    }

    #[test]
    fn bad_files_do_not_keep_others_out() {
        let mut runs = 0;
        let ready = ["a", "b", "c", "d", "e"].map(key).into();
        let outcome = load(ready, &mut |files| {
            runs += 1;
            if files.contains(&key("b")) {
                return Err(fails(RunErrorKind::RejectShare, &["b", "d"]));
            }
            if files.contains(&key("c")) { Err(fails(RunErrorKind::Input, &["c"])) } else { Ok(()) }
        });
        assert_eq!(runs, 3);
        assert_eq!(outcome.loaded, ["a", "e"].map(key).into());
        assert_eq!(outcome.bad.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), ["b", "d", "c"].map(key));
        assert!(outcome.trouble.is_none());
    }

    #[test]
    fn what_no_file_is_to_blame_for_ends_the_attempt() {
        for failure in
            [fails(RunErrorKind::Sink, &[]), fails(RunErrorKind::Input, &[]), fails(RunErrorKind::Input, &["x"])]
        {
            let outcome = load([key("a")].into(), &mut |_| Err(Failure::Run(failure_of(&failure))));
            assert!(outcome.trouble.is_some() && outcome.bad.is_empty() && outcome.loaded.is_empty());
        }
    }

    fn failure_of(failure: &Failure) -> RunError {
        match failure {
            Failure::Run(error) => error.clone(),
            Failure::Invalid { .. } => RunError::interrupted(),
        }
    }
}
