//! What a run says beside its report: logs and metrics, alerts and lineage, and whether all is well.

pub mod alerts;
pub mod clock;
pub mod ended;
pub mod figures;
pub mod health;
pub mod http;
pub mod lineage;
pub mod log;
pub mod machine;
pub mod metrics;
pub mod push;
pub mod telling;
