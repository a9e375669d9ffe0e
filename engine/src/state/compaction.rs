//! Merging runs, so that a look-up has few to ask and superseded entries vanish.
//!
//! The rule is geometric: a run is merged with all newer ones when it has at most twice the bytes, or at most twice the
//! entries, of those together (entries, because tombstones are small and may hide much). So an entry is rewritten a
//! logarithmic number of times, and a shard has a logarithmic number of runs.
//!
//! The work of one call is bounded, so that a small load never pays for the history: it may merge the larger of 8 MiB
//! and four times what was written since the last call. Merges of at most an eighth of that are small. Half of the
//! allowance is for them; the other half, and what they leave, is saved across calls and epochs until it pays for the
//! next large merge (at most one shard of one space). While a shard waits for a large merge, small ones go on among its
//! newer runs, so it never has many; and the longer it waits, the more runs are merged at once, which is cheaper. Runs of this
//! session that lie in one file are joined (see `join`), which leaves most of them where they are.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::catalog::{Catalog, Runs};
use super::cursor::SectionCursor;
use super::error::StateError;
use super::file::lock;
use super::join::{common_file, join};
use super::merge::Merge;
use super::section::{Section, SectionWriter};
use super::session::{FILE_BYTES, Session};
use super::{group_of, key_hash};

/// Bytes every call may merge, and unused bytes in data files that are not worth a thought.
const ALLOWANCE_BYTES: u64 = 8 << 20;

/// Bytes a call may merge for each byte written since the last one.
const ALLOWANCE_PER_BYTE: u64 = 4;

/// A merge of at most one part in so many of a call's allowance is small.
const SMALL_SHARE: u64 = 8;

/// More data files than this are made fewer, as far as they are small: each takes a file handle while it is read.
const MANY_FILES: usize = 128;

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
    /// Whether every byte is to be written again, elsewhere.
    is_copy: bool,
}

impl Job {
    fn bytes(&self) -> u64 {
        self.inputs.iter().map(|section| section.bytes).sum()
    }
}

impl Session {
    /// Merges runs as far as the allowance of this call goes: the larger of 8 MiB and four times what was written since
    /// the last call, plus what earlier calls saved for a merge that was larger than that. To be called after
    /// the runs of a chunk were written; uses several threads by itself.
    ///
    /// # Errors
    /// When the disk is full or broken, or a run is damaged. The session is lost then.
    pub fn compact(&self) -> Result<(), StateError> {
        compact(self)
    }

    /// Merges every shard into one run, in files in which nothing else was ever written: of what is superseded or deleted
    /// no byte is left in the files that the epoch refers to. To be called last, when nothing more is written.
    ///
    /// # Errors
    /// As [`Session::compact`].
    pub fn rewrite(&self) -> Result<(), StateError> {
        rewrite(self)
    }
}

/// See [`Session::compact`].
fn compact(session: &Session) -> Result<(), StateError> {
    session.directory.check_takes_files()?;
    let jobs = {
        let mut progress = lock(&session.progress);
        progress.check_open()?;
        let allowance = ALLOWANCE_BYTES.max(ALLOWANCE_PER_BYTE.saturating_mul(progress.fresh_bytes));
        progress.fresh_bytes = 0;
        let (jobs, saved) = plan(&progress.catalog, allowance, progress.credit_bytes);
        progress.credit_bytes = saved;
        jobs
    };
    run_all(session, &jobs)
}

/// See [`Session::rewrite`].
fn rewrite(session: &Session) -> Result<(), StateError> {
    session.directory.check_takes_files()?;
    session.begin_files();
    let jobs: Vec<Job> = {
        let mut progress = lock(&session.progress);
        progress.check_open()?;
        (progress.fresh_bytes, progress.credit_bytes) = (0, 0);
        let shards = progress.catalog.shards();
        let job = |(space, shard, runs): (&str, u32, &Runs)| Job {
            space: space.to_owned(),
            shard,
            inputs: runs.clone(),
            is_bottom: true,
            runs: runs.len(),
            is_copy: true,
        };
        shards.map(job).collect()
    };
    run_all(session, &jobs)
}

