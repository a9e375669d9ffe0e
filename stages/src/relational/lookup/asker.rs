//! One run's asking: the tiers in their order, then the service, from several threads.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use vardelta_engine::contract::{
    lookup::{Answer, Asker, LookupContext, LookupFigures},
    sink::{AnswerName, KeptAnswer},
    stage::StageError,
};

use super::{
    clock::{Clock, micros, seconds},
    entry::{Entry, Worth},
    fetch::{Fetcher, Outcome},
    plan::{Plan, entry_name},
    tiers::{self, Kind, Tier},
    turn::Turns,
};

/// Keys for which a tier is asked at once.
const TIER_KEYS: usize = 1_000;
/// Batches for each thread in a turn: then somebody else may ask.
const TURN_BATCHES: usize = 4;
/// The key of the entry that says which release the service named last; it is called by [`release_name`].
const RELEASE: &str = "";

/// An asker over HTTP.
pub(super) struct HttpAsker {
    plan: Arc<Plan>,
    stage: String,
    tiers: Vec<Tier>,
    fetcher: Fetcher,
    turns: Turns,
    figures: LookupFigures,
    /// The newest release that the service named, with the time.
    release: Option<(i64, String)>,
}

fn release_name(fingerprint: &str) -> AnswerName {
    entry_name(&format!("release of {fingerprint}"), RELEASE)
}

/// Answers that are too old, by key, and the tier that has them.
type Stale = HashMap<Arc<str>, (Kind, Entry)>;

