//! Merging runs, so that a look-up has few to ask and superseded entries vanish.
//!
//! The rule is geometric: a run is merged with all newer ones when it has at most twice the bytes, or at most twice the
//! entries, of those together (entries, because tombstones are small and may hide much). So an entry is rewritten a
//! logarithmic number of times, and a shard has a logarithmic number of runs.
//!
//! The work of one call is bounded, so that a small load never pays for the history: it may merge the larger of 8 MiB
//! and four times what was written since the last call. A merge that is larger (at most one shard of one space) waits:
//! calls save their share for it, across epochs, until there is enough. Shards wait with more runs meanwhile, which are
//! then merged all at once: the later, the cheaper per entry. The shard with most runs comes first, so none waits forever.

use std::cmp::Reverse;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::catalog::{Catalog, Runs};
use super::cursor::SectionCursor;
use super::error::StateError;
use super::file::lock;
use super::merge::Merge;
use super::section::{Section, SectionWriter};
use super::session::Session;

/// Bytes every call may merge, and unused bytes in data files that are not worth a thought.
const ALLOWANCE_BYTES: u64 = 8 << 20;

/// Bytes a call may merge for each byte written since the last one.
const ALLOWANCE_PER_BYTE: u64 = 4;

/// Less work than this is done faster by one thread than distributed.
const ALONE_BYTES: u64 = 1 << 20;

/// Some neighbouring runs of one shard that become one.
struct Job {
    space: String,
    shard: u32,
    /// Oldest first.
    inputs: Runs,
    /// Whether nothing older lies below them, so that tombstones have nothing left to hide.
    is_bottom: bool,
    /// Runs in the shard.
    runs: usize,
}

impl Job {
    fn bytes(&self) -> u64 {
        self.inputs.iter().map(|section| section.bytes).sum()
    }
}

/// See [`Session::compact`].
pub(super) fn compact(session: &Session) -> Result<(), StateError> {
    session.directory.check_writable()?;
    {
        let mut progress = lock(&session.progress);
        progress.check_open()?;
        progress.credit_bytes += ALLOWANCE_BYTES.max(ALLOWANCE_PER_BYTE.saturating_mul(progress.fresh_bytes));
        progress.fresh_bytes = 0;
    }
    // Merging first: it frees what giving back unused bytes would otherwise copy.
    let saved = run_affordable(session, merges)?;
    if saved {
        return Ok(());
    }
    let saved = run_affordable(session, rewrites)?;
    if !saved {
        // Nothing waits, so nothing is saved: or a long quiet time would end in one long call.
        lock(&session.progress).credit_bytes = 0;
    }
    Ok(())
}

/// Runs the planned jobs in their order until one costs more than there is; says whether that happened.
fn run_affordable(session: &Session, plan: impl FnOnce(&Catalog) -> Vec<Job>) -> Result<bool, StateError> {
    let (jobs, waiting) = {
        let mut progress = lock(&session.progress);
        let mut jobs = plan(&progress.catalog);
        let planned = jobs.len();
        let mut affordable = 0;
        while let Some(job) = jobs.get(affordable)
            && job.bytes() <= progress.credit_bytes
        {
            progress.credit_bytes -= job.bytes();
            affordable += 1;
        }
        if let Some(next) = jobs.get(affordable) {
            // What is saved is for the next job, and no more.
            progress.credit_bytes = progress.credit_bytes.min(next.bytes());
        }
        jobs.truncate(affordable);
        (jobs, affordable < planned)
    };
    run_all(session, &jobs)?;
    Ok(waiting)
}

/// The merges that the geometric rule asks for, the most urgent first.
fn merges(catalog: &Catalog) -> Vec<Job> {
    let mut jobs: Vec<Job> = catalog
        .shards()
        .filter_map(|(space, shard, runs)| {
            let start = first_to_merge(runs)?;
            Some(Job {
                space: space.to_owned(),
                shard,
                inputs: runs[start..].to_vec(),
                is_bottom: start == 0,
                runs: runs.len(),
            })
        })
        .collect();
    jobs.sort_by_key(|job| Reverse(job.runs));
    jobs
}

