//! The stages of a plan, what is kept for each of them, and a stage's place, told apart from every other number.

use std::ops::{Deref, Index, IndexMut};

use super::PlannedStage;

/// Which stage of a plan, in the plan's order: [`Plan::stages`](super::Plan::stages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageIndex(usize);

impl StageIndex {
    /// The stage in this place.
    pub const fn new(place: usize) -> StageIndex {
        StageIndex(place)
    }

    /// Its place, for those to whom stages are numbers: the dataflow's routes, JSON.
    pub const fn place(self) -> usize {
        self.0
    }
}

/// The stages of a plan: every stage after its inputs, otherwise in the order of the file.
#[derive(Clone, Default)]
pub struct Stages(Vec<PlannedStage>);

impl Stages {
    /// The stages with their places.
    pub fn indexed(&self) -> impl DoubleEndedIterator<Item = (StageIndex, &PlannedStage)> + ExactSizeIterator {
        self.0.iter().enumerate().map(|(at, stage)| (StageIndex(at), stage))
    }

    /// The places of those stages of which something holds.
    pub fn places_where(&self, holds: impl Fn(&PlannedStage) -> bool) -> impl Iterator<Item = StageIndex> {
        self.indexed().filter(move |(_, stage)| holds(stage)).map(|(at, _)| at)
    }

    /// Adds stages; the place of the last one, if there is one.
    pub(super) fn add(&mut self, stages: Vec<PlannedStage>) -> Option<StageIndex> {
        self.0.extend(stages);
        self.0.len().checked_sub(1).map(StageIndex)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut PlannedStage> {
        self.0.iter_mut()
    }
}

impl Deref for Stages {
    type Target = [PlannedStage];
    fn deref(&self) -> &[PlannedStage] {
        &self.0
    }
}

impl Index<StageIndex> for Stages {
    type Output = PlannedStage;
    fn index(&self, at: StageIndex) -> &PlannedStage {
        &self.0[at.0]
    }
}

impl<'a> IntoIterator for &'a Stages {
    type Item = &'a PlannedStage;
    type IntoIter = std::slice::Iter<'a, PlannedStage>;
    fn into_iter(self) -> std::slice::Iter<'a, PlannedStage> {
        self.0.iter()
    }
}

/// Something for each stage of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerStage<T>(Vec<T>);

impl<T> PerStage<T> {
    /// What belongs to each stage, with the stage.
    pub fn indexed(&self) -> impl DoubleEndedIterator<Item = (StageIndex, &T)> + ExactSizeIterator {
        self.0.iter().enumerate().map(|(at, of_stage)| (StageIndex(at), of_stage))
    }

    /// What belongs to each stage, in the plan's order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// What belongs to each stage, in the plan's order.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T: Clone> PerStage<T> {
    /// The same for each stage.
    pub fn same(stages: &Stages, of_each: T) -> PerStage<T> {
        PerStage(vec![of_each; stages.len()])
    }
}

impl<T> FromIterator<T> for PerStage<T> {
    fn from_iter<I: IntoIterator<Item = T>>(of_stages: I) -> PerStage<T> {
        PerStage(of_stages.into_iter().collect())
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
