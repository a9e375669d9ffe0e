//! What the writer of a run knows of it and a merge would have to read again: where its blocks are, which keys they hold, the hashes of
//! all keys. Sessions remember it of their own runs, as much as there is room for, until the runs are merged or the epoch is prepared.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::block::Pointer;

/// Bytes that a session remembers, at the most.
const ROOM_BYTES: usize = 32 << 20;

/// A data block of a run.
#[derive(Debug)]
pub(super) struct WrittenBlock {
    /// Its first key.
    pub(super) first_key: Box<[u8]>,
    /// Its last key.
    pub(super) last_key: Box<[u8]>,
    /// Where it lies.
    pub(super) pointer: Pointer,
    /// Keys in it, tombstones included.
    pub(super) entries: usize,
    /// Whether there are tombstones among them.
    pub(super) has_tombstones: bool,
}

/// What is known of a run that was just written.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Its data blocks, in order.
    pub(super) blocks: Vec<WrittenBlock>,
    /// The hashes of its keys, in order.
    pub(super) hashes: Vec<u64>,
}

impl Written {
    fn bytes(&self) -> usize {
        let keys: usize = self.blocks.iter().map(|block| block.first_key.len() + block.last_key.len()).sum();
        self.blocks.capacity() * size_of::<WrittenBlock>() + keys + self.hashes.capacity() * size_of::<u64>()
    }
}

/// The room of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

/// Something that is remembered, and takes its room as long as it is.
#[derive(Debug)]
pub(super) struct Remembered {
    /// What is known.
    pub(super) written: Written,
    bytes: usize,
    room: Room,
}

impl Room {
    /// Remembers this, if there is room for it.
    pub(super) fn remember(&self, written: Written) -> Option<Arc<Remembered>> {
        let bytes = written.bytes();
        // It is given back where there was none.
        let remembered = Remembered { written, bytes, room: self.clone() };
        (self.0.fetch_add(bytes, Ordering::Relaxed) + bytes <= ROOM_BYTES).then(|| Arc::new(remembered))
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_remembers_what_it_has_room_for() {
        let room = Room::default();
        let half = || Written { blocks: Vec::new(), hashes: vec![0; ROOM_BYTES / 16] };
        let first = room.remember(half());
        let second = room.remember(half());
        assert!(first.is_some() && second.is_some());
        assert!(room.remember(Written { blocks: Vec::new(), hashes: vec![0] }).is_none());
        drop(first);
        assert!(room.remember(half()).is_some(), "what is forgotten makes room");
        drop(second);
    }
}
