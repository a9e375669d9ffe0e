//! All fail points there are: what every suite of crashes quantifies over.

/// What happens at a point when it is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The process dies, or panics if it is asked to.
    Dies,
    /// The operation fails as if the disk were full, or is done wrongly.
    DiskFull,
    /// The thread panics.
    Panics,
}

/// A fail point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its area and its name: `state:prepared`.
    pub name: &'static str,
    /// What happens there.
    pub effect: Effect,
}

const fn dies(name: &'static str) -> Point {
    Point { name, effect: Effect::Dies }
}

const fn disk_full(name: &'static str) -> Point {
    Point { name, effect: Effect::DiskFull }
}

const fn panics(name: &'static str) -> Point {
    Point { name, effect: Effect::Panics }
}

/// Every fail point, those of one run in the order in which it first comes by them. A test holds the list against the code.
pub const POINTS: &[Point] = &[
    // A thread of the dataflow.
    panics("reader:open"),
    panics("reader:chunk"),
    panics("worker:chunk"),
    panics("worker:table"),
    // What an operator keeps.
    dies("join:side-written"),
    dies("resident:side-written"),
    // What look-ups ask for.
    panics("lookup:worker"),
    dies("lookup:asking"),
    dies("lookup:asked"),
    dies("lookup:answered"),
    dies("lookup:computed"),
    // A migration, up to its epoch.
    dies("migrate:step"),
    dies("migrate:expanded"),
    dies("migrate:compared"),
    dies("migrate:batch"),
    dies("migrate:batches"),
    // An epoch.
    dies("ahead:batch"),
    dies("state:run-written"),
    dies("commit:begin"),
    dies("commit:batch"),
    dies("erase:removed"),
    dies("state:before-prepare"),
    dies("state:data-synced"),
    dies("state:prepared"),
    dies("commit:applied"),
    dies("commit:before-sink"),
    dies("commit:after-sink"),
    dies("state:before-finalize"),
    dies("state:finalized"),
    dies("state:deleted"),
    // A commit that fails, as if the disk were full, and what is looked up then.
    disk_full("sink-commit:fails"),
    dies("sink-commit:failed"),
    // After it.
    dies("migrate:filled"),
    dies("erase:committed"),
    dies("erase:scrubbed"),
    dies("erase:vacuumed"),
    dies("erase:searched"),
    dies("erase:finished"),
    dies("report:begin"),
    // What is written to a disk.
    disk_full("state:write"),
    disk_full("state:sync"),
    disk_full("state:sync-directory"),
    disk_full("state:manifest"),
    disk_full("state:rename"),
    // A rule that is wrong wherever it is applied: only `verify` by another implementation finds it.
    disk_full("aggregate:ignores_filters"),
];

/// The names of the points with this effect in these areas (what comes before the colon), in order.
pub fn points(effect: Effect, areas: &[&str]) -> Vec<&'static str> {
    let is_in = |name: &str| name.split_once(':').is_some_and(|(area, _)| areas.contains(&area));
    POINTS.iter().filter(|point| point.effect == effect && is_in(point.name)).map(|point| point.name).collect()
}