/// The jobs of this call, and the bytes saved for the large job that is next; nothing is saved when none waits, or a
/// long quiet time would end in one long call.
fn plan(catalog: &Catalog, allowance: u64, saved: u64) -> (Vec<Job>, u64) {
    let small_bytes = allowance / SMALL_SHARE;
    let mut large = rewrites(catalog);
    large.extend(merges(catalog, u64::MAX).into_iter().filter(|job| job.bytes() > small_bytes));
    let mut budget = if large.is_empty() { allowance / 2 } else { saved + allowance / 2 };
    let mut chosen = Chosen::default();
    let mut waiting_bytes = None;
    for job in large {
        if job.bytes() > budget {
            // In this order and no other, so that none waits forever.
            waiting_bytes = Some(job.bytes());
            break;
        }
        budget -= chosen.take(job);
    }
    let mut small_budget = allowance - allowance / 2;
    if waiting_bytes.is_none() {
        small_budget += std::mem::take(&mut budget);
    }
    for job in merges(catalog, small_bytes) {
        if job.bytes() > small_budget {
            break;
        }
        small_budget -= chosen.take(job);
    }
    (chosen.jobs, waiting_bytes.map_or(0, |bytes| bytes.min(budget + small_budget)))
}

/// The jobs that were chosen; a section is in one of them at most.
#[derive(Default)]
struct Chosen {
    jobs: Vec<Job>,
    sections: HashSet<*const Section>,
}

impl Chosen {
    /// Takes the job if no other has a section of it; returns the bytes it will read.
    fn take(&mut self, job: Job) -> u64 {
        if job.inputs.iter().any(|section| self.sections.contains(&Arc::as_ptr(section))) {
            return 0;
        }
        self.sections.extend(job.inputs.iter().map(Arc::as_ptr));
        let bytes = job.bytes();
        self.jobs.push(job);
        bytes
    }
}

/// The merges of at most `limit_bytes` that the geometric rule asks for, the shards with most runs first.
fn merges(catalog: &Catalog, limit_bytes: u64) -> Vec<Job> {
    let mut jobs: Vec<Job> = catalog
        .shards()
        .filter_map(|(space, shard, runs)| {
            let start = first_to_merge(runs, limit_bytes)?;
            Some(Job {
                space: space.to_owned(),
                shard,
                inputs: runs[start..].to_vec(),
                is_bottom: start == 0,
                runs: runs.len(),
                is_copy: false,
            })
        })
        .collect();
    jobs.sort_by_key(|job| Reverse(job.runs));
    jobs
}

/// The oldest run that has at most twice the bytes, or the entries, of all newer ones together, and with them at most
/// `limit_bytes`.
fn first_to_merge(runs: &[Arc<Section>], limit_bytes: u64) -> Option<usize> {
    let (mut newer_bytes, mut newer_entries) = (0, 0);
    let mut found = None;
    for (index, run) in runs.iter().enumerate().rev() {
        if newer_bytes + run.bytes > limit_bytes {
            break;
        }
        if newer_entries > 0 && (run.bytes <= 2 * newer_bytes || run.entries <= 2 * newer_entries) {
            found = Some(index);
        }
        newer_bytes += run.bytes;
        newer_entries += run.entries;
    }
    found
}

