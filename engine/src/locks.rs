//! Locks whose holder may have panicked.
//!
//! A thread that panics ends its run (see [`abort`](crate::abort)); whoever cleans up after it still needs what it held, and every
//! holder leaves its data whole between statements. So a poisoned lock is taken like any other.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock whether or not somebody panicked while holding it.
pub trait Locked<T: ?Sized> {
    /// Waits for the lock and takes it.
    fn locked(&self) -> MutexGuard<'_, T>;
}

impl<T: ?Sized> Locked<T> for Mutex<T> {
    fn locked(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_held_is_there_still() {
        let lock = Mutex::new(1);
        let panicked = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let mut held = lock.locked();
                *held = 2;
                panic!("while it is held");
            });
            holder.join().is_err()
        });
        assert!(panicked && lock.is_poisoned());
        assert_eq!(*lock.locked(), 2);
    }
}
