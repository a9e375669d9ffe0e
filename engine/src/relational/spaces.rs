//! The spaces in which the state of a relational stage lies.

use super::Relational;
use crate::state::GROUPED;

/// A table's assertions by key and drop.
pub(crate) fn assertions(stage: &str) -> String {
    format!("{stage}{GROUPED}")
}

/// An aggregate's accumulators by group; of a table what an older vardelta kept by key.
pub(crate) fn keys(stage: &str) -> String {
    stage.to_owned()
}

/// A table's keys by the drops that assert them.
pub(crate) fn drops(stage: &str) -> String {
    format!("{stage}/drops")
}

/// How often an aggregate's groups hold each value; the rows of a top, by group and in order.
pub(crate) fn values(stage: &str) -> String {
    format!("{stage}/values")
}

/// The rows of one input of a join, by its `on` columns, or of an operator with a resident right side.
pub(crate) fn side(stage: &str, port: usize) -> String {
    format!("{stage}/{}", if port == 0 { "left" } else { "right" })
}

/// The long rows of the left side of an operator with a resident right side.
pub(crate) fn long(stage: &str) -> String {
    format!("{stage}/long")
}

/// The answers of a look-up by key. No other operator has a space of this name.
pub(crate) fn answers(stage: &str) -> String {
    format!("{stage}/answers")
}

/// How many rows want each key of a look-up.
pub(crate) fn wanted(stage: &str) -> String {
    format!("{stage}/wanted")
}

/// The keys of a look-up that wait for an answer, and when answers grow old.
pub(crate) fn due(stage: &str) -> String {
    format!("{stage}/due")
}

/// The stage that a space belongs to.
pub(crate) fn owner(space: &str) -> &str {
    space.split_once('/').map_or(space, |(stage, _)| stage)
}

impl Relational {
    /// The spaces that the operator keeps under this stage name from epoch to epoch.
    pub(crate) fn spaces(&self, stage: &str) -> Vec<String> {
        match self {
            Relational::Table(_) => vec![keys(stage), assertions(stage), drops(stage)],
            Relational::Aggregate(_) => vec![keys(stage), values(stage)],
            Relational::Top(_) => vec![values(stage)],
            Relational::Union(_) => Vec::new(),
            Relational::Join(spec) => {
                (0..2).filter(|port| !spec.side(*port).is_shared).map(|port| side(stage, port)).collect()
            }
            Relational::Resident(spec) => {
                let own = (0..2).filter(|port| !spec.is_shared(*port)).map(|port| side(stage, port));
                own.chain([long(stage)]).collect()
            }
            Relational::Lookup(_) => vec![answers(stage), wanted(stage), due(stage)],
        }
    }

    /// The spaces that it keeps only while tables are replayed: those of sides that lie in a table's state otherwise.
    pub(crate) fn replayed_spaces(&self, stage: &str) -> Vec<String> {
        match self {
            Relational::Join(spec) => {
                (0..2).filter(|port| spec.side(*port).is_shared).map(|port| side(stage, port)).collect()
            }
            Relational::Resident(spec) => {
                (0..2).filter(|port| spec.is_shared(*port)).map(|port| side(stage, port)).collect()
            }
            _ => Vec::new(),
        }
    }
}
