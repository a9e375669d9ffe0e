//! Turns of a file's life.
