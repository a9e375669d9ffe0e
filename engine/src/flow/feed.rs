//! What the workers work on: chunks of files from the reader threads, or rows read back from tables, through one bounded
//! channel, metered out so that one dataflow takes about `chunk_records` records.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use vardelta_schemas::ledger::DropId;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};

use crate::{
    abort::Abort,
    accounting::RecordLedger,
    contract::{
        source::{Chunk, ContentDigest, InputFile, Source},
        stage::{Planned, StageError},
    },
    error::RunError,
    failpoint,
    flow::{contradictions::Contradictions, meter::MeterTotals},
    locks::Locked as _,
    plan::{
        Plan, StageIndex,
        stamp::{FileStamp, check_bytes, check_unchanged, digest_bytes, digest_text, unreadable},
    },
    rows::RowBatch,
};

/// How long a thread waits before it looks whether the run is to end.
pub(crate) const PATIENCE: Duration = Duration::from_millis(20);
/// Chunks in the channel, at the most, per worker.
const CHUNKS_PER_WORKER: usize = 3;

/// One file to be loaded as a drop.
pub(crate) struct Load {
    /// The source stage.
    pub source: StageIndex,
    /// The drop's name.
    pub name: String,
    /// The file.
    pub file: InputFile,
    /// The drop's number, which is its place in ledger order.
    pub drop_id: DropId,
    /// The file as it was when it was looked at.
    pub stamp: FileStamp,
    /// xxh3-128 of its bytes, 32 hexadecimal digits: known before it is read, or taken while it is.
    pub bytes_digest: OnceLock<String>,
    /// What became of its records.
    pub records: RecordLedger,
    /// Rows of it that gave way to others that say something else.
    pub contradictions: Contradictions,
    /// The content digests of the chunks so far, by their first origin: workers are done with them in any order.
    pub digests: Mutex<BTreeMap<u64, ContentDigest>>,
    /// The digest of what matters in the header.
    pub header_digest: Mutex<u128>,
    /// Bytes of the file consumed so far.
    pub position_bytes: AtomicU64,
    /// Records parsed so far.
    pub records_read: AtomicU64,
    /// Records or rows rejected so far.
    pub rejected: AtomicU64,
    /// The members of the drop whose rows are left out, because they were taken back.
    pub left_out: BTreeSet<String>,
    /// How many rows of them there were.
    pub rows_left_out: AtomicU64,
    /// Whether the origins of its records are numbers of lines, or of records in a binary format.
    pub has_lines: AtomicBool,
}

impl Load {
    /// The digest of its bytes, once it was read.
    pub fn bytes_digest(&self) -> Result<&str, RunError> {
        let digest = self.bytes_digest.get().map(String::as_str);
        digest
            .ok_or_else(|| RunError::internal(format!("drop `{}` was read and its bytes were not digested", self.name)))
    }

    /// The content digest, 32 hexadecimal digits. Where records of the drop asserted one key several times, the order of its
    /// records counts.
    pub fn content_digest(&self) -> String {
        let digests = self.digests.locked();
        let mut digest = ContentDigest::default();
        digests.values().for_each(|chunk| digest.append(*chunk));
        let header = *self.header_digest.locked();
        digest.text(header, self.records.has_superseded())
    }
}

/// A piece of work for one worker.
pub(crate) enum Item {
    /// A chunk of a file.
    Chunk { load: usize, chunk: Arc<Chunk> },
    /// Rows of a table, to be replayed into the views after it.
    Rows { table: StageIndex, rows: RowBatch },
}

impl Item {
    fn weight(&self) -> i64 {
        match self {
            Item::Chunk { chunk, .. } => chunk.raw.origins as i64,
            Item::Rows { rows, .. } => rows.len() as i64,
        }
    }
}

/// What a worker finds in the feed.
pub(crate) enum Taken {
    /// Work.
    Item(Item),
    /// Nothing yet.
    Nothing,
    /// Nothing more for this dataflow.
    Done,
}

/// The receiving end, shared by the workers.
pub(crate) struct Feed {
    receiver: Receiver<Item>,
    pending: Mutex<Option<Item>>,
    remaining: AtomicI64,
    ended: AtomicBool,
}

impl Feed {
    /// A bounded channel for this many workers.
    pub fn channel(workers: usize) -> (Sender<Item>, Feed) {
        let (sender, receiver) = crossbeam_channel::bounded(workers * CHUNKS_PER_WORKER);
        (
            sender,
            Feed { receiver, pending: Mutex::new(None), remaining: AtomicI64::new(0), ended: AtomicBool::new(false) },
        )
    }

    /// Whether all work was taken. Until the readers have hung up, the last piece is not known to be the last; so it is fixed for a
    /// dataflow when its workers have taken what they take.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Chunks that wait, and how many have room.
    pub fn fill(&self) -> (usize, usize) {
        (self.receiver.len(), self.receiver.capacity().unwrap_or_default())
    }

    /// Waits for work for one more dataflow of about this many records. False when there is none.
    pub fn refill(&self, records: u64, abort: &Abort) -> Result<bool, RunError> {
        loop {
            abort.check()?;
            match self.receiver.recv_timeout(PATIENCE) {
                Ok(item) => {
                    *self.pending.locked() = Some(item);
                    self.remaining.store(records.min(i64::MAX as u64) as i64, Ordering::Release);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    // A reader that failed hangs up too.
                    abort.check()?;
                    self.ended.store(true, Ordering::Release);
                    return Ok(false);
                }
            }
        }
    }

