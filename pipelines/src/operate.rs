//! What a run tells beside its report: logs and metrics, and whether all is well.

pub mod clock;
pub mod figures;
pub mod health;
pub mod log;
pub mod machine;
pub mod metrics;
pub mod push;
pub mod telling;
