//! What a run tells beside its report: logs and metrics, alerts and lineage, and whether all is well.

pub mod alerts;
pub mod health;
pub mod lineage;
pub mod log;
pub mod machine;
pub mod metrics;
mod moment;
pub mod push;
pub mod telling;
