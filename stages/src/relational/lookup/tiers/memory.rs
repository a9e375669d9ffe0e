//! Answers in memory, for a process that runs time after time.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use quick_cache::{Weighter, sync::Cache};
use vardelta_engine::{
    contract::sink::{AnswerName, AnswerStore, KeptAnswer, SinkError},
    locks::Locked as _,
};

/// What is kept for one look-up, whichever run asks.
#[derive(Clone)]
pub(super) struct Memory(Arc<Cache<AnswerName, Arc<[u8]>, Weight>>);

/// The caches of this process by fingerprint.
static CACHES: LazyLock<Mutex<HashMap<String, Memory>>> = LazyLock::new(Mutex::default);

/// An entry weighs its bytes, and at least its share of all there is room for: so the number of entries is bounded too.
#[derive(Clone)]
struct Weight {
    least: u64,
}

impl Weighter<AnswerName, Arc<[u8]>> for Weight {
    fn weight(&self, name: &AnswerName, entry: &Arc<[u8]>) -> u64 {
        ((name.len() + entry.len()) as u64).max(self.least)
    }
}

/// The cache of a look-up; its size is that of the first one that opened it.
pub(super) fn shared(fingerprint: &str, entries: u64, bytes: u64) -> Memory {
    let mut caches = CACHES.locked();
    caches.entry(fingerprint.to_owned()).or_insert_with(|| Memory::new(entries, bytes)).clone()
}

impl Memory {
    fn new(entries: u64, bytes: u64) -> Memory {
        let (entries, bytes) = (entries.max(1), bytes.max(1));
        let weight = Weight { least: bytes.div_ceil(entries) };
        Memory(Arc::new(Cache::with_weighter(usize::try_from(entries).unwrap_or(usize::MAX), bytes, weight)))
    }
}

impl AnswerStore for Memory {
    fn get(&mut self, names: &[AnswerName]) -> Result<Vec<Option<Vec<u8>>>, SinkError> {
        Ok(names.iter().map(|name| self.0.get(name).map(|entry| entry.to_vec())).collect())
    }

    fn put(&mut self, entries: &[KeptAnswer]) -> Result<(), SinkError> {
        entries.iter().for_each(|entry| self.0.insert(entry.name, Arc::from(entry.bytes.as_slice())));
        Ok(())
    }

    fn remove(&mut self, names: &[AnswerName]) -> Result<(), SinkError> {
        names.iter().for_each(|name| drop(self.0.remove(name)));
        Ok(())
    }

    fn clear(&mut self, expired_before_s: Option<i64>) -> Result<u64, SinkError> {
        // What expired is judged when it is read, and leaves when there is no room.
        let cleared = if expired_before_s.is_none() { self.0.len() as u64 } else { 0 };
        if expired_before_s.is_none() {
            self.0.clear();
        }
        Ok(cleared)
    }

    fn size(&mut self) -> Result<(u64, u64), SinkError> {
        Ok((self.0.len() as u64, self.0.weight()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_by_entries_and_by_bytes() {
        let entry = |number: u64, bytes: usize| {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&number.to_le_bytes());
            KeptAnswer { name, expires_s: 0, bytes: vec![7; bytes] }
        };
        let mut few = Memory::new(10, 1_000_000);
        let mut small = Memory::new(1_000_000, 10_000);
        for number in 0..1_000 {
            few.put(&[entry(number, 10)]).expect("kept");
            small.put(&[entry(number, 1_000)]).expect("kept");
        }
        let (entries, _) = few.size().expect("a size");
        assert!((1..=10).contains(&entries), "{entries}");
        let (entries, bytes) = small.size().expect("a size");
        assert!((1..=9).contains(&entries) && bytes <= 10_000, "{entries} entries, {bytes} bytes");
        few.clear(None).expect("cleared");
        assert_eq!(few.size().expect("a size").0, 0);
    }
}