    /// The next piece of work of this dataflow, waiting a little for it.
    pub fn take(&self, wait: Duration) -> Taken {
        let pending = self.pending.locked().take();
        let item = match pending {
            Some(item) => item,
            None if self.remaining.load(Ordering::Acquire) <= 0 => return Taken::Done,
            None => match self.receiver.recv_timeout(wait) {
                Ok(item) => item,
                Err(RecvTimeoutError::Timeout) => return Taken::Nothing,
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended.store(true, Ordering::Release);
                    return Taken::Done;
                }
            },
        };
        self.remaining.fetch_sub(item.weight(), Ordering::AcqRel);
        Taken::Item(item)
    }
}

/// Sends, looking now and then whether the run is to end. False when it is.
pub(crate) fn send(sender: &Sender<Item>, mut item: Item, abort: &Abort) -> bool {
    loop {
        if abort.is_raised() {
            return false;
        }
        match sender.send_timeout(item, PATIENCE) {
            Ok(()) => return true,
            Err(SendTimeoutError::Timeout(back)) => item = back,
            Err(SendTimeoutError::Disconnected(_)) => return false,
        }
    }
}

/// The loads in the order in which they are read, shared by the threads that read them.
pub(crate) struct ReadingOrder {
    loads: Vec<usize>,
    next: AtomicUsize,
}

impl ReadingOrder {
    /// In this order.
    pub fn new(loads: Vec<usize>) -> ReadingOrder {
        ReadingOrder { loads, next: AtomicUsize::new(0) }
    }

    /// The next one that nobody reads yet.
    fn take(&self) -> Option<usize> {
        self.loads.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }
}

/// Reads files one after another into the feed.
pub(crate) fn read_files(
    plan: &Plan,
    loads: &[Load],
    order: &ReadingOrder,
    decompression_threads: usize,
    sender: &Sender<Item>,
    totals: &MeterTotals,
    abort: &Abort,
) -> Result<(), RunError> {
    loop {
        let Some(at) = order.take() else { return Ok(()) };
        let load = &loads[at];
        let Planned::Source(source) = &plan.stages[load.source].planned else {
            return Err(RunError::internal("a drop was delivered to a stage that is no source"));
        };
        let stage = &plan.stages[load.source].name;
        read_file((stage, source.as_ref()), load, at, decompression_threads, sender, totals, abort)
            .map_err(|error| error.while_reading(stage, &load.file.path))?;
    }
}

/// What a source says of the file that it reads, with what it does not know: its stage, and the file where it speaks of another.
fn of_source(stage: &str, file: &InputFile, error: StageError) -> RunError {
    let about = if error.is_of_side_input { format!("{}: ", file.shown) } else { String::new() };
    let message = format!("{about}{}", error.message);
    read_by(stage, RunError { message, ..RunError::from(error) })
}

fn read_by(stage: &str, error: RunError) -> RunError {
    RunError { message: format!("{} (read by stage `{stage}`)", error.message), ..error }
}

fn read_file(
    (stage, source): (&str, &dyn Source),
    load: &Load,
    at: usize,
    decompression_threads: usize,
    sender: &Sender<Item>,
    totals: &MeterTotals,
    abort: &Abort,
) -> Result<(), RunError> {
    failpoint::panics("reader:open");
    let fail = |error| of_source(stage, &load.file, error);
    let mut reader = source.open(&load.file, decompression_threads).map_err(fail)?;
    let header: Arc<dyn Any + Send + Sync> = reader.header();
    *load.header_digest.locked() = reader.header_digest();
    loop {
        let started = Instant::now();
        failpoint::slow("reader", stage);
        let Some(raw) = reader.next_chunk().map_err(fail)? else { break };
        load.position_bytes.store(reader.position_bytes(), Ordering::Relaxed);
        let read = started.elapsed();
        failpoint::panics("reader:chunk");
        let chunk = Arc::new(Chunk { raw, header: Arc::clone(&header) });
        let is_sent = send(sender, Item::Chunk { load: at, chunk }, abort);
        totals.read(load.source, read, started.elapsed() - read);
        if !is_sent {
            return Ok(());
        }
    }
    settle_digest(load, reader.bytes_digest()).map_err(|error| read_by(stage, error))?;
    check_unchanged(&load.file, &load.stamp).map_err(|error| read_by(stage, error))
}

/// Compares the bytes that were read (where the reader read them all) with those that were digested before; where none were, theirs is
/// the digest.
fn settle_digest(load: &Load, read: Option<u128>) -> Result<(), RunError> {
    match (load.bytes_digest.get(), read) {
        (Some(known), Some(read)) => check_bytes(&load.file, known, read),
        (Some(_), None) => Ok(()),
        (None, read) => {
            let whole = || digest_bytes(&load.file.path).map_err(|error| unreadable(&load.file, &error));
            let digest = read.map_or_else(whole, |read| Ok(digest_text(read)))?;
            load.bytes_digest.get_or_init(|| digest);
            Ok(())
        }
    }
}