impl HttpAsker {
    /// Opens the tiers and makes ready to ask.
    pub fn open(
        plan: Arc<Plan>,
        context: &LookupContext,
        clock: Arc<dyn Clock>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<HttpAsker, StageError> {
        let (tiers, slots) = tiers::open(&plan, context)?;
        let turns = Turns::new(&slots, &plan.fingerprint);
        let fetcher = Fetcher::new(Arc::clone(&plan), &context.stage, slots, clock, environment)?;
        let stage = context.stage.clone();
        let mut asker =
            HttpAsker { plan, stage, tiers, fetcher, turns, figures: LookupFigures::default(), release: None };
        asker.read_release();
        Ok(asker)
    }

    fn name(&self, key: &str) -> AnswerName {
        entry_name(&self.plan.fingerprint, key)
    }

    /// The newest release that any tier knows of: what another process heard counts here too.
    fn read_release(&mut self) {
        if !matches!(self.plan.reading.release, Some(super::reading::Release::Path(_))) {
            return;
        }
        let (name, clock) = (release_name(&self.plan.fingerprint), Arc::clone(&self.fetcher.clock));
        for tier in &mut self.tiers {
            let bytes = tier.get(&[name], clock.as_ref()).pop().flatten();
            let entry = bytes.and_then(|bytes| Entry::decode(&bytes, RELEASE));
            if let Some((at_s, release)) = entry.and_then(|entry| Some((entry.at_s, entry.release?)))
                && self.release.as_ref().is_none_or(|(known_s, _)| *known_s < at_s)
            {
                self.release = Some((at_s, release));
            }
        }
    }

    /// Answers what the tiers know; returns the keys that are left, and what stands in for them if the service fails.
    fn ask_tiers(
        &mut self,
        keys: &[Arc<str>],
        stop: &AtomicBool,
        answered: &mut dyn FnMut(&str, Answer),
    ) -> (Vec<Arc<str>>, Stale) {
        let (clock, terms) = (Arc::clone(&self.fetcher.clock), self.plan.terms);
        let (mut left, mut stale) = (Vec::new(), Stale::new());
        for keys in keys.chunks(TIER_KEYS) {
            let mut open: Vec<(Arc<str>, AnswerName)> = keys.iter().map(|key| (key.clone(), self.name(key))).collect();
            let release = self.release.as_ref().map(|(_, release)| release.clone());
            for at in 0..self.tiers.len() {
                if open.is_empty() || stop.load(Ordering::Relaxed) {
                    break;
                }
                let names: Vec<AnswerName> = open.iter().map(|(_, name)| *name).collect();
                let kind = self.tiers[at].kind;
                let got = self.tiers[at].get(&names, clock.as_ref());
                let (mut next, mut upwards) = (Vec::new(), Vec::new());
                for ((key, name), bytes) in open.into_iter().zip(got) {
                    let entry = bytes.as_deref().and_then(|bytes| Entry::decode(bytes, &key));
                    let worth =
                        entry.as_ref().map(|entry| entry.worth(&terms, seconds(clock.now_us()), release.as_deref()));
                    match (entry, worth) {
                        (Some(entry), Some(Worth::Fresh)) => {
                            let bytes = bytes.unwrap_or_default();
                            upwards.push(KeptAnswer { name, expires_s: entry.expires_s(&terms), bytes });
                            *kind.figure(&mut self.figures) += 1;
                            self.figures.wanted += 1;
                            answered(&key, entry.answer(&terms));
                        }
                        (entry, worth) => {
                            if let (Some(entry), Some(Worth::Stale)) = (entry, worth)
                                && stale.get(&key).is_none_or(|(_, known)| known.at_s < entry.at_s)
                            {
                                stale.insert(key.clone(), (kind, entry));
                            }
                            next.push((key, name));
                        }
                    }
                }
                if !upwards.is_empty() {
                    self.tiers[..at].iter_mut().for_each(|tier| tier.put(&upwards, clock.as_ref()));
                }
                open = next;
            }
            left.extend(open.into_iter().map(|(key, _)| key));
        }
        (left, stale)
    }

    /// Asks the service for keys in batches, from several threads; what comes is kept and reported on this one.
    fn ask_service(
        &mut self,
        keys: &[Arc<str>],
        stale: &mut Stale,
        stop: &AtomicBool,
        answered: &mut dyn FnMut(&str, Answer),
    ) {
        let asking = &self.plan.asking;
        let batches: Vec<&[Arc<str>]> = keys.chunks(asking.batch).collect();
        let (next, threads) = (AtomicUsize::new(0), asking.concurrency.min(batches.len()));
        let (sender, receiver) = crossbeam_channel::bounded::<Vec<(Arc<str>, Outcome)>>(threads.max(1));
        let fetcher = &self.fetcher;
        let work = Work { plan: &self.plan, clock: fetcher.clock.as_ref() };
        let (tiers, figures, release) = (&mut self.tiers, &mut self.figures, &mut self.release);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, batches, next) = (sender.clone(), &batches, &next);
                scope.spawn(move || {
                    while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let mut outcomes = Vec::with_capacity(batch.len());
                        fetcher.batch(batch, stop, &mut |key, outcome| outcomes.push((key.clone(), outcome)));
                        if sender.send(outcomes).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for outcomes in receiver {
                work.take(outcomes, tiers, figures, release, stale, answered);
            }
        });
        self.figures.requests = self.fetcher.http.requests.load(Ordering::Relaxed);
    }
}

/// What taking outcomes needs.
struct Work<'a> {
    plan: &'a Plan,
    clock: &'a dyn Clock,
}

