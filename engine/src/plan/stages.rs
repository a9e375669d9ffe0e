//! The stages of a plan.

use std::ops::{Deref, Index, IndexMut};

use super::PlannedStage;
use crate::stage_index::StageIndex;

/// The stages of a plan: every stage after its inputs, otherwise in the order of the file.
#[derive(Clone, Default)]
pub struct Stages(Vec<PlannedStage>);

impl Stages {
    /// The stages with their places.
    pub fn indexed(&self) -> impl DoubleEndedIterator<Item = (StageIndex, &PlannedStage)> + ExactSizeIterator {
        self.0.iter().enumerate().map(|(at, stage)| (StageIndex::new(at), stage))
    }

    /// The places of those stages of which something holds.
    pub fn places_where(&self, holds: impl Fn(&PlannedStage) -> bool) -> impl Iterator<Item = StageIndex> {
        self.indexed().filter(move |(_, stage)| holds(stage)).map(|(at, _)| at)
    }

    /// Adds stages; the place of the last one, if there is one.
    pub(super) fn add(&mut self, stages: Vec<PlannedStage>) -> Option<StageIndex> {
        self.0.extend(stages);
        self.0.len().checked_sub(1).map(StageIndex::new)
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
        &self.0[at.place()]
    }
}

impl IndexMut<StageIndex> for Stages {
    fn index_mut(&mut self, at: StageIndex) -> &mut PlannedStage {
        &mut self.0[at.place()]
    }
}

impl<'a> IntoIterator for &'a Stages {
    type Item = &'a PlannedStage;
    type IntoIter = std::slice::Iter<'a, PlannedStage>;
    fn into_iter(self) -> std::slice::Iter<'a, PlannedStage> {
        self.0.iter()
    }
}
