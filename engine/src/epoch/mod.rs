//! How ONE epoch is written: state and sink are opened and made to agree, the changes go to the sink, both commit.

pub(crate) mod ahead;
pub(crate) mod backoff;
pub(crate) mod batches;
pub(crate) mod commit;
pub(crate) mod context;
mod decision;
pub(crate) mod drops;
pub(crate) mod dry;
pub(crate) mod filling;
pub(crate) mod fills;
pub(crate) mod gaps;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod open;
pub(crate) mod outcome;
pub(crate) mod plane;
pub(crate) mod quarantine;
mod record;
pub(crate) mod reject_share;
pub(crate) mod scratch;
pub(crate) mod transaction;
pub(crate) mod unchanged;
pub(crate) mod write;
