//! Where answers are kept. A tier is a store of bytes; one that fails is skipped for a while and counted, never fatal.

mod disk;
mod memory;
mod redis;

use std::path::PathBuf;

use vardelta_engine::contract::{
    lookup::{LookupContext, LookupFigures},
    sink::{AnswerName, AnswerStore, KeptAnswer, SinkError, SinkErrorKind},
    stage::StageError,
};

use super::{
    clock::{Clock, seconds},
    plan::Plan,
};

/// Which tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    Disk,
    Database,
    Redis,
}

impl Kind {
    /// As it is reported.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Memory => "memory",
            Kind::Disk => "disk",
            Kind::Database => "database",
            Kind::Redis => "redis",
        }
    }

    /// Its figure.
    pub fn figure(self, figures: &mut LookupFigures) -> &mut u64 {
        match self {
            Kind::Memory => &mut figures.memory,
            Kind::Disk => &mut figures.disk,
            Kind::Database => &mut figures.database,
            Kind::Redis => &mut figures.redis,
        }
    }
}

/// A tier as a run uses it.
pub(super) struct Tier {
    pub kind: Kind,
    open: Open,
    /// Open since it was last needed, until it fails.
    store: Option<Box<dyn AnswerStore>>,
    /// It failed and is left alone until then, in microseconds since 1970.
    skipped_until_us: u64,
    /// Reads and writes that failed or were skipped.
    pub errors: u64,
    /// What could not be written yet.
    waiting: Vec<KeptAnswer>,
}

/// How to open a store.
type Open = Box<dyn Fn() -> Result<Box<dyn AnswerStore>, SinkError> + Send>;

/// How long a tier that failed is left alone.
const SKIPPED_US: u64 = 10_000_000;
/// Answers that wait for a tier, at the most; the others it has to do without.
const WAITING: usize = 100_000;

/// The tiers of a look-up, in the order in which they are asked, and the folder of the hosts' slots.
pub(super) fn open(plan: &Plan, context: &LookupContext) -> Result<(Vec<Tier>, PathBuf), StageError> {
    let (cache, mut tiers) = (&plan.cache, Vec::new());
    if cache.memory_entries > 0 {
        let shared = memory::shared(&plan.fingerprint, cache.memory_entries, cache.memory_bytes);
        tiers.push(Tier::new(Kind::Memory, Box::new(move || Ok(Box::new(shared.clone()) as Box<dyn AnswerStore>))));
    }
    let mut slots = context.state.clone();
    if let Some(disk) = &cache.disk {
        let folder = context.folder.join(disk);
        std::fs::create_dir_all(&folder).map_err(|error| {
            StageError::new(format!(
                "look-up `{}`: the folder {} cannot be made: {error}",
                context.stage,
                folder.display()
            ))
            .with_hint("Name another folder in `cache.disk`, or make it.")
        })?;
        slots.clone_from(&folder);
        tiers.push(Tier::new(Kind::Disk, Box::new(move || Ok(Box::new(disk::open(&folder)) as Box<dyn AnswerStore>))));
    }
    if cache.database {
        let Some(sink) = context.database.clone() else {
            return Err(StageError::new(format!(
                "look-up `{}`: there is no database to keep answers in",
                context.stage
            ))
            .with_hint("Leave `cache.database` out."));
        };
        tiers.push(Tier::new(
            Kind::Database,
            Box::new(move || {
                sink.open_answers()?
                    .ok_or_else(|| SinkError::new(SinkErrorKind::Unavailable, "this sink keeps no answers".to_owned()))
            }),
        ));
    }
    if let Some(address) = cache.redis.clone().filter(|address| !address.is_empty()) {
        tiers.push(Tier::new(Kind::Redis, Box::new(move || redis::open(&address))));
    }
    Ok((tiers, slots))
}

impl Tier {
    fn new(kind: Kind, open: Open) -> Tier {
        Tier { kind, open, store: None, skipped_until_us: 0, errors: 0, waiting: Vec::new() }
    }

    /// The entries of these names; none where the tier fails.
    pub fn get(&mut self, names: &[AnswerName], clock: &dyn Clock) -> Vec<Option<Vec<u8>>> {
        let got = self.attempt(clock, |store| store.get(names));
        got.filter(|got| got.len() == names.len()).unwrap_or_else(|| vec![None; names.len()])
    }

    /// Keeps entries; those that it cannot take now it takes later, if it can.
    pub fn put(&mut self, entries: &[KeptAnswer], clock: &dyn Clock) {
        let room = WAITING.saturating_sub(self.waiting.len());
        self.waiting.extend(entries.iter().take(room).cloned());
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() || self.attempt(clock, |store| store.put(&waiting)).is_some() {
            return;
        }
        self.waiting = waiting;
    }

    /// At the end of a run: writes what waits, whether it failed a moment ago or not, and takes out what nobody can use.
    pub fn finish(&mut self, clock: &dyn Clock) {
        if !self.waiting.is_empty() {
            self.skipped_until_us = 0;
            self.put(&[], clock);
        }
        if let Some(store) = &mut self.store {
            // It is only for the room.
            let _ = store.clear(Some(seconds(clock.now_us())));
        }
    }

    /// Takes entries out.
    ///
    /// # Errors
    /// When the tier cannot be reached: it may still have them.
    pub fn remove(&mut self, names: &[AnswerName]) -> Result<(), SinkError> {
        self.waiting.retain(|entry| !names.contains(&entry.name));
        self.store()?.remove(names)
    }

    /// The store, opened.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn store(&mut self) -> Result<&mut Box<dyn AnswerStore>, SinkError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => (self.open)()?,
        };
        Ok(self.store.insert(store))
    }

    /// The store alone.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn into_store(self) -> Result<Box<dyn AnswerStore>, SinkError> {
        (self.open)()
    }

    fn attempt<T>(
        &mut self,
        clock: &dyn Clock,
        work: impl FnOnce(&mut Box<dyn AnswerStore>) -> Result<T, SinkError>,
    ) -> Option<T> {
        if clock.now_us() < self.skipped_until_us {
            self.errors += 1;
            return None;
        }
        match self.store().and_then(work) {
            Ok(done) => Some(done),
            Err(_) => {
                self.errors += 1;
                self.store = None;
                self.skipped_until_us = clock.now_us().saturating_add(SKIPPED_US);
                None
            }
        }
    }
}
