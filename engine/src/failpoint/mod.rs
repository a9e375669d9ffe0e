//! Fail points: named places at every durability step where a test can kill the process or make an operation fail.
//!
//! `VARDELTA_FAILPOINT=state:prepared` aborts the process when it first reaches that point, `state:prepared:3` at the
//! third time; `panic@state:prepared` panics there instead. Where the point is asked by [`fails`], the operation reports a full
//! disk instead, from that time on. `VARDELTA_FAILPOINT=panic:worker:chunk` panics where [`panics`] is asked. With
//! `VARDELTA_FAILPOINT_LOG` every point that is reached is added to that file, so that a test which kills the process can tell
//! where it was; a thread that is to panic adds `panicking at worker:chunk`. `wait@state:prepared` stops there, says
//! `waiting at state:prepared` in that file, and goes on as soon as the
//! file that `VARDELTA_FAILPOINT_GO` names is there: so a test does something at a moment that no clock decides. Several
//! points are armed with commas between. `sleep@stage:calls:20` makes every batch of the stage `calls` 20 ms slower, `sleep@reader:calls:20`
//! every chunk that is read of its files; the sink's batches are those of its stage.
//!
//! Only builds with debug assertions have them: what is released knows none of these variables, and a point costs nothing there.

#[cfg(any(test, debug_assertions))]
mod armed;
mod points;

#[cfg(test)]
pub(crate) use self::armed::hook;
#[cfg(any(test, debug_assertions))]
pub use self::armed::{GO_VARIABLE, LOG_VARIABLE, VARIABLE, fails, hit, panics, slow};
pub use self::points::{Effect, POINTS, Point, points};

/// A place where the process may die; in this build it never does.
#[cfg(not(any(test, debug_assertions)))]
#[inline(always)]
pub fn hit(_name: &str) {}

/// A place where a thread may panic; in this build it never does.
#[cfg(not(any(test, debug_assertions)))]
#[inline(always)]
pub fn panics(_name: &str) {}

/// A place where work can be made slow; in this build it never is.
#[cfg(not(any(test, debug_assertions)))]
#[inline(always)]
pub fn slow(_area: &str, _name: &str) {}

/// Whether the operation at this point is to fail as if the disk were full; in this build it never is.
#[cfg(not(any(test, debug_assertions)))]
#[inline(always)]
pub fn fails(_name: &str) -> bool {
    false
}
