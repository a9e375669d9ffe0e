//! Watches a file being read: how far, its last bytes, and the digest of them all.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use vardelta_engine::locks::Locked as _;
use xxhash_rust::xxh3::Xxh3;

use crate::sources::bgzf::END_BLOCK;

/// What has been read of a file so far, seen from another thread than the reading one.
#[derive(Default)]
pub(crate) struct Progress {
    bytes: AtomicU64,
    tail: Mutex<[u8; END_BLOCK.len()]>,
    digest: Mutex<Xxh3>,
}

impl Progress {
    /// How many bytes have been read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the last bytes read are the end-of-file block.
    pub fn ends_with_end_block(&self) -> bool {
        *self.tail.locked() == END_BLOCK
    }

    /// xxh3-128 of the bytes that have been read.
    pub fn digest(&self) -> u128 {
        self.digest.locked().digest128()
    }

    fn add(&self, read: &[u8]) {
        self.digest.locked().update(read);
        self.bytes.fetch_add(read.len() as u64, Ordering::Relaxed);
        let mut tail = self.tail.locked();
        let kept = tail.len().saturating_sub(read.len());
        let from = tail.len() - kept;
        tail.copy_within(from.., 0);
        tail[kept..].copy_from_slice(&read[read.len() - from..]);
    }
}

/// A reader that keeps a [`Progress`].
pub(crate) struct Watched<R> {
    inner: R,
    progress: Arc<Progress>,
}

impl<R> Watched<R> {
    /// Watches this reader.
    pub fn new(inner: R, progress: Arc<Progress>) -> Watched<R> {
        Watched { inner, progress }
    }
}

impl<R: Read> Watched<R> {
    /// Appends up to `limit` bytes, fewer only at the end. The reader below writes into memory that nobody has cleared before, as a file
    /// can; through [`Read::read`] it would be cleared first.
    ///
    /// # Errors
    /// Those of the reader; what it gave before is appended.
    pub fn read_up_to(&mut self, limit: u64, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let start = bytes.len();
        let read = self.inner.by_ref().take(limit).read_to_end(bytes);
        self.progress.add(&bytes[start..]);
        read
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.add(&buffer[..count]);
        Ok(count)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.inner.seek(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_bytes_however_they_come() {
        let mut file = vec![7u8; 100];
        file.extend(END_BLOCK);
        for step in [1, 3, 27, 28, 29, 128] {
            let progress = Arc::new(Progress::default());
            let mut reader = Watched::new(file.as_slice(), Arc::clone(&progress));
            let mut buffer = vec![0; step];
            while reader.read(&mut buffer).expect("memory") > 0 {
                assert_eq!(progress.ends_with_end_block(), progress.bytes() == 128, "step {step}");
            }
            assert!(progress.ends_with_end_block());
            assert_eq!(progress.digest(), xxhash_rust::xxh3::xxh3_128(&file));
        }
    }

    #[test]
    fn bytes_are_watched_however_they_are_read() {
        let file: Vec<u8> = (0..1_000_u32).map(|at| (at % 251) as u8).collect();
        for step in [1, 32, 33, 999, 2_000] {
            let progress = Arc::new(Progress::default());
            let mut reader = Watched::new(file.as_slice(), Arc::clone(&progress));
            let mut bytes = b"before".to_vec();
            while reader.read_up_to(step, &mut bytes).expect("memory") > 0 {
                assert_eq!(progress.bytes() as usize + b"before".len(), bytes.len(), "step {step}");
            }
            assert_eq!(&bytes[b"before".len()..], file, "step {step}");
            assert_eq!(progress.digest(), xxhash_rust::xxh3::xxh3_128(&file), "step {step}");
        }
    }
}
