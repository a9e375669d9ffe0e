//! How a file is packed.

use std::path::Path;

/// Text, or blocks that can be read from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Text.
    Plain,
    /// Blocked gzip.
    Bgzf,
}

impl Packing {
    /// What the name of a file asks for.
    pub fn of(path: &Path) -> Packing {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz" | "bgz") => Packing::Bgzf,
            _ => Packing::Plain,
        }
    }
}
