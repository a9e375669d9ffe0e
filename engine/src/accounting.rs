//! The accounting of a drop's records: read = loaded + filtered + rejected + duplicate, record by record.
//!
//! A record may yield many rows, at many alleles, into several tables, and lose some of them to filters, rejects, or later
//! records with the same key. One word per origin keeps what is needed to say in the end what became of it.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use vardelta_schemas::ledger::RecordCounts;

use crate::locks::Locked as _;

/// The record was read.
const READ: u32 = 1 << 31;
/// At least one row of it was rejected.
const REJECTED: u32 = 1 << 30;
/// At least one row of it passed no filter.
const FILTERED: u32 = 1 << 29;
/// It has no alternate allele to yield.
const NO_ALTERNATE: u32 = 1 << 28;
/// All it has beside REF is `<NON_REF>` or `<*>`: a gVCF reference block.
const REFERENCE_BLOCK: u32 = 1 << 27;
/// At least one row of it was taken back because the sink does not take it.
const QUARANTINED: u32 = 1 << 26;
/// At least one row of it reached a table.
const ARRIVED: u32 = 1 << 25;
/// How many of its rows stand in a table.
const STANDING: u32 = ARRIVED - 1;

/// What became of the records of one drop. Shared by the workers.
#[derive(Default)]
pub struct RecordLedger {
    words: Mutex<Vec<u32>>,
    has_superseded: AtomicBool,
}

/// What one chunk did, gathered by one worker and added in one step.
pub struct ChunkLedger {
    first_origin: u64,
    words: Vec<u32>,
}

impl ChunkLedger {
    /// A chunk that spans these origins.
    pub fn new(first_origin: u64, origins: u64) -> ChunkLedger {
        ChunkLedger { first_origin, words: vec![0; origins as usize] }
    }

    fn word(&mut self, origin: u64) -> Option<&mut u32> {
        self.words.get_mut(origin.checked_sub(self.first_origin)? as usize)
    }

    fn mark(&mut self, origin: u64, flag: u32) {
        if let Some(word) = self.word(origin) {
            *word |= READ | flag;
        }
    }

    /// A row of this record was rejected.
    pub fn rejected(&mut self, origin: u64) {
        self.mark(origin, REJECTED);
    }

    /// A row of this record passed no filter.
    pub fn filtered(&mut self, origin: u64) {
        self.mark(origin, FILTERED);
    }

    /// The record has no alternate allele.
    pub fn no_alternate(&mut self, origin: u64) {
        self.mark(origin, NO_ALTERNATE);
    }

    /// The record is a gVCF reference block, and so without alternate allele.
    pub fn reference_block(&mut self, origin: u64) {
        self.mark(origin, NO_ALTERNATE | REFERENCE_BLOCK);
    }

    /// A row of this record reached a table.
    pub fn arrived(&mut self, origin: u64) {
        if let Some(word) = self.word(origin) {
            *word = (*word | READ | ARRIVED) + 1;
        }
    }
}

impl RecordLedger {
    /// Adds a chunk.
    pub fn add(&self, chunk: ChunkLedger) {
        let mut words = self.words.locked();
        let first = chunk.first_origin as usize;
        if words.len() < first + chunk.words.len() {
            words.resize(first + chunk.words.len(), 0);
        }
        // Origins of different chunks do not overlap, so the words can be put in place as they are.
        words[first..first + chunk.words.len()].copy_from_slice(&chunk.words);
    }

    /// Rows of these records were superseded inside the drop; an origin comes once per row.
    pub fn superseded(&self, origins: &[u64]) {
        self.has_superseded.fetch_or(!origins.is_empty(), Ordering::Relaxed);
        let mut words = self.words.locked();
        for origin in origins {
            if let Some(word) = words.get_mut(*origin as usize) {
                debug_assert!(*word & STANDING > 0, "a row that did not arrive cannot be superseded");
                *word -= u32::from(*word & STANDING > 0);
            }
        }
    }

    /// Whether some row was superseded inside the drop: then the order of its records decides which rows stand.
    pub fn has_superseded(&self) -> bool {
        self.has_superseded.load(Ordering::Relaxed)
    }

    /// A row of this record was taken back because the sink does not take it.
    pub fn quarantined(&self, origin: u64) {
        let mut words = self.words.locked();
        if let Some(word) = words.get_mut(origin as usize) {
            *word -= u32::from(*word & STANDING > 0);
            *word |= QUARANTINED;
        }
    }

    /// The final counts.
    pub fn counts(&self) -> RecordCounts {
        let words = self.words.locked();
        let mut counts = RecordCounts::default();
        for word in words.iter().filter(|word| **word & READ != 0) {
            counts.read += 1;
            if word & STANDING > 0 {
                counts.loaded += 1;
            } else if word & QUARANTINED != 0 {
                counts.rejected += 1;
            } else if word & ARRIVED != 0 {
                counts.duplicates += 1;
            } else if word & (FILTERED | NO_ALTERNATE) != 0 {
                counts.filtered += 1;
                let no_alternate = word & NO_ALTERNATE != 0 && word & FILTERED == 0;
                counts.no_alternate += u64::from(no_alternate);
                counts.reference_blocks += u64::from(no_alternate && word & REFERENCE_BLOCK != 0);
            } else {
                counts.rejected += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_counts_once() {
        let ledger = RecordLedger::default();
        let mut chunk = ChunkLedger::new(10, 11);
        chunk.arrived(10); // loaded
        chunk.arrived(11); // duplicate: its only row is superseded
        chunk.arrived(12); // loaded: one of two rows is superseded
        chunk.arrived(12);
        chunk.rejected(13); // rejected
        chunk.rejected(14); // filtered: one allele rejected, the other passed no filter
        chunk.filtered(14);
        chunk.no_alternate(15); // filtered, without alternate allele
        chunk.rejected(16); // loaded: one allele rejected, one loaded
        chunk.arrived(16);
        chunk.arrived(18); // rejected: the sink does not take its only row
        chunk.arrived(19); // loaded: the sink does not take one of its two rows
        chunk.arrived(19);
        chunk.reference_block(20); // filtered, without alternate allele, a reference block
        ledger.add(chunk); // origin 17 is a blank line
        ledger.superseded(&[11, 12]);
        ledger.quarantined(18);
        ledger.quarantined(19);
        let counts = ledger.counts();
        assert_eq!(
            counts,
            RecordCounts {
                read: 10,
                loaded: 4,
                filtered: 3,
                rejected: 2,
                duplicates: 1,
                no_alternate: 2,
                reference_blocks: 1
            }
        );
    }
}
