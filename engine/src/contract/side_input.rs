//! Files beside the drops that decide what a stage computes: a reference, a list of regions, a pedigree.

use std::path::PathBuf;

/// A file that a planned stage computes with.
///
/// Its content is part of what the stage computes: the engine digests it before a run and refuses to go on when it is not
/// what the state was made with. Its path is not, so that a file may be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideInput {
    /// The option that names it; where it stands in `[pipeline]`, that one's name.
    pub option: &'static str,
    /// The file, independent of the working directory.
    pub path: PathBuf,
}

impl SideInput {
    /// The file that an option names.
    pub fn new(option: &'static str, path: PathBuf) -> SideInput {
        SideInput { option, path }
    }
}
