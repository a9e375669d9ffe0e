//! Asking for what is looked up: beside the workers, on a thread for each look-up stage, while later chunks are computed.
//!
//! What a chunk leaves on the desks is asked for after it. Answers wait on the desks until all chunks are done; one more chunk
//! then brings them, so that the rows of this very run are written once, with their answers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::Scope,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::{
    clock,
    contract::{
        lookup::{Answer, Asker, KeptTier, LookupContext},
        stage::Planned,
    },
    epoch::open::state_directory,
    error::{RunError, RunErrorKind},
    failpoint,
    flow::{
        RunContext,
        feed::PATIENCE,
        lookup::{Due, Tried, keep, spec},
    },
    plan::{Plan, StageIndex},
};

/// Answers that are put on a desk together.
const ANSWERS_AT_ONCE: usize = 1_024;

/// Where look-ups of this plan run.
pub(crate) fn context_of(plan: &Plan, stage: StageIndex) -> LookupContext {
    let database = match &plan.stages[plan.sink].planned {
        Planned::Sink(sink) => Some(Arc::clone(sink)),
        _ => None,
    };
    LookupContext {
        stage: plan.stages[stage].name.clone(),
        folder: plan.pipeline.base_dir.clone(),
        state: state_directory(plan),
        database,
    }
}

/// The tiers of every look-up of a plan, by the stage's name. The state's folder is not made for it.
///
/// # Errors
/// When the tiers of a stage cannot be named.
pub fn lookup_tiers(plan: &Plan) -> Result<Vec<(String, Vec<KeptTier>)>, RunError> {
    let mut tiers = Vec::new();
    for (at, stage) in plan.stages.indexed() {
        if let Some(spec) = stage.as_lookup() {
            let kept = spec.lookup.tiers(&context_of(plan, at));
            let kept =
                kept.map_err(|error| RunError::new(RunErrorKind::Pipeline, error.to_string()).caused_by(error))?;
            tiers.push((stage.name.clone(), kept));
        }
    }
    Ok(tiers)
}

/// The look-ups whose service this process leaves alone now, because it failed time after time: the stage's name, and until when
/// in seconds since 1970.
pub fn held_lookups(plan: &Plan) -> Vec<(String, u64)> {
    let looks_up = plan.stages.iter().filter_map(|stage| Some((stage, stage.as_lookup()?)));
    looks_up.filter_map(|(stage, spec)| Some((stage.name.clone(), spec.lookup.held_until_s()?))).collect()
}

/// What a run asks for beside what its own rows want.
#[derive(Default)]
pub(crate) struct Questions {
    /// By stage the keys of earlier epochs that wait, or whose answers have grown old, and how often each was asked for in vain.
    pub earlier: BTreeMap<StageIndex, Vec<(Due, u64)>>,
}

/// Keys that a stage's thread is to ask for.
type Keys = Vec<Arc<str>>;

/// The threads that ask.
pub(crate) struct Asking<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    run: Arc<RunContext>,
    stop: Arc<AtomicBool>,
    threads: BTreeMap<StageIndex, Sender<Keys>>,
    /// Batches of keys that were handed out and are not done.
    pending: usize,
    done: Receiver<()>,
    tell_done: Sender<()>,
}

impl<'scope, 'env> Asking<'scope, 'env> {
    /// Puts what is asked for again on the desks. No thread starts before there is a key for it.
    pub fn start(
        scope: &'scope Scope<'scope, 'env>,
        run: &Arc<RunContext>,
        questions: Questions,
    ) -> Asking<'scope, 'env> {
        for (stage, keys) in questions.earlier {
            let Ok(desk) = run.lookups.of(stage) else { continue };
            for (Due { key, status }, attempts) in keys {
                desk.ask_again(key, Tried { status, attempts });
            }
        }
        let (tell_done, done) = unbounded();
        let stop = Arc::new(AtomicBool::new(false));
        Asking { scope, run: Arc::clone(run), stop, threads: BTreeMap::new(), pending: 0, done, tell_done }
    }

