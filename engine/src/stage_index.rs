//! A stage's place in a plan, told apart from every other number, and what is kept for each stage.

use std::ops::{Deref, Index, IndexMut};

/// Which stage of a plan, in the plan's order: [`Plan::stages`](crate::plan::Plan::stages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageIndex(usize);

impl StageIndex {
    /// The stage in this place.
    pub const fn new(place: usize) -> StageIndex {
        StageIndex(place)
    }

    /// Its place, for those to whom stages are numbers: routes between workers, JSON.
    pub const fn place(self) -> usize {
        self.0
    }
}

/// Something for each stage of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerStage<T>(Vec<T>);

impl<T> Default for PerStage<T> {
    fn default() -> PerStage<T> {
        PerStage(Vec::new())
    }
}

impl<T> PerStage<T> {
    /// What belongs to each stage, with the stage.
    pub fn indexed(&self) -> impl DoubleEndedIterator<Item = (StageIndex, &T)> + ExactSizeIterator {
        self.0.iter().enumerate().map(|(at, of_stage)| (StageIndex(at), of_stage))
    }

    /// The places of those stages of which something holds.
    pub fn places_where(&self, holds: impl Fn(&T) -> bool) -> impl Iterator<Item = StageIndex> {
        self.indexed().filter(move |(_, of_stage)| holds(of_stage)).map(|(at, _)| at)
    }

    /// What belongs to each stage, in the plan's order, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// What belongs to a stage; `None` where nothing is kept of any.
    pub fn get(&self, at: StageIndex) -> Option<&T> {
        self.0.get(at.0)
    }

    /// Adds what belongs to the next stage.
    pub fn push(&mut self, of_stage: T) {
        self.0.push(of_stage);
    }

    /// Adds what belongs to the next stages; the place of the last of all, if there is one.
    pub fn add(&mut self, of_stages: impl IntoIterator<Item = T>) -> Option<StageIndex> {
        self.0.extend(of_stages);
        self.0.len().checked_sub(1).map(StageIndex)
    }
}

impl<T: Clone> PerStage<T> {
    /// The same for each of so many stages.
    pub fn same(stages: usize, of_each: T) -> PerStage<T> {
        PerStage(vec![of_each; stages])
    }
}

impl<T> FromIterator<T> for PerStage<T> {
    fn from_iter<I: IntoIterator<Item = T>>(of_stages: I) -> PerStage<T> {
        PerStage(of_stages.into_iter().collect())
    }
}

impl<T> Deref for PerStage<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a PerStage<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> std::slice::Iter<'a, T> {
        self.0.iter()
    }
}

impl<T> Index<StageIndex> for PerStage<T> {
    type Output = T;
    fn index(&self, at: StageIndex) -> &T {
        &self.0[at.0]
    }
}

impl<T> IndexMut<StageIndex> for PerStage<T> {
    fn index_mut(&mut self, at: StageIndex) -> &mut T {
        &mut self.0[at.0]
    }
}
