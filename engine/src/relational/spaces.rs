//! The spaces in which the state of a relational stage lies.

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
