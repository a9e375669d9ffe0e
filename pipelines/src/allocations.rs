//! Counts allocations of the whole process, where a bench asks for it. The binary's allocator is wrapped for that; as long as nobody
//! counts, an allocation costs one more look at a flag.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait; what is done here hands everything on to mimalloc")]

use std::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use mimalloc::MiMalloc;

static COUNTS: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// mimalloc, which can be asked to count. Rows are many small allocations on many threads, which the system's allocator is slow at.
pub struct Counting;

/// Allocations; a block that grows counts as one more of its new size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// How many.
    pub count: u64,
    /// Bytes that were asked for.
    pub bytes: u64,
}

/// Counts while it lives. Two at a time would count the same allocations, so there is one.
pub struct Count(());

impl Count {
    /// Begins to count from zero.
    pub fn begin() -> Count {
        COUNT.store(0, Ordering::Relaxed);
        BYTES.store(0, Ordering::Relaxed);
        COUNTS.store(true, Ordering::Relaxed);
        Count(())
    }

    /// What was allocated so far, on all threads.
    pub fn so_far(&self) -> Allocations {
        Allocations { count: COUNT.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        COUNTS.store(false, Ordering::Relaxed);
    }
}

impl Allocations {
    /// What came after an earlier look.
    pub fn since(self, earlier: Allocations) -> Allocations {
        Allocations { count: self.count.saturating_sub(earlier.count), bytes: self.bytes.saturating_sub(earlier.bytes) }
    }
}

#[inline]
fn note(bytes: usize) {
    if COUNTS.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to mimalloc as it came; counting touches atomics alone and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is mimalloc's.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is one that mimalloc gave.
        unsafe { MiMalloc.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the block is one that mimalloc gave.
        unsafe { MiMalloc.realloc(block, layout, size) }
    }
}