/// The sections to be copied so that their files can be deleted: of files that are mostly unused, once unused bytes
/// exceed used ones; of small files, once there are many.
fn rewrites(catalog: &Catalog) -> Vec<Job> {
    let mut files = catalog.files();
    let mut used: u64 = files.iter().map(|(_, used)| used).sum();
    let total: u64 = files.iter().map(|(file, _)| file.length()).sum();
    let mut unused = total.saturating_sub(used);
    let mut count = files.len();
    let mut emptied = HashSet::new();
    // The emptiest first: it costs least and frees most.
    files.sort_by_key(|(file, used)| (used * 1000 / file.length().max(1), file.serial()));
    for (file, used_here) in &files {
        if unused <= used + ALLOWANCE_BYTES {
            break;
        }
        unused = unused.saturating_sub(file.length().saturating_sub(*used_here));
        used = used.saturating_sub(*used_here);
        count -= 1;
        emptied.insert(file.serial());
    }
    files.sort_by_key(|(file, used)| (*used, file.serial()));
    for (file, used_here) in &files {
        if count <= MANY_FILES || *used_here > FILE_BYTES / 2 {
            break;
        }
        if emptied.insert(file.serial()) {
            count -= 1;
        }
    }
    let mut jobs = Vec::new();
    for (space, shard, runs) in catalog.shards() {
        for (index, run) in runs.iter().enumerate().filter(|(_, run)| emptied.contains(&run.file.serial())) {
            jobs.push(Job {
                space: space.to_owned(),
                shard,
                inputs: vec![Arc::clone(run)],
                is_bottom: index == 0,
                runs: runs.len(),
                is_copy: true,
            });
        }
    }
    jobs.sort_by_key(Job::bytes);
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
    let common = if job.is_copy { None } else { common_file(&job.inputs) };
    let writer = match common {
        Some(file) => {
            let mut writer = SectionWriter::new(Arc::clone(&file), session.extent());
            join(&job.inputs, &file, job.is_bottom, &mut writer)?;
            writer
        }
        None => merge(session, job)?,
    };
    let adopted_bytes = writer.adopted_bytes();
    let finished = writer.finish()?;
    session.give_back(finished.extent);
    let merged = finished.section.map(|(section, _)| section);
    session.count_bytes(merged.as_ref().map_or(0, |section| section.bytes - adopted_bytes));

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

/// Merges the runs of a job entry by entry.
fn merge(session: &Session, job: &Job) -> Result<SectionWriter, StateError> {
    let newest_first = job.inputs.iter().rev();
    let mut cursors =
        newest_first.map(|section| SectionCursor::new(Arc::clone(section))).collect::<Result<Vec<_>, _>>()?;
    let mut merge = Merge::seek(&mut cursors, &[])?;
    let mut writer = SectionWriter::new(session.merged_file()?, session.extent());
    while let Some((key, value)) = merge.entry() {
        if value.is_some() || !job.is_bottom {
            writer.push(key_hash(group_of(&job.space, key)), key, value)?;
        }
        merge.advance()?;
    }
    Ok(writer)
}

fn same(some: &[Arc<Section>], others: &[Arc<Section>]) -> bool {
    some.iter().zip(others).all(|(one, other)| Arc::ptr_eq(one, other))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::state::block::Pointer;
    use crate::state::file::DataFile;

    const MIB: u64 = 1 << 20;

    /// A section that nobody reads, alone in a file of this length.
    fn section(serial: u64, bytes: u64, file_bytes: u64) -> Arc<Section> {
        let file = Arc::new(DataFile::existing(Path::new("nowhere"), serial, file_bytes));
        let root = Pointer { offset: 0, length: 0 };
        Arc::new(Section { file, root, levels: 0, entries: bytes / 100, bytes, filter: None, remembered: None })
    }

    fn catalog(shards: &[&[u64]]) -> Catalog {
        let mut catalog = Catalog::default();
        let mut serial = 0;
        for (shard, runs) in (0..).zip(shards) {
            for bytes in *runs {
                serial += 1;
                catalog.runs_mut("table", shard).push(section(serial, *bytes, *bytes));
            }
        }
        catalog
    }

    #[test]
    fn geometric_runs_are_left_alone() {
        for (runs, first) in [
            (&[100_000][..], None),
            (&[100_000, 30_000, 10_000], None),
            (&[100_000, 50_000], Some(0)),
            (&[100_000, 49_000, 1_000], Some(0)),
            (&[100_000, 10_000, 6_000], Some(1)),
        ] {
            let catalog = catalog(&[runs]);
            assert_eq!(first_to_merge(catalog.runs("table", 0), u64::MAX), first, "{runs:?}");
        }
    }

    #[test]
    fn small_merges_go_on_while_a_large_one_is_saved_for() {
        // Shard 0 owes a merge of 45 MiB, and has small runs on top of it; shard 1 owes a small one.
        let catalog = catalog(&[&[30 * MIB, 15 * MIB, 1000, 1000], &[1000, 1000, 1000]]);
        let (jobs, saved) = plan(&catalog, 8 * MIB, 0);
        let inputs: Vec<(u32, usize)> = jobs.iter().map(|job| (job.shard, job.inputs.len())).collect();
        assert_eq!(inputs, [(0, 2), (1, 3)]);
        assert_eq!(saved, 8 * MIB - 5000);
        let (jobs, saved) = plan(&catalog, 8 * MIB, 42 * MIB);
        let inputs: Vec<(u32, usize)> = jobs.iter().map(|job| (job.shard, job.inputs.len())).collect();
        assert_eq!((inputs, saved), (vec![(0, 4), (1, 3)], 0), "enough is saved, and each run is merged once");
    }

    #[test]
    fn quiet_times_save_nothing() {
        assert_eq!(plan(&catalog(&[&[10 * MIB, MIB]]), 8 * MIB, 5 * MIB).1, 0);
    }

    #[test]
    fn many_small_files_are_made_fewer_and_large_ones_stay() {
        let mut catalog = Catalog::default();
        for serial in 0..300 {
            let bytes = if serial < 100 { FILE_BYTES } else { 1000 + serial };
            catalog.runs_mut("table", (serial % 64) as u32).push(section(serial, bytes, bytes));
        }
        let jobs = rewrites(&catalog);
        assert_eq!(jobs.len(), 300 - MANY_FILES);
        assert!(jobs.iter().all(|job| job.bytes() < 2000));
    }
}
