//! What a stage is: the traits that sources, transforms and sinks implement, and what passes between them and the engine.

pub mod algebra;
pub mod batch;
pub mod content;
pub mod emit;
pub mod erasure;
pub mod example;
pub mod lookup;
pub mod migration;
pub mod options;
pub mod reason;
pub mod side_input;
pub mod sink;
pub mod source;
pub mod span;
pub mod stage;
pub mod warning;
