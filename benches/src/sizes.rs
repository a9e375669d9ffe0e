//! How much is measured, and how often.

/// Records from which on growth is measured instead of one size.
const GROWTH_FROM: u64 = 1_000_001;

/// How much is measured, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Records of the drop that is loaded first.
    pub records: u64,
    /// Records of a longer history, to see how time and memory grow.
    pub longer: Option<u64>,
    /// Records of the drop that comes on top of a history.
    pub change_records: u64,
    /// First loads of each sort; their median is reported.
    pub loads: usize,
    /// Deltas of each sort, each on a fresh copy of the history; their median is reported.
    pub deltas: usize,
    /// Records for the figures of single stages: their batches are held in memory.
    pub stage_records: u64,
    /// Entries of the state store, short and long.
    pub state_entries: [u64; 2],
    /// Whether only the working of the benchmarks is checked.
    pub small: bool,
}

impl Sizes {
    /// The sizes that the command line asks for.
    pub fn new(records: Option<u64>, small: bool) -> Sizes {
        if small {
            return Sizes {
                records: 2_000,
                longer: Some(8_000),
                change_records: 200,
                loads: 1,
                deltas: 1,
                stage_records: 2_000,
                state_entries: [2_000, 8_000],
                small,
            };
        }
        let asked = records.unwrap_or(1_000_000);
        let grows = asked >= GROWTH_FROM;
        let records = if grows { asked / 10 } else { asked };
        Sizes {
            records,
            longer: grows.then_some(asked),
            change_records: records.min(10_000),
            loads: 3,
            deltas: 5,
            stage_records: records.min(300_000),
            state_entries: [records, records * 10],
            small,
        }
    }
}