/// The oldest run that has at most twice the bytes, or the entries, of all newer ones together.
fn first_to_merge(runs: &[Arc<Section>]) -> Option<usize> {
    let (mut newer_bytes, mut newer_entries) = (0, 0);
    let mut found = None;
    for (index, run) in runs.iter().enumerate().rev() {
        if newer_entries > 0 && (run.bytes <= 2 * newer_bytes || run.entries <= 2 * newer_entries) {
            found = Some(index);
        }
        newer_bytes += run.bytes;
        newer_entries += run.entries;
    }
    found
}

/// The sections to be copied so that files that are mostly unused can be deleted, once unused bytes exceed used ones.
fn rewrites(catalog: &Catalog) -> Vec<Job> {
    let mut files = catalog.files();
    let mut used: u64 = files.iter().map(|(_, used)| used).sum();
    let total: u64 = files.iter().map(|(file, _)| file.length()).sum();
    let mut unused = total.saturating_sub(used);
    // The emptiest first: it costs least and frees most.
    files.sort_by_key(|(file, used)| (used * 1000 / file.length().max(1), file.serial()));
    let mut jobs = Vec::new();
    for (file, used_here) in files {
        if unused <= used + ALLOWANCE_BYTES {
            break;
        }
        unused = unused.saturating_sub(file.length().saturating_sub(used_here));
        used = used.saturating_sub(used_here);
        for (space, shard, runs) in catalog.shards() {
            for (index, run) in runs.iter().enumerate().filter(|(_, run)| run.file.serial() == file.serial()) {
                jobs.push(Job {
                    space: space.to_owned(),
                    shard,
                    inputs: vec![Arc::clone(run)],
                    is_bottom: index == 0,
                    runs: runs.len(),
                });
            }
        }
    }
    jobs
}

/// Runs all jobs, on several threads where that is worth it; returns the first error.
fn run_all(session: &Session, jobs: &[Job]) -> Result<(), StateError> {
    let bytes: u64 = jobs.iter().map(Job::bytes).sum();
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
    if threads < 2 || bytes < ALONE_BYTES {
        return jobs.iter().try_for_each(|job| run(session, job));
    }
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = run(session, job) {
                lock(&failure).get_or_insert(error);
                next.store(jobs.len(), Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    failure.into_inner().unwrap_or_default().map_or(Ok(()), Err)
}

fn run(session: &Session, job: &Job) -> Result<(), StateError> {
    let newest_first = job.inputs.iter().rev();
    let mut cursors =
        newest_first.map(|section| SectionCursor::new(Arc::clone(section))).collect::<Result<Vec<_>, _>>()?;
    let mut merge = Merge::seek(&mut cursors, &[])?;
    let mut writer = SectionWriter::new(session.merged_file()?);
    while let Some((key, value)) = merge.entry() {
        if value.is_some() || !job.is_bottom {
            writer.push(key, value)?;
        }
        merge.advance()?;
    }
    let merged = writer.finish()?;
    session.count_bytes(merged.as_ref().map_or(0, |section| section.bytes));

    let mut progress = lock(&session.progress);
    progress.check_open()?;
    let runs = progress.catalog.runs_mut(&job.space, job.shard);
    // Newer runs may have come meanwhile; if the space was cleared, what was merged is not wanted any more.
    let start = runs.windows(job.inputs.len()).position(|some| same(some, &job.inputs));
    if let Some(start) = start {
        runs.splice(start..start + job.inputs.len(), merged.map(Arc::new));
    }
    Ok(())
}

fn same(some: &[Arc<Section>], others: &[Arc<Section>]) -> bool {
    some.iter().zip(others).all(|(one, other)| Arc::ptr_eq(one, other))
}