impl Work<'_> {
    /// Keeps what came in every tier, then hands it on.
    fn take(
        &self,
        outcomes: Vec<(Arc<str>, Outcome)>,
        tiers: &mut [Tier],
        figures: &mut LookupFigures,
        newest: &mut Option<(i64, String)>,
        stale: &mut Stale,
        answered: &mut dyn FnMut(&str, Answer),
    ) {
        let (terms, now_s) = (&self.plan.terms, seconds(self.clock.now_us()));
        let (mut kept, mut told) = (Vec::new(), Vec::new());
        let keep = |entry: &Entry, name: AnswerName| KeptAnswer {
            name,
            expires_s: entry.expires_s(terms),
            bytes: entry.encode(),
        };
        for (key, outcome) in outcomes {
            figures.wanted += 1;
            let answer = match outcome {
                Outcome::Answered { values, release } => {
                    *(if values.is_some() { &mut figures.answered } else { &mut figures.absent }) += 1;
                    if let Some(release) = &release
                        && newest.as_ref().is_none_or(|(_, known)| known != release)
                    {
                        let entry = Entry::new(RELEASE, now_s, Some(release.clone()), Some(&[]));
                        kept.push(keep(&entry, release_name(&self.plan.fingerprint)));
                        *newest = Some((now_s, release.clone()));
                    }
                    let entry = Entry::new(&key, now_s, release, values.as_deref());
                    kept.push(keep(&entry, entry_name(&self.plan.fingerprint, &key)));
                    entry.answer(terms)
                }
                Outcome::Failed { reason, next_try_s } => match stale.remove(&key) {
                    Some((kind, entry)) => {
                        *kind.figure(figures) += 1;
                        grown_old(entry.answer(terms), now_s)
                    }
                    None => {
                        figures.failed += 1;
                        Answer::Failed { reason, next_try_s }
                    }
                },
            };
            told.push((key, answer));
        }
        // Kept first: whoever is killed after this does not ask again.
        if !kept.is_empty() {
            tiers.iter_mut().for_each(|tier| tier.put(&kept, self.clock));
        }
        told.into_iter().for_each(|(key, answer)| answered(&key, answer));
    }
}

/// An answer that is given although it is too old: the next run asks again.
fn grown_old(answer: Answer, now_s: i64) -> Answer {
    let old = |until_s: Option<i64>| Some(until_s.unwrap_or(now_s).min(now_s));
    match answer {
        Answer::Found { values, release, until_s } => Answer::Found { values, release, until_s: old(until_s) },
        Answer::Absent { until_s } => Answer::Absent { until_s: old(until_s) },
        failed => failed,
    }
}

impl Asker for HttpAsker {
    fn ask(
        &mut self,
        keys: &[Arc<str>],
        stop: &AtomicBool,
        answered: &mut dyn FnMut(&str, Answer),
    ) -> Result<(), StageError> {
        let (left, mut stale) = self.ask_tiers(keys, stop, answered);
        let asking = &self.plan.asking;
        let (turn_keys, deadline) = (asking.batch * asking.concurrency * TURN_BATCHES, asking.deadline);
        for keys in left.chunks(turn_keys) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if self.tiers.is_empty() {
                self.ask_service(keys, &mut stale, stop, answered);
                continue;
            }
            let clock = Arc::clone(&self.fetcher.clock);
            let turn = self.turns.take(clock.as_ref(), clock.now_us().saturating_add(micros(deadline)), stop);
            // Whoever had the turn before may have asked for the same.
            let (left, older) = self.ask_tiers(keys, stop, answered);
            stale.extend(older);
            if !left.is_empty() && !stop.load(Ordering::Relaxed) {
                self.ask_service(&left, &mut stale, stop, answered);
            }
            drop(turn);
        }
        Ok(())
    }

    fn forget(&mut self, keys: &[Arc<str>]) -> Result<(), StageError> {
        let names: Vec<AnswerName> = keys.iter().map(|key| self.name(key)).collect();
        for tier in &mut self.tiers {
            tier.remove(&names).map_err(|error| {
                StageError::new(format!("look-up `{}`: a tier of its answers does not forget: {error}", self.stage))
                    .with_hint("See that the tier can be reached, then withdraw again.")
            })?;
        }
        Ok(())
    }

    fn figures(&self) -> LookupFigures {
        LookupFigures { tier_errors: self.tiers.iter().map(|tier| tier.errors).sum(), ..self.figures }
    }
}

impl Drop for HttpAsker {
    /// What a tier could not take before, because the load's transaction held it.
    fn drop(&mut self) {
        let clock = Arc::clone(&self.fetcher.clock);
        self.tiers.iter_mut().for_each(|tier| tier.finish(clock.as_ref()));
    }
}