    /// Hands out what is on the desks, and goes on.
    ///
    /// # Errors
    /// When the run is to end.
    pub fn ask(&mut self) -> Result<(), RunError> {
        self.run.abort.check()?;
        let run = Arc::clone(&self.run);
        for (stage, desk) in run.lookups.all() {
            let keys = desk.take_open();
            if keys.is_empty() {
                continue;
            }
            let thread = self.threads.entry(stage).or_insert_with(|| {
                let (sender, keys) = unbounded();
                let (run, stop, done) = (Arc::clone(&run), Arc::clone(&self.stop), self.tell_done.clone());
                self.scope.spawn(move || {
                    let shared = Arc::clone(&run);
                    run.abort.guard("a thread that asks", move || work(&shared, stage, &keys, &stop, &done));
                });
                sender
            });
            if thread.send(keys).is_err() {
                run.abort.check()?;
                return Err(RunError::internal("a thread that asks is gone"));
            }
            self.pending += 1;
        }
        Ok(())
    }

    /// Waits until everything that was handed out has been asked for.
    ///
    /// # Errors
    /// When the run is to end.
    pub fn wait(&mut self) -> Result<(), RunError> {
        while self.pending > 0 {
            self.run.abort.check()?;
            match self.done.recv_timeout(PATIENCE) {
                Ok(()) => self.pending -= 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(RunError::internal("the threads that ask are gone")),
            }
        }
        Ok(())
    }
}

impl Drop for Asking<'_, '_> {
    /// The threads end when nobody hands them keys any more; what they are at they leave.
    fn drop(&mut self) {
        if self.pending > 0 {
            self.stop.store(true, Ordering::Release);
        }
        self.threads.clear();
    }
}

/// Asks for one stage.
fn work(
    run: &RunContext,
    stage: StageIndex,
    batches: &Receiver<Keys>,
    stop: &AtomicBool,
    done: &Sender<()>,
) -> Result<(), RunError> {
    let (name, spec, desk) = (&run.plan.stages[stage].name, spec(run, stage)?, run.lookups.of(stage)?);
    let of_stage = |error| RunError::stage(name, error);
    let context = context_of(&run.plan, stage);
    // Where caches are warmed before the first load there is no state yet.
    std::fs::create_dir_all(&context.state).map_err(|error| {
        RunError::new(RunErrorKind::Sink, format!("the directory {} cannot be made: {error}", context.state.display()))
    })?;
    let mut asker = spec.lookup.open(&context).map_err(of_stage)?;
    for keys in batches {
        failpoint::hit("lookup:asking");
        ask(run, stage, asker.as_mut(), &keys, stop)?;
        desk.note_figures(asker.figures());
        failpoint::hit("lookup:asked");
        if done.send(()).is_err() {
            break;
        }
    }
    desk.leave(asker);
    Ok(())
}

/// Asks for some keys, and puts the answers on the desk as they come.
fn ask(
    run: &RunContext,
    stage: StageIndex,
    asker: &mut dyn Asker,
    keys: &[Arc<str>],
    stop: &AtomicBool,
) -> Result<(), RunError> {
    let (name, spec, desk) = (run.plan.stages[stage].name.as_str(), spec(run, stage)?, run.lookups.of(stage)?);
    let layout = run.layout(stage)?;
    let mut answers: Vec<(Arc<str>, Answer)> = Vec::new();
    let mut unanswered: BTreeMap<&str, &Arc<str>> = keys.iter().map(|key| (&**key, key)).collect();
    let mut result = Ok(());
    let put = |answers: &mut Vec<(Arc<str>, Answer)>| {
        let kept = keep((name, spec), layout, answers, clock::now_s())?;
        desk.answered(answers, kept);
        answers.clear();
        Ok::<(), RunError>(())
    };
    let asked = asker.ask(keys, stop, &mut |key, answer| {
        // A key that nobody asked for, or that was answered before, is no answer to anything.
        let Some(key) = unanswered.remove(key) else { return };
        answers.push((Arc::clone(key), answer));
        if answers.len() >= ANSWERS_AT_ONCE && result.is_ok() {
            result = put(&mut answers);
        }
    });
    result?;
    let is_stopped = stop.load(Ordering::Acquire) || run.abort.is_raised();
    let reason = match &asked {
        _ if is_stopped => None,
        Ok(()) => Some("it was asked for and nothing was said of it".to_owned()),
        Err(error) => Some(error.to_string()),
    };
    for key in reason.iter().flat_map(|_| unanswered.values()) {
        let reason = reason.clone().unwrap_or_default();
        answers.push((Arc::clone(key), Answer::Failed { reason, next_try_s: None }));
    }
    put(&mut answers)
}
