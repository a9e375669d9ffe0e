//! Relational stages that know genomics; the engine keeps them exact.

pub mod lookup;
pub mod regions;
