//! `new`: a commented pipeline to start from, made of what the header and the first records of a file have.

mod look;
mod write;

use std::{io, path::Path};

pub use self::look::Look;

/// A pipeline file for drops like this one; without a drop, one that reads SnpEff's annotations.
///
/// # Errors
/// When the file cannot be read, or is no VCF.
pub fn propose(name: &str, from: Option<&Path>) -> io::Result<String> {
    let look = match from {
        Some(path) => Look::at(path)?,
        None => Look::usual(),
    };
    Ok(write::pipeline(name, &look))
}

#[cfg(test)]
mod tests;
